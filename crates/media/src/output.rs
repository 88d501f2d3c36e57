use std::time::Duration;

use bytes::Bytes;
pub use duologue_jitter::Operation;

/// What a [`Media`](crate::Media) wants done.
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
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The first valid Opus packet of the peer arrived: it speaks. Once.
    FirstPacket,
    /// The peer told how it receives us.
    Report {
        /// Share of our packets lost since its previous report, 0.0..=1.0.
        fraction_lost: f32,
        /// Round trip on the media path, when this report allowed to measure one.
        round_trip_time: Option<Duration>,
        /// Interarrival jitter of our packets at the peer.
        jitter: Duration,
    },
    /// The peer leaves, or a browser took its track away (RTCP BYE): the reason tells.
    Bye {
        /// Its reason, ≤ 255 bytes, invalid UTF-8 replaced; empty when it gave none.
        reason: String,
    },
}

impl Eq for Event {}

/// What one [`pull_playout`](crate::Media::pull_playout) gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Playout {
    /// Level of the peer, 0..=100 (see [`level`](crate::level())), averaged over about 100 ms.
    pub level: u8,
    /// What the audio mainly is; of several, the one furthest down the list of [`Operation`].
    pub operation: Operation,
    /// Extended RTP timestamp at which playout stands, in samples; 0 before the first packet.
    pub playout_timestamp: u64,
    /// Whether the decoder had to conceal in this pull: the expensive case that
    /// [`report_pull_time`](crate::Media::report_pull_time) is about.
    pub concealed: bool,
}
