//! One direction of a path: delay, loss, rate.

use std::time::{Duration, Instant};

use crate::Rng;

/// Which datagrams a link loses.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Loss {
    /// None.
    #[default]
    None,
    /// Each with this probability, independently.
    Bernoulli(f64),
    /// In bursts: a chain of two states that may change before each datagram (Gilbert 1960, Elliott 1963).
    GilbertElliott {
        /// Probability of going from good to bad.
        p: f64,
        /// Probability of going from bad to good.
        r: f64,
        /// Loss in the good state.
        good: f64,
        /// Loss in the bad state.
        bad: f64,
    },
}

impl Loss {
    /// The share of datagrams lost in the long run.
    #[must_use]
    pub fn mean(&self) -> f64 {
        match *self {
            Self::None => 0.0,
            Self::Bernoulli(p) => p.clamp(0.0, 1.0),
            // A chain that never moves stays in the good state, where it starts.
            Self::GilbertElliott { p, r, good, .. } if p + r == 0.0 => good,
            Self::GilbertElliott { p, r, good, bad } => (r * good + p * bad) / (p + r),
        }
    }
}

/// What one direction of a path does to datagrams. The default does nothing: no delay, no loss, no limit but the size.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkConfig {
    /// Time of flight.
    pub delay: Duration,
    /// Deviation of the extra delay: the magnitude of a normal variable, cut at four times this. Order is kept.
    pub jitter: Duration,
    /// Which datagrams are lost.
    pub loss: Loss,
    /// Share of datagrams that arrive twice.
    pub duplicate: f64,
    /// Share of datagrams that leave the FIFO: held back by up to [`reorder_by`](Self::reorder_by), so that later ones
    /// overtake them.
    pub reorder: f64,
    /// The longest time a datagram that leaves the FIFO is held back.
    pub reorder_by: Duration,
    /// Bits of payload per second; `None` is unlimited.
    pub rate_bps: Option<u64>,
    /// The longest time a datagram may wait for the line; one that would wait longer is dropped (tail drop). Only
    /// matters with a rate.
    pub queue: Duration,
    /// The longest payload in bytes that passes; longer ones are dropped.
    pub mtu: usize,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            loss: Loss::None,
            duplicate: 0.0,
            reorder: 0.0,
            reorder_by: Duration::from_millis(20),
            rate_bps: None,
            queue: Duration::from_millis(200),
            // 1,500 bytes of Ethernet less the headers of IPv4 and UDP.
            mtu: 1472,
        }
    }
}

impl LinkConfig {
    /// A wire in the house: 0.3 ms.
    #[must_use]
    pub fn lan() -> Self {
        Self {
            delay: Duration::from_micros(300),
            ..Self::default()
        }
    }

    /// A home on Wi-Fi: 10 ms, some jitter, 0.5 % loss in short bursts.
    #[must_use]
    pub fn wifi() -> Self {
        Self {
            delay: Duration::from_millis(10),
            jitter: Duration::from_millis(6),
            loss: Loss::GilbertElliott {
                p: 0.005,
                r: 0.5,
                good: 0.0,
                bad: 0.5,
            },
            rate_bps: Some(20_000_000),
            ..Self::default()
        }
    }

    /// A moving phone: 35 ms, strong jitter, 2 % loss in bursts, 2 Mbit/s behind a deep queue.
    #[must_use]
    pub fn lte() -> Self {
        Self {
            delay: Duration::from_millis(35),
            jitter: Duration::from_millis(15),
            loss: Loss::GilbertElliott {
                p: 0.01,
                r: 0.25,
                good: 0.005,
                bad: 0.4,
            },
            rate_bps: Some(2_000_000),
            queue: Duration::from_millis(500),
            ..Self::default()
        }
    }

    /// 20 ms, and each datagram lost with probability `p`.
    #[must_use]
    pub fn lossy(p: f64) -> Self {
        Self {
            delay: Duration::from_millis(20),
            loss: Loss::Bernoulli(p),
            ..Self::default()
        }
    }
}

/// What became of the datagrams given to a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkStats {
    /// Given to the link.
    pub sent: u64,
    /// Lost by the loss model.
    pub lost: u64,
    /// Dropped because they would have waited too long for the line.
    pub queue_drops: u64,
    /// Dropped because they are longer than the MTU.
    pub oversized: u64,
    /// Delivered twice.
    pub duplicated: u64,
    /// Taken out of the order.
    pub reordered: u64,
}

/// One direction of a path at work. It holds times, not datagrams: the caller keeps those.
#[derive(Clone, Debug)]
pub struct Link {
    config: LinkConfig,
    rng: Rng,
    bad: bool,
    line_free: Option<Instant>,
    last_arrival: Option<Instant>,
    stats: LinkStats,
}

impl Link {
    /// A link whose choices all follow from `seed`.
    #[must_use]
    pub fn new(config: LinkConfig, seed: u64) -> Self {
        Self {
            config,
            rng: Rng::new(seed),
            bad: false,
            line_free: None,
            last_arrival: None,
            stats: LinkStats::default(),
        }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &LinkConfig {
        &self.config
    }

    /// Changes the behaviour from the next datagram on; what is under way arrives as it was promised.
    pub fn set_config(&mut self, config: LinkConfig) {
        self.config = config;
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> LinkStats {
        self.stats
    }

    /// When a datagram of `len` bytes of payload, given to the link at `now`, arrives: once, twice, or not at all.
    /// `now` must not go back from call to call.
    pub fn send(&mut self, len: usize, now: Instant) -> Vec<Instant> {
        self.stats.sent += 1;
        if len > self.config.mtu {
            self.stats.oversized += 1;
            return Vec::new();
        }
        let Some(departure) = self.departure(len, now) else {
            self.stats.queue_drops += 1;
            return Vec::new();
        };
        if self.loses() {
            self.stats.lost += 1;
            return Vec::new();
        }

        let spread = if self.config.jitter.is_zero() {
            0.0
        } else {
            self.rng.gaussian().abs().min(4.0)
        };
        let mut arrival = departure + self.config.delay + self.config.jitter.mul_f64(spread);
        if self.config.reorder > 0.0 && self.rng.chance(self.config.reorder) {
            self.stats.reordered += 1;
            arrival += self.config.reorder_by.mul_f64(1.0 - self.rng.next_f64());
        } else {
            arrival = self.last_arrival.map_or(arrival, |last| arrival.max(last));
            self.last_arrival = Some(arrival);
        }

        if self.config.duplicate > 0.0 && self.rng.chance(self.config.duplicate) {
            self.stats.duplicated += 1;
            return vec![arrival, arrival];
        }
        vec![arrival]
    }

    /// When the last bit has left, or `None` if the wait for the line is too long.
    fn departure(&mut self, len: usize, now: Instant) -> Option<Instant> {
        let Some(rate) = self.config.rate_bps else {
            return Some(now);
        };
        let start = self.line_free.map_or(now, |free| free.max(now));
        if start - now > self.config.queue {
            return None;
        }
        let bits = u128::try_from(len).expect("usize fits 128 bits") * 8;
        // A rate of 0 carries one bit a second: slow enough to be as good as none, and no division by zero.
        let nanoseconds = bits * 1_000_000_000 / u128::from(rate.max(1));
        let free = start + Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
        self.line_free = Some(free);
        Some(free)
    }

    fn loses(&mut self) -> bool {
        match self.config.loss {
            Loss::None => false,
            Loss::Bernoulli(p) => self.rng.chance(p),
            Loss::GilbertElliott { p, r, good, bad } => {
                if self.rng.chance(if self.bad { r } else { p }) {
                    self.bad = !self.bad;
                }
                self.rng.chance(if self.bad { bad } else { good })
            }
        }
    }
}
