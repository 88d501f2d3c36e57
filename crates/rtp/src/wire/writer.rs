use bytes::{BufMut, Bytes, BytesMut};

use super::{
    DlrrReport, ExtendedReport, Feedback, NtpTime, ReportBlock, SdesItem, SenderInfo, TransportWideFeedback, VERSION,
    packet_type as pt,
};

/// Writes an RTCP datagram packet by packet.
///
/// The order is the caller's: a compound datagram starts with a report and carries a CNAME (RFC 3550 §6.1), a
/// reduced-size one need not (RFC 5506).
#[derive(Clone, Debug, Default)]
pub struct CompoundWriter {
    out: BytesMut,
}

impl CompoundWriter {
    /// An empty datagram.
    #[must_use]
    pub fn new() -> Self {
        Self {
            out: BytesMut::with_capacity(160),
        }
    }

    /// Appends a sender report (RFC 3550 §6.4.1); of `blocks`, the first 31 are written.
    pub fn sender_report(&mut self, ssrc: u32, info: &SenderInfo, blocks: &[ReportBlock]) -> &mut Self {
        let blocks = &blocks[..blocks.len().min(31)];
        self.packet(pt::SENDER_REPORT, blocks.len(), |out| {
            out.put_u32(ssrc);
            out.put_u64(info.ntp.0);
            out.put_u32(info.rtp_timestamp);
            out.put_u32(info.packet_count);
            out.put_u32(info.octet_count);
            blocks.iter().for_each(|block| block.emit(out));
        })
    }

    /// Appends a receiver report (RFC 3550 §6.4.2); of `blocks`, the first 31 are written.
    pub fn receiver_report(&mut self, ssrc: u32, blocks: &[ReportBlock]) -> &mut Self {
        let blocks = &blocks[..blocks.len().min(31)];
        self.packet(pt::RECEIVER_REPORT, blocks.len(), |out| {
            out.put_u32(ssrc);
            blocks.iter().for_each(|block| block.emit(out));
        })
    }

    /// Appends a source description with one chunk of one CNAME (RFC 3550 §6.5.1), cut to 255 bytes.
    pub fn cname(&mut self, ssrc: u32, cname: &str) -> &mut Self {
        let text = cut(cname);
        self.packet(pt::SOURCE_DESCRIPTION, 1, |out| {
            out.put_u32(ssrc);
            out.put_u8(SdesItem::CNAME);
            out.put_u8(text.len() as u8);
            out.put_slice(text);
            // RFC 3550 §6.5: one to four zero bytes end the chunk on a word.
            out.put_bytes(0, 4 - (2 + text.len()) % 4);
        })
    }

    /// Appends a goodbye (RFC 3550 §6.6) of the first 31 of `sources`; an empty reason is left out, a long one cut to
    /// 255 bytes.
    pub fn goodbye(&mut self, sources: &[u32], reason: &str) -> &mut Self {
        let sources = &sources[..sources.len().min(31)];
        let text = cut(reason);
        self.packet(pt::GOODBYE, sources.len(), |out| {
            sources.iter().for_each(|source| out.put_u32(*source));
            if !text.is_empty() {
                out.put_u8(text.len() as u8);
                out.put_slice(text);
                out.put_bytes(0, (1 + text.len()).next_multiple_of(4) - (1 + text.len()));
            }
        })
    }

    /// Appends a generic NACK (RFC 4585 §6.2.1) of the sequence numbers given in ascending order (wrapping allowed); of them, the
    /// first 1,024 are written.
    pub fn generic_nack(&mut self, sender_ssrc: u32, media_ssrc: u32, sequence_numbers: &[u16]) -> &mut Self {
        self.packet(pt::TRANSPORT_FEEDBACK, usize::from(Feedback::GENERIC_NACK), |out| {
            out.put_u32(sender_ssrc);
            out.put_u32(media_ssrc);
            let mut rest = &sequence_numbers[..sequence_numbers.len().min(1024)];
            while let Some((&packet_id, later)) = rest.split_first() {
                let following = later
                    .iter()
                    .take_while(|n| (1..=16).contains(&n.wrapping_sub(packet_id)));
                let (mask, taken) = following.fold((0u16, 0), |(mask, taken), n| {
                    (mask | 1 << (n.wrapping_sub(packet_id) - 1), taken + 1)
                });
                out.put_u16(packet_id);
                out.put_u16(mask);
                rest = &later[taken..];
            }
        })
    }

    /// Appends transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
    pub fn transport_wide(&mut self, sender_ssrc: u32, media_ssrc: u32, feedback: &TransportWideFeedback) -> &mut Self {
        self.packet(pt::TRANSPORT_FEEDBACK, usize::from(Feedback::TRANSPORT_WIDE), |out| {
            out.put_u32(sender_ssrc);
            out.put_u32(media_ssrc);
            feedback.emit(out);
        })
    }

    /// Appends an extended report with a receiver reference time (RFC 3611 §4.4).
    pub fn receiver_reference_time(&mut self, ssrc: u32, ntp: NtpTime) -> &mut Self {
        self.packet(pt::EXTENDED_REPORT, 0, |out| {
            out.put_u32(ssrc);
            out.put_slice(&[ExtendedReport::RECEIVER_REFERENCE_TIME, 0, 0, 2]);
            out.put_u64(ntp.0);
        })
    }

    /// Appends an extended report that answers receiver reference times (RFC 3611 §4.5); at most 31 answers.
    pub fn delay_since_last_rr(&mut self, ssrc: u32, answers: &[DlrrReport]) -> &mut Self {
        let answers = &answers[..answers.len().min(31)];
        self.packet(pt::EXTENDED_REPORT, 0, |out| {
            out.put_u32(ssrc);
            out.put_slice(&[ExtendedReport::DELAY_SINCE_LAST_RR, 0, 0, 3 * answers.len() as u8]);
            for answer in answers {
                out.put_u32(answer.ssrc);
                out.put_u32(answer.last_rr);
                out.put_u32(answer.delay_since_last_rr);
            }
        })
    }

    /// The datagram; the writer is empty again.
    #[must_use]
    pub fn finish(&mut self) -> Bytes {
        self.out.split().freeze()
    }

    fn packet(&mut self, packet_type: u8, count: usize, body: impl FnOnce(&mut BytesMut)) -> &mut Self {
        let start = self.out.len();
        self.out.put_slice(&[(VERSION << 6) | count as u8, packet_type, 0, 0]);
        body(&mut self.out);
        let words = (self.out.len() - start) / 4 - 1;
        self.out[start + 2..start + 4].copy_from_slice(&(words as u16).to_be_bytes());
        self
    }
}

/// At most 255 bytes of `text`, cut between characters.
fn cut(text: &str) -> &[u8] {
    &text.as_bytes()[..text.floor_char_boundary(255)]
}
