//! Benchmarks of `duologue-jitter` without a codec: the decoder copies ready-made audio. A pull is 10 ms of 48 kHz mono.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]
#![allow(clippy::unwrap_used, reason = "benchmark")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use duologue_jitter::{Config, DecodeError, Decoder, JitterBuffer, Packet};

const BLOCK: usize = 480;
const FRAME: usize = 960;

/// Gives 20 ms of a tone for every packet, and the same to conceal with.
struct Tone(Vec<f32>);

impl Tone {
    fn new() -> Self {
        Self((0..5760).map(|n| 0.3 * (n as f32 * 0.03).sin()).collect())
    }
}

impl Decoder for Tone {
    fn decode(&mut self, _: &[u8], out: &mut [f32]) -> Result<usize, DecodeError> {
        out[..FRAME].copy_from_slice(&self.0[..FRAME]);
        Ok(FRAME)
    }
    fn recover(&mut self, _: &[u8], samples: usize, out: &mut [f32]) -> Result<usize, DecodeError> {
        out[..samples].copy_from_slice(&self.0[..samples]);
        Ok(samples)
    }
    fn has_recovery(&self, payload: &[u8]) -> bool {
        payload.len() % 2 == 1
    }
    fn conceal(&mut self, out: &mut [f32]) -> Result<usize, DecodeError> {
        let length = out.len();
        out.copy_from_slice(&self.0[..length]);
        Ok(length)
    }
    fn duration(&self, _: &[u8]) -> Option<usize> {
        Some(FRAME)
    }
    fn in_dtx(&self) -> bool {
        false
    }
}

/// How late, in ms, the packet of this number comes; `None` is lost. Deterministic.
type Delay = fn(u64) -> Option<u64>;

fn traces() -> [(&'static str, Delay); 3] {
    [
        ("calm", |_| Some(0)),
        ("jitter", |n| Some((n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % 60)),
        ("loss", |n| {
            ((n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % 10 > 0).then_some(0)
        }),
    ]
}

fn packet(n: u64) -> Packet {
    Packet {
        sequence: n,
        timestamp: n * FRAME as u64,
        payload: Bytes::from_static(&[1; 80]),
        duration_hint: None,
    }
}

fn insert(c: &mut Criterion) {
    let mut group = c.benchmark_group("jitter/insert");
    group.throughput(Throughput::Elements(1));
    let start = Instant::now();
    for (name, delay) in traces() {
        let mut buffer = JitterBuffer::new(Config::default());
        let mut n = 0;
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| {
                n += 1;
                let at = start + Duration::from_millis(n * 20 + delay(n).unwrap_or(0));
                black_box(buffer.insert(packet(n), at))
            });
        });
    }
    group.finish();
}

/// Two pulls and one insertion: 20 ms of a call.
fn call(c: &mut Criterion) {
    let mut group = c.benchmark_group("jitter/call-20ms");
    group.throughput(Throughput::Elements(FRAME as u64));
    let start = Instant::now();
    for (name, delay) in traces() {
        let mut buffer = JitterBuffer::new(Config::default());
        let mut decoder = Tone::new();
        let mut out = [0.0; BLOCK];
        let mut n = 0;
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| {
                n += 1;
                // Delays of up to 60 ms show in what comes before a tick: packets of this one and of the three before.
                for before in 0..4.min(n) {
                    let sent = n - before;
                    if let Some(late) = delay(sent).filter(|late| late / 20 == before) {
                        buffer.insert(packet(sent), start + Duration::from_millis(sent * 20 + late));
                    }
                }
                for half in 0..2 {
                    let now = start + Duration::from_millis(n * 20 + half * 10 + 10);
                    black_box(buffer.pull(now, &mut decoder, &mut out));
                }
            });
        });
    }
    group.finish();
}

/// What a pull does by what there is to do: packets of a call whose clock or losses keep the buffer in one state most of the time.
fn pull(c: &mut Criterion) {
    let mut group = c.benchmark_group("jitter/pull");
    group.throughput(Throughput::Elements(BLOCK as u64));
    // Name, packets per 1000 that come, speed of the sender in thousandths.
    for (name, kept, speed) in [
        ("normal", 1000, 1000),
        ("accelerate", 1000, 1060),
        ("expand", 1000, 940),
        ("conceal", 0, 1000),
    ] {
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            let mut call = Call::new();
            // Half a second of all packets, so that there is something to go on with.
            (0..50).for_each(|_| call.tick(1000, 1000));
            b.iter(|| call.tick(kept, speed));
        });
    }
    group.finish();
}

/// A call in ticks of 10 ms.
struct Call {
    buffer: JitterBuffer,
    decoder: Tone,
    start: Instant,
    out: [f32; BLOCK],
    tick: u64,
    sent: u64,
    /// Thousandths of samples that the sender has captured.
    captured: u64,
}

impl Call {
    fn new() -> Self {
        Self {
            buffer: JitterBuffer::new(Config::default()),
            decoder: Tone::new(),
            start: Instant::now(),
            out: [0.0; BLOCK],
            tick: 0,
            sent: 0,
            captured: 0,
        }
    }

    /// 10 ms of a sender that is `speed` thousandths as fast as the receiver, of whose packets `kept` of 1000 come.
    fn tick(&mut self, kept: u64, speed: u64) {
        let now = self.start + Duration::from_millis(self.tick * 10);
        self.captured += BLOCK as u64 * speed;
        while (self.sent + 1) * FRAME as u64 * 1000 <= self.captured {
            if self.sent % 1000 < kept {
                self.buffer.insert(packet(self.sent), now);
            }
            self.sent += 1;
        }
        black_box(self.buffer.pull(now, &mut self.decoder, &mut self.out));
        self.tick += 1;
    }
}

/// NetEq's own performance test: 100 s of a call, every `lost`-th packet missing, the sender's clock 10 % fast and after half of the
/// time 10 % slow where it drifts.
fn neteq_performance(c: &mut Criterion) {
    const TICKS: u64 = 10_000;
    let mut group = c.benchmark_group("jitter/100s");
    group.sample_size(10);
    for (name, lossy, drifting) in [("0_Pl_0_Drift", false, false), ("10_Pl_10_Drift", true, true)] {
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut call = Call::new();
                for tick in 0..TICKS {
                    let speed = match (drifting, tick < TICKS / 2) {
                        (false, _) => 1000,
                        (true, true) => 1100,
                        (true, false) => 900,
                    };
                    let kept = if lossy && call.sent % 10 == 9 { 0 } else { 1000 };
                    call.tick(kept, speed);
                }
                black_box(call.buffer.stats().total_samples_received)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, insert, call, pull, neteq_performance);
criterion_main!(benches);
