//! Which protocol a datagram belongs to.

/// What shares the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Stun,
    Dtls,
    Srtp,
    Srtcp,
    /// ZRTP, TURN channels, and whatever else has no business here.
    Unknown,
}

/// Tells by the first byte (RFC 7983 §7), RTP from RTCP by the second (RFC 5761 §4: packet types 192 to 223).
pub(crate) fn classify(payload: &[u8]) -> Kind {
    match payload {
        [0..=3, ..] => Kind::Stun,
        [20..=63, ..] => Kind::Dtls,
        [128..=191, 192..=223, ..] => Kind::Srtcp,
        [128..=191, _, ..] => Kind::Srtp,
        _ => Kind::Unknown,
    }
}

/// Whether a DTLS datagram begins with a ClientHello (RFC 6347 §4.3.2: a handshake record of epoch 0; the message type
/// follows its 13-byte header). Nothing else may begin an association.
pub(crate) fn is_client_hello(payload: &[u8]) -> bool {
    payload.len() > 13 && payload[0] == 22 && payload[3..5] == [0, 0] && payload[13] == 1
}

#[cfg(test)]
mod tests;
