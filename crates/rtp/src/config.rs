use std::time::Duration;

use crate::Formats;

/// The RTP clock of Opus, in Hz, whatever the audio bandwidth (RFC 7587 §4.1).
pub const OPUS_CLOCK_RATE: u32 = 48_000;

/// What a [`Session`](crate::Session) is told once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Own synchronisation source, as signalled; a collision replaces it (RFC 3550 §8.2).
    pub ssrc: u32,
    /// Payload types and header extensions; [`Session::set_formats`](crate::Session::set_formats) changes them.
    pub formats: Formats,
    /// RTP clock in Hz, for both directions; 0 is taken as 1.
    pub clock_rate: u32,
    /// Canonical name sent in source descriptions; at most 255 bytes of it.
    pub cname: String,
    /// Mean time between reports. Each interval is drawn from 0.5 to 1.5 times this; the first four are a quarter of
    /// it, so that loss and round trip are known early. At least 10 ms.
    pub rtcp_interval: Duration,
    /// Whether datagrams without a leading report are agreed on, both ways (RFC 5506).
    pub reduced_size: bool,
    /// Whether extended reports measure the round trip while nothing is sent (RFC 3611 §4.4, §4.5).
    pub extended_reports: bool,
    /// NTP time of the `now` given to the constructor, counted from 1900. `None`: elapsed time from a seeded start,
    /// which RFC 3550 §6.4.1 allows where there is no wall clock.
    pub ntp_epoch: Option<Duration>,
}

impl Config {
    /// Opus in both directions on payload type 111, a report about each second, extended reports and reduced size on.
    #[must_use]
    pub fn new(ssrc: u32, cname: impl Into<String>) -> Self {
        Self {
            ssrc,
            formats: Formats::default(),
            clock_rate: OPUS_CLOCK_RATE,
            cname: cname.into(),
            rtcp_interval: Duration::from_secs(1),
            reduced_size: true,
            extended_reports: true,
            ntp_epoch: None,
        }
    }
}
