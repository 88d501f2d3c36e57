//! A virtual clock, seeded traces, and a decoder whose audio shows every sample's origin.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]

use std::f64::consts::{PI, TAU};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use bytes::Bytes;
use duologue_jitter::{DecodeError, Decoder, JitterBuffer, Operation, Packet, PullReport};

pub const RATE: u64 = 48_000;
pub const FRAME: u64 = 960;
pub const BLOCK: usize = 480;

/// Deterministic random numbers (splitmix64).
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// In [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    pub fn gauss(&mut self, deviation: f64) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        deviation * radius * (TAU * self.unit()).cos()
    }
}

/// A voice: harmonics of a gliding pitch in syllables, with pauses of a third of the time. A function of the timestamp alone.
pub fn voice(timestamp: u64) -> f32 {
    static PERIOD: LazyLock<Vec<f32>> = LazyLock::new(|| {
        (0..3 * RATE)
            .map(|n| {
                let t = n as f64 / RATE as f64;
                let phase = TAU * (130.0 * t + 0.6 * (TAU * t / 1.5).sin());
                let talk = if t < 2.0 { (t * 4.0 * PI).sin().abs() } else { 0.0 };
                let sum: f64 = (1..=6).map(|k| (phase * f64::from(k)).sin() / f64::from(k)).sum();
                (0.2 * talk * sum) as f32
            })
            .collect()
    });
    PERIOD[(timestamp % (3 * RATE)) as usize]
}

/// Decodes packets that hold (timestamp, duration, has a copy of the packet before it) to [`voice`]. It conceals by going on with
/// the voice: any click is the buffer's.
pub struct Voice {
    position: u64,
    pub decoded: u64,
    pub recovered: u64,
    pub concealed: u64,
    pub dtx: bool,
}

impl Voice {
    pub fn new() -> Self {
        Self {
            position: 0,
            decoded: 0,
            recovered: 0,
            concealed: 0,
            dtx: false,
        }
    }

    pub fn payload(timestamp: u64, duration: u64, copy: bool) -> Bytes {
        let mut payload = timestamp.to_le_bytes().to_vec();
        payload.extend_from_slice(&(duration as u16).to_le_bytes());
        payload.push(copy.into());
        Bytes::from(payload)
    }

    fn parse(payload: &[u8]) -> Option<(u64, u64, bool)> {
        let timestamp = u64::from_le_bytes(payload.get(..8)?.try_into().ok()?);
        let duration = u16::from_le_bytes(payload.get(8..10)?.try_into().ok()?);
        Some((timestamp, duration.into(), *payload.get(10)? == 1))
    }

    fn speak(&mut self, from: u64, out: &mut [f32]) -> usize {
        for (n, sample) in out.iter_mut().enumerate() {
            *sample = voice(from + n as u64);
        }
        self.position = from + out.len() as u64;
        out.len()
    }
}

impl Decoder for Voice {
    fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, DecodeError> {
        let (timestamp, duration, _) = Self::parse(payload).ok_or(DecodeError)?;
        let out = out.get_mut(..duration as usize).ok_or(DecodeError)?;
        if duration == 0 {
            return Err(DecodeError);
        }
        self.decoded += 1;
        Ok(self.speak(timestamp, out))
    }

    fn recover(&mut self, later: &[u8], samples: usize, out: &mut [f32]) -> Result<usize, DecodeError> {
        let (timestamp, _, copy) = Self::parse(later).ok_or(DecodeError)?;
        if !copy {
            return Ok(0);
        }
        self.recovered += 1;
        let from = timestamp.saturating_sub(samples as u64);
        Ok(self.speak(from, out.get_mut(..samples).ok_or(DecodeError)?))
    }

    fn has_recovery(&self, payload: &[u8]) -> bool {
        Self::parse(payload).is_some_and(|(_, _, copy)| copy)
    }

    fn conceal(&mut self, out: &mut [f32]) -> Result<usize, DecodeError> {
        assert!(
            out.len().is_multiple_of(120) && out.len() <= 5760,
            "concealment of {} samples",
            out.len()
        );
        self.concealed += out.len() as u64;
        Ok(self.speak(self.position, out))
    }

    fn duration(&self, payload: &[u8]) -> Option<usize> {
        Self::parse(payload).map(|(_, duration, _)| duration as usize)
    }

    fn in_dtx(&self) -> bool {
        self.dtx
    }
}

/// One packet on its way: arrival in milliseconds after the start, sequence number, timestamp, duration.
#[derive(Debug, Clone, Copy)]
pub struct Arriving {
    pub at: f64,
    pub sequence: u64,
    pub timestamp: u64,
    pub duration: u64,
}

/// `seconds` of 20 ms packets; `network` gives each packet's delay in ms, or `None` for a lost one. `in_order`: no packet overtakes.
pub fn trace(seconds: f64, in_order: bool, mut network: impl FnMut(u64, f64) -> Option<f64>) -> Vec<Arriving> {
    let mut latest = 0.0_f64;
    let mut packets: Vec<Arriving> = (0..(seconds * 50.0) as u64)
        .filter_map(|n| {
            let sent = n as f64 * 20.0;
            let mut at = sent + 40.0 + network(n, sent)?;
            if in_order {
                at = at.max(latest);
                latest = at;
            }
            Some(Arriving {
                at,
                sequence: n,
                timestamp: n * FRAME,
                duration: FRAME,
            })
        })
        .collect();
    packets.sort_by(|a, b| a.at.total_cmp(&b.at));
    packets
}

/// What a replay showed, second by second where it matters.
#[derive(Debug, Default)]
pub struct Replay {
    /// (milliseconds, added delay in milliseconds, report) of every block.
    pub blocks: Vec<(f64, f64, PullReport)>,
    pub audio: Vec<f32>,
    /// Largest step between neighbouring samples.
    pub largest_step: f32,
}

impl Replay {
    /// Mean added delay over `from..to` seconds, of blocks that play decoded audio.
    pub fn delay(&self, from: f64, to: f64) -> f64 {
        let (sum, count) = self
            .blocks
            .iter()
            .filter(|(at, _, report)| (from * 1e3..to * 1e3).contains(at) && report.operation != Operation::Conceal)
            .fold((0.0, 0.0), |(sum, count), (_, delay, _)| (sum + delay, count + 1.0));
        sum / count
    }

    /// Percent of blocks in `from..to` seconds that conceal.
    pub fn concealed(&self, from: f64, to: f64) -> f64 {
        let inside: Vec<_> = self
            .blocks
            .iter()
            .filter(|(at, ..)| (from * 1e3..to * 1e3).contains(at))
            .map(|block| block.2)
            .collect();
        let concealed = inside
            .iter()
            .filter(|report| report.operation == Operation::Conceal)
            .count();
        100.0 * concealed as f64 / inside.len() as f64
    }

    pub fn stretches(&self, from: f64) -> usize {
        let stretched = [Operation::Accelerate, Operation::PreemptiveExpand];
        self.blocks
            .iter()
            .filter(|(at, _, report)| *at >= from * 1e3 && stretched.contains(&report.operation))
            .count()
    }
}

/// Plays a trace against the virtual clock in blocks of 10 ms, the receiver's clock `ppm` fast. Added delay is what the network and
/// the buffer add to the fixed 40 ms of every trace: playout instant minus capture instant minus 40 ms.
pub fn replay(buffer: &mut JitterBuffer, packets: &[Arriving], copies: bool, ppm: f64) -> Replay {
    #[expect(
        clippy::disallowed_methods,
        reason = "one arbitrary instant as the origin of virtual time"
    )]
    let origin = Instant::now();
    let at = |millis: f64| origin + Duration::from_nanos((millis * 1e6) as u64);
    let mut decoder = Voice::new();
    let mut replay = Replay::default();
    let mut packets = packets.iter().peekable();
    let mut tick = 3.7; // no relation to the sender's ticks
    let mut out = [0.0; BLOCK];
    let mut previous = 0.0;
    while packets.peek().is_some() {
        while let Some(packet) = packets.next_if(|packet| packet.at <= tick) {
            let payload = Voice::payload(packet.timestamp, packet.duration, copies);
            let (sequence, timestamp) = (packet.sequence, packet.timestamp);
            buffer.insert(
                Packet {
                    sequence,
                    timestamp,
                    payload,
                    duration_hint: None,
                },
                at(packet.at),
            );
        }
        let report = buffer.pull(at(tick), &mut decoder, &mut out);
        let added = tick - report.playout_timestamp as f64 / 48.0 - 40.0;
        if report.operation != Operation::Silence {
            replay.blocks.push((tick, added, report));
        }
        for &sample in &out {
            replay.largest_step = replay.largest_step.max((sample - previous).abs());
            previous = sample;
        }
        replay.audio.extend_from_slice(&out);
        check(buffer);
        tick += 10.0 * (1.0 + ppm * 1e-6);
    }
    replay
}

/// What must hold at every moment.
pub fn check(buffer: &JitterBuffer) {
    let stats = buffer.stats();
    assert_eq!(
        stats.jitter_buffer_emitted_count
            + stats.concealed_samples
            + stats.comfort_noise_samples
            + stats.inserted_samples_for_deceleration,
        stats.total_samples_received + stats.removed_samples_for_acceleration + buffer.pending_samples() as u64,
    );
    assert!(stats.silent_concealed_samples <= stats.concealed_samples);
    assert!(stats.fec_packets_discarded <= stats.fec_packets_received);
}
