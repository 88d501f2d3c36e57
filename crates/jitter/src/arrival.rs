//! Relative arrival delay: how much later than the fastest packet of the last two seconds each packet came.

use std::collections::VecDeque;

/// Sliding minimum of transit time (arrival minus timestamp), in samples.
///
/// Only differences matter, so the two clocks need no common origin; and because the minimum is taken over two seconds, a drift
/// between them (1000 ppm is 2 ms in that time) cancels by itself.
#[derive(Debug)]
pub(crate) struct Arrival {
    /// (arrival, transit), both ascending from front to back: the front is the minimum of the window.
    window: VecDeque<(i64, i64)>,
    span: i64,
}

/// Bound of the window; a flood beyond it forgets the oldest.
const CAPACITY: usize = 1024;

impl Arrival {
    pub(crate) fn new(rate: u32) -> Self {
        Self {
            window: VecDeque::with_capacity(CAPACITY + 1),
            span: 2 * i64::from(rate),
        }
    }

    /// Notes a packet and returns its relative delay in samples, never negative.
    pub(crate) fn insert(&mut self, arrival: i64, timestamp: i64) -> i64 {
        let transit = arrival.saturating_sub(timestamp);
        while self
            .window
            .front()
            .is_some_and(|&(at, _)| arrival.saturating_sub(at) > self.span)
        {
            self.window.pop_front();
        }
        while self.window.back().is_some_and(|&(_, other)| other >= transit) {
            self.window.pop_back();
        }
        if self.window.len() >= CAPACITY {
            self.window.pop_front();
        }
        self.window.push_back((arrival, transit));
        transit.saturating_sub(self.base())
    }

    /// The smallest transit of the window, 0 before the first packet.
    pub(crate) fn base(&self) -> i64 {
        self.window.front().map_or(0, |&(_, transit)| transit)
    }

    pub(crate) fn clear(&mut self) {
        self.window.clear();
    }
}

#[cfg(test)]
mod tests;
