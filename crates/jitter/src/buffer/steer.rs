//! Playing one block: start, time stretching towards the target delay, statistics.

use super::JitterBuffer;
use crate::config::samples;
use crate::decoder::Decoder;
use crate::report::Operation;

/// How much of the speech may be stretched, in percent of the time, and how alike neighbouring periods must be for that.
#[derive(Debug, Clone, Copy)]
struct Pace {
    percent: i64,
    like: f32,
}

/// A silence of the line that lasts longer is an outage, and what is at hand was played long ago.
const HELD_BACK_MILLIS: i64 = 300;
/// Packets of waiting for each packet of loss: where losses are many, a gap is no stall.
const LOSSY: f64 = 40.0;
/// Up to 1.5 times as fast, and as slow.
const HURRY: Pace = Pace { percent: 50, like: 0.6 };
/// No two periods are as alike as that: only silence is stretched.
const SILENCE_ONLY: f32 = 2.0;

/// What a delay that is so many times 2.5 ms too great allows.
fn pace(spare: i64) -> Pace {
    match spare {
        48.. => HURRY,
        16.. => Pace {
            percent: 30,
            like: 0.75,
        },
        _ => Pace {
            percent: 15,
            like: 0.88,
        },
    }
}

impl JitterBuffer {
    /// Fills `out` with audio played from `now` on; `block` is the usual length of a block.
    pub(super) fn pull_block(&mut self, now: i64, decoder: &mut dyn Decoder, out: &mut [f32], block: usize) {
        if self.wanted.is_none() {
            self.try_start(now);
        }
        if self.wanted.is_none() && self.sync.pending() == 0 {
            out.fill(0.0);
            return;
        }
        if self.wanted.is_some() {
            while self.sync.pending() < out.len() {
                self.extend(now, decoder);
            }
            self.steer(now, decoder, out.len(), block);
        }
        if self.operation == Operation::Silence {
            self.operation = Operation::Normal;
        }
        self.note_position(now);
        let played = self.sync.play(out);
        if let Some(wanted) = self.wanted {
            let end = wanted.saturating_add(self.filled) - self.sync.pending() as i64;
            self.end_timestamp = self.end_timestamp.max(Some(end));
        }
        // Less is there only when a stream that ended is played out.
        out[played..].fill(0.0);
        self.stats.total_samples_received += played as u64;
    }

    /// Playout starts when the oldest packet has waited for the target delay. Where nobody pulled for a while, what is older than
    /// that, by more than a block, is left out.
    fn try_start(&mut self, now: i64) {
        let start = samples(self.config.start_delay, self.config.sample_rate)
            .max(samples(self.config.min_delay, self.config.sample_rate));
        let (target, base) = (self.target_samples().min(start), self.arrival.base());
        while self
            .queue
            .second()
            .is_some_and(|second| now - second.timestamp - base >= target + self.rate / 100)
        {
            self.queue.pop();
            self.stats.packets_discarded += 1;
        }
        if let Some(front) = self.queue.front()
            && now - front.timestamp - base >= target
        {
            self.wanted = Some(front.timestamp);
        }
    }

    /// Samples that could be spared of those to be played, negative when some are wanting, so that the next packet is needed no
    /// sooner than `delay` after its fastest possible arrival. Playing in blocks, the buffer needs it when less than a block is left:
    /// what counts is the number of whole blocks.
    fn spare(&self, now: i64, block: usize, delay: i64) -> i64 {
        let wait = self.wanted.unwrap_or(0) + self.arrival.base() + delay - now;
        let block = block.max(1) as i64;
        let blocks = wait.div_euclid(block) + i64::from(wait.rem_euclid(block) > 0);
        self.sync.pending() as i64 - blocks * block
    }

    /// Stretches a little when the delay is away from the target, where the sound allows it.
    fn steer(&mut self, now: i64, decoder: &mut dyn Decoder, needed: usize, block: usize) {
        let target = self.target_samples();
        let spare = self.spare(now, block, target);
        let unit = self.rate / 400;
        let stalled = self.line_is_silent(now) && !decoder.in_dtx();
        let awaited = self.awaited(now);
        let pace = if stalled || awaited > 0 {
            HURRY
        } else {
            pace(spare / unit)
        };
        // Earned by playing: the further off, the more of the speech may be stretched.
        self.stretch_credit = (self.stretch_credit + needed as i64 * pace.percent / 100).min(self.rate / 100);
        self.accelerating = !stalled && awaited == 0 && spare >= if self.accelerating { unit } else { 2 * unit };
        if self.filled > 0 || self.join {
            return;
        }
        if self.accelerating {
            let reach = if spare > 24 * unit {
                self.rate / 20
            } else {
                self.rate / 40
            };
            self.decode_ahead(now, decoder, needed + reach.unsigned_abs() as usize);
            let spare = self.spare(now, block, self.target_samples());
            self.accelerate(spare, needed, pace.like);
            return;
        }
        // Whatever the network holds back is played late anyhow: what is at hand is better played slowly than followed by a hole.
        let at_hand = self.sync.pending() as i64 - needed as i64;
        let held_back = if stalled && at_hand < self.unit { 6 * unit } else { 0 };
        let wanting = (-self.spare(now, block, target - unit)).max(awaited).max(held_back);
        if wanting > 0 {
            self.expand(wanting + 3 * unit, pace.like);
        }
    }

    /// Whether packets are overdue by more than a lost one explains, so that the network is likely to hold them back.
    fn line_is_silent(&self, now: i64) -> bool {
        let lossy = (LOSSY * self.loss * self.unit as f64) as i64;
        let gap = now - self.last_arrival;
        gap > 3 * self.unit / 2 + lossy + self.target.spread() && gap < HELD_BACK_MILLIS * self.rate / 1000
    }

    fn accelerate(&mut self, most: i64, keep: usize, like: f32) {
        let like = if self.stretch_credit < 0 { SILENCE_ONLY } else { like };
        if let Some(done) = self.sync.accelerate(most.max(0).unsigned_abs() as usize, keep, like) {
            self.stats.removed_samples_for_acceleration += done.samples as u64;
            self.spend(done.samples, done.speech);
            self.operation = self.operation.max(Operation::Accelerate);
        }
    }

    fn expand(&mut self, most: i64, like: f32) {
        let like = if self.stretch_credit < 0 { SILENCE_ONLY } else { like };
        if let Some(done) = self.sync.expand(most.max(0).unsigned_abs() as usize, like) {
            self.stats.inserted_samples_for_deceleration += done.samples as u64;
            self.spend(done.samples, done.speech);
            self.operation = self.operation.max(Operation::PreemptiveExpand);
        }
    }

    fn spend(&mut self, samples: usize, speech: bool) {
        if speech {
            self.stretch_credit -= samples as i64;
        }
    }

    /// Decodes packets that follow directly, until `enough` samples are there to look for a period in.
    fn decode_ahead(&mut self, now: i64, decoder: &mut dyn Decoder, enough: usize) {
        while self.sync.pending() < enough && self.next_is_there() {
            self.extend(now, decoder);
        }
    }

    fn note_position(&mut self, now: i64) {
        let Some(wanted) = self.wanted else { return };
        let position = wanted - self.sync.pending() as i64;
        self.playout_timestamp = self.playout_timestamp.max(Some(position));
        if self.filled == 0 {
            self.delay = now - position - self.arrival.base();
        }
    }
}
