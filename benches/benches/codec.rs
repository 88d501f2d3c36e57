//! Benchmarks of `duologue-codec`: 20 ms frames at 32 kb/s with in-band FEC.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]
#![allow(clippy::unwrap_used, reason = "benchmark")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use duologue_codec::{Decoder, DecoderConfig, Encoder, EncoderConfig, has_lbrr};

const FRAME: usize = 960;

/// Something voiced: harmonics of a gliding pitch in syllables.
fn voice() -> Vec<f32> {
    (0..FRAME * 100)
        .map(|n| {
            let t = n as f32 / 48_000.0;
            let phase = std::f32::consts::TAU * 140.0 * t + 3.0 * (t * 2.0).sin();
            let sum: f32 = (1..=12).map(|k| (phase * k as f32).sin() / k as f32).sum();
            0.2 * sum * (t * 9.0).sin().abs()
        })
        .collect()
}

fn packets() -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(EncoderConfig::default()).unwrap();
    let mut buffer = [0; 1276];
    voice()
        .chunks_exact(FRAME)
        .map(|frame| {
            let length = encoder.encode(frame, &mut buffer).unwrap();
            buffer[..length].to_vec()
        })
        .collect()
}

fn encode(c: &mut Criterion) {
    let voice = voice();
    let mut group = c.benchmark_group("codec/encode");
    group.throughput(Throughput::Elements(FRAME as u64));
    for complexity in [0, 5, 9] {
        let mut encoder = Encoder::new(EncoderConfig {
            complexity,
            ..EncoderConfig::default()
        })
        .unwrap();
        let mut frames = voice.chunks_exact(FRAME).cycle();
        let mut packet = [0; 1276];
        group.bench_function(BenchmarkId::from_parameter(complexity), |b| {
            b.iter(|| black_box(encoder.encode(frames.next().unwrap(), &mut packet).unwrap()));
        });
    }
    group.finish();
}

fn decode(c: &mut Criterion) {
    let packets = packets();
    let with_copy: Vec<_> = packets.iter().filter(|packet| has_lbrr(packet)).collect();
    let mut out = [0.0; FRAME];
    for operation in ["decode", "recover", "conceal"] {
        let mut group = c.benchmark_group(format!("codec/{operation}"));
        group.throughput(Throughput::Elements(FRAME as u64));
        for complexity in [0, 5, 7] {
            let mut decoder = Decoder::new(DecoderConfig { complexity }).unwrap();
            let mut all = packets.iter().cycle();
            let mut copies = with_copy.iter().cycle();
            decoder.decode(&packets[20], &mut out).unwrap();
            group.bench_function(BenchmarkId::from_parameter(complexity), |b| {
                b.iter(|| match operation {
                    "decode" => decoder.decode(all.next().unwrap(), &mut out).unwrap(),
                    "recover" => decoder.decode_fec(copies.next().unwrap(), FRAME, &mut out).unwrap(),
                    _ => {
                        // Every other frame is lost: a pair of one decoded and one concealed.
                        decoder.decode(all.next().unwrap(), &mut out).unwrap();
                        decoder.conceal(&mut out).unwrap()
                    }
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, encode, decode);
criterion_main!(benches);
