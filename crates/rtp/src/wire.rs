//! RTP and RTCP on the wire: borrowed views that parse without copying, and writers.
//!
//! Parsing never allocates and never panics; whatever is wrong with a datagram is one of [`ParseError`]. A view borrows
//! from the datagram, so it costs nothing to hold and cannot outlive it.

mod audio_level;
mod compound;
mod error;
mod extended_report;
mod extension;
mod feedback;
mod goodbye;
pub(crate) mod ntp;
mod red;
mod report;
mod rtp_header;
mod rtp_packet;
mod source_description;
mod transport_wide;
mod writer;

#[cfg(test)]
mod tests;

pub use audio_level::AudioLevel;
pub use compound::{Compound, RtcpPacket, RtcpPackets};
pub use error::{EmitError, ParseError};
pub use extended_report::{DlrrReport, DlrrReports, ExtendedReport, XrBlock, XrBlocks};
pub use extension::{Extension, Extensions, HeaderExtension};
pub use feedback::{Feedback, Nacks};
pub use goodbye::Goodbye;
pub use ntp::NtpTime;
pub use red::{RedBlock, RedBlocks, RedPayload, emit_red};
pub use report::{ReceiverReport, ReportBlock, ReportBlocks, SenderInfo, SenderReport};
pub use rtp_header::RtpHeader;
pub use rtp_packet::{RtpPacket, Words};
pub use source_description::{SdesItem, SdesItems, SourceDescription};
pub use transport_wide::TransportWideFeedback;
pub use writer::CompoundWriter;

/// The version of RTP and RTCP, the two top bits of every packet (RFC 3550 §5.1).
pub const VERSION: u8 = 2;

/// RTCP packet types (RFC 3550 §12.1, RFC 4585 §6.1, RFC 3611 §2).
pub mod packet_type {
    /// Sender report.
    pub const SENDER_REPORT: u8 = 200;
    /// Receiver report.
    pub const RECEIVER_REPORT: u8 = 201;
    /// Source description.
    pub const SOURCE_DESCRIPTION: u8 = 202;
    /// Goodbye.
    pub const GOODBYE: u8 = 203;
    /// Transport layer feedback.
    pub const TRANSPORT_FEEDBACK: u8 = 205;
    /// Payload-specific feedback.
    pub const PAYLOAD_FEEDBACK: u8 = 206;
    /// Extended report.
    pub const EXTENDED_REPORT: u8 = 207;
}

/// What a datagram on a multiplexed port is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A media packet.
    Rtp,
    /// A control packet.
    Rtcp,
}

/// Tells RTP from RTCP where both share a port; `None` when the datagram is neither.
///
/// The first byte must be in 128..=191 (RFC 7983 §7: version 2); then a second byte of 192..=223 means RTCP, so RTP
/// must not use the payload types 64..=95 (RFC 5761 §4).
#[must_use]
pub fn demultiplex(datagram: &[u8]) -> Option<Kind> {
    let [128..=191, second, ..] = datagram else { return None };
    match second {
        192..=223 => Some(Kind::Rtcp),
        _ => Some(Kind::Rtp),
    }
}
