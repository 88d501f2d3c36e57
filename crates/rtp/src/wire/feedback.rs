use super::error::{ParseError, slice, u32_at};

/// A borrowed feedback message, transport layer or payload specific (RFC 4585 §6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feedback<'a> {
    /// The format: what kind of feedback within its packet type.
    pub format: u8,
    /// Who sends it.
    pub sender_ssrc: u32,
    /// The stream that it is about.
    pub media_ssrc: u32,
    /// Feedback control information, its shape told by `format`.
    pub control: &'a [u8],
}

impl<'a> Feedback<'a> {
    /// Generic NACK among the transport layer formats (RFC 4585 §6.2.1).
    pub const GENERIC_NACK: u8 = 1;
    /// Transport-wide congestion control among the transport layer formats.
    pub const TRANSPORT_WIDE: u8 = 15;

    pub(super) fn parse(format: u8, body: &'a [u8]) -> Result<Self, ParseError> {
        Ok(Self {
            format,
            sender_ssrc: u32_at(body, 0)?,
            media_ssrc: u32_at(body, 4)?,
            control: slice(body, 8, body.len())?,
        })
    }

    /// The sequence numbers that a generic NACK names; meaningful for transport layer feedback whose format is
    /// [`GENERIC_NACK`](Self::GENERIC_NACK) only.
    #[must_use]
    pub fn nacks(&self) -> Nacks<'a> {
        Nacks {
            rest: self.control,
            packet_id: 0,
            mask: 0,
        }
    }
}

/// Iterates over the sequence numbers of a generic NACK (RFC 4585 §6.2.1).
#[derive(Clone, Copy, Debug)]
pub struct Nacks<'a> {
    rest: &'a [u8],
    packet_id: u16,
    /// Bit *n* set: packet `packet_id + n` is still to be named. Bit 0 is the packet id itself.
    mask: u32,
}

impl Iterator for Nacks<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        if self.mask == 0 {
            let (&[a, b, c, d], rest) = self.rest.split_first_chunk()?;
            self.rest = rest;
            self.packet_id = u16::from_be_bytes([a, b]);
            self.mask = (u32::from(u16::from_be_bytes([c, d])) << 1) | 1;
        }
        let bit = self.mask.trailing_zeros();
        self.mask &= self.mask - 1;
        Some(self.packet_id.wrapping_add(bit as u16))
    }
}
