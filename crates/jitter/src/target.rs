//! The delay to aim at, learnt from the relative delays of packets.

use std::time::Duration;

/// 2.5 ms per bucket.
const BUCKETS_PER_SECOND: i64 = 400;
/// Two seconds; what comes later counts as this late.
const BUCKETS: usize = 800;
/// Buckets in a block of 10 ms.
const BLOCK: usize = 4;
/// The target never goes below so many buckets: clocks drift by 2 ms in the time over which the fastest packet is remembered.
const LEAST: i64 = 2;
/// Time after which a delay has lost 63 % of its weight.
const MEMORY_SECONDS: f64 = 28.0;
/// A delay beyond this many times the median is a stall, not jitter.
const STALL_RATIO: usize = 6;
/// ... if it is also beyond this many buckets (60 ms).
const STALL_FLOOR: usize = 24;
/// What audio in a long hole is worth more than in a short one.
const BURST: f64 = 3.5;
/// How much more each stall remembered counts.
const RECURRENCE: f64 = 0.9;
/// Stalls with fewer seconds between them are one.
const STALL_APART: f64 = 0.5;
/// Packets that must all be late before that counts at once (160 ms).
const RECENT: usize = 8;
/// The target falls by one bucket at most this often.
const FALL_SECONDS: f64 = 0.05;
/// How often the best delay is looked for when nothing calls for more.
const LOOK_SECONDS: f64 = 0.1;
/// One way from mouth to ear, in seconds, from which on delay weighs more: by the E-model (ITU-T G.107, in the planning form of Cole
/// and Rosenbluth) 0.024 points of R per ms below, 0.134 above.
const KNEE_SECONDS: f64 = 0.1773;
const STEEP: f64 = 0.134 / 0.024;
/// The scale of the histogram is brought back before it leaves the range in which sums are exact enough.
const MAX_SCALE: f64 = 1e9;

/// Histogram of relative delays with forgetting, and the delay at which the sum of waiting and expected loss is least.
///
/// A packet that comes later than the delay costs its duration of concealment, whether it is late alone or in the backlog of
/// a stall; so the share of packets above a delay is the share of audio concealed at that delay, and one histogram serves jitter,
/// reordering and stalls alike. The first packets weigh more (2/(n+1)), so that learning is quick; the backlog of a stall
/// never weighs more than it would in an old call, and less while it is the only one, so that one hiccup does not own the delay.
#[derive(Debug)]
pub(crate) struct Target {
    /// Weights, in units of `scale`: forgetting makes the unit greater instead of each weight smaller.
    weights: Box<[f64]>,
    scale: f64,
    /// No weight lies above this bucket.
    top: usize,
    bucket: i64,
    /// Delay, in buckets, that avoiding the loss of all audio is worth.
    loss_cost: f64,
    /// Buckets up to the knee of the E-model, from the network's own delay.
    knee: f64,
    rate: f64,
    packets: f64,
    level: usize,
    best: usize,
    /// The 95 % level when last looked at.
    usual: usize,
    /// The 90 % level and the median when last looked at.
    late: usize,
    middle: usize,
    since_fall: f64,
    since_look: f64,
    /// Whether the last packet was part of a stall's backlog.
    stalled: bool,
    /// Stalls remembered, each with what is left of its weight.
    stalls: f64,
    since_stall: f64,
    /// The last delays: when even the least of them is above the level, the network has changed.
    recent: [i64; RECENT],
    next: usize,
    /// Arrival of the latest of them.
    remembered: i64,
}

impl Target {
    pub(crate) fn new(rate: u32, start: i64, delay_per_percent: Duration) -> Self {
        let bucket = (i64::from(rate) / BUCKETS_PER_SECOND).max(1);
        // The prior: a belief in the start delay that the first second of packets outweighs.
        let start = ((start + bucket - 1) / bucket - 1).clamp(0, BUCKETS as i64 - 1) as usize;
        let mut weights = vec![0.0; BUCKETS].into_boxed_slice();
        weights[start] = 1.0;
        Self {
            weights,
            scale: 1.0,
            top: start,
            bucket,
            loss_cost: 100.0 * delay_per_percent.as_secs_f64() * BUCKETS_PER_SECOND as f64,
            knee: KNEE_SECONDS * BUCKETS_PER_SECOND as f64,
            rate: f64::from(rate),
            packets: 0.0,
            level: start,
            best: start,
            usual: start,
            late: 0,
            middle: 0,
            since_fall: 0.0,
            since_look: 0.0,
            stalled: false,
            stalls: 0.0,
            since_stall: STALL_APART,
            recent: [0; RECENT],
            next: 0,
            remembered: i64::MIN / 2,
        }
    }

    /// Tells what of the way from mouth to ear lies outside of the buffer.
    pub(crate) fn set_path_delay(&mut self, path: Duration) {
        self.knee = (KNEE_SECONDS - path.as_secs_f64()).max(0.0) * BUCKETS_PER_SECOND as f64;
    }

    /// Learns from a packet of `duration` samples that came `delay` samples later than the fastest.
    ///
    /// `arrival` is when it came. One that may be replaced by a copy has that delay in `copy`, with the chance of it.
    pub(crate) fn learn(&mut self, delay: i64, duration: i64, arrival: i64, copy: Option<(i64, f64)>) {
        self.remember(delay, duration, arrival);
        let index = self.index(delay);
        let seconds = duration as f64 / self.rate;
        let steady = (seconds / MEMORY_SECONDS).clamp(1e-5, 0.01);
        self.packets += 1.0;
        let early = 2.0 / (self.packets + 1.0);
        self.classify(index, seconds);
        let weight = if self.stalled {
            steady * self.recurrence()
        } else {
            steady.max(early)
        };
        match copy {
            Some((at, chance)) if at < delay => {
                self.add(self.index(at), weight.min(1.0) * chance);
                self.add(index, weight.min(1.0) * (1.0 - chance));
            }
            _ => self.add(index, weight.min(1.0)),
        }
        self.since_look += seconds;
        if index > self.level || self.since_look >= LOOK_SECONDS {
            self.look();
        }
        self.follow(seconds);
    }

    /// What comes in one go, as the backlog of a stall does, counts as one.
    fn remember(&mut self, delay: i64, duration: i64, arrival: i64) {
        let delay = delay.min(self.bucket * BUCKETS as i64);
        let last = &mut self.recent[(self.next + RECENT - 1) % RECENT];
        if arrival.saturating_sub(self.remembered) < duration / 2 {
            *last = (*last).min(delay);
            return;
        }
        self.remembered = arrival;
        self.recent[self.next] = delay;
        self.next = (self.next + 1) % RECENT;
    }

    /// How far the 90 % level lies above the median, in samples.
    pub(crate) fn spread(&self) -> i64 {
        self.late.saturating_sub(self.middle) as i64 * self.bucket
    }

    /// Learns when the copy of a lost packet was there, `delay` after the packet itself would have been at the fastest.
    pub(crate) fn learn_copy(&mut self, delay: i64, duration: i64) {
        let weight = (duration as f64 / self.rate / MEMORY_SECONDS).clamp(1e-5, 0.01);
        self.add(self.index(delay), weight);
    }

    /// The target, in samples, without configured limits.
    pub(crate) fn delay(&self) -> i64 {
        let level = self.level as i64 * self.bucket;
        let least = self.recent.iter().copied().min().unwrap_or(0);
        let level = if least > level {
            // The fastest path became slower, and the jitter is likely to be as it was.
            level + least - self.middle as i64 * self.bucket
        } else {
            level
        };
        (level + self.bucket).max(LEAST * self.bucket)
    }

    fn index(&self, delay: i64) -> usize {
        (delay / self.bucket).clamp(0, BUCKETS as i64 - 1) as usize
    }

    fn add(&mut self, index: usize, weight: f64) {
        self.top = self.top.max(index);
        if weight >= 1.0 {
            self.weights.fill(0.0);
            self.weights[index] = 1.0;
            (self.scale, self.top) = (1.0, index);
            return;
        }
        self.scale /= 1.0 - weight;
        self.weights[index] += weight * self.scale;
        if self.scale > MAX_SCALE {
            let scale = self.scale;
            self.weights.iter_mut().for_each(|weight| *weight /= scale);
            self.scale = 1.0;
        }
    }

    fn follow(&mut self, seconds: f64) {
        self.since_fall += seconds;
        if self.best > self.level {
            self.level = self.best;
            self.since_fall = 0.0;
        } else if self.best < self.level && self.since_fall >= FALL_SECONDS {
            self.level -= 1;
            self.since_fall = 0.0;
        }
    }

    /// How much of its weight a stall gets: a quarter when it is the only one remembered. Stalls that come again and again count
    /// for more than their share of time, for the holes they leave are long, and a long hole hurts more than the same time in
    /// short ones (the burst ratio of the E-model).
    fn recurrence(&self) -> f64 {
        (0.25 + RECURRENCE * (self.stalls - 1.0)).clamp(0.25, BURST)
    }

    /// Whether a packet belongs to the backlog of a stall; counts the stalls.
    fn classify(&mut self, index: usize, seconds: f64) {
        self.stalls *= (-seconds / MEMORY_SECONDS).exp();
        self.since_stall += seconds;
        let stalled = index > (STALL_RATIO * self.middle).max(STALL_FLOOR) || (self.stalled && index > self.usual);
        if stalled && !self.stalled && self.since_stall > STALL_APART {
            self.stalls += 1.0;
        }
        if stalled {
            self.since_stall = 0.0;
        }
        self.stalled = stalled;
    }

    /// Looks for the bucket up to which waiting pays, and for the 95 % level.
    fn look(&mut self) {
        self.since_look = 0.0;
        let (mut late, mut best) = (0.0, (f64::INFINITY, 0));
        // Audio is played in blocks, so a packet is needed at a time between the target and a block later.
        let mut above = [0.0; BLOCK];
        let mut levels = [(0.05, None), (0.10, None), (0.50, None)];
        let forgotten = 1e-9 * self.scale;
        let (loss_cost, knee) = (self.loss_cost / self.scale, self.knee);
        for index in (0..=self.top).rev() {
            let delay = index as f64;
            let waiting = delay + (STEEP - 1.0) * (delay - knee).max(0.0);
            above[index % BLOCK] = late;
            let cost = waiting + loss_cost * above.iter().sum::<f64>() / BLOCK as f64;
            if cost < best.0 {
                best = (cost, index);
            }
            late += self.weights[index];
            if late <= forgotten {
                // A trace of what was long ago.
                self.top = index.max(1) - 1;
            }
            for (share, level) in &mut levels {
                if level.is_none() && late > *share * self.scale {
                    *level = Some(index);
                }
            }
        }
        self.best = best.1;
        [self.usual, self.late, self.middle] = levels.map(|(_, level)| level.unwrap_or(0));
    }
}

#[cfg(test)]
mod tests;
