//! A cable between two hosts: packets of both directions through two [`Link`]s, with stalls and outages.

mod profile;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use crate::{Link, LinkStats, Rng};

pub use profile::{Outage, Profile, Stalls};

/// One of the two ends of a [`Wire`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The first.
    Left,
    /// The second.
    Right,
}

impl End {
    /// The other one.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }

    const fn index(self) -> usize {
        match self {
            Self::Left => 0,
            Self::Right => 1,
        }
    }
}

/// What became of the packets of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WireStats {
    /// What the link did.
    pub link: LinkStats,
    /// Dropped because the wire was cut.
    pub cut: u64,
    /// Dropped because [`Wire::WAITING`] packets were under way.
    pub overflow: u64,
    /// Delivered.
    pub delivered: u64,
}

/// A wire that holds packets until their time. It reads no clock and moves no packet by itself: whoever has the devices
/// tells it packets and time, and asks what is due.
///
/// ```
/// # use std::time::Duration;
/// use duologue_testnet::{Clock, wire::{End, Profile, Wire}};
///
/// let start = Clock::new().now();
/// let mut wire = Wire::new(Profile::named("rtt100").ok_or("no such profile")?, 1, start);
/// wire.handle_packet(End::Left, b"hello", start);
/// assert_eq!(wire.poll_output(start), None);
/// let due = wire.poll_timeout().ok_or("a packet is under way")?;
/// assert_eq!(due - start, Duration::from_millis(50));
/// assert_eq!(wire.poll_output(due), Some((End::Right, b"hello".to_vec())));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Wire {
    start: Instant,
    outages: Vec<Outage>,
    cut: bool,
    directions: [Direction; 2],
    queue: BinaryHeap<Reverse<Entry>>,
    sequence: u64,
}

#[derive(Debug)]
struct Direction {
    link: Link,
    stalls: Option<StallClock>,
    cut: u64,
    overflow: u64,
    delivered: u64,
    under_way: usize,
}

impl Wire {
    /// The most packets under way in a direction; more are dropped and counted.
    pub const WAITING: usize = 16_384;

    /// A wire that behaves as `profile` says from `now` on, both ways; every choice follows from `seed`.
    #[must_use]
    pub fn new(profile: Profile, seed: u64, now: Instant) -> Self {
        let mut rng = Rng::new(seed);
        let directions = std::array::from_fn(|_| Direction {
            link: Link::new(profile.link.clone(), rng.next_u64()),
            stalls: profile.stalls.map(|stalls| StallClock::new(stalls, rng.fork(), now)),
            cut: 0,
            overflow: 0,
            delivered: 0,
            under_way: 0,
        });
        Self {
            start: now,
            outages: profile.outages,
            cut: false,
            directions,
            queue: BinaryHeap::new(),
            sequence: 0,
        }
    }

    /// Cuts the wire or mends it, beside the outages of the profile. What is under way still arrives.
    pub fn set_cut(&mut self, cut: bool) {
        self.cut = cut;
    }

    /// Takes a packet that was put in at `from`. `now` must not go back from call to call.
    pub fn handle_packet(&mut self, from: End, packet: &[u8], now: Instant) {
        let cut = self.is_cut(now);
        let direction = &mut self.directions[from.index()];
        if cut {
            direction.cut += 1;
            return;
        }
        let held_until = direction.stalls.as_mut().and_then(|stalls| stalls.held_until(now));
        for arrival in direction.link.send(packet.len(), now) {
            if direction.under_way == Self::WAITING {
                direction.overflow += 1;
                continue;
            }
            direction.under_way += 1;
            self.sequence += 1;
            self.queue.push(Reverse(Entry {
                // A stalled line keeps what it was given and then delivers it in a heap, in order.
                at: held_until.map_or(arrival, |end| arrival.max(end)),
                sequence: self.sequence,
                from,
                packet: packet.to_vec(),
            }));
        }
    }

    /// The next packet that is due at `now`, with the end at which it comes out.
    pub fn poll_output(&mut self, now: Instant) -> Option<(End, Vec<u8>)> {
        if self.queue.peek().is_none_or(|Reverse(entry)| entry.at > now) {
            return None;
        }
        let Reverse(entry) = self.queue.pop()?;
        let direction = &mut self.directions[entry.from.index()];
        direction.under_way -= 1;
        direction.delivered += 1;
        Some((entry.from.opposite(), entry.packet))
    }

    /// When the next packet is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.queue.peek().map(|Reverse(entry)| entry.at)
    }

    /// Counters of the packets that were put in at `from`.
    #[must_use]
    pub fn stats(&self, from: End) -> WireStats {
        let direction = &self.directions[from.index()];
        WireStats {
            link: direction.link.stats(),
            cut: direction.cut,
            overflow: direction.overflow,
            delivered: direction.delivered,
        }
    }

    fn is_cut(&self, now: Instant) -> bool {
        let age = now.saturating_duration_since(self.start);
        self.cut || self.outages.iter().any(|outage| outage.covers(age))
    }
}

/// When a line stalls: drawn one stall after the other, as far as time has come.
#[derive(Debug)]
struct StallClock {
    stalls: Stalls,
    rng: Rng,
    from: Instant,
    until: Instant,
}

impl StallClock {
    fn new(stalls: Stalls, rng: Rng, now: Instant) -> Self {
        let mut clock = Self {
            stalls,
            rng,
            from: now,
            until: now,
        };
        clock.draw();
        clock
    }

    /// The end of the stall that `now` falls into.
    fn held_until(&mut self, now: Instant) -> Option<Instant> {
        while self.until <= now {
            self.draw();
        }
        (self.from <= now).then_some(self.until)
    }

    fn draw(&mut self) {
        // Exponential gaps: how long ago the last stall was tells nothing about the next. At least a millisecond, so that
        // the clock moves whatever the configuration says.
        let gap = self.stalls.every.mul_f64(-(1.0 - self.rng.next_f64()).ln());
        self.from = self.until + gap.max(Duration::from_millis(1));
        let span = self.stalls.longest.saturating_sub(self.stalls.shortest);
        self.until = self.from + self.stalls.shortest + span.mul_f64(self.rng.next_f64());
    }
}

#[derive(Debug)]
struct Entry {
    at: Instant,
    sequence: u64,
    from: End,
    packet: Vec<u8>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.sequence == other.sequence
    }
}

impl Eq for Entry {}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
