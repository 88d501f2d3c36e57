/// What the audio of one pull mainly is. When one pull needs several, the one furthest down this list is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Operation {
    /// Nothing has been received yet, or the start delay runs.
    Silence,
    /// Decoded audio as it came.
    Normal,
    /// Decoded audio with a pitch period taken out, to lower the delay.
    Accelerate,
    /// Decoded audio with a pitch period repeated, to raise the delay.
    PreemptiveExpand,
    /// The decoder's comfort noise while the sender is silent.
    ComfortNoise,
    /// A lost packet decoded from the copy in the packet after it.
    Recover,
    /// Invented audio in place of a missing packet.
    Conceal,
}

/// What one [`pull`](crate::JitterBuffer::pull) gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PullReport {
    /// What the audio is.
    pub operation: Operation,
    /// Timestamp of the first sample given. It never goes back while one stream lasts, stands still during preemptive expansion and
    /// concealment that is not followed by a jump, and is 0 before the stream's first sample.
    pub playout_timestamp: u64,
    /// Timestamp right after the last sample given, as NetEq reports it: invented samples stand in for those of the packet that is
    /// missing, and while a late packet is played after all, it waits. 0 before the stream's first sample.
    pub end_timestamp: u64,
    /// Samples written: always the length of the block asked for.
    pub samples: usize,
}
