use super::error::{ParseError, array, slice};
use super::{
    ExtendedReport, Feedback, Goodbye, ReceiverReport, SenderReport, SourceDescription, VERSION, packet_type as pt,
};

/// A borrowed view of an RTCP datagram: one or more packets whose framing has been checked (RFC 3550 §6.1, A.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compound<'a> {
    datagram: &'a [u8],
}

impl<'a> Compound<'a> {
    /// Checks versions, lengths and padding of every packet in the datagram; their contents are read by
    /// [`packets`](Self::packets). Reduced-size datagrams (RFC 5506) pass: see [`is_reduced_size`](Self::is_reduced_size).
    ///
    /// # Errors
    /// [`ParseError`] when the packets do not exactly fill the datagram, one has a version other than 2, or padding is
    /// set on any but the last.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, ParseError> {
        let mut rest = datagram;
        loop {
            let [first, _, high, low] = array(rest, 0)?;
            if first >> 6 != VERSION {
                return Err(ParseError::Version(first >> 6));
            }
            // RFC 3550 §6.4.1: length in words minus one.
            let end = 4 * (usize::from(u16::from_be_bytes([high, low])) + 1);
            let packet = slice(rest, 0, end)?;
            rest = &rest[end..];
            if first & 0x20 != 0 {
                // RFC 3550 §6.4.1: only on the last packet, a multiple of four, its count in the last byte.
                let count = packet.last().copied().unwrap_or(0);
                if !rest.is_empty() || count == 0 || count % 4 != 0 || usize::from(count) > packet.len() - 4 {
                    return Err(ParseError::Padding(count));
                }
            }
            match rest.len() {
                0 => return Ok(Self { datagram }),
                1..=3 => return Err(ParseError::Trailing(rest.len())),
                _ => {}
            }
        }
    }

    /// Whether the first packet is no report, which RFC 3550 A.2 forbids and RFC 5506 §3.4.1 allows by agreement.
    #[must_use]
    pub fn is_reduced_size(&self) -> bool {
        !matches!(self.datagram.get(1), Some(&(pt::SENDER_REPORT | pt::RECEIVER_REPORT)))
    }

    /// The packets in order; each is `Err` when its own content is broken, which does not end the iteration.
    #[must_use]
    pub fn packets(&self) -> RtcpPackets<'a> {
        RtcpPackets { rest: self.datagram }
    }
}

/// One packet of an RTCP datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RtcpPacket<'a> {
    /// A sender report.
    SenderReport(SenderReport<'a>),
    /// A receiver report.
    ReceiverReport(ReceiverReport<'a>),
    /// A source description.
    SourceDescription(SourceDescription<'a>),
    /// A goodbye.
    Goodbye(Goodbye<'a>),
    /// Transport layer feedback.
    TransportFeedback(Feedback<'a>),
    /// Payload-specific feedback.
    PayloadFeedback(Feedback<'a>),
    /// An extended report.
    ExtendedReport(ExtendedReport<'a>),
    /// A packet of a type that is not read here.
    Unknown {
        /// Its type.
        packet_type: u8,
        /// The five bits that count something or tell a format.
        count: u8,
        /// Its content without the header and padding.
        body: &'a [u8],
    },
}

/// Iterates over the packets of a [`Compound`].
#[derive(Clone, Copy, Debug)]
pub struct RtcpPackets<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for RtcpPackets<'a> {
    type Item = Result<RtcpPacket<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        let [first, packet_type, high, low] = array(self.rest, 0).ok()?;
        let (packet, rest) = self
            .rest
            .split_at_checked(4 * (usize::from(u16::from_be_bytes([high, low])) + 1))?;
        self.rest = rest;
        let padding = if first & 0x20 == 0 {
            0
        } else {
            usize::from(packet.last().copied()?)
        };
        let body = packet.get(4..packet.len().checked_sub(padding)?)?;
        let count = first & 0x1f;
        Some(match packet_type {
            pt::SENDER_REPORT => SenderReport::parse(count, body).map(RtcpPacket::SenderReport),
            pt::RECEIVER_REPORT => ReceiverReport::parse(count, body).map(RtcpPacket::ReceiverReport),
            pt::SOURCE_DESCRIPTION => SourceDescription::parse(count, body).map(RtcpPacket::SourceDescription),
            pt::GOODBYE => Goodbye::parse(count, body).map(RtcpPacket::Goodbye),
            pt::TRANSPORT_FEEDBACK => Feedback::parse(count, body).map(RtcpPacket::TransportFeedback),
            pt::PAYLOAD_FEEDBACK => Feedback::parse(count, body).map(RtcpPacket::PayloadFeedback),
            pt::EXTENDED_REPORT => ExtendedReport::parse(body).map(RtcpPacket::ExtendedReport),
            _ => Ok(RtcpPacket::Unknown {
                packet_type,
                count,
                body,
            }),
        })
    }
}
