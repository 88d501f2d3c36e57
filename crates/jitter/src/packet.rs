use bytes::Bytes;

/// One received media packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Extended sequence number: RTP's 16 bits with the wraps counted (RFC 3550 Appendix A.1).
    pub sequence: u64,
    /// Extended timestamp of the first sample, in units of [`Config::sample_rate`](crate::Config::sample_rate).
    pub timestamp: u64,
    /// What the decoder takes.
    pub payload: Bytes,
    /// Samples in the packet, if known; used until the first packet was decoded.
    pub duration_hint: Option<u32>,
}

/// What became of a packet given to [`JitterBuffer::insert`](crate::JitterBuffer::insert).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InsertOutcome {
    /// It waits for its turn.
    Queued,
    /// It waits for its turn; the buffer was full and the oldest packet made room.
    Evicted,
    /// A packet of this timestamp waits already; dropped.
    Duplicate,
    /// Its time to be played is over; dropped, but its delay was learnt from.
    TooLate,
    /// Its timestamp continues nothing: held aside until the next packet shows whether the sender started anew.
    Held,
    /// With the packet held before it, it shows that the sender started anew: what was queued is dropped, both are queued.
    Restarted,
}
