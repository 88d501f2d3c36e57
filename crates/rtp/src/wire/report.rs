use bytes::BufMut;

use super::NtpTime;
use super::error::{ParseError, slice, u32_at, u64_at};

/// A borrowed sender report (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderReport<'a> {
    /// Who sends it.
    pub ssrc: u32,
    /// What it says about the sender's own stream.
    pub info: SenderInfo,
    /// What it says about streams it receives.
    pub reports: ReportBlocks<'a>,
}

impl<'a> SenderReport<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<Self, ParseError> {
        let info = SenderInfo {
            ntp: NtpTime(u64_at(body, 4)?),
            rtp_timestamp: u32_at(body, 12)?,
            packet_count: u32_at(body, 16)?,
            octet_count: u32_at(body, 20)?,
        };
        Ok(Self {
            ssrc: u32_at(body, 0)?,
            info,
            reports: ReportBlocks::parse(count, body, 24)?,
        })
    }
}

/// The sender's part of a sender report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderInfo {
    /// When the report was sent, in the sender's clock.
    pub ntp: NtpTime,
    /// The same moment in the media clock.
    pub rtp_timestamp: u32,
    /// Packets sent since the SSRC began, wrapping.
    pub packet_count: u32,
    /// Payload bytes sent since the SSRC began, wrapping.
    pub octet_count: u32,
}

/// A borrowed receiver report (RFC 3550 §6.4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiverReport<'a> {
    /// Who sends it.
    pub ssrc: u32,
    /// What it says about streams it receives.
    pub reports: ReportBlocks<'a>,
}

impl<'a> ReceiverReport<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<Self, ParseError> {
        Ok(Self {
            ssrc: u32_at(body, 0)?,
            reports: ReportBlocks::parse(count, body, 4)?,
        })
    }
}

/// One reception report (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportBlock {
    /// The stream reported on.
    pub ssrc: u32,
    /// Share of packets lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Packets lost since the stream began; 24 bits with sign, negative when duplicates outnumber losses.
    pub cumulative_lost: i32,
    /// Highest sequence number received, extended by the count of wraps.
    pub highest_sequence: u32,
    /// Interarrival jitter in the stream's clock units.
    pub jitter: u32,
    /// Middle 32 bits of the last sender report's NTP time; 0 = none received.
    pub last_sr: u32,
    /// Time from receiving that report to sending this one, in 1/65,536 s.
    pub delay_since_last_sr: u32,
}

impl ReportBlock {
    /// Length in bytes.
    pub const LENGTH: usize = 24;

    fn parse(block: &[u8; Self::LENGTH]) -> Self {
        let word = |index: usize| {
            let at = 4 * index;
            u32::from_be_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]])
        };
        Self {
            ssrc: word(0),
            fraction_lost: block[4],
            // Sign extension of the low 24 bits.
            cumulative_lost: ((word(1) << 8) as i32) >> 8,
            highest_sequence: word(2),
            jitter: word(3),
            last_sr: word(4),
            delay_since_last_sr: word(5),
        }
    }

    pub(super) fn emit(&self, out: &mut impl BufMut) {
        let lost = self.cumulative_lost.clamp(-0x80_0000, 0x7f_ffff) as u32 & 0xff_ffff;
        out.put_u32(self.ssrc);
        out.put_u32((u32::from(self.fraction_lost) << 24) | lost);
        out.put_u32(self.highest_sequence);
        out.put_u32(self.jitter);
        out.put_u32(self.last_sr);
        out.put_u32(self.delay_since_last_sr);
    }
}

/// Iterates over the reception reports of a packet, at most 31.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportBlocks<'a>(&'a [u8]);

impl<'a> ReportBlocks<'a> {
    fn parse(count: u8, body: &'a [u8], offset: usize) -> Result<Self, ParseError> {
        slice(body, offset, offset + ReportBlock::LENGTH * usize::from(count)).map(Self)
    }
}

impl Iterator for ReportBlocks<'_> {
    type Item = ReportBlock;

    fn next(&mut self) -> Option<ReportBlock> {
        let (block, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(ReportBlock::parse(block))
    }
}
