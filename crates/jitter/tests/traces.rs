//! Whole streams over networks of known behaviour, against a virtual clock: bounds on the delay that the buffer adds and on what it
//! has to conceal. The traces are seeded, so every figure is the same in every run; the bounds leave about a fifth of room.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::{Arriving, FRAME, Replay, Rng, replay, trace};
use duologue_jitter::{Config, JitterBuffer, Operation};

/// The voice never steps further than this from one sample to the next; what does is a click.
const CLICK: f32 = 0.04;

fn play(packets: &[Arriving], copies: bool, ppm: f64) -> (Replay, JitterBuffer) {
    let mut buffer = JitterBuffer::new(Config::default());
    let replay = replay(&mut buffer, packets, copies, ppm);
    assert!(replay.largest_step < CLICK, "a click: {}", replay.largest_step);
    (replay, buffer)
}

#[test]
fn a_clean_network_costs_little_and_is_left_alone() {
    let (replay, buffer) = play(&trace(20.0, true, |_, _| Some(0.0)), false, 0.0);
    assert!(replay.delay(2.0, 20.0) < 20.0, "{} ms", replay.delay(2.0, 20.0));
    assert_eq!(replay.stretches(2.0), 0);
    assert_eq!(buffer.stats().concealed_samples, 0);
    assert_eq!(buffer.stats().packets_discarded, 0);
}

#[test]
fn mild_jitter() {
    let mut rng = Rng::new(1);
    let (replay, _) = play(&trace(60.0, true, |_, _| Some(rng.exponential(5.0))), false, 0.0);
    assert!(replay.delay(1.0, 60.0) < 44.0, "{} ms", replay.delay(1.0, 60.0));
    assert!(replay.concealed(0.0, 60.0) < 0.2, "{} %", replay.concealed(0.0, 60.0));
}

#[test]
fn reordering_is_waited_for() {
    let mut rng = Rng::new(2);
    let (replay, buffer) = play(&trace(60.0, false, |_, _| Some(rng.gauss(40.0).abs())), false, 0.0);
    assert!(buffer.stats().packets_reordered > 500);
    assert!(replay.delay(1.0, 60.0) < 140.0, "{} ms", replay.delay(1.0, 60.0));
    assert!(replay.concealed(0.0, 60.0) < 0.4, "{} %", replay.concealed(0.0, 60.0));
}

/// Gilbert-Elliott loss of about 5 % in bursts of 2. A lost packet is recoverable when the one after it arrives.
#[test]
fn nearly_every_usable_copy_is_used() {
    let mut shares = Vec::new();
    for copies in [false, true] {
        let mut rng = Rng::new(3);
        let (mut lost, mut usable) = (0, 0);
        let packets = trace(60.0, true, |_, _| {
            let before = lost;
            if rng.unit()
                < if shares.len() > 9 || before % 2 == 1 {
                    0.5
                } else {
                    0.025
                }
            {
                lost += 1;
                return None;
            }
            Some(rng.exponential(5.0))
        });
        for pair in packets.windows(2) {
            let mut sequences = [pair[0].sequence, pair[1].sequence];
            sequences.sort_unstable();
            usable += u64::from(sequences[1] - sequences[0] > 1);
        }
        let (replay, buffer) = play(&packets, copies, 0.0);
        let stats = buffer.stats();
        if copies {
            assert!(usable > 40, "{usable} usable copies are too few to tell");
            assert!(
                stats.packets_recovered * 100 >= usable * 97,
                "{} of {usable}",
                stats.packets_recovered
            );
            assert_eq!(
                stats.fec_packets_received - stats.fec_packets_discarded,
                stats.packets_recovered
            );
        } else {
            assert_eq!(stats.packets_recovered, 0);
        }
        assert!(replay.delay(1.0, 60.0) < 44.0, "{} ms", replay.delay(1.0, 60.0));
        shares.push(replay.concealed(0.0, 60.0));
    }
    assert!(shares[1] < shares[0] - 1.0, "concealed {shares:?} %");
}

/// One stall: back within 20 ms of the delay before it in 2.5 s, early in a call and late.
#[test]
fn a_stall_is_drained_and_not_learnt_as_jitter() {
    for (start, length) in [(5e3, 300.0), (5e3, 600.0), (30e3, 300.0), (30e3, 600.0)] {
        let mut rng = Rng::new(4);
        let end = start + length;
        let stalled = |sent: f64| (start..end).contains(&sent).then_some(end - sent);
        let packets = trace(45.0, true, |_, sent| {
            Some(stalled(sent).unwrap_or_else(|| rng.exponential(5.0)))
        });
        let (replay, _) = play(&packets, false, 0.0);
        let before = replay.delay(start / 1e3 - 1.0, start / 1e3);
        let after = replay.delay(end / 1e3 + 2.5, end / 1e3 + 3.5);
        assert!(
            after < before + 20.0,
            "stall of {length} ms at {start}: {before} ms before, {after} ms after"
        );
    }
}

#[test]
fn a_step_of_the_delay_is_followed_up_and_down() {
    let mut rng = Rng::new(8);
    let step = |sent: f64| if (20e3..40e3).contains(&sent) { 120.0 } else { 0.0 };
    let (replay, _) = play(
        &trace(60.0, true, |_, sent| Some(rng.exponential(5.0) + step(sent))),
        false,
        0.0,
    );
    assert!(replay.delay(2.0, 20.0) < 50.0);
    assert!(replay.concealed(20.0, 26.0) < 5.0, "{} %", replay.concealed(20.0, 26.0));
    assert_eq!(replay.concealed(30.0, 40.0).round(), 0.0);
}

/// Clocks that run apart, and nothing else: the delay stays, nothing is concealed.
#[test]
fn drift_is_followed_without_concealment() {
    for ppm in [300.0, -300.0, 1000.0, -1000.0] {
        let (replay, buffer) = play(&trace(120.0, true, |_, _| Some(0.0)), false, ppm);
        assert_eq!(buffer.stats().concealed_samples, 0, "{ppm} ppm");
        let stats = buffer.stats();
        let moved = stats.removed_samples_for_acceleration as f64 - stats.inserted_samples_for_deceleration as f64;
        // 120 s of drift, and what the start delay was above the target.
        let drifted = ppm * 1e-6 * 120.0 * 48_000.0;
        assert!(
            (moved - drifted).abs() < 48.0 * 45.0,
            "{ppm} ppm: moved {moved} samples, drifted {drifted}"
        );
        assert!(replay.stretches(2.0) > 0);
        assert!(
            buffer.current_delay() < Duration::from_millis(25),
            "{ppm} ppm: {:?}",
            buffer.current_delay()
        );
    }
}

/// A sender that starts anew, with timestamps and sequence numbers far back or far ahead, is heard again within 200 ms.
#[test]
fn a_restarted_sender_is_followed() {
    for origin in [(1_u64 << 40, 10), (1 << 40, 1 << 50)] {
        let packets: Vec<_> = trace(10.0, true, |_, _| Some(0.0))
            .into_iter()
            .map(|packet| {
                let (sequence, timestamp) = if packet.sequence < 250 {
                    (1000, origin.0)
                } else {
                    (9, origin.1)
                };
                let (sequence, timestamp) = (sequence + packet.sequence, timestamp + packet.timestamp);
                Arriving {
                    sequence,
                    timestamp,
                    ..packet
                }
            })
            .collect();
        let mut buffer = JitterBuffer::new(Config::default());
        let replay = replay(&mut buffer, &packets, false, 0.0);
        assert!(replay.largest_step < CLICK, "a click: {}", replay.largest_step);
        assert_eq!(buffer.stats().flushes, 1);
        let heard = replay
            .blocks
            .iter()
            .filter(|(at, ..)| *at > 5240.0)
            .all(|block| block.2.operation < Operation::Conceal);
        assert!(heard, "the new stream is not heard 200 ms after its start");
        assert!(buffer.stats().concealed_samples < 4800);
        let last = replay.blocks.last().unwrap().2.playout_timestamp;
        assert!(
            last.abs_diff(origin.1 + 500 * FRAME) < 48_000,
            "{last} is not in the new timeline"
        );
    }
}

/// Audio older than the maximum delay is dropped, no more than needed, and never all.
#[test]
fn the_maximum_delay_holds() {
    let packets = trace(20.0, true, |_, sent| {
        Some(if (5e3..7e3).contains(&sent) { 7e3 - sent } else { 0.0 })
    });
    let max_delay = Duration::from_millis(200);
    let mut buffer = JitterBuffer::new(Config {
        max_delay,
        ..Config::default()
    });
    let replay = replay(&mut buffer, &packets, false, 0.0);
    let worst = replay
        .blocks
        .iter()
        .filter(|(at, _, report)| *at > 7200.0 && report.operation != Operation::Conceal)
        .map(|block| block.1)
        .fold(0.0, f64::max);
    assert!(worst <= 220.0, "{worst} ms");
    assert!(
        (85..=96).contains(&buffer.stats().packets_discarded),
        "{}",
        buffer.stats().packets_discarded
    );
    assert_eq!(replay.concealed(8.0, 20.0), 0.0);
    assert_eq!(buffer.stats().interruptions, 1);
}

/// A minute without any packet fades to silence and is over with the first packets that come.
#[test]
fn a_long_outage_fades_to_silence_and_ends() {
    let packets = trace(80.0, true, |_, sent| (!(10e3..70e3).contains(&sent)).then_some(0.0));
    let (replay, buffer) = play(&packets, false, 0.0);
    let at = |second: f64| (replay.audio.len() as f64 * second / (replay.audio.len() as f64 / 48e3)) as usize;
    assert!(replay.audio[at(11.0)..at(69.9)].iter().all(|&sample| sample == 0.0));
    assert_eq!(replay.concealed(70.3, 80.0), 0.0);
    assert_eq!(buffer.stats().interruptions, 1);
    assert!(buffer.stats().silent_concealed_samples > 59 * 48_000);
    assert_eq!(buffer.stats().concealment_events, 1);
}

/// A sender that pauses without losing a packet (DTX) is not concealed beyond what could not be known, and packets of every Opus
/// duration are played back to back.
#[test]
fn packets_may_change_their_duration() {
    let durations = [120, 240, 480, 960, 1920, 2880, 5760];
    let mut timestamp = 0;
    let packets: Vec<_> = (0..600_u64)
        .map(|sequence| {
            let duration = durations[(sequence / 30) as usize % durations.len()];
            let packet = Arriving {
                at: 0.0,
                sequence,
                timestamp,
                duration,
            };
            timestamp += duration;
            // Sent when its last sample was captured.
            Arriving {
                at: timestamp as f64 / 48.0,
                ..packet
            }
        })
        .collect();
    let mut buffer = JitterBuffer::new(Config::default());
    let replay = replay(&mut buffer, &packets, false, 0.0);
    assert!(replay.largest_step < CLICK, "a click: {}", replay.largest_step);
    assert_eq!(buffer.stats().packets_discarded, 0);
    let late = buffer.stats().concealed_samples as f64 / buffer.stats().total_samples_received as f64;
    assert!(late < 0.02, "{:.1} % concealed", late * 100.0);
}
