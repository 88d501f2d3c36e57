use super::NtpTime;
use super::error::{ParseError, slice, u32_at, u64_at};

/// A borrowed extended report (RFC 3611 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendedReport<'a> {
    /// Who sends it.
    pub ssrc: u32,
    blocks: &'a [u8],
}

impl<'a> ExtendedReport<'a> {
    /// Block type of a receiver reference time (RFC 3611 §4.4).
    pub const RECEIVER_REFERENCE_TIME: u8 = 4;
    /// Block type of a delay since the last receiver report (RFC 3611 §4.5).
    pub const DELAY_SINCE_LAST_RR: u8 = 5;

    pub(super) fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        Ok(Self {
            ssrc: u32_at(body, 0)?,
            blocks: slice(body, 4, body.len())?,
        })
    }

    /// The blocks in order; ends at the first that does not fit.
    #[must_use]
    pub fn blocks(&self) -> XrBlocks<'a> {
        XrBlocks { rest: self.blocks }
    }
}

/// One block of an extended report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum XrBlock<'a> {
    /// The time at a receiver that sends no media, so that it too can measure round trips.
    ReceiverReferenceTime(NtpTime),
    /// The answers to receiver reference times.
    DelaySinceLastRr(DlrrReports<'a>),
    /// A block of a type that is not read here.
    Unknown {
        /// Its type.
        block_type: u8,
        /// Its content without the block header.
        data: &'a [u8],
    },
}

/// Iterates over the blocks of an extended report.
#[derive(Clone, Copy, Debug)]
pub struct XrBlocks<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for XrBlocks<'a> {
    type Item = XrBlock<'a>;

    fn next(&mut self) -> Option<XrBlock<'a>> {
        // RFC 3611 §3: type, type-specific byte, length in words without this header.
        let (&[block_type, _, high, low], rest) = self.rest.split_first_chunk()?;
        let (data, rest) = rest.split_at_checked(4 * usize::from(u16::from_be_bytes([high, low])))?;
        self.rest = rest;
        Some(match (block_type, u64_at(data, 0)) {
            (ExtendedReport::RECEIVER_REFERENCE_TIME, Ok(ntp)) => XrBlock::ReceiverReferenceTime(NtpTime(ntp)),
            (ExtendedReport::DELAY_SINCE_LAST_RR, _) => XrBlock::DelaySinceLastRr(DlrrReports { rest: data }),
            _ => XrBlock::Unknown { block_type, data },
        })
    }
}

/// One answer to a receiver reference time (RFC 3611 §4.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DlrrReport {
    /// The receiver that is answered.
    pub ssrc: u32,
    /// Middle 32 bits of its reference time.
    pub last_rr: u32,
    /// Time from receiving it to sending this, in 1/65,536 s.
    pub delay_since_last_rr: u32,
}

/// Iterates over the answers of a [`XrBlock::DelaySinceLastRr`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DlrrReports<'a> {
    rest: &'a [u8],
}

impl Iterator for DlrrReports<'_> {
    type Item = DlrrReport;

    fn next(&mut self) -> Option<DlrrReport> {
        let (block, rest) = self.rest.split_first_chunk::<12>()?;
        self.rest = rest;
        Some(DlrrReport {
            ssrc: u32_at(block, 0).ok()?,
            last_rr: u32_at(block, 4).ok()?,
            delay_since_last_rr: u32_at(block, 8).ok()?,
        })
    }
}
