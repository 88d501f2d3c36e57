//! Arrivals of packets with a transport-wide number, until they are told
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::wire::TransportWideFeedback;

/// From the first packet that is not told yet to the message that tells it.
const INTERVAL: Duration = Duration::from_millis(100);
/// Arrivals that wait to be told at most: more than an interval holds; then the oldest is left out.
const MAX_WAITING: usize = 512;
/// Numbers that one message spans at most. A larger gap is a new beginning, not a loss to be told packet by packet.
const MAX_SPAN: u64 = 1000;
/// Where the 64-bit numbers begin, so that packets from before the first have numbers too.
const ORIGIN: u64 = 1 << 32;

/// What arrived and was not told yet.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    /// Number (without wraps) and time, in the order of the numbers.
    waiting: VecDeque<(u64, Instant)>,
    /// The number after the last one told of.
    next: Option<u64>,
    newest: Option<u64>,
    due: Option<Instant>,
    count: u8,
}

impl Arrivals {
    /// Notes the arrival of a packet. One that was told of before, as lost, stays so.
    pub(super) fn note(&mut self, number: u16, now: Instant) {
        let newest = *self.newest.get_or_insert(ORIGIN + u64::from(number));
        let number = newest.saturating_add_signed(i64::from(number.wrapping_sub(newest as u16) as i16));
        if self.next.is_some_and(|next| number < next) {
            return;
        }
        self.newest = Some(newest.max(number));
        let at = self.waiting.partition_point(|(other, _)| *other < number);
        if self.waiting.get(at).is_some_and(|(other, _)| *other == number) {
            return;
        }
        self.waiting.insert(at, (number, now));
        if self.waiting.len() > MAX_WAITING {
            self.waiting.pop_front();
        }
        self.due.get_or_insert(now + INTERVAL);
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// The message that is due; times are told from `origin`.
    pub(super) fn take(&mut self, origin: Instant, now: Instant) -> Option<TransportWideFeedback> {
        if self.due.is_none_or(|due| now < due) {
            return None;
        }
        let &(first, first_arrival) = self.waiting.front()?;
        let base = self.next.filter(|next| first - next <= MAX_SPAN).unwrap_or(first);
        let steps =
            |at: Instant| at.saturating_duration_since(origin).as_micros() as i64 / TransportWideFeedback::STEP_MICROS;
        let reference = steps(first_arrival) / TransportWideFeedback::REFERENCE_STEPS;
        let mut before = reference * TransportWideFeedback::REFERENCE_STEPS;
        let mut arrivals = Vec::new();
        while let Some(&(number, at)) = self.waiting.front() {
            let index = (number - base) as usize;
            let Ok(delta) = i16::try_from(steps(at) - before) else {
                break;
            };
            if number - base > MAX_SPAN {
                break;
            }
            arrivals.resize(index, None);
            arrivals.push(Some(delta));
            before = steps(at);
            self.waiting.pop_front();
        }
        // What did not fit is told by a further message at once.
        self.due = self.waiting.front().map(|_| now);
        self.next = Some(base + arrivals.len() as u64);
        self.count = self.count.wrapping_add(1);
        Some(TransportWideFeedback {
            base: base as u16,
            // Twenty-four bits that wrap.
            reference_time: (reference as i32) << 8 >> 8,
            count: self.count.wrapping_sub(1),
            arrivals,
        })
    }
}

#[cfg(test)]
mod tests;
