//! Two ends of a call over links on virtual time.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{Ends, correlation, lag, rms, speech};
use duologue_media::{CONCEALMENT_BUDGET, Config, Event, Formats, Media, Operation, Output, Red};
use duologue_testnet::{Clock, LinkConfig, Loss, Rng};

/// For what does not depend on how well the codec sounds.
fn light() -> Config {
    Config {
        encoder_complexity: 3,
        decoder_complexity: 5,
        ..Config::default()
    }
}

fn lossy(loss: f64) -> LinkConfig {
    LinkConfig {
        delay: Duration::from_millis(30),
        loss: Loss::Bernoulli(loss),
        ..LinkConfig::default()
    }
}

#[test]
fn speech_crosses_a_clean_link_whole_and_soon() {
    let said = [speech(1, 8.0), speech(2, 8.0)];
    let ends = Ends::new(Config::default(), &lossy(0.0)).run(&said);
    for (listener, talker) in [(0, 1), (1, 0)] {
        let heard = &ends.heard[listener];
        let similarity = correlation(&said[talker], heard);
        assert!(similarity >= 0.98, "{similarity}");
        assert!(
            correlation(&said[listener], heard) < 0.6,
            "and it is the other end that is heard"
        );
        // 30 ms of link, 20 ms of frame, 6.5 ms of encoder, and the buffer.
        let lag = lag(&said[talker], heard);
        assert!(
            (Duration::from_millis(50)..=Duration::from_millis(100)).contains(&lag),
            "{lag:?}"
        );
        let stats = ends.media[listener].stats();
        assert_eq!(
            (
                stats.packets_lost,
                stats.packets_discarded,
                stats.decode_errors,
                stats.encode_errors
            ),
            (0, 0, 0, 0)
        );
        assert!(stats.concealed_samples < 48_000 / 20, "{stats:?}");
        let round_trip = stats.round_trip_time.unwrap();
        assert!(
            round_trip.abs_diff(Duration::from_millis(60)) < Duration::from_millis(1),
            "{round_trip:?}"
        );
        let firsts = ends.events[listener]
            .iter()
            .filter(|event| **event == Event::FirstPacket)
            .count();
        assert_eq!(firsts, 1);
    }
}

#[test]
fn lost_packets_are_repaired_and_speech_stays_itself() {
    for (loss, least) in [(0.05, 0.93), (0.20, 0.82)] {
        let said = [speech(1, 20.0), speech(2, 20.0)];
        let ends = Ends::new(Config::default(), &lossy(loss)).run(&said);
        let stats = ends.media[0].stats();
        let similarity = correlation(&said[1], &ends.heard[0]);
        assert!(similarity >= least, "{similarity} at {loss}");
        let lost = stats.packets_lost as f64 / (stats.packets_received as f64 + stats.packets_lost as f64);
        assert!((lost - loss).abs() < 0.05, "{lost}");
        assert!(stats.packets_recovered > 0, "{stats:?}");
        assert!(stats.concealed_samples > 0);
        // Less is concealed than was lost, for copies repair part of it.
        let concealed = stats.concealed_samples as f64 / stats.total_samples_received as f64;
        assert!(concealed < lost, "{concealed} of {lost}");
        let expected = ends.media[1].stats().expected_loss_percent;
        let range = if loss < 0.1 { 5..=20 } else { 15..=35 };
        assert!(range.contains(&expected), "armed against {expected} %");
    }
}

#[test]
fn redundant_packets_repair_what_is_lost() {
    let redundant = Config {
        formats: Formats {
            red: Some(Red {
                payload_type: 63,
                send: true,
            }),
            ..Formats::default()
        },
        ..Config::default()
    };
    let said = [speech(1, 20.0), speech(2, 20.0)];
    let ends = Ends::new(redundant, &lossy(0.1)).run(&said);
    let similarity = correlation(&said[1], &ends.heard[0]);
    assert!(similarity >= 0.93, "{similarity}");
    let (stats, sender) = (ends.media[0].stats(), ends.media[1].stats());
    // Of independent losses of a tenth, nine tenths are followed by a packet that arrives.
    let used = stats.redundant_blocks_used as f64 / stats.packets_lost as f64;
    assert!((0.75..=1.0).contains(&used), "{used} of {} lost", stats.packets_lost);
    let concealed = stats.concealed_samples as f64 / stats.total_samples_received as f64;
    assert!(concealed < 0.04, "{concealed} concealed");
    // A whole copy takes the place of the in-band one, and is told of in the statistics.
    assert_eq!(stats.fec_packets_received, 0);
    let share = sender.redundant_bytes_sent as f64 / sender.bytes_sent as f64;
    assert!((0.4..0.6).contains(&share), "{share}");
}

#[test]
fn levels_are_told_where_that_is_agreed_on() {
    let now = Clock::new().now();
    let config = |ssrc, audio_level| Config {
        ssrc,
        formats: Formats {
            audio_level,
            ..Formats::default()
        },
        ..light()
    };
    let mut talker = Media::new(config(1, Some(1)), [1; 32], now).unwrap();
    let mut listener = Media::new(config(2, Some(1)), [2; 32], now).unwrap();
    let mut deaf = Media::new(config(3, None), [3; 32], now).unwrap();
    talker.set_sending(true);
    let tone: Vec<f32> = (0..960).map(|n| 0.5 * (n as f32 * 0.06545).sin()).collect();
    talker.push_capture(&tone, now);
    while let Some(output) = talker.poll_output() {
        if let Output::Rtp(packet) = output {
            listener.handle_rtp(packet.clone(), now);
            deaf.handle_rtp(packet, now);
        }
    }
    // A sine has 3 dB less than its peak; levels come in steps of 1 dB.
    let level = listener.stats().audio_level.unwrap();
    assert!((0.33..0.38).contains(&level), "{level}");
    assert_eq!(deaf.stats().audio_level, None);
}

#[test]
fn same_seed_same_bytes_same_samples() {
    let link = LinkConfig {
        jitter: Duration::from_millis(15),
        ..lossy(0.1)
    };
    let said = [speech(1, 4.0), speech(2, 4.0)];
    let one = Ends::new(light(), &link).run(&said);
    let two = Ends::new(light(), &link).run(&said);
    assert!(one.trace == two.trace, "the same bytes at the same times");
    assert!(one.heard == two.heard, "the same samples");
    assert!(one.trace.len() > 300);
}

#[test]
fn nothing_is_sent_before_sending_and_nothing_from_before_it_after() {
    let start = Clock::new().now();
    let at = |tick: u32| start + Duration::from_millis(10) * tick;
    let mut media = Media::new(Config::default(), [1; 32], start).unwrap();
    let mut far = Media::new(Config::default(), [2; 32], start).unwrap();
    let loud = vec![0.9; 480];
    // An odd number of blocks: half a frame of loudness is pending when sending begins.
    for tick in 0..101 {
        media.push_capture(&loud, at(tick));
        media.handle_timeout(at(tick));
        assert_eq!(media.poll_output(), None, "tick {tick}");
    }
    assert_eq!(media.poll_timeout(), None);
    media.set_sending(true);
    let mut loudest = 0.0f32;
    let mut packets = 0;
    for tick in 101..200 {
        media.push_capture(&[0.0; 480], at(tick));
        while let Some(output) = media.poll_output() {
            if let Output::Rtp(packet) = output {
                packets += 1;
                far.handle_rtp(packet, at(tick));
            }
        }
        let mut block = [0.0; 480];
        far.pull_playout(at(tick), &mut block);
        loudest = block.iter().fold(loudest, |loudest, sample| loudest.max(sample.abs()));
    }
    assert_eq!(packets, 49, "half a frame was thrown away with what came before");
    assert!(loudest < 0.01, "{loudest}");
}

#[test]
fn muted_means_silence_in_packets() {
    let mut ends = Ends::new(light(), &lossy(0.0));
    let said = [speech(1, 3.0), speech(2, 3.0)];
    ends = ends.run(&said);
    let before = ends.media[0].stats();
    ends.media[0].set_muted(true);
    let heard_before = ends.heard[1].len();
    ends = ends.run(&said);
    let after = ends.media[0].stats();
    assert_eq!(after.packets_sent - before.packets_sent, 150, "packets go on");
    assert_eq!(after.capture_level, 0);
    // Behind what was under way and the codec's ringing, silence.
    let heard = &ends.heard[1][heard_before + 24_000..];
    assert!(rms(heard) < 0.001, "{}", rms(heard));
    ends.media[0].set_muted(false);
    let heard_before = ends.heard[1].len();
    ends = ends.run(&said);
    assert!(rms(&ends.heard[1][heard_before..]) > 0.02);
}

#[test]
fn silence_is_not_sent_with_dtx_and_speech_comes_back() {
    let config = Config {
        dtx: true,
        ..Config::default()
    };
    let mut ends = Ends::new(config, &lossy(0.0));
    let quiet = vec![0.0; 48_000 * 6];
    let said = [speech(1, 4.0), quiet.clone()];
    ends = ends.run(&said);
    let talked = ends.media[0].stats().packets_sent;
    ends = ends.run(&[quiet.clone(), quiet]);
    let sent = ends.media[0].stats().packets_sent - talked;
    // A refresh each 400 ms, and what precedes the decision.
    assert!(sent < 60, "{sent} packets in 6 s of silence, 300 without DTX");
    assert!(ends.media[0].stats().frames_not_sent > 200);
    let stats = ends.media[1].stats();
    assert_eq!(stats.packets_lost, 0, "silence is no loss");
    let audible = stats.concealed_samples - stats.silent_concealed_samples;
    assert!(audible < 48_000 / 4, "{audible} samples taken for loss");
    let heard_before = ends.heard[1].len();
    let again = [speech(3, 4.0), vec![0.0; 48_000 * 4]];
    ends = ends.run(&again);
    let similarity = correlation(&again[0], &ends.heard[1][heard_before..]);
    assert!(similarity >= 0.93, "{similarity}");
}

#[test]
fn goodbye_reaches_the_other_end_and_ends_sending() {
    let said = [speech(1, 1.0), speech(2, 1.0)];
    let mut ends = Ends::new(light(), &lossy(0.0)).run(&said);
    let now = ends.now();
    ends.media[0].bye("thank you", now);
    let sent = ends.media[0].stats().packets_sent;
    ends = ends.run(&said);
    assert_eq!(ends.media[0].stats().packets_sent, sent);
    let byes: Vec<_> = ends.events[1]
        .iter()
        .filter(|event| matches!(event, Event::Bye { .. }))
        .collect();
    assert_eq!(
        byes,
        [&Event::Bye {
            reason: "thank you".into()
        }]
    );
}

#[test]
fn a_peer_that_starts_over_is_heard_again() {
    let said = [speech(1, 3.0), speech(2, 3.0)];
    let mut ends = Ends::new(light(), &lossy(0.0)).run(&said);
    let now = ends.now();
    ends.media[1] = Media::new(
        Config {
            ssrc: 77,
            ..Config::default()
        },
        [9; 32],
        now,
    )
    .unwrap();
    ends.media[1].set_sending(true);
    let heard_before = ends.heard[0].len();
    ends = ends.run(&said);
    let similarity = correlation(&said[1], &ends.heard[0][heard_before..]);
    assert!(similarity >= 0.9, "{similarity}");
    assert_eq!(ends.media[0].stats().source_changes, 1);
    assert_eq!(ends.media[0].stats().remote_ssrc, Some(77));
}

#[test]
fn slow_concealment_gives_way_for_one_loss() {
    let start = Clock::new().now();
    let config = Config {
        decoder_complexity: 5,
        fec: false,
        ..Config::default()
    };
    let mut talker = Media::new(config.clone(), [1; 32], start).unwrap();
    let mut listener = Media::new(config, [2; 32], start).unwrap();
    talker.set_sending(true);
    let said = speech(1, 6.0);
    let slow = CONCEALMENT_BUDGET + Duration::from_millis(1);
    let mut concealed = [0, 0];
    for (tick, block) in said.chunks_exact(480).enumerate() {
        let now = start + Duration::from_millis(10) * tick as u32;
        talker.push_capture(block, now);
        // Two spells of loss, 60 ms each, in the third and the fifth second.
        let lost = (200..206).contains(&tick) || (400..406).contains(&tick);
        while let Some(output) = talker.poll_output() {
            if let Output::Rtp(packet) = output
                && !lost
            {
                listener.handle_rtp(packet, now);
            }
        }
        let mut out = [0.0; 480];
        let playout = listener.pull_playout(now, &mut out);
        if playout.concealed && tick > 100 {
            concealed[usize::from(tick > 300)] += 1;
        }
        // A slow pull that concealed nothing is not the concealment's fault.
        listener.report_pull_time(if tick < 100 && playout.concealed {
            Duration::ZERO
        } else {
            slow
        });
    }
    assert!(concealed.iter().all(|count| *count >= 2), "{concealed:?}");
    assert_eq!(listener.stats().concealment_fallbacks, 2, "once for each loss");
    assert_eq!(listener.stats().decode_errors, 0);
}

#[test]
fn a_fast_concealment_stays_deep() {
    let said = [speech(1, 3.0), speech(2, 3.0)];
    let ends = Ends::new(
        Config {
            decoder_complexity: 5,
            ..Config::default()
        },
        &lossy(0.1),
    )
    .run(&said);
    assert!(ends.media[0].stats().concealed_samples > 0);
    assert_eq!(ends.media[0].stats().concealment_fallbacks, 0);
}

#[test]
fn forged_datagrams_change_nothing_that_is_heard() {
    let said = [speech(1, 2.0), speech(2, 2.0)];
    let clean = Ends::new(light(), &lossy(0.0)).run(&said);
    let mut rng = Rng::new(5);
    let mut attacked = Ends::new(light(), &lossy(0.0));
    attacked.before_tick = Some(Box::new(move |media, now| {
        if media.stats().remote_ssrc.is_none() {
            return;
        }
        for _ in 0..20 {
            let mut bytes: Vec<u8> = (0..rng.range(0..60)).map(|_| rng.next_u64() as u8).collect();
            if let [first, second, ..] = &mut bytes[..] {
                *first = 0x80 | (*first & 0x1f);
                *second = if rng.chance(0.5) { 111 } else { 200 + (*second & 7) };
            }
            media.handle_rtp(Bytes::from(bytes), now);
        }
    }));
    let attacked = attacked.run(&said);
    let similarity = correlation(&said[1], &attacked.heard[0]);
    assert!(similarity >= 0.95, "{similarity}");
    assert_eq!(
        attacked.media[0].stats().packets_received,
        clean.media[0].stats().packets_received
    );
    assert!(attacked.media[0].stats().datagrams_rejected > 1000);
}

#[test]
fn silence_before_the_first_packet_and_settings_that_do_not_exist() {
    let now = Clock::new().now();
    let mut media = Media::new(Config::default(), [1; 32], now).unwrap();
    let mut block = [1.0; 480];
    let playout = media.pull_playout(now, &mut block);
    assert_eq!(
        (playout.operation, playout.level, block),
        (Operation::Silence, 0, [0.0; 480])
    );
    let minute = Duration::from_secs(60);
    for config in [
        Config {
            bitrate: 1,
            ..Config::default()
        },
        Config {
            encoder_complexity: 11,
            ..Config::default()
        },
        Config {
            decoder_complexity: 11,
            ..Config::default()
        },
        Config {
            min_delay: minute,
            max_delay: minute / 2,
            ..Config::default()
        },
    ] {
        assert!(Media::new(config.clone(), [1; 32], now).is_err(), "{config:?}");
    }
}
