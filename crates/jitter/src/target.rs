//! The delay to aim at, learnt from the relative delays of packets.

/// 5 ms per bucket.
const BUCKETS_PER_SECOND: i64 = 200;
/// Two seconds; what comes later counts as this late.
const BUCKETS: usize = 400;
/// Time after which a delay has lost 63 % of its weight.
const MEMORY_SECONDS: f64 = 28.0;
/// Delay, in buckets, that avoiding the loss of all audio is worth: 40 ms for each percent.
const LOSS_COST: f64 = 100.0 * 40.0 / 5.0;
/// A delay beyond this many times the 95 % level is a stall, not jitter.
const STALL_RATIO: usize = 3;
/// ... if it is also beyond this many buckets (60 ms).
const STALL_FLOOR: usize = 12;
/// Packets that must all be late before that counts at once (160 ms).
const RECENT: usize = 8;
/// The target falls by one bucket at most this often.
const FALL_SECONDS: f64 = 0.1;

/// Histogram of relative delays with forgetting, and the delay at which the sum of waiting and expected loss is least.
///
/// A packet that comes later than the delay costs its duration of concealment, whether it is late alone or in the backlog of
/// a stall; so the share of packets above a delay is the share of audio concealed at that delay, and one histogram serves jitter,
/// reordering and stalls alike. The first packets weigh more (2/(n+1)), so that learning is quick; the backlog of a stall
/// never weighs more than it would in an old call, and less while it is the only one, so that one hiccup does not own the delay.
#[derive(Debug)]
pub(crate) struct Target {
    share: [f64; BUCKETS],
    bucket: i64,
    rate: f64,
    packets: f64,
    level: usize,
    since_fall: f64,
    /// Whether the last packet was part of a stall's backlog.
    stalled: bool,
    /// The last delays: when even the least of them is above the level, the network has changed.
    recent: [i64; RECENT],
    next: usize,
}

impl Target {
    pub(crate) fn new(rate: u32, start: i64) -> Self {
        let bucket = (i64::from(rate) / BUCKETS_PER_SECOND).max(1);
        let mut target = Self {
            share: [0.0; BUCKETS],
            bucket,
            rate: f64::from(rate),
            packets: 0.0,
            level: 0,
            since_fall: 0.0,
            stalled: false,
            recent: [0; RECENT],
            next: 0,
        };
        // The prior: a belief in the start delay that the first second of packets outweighs.
        let start = ((start + bucket - 1) / bucket - 1).clamp(0, BUCKETS as i64 - 1) as usize;
        target.share[start] = 1.0;
        target.level = start;
        target
    }

    /// Learns from a packet of `duration` samples that came `delay` samples later than the fastest.
    pub(crate) fn learn(&mut self, delay: i64, duration: i64) {
        self.recent[self.next] = delay.min(self.bucket * BUCKETS as i64);
        self.next = (self.next + 1) % RECENT;
        let index = (delay / self.bucket).clamp(0, BUCKETS as i64 - 1) as usize;
        let seconds = duration as f64 / self.rate;
        let steady = (seconds / MEMORY_SECONDS).clamp(1e-5, 0.01);
        self.packets += 1.0;
        let early = 2.0 / (self.packets + 1.0);
        let usual = self.quantile(0.95);
        self.stalled = index > (STALL_RATIO * usual).max(STALL_FLOOR) || (self.stalled && index > usual);
        let weight = if self.stalled {
            steady * self.recurrence()
        } else {
            steady.max(early)
        }
        .min(1.0);
        for share in &mut self.share {
            *share *= 1.0 - weight;
        }
        self.share[index] += weight;
        self.since_fall += seconds;
        let best = self.best();
        if best > self.level {
            self.level = best;
            self.since_fall = 0.0;
        } else if best < self.level && self.since_fall >= FALL_SECONDS {
            self.level -= 1;
            self.since_fall = 0.0;
        }
    }

    /// The target, in samples, without configured limits.
    pub(crate) fn delay(&self) -> i64 {
        let level = self.level as i64 * self.bucket;
        level.max(self.recent.iter().copied().min().unwrap_or(0)) + self.bucket
    }

    /// How much of its weight a stall gets: a quarter when it is the only one remembered, all of it when the packets of others are
    /// 1 % of what is remembered.
    fn recurrence(&self) -> f64 {
        let others: f64 = self.share[STALL_FLOOR..].iter().sum();
        (0.25 + 75.0 * others).min(1.0)
    }

    fn quantile(&self, wanted: f64) -> usize {
        let mut sum = 0.0;
        self.share
            .iter()
            .position(|share| {
                sum += share;
                sum >= wanted
            })
            .unwrap_or(BUCKETS - 1)
    }

    /// The bucket up to which waiting pays.
    fn best(&self) -> usize {
        let mut late = 0.0;
        let mut best = (f64::INFINITY, 0);
        for (index, share) in self.share.iter().enumerate().rev() {
            let cost = index as f64 + LOSS_COST * late;
            if cost < best.0 {
                best = (cost, index);
            }
            late += share;
        }
        best.1
    }
}

#[cfg(test)]
mod tests;
