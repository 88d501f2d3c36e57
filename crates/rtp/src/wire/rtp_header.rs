use bytes::BufMut;

use super::error::EmitError;
use super::extension::{self, Extension};
use super::{RtpPacket, VERSION};

/// What to write in front of a payload (RFC 3550 §5.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RtpHeader<'a> {
    /// The marker bit.
    pub marker: bool,
    /// Payload type, 0..=127; not 64..=95 where RTCP shares the port (RFC 5761 §4).
    pub payload_type: u8,
    /// Sequence number.
    pub sequence_number: u16,
    /// Media timestamp in the payload's clock rate.
    pub timestamp: u32,
    /// Synchronisation source.
    pub ssrc: u32,
    /// Contributing sources, at most 15.
    pub csrcs: &'a [u32],
    /// Header extension elements; the one-byte form is used when all fit it, else the two-byte form (RFC 8285 §4.1).
    pub extensions: &'a [Extension<'a>],
}

impl RtpHeader<'_> {
    /// Bytes that [`emit`](Self::emit) will write.
    ///
    /// # Errors
    /// As [`emit`](Self::emit).
    pub fn emitted_len(&self) -> Result<usize, EmitError> {
        if self.payload_type > 127 {
            return Err(EmitError::PayloadType(self.payload_type));
        }
        if self.csrcs.len() > 15 {
            return Err(EmitError::ContributingSources(self.csrcs.len()));
        }
        Ok(RtpPacket::FIXED_HEADER + 4 * self.csrcs.len() + extension::emitted_len(self.extensions)?)
    }

    /// Appends the header to `out`; the payload follows it.
    ///
    /// # Errors
    /// [`EmitError`] when a field does not fit the format; nothing is written then.
    pub fn emit(&self, out: &mut impl BufMut) -> Result<(), EmitError> {
        self.emitted_len()?;
        let extended = if self.extensions.is_empty() { 0 } else { 0x10 };
        out.put_u8((VERSION << 6) | extended | self.csrcs.len() as u8);
        out.put_u8((u8::from(self.marker) << 7) | self.payload_type);
        out.put_u16(self.sequence_number);
        out.put_u32(self.timestamp);
        out.put_u32(self.ssrc);
        for csrc in self.csrcs {
            out.put_u32(*csrc);
        }
        extension::emit(self.extensions, out);
        Ok(())
    }
}
