//! As much of RTP and RTCP as SRTP has to see.

/// What SRTP needs to know of an RTP packet (RFC 3550 §5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RtpHeader {
    pub(crate) sequence: u16,
    pub(crate) ssrc: u32,
    /// Fixed header, contributing sources and header extension: what stays in the clear.
    pub(crate) len: usize,
}

impl RtpHeader {
    /// Reads the header; `None` when it is not version 2 or does not fit into `packet`.
    pub(crate) fn parse(packet: &[u8]) -> Option<Self> {
        let fixed = packet.first_chunk::<12>()?;
        if fixed[0] >> 6 != 2 {
            return None;
        }
        let mut len = 12 + 4 * usize::from(fixed[0] & 0x0f);
        // RFC 3550 §5.3.1: 16 bits of profile, then the length in words without these four bytes.
        if fixed[0] & 0x10 != 0 {
            let extension = packet.get(len..)?.first_chunk::<4>()?;
            len += 4 + 4 * usize::from(u16::from_be_bytes([extension[2], extension[3]]));
        }
        (len <= packet.len()).then(|| Self {
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
            len,
        })
    }
}

/// Length of the part of an RTCP packet that stays in the clear: the first header and the sender's SSRC
/// (RFC 3711 §3.4).
pub(crate) const RTCP_CLEAR: usize = 8;

/// The sender's SSRC of an RTCP packet; `None` when it is not version 2 or too short to have one.
pub(crate) fn rtcp_ssrc(packet: &[u8]) -> Option<u32> {
    let clear = packet.first_chunk::<RTCP_CLEAR>()?;
    (clear[0] >> 6 == 2).then(|| u32::from_be_bytes([clear[4], clear[5], clear[6], clear[7]]))
}

#[cfg(test)]
mod tests;
