//! What a call measures, under the names of W3C webrtc-stats.

use std::net::SocketAddr;

use serde::Serialize;

/// A snapshot of a call's statistics. Names, units (seconds, bytes, samples) and meaning are those of the W3C's webrtc-stats;
/// serialised, the fields carry its camel-case names. Counters run from the start of the call.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Statistics {
    /// `outbound-rtp`.
    pub outbound: OutboundStatistics,
    /// `inbound-rtp`.
    pub inbound: InboundStatistics,
    /// `remote-inbound-rtp`: how the peer receives what we send, from its reports.
    pub remote_inbound: RemoteInboundStatistics,
    /// `candidate-pair`: the path in use.
    pub candidate_pair: CandidatePairStatistics,
    /// `transport`.
    pub transport: TransportStatistics,
    /// The jitter buffer right now; not part of webrtc-stats.
    pub playout: PlayoutStatistics,
    /// Audio levels right now.
    pub levels: Levels,
    /// How the media thread keeps time; not part of webrtc-stats.
    pub shell: ShellStatistics,
}

/// What was sent.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OutboundStatistics {
    /// Our synchronisation source.
    pub ssrc: u32,
    /// RTP packets sent.
    pub packets_sent: u64,
    /// Payload bytes sent, without headers.
    pub bytes_sent: u64,
    /// Of those, the ones that repeat earlier packets (RFC 2198); not part of webrtc-stats.
    pub redundant_bytes_sent: u64,
    /// Bits per second that the encoder aims at; what is repeated comes on top.
    pub target_bitrate: f64,
}

/// What was received.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct InboundStatistics {
    /// RTP packets received.
    pub packets_received: u64,
    /// Payload bytes received, without headers.
    pub bytes_received: u64,
    /// Packets lost (RFC 3550 §6.4.1); negative when duplicates outnumber losses.
    pub packets_lost: i64,
    /// Interarrival jitter in seconds (RFC 3550 §6.4.1).
    pub jitter: f64,
    /// Packets that came too late to be played.
    pub packets_discarded: u64,
    /// Sum over all emitted samples of the seconds that each spent in the buffer.
    pub jitter_buffer_delay: f64,
    /// Samples that came out of the buffer.
    pub jitter_buffer_emitted_count: u64,
    /// Sum over all emitted samples of the delay that the buffer aimed at, in seconds.
    pub jitter_buffer_target_delay: f64,
    /// Samples played, concealed ones included.
    pub total_samples_received: u64,
    /// Samples that had to be invented.
    pub concealed_samples: u64,
    /// Of those, silent ones.
    pub silent_concealed_samples: u64,
    /// Times that concealment began.
    pub concealment_events: u64,
    /// Samples added to slow playout down.
    pub inserted_samples_for_deceleration: u64,
    /// Samples left out to speed playout up.
    pub removed_samples_for_acceleration: u64,
    /// Packets whose loss the next packet's redundancy repaired.
    pub fec_packets_received: u64,
    /// Copies of earlier packets that packets carried (RFC 2198); not part of webrtc-stats.
    pub redundant_blocks_received: u64,
    /// Of those, the ones that took the place of a packet that was missing; not part of webrtc-stats.
    pub redundant_blocks_used: u64,
    /// Level of the latest packet as the peer tells it, 0.0 to 1.0 of full scale; `None` where it tells none (RFC 6464).
    pub audio_level: Option<f64>,
    /// Transport-wide feedback messages sent; not part of webrtc-stats.
    pub transport_feedback_sent: u64,
}

/// How the peer receives us.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RemoteInboundStatistics {
    /// Share of our packets lost since the report before, 0 to 1; `None` before the first report.
    pub fraction_lost: Option<f64>,
    /// Round trip by RTCP in seconds (RFC 3550 §6.4.1).
    pub round_trip_time: Option<f64>,
    /// Jitter of our packets at the peer in seconds.
    pub jitter: Option<f64>,
}

/// The path in use.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CandidatePairStatistics {
    /// Our address.
    pub local: Option<SocketAddr>,
    /// The peer's address.
    pub remote: Option<SocketAddr>,
    /// `host`, `srflx`, `prflx` or `relay`.
    pub local_kind: Option<&'static str>,
    /// `host`, `srflx`, `prflx` or `relay`.
    pub remote_kind: Option<&'static str>,
    /// How our relay is reached, `udp`, `tcp` or `tls`, when the path leads over one of ours.
    pub relay_protocol: Option<&'static str>,
    /// How often this side restarted ICE; not part of webrtc-stats.
    pub restarts: u64,
    /// Round trip by STUN in seconds.
    pub current_round_trip_time: Option<f64>,
}

/// What protects the path.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TransportStatistics {
    /// The DTLS version negotiated.
    pub dtls_version: Option<String>,
    /// The SRTP protection profile negotiated.
    pub srtp_cipher: Option<String>,
}

/// The jitter buffer right now.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PlayoutStatistics {
    /// Seconds of audio that wait in the buffer.
    pub current_delay: f64,
    /// Seconds that the buffer aims at.
    pub target_delay: f64,
}

/// Average levels of the latest audio, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Levels {
    /// What we say.
    pub mine: u8,
    /// What the peer says.
    pub peer: u8,
}

/// How the media thread keeps time, and what it dropped.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ShellStatistics {
    /// Ticks of 10 ms done.
    pub ticks: u64,
    /// Ticks that began more than 5 ms late.
    pub late_ticks: u64,
    /// Pulls of 10 ms that took longer than 4 ms; the decoder then conceals in the cheap way.
    pub slow_pulls: u64,
    /// Datagrams that could not be sent: the socket's buffer was full, or there is no route.
    pub send_errors: u64,
    /// Datagrams that belonged to no transport of the call.
    pub datagrams_ignored: u64,
    /// RTCP goodbyes that named no documented reason: a browser's track was taken away.
    pub goodbyes_ignored: u64,
    /// Descriptions of the peer after the first that were no restart of ICE: nothing else is negotiated twice.
    pub descriptions_ignored: u64,
    /// Samples that the capture device delivered and nobody read in time.
    pub capture_overruns: u64,
    /// Times that the playout device ran dry.
    pub playout_underruns: u64,
}
