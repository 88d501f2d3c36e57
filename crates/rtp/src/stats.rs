use std::time::Duration;

/// Counters and measures of a [`Session`](crate::Session), named as in W3C "Identifiers for WebRTC's Statistics API".
///
/// Seconds of that document are [`Duration`]s here, but for `jitter`, which keeps its unit.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    // outbound-rtp
    /// RTP packets sent, over all own SSRCs.
    pub packets_sent: u64,
    /// Payload bytes sent, without headers and padding.
    pub bytes_sent: u64,
    /// Of those payload bytes, the ones that repeat earlier packets, with what tells of them (RFC 2198).
    pub redundant_bytes_sent: u64,
    /// Header bytes sent.
    pub header_bytes_sent: u64,

    // inbound-rtp
    /// Valid RTP packets received, late and duplicate ones included.
    pub packets_received: u64,
    /// Payload bytes of those, without headers and padding.
    pub bytes_received: u64,
    /// Header bytes of those.
    pub header_bytes_received: u64,
    /// Packets expected less packets received (RFC 3550 §6.4.1), over all sources; negative when duplicates outnumber losses.
    pub packets_lost: i64,
    /// Interarrival jitter in seconds (RFC 3550 §6.4.1), of the current source.
    pub jitter: f64,
    /// NACK messages sent.
    pub nack_count: u64,
    /// Level of the peer's latest packet as it tells it, 0.0..=1.0 of full scale; `None` before, and where it tells none (RFC 6464).
    pub audio_level: Option<f64>,

    // remote-inbound-rtp: what the peer's reports say about our stream
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

    // remote-outbound-rtp: what the peer's sender reports say about its stream
    /// Packets that the peer says it sent (32 bits, wrapping).
    pub remote_packets_sent: u64,
    /// Payload bytes that the peer says it sent (32 bits, wrapping).
    pub remote_bytes_sent: u64,
    /// Sender reports received.
    pub reports_sent: u64,

    // Beyond W3C.
    /// RTCP datagrams sent.
    pub rtcp_packets_sent: u64,
    /// RTCP datagrams received that had valid framing.
    pub rtcp_packets_received: u64,
    /// Packets that arrived a second time, among `packets_received`.
    pub packets_duplicated: u64,
    /// RTP datagrams dropped because they are no RTP.
    pub rtp_malformed: u64,
    /// RTCP datagrams, or packets in them, dropped because they are no RTCP or not allowed.
    pub rtcp_malformed: u64,
    /// Copies of earlier packets that packets of the peer carried (RFC 2198).
    pub redundant_blocks_received: u64,
    /// Of those, the ones delivered in place of a packet that was missing.
    pub redundant_blocks_used: u64,
    /// Redundant payloads dropped because they are none.
    pub red_malformed: u64,
    /// Transport-wide feedback messages sent.
    pub transport_feedback_sent: u64,
    /// RTP packets, or blocks in them, dropped because their payload type was not agreed on.
    pub unknown_payload_type: u64,
    /// RTP packets dropped because their numbering or source was not yet credible (RFC 3550 A.1).
    pub packets_on_probation: u64,
    /// Changes and restarts of the peer's source after the first.
    pub source_changes: u64,
    /// Times that the peer used our SSRC.
    pub ssrc_collisions: u64,
    /// Round trips that were impossible (report unknown, or answered before it was sent) and thrown away.
    pub round_trip_time_rejected: u64,
    /// Outputs dropped because nobody drained [`poll_output`](crate::Session::poll_output).
    pub outputs_dropped: u64,
    /// Calls of `send` after the goodbye, which send nothing.
    pub sends_after_bye: u64,
}
