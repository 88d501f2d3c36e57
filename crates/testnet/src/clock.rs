//! Virtual time.

use std::time::{Duration, Instant};

/// A clock that only moves when it is told to.
///
/// `Instant` cannot be made from nothing, so one real instant is taken at the start; everything after that is
/// arithmetic, and [`elapsed`](Self::elapsed), not the instant, is what traces and hashes hold.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    now: Instant,
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock {
    /// A clock at its start.
    #[must_use]
    pub fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one base instant of virtual time")]
        let start = Instant::now();
        Self { start, now: start }
    }

    /// The current virtual time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// When the clock started.
    #[must_use]
    pub fn start(&self) -> Instant {
        self.start
    }

    /// Virtual time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    /// Moves to `instant`; an instant in the past leaves the clock as it is: time never goes back.
    pub fn advance_to(&mut self, instant: Instant) {
        self.now = self.now.max(instant);
    }

    /// Moves on by `duration`.
    pub fn advance(&mut self, duration: Duration) {
        self.now += duration;
    }
}
