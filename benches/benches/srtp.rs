//! Benchmarks of `duologue-srtp` and of two other stacks beside it: one packet of 20 ms Opus at 32 kb/s.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]
#![allow(clippy::unwrap_used, reason = "benchmark")]

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use duologue_srtp::{KeyingMaterial, MasterKey, Profile, Receiver, Sender};
use rtc_srtp::context::Context as RtcContext;
use rtc_srtp::protection_profile::ProtectionProfile as RtcProfile;
use webrtc_srtp::context::Context as WebrtcContext;
use webrtc_srtp::protection_profile::ProtectionProfile as WebrtcProfile;

const PAYLOAD: usize = 80;
/// Packets per measured batch when a receiver needs fresh ones.
const BATCH: u16 = 1000;

fn keys(profile: Profile) -> KeyingMaterial {
    KeyingMaterial::from_dtls(profile, &vec![9; profile.keying_material_len()], true).unwrap()
}

/// The two suites that browsers negotiate, as each stack names them.
const SHARED: [(Profile, RtcProfile, WebrtcProfile); 2] = [
    (
        Profile::Aes128CmHmacSha1_80,
        RtcProfile::Aes128CmHmacSha1_80,
        WebrtcProfile::Aes128CmHmacSha1_80,
    ),
    (
        Profile::AeadAes128Gcm,
        RtcProfile::AeadAes128Gcm,
        WebrtcProfile::AeadAes128Gcm,
    ),
];

fn rtc(key: &MasterKey, profile: RtcProfile) -> RtcContext {
    let provider = rtc_crypto::default_provider().unwrap();
    RtcContext::new(&key.key, &key.salt, profile, None, None, provider.crypto()).unwrap()
}

fn webrtc(key: &MasterKey, profile: WebrtcProfile) -> WebrtcContext {
    // Without these options it remembers no packets and takes each as often as it comes.
    let window = || Some(webrtc_srtp::option::srtp_replay_protection(64));
    WebrtcContext::new(&key.key, &key.salt, profile, window(), None).unwrap()
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
        group.bench_function(BenchmarkId::new("ours", profile.name()), |b| {
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

/// The same packets through the other stacks, which return each in an allocation of its own.
fn protect_elsewhere(c: &mut Criterion) {
    let mut group = c.benchmark_group("srtp/protect");
    group.throughput(Throughput::Bytes(PAYLOAD as u64));
    for (profile, rtc_profile, webrtc_profile) in SHARED {
        let key = keys(profile).local;
        let (mut rtc, mut webrtc) = (rtc(&key, rtc_profile), webrtc(&key, webrtc_profile));
        let mut packet = rtp(0);
        let mut sequence = 0_u16;
        let mut next = |packet: &mut Vec<u8>| {
            packet[2..4].copy_from_slice(&sequence.to_be_bytes());
            sequence = sequence.wrapping_add(1);
        };
        group.bench_function(BenchmarkId::new("rtc-srtp", profile.name()), |b| {
            b.iter(|| {
                next(&mut packet);
                black_box(rtc.encrypt_rtp(black_box(&packet)).unwrap().len())
            });
        });
        group.bench_function(BenchmarkId::new("webrtc-srtp", profile.name()), |b| {
            b.iter(|| {
                next(&mut packet);
                black_box(webrtc.encrypt_rtp(black_box(&packet)).unwrap().len())
            });
        });
    }
    group.finish();
}

/// What our sender protects, opened by the other stacks.
fn unprotect_elsewhere(c: &mut Criterion) {
    let mut group = c.benchmark_group("srtp/unprotect");
    group.throughput(Throughput::Elements(u64::from(BATCH)));
    for (profile, rtc_profile, webrtc_profile) in SHARED {
        let keys = keys(profile);
        let wires = wires(profile, &keys);
        group.bench_function(BenchmarkId::new("rtc-srtp", profile.name()), |b| {
            b.iter_batched_ref(
                || rtc(&keys.local, rtc_profile),
                |context| {
                    for wire in &wires {
                        black_box(context.decrypt_rtp(black_box(wire)).unwrap());
                    }
                },
                BatchSize::SmallInput,
            );
        });
        group.bench_function(BenchmarkId::new("webrtc-srtp", profile.name()), |b| {
            b.iter_batched_ref(
                || webrtc(&keys.local, webrtc_profile),
                |context| {
                    for wire in &wires {
                        black_box(context.decrypt_rtp(black_box(wire)).unwrap());
                    }
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn wires(profile: Profile, keys: &KeyingMaterial) -> Vec<Vec<u8>> {
    let mut sender = Sender::new(profile, &keys.local).unwrap();
    (0..BATCH)
        .map(|sequence| {
            let mut wire = Vec::new();
            sender.protect_rtp(&rtp(sequence), &mut wire).unwrap();
            wire
        })
        .collect()
}

fn unprotect(c: &mut Criterion) {
    let mut group = c.benchmark_group("srtp/unprotect");
    group.throughput(Throughput::Elements(u64::from(BATCH)));
    for profile in Profile::ALL {
        let keys = keys(profile);
        let wires = wires(profile, &keys);
        let mut out = Vec::with_capacity(2048);
        // A packet can be opened once, so each batch gets a new receiver; making it is not measured.
        group.bench_function(BenchmarkId::new("ours", profile.name()), |b| {
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

criterion_group!(benches, protect, protect_elsewhere, unprotect, unprotect_elsewhere);
criterion_main!(benches);
