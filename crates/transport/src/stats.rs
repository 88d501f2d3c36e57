/// Counters of a [`Transport`](crate::Transport) since it was made.
///
/// Everything that arrives is counted in exactly one of the `*_received`, `*_rejected` or `*_dropped` fields, and what a
/// relay passes on once more under its own kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Datagrams handed out for sending, of any kind.
    pub datagrams_sent: u64,
    /// Bytes of UDP payload handed out for sending.
    pub bytes_sent: u64,
    /// Datagrams given to the transport.
    pub datagrams_received: u64,
    /// Bytes of UDP payload given to the transport.
    pub bytes_received: u64,
    /// STUN messages passed to the ICE agent, which counts its own rejections.
    pub stun_received: u64,
    /// Datagrams of TURN servers passed to the ICE agent.
    pub relay_received: u64,
    /// DTLS datagrams passed to the DTLS engine.
    pub dtls_received: u64,
    /// DTLS datagrams that the engine could not use, dropped.
    pub dtls_rejected: u64,
    /// DTLS datagrams that came inside authenticated STUN messages and were passed to the DTLS engine; not among
    /// `dtls_received`.
    pub dtls_in_stun_received: u64,
    /// What came in their place and was dropped: not negotiated, not DTLS, too long, known already, or after the
    /// handshake.
    pub dtls_in_stun_dropped: u64,
    /// Handshake datagrams sent again although the DTLS engine's own timer had not yet run out.
    pub dtls_repeated: u64,
    /// Authentic RTP packets delivered.
    pub rtp_received: u64,
    /// RTP packets protected and sent.
    pub rtp_sent: u64,
    /// Authentic RTCP packets delivered.
    pub rtcp_received: u64,
    /// RTCP packets protected and sent.
    pub rtcp_sent: u64,
    /// SRTP and SRTCP packets that failed authentication, were replayed, too old or malformed.
    pub srtp_rejected: u64,
    /// SRTP and SRTCP packets that came before the keys and found no room to wait.
    pub early_dropped: u64,
    /// Datagrams other than STUN from an address that no ICE check has proven.
    pub unproven_dropped: u64,
    /// Datagrams that are neither STUN, DTLS nor SRTP (RFC 7983 §7).
    pub unknown_dropped: u64,
    /// Received packets, events and datagrams dropped because the caller did not drain the output.
    pub output_dropped: u64,
    /// Datagrams that came after the end.
    pub after_close_dropped: u64,
}
