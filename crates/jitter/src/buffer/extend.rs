//! Making more audio: from the packet wanted, from the copy in the one after it, or from nothing.

use super::JitterBuffer;
use crate::config::{duration, samples};
use crate::decoder::Decoder;
use crate::queue::Copy;
use crate::report::Operation;

/// Comfort noise without a packet from the sender counts as concealment after this many seconds.
const COMFORT_SECONDS: i64 = 1;

/// Packets over which the share of lost ones is measured, and how many one gap counts for at most.
const LOSS_MEMORY: f64 = 500.0;
const MAX_LOST: u64 = 20;

impl JitterBuffer {
    /// Whether the packet wanted waits.
    pub(super) fn next_is_there(&self) -> bool {
        match (self.wanted, self.queue.front()) {
            (Some(wanted), Some(front)) => (front.timestamp - wanted).abs() <= self.tolerance(),
            _ => false,
        }
    }

    /// Appends some audio, at least one sample, after what is to be played.
    pub(super) fn extend(&mut self, now: i64, decoder: &mut dyn Decoder) {
        self.drop_late(now);
        let before = self.sync.pending();
        let played_at = now + before as i64;
        let wanted = self.wanted.unwrap_or(0);
        let Some(front) = self.queue.front() else {
            return self.invent(i64::MAX, decoder.in_dtx(), decoder);
        };
        let (timestamp, sequence, copy) = (front.timestamp, front.sequence, front.copy);
        let hole = timestamp - wanted;
        let delay = played_at - timestamp - self.arrival.base();
        if hole <= self.tolerance() {
            return self.decode_front(played_at, decoder);
        }
        let target = self.target_samples();
        let silent_sender = self.last_sequence.is_some_and(|last| last.wrapping_add(1) == sequence) || decoder.in_dtx();
        if silent_sender {
            // Nothing is missing: the sender said nothing meanwhile, and its first word sets the delay anew.
            if delay >= target {
                return self.jump(timestamp, played_at, decoder);
            }
            return self.invent(target - delay, true, decoder);
        }
        let rest = hole - self.filled;
        // Where there is delay to spare, what is left of a hole is a chance to be rid of it.
        let enough = self.filled >= self.rate / 100 && delay + 2 * self.tolerance() >= target;
        let copied = copy == Copy::Untouched && decoder.has_recovery(&front.payload);
        let frame = if copied {
            self.unit.min(hole) / self.tolerance() * self.tolerance()
        } else {
            0
        };
        let near = rest > 0 && (rest <= frame || enough);
        if frame > 0 && near && self.recover(frame, played_at, decoder) {
            return;
        }
        if rest <= 0 || enough {
            self.join |= rest != 0;
            if copied && let Some(front) = self.queue.front() {
                let late = front.arrival - (timestamp - self.unit) - self.arrival.base();
                self.target.learn_copy(late, self.unit);
            }
            return self.jump(timestamp, played_at, decoder);
        }
        self.invent((rest - frame).max(self.tolerance()), false, decoder);
    }

    /// Drops packets that are behind the playout, and those that would be played later than the maximum delay allows.
    fn drop_late(&mut self, now: i64) {
        let max = samples(self.config.max_delay, self.config.sample_rate);
        // The target may lie at the maximum, and delays scatter around it by up to a packet.
        let played_at = now + self.sync.pending() as i64;
        while let (Some(front), Some(wanted)) = (self.queue.front(), self.wanted) {
            let behind = front.timestamp < wanted - self.tolerance();
            let delay = played_at - front.timestamp - self.arrival.base();
            if !behind && delay <= max + self.unit {
                return;
            }
            if !behind {
                self.wanted = Some(front.timestamp + self.unit);
                self.last_sequence = Some(front.sequence);
                self.join = true;
            }
            self.queue.pop();
            self.stats.packets_discarded += 1;
        }
    }

    /// Gives up what lies before `timestamp` and goes on from there.
    fn jump(&mut self, timestamp: i64, played_at: i64, decoder: &mut dyn Decoder) {
        self.wanted = Some(timestamp);
        // A comfort-noise or faded end is not what the packet continues.
        self.join |= self.comfort_run > 0 || self.fade.gain() < 1.0;
        self.filled = 0;
        self.decode_front(played_at, decoder);
    }

    fn decode_front(&mut self, played_at: i64, decoder: &mut dyn Decoder) {
        let Some(packet) = self.queue.pop() else { return };
        self.join |= self.filled > 0;
        let tail = self.make_tail(decoder);
        let written = decoder
            .decode(&packet.payload, &mut self.scratch)
            .unwrap_or(0)
            .min(self.scratch.len());
        if written == 0 {
            self.stats.packets_discarded += 1;
            self.invent(self.unit, false, decoder);
            return;
        }
        let has_copy = decoder.has_recovery(&packet.payload);
        self.copies += (f64::from(u8::from(has_copy)) - self.copies) / 64.0;
        if has_copy {
            self.stats.fec_packets_received += 1;
            self.stats.fec_packets_discarded += u64::from(packet.copy != Copy::Used);
        }
        self.unit = written as i64;
        if let Some(last) = self.last_sequence {
            let lost = packet.sequence.wrapping_sub(last).wrapping_sub(1).min(MAX_LOST);
            self.loss += (lost as f64 - self.loss * (lost + 1) as f64) / LOSS_MEMORY;
        }
        self.last_sequence = Some(packet.sequence);
        // A late packet is played whole although its time was concealed: words are worth more than the delay, which is lowered
        // again in the next pause, and the packets behind it may be as late.
        self.put(written, 0, tail, packet.timestamp, played_at - packet.arrival);
    }

    /// Decodes the `frame` samples before the front packet from the copy it carries.
    fn recover(&mut self, frame: i64, played_at: i64, decoder: &mut dyn Decoder) -> bool {
        let before = self.join;
        self.join |= self.filled > 0;
        let tail = self.make_tail(decoder);
        let Some(front) = self.queue.front_mut() else {
            return false;
        };
        let wish = frame.unsigned_abs() as usize;
        let room = wish.min(self.scratch.len());
        let written = decoder
            .recover(&front.payload, room, &mut self.scratch[..room])
            .unwrap_or(0)
            .min(room);
        if written == 0 {
            front.copy = Copy::Broken;
            self.join = before;
            return false;
        }
        front.copy = Copy::Used;
        let (timestamp, arrival) = (front.timestamp - written as i64, front.arrival);
        self.target
            .learn_copy(arrival - timestamp - self.arrival.base(), self.unit);
        let delay = played_at - timestamp - self.arrival.base();
        let overlap = self.wanted.map_or(0, |wanted| wanted + self.filled - timestamp);
        let skip = if delay >= self.target_samples() {
            overlap.clamp(0, written as i64 - 1)
        } else {
            0
        };
        self.stats.packets_recovered += 1;
        self.operation = self.operation.max(Operation::Recover);
        self.put(
            written,
            skip.unsigned_abs() as usize,
            tail,
            timestamp,
            played_at - arrival,
        );
        true
    }

    /// Where the next audio will not continue the last by itself, lets the decoder go on for 5 ms to fade from. Must be
    /// called before decoding. True when there is such a tail.
    fn make_tail(&mut self, decoder: &mut dyn Decoder) -> bool {
        if !self.join {
            return false;
        }
        let gain = self.fade.gain();
        self.tail.fill(0.0);
        if gain > 0.0 {
            let length = self.tail.len();
            let written = decoder.conceal(&mut self.tail).unwrap_or(0).min(length);
            self.tail[written..].fill(0.0);
            sanitise(&mut self.tail);
            self.tail.iter_mut().for_each(|sample| *sample *= gain);
        }
        true
    }

    /// Appends `written` samples of the scratch, the first `skip` left out, that belong at `timestamp`.
    fn put(&mut self, written: usize, skip: usize, tail: bool, timestamp: i64, waited: i64) {
        let pcm = &mut self.scratch[skip..written];
        sanitise(pcm);
        if tail {
            let fade = self.tail.len().min(pcm.len());
            // Fading from the tail to the audio is fading backwards from the audio to the tail.
            for (n, (sample, tail)) in pcm.iter_mut().zip(&self.tail).enumerate() {
                let share = (n as f32 + 0.5) / fade as f32;
                *sample = tail + (*sample - tail) * share;
            }
        }
        let appended = self.sync.append(pcm);
        let rate = self.config.sample_rate;
        let count = u32::try_from(written).unwrap_or(u32::MAX);
        self.stats.jitter_buffer_delay += duration(waited, rate) * count;
        self.stats.jitter_buffer_target_delay += duration(self.target_samples(), rate) * count;
        self.stats.jitter_buffer_minimum_delay += duration(self.target.delay(), rate) * count;
        self.stats.jitter_buffer_emitted_count += written as u64;
        self.stats.removed_samples_for_acceleration += (written - appended) as u64;
        self.wanted = Some(timestamp + written as i64);
        self.filled = 0;
        self.join = false;
        self.comfort_run = 0;
        self.fade.end();
        self.operation = self.operation.max(Operation::Normal);
    }

    /// Appends at most 10 ms that no packet holds: comfort noise while the sender is silent, else concealment.
    fn invent(&mut self, most: i64, silent_sender: bool, decoder: &mut dyn Decoder) {
        let step = self.tolerance();
        let length = (most.min(4 * step) / step * step).max(step);
        let pcm = &mut self.scratch[..length.unsigned_abs() as usize];
        let comfort = silent_sender && self.comfort_run < COMFORT_SECONDS * self.rate;
        let quiet = !comfort && self.fade.gain() <= 0.0;
        let written = if quiet {
            0
        } else {
            decoder.conceal(pcm).unwrap_or(0).min(pcm.len())
        };
        pcm[written..].fill(0.0);
        sanitise(pcm);
        if comfort {
            self.comfort_run += length;
            self.stats.comfort_noise_samples += length.unsigned_abs();
            self.operation = self.operation.max(Operation::ComfortNoise);
        } else {
            self.stats.concealment_events += u64::from(self.fade.run() == 0);
            self.fade.apply(pcm);
            let (longer, began) = self.fade.interruption(length);
            self.stats.interruptions += u64::from(began);
            self.stats.total_interruption_duration += duration(longer, self.config.sample_rate);
            self.stats.concealed_samples += length.unsigned_abs();
            self.stats.silent_concealed_samples += if quiet { length.unsigned_abs() } else { 0 };
            self.operation = self.operation.max(Operation::Conceal);
        }
        self.sync.append(pcm);
        self.filled = self.filled.saturating_add(length);
    }
}

/// Whatever the decoder made, what is played is a number in [-1, 1].
fn sanitise(pcm: &mut [f32]) {
    for sample in pcm {
        *sample = if sample.is_nan() { 0.0 } else { sample.clamp(-1.0, 1.0) };
    }
}
