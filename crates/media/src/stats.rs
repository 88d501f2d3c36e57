use std::time::Duration;

/// Everything measured, up to now, named as in W3C "Identifiers for WebRTC's Statistics API".
///
/// Seconds of that document are [`Duration`]s here, but for `jitter` and `remote_jitter`. Samples are at 48 kHz.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    // outbound-rtp
    /// Own SSRC now in use.
    pub ssrc: u32,
    /// RTP packets sent.
    pub packets_sent: u64,
    /// Payload bytes sent, without headers.
    pub bytes_sent: u64,
    /// Of those payload bytes, the ones that repeat earlier packets (RFC 2198).
    pub redundant_bytes_sent: u64,
    /// Header bytes sent.
    pub header_bytes_sent: u64,
    /// Bits per second that the encoder aims at now.
    pub target_bitrate: u32,

    // inbound-rtp, what the network did
    /// The peer's SSRC, once heard.
    pub remote_ssrc: Option<u32>,
    /// RTP packets received, late and duplicate ones included.
    pub packets_received: u64,
    /// Payload bytes of those.
    pub bytes_received: u64,
    /// Header bytes of those.
    pub header_bytes_received: u64,
    /// Packets expected less packets received (RFC 3550 §6.4.1); negative when duplicates outnumber losses.
    pub packets_lost: i64,
    /// Interarrival jitter in seconds (RFC 3550 §6.4.1).
    pub jitter: f64,
    /// NACK messages sent.
    pub nack_count: u64,
    /// Level of the peer's latest packet as it tells it, 0.0..=1.0 of full scale; `None` where it tells none (RFC 6464).
    pub audio_level: Option<f64>,
    /// Copies of earlier packets that packets of the peer carried (RFC 2198).
    pub redundant_blocks_received: u64,
    /// Of those, the ones that took the place of a packet that was missing.
    pub redundant_blocks_used: u64,
    /// Transport-wide feedback messages sent.
    pub transport_feedback_sent: u64,

    // inbound-rtp, what the jitter buffer did
    /// Packets dropped by the jitter buffer: late, evicted, undecodable, beyond the largest delay.
    pub packets_discarded: u64,
    /// Sum over all emitted samples of the time that each spent in the buffer.
    pub jitter_buffer_delay: Duration,
    /// Sum over all emitted samples of the delay aimed at.
    pub jitter_buffer_target_delay: Duration,
    /// Sum over all emitted samples of the least delay that the network alone would ask for.
    pub jitter_buffer_minimum_delay: Duration,
    /// Samples that came out of the buffer.
    pub jitter_buffer_emitted_count: u64,
    /// Samples played, concealed ones included.
    pub total_samples_received: u64,
    /// Samples that were invented for lost or late packets, silent ones included, comfort noise excluded.
    pub concealed_samples: u64,
    /// Of those, the silent ones.
    pub silent_concealed_samples: u64,
    /// Times that concealment began.
    pub concealment_events: u64,
    /// Samples added to slow playout down.
    pub inserted_samples_for_deceleration: u64,
    /// Samples left out to speed playout up.
    pub removed_samples_for_acceleration: u64,
    /// Packets that carried a copy of the frame before them (in-band FEC).
    pub fec_packets_received: u64,
    /// Of those, the ones whose copy was not needed.
    pub fec_packets_discarded: u64,
    /// Concealments of 150 ms and more.
    pub interruptions: u64,
    /// How long those lasted.
    pub total_interruption_duration: Duration,

    // remote-inbound-rtp
    /// Share of our packets lost between the peer's last two reports, 0.0..=1.0; `None` before its first.
    pub fraction_lost: Option<f32>,
    /// Our packets lost in all, as the peer counts; `None` before its first report.
    pub remote_packets_lost: Option<i64>,
    /// Interarrival jitter of our packets at the peer, in seconds; `None` before its first report.
    pub remote_jitter: Option<f64>,
    /// The latest round trip measured.
    pub round_trip_time: Option<Duration>,
    /// Sum of all round trips measured.
    pub total_round_trip_time: Duration,
    /// How many were measured.
    pub round_trip_time_measurements: u64,

    // Beyond W3C: right now.
    /// Delay that the jitter buffer has.
    pub current_delay: Duration,
    /// Delay that it aims at.
    pub target_delay: Duration,
    /// Level of what is sent, 0..=100.
    pub capture_level: u8,
    /// Level of what is played, 0..=100.
    pub playout_level: u8,
    /// Loss that the encoder is armed against, in percent.
    pub expected_loss_percent: u8,

    // Beyond W3C: counters.
    /// Frames encoded.
    pub frames_encoded: u64,
    /// Of those, the ones that were silence (DTX) and not sent.
    pub frames_not_sent: u64,
    /// Frames lost to a fault of the encoder.
    pub encode_errors: u64,
    /// Packets and concealments that the decoder refused.
    pub decode_errors: u64,
    /// Payloads that are no Opus, dropped before the buffer.
    pub invalid_payloads: u64,
    /// Times that everything queued was dropped because the peer started anew.
    pub flushes: u64,
    /// Samples of comfort noise in the peer's silence.
    pub comfort_noise_samples: u64,
    /// Lost packets decoded from the copy in the packet after them.
    pub packets_recovered: u64,
    /// Packets that came after one with a later timestamp.
    pub packets_reordered: u64,
    /// Concealments that passed [`CONCEALMENT_BUDGET`](crate::CONCEALMENT_BUDGET) and went on in the cheap way.
    pub concealment_fallbacks: u64,
    /// RTP packets that arrived twice.
    pub packets_duplicated: u64,
    /// Changes and restarts of the peer's source after the first.
    pub source_changes: u64,
    /// RTP and RTCP datagrams dropped as malformed, of unwanted type, or not credible.
    pub datagrams_rejected: u64,
    /// Outputs dropped because nobody polled.
    pub outputs_dropped: u64,
}
