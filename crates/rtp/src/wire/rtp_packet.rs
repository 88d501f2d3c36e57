use super::error::{ParseError, slice, u16_at, u32_at};
use super::extension::HeaderExtension;
use super::{Extensions, VERSION};

/// A borrowed view of one RTP packet (RFC 3550 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpPacket<'a> {
    /// The marker bit; for audio: first packet after silence (RFC 3551 §4.1).
    pub marker: bool,
    /// Payload type, 0..=127.
    pub payload_type: u8,
    /// Sequence number, wrapping.
    pub sequence_number: u16,
    /// Media timestamp in the payload's clock rate, wrapping.
    pub timestamp: u32,
    /// Synchronisation source.
    pub ssrc: u32,
    /// Contributing sources, at most 15.
    pub csrcs: Words<'a>,
    /// The header extension, when the packet has one.
    pub extension: Option<HeaderExtension<'a>>,
    /// The payload without padding. May be empty.
    pub payload: &'a [u8],
    /// Bytes of padding after the payload, its count byte included; 0 = none.
    pub padding: u8,
}

impl<'a> RtpPacket<'a> {
    /// Length of the fixed header in bytes.
    pub const FIXED_HEADER: usize = 12;

    /// Reads a whole datagram as one RTP packet.
    ///
    /// # Errors
    /// [`ParseError`] when the version is not 2, a promised field is missing, or the padding count is impossible.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, ParseError> {
        let [first, second] = *slice(datagram, 0, Self::FIXED_HEADER)?
            .first_chunk()
            .ok_or(ParseError::Truncated {
                needed: Self::FIXED_HEADER,
                available: datagram.len(),
            })?;
        if first >> 6 != VERSION {
            return Err(ParseError::Version(first >> 6));
        }
        let mut at = Self::FIXED_HEADER;
        let csrcs = Words(slice(datagram, at, at + 4 * usize::from(first & 0x0f))?);
        at += csrcs.0.len();
        // RFC 3550 §5.3.1: sixteen bits of profile, sixteen bits of length in words without these four bytes.
        let extension = if first & 0x10 == 0 {
            None
        } else {
            let profile = u16_at(datagram, at)?;
            let length = 4 * usize::from(u16_at(datagram, at + 2)?);
            let data = slice(datagram, at + 4, at + 4 + length)?;
            at += 4 + length;
            Some(HeaderExtension { profile, data })
        };
        let body = slice(datagram, at, datagram.len())?;
        let padding = if first & 0x20 == 0 {
            0
        } else {
            // RFC 3550 §5.1: the last byte counts the padding, itself included.
            let count = *body.last().ok_or(ParseError::Truncated {
                needed: at + 1,
                available: datagram.len(),
            })?;
            if count == 0 || usize::from(count) > body.len() {
                return Err(ParseError::Padding(count));
            }
            count
        };
        Ok(Self {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7f,
            sequence_number: u16_at(datagram, 2)?,
            timestamp: u32_at(datagram, 4)?,
            ssrc: u32_at(datagram, 8)?,
            csrcs,
            extension,
            payload: &body[..body.len() - usize::from(padding)],
            padding,
        })
    }

    /// The elements of the header extension; empty when there is none or its profile is not of RFC 8285.
    #[must_use]
    pub fn extensions(&self) -> Extensions<'a> {
        self.extension.map(|extension| extension.elements()).unwrap_or_default()
    }

    /// Bytes of header: fixed part, contributing sources and extension.
    #[must_use]
    pub fn header_len(&self) -> usize {
        Self::FIXED_HEADER + self.csrcs.0.len() + self.extension.map_or(0, |extension| 4 + extension.data.len())
    }
}

/// A list of 32-bit numbers (sources) as they lie in the packet; iterates from the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Words<'a>(pub(super) &'a [u8]);

impl Words<'_> {
    /// How many are left.
    #[must_use]
    pub fn count_left(&self) -> usize {
        self.0.len() / 4
    }
}

impl Iterator for Words<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let (word, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*word))
    }
}
