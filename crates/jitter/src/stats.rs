use std::time::Duration;

/// Counters since the buffer was made; they only grow, and survive [`reset`](crate::JitterBuffer::reset). Names and meaning are those
/// of `RTCInboundRtpStreamStats` in W3C webrtc-stats, so that they compare with a browser's; the additions are marked.
///
/// Always: `jitter_buffer_emitted_count + concealed_samples + comfort_noise_samples + inserted_samples_for_deceleration
/// = total_samples_received + removed_samples_for_acceleration + pending`, with
/// [`pending`](crate::JitterBuffer::pending_samples) the audio made but not yet pulled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Time from a packet's arrival to its playout, summed over every sample. Divide by the emitted count for the mean.
    pub jitter_buffer_delay: Duration,
    /// Decoded (and recovered) samples that left the packet buffer to be played.
    pub jitter_buffer_emitted_count: u64,
    /// The target delay, summed over every emitted sample.
    pub jitter_buffer_target_delay: Duration,
    /// The lowest delay that jitter alone would have allowed (the target without configured limits), summed over every emitted sample.
    pub jitter_buffer_minimum_delay: Duration,
    /// Invented samples, silent ones included, comfort noise excluded.
    pub concealed_samples: u64,
    /// Those of them that were silent, after the fade of a long concealment.
    pub silent_concealed_samples: u64,
    /// Runs of concealment.
    pub concealment_events: u64,
    /// Samples put in to raise the delay.
    pub inserted_samples_for_deceleration: u64,
    /// Samples taken out to lower the delay, by acceleration or where audio was joined shortened.
    pub removed_samples_for_acceleration: u64,
    /// Packets dropped: late, duplicate, evicted, undecodable, beyond the maximum delay, or of a stream that ended.
    pub packets_discarded: u64,
    /// Packets that carried a copy of the one before (in-band FEC).
    pub fec_packets_received: u64,
    /// Those of them whose copy was not needed.
    pub fec_packets_discarded: u64,
    /// Samples given out since the first audio, invented ones included.
    pub total_samples_received: u64,
    /// Concealment runs of 150 ms and more.
    pub interruptions: u64,
    /// Their total length.
    pub total_interruption_duration: Duration,
    /// Times that everything queued was dropped because the sender started anew.
    pub flushes: u64,
    /// Addition: samples of the decoder's comfort noise.
    pub comfort_noise_samples: u64,
    /// Addition: packets taken, dropped ones included.
    pub packets_received: u64,
    /// Addition: packets that came after one with a later timestamp.
    pub packets_reordered: u64,
    /// Addition: lost packets decoded from the copy in the packet after them.
    pub packets_recovered: u64,
}
