//! Whatever is done to a buffer, in whatever order: the output is whole and finite, the counters add up, memory is bounded.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::{Duration, Instant};

use bytes::Bytes;
use common::{Voice, check};
use duologue_jitter::{Config, InsertOutcome, JitterBuffer, Packet};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Insert {
        sequence: i64,
        timestamp: i64,
        duration: u64,
        copy: bool,
    },
    Garbage(Vec<u8>),
    Pull(usize),
    Wait(u64),
    Reset,
    Dtx(bool),
    Limits {
        min: u64,
        max: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let near = (
        -3..6_i64,
        -6..12_i64,
        prop::sample::select(vec![0_u64, 1, 120, 480, 960, 1920, 5760]),
        any::<bool>(),
    );
    prop_oneof![
        8 => near.prop_map(|(sequence, timestamp, duration, copy)| {
            Step::Insert { sequence, timestamp: timestamp * 480, duration, copy }
        }),
        1 => (any::<i64>(), any::<i64>(), 0..9000_u64, any::<bool>()).prop_map(|(sequence, timestamp, duration, copy)| {
            Step::Insert { sequence, timestamp, duration, copy }
        }),
        1 => prop::collection::vec(any::<u8>(), 0..20).prop_map(Step::Garbage),
        8 => prop_oneof![Just(480_usize), Just(120), 0..3000_usize].prop_map(Step::Pull),
        4 => prop_oneof![Just(10_000_u64), 0..40_000_u64, 0..5_000_000_u64].prop_map(Step::Wait),
        1 => Just(Step::Reset),
        1 => any::<bool>().prop_map(Step::Dtx),
        1 => (0..300_u64, 0..600_u64).prop_map(|(min, max)| Step::Limits { min, max }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn hold_for_any_use(max_packets in 0..40_usize, steps in prop::collection::vec(step(), 1..200)) {
        #[expect(clippy::disallowed_methods, reason = "one arbitrary instant as the origin of virtual time")]
        let mut now = Instant::now();
        let mut buffer = JitterBuffer::new(Config { max_packets, ..Config::default() });
        let mut decoder = Voice::new();
        let (mut sequence, mut timestamp) = (1_u64 << 20, 1_u64 << 30);
        let (mut held, mut last, mut flushes) = (0, 0, 0);
        for step in steps {
            match step {
                Step::Insert { sequence: by, timestamp: ahead, duration, copy } => {
                    sequence = sequence.wrapping_add_signed(by);
                    timestamp = timestamp.wrapping_add_signed(ahead);
                    let payload = Voice::payload(timestamp, duration, copy);
                    let outcome = buffer.insert(Packet { sequence, timestamp, payload, duration_hint: None }, now);
                    held = u64::from(outcome == InsertOutcome::Held);
                }
                Step::Garbage(bytes) => {
                    let payload = Bytes::from(bytes);
                    let outcome = buffer.insert(Packet { sequence, timestamp, payload, duration_hint: Some(960) }, now);
                    held = u64::from(outcome == InsertOutcome::Held);
                }
                Step::Pull(length) => {
                    let mut out = vec![f32::NAN; length];
                    let report = buffer.pull(now, &mut decoder, &mut out);
                    prop_assert_eq!(report.samples, length);
                    prop_assert!(out.iter().all(|sample| sample.is_finite() && sample.abs() <= 1.0));
                    if buffer.stats().flushes == flushes && last != 0 && report.playout_timestamp != 0 {
                        prop_assert!(report.playout_timestamp.wrapping_sub(last) as i64 >= 0);
                    }
                    (last, flushes) = (report.playout_timestamp, buffer.stats().flushes);
                }
                Step::Wait(micros) => now += Duration::from_micros(micros),
                Step::Reset => {
                    buffer.reset();
                    held = 0;
                }
                Step::Dtx(dtx) => decoder.dtx = dtx,
                Step::Limits { min, max } => {
                    buffer.set_min_delay(Duration::from_millis(min));
                    buffer.set_max_delay(Duration::from_millis(max));
                    prop_assert!(buffer.target_delay() <= Duration::from_millis(max));
                }
            }
            check(&buffer);
            prop_assert!(buffer.queued_packets() <= max_packets.max(4));
            let stats = buffer.stats();
            // Every packet is played, dropped, waiting, or held aside.
            let known = decoder.decoded + stats.packets_discarded + buffer.queued_packets() as u64 + held;
            prop_assert_eq!(stats.packets_received, known);
        }
    }
}
