//! Which missing packets are worth asking for, and waiting for an answer.

use std::time::{Duration, Instant};

use super::JitterBuffer;
use crate::config::{duration, samples};

/// A missing packet that would still be played if it came by the deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// Extended sequence number, as in [`Packet`](crate::Packet).
    pub sequence: u64,
    /// When its first sample is to be played. Playout is slowed down, where the sound allows it, for what was announced by
    /// [`JitterBuffer::expect`], so a little later may do as well.
    pub deadline: Instant,
}

/// Packets asked for: (sequence, sample time of the answer). Old ones make room.
#[derive(Debug)]
pub(super) struct Expected {
    entries: [(u64, i64); EXPECTED],
    next: usize,
}

/// Time of an entry not in use.
const NEVER: i64 = i64::MIN;
/// Answers awaited at most; at 20 ms a packet, more than a second of audio.
const EXPECTED: usize = 64;
/// Gaps looked through at most in one call.
const MAX_WISHES: u64 = 64;
/// An answer this much too late is still waited for by stretching.
const ELASTIC_MILLIS: i64 = 40;

impl Default for Expected {
    fn default() -> Self {
        Self {
            entries: [(0, NEVER); EXPECTED],
            next: 0,
        }
    }
}

impl Expected {
    fn insert(&mut self, sequence: u64, until: i64) {
        if let Some(entry) = self
            .entries
            .iter_mut()
            .find(|entry| entry.0 == sequence && entry.1 != NEVER)
        {
            entry.1 = until;
            return;
        }
        self.entries[self.next] = (sequence, until);
        self.next = (self.next + 1) % EXPECTED;
    }

    fn until(&self, sequence: u64) -> Option<i64> {
        self.entries
            .iter()
            .find(|entry| entry.0 == sequence && entry.1 != NEVER)
            .map(|entry| entry.1)
    }
}

impl JitterBuffer {
    /// The packets that are missing between those received and would come in time if they were asked for at `now` and took
    /// `round_trip` to come, the most urgent first. Announce those that were asked for by [`expect`](Self::expect); they are
    /// not named again until their answer is overdue.
    pub fn wishes(&self, now: Instant, round_trip: Duration) -> impl Iterator<Item = Wish> + '_ {
        let rate = self.config.sample_rate;
        let at = self
            .origin
            .map_or(0, |origin| samples(now.saturating_duration_since(origin), rate));
        let round_trip = samples(round_trip, rate);
        let grace = ELASTIC_MILLIS * self.rate / 1000;
        // What is needed next, and when.
        let known = self.last_sequence.zip(self.wanted);
        let mut previous = known.unwrap_or((u64::MAX, 0));
        let needed = at + self.sync.pending() as i64;
        let unit = self.unit;
        let start = previous.1;
        let gaps = self
            .queue
            .iter()
            .filter(move |_| known.is_some())
            .filter_map(move |waiting| {
                let (sequence, timestamp) = previous;
                previous = (waiting.sequence, waiting.timestamp + unit);
                let missing = waiting.sequence.wrapping_sub(sequence).wrapping_sub(1);
                // A gap in the numbers that is none in time was filled, or is nonsense.
                let fits = (1..=MAX_WISHES).contains(&missing) && waiting.timestamp - timestamp >= unit / 2;
                fits.then_some((sequence, timestamp, missing))
            });
        gaps.flat_map(move |(sequence, timestamp, missing)| {
            (0..missing).map(move |n| (sequence.wrapping_add(1 + n), timestamp + n as i64 * unit))
        })
        .filter_map(move |(sequence, timestamp)| {
            let due = needed + timestamp - start;
            let asked = self
                .expected
                .until(sequence)
                .is_some_and(|until| until.saturating_add(grace) >= at);
            (!asked && due + grace >= at + round_trip).then(|| Wish {
                sequence,
                deadline: now + duration(due - at, rate),
            })
        })
        .take(MAX_WISHES as usize)
    }

    /// Tells that a packet was asked for and is likely to arrive by `until`. If it becomes due before, playout is slowed down a little
    /// where the sound allows it.
    pub fn expect(&mut self, sequence: u64, until: Instant) {
        let until = self.origin.map_or(0, |origin| {
            samples(until.saturating_duration_since(origin), self.config.sample_rate)
        });
        self.expected.insert(sequence, until);
    }

    /// Samples by which a packet on its way comes too late for its turn, none when that is hopeless.
    pub(super) fn awaited(&self, now: i64) -> i64 {
        let Some(last) = self.last_sequence else { return 0 };
        let needed = now + self.sync.pending() as i64;
        let grace = ELASTIC_MILLIS * self.rate / 1000;
        let mut most = 0;
        for &(sequence, until) in self.expected.entries.iter().filter(|entry| entry.1 > now) {
            let before = sequence.wrapping_sub(last).wrapping_sub(1);
            if before >= MAX_WISHES || self.queue.iter().any(|waiting| waiting.sequence == sequence) {
                continue;
            }
            let late = until - needed - before as i64 * self.unit;
            if late <= grace {
                most = most.max(late);
            }
        }
        most
    }
}
