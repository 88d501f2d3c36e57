use std::time::{Duration, Instant};

use crate::arrival::Arrival;
use crate::buffer::wishes::Expected;
use crate::config::{Config, duration, samples};
use crate::decoder::Decoder;
use crate::fade::Fade;
use crate::packet::{InsertOutcome, Packet};
use crate::queue::{Copy, Queue, Waiting};
use crate::report::{Operation, PullReport};
use crate::stats::Stats;
use crate::sync::SyncBuffer;
use crate::target::Target;

mod extend;
mod steer;
mod wishes;

pub use wishes::Wish;

/// Adaptive jitter buffer of one stream: packets in as they arrive, audio out as it is played.
///
/// Times are kept in samples since the first call, as `i64`; timestamps relative to the first packet. "Delay" of a sample is its
/// playout instant minus its timestamp, on the scale where the fastest packet of the last two seconds arrived with delay 0.
#[derive(Debug)]
pub struct JitterBuffer {
    config: Config,
    rate: i64,
    /// The instant that counts as sample 0, and the latest time seen.
    origin: Option<Instant>,
    latest: i64,
    /// The timestamp that counts as 0.
    base_timestamp: Option<u64>,
    arrival: Arrival,
    target: Target,
    queue: Queue,
    sync: SyncBuffer,
    fade: Fade,
    stats: Stats,
    /// Timestamp of the next packet wanted; `None` before playout starts.
    wanted: Option<i64>,
    /// Samples invented since the last packet, at the place of `wanted`.
    filled: i64,
    /// Where audio does not continue what was played before: the next must be faded in.
    join: bool,
    last_sequence: Option<u64>,
    /// Duration of the last packet: what a lost one is taken to have been.
    unit: i64,
    newest: Option<Newest>,
    /// When the last packet came, whichever it was.
    last_arrival: i64,
    held: Option<(Packet, i64)>,
    comfort_run: i64,
    /// Share of the packets of late that carried a copy of the one before.
    copies: f64,
    /// Share of the packets of late that were lost.
    loss: f64,
    /// Samples of speech that may still be stretched, earned by playing.
    stretch_credit: i64,
    accelerating: bool,
    operation: Operation,
    /// Timestamp of the sample played last; `None` before a stream's first.
    playout_timestamp: Option<i64>,
    /// Timestamp after the sample played last, invented ones counted.
    end_timestamp: Option<i64>,
    /// Packets that were asked for and not received yet.
    expected: Expected,
    delay: i64,
    scratch: Vec<f32>,
    tail: Vec<f32>,
}

/// The packet furthest ahead.
#[derive(Debug, Clone, Copy)]
struct Newest {
    timestamp: i64,
    arrival: i64,
}

/// A jump of the timestamps of more than this many seconds against the clock is a new start of the sender.
const RESTART_SECONDS: i64 = 2;

impl JitterBuffer {
    /// An empty buffer. All memory it will ever need is allocated here.
    pub fn new(config: Config) -> Self {
        let rate = config.sample_rate.clamp(8_000, 192_000);
        let max_delay = config.max_delay.max(config.min_delay);
        let config = Config {
            sample_rate: rate,
            max_delay,
            max_packets: config.max_packets.max(4),
            ..config
        };
        Self {
            rate: rate.into(),
            origin: None,
            latest: 0,
            base_timestamp: None,
            arrival: Arrival::new(rate),
            target: Target::new(rate, samples(config.start_delay, rate), config.delay_per_percent),
            queue: Queue::new(config.max_packets),
            sync: SyncBuffer::new(rate),
            fade: Fade::new(rate),
            stats: Stats::default(),
            wanted: None,
            filled: 0,
            join: false,
            last_sequence: None,
            unit: i64::from(rate) / 50,
            newest: None,
            last_arrival: 0,
            held: None,
            comfort_run: 0,
            copies: 0.0,
            loss: 0.0,
            stretch_credit: 0,
            accelerating: false,
            operation: Operation::Silence,
            playout_timestamp: None,
            end_timestamp: None,
            expected: Expected::default(),
            delay: 0,
            scratch: vec![0.0; rate as usize * 120 / 1000],
            tail: vec![0.0; rate as usize / 400 * 2],
            config,
        }
    }

    /// Takes a packet that arrived at `now`. Never fails: what is of no use is dropped and counted.
    pub fn insert(&mut self, packet: Packet, now: Instant) -> InsertOutcome {
        let now = self.time(now);
        self.stats.packets_received += 1;
        let base = *self.base_timestamp.get_or_insert(packet.timestamp);
        let timestamp = relative(packet.timestamp, base);
        if self.continues(timestamp, now) {
            if self.held.take().is_some() {
                self.stats.packets_discarded += 1;
            }
            return self.enqueue(packet, timestamp, now);
        }
        match self.held.take() {
            Some((held, arrival)) if self.follows(&held, &packet) => {
                self.restart(held, arrival);
                self.enqueue(packet.clone(), relative(packet.timestamp, self.base()), now);
                InsertOutcome::Restarted
            }
            other => {
                self.stats.packets_discarded += u64::from(other.is_some());
                self.held = Some((packet, now));
                InsertOutcome::Held
            }
        }
    }

    /// Gives the next `out.len()` samples, played from `now` on. Always fills `out` whole. Blocks may have any length; 2.5 ms and
    /// more is what the control is made for.
    pub fn pull(&mut self, now: Instant, decoder: &mut dyn Decoder, out: &mut [f32]) -> PullReport {
        let mut now = self.time(now);
        let mut report: Option<PullReport> = None;
        // Longer blocks are made of blocks of 10 ms, each at its own time.
        let step = (self.rate / 100) as usize;
        let whole = out.len();
        for block in out.chunks_mut(step) {
            self.operation = Operation::Silence;
            self.pull_block(now, decoder, block, whole.min(step));
            now += block.len() as i64;
            let operation = self.operation;
            let report = report.get_or_insert(PullReport {
                operation,
                playout_timestamp: self.reported(self.playout_timestamp),
                end_timestamp: 0,
                samples: whole,
            });
            report.operation = report.operation.max(operation);
            report.end_timestamp = self.reported(self.end_timestamp);
        }
        report.unwrap_or(PullReport {
            operation: Operation::Silence,
            playout_timestamp: self.reported(self.playout_timestamp),
            end_timestamp: self.reported(self.end_timestamp),
            samples: 0,
        })
    }

    /// Counters since the buffer was made.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// The delay aimed at.
    pub fn target_delay(&self) -> Duration {
        duration(self.target_samples(), self.config.sample_rate)
    }

    /// The delay of the audio pulled last: its playout instant minus that of the same audio had it been played on arrival by
    /// the fastest path of the last two seconds. Zero before the first audio; stands still while concealing.
    pub fn current_delay(&self) -> Duration {
        duration(self.delay, self.config.sample_rate)
    }

    /// Packets that wait; at most [`Config::max_packets`].
    pub fn queued_packets(&self) -> usize {
        self.queue.len()
    }

    /// Samples made but not yet pulled.
    pub fn pending_samples(&self) -> usize {
        self.sync.pending()
    }

    /// Changes [`Config::min_delay`]. A maximum below it gives way.
    pub fn set_min_delay(&mut self, delay: Duration) {
        self.config.min_delay = delay;
        self.config.max_delay = self.config.max_delay.max(delay);
    }

    /// Changes [`Config::max_delay`]. A minimum above it gives way.
    pub fn set_max_delay(&mut self, delay: Duration) {
        self.config.max_delay = delay;
        self.config.min_delay = self.config.min_delay.min(delay);
    }

    /// Tells the rest of the way from mouth to ear, the network's part above all (about half of the round trip): beyond 177 ms in
    /// all, delay is weighed more against concealment. Zero until told.
    pub fn set_path_delay(&mut self, delay: Duration) {
        self.target.set_path_delay(delay);
    }

    /// Makes ready for a new stream (another SSRC): packets and timing are forgotten, what was learnt about the network and the
    /// statistics stay, and audio already made is played out and joined to the new stream's.
    pub fn reset(&mut self) {
        self.stats.packets_discarded += self.queue.len() as u64 + u64::from(self.held.take().is_some());
        self.stats.flushes += 1;
        self.queue.clear();
        self.sync.fade_out();
        self.fade.mute();
        self.arrival.clear();
        self.newest = None;
        self.base_timestamp = None;
        self.wanted = None;
        self.last_sequence = None;
        self.filled = 0;
        self.join = true;
        self.comfort_run = 0;
        self.playout_timestamp = None;
        self.end_timestamp = None;
        self.expected = Expected::default();
    }

    /// Samples from the first call to `now`. Time that runs backwards stands still.
    fn time(&mut self, now: Instant) -> i64 {
        let origin = *self.origin.get_or_insert(now);
        let time = samples(now.saturating_duration_since(origin), self.config.sample_rate);
        self.latest = self.latest.max(time);
        self.latest
    }

    fn base(&self) -> u64 {
        self.base_timestamp.unwrap_or(0)
    }

    fn reported(&self, timestamp: Option<i64>) -> u64 {
        timestamp.map_or(0, |timestamp| self.base().wrapping_add_signed(timestamp))
    }

    fn target_samples(&self) -> i64 {
        let rate = self.config.sample_rate;
        let room = self.unit * self.config.max_packets as i64 * 3 / 4;
        self.target
            .delay()
            .max(samples(self.config.min_delay, rate))
            .min(samples(self.config.max_delay, rate))
            .min(room.max(self.rate / 100))
    }

    /// Whether a packet belongs to the timeline so far. A sender that was silent or a network that stalled does, however long:
    /// only timestamps that go back, or run ahead of the clock, do not.
    fn continues(&self, timestamp: i64, now: i64) -> bool {
        let Some(newest) = self.newest else { return true };
        let jump = timestamp.saturating_sub(newest.timestamp);
        let elapsed = now.saturating_sub(newest.arrival).max(0);
        let limit = RESTART_SECONDS * self.rate;
        // Reordering beyond what could still be played counts as going back.
        jump >= -limit && jump <= elapsed.saturating_add(limit)
    }

    /// Whether `packet` comes soon after `held` on the same new timeline.
    fn follows(&self, held: &Packet, packet: &Packet) -> bool {
        let step = relative(packet.timestamp, held.timestamp);
        packet.sequence > held.sequence && step > 0 && step <= RESTART_SECONDS * self.rate
    }

    fn restart(&mut self, first: Packet, arrival: i64) {
        self.reset();
        self.base_timestamp = Some(first.timestamp);
        self.enqueue(first, 0, arrival);
    }

    fn enqueue(&mut self, packet: Packet, timestamp: i64, arrival: i64) -> InsertOutcome {
        self.last_arrival = self.last_arrival.max(arrival);
        let reordered = self.newest.is_some_and(|newest| timestamp <= newest.timestamp);
        if reordered {
            self.stats.packets_reordered += 1;
        } else {
            self.newest = Some(Newest { timestamp, arrival });
        }
        if self.last_sequence.is_none()
            && let Some(hint) = packet.duration_hint
        {
            self.unit = i64::from(hint).clamp(self.rate / 400, self.rate * 120 / 1000);
        }
        let waiting = Waiting {
            sequence: packet.sequence,
            timestamp,
            payload: packet.payload,
            arrival,
            copy: Copy::Untouched,
        };
        let late = self.wanted.is_some_and(|wanted| timestamp < wanted - self.tolerance());
        let outcome = if late {
            InsertOutcome::TooLate
        } else if !self.queue.insert(waiting) {
            InsertOutcome::Duplicate
        } else if self.queue.evict().is_some() {
            InsertOutcome::Evicted
        } else {
            InsertOutcome::Queued
        };
        self.stats.packets_discarded += u64::from(outcome != InsertOutcome::Queued);
        // A copy says nothing about the network, unless it is the first to come.
        if outcome != InsertOutcome::Duplicate {
            let delay = self.arrival.insert(arrival, timestamp);
            let copy = if reordered { self.copy_of(timestamp) } else { None };
            self.target.learn(delay, self.unit, arrival, copy);
        }
        outcome
    }

    /// When a copy of the packet with this timestamp came, as a delay, if its successor waits, and how likely that has one.
    fn copy_of(&self, timestamp: i64) -> Option<(i64, f64)> {
        let next = timestamp + self.unit;
        let successor = self
            .queue
            .iter()
            .find(|waiting| (waiting.timestamp - next).abs() <= self.tolerance())?;
        Some((successor.arrival - timestamp - self.arrival.base(), self.copies))
    }

    /// Timestamps this close are the same place: 2.5 ms.
    fn tolerance(&self) -> i64 {
        self.rate / 400
    }
}

/// `timestamp - base` as a signed distance.
fn relative(timestamp: u64, base: u64) -> i64 {
    // Half the range, so that sums of two never overflow.
    (timestamp.wrapping_sub(base) as i64).clamp(i64::MIN / 4, i64::MAX / 4)
}

#[cfg(test)]
mod tests;
