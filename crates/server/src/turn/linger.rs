//! Waiting for company: when payloads are many, a moment's wait lets the thread take several of them at once.

use std::time::{Duration, Instant};

/// How long the thread waits. A call has a packet each 20 ms and a jitter buffer of more than that.
const MOMENT: Duration = Duration::from_micros(250);
/// Over which time payloads are counted.
const WINDOW: Duration = Duration::from_millis(10);
/// With fewer in that time a moment would mostly bring none: waiting costs as much as it saves.
const MANY: usize = 40;
/// Who takes so many at once is busy enough without waiting.
const BUSY: usize = 64;

/// Decides whether to wait.
#[derive(Debug)]
pub(super) struct Linger {
    since: Instant,
    count: usize,
    many: bool,
}

impl Linger {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            since: now,
            count: 0,
            many: false,
        }
    }

    /// How long to wait after a turn that took this many payloads.
    pub(super) fn after(&mut self, payloads: usize, now: Instant) -> Option<Duration> {
        self.count += payloads;
        let elapsed = now.saturating_duration_since(self.since);
        if elapsed >= WINDOW {
            // A pause that is longer than a window had few in each.
            self.many = self.count >= MANY && elapsed < 2 * WINDOW;
            (self.since, self.count) = (now, 0);
        }
        (self.many && (1..BUSY).contains(&payloads)).then_some(MOMENT)
    }
}

#[cfg(test)]
mod tests;
