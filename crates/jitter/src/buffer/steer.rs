//! Playing one block: start, time stretching towards the target delay, statistics.

use super::JitterBuffer;
use crate::decoder::Decoder;
use crate::report::Operation;

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
        // Less is there only when a stream that ended is played out.
        out[played..].fill(0.0);
        self.stats.total_samples_received += played as u64;
    }

    /// Playout starts when the oldest packet has waited for the target delay. Where nobody pulled for a while, what is older than
    /// that is left out.
    fn try_start(&mut self, now: i64) {
        let (target, base) = (self.target_samples(), self.arrival.base());
        while self
            .queue
            .second()
            .is_some_and(|second| now - second.timestamp - base >= target)
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
        // Earned by playing: the further off, the more of the speech may be stretched.
        let percent = match spare {
            _ if spare > 20 * self.rate / 100 => 40,
            _ if spare > 4 * self.rate / 100 => 30,
            _ => 15,
        };
        self.stretch_credit = (self.stretch_credit + needed as i64 * percent / 100).min(self.rate / 100);
        self.accelerating = spare >= if self.accelerating { unit } else { 3 * unit };
        if self.filled > 0 || self.join || self.stretch_credit < 0 {
            return;
        }
        if self.accelerating {
            self.decode_ahead(now, decoder, needed + (self.rate / 40) as usize);
            let spare = self.spare(now, block, self.target_samples());
            self.accelerate(spare, needed);
            return;
        }
        let wanting = -self.spare(now, block, target - unit);
        if wanting > 0
            && let Some(done) = self.sync.expand((wanting + 3 * unit).unsigned_abs() as usize)
        {
            self.stats.inserted_samples_for_deceleration += done.samples as u64;
            self.spend(done.samples, done.speech);
            self.operation = self.operation.max(Operation::PreemptiveExpand);
        }
    }

    fn accelerate(&mut self, most: i64, keep: usize) {
        if let Some(done) = self.sync.accelerate(most.max(0).unsigned_abs() as usize, keep) {
            self.stats.removed_samples_for_acceleration += done.samples as u64;
            self.spend(done.samples, done.speech);
            self.operation = self.operation.max(Operation::Accelerate);
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
