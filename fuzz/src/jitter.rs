//! Fuzz bodies of `duologue-jitter`.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

pub use self::signal::jitter_signal;
use bytes::Bytes;
use duologue_jitter::{Config, DecodeError, Decoder, InsertOutcome, JitterBuffer, Operation, Packet};

mod signal;

/// Takes the input apart, byte by byte; an exhausted input gives zeros.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        first
    }

    fn long(&mut self) -> u64 {
        (0..8).fold(0, |number, _| number << 8 | u64::from(self.byte()))
    }
}

/// The reference model: what a decoder may be asked, given what was inserted. A payload is (stream, timestamp, duration, flags).
#[derive(Default)]
struct Model {
    /// Streams are numbered from one reset or restart to the next.
    stream: u64,
    inserted: BTreeSet<(u64, u64)>,
    /// Timestamp after the last sample decoded or recovered, and its stream.
    end: Option<(u64, u64)>,
    decoded: u64,
    recovered: u64,
    dtx: bool,
}

const COPY: u8 = 1;
const BROKEN: u8 = 2;
const BROKEN_COPY: u8 = 4;

fn payload(timestamp: u64, duration: u16, flags: u8) -> Bytes {
    let mut bytes = timestamp.to_be_bytes().to_vec();
    bytes.extend_from_slice(&duration.to_be_bytes());
    bytes.push(flags);
    Bytes::from(bytes)
}

fn parse(payload: &[u8]) -> Option<(u64, u16, u8)> {
    let timestamp = u64::from_be_bytes(payload.get(..8)?.try_into().ok()?);
    Some((
        timestamp,
        u16::from_be_bytes(payload.get(8..10)?.try_into().ok()?),
        *payload.get(10)?,
    ))
}

impl Model {
    /// Audio from `from` on is about to be played. Overlaps of up to 2.5 ms are the same place.
    fn advance(&mut self, from: u64, to: u64) {
        if let Some((stream, end)) = self.end
            && stream == self.stream
        {
            assert!(
                from.wrapping_sub(end) as i64 >= -120,
                "audio at {from} after audio up to {end}"
            );
        }
        self.end = Some((self.stream, to));
    }
}

impl Decoder for Model {
    fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, DecodeError> {
        assert_eq!(out.len(), 5760);
        let (timestamp, duration, flags) = parse(payload).ok_or(DecodeError)?;
        if flags & BROKEN != 0 || duration == 0 {
            return Err(DecodeError);
        }
        assert!(
            self.inserted.remove(&(self.stream, timestamp)),
            "decoded what was not inserted, or twice"
        );
        let out = &mut out[..usize::from(duration).min(5760)];
        out.fill(0.25);
        self.advance(timestamp, timestamp.wrapping_add(out.len() as u64));
        self.decoded += 1;
        Ok(out.len())
    }

    fn recover(&mut self, later: &[u8], samples: usize, out: &mut [f32]) -> Result<usize, DecodeError> {
        assert!(samples > 0 && samples.is_multiple_of(120) && samples <= out.len());
        let (timestamp, _, flags) = parse(later).ok_or(DecodeError)?;
        assert_ne!(flags & COPY, 0, "asked for a copy that is not there");
        if flags & BROKEN_COPY != 0 {
            return Err(DecodeError);
        }
        self.advance(timestamp.wrapping_sub(samples as u64), timestamp);
        out[..samples].fill(f32::NAN);
        self.recovered += 1;
        Ok(samples)
    }

    fn has_recovery(&self, payload: &[u8]) -> bool {
        parse(payload).is_some_and(|(_, _, flags)| flags & COPY != 0)
    }

    fn conceal(&mut self, out: &mut [f32]) -> Result<usize, DecodeError> {
        assert!(!out.is_empty() && out.len().is_multiple_of(120) && out.len() <= 5760);
        out.fill(7.0);
        // Less than asked for, now and then.
        Ok(if self.decoded % 5 == 4 {
            out.len() / 2
        } else {
            out.len()
        })
    }

    fn duration(&self, payload: &[u8]) -> Option<usize> {
        parse(payload).map(|(_, duration, _)| duration.into())
    }

    fn in_dtx(&self) -> bool {
        self.dtx
    }
}

/// Any sequence of insertions, pulls, waits, resets and limit changes.
///
/// Invariants: a pull fills its block with finite audio in range; timestamps do not go back within a stream; nothing is decoded twice,
/// out of order, or without having been inserted; the counters of samples and of packets add up; the queue keeps its bound.
pub fn jitter_ops(data: &[u8]) {
    let mut input = Input(data);
    let max_packets = usize::from(input.byte());
    let mut buffer = JitterBuffer::new(Config {
        max_packets,
        ..Config::default()
    });
    let mut now = Instant::now();
    let mut model = Model::default();
    let (mut sequence, mut timestamp) = (1_u64 << 32, 1_u64 << 40);
    let (mut held, mut last) = (0, None);
    let mut given = 0;
    while !input.0.is_empty() {
        match input.byte() % 16 {
            op @ 0..=6 => {
                match op {
                    0 => (sequence, timestamp) = (input.long(), input.long()),
                    1 | 2 => {
                        sequence = sequence.wrapping_add_signed(i64::from(input.byte() as i8));
                        timestamp = timestamp.wrapping_add_signed(i64::from(input.byte() as i8) * 120);
                    }
                    _ => (sequence, timestamp) = (sequence.wrapping_add(1), timestamp.wrapping_add(960)),
                }
                let shape = input.byte();
                let duration = [960, 960, 960, 480, 120, 1920, 5760, 0][usize::from(shape >> 3) % 8];
                let payload = payload(timestamp, duration, shape & 7);
                let flushes = buffer.stats().flushes;
                let outcome = buffer.insert(
                    Packet {
                        sequence,
                        timestamp,
                        payload,
                        duration_hint: None,
                    },
                    now,
                );
                held = u64::from(outcome == InsertOutcome::Held);
                if buffer.stats().flushes != flushes {
                    // The packet held before this one belongs to the new stream as well.
                    let old = model.stream;
                    model.stream += 1;
                    let moved: Vec<u64> = model.inserted.iter().filter(|of| of.0 == old).map(|of| of.1).collect();
                    model.inserted = moved.into_iter().map(|timestamp| (model.stream, timestamp)).collect();
                    last = None;
                }
                if outcome != InsertOutcome::TooLate {
                    model.inserted.insert((model.stream, timestamp));
                }
            }
            7..=11 => {
                let length = [480, 480, 120, 960, 441, 1][usize::from(input.byte()) % 6];
                let mut out = vec![f32::NAN; length];
                let report = buffer.pull(now, &mut model, &mut out);
                assert_eq!(report.samples, length);
                assert!(out.iter().all(|sample| sample.abs() <= 1.0));
                if report.playout_timestamp != 0 {
                    if let Some(last) = last {
                        assert!(report.playout_timestamp.wrapping_sub(last) as i64 >= 0);
                    }
                    last = Some(report.playout_timestamp);
                }
                given += if report.operation == Operation::Silence {
                    0
                } else {
                    length as u64
                };
            }
            12 | 13 => now += Duration::from_micros(u64::from(input.byte()) * 500),
            14 => now += Duration::from_millis(u64::from(input.byte()) * 40),
            _ => match input.byte() % 6 {
                0 => {
                    buffer.reset();
                    model.stream += 1;
                    (held, last) = (0, None);
                }
                1 => model.dtx = !model.dtx,
                2 => {
                    let round_trip = Duration::from_millis(u64::from(input.byte()) * 2);
                    let wishes: Vec<_> = buffer.wishes(now, round_trip).collect();
                    assert!(wishes.len() <= 64);
                    for wish in &wishes {
                        buffer.expect(wish.sequence, now + round_trip);
                    }
                    let again = buffer
                        .wishes(now, round_trip)
                        .any(|again| wishes.iter().any(|wish| wish.sequence == again.sequence));
                    assert!(!again, "asked for twice");
                }
                3 => buffer.set_path_delay(Duration::from_millis(u64::from(input.byte()) * 4)),
                4 => buffer.set_max_delay(Duration::from_millis(u64::from(input.byte()) * 4)),
                _ => buffer.set_min_delay(Duration::from_millis(input.byte().into())),
            },
        }
        let stats = buffer.stats();
        assert!(buffer.queued_packets() <= max_packets.max(4));
        assert!(stats.total_samples_received <= given);
        assert_eq!(
            stats.jitter_buffer_emitted_count
                + stats.concealed_samples
                + stats.comfort_noise_samples
                + stats.inserted_samples_for_deceleration,
            stats.total_samples_received + stats.removed_samples_for_acceleration + buffer.pending_samples() as u64,
        );
        let known = model.decoded + stats.packets_discarded + buffer.queued_packets() as u64 + held;
        assert_eq!(stats.packets_received, known);
        assert_eq!(stats.packets_recovered, model.recovered);
    }
}
