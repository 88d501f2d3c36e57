use std::time::{Duration, Instant};

use bytes::Bytes;

/// What a [`Session`](crate::Session) wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Protect this as RTP and send it.
    Rtp(Bytes),
    /// Protect this as RTCP and send it.
    Rtcp(Bytes),
    /// Something to know.
    Event(Event),
}

/// Something that the peer did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A media packet of the current source: new, of a wanted payload type, neither padding nor duplicate.
    Packet(ReceivedPacket),
    /// The source of the packets that follow: the first one, another SSRC, or the same one after a restart of its
    /// numbering. Buffered audio of before does not join up with what follows.
    SourceChanged {
        /// The source from here on.
        ssrc: u32,
    },
    /// The peer told how it receives us.
    Report(RemoteReport),
    /// The peer asks for these packets again, by extended sequence number; at most [`MAX_NACKS`](crate::MAX_NACKS).
    Nack(Vec<u64>),
    /// The peer's stream ends: it leaves, or it only takes its track away, which is what a goodbye of a browser means. A
    /// repetition with the same reason is not told again before another source begins.
    Bye {
        /// Its reason, ≤ 255 bytes, invalid UTF-8 replaced; empty when it gave none.
        reason: String,
    },
}

/// A media packet with its wrapping fields extended to 64 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedPacket {
    /// Sequence number; never wraps, and goes on upwards over a change of source. The low 16 bits are those of the packet.
    pub sequence: u64,
    /// Timestamp in clock units; never wraps, and goes on upwards over a change of source. The low 32 bits are those
    /// of the packet.
    pub timestamp: u64,
    /// Its source.
    pub ssrc: u32,
    /// The marker bit: first packet after silence.
    pub marker: bool,
    /// Payload type.
    pub payload_type: u8,
    /// Payload without padding; shares memory with the datagram.
    pub payload: Bytes,
    /// When it arrived.
    pub arrival: Instant,
    /// A copy of a packet that has not arrived, out of a later one (RFC 2198).
    pub redundant: bool,
}

/// How the peer receives us, from one of its reports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RemoteReport {
    /// Share of our packets lost since its previous report, 0.0..=1.0 in steps of 1/256.
    pub fraction_lost: f32,
    /// Our packets lost since we began; negative when duplicates outnumber losses.
    pub packets_lost: i64,
    /// Round trip on the media path, when this report allowed to measure one.
    pub round_trip_time: Option<Duration>,
    /// Interarrival jitter of our packets at the peer.
    pub jitter: Duration,
}

impl Eq for RemoteReport {}
