//! Benchmarks of `duologue-srtp`: one packet of 20 ms Opus at 32 kb/s.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]
#![allow(clippy::unwrap_used, reason = "benchmark")]

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use duologue_srtp::{KeyingMaterial, Profile, Receiver, Sender};

const PAYLOAD: usize = 80;
/// Packets per measured batch when a receiver needs fresh ones.
const BATCH: u16 = 1000;

fn keys(profile: Profile) -> KeyingMaterial {
    KeyingMaterial::from_dtls(profile, &vec![9; profile.keying_material_len()], true).unwrap()
}

fn rtp(sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 111, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet.resize(12 + PAYLOAD, 0x5a);
    packet
}

fn protect(c: &mut Criterion) {
    let mut group = c.benchmark_group("srtp/protect");
    group.throughput(Throughput::Bytes(PAYLOAD as u64));
    for profile in Profile::ALL {
        let mut sender = Sender::new(profile, &keys(profile).local).unwrap();
        let mut packet = rtp(0);
        let mut sequence = 0_u16;
        let mut out = Vec::new();
        group.bench_function(BenchmarkId::from_parameter(profile.name()), |b| {
            b.iter(|| {
                packet[2..4].copy_from_slice(&sequence.to_be_bytes());
                sequence = sequence.wrapping_add(1);
                sender.protect_rtp(black_box(&packet), &mut out).unwrap();
                black_box(out.len())
            });
        });
    }
    group.finish();
}

fn unprotect(c: &mut Criterion) {
    let mut group = c.benchmark_group("srtp/unprotect");
    group.throughput(Throughput::Elements(u64::from(BATCH)));
    for profile in Profile::ALL {
        let keys = keys(profile);
        let mut sender = Sender::new(profile, &keys.local).unwrap();
        let wires: Vec<Vec<u8>> = (0..BATCH)
            .map(|sequence| {
                let mut wire = Vec::new();
                sender.protect_rtp(&rtp(sequence), &mut wire).unwrap();
                wire
            })
            .collect();
        let mut out = Vec::with_capacity(2048);
        // A packet can be opened once, so each batch gets a new receiver; making it is not measured.
        group.bench_function(BenchmarkId::from_parameter(profile.name()), |b| {
            b.iter_batched_ref(
                || Receiver::new(profile, &keys.local).unwrap(),
                |receiver| {
                    for wire in &wires {
                        receiver.unprotect_rtp(black_box(wire), &mut out).unwrap();
                    }
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, protect, unprotect);
criterion_main!(benches);
