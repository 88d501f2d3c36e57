use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::wire::NtpTime;

/// Turns instants into NTP time and media clock units, from a fixed start.
#[derive(Clone, Copy, Debug)]
pub(super) struct MediaClock {
    start: Instant,
    epoch: Duration,
    rate: u32,
}

impl MediaClock {
    pub(super) fn new(start: Instant, epoch: Duration, rate: u32) -> Self {
        Self { start, epoch, rate }
    }

    /// The instant that everything is counted from.
    pub(super) fn origin(&self) -> Instant {
        self.start
    }

    /// NTP time of `now`.
    pub(super) fn ntp(&self, now: Instant) -> NtpTime {
        NtpTime::from_duration(self.epoch.saturating_add(now.saturating_duration_since(self.start)))
    }

    /// Clock units from the start to `now`.
    pub(super) fn units(&self, now: Instant) -> u64 {
        self.duration_units(now.saturating_duration_since(self.start))
    }

    /// Clock units in a duration.
    pub(super) fn duration_units(&self, duration: Duration) -> u64 {
        (duration.as_nanos() * u128::from(self.rate) / 1_000_000_000) as u64
    }

    /// The seconds that clock units last.
    pub(super) fn seconds(&self, units: u32) -> f64 {
        f64::from(units) / f64::from(self.rate)
    }
}

/// When the last few reports were sent, found again by the NTP middle that the peer echoes.
///
/// Only an echo of what was really sent gives a round trip, measured on our own clock; a made-up one gives none.
#[derive(Clone, Debug, Default)]
pub(super) struct SentTimes(VecDeque<(u32, Instant)>);

impl SentTimes {
    /// Reports remembered; at one a second an echo comes back within the first few.
    const CAPACITY: usize = 16;

    pub(super) fn record(&mut self, ntp: NtpTime, now: Instant) {
        if self.0.len() == Self::CAPACITY {
            self.0.pop_front();
        }
        self.0.push_back((ntp.middle(), now));
    }

    /// Round trip from an echoed NTP middle and the time that the peer held it; `None` when either is impossible.
    pub(super) fn round_trip(&self, middle: u32, held: Duration, now: Instant) -> Option<Duration> {
        let (_, sent) = self.0.iter().rev().find(|(sent, _)| *sent == middle)?;
        let elapsed = now.saturating_duration_since(*sent);
        // The peer rounds its hold time down to 1/65,536 s, and on an ideal link elapsed equals it.
        elapsed.checked_sub(held)
    }
}
