use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::*;
use crate::wire::{Compound, RtcpPacket};

mod formats;

#[expect(
    clippy::disallowed_methods,
    reason = "one base instant; every other is computed from it"
)]
fn base() -> Instant {
    Instant::now()
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn rtp(ssrc: u32, sequence_number: u16, timestamp: u32) -> Bytes {
    let mut out = BytesMut::new();
    RtpHeader {
        payload_type: 111,
        sequence_number,
        timestamp,
        ssrc,
        ..RtpHeader::default()
    }
    .emit(&mut out)
    .unwrap();
    out.extend_from_slice(b"frame");
    out.freeze()
}

fn session(now: Instant) -> Session {
    Session::new(Config::new(1, "one"), [7; 32], now)
}

fn events(session: &mut Session) -> Vec<Event> {
    std::iter::from_fn(|| session.poll_output())
        .filter_map(|output| {
            if let Output::Event(event) = output {
                Some(event)
            } else {
                None
            }
        })
        .collect()
}

fn sequences(session: &mut Session) -> Vec<u64> {
    events(session)
        .into_iter()
        .filter_map(|event| {
            if let Event::Packet(packet) = event {
                Some(packet.sequence)
            } else {
                None
            }
        })
        .collect()
}

/// The packets of the next RTCP datagram that the session sends, handed to `check`.
fn rtcp<T>(session: &mut Session, check: impl FnOnce(Vec<RtcpPacket<'_>>) -> T) -> T {
    let datagram = std::iter::from_fn(|| session.poll_output())
        .find_map(|output| {
            if let Output::Rtcp(datagram) = output {
                Some(datagram)
            } else {
                None
            }
        })
        .expect("an RTCP datagram");
    check(
        Compound::parse(&datagram)
            .unwrap()
            .packets()
            .map(Result::unwrap)
            .collect(),
    )
}

/// The report block about `ssrc` in the report that falls due next.
fn next_block(session: &mut Session) -> Option<crate::wire::ReportBlock> {
    let due = session.poll_timeout().unwrap();
    session.handle_timeout(due);
    rtcp(session, |packets| match packets[0] {
        RtcpPacket::SenderReport(mut report) => report.reports.next(),
        RtcpPacket::ReceiverReport(mut report) => report.reports.next(),
        _ => panic!("{packets:?}"),
    })
}

#[test]
fn numbers_are_extended_over_wraps_and_reordering() {
    let now = base();
    let mut session = session(now);
    let order = [65_534u16, 0, 65_535, 1, 3, 2];
    for number in order {
        let timestamp = 960u32
            .wrapping_mul(u32::from(number.wrapping_sub(65_534)))
            .wrapping_add(u32::MAX - 960);
        session.handle_rtp(rtp(9, number, timestamp), now);
    }
    let packets: Vec<_> = events(&mut session)
        .into_iter()
        .filter_map(|event| {
            if let Event::Packet(packet) = event {
                Some((packet.sequence, packet.timestamp))
            } else {
                None
            }
        })
        .collect();
    let (sequence, timestamp) = packets[0];
    let relative: Vec<_> = packets
        .iter()
        .map(|packet| (packet.0 - sequence, packet.1 - timestamp))
        .collect();
    assert_eq!(relative, [(0, 0), (2, 1920), (1, 960), (3, 2880), (5, 4800), (4, 3840)]);
    assert_eq!(sequence as u16, 65_534);
    assert_eq!(session.stats().packets_lost, 0);
}

#[test]
fn a_packet_from_before_the_first_is_delivered_and_expected() {
    let now = base();
    let mut session = session(now);
    for number in [10, 8, 11] {
        session.handle_rtp(rtp(9, number, 0), now);
    }
    let heard = sequences(&mut session);
    assert_eq!(heard[0] - heard[1], 2);
    assert_eq!(session.stats().packets_lost, 1, "9 is missing");
}

#[test]
fn duplicates_are_counted_and_not_delivered() {
    let now = base();
    let mut session = session(now);
    for number in [1, 2, 2, 1, 3, 3] {
        session.handle_rtp(rtp(9, number, 0), now);
    }
    assert_eq!(sequences(&mut session).len(), 3);
    let stats = session.stats();
    assert_eq!((stats.packets_duplicated, stats.packets_received), (3, 6));
    assert_eq!(stats.packets_lost, -3, "RFC 3550 §6.4.1: negative with duplicates");
}

/// RFC 3550 A.3 by hand: 8 of 12 expected packets, then all.
#[test]
fn loss_is_reported_per_interval_and_in_all() {
    let now = base();
    let mut session = session(now);
    for number in (0..12).filter(|number| ![3, 4, 7, 9].contains(number)) {
        session.handle_rtp(rtp(9, number, 0), now);
    }
    let block = next_block(&mut session).unwrap();
    assert_eq!(block.fraction_lost, (4 * 256 / 12) as u8);
    assert_eq!((block.cumulative_lost, block.highest_sequence), (4, 11));
    assert_eq!(
        next_block(&mut session),
        None,
        "nothing received since: no block (RFC 3550 §6.4)"
    );
    for number in 12..20 {
        session.handle_rtp(rtp(9, number, 0), now);
    }
    let block = next_block(&mut session).unwrap();
    assert_eq!((block.fraction_lost, block.cumulative_lost), (0, 4));
    assert_eq!(session.stats().packets_lost, 4);
}

/// RFC 3550 A.8 against the formula in floating point.
#[test]
fn jitter_follows_the_formula() {
    let start = base();
    let mut session = session(start);
    let mut expected = 0.0f64;
    let mut previous: Option<f64> = None;
    for number in 0u16..200 {
        let late = f64::from(u32::from(number) * 7919 % 31);
        let at = start + ms(20 * u64::from(number)) + Duration::from_secs_f64(late / 1000.0);
        session.handle_rtp(rtp(9, number, 960 * u32::from(number)), at);
        if let Some(previous) = previous.replace(late) {
            expected += ((late - previous).abs() / 1000.0 - expected) / 16.0;
        }
    }
    let jitter = session.stats().jitter;
    assert!(
        expected > 0.005 && (jitter - expected).abs() < 0.000_1,
        "{jitter} {expected}"
    );
}

#[test]
fn another_source_takes_over_after_two_packets_and_silence() {
    let now = base();
    let mut session = session(now);
    session.handle_rtp(rtp(9, 1, 0), now);
    let first = sequences(&mut session)[0];
    // While 9 goes on, 8 gets nowhere.
    for number in 0..10u16 {
        session.handle_rtp(rtp(9, 2 + number, 0), now + ms(20 * u64::from(number)));
        session.handle_rtp(rtp(8, 500 + number, 0), now + ms(20 * u64::from(number)));
    }
    assert_eq!(session.remote_ssrc(), Some(9));
    assert_eq!(session.stats().packets_on_probation, 10);
    sequences(&mut session);
    // 9 falls silent. A lone packet of 7 breaks the sequence of 8.
    let later = now + ms(400);
    session.handle_rtp(rtp(7, 1, 0), later);
    session.handle_rtp(rtp(8, 600, 0), later);
    assert_eq!(session.remote_ssrc(), Some(9));
    session.handle_rtp(rtp(8, 601, 77), later);
    let events = events(&mut session);
    assert_eq!(events[0], Event::SourceChanged { ssrc: 8 });
    let Event::Packet(packet) = &events[1] else {
        panic!("{events:?}")
    };
    assert_eq!(
        (packet.sequence as u16, packet.timestamp as u32, packet.ssrc),
        (601, 77, 8)
    );
    assert!(packet.sequence > first, "extended numbers go on upwards");
    assert_eq!(session.stats().source_changes, 1);
}

#[test]
fn a_jump_in_numbering_is_a_restart_only_when_it_goes_on() {
    let now = base();
    let mut session = session(now);
    for number in [100, 101, 30_000, 102] {
        session.handle_rtp(rtp(9, number, 0), now);
    }
    assert_eq!(sequences(&mut session).len(), 3, "one stray packet is dropped");
    session.handle_rtp(rtp(9, 40_000, 5), now);
    session.handle_rtp(rtp(9, 40_001, 5), now);
    let events = events(&mut session);
    assert_eq!(events[0], Event::SourceChanged { ssrc: 9 });
    assert_eq!(events.len(), 2);
    assert_eq!(session.stats().packets_lost, 0);
}

#[test]
fn unwanted_payload_types_and_garbage_are_counted() {
    let now = base();
    let mut session = session(now);
    let mut odd = BytesMut::from(&rtp(9, 1, 0)[..]);
    odd[1] = 13;
    session.handle_rtp(odd.freeze(), now);
    session.handle_rtp(Bytes::from_static(&[0x80; 11]), now);
    session.handle_rtcp(&[0x80, 200, 0, 0], now);
    session.handle_rtcp(&[1, 2, 3], now);
    assert!(sequences(&mut session).is_empty());
    let stats = session.stats();
    assert_eq!(
        (stats.unknown_payload_type, stats.rtp_malformed, stats.rtcp_malformed),
        (1, 1, 2)
    );
}

#[test]
fn a_collision_changes_our_source_and_the_goodbye_for_the_old_one_ends_nothing() {
    let now = base();
    let mut one = session(now);
    let mut two = Session::new(Config::new(1, "two"), [8; 32], now);
    let mut left = false;
    for round in 0..10 {
        let now = now + ms(60 * round);
        one.send(b"a", 960, false, now);
        two.send(b"b", 960, false, now);
        for _ in 0..4 {
            while let Some(output) = one.poll_output() {
                match output {
                    Output::Rtp(packet) => two.handle_rtp(packet, now),
                    Output::Rtcp(packet) => two.handle_rtcp(&packet, now),
                    Output::Event(event) => left |= matches!(event, Event::Bye { .. }),
                }
            }
            while let Some(output) = two.poll_output() {
                match output {
                    Output::Rtp(packet) => one.handle_rtp(packet, now),
                    Output::Rtcp(packet) => one.handle_rtcp(&packet, now),
                    Output::Event(event) => left |= matches!(event, Event::Bye { .. }),
                }
            }
        }
    }
    assert_ne!(one.ssrc(), two.ssrc());
    assert_eq!(one.remote_ssrc(), Some(two.ssrc()));
    assert_eq!(two.remote_ssrc(), Some(one.ssrc()));
    assert!(!left, "clearing up is no goodbye");
    assert!(one.stats().ssrc_collisions + two.stats().ssrc_collisions >= 1);
}

#[test]
fn collisions_are_answered_a_bounded_number_of_times() {
    let now = base();
    let mut session = session(now);
    for round in 0..100u16 {
        let ssrc = session.ssrc();
        session.handle_rtp(rtp(ssrc, round, 0), now);
    }
    let goodbyes = std::iter::from_fn(|| session.poll_output())
        .filter(|output| matches!(output, Output::Rtcp(_)))
        .count();
    assert_eq!(goodbyes as u64, MAX_COLLISIONS);
}

#[test]
fn goodbye_carries_its_reason_in_a_compound_and_comes_once() {
    let now = base();
    let mut alice = session(now);
    let mut bob = Session::new(
        Config {
            reduced_size: false,
            ..Config::new(2, "bob")
        },
        [9; 32],
        now,
    );
    alice.send(b"x", 960, true, now);
    alice.bye("hung up", now);
    alice.bye("again", now);
    alice.send(b"y", 960, true, now);
    let sent: Vec<_> = std::iter::from_fn(|| alice.poll_output()).collect();
    assert_eq!(sent.len(), 2, "nothing after the goodbye: {sent:?}");
    let Output::Rtcp(goodbye) = &sent[1] else {
        panic!("{sent:?}")
    };
    // Also to a peer that has heard nothing yet, and twice.
    bob.handle_rtcp(goodbye, now);
    bob.handle_rtcp(goodbye, now);
    let byes: Vec<_> = events(&mut bob)
        .into_iter()
        .filter(|event| matches!(event, Event::Bye { .. }))
        .collect();
    assert_eq!(
        byes,
        [Event::Bye {
            reason: "hung up".into()
        }]
    );
    assert_eq!(bob.remote_cname(), Some("one"));
    assert_eq!(alice.poll_timeout(), None);
    assert_eq!(alice.stats().sends_after_bye, 1);
}

#[test]
fn a_browsers_goodbye_is_told_and_another_source_follows_it_at_once() {
    let now = base();
    let mut session = session(now);
    session.handle_rtp(rtp(7, 10, 960), now);
    let goodbye = |reason: &str| {
        let mut writer = CompoundWriter::new();
        writer.receiver_report(7, &[]).cname(7, "browser").goodbye(&[7], reason);
        writer.finish()
    };
    // A track is taken away: twice the same goodbye, without a reason.
    session.handle_rtcp(&goodbye(""), now);
    session.handle_rtcp(&goodbye(""), now);
    // Another stream begins, without the silence that one still running would owe.
    session.handle_rtp(rtp(8, 500, 77), now);
    session.handle_rtp(rtp(8, 501, 1037), now);
    // A goodbye for the source that was given up says nothing; the real end follows.
    session.handle_rtcp(&goodbye("NORMAL"), now);
    let mut writer = CompoundWriter::new();
    writer
        .receiver_report(8, &[])
        .cname(8, "browser")
        .goodbye(&[8], "NORMAL");
    session.handle_rtcp(&writer.finish(), now);
    let told: Vec<_> = events(&mut session)
        .into_iter()
        .filter_map(|event| match event {
            Event::SourceChanged { ssrc } => Some(format!("source {ssrc}")),
            Event::Bye { reason } => Some(format!("bye {reason:?}")),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["source 7", r#"bye """#, "source 8", r#"bye "NORMAL""#]);
}

#[test]
fn the_same_source_goes_on_after_a_goodbye() {
    let now = base();
    let mut session = session(now);
    session.handle_rtp(rtp(7, 10, 960), now);
    let mut writer = CompoundWriter::new();
    writer.receiver_report(7, &[]).cname(7, "browser").goodbye(&[7], "");
    session.handle_rtcp(&writer.finish(), now);
    session.handle_rtp(rtp(7, 11, 48_960), now + ms(1000));
    assert_eq!(sequences(&mut session).len(), 2);
}

#[test]
fn reports_start_early_and_vary_around_the_interval() {
    let start = base();
    let mut session = session(start);
    assert_eq!(session.poll_timeout(), None, "silent before the first packet");
    session.send(b"x", 960, false, start);
    let mut due = session.poll_timeout().unwrap();
    assert!(due - start >= ms(20) && due - start <= ms(60));
    let mut gaps = Vec::new();
    for _ in 0..200 {
        session.handle_timeout(due - Duration::from_nanos(1));
        assert_eq!(session.poll_timeout(), Some(due), "not before it is due");
        session.handle_timeout(due);
        let next = session.poll_timeout().unwrap();
        gaps.push(next - due);
        due = next;
    }
    assert!(
        gaps[..3].iter().all(|gap| (ms(125)..=ms(375)).contains(gap)),
        "{gaps:?}"
    );
    assert!(gaps[4..].iter().all(|gap| (ms(500)..=ms(1500)).contains(gap)));
    let mean = gaps[4..].iter().sum::<Duration>() / 196;
    assert!((ms(930)..=ms(1070)).contains(&mean), "{mean:?}");
}

#[test]
fn a_sender_report_ties_both_clocks_and_gives_way_to_receiver_reports() {
    let start = base();
    let epoch = Duration::from_secs(3_900_000_000);
    let mut session = Session::new(
        Config {
            ntp_epoch: Some(epoch),
            ..Config::new(1, "one")
        },
        [7; 32],
        start,
    );
    session.send(b"abc", 960, false, start);
    session.skip(4800);
    session.send(b"abc", 960, false, start + ms(120));
    let sent: Vec<_> = std::iter::from_fn(|| session.poll_output()).collect();
    let Output::Rtp(second) = &sent[1] else {
        panic!("{sent:?}")
    };
    let second = RtpPacket::parse(second).unwrap();
    session.handle_timeout(start + ms(130));
    rtcp(&mut session, |packets| {
        let RtcpPacket::SenderReport(report) = packets[0] else {
            panic!("{packets:?}")
        };
        assert_eq!(report.info.ntp, crate::wire::NtpTime::from_duration(epoch + ms(130)));
        assert_eq!(
            report.info.rtp_timestamp,
            second.timestamp.wrapping_add(480),
            "10 ms after the second packet"
        );
        assert_eq!((report.info.packet_count, report.info.octet_count), (2, 6));
    });
    let mut kinds = Vec::new();
    for _ in 0..3 {
        let due = session.poll_timeout().unwrap();
        session.handle_timeout(due);
        kinds.push(rtcp(&mut session, |packets| {
            matches!(packets[0], RtcpPacket::SenderReport(_))
        }));
    }
    assert_eq!(
        kinds,
        [true, false, false],
        "RFC 3550 §6.4: sender for two intervals after the last packet"
    );
}

#[test]
fn invented_round_trips_are_rejected() {
    let now = base();
    let mut session = session(now);
    session.send(b"x", 960, false, now);
    session.handle_timeout(now + ms(100));
    let middle = rtcp(&mut session, |packets| match packets[0] {
        RtcpPacket::SenderReport(report) => report.info.ntp.middle(),
        _ => panic!("{packets:?}"),
    });
    let block = crate::wire::ReportBlock {
        ssrc: 1,
        last_sr: middle,
        ..Default::default()
    };
    let answer = |last_sr, delay_since_last_sr| {
        let block = crate::wire::ReportBlock {
            last_sr,
            delay_since_last_sr,
            ..block
        };
        CompoundWriter::new().receiver_report(9, &[block]).finish()
    };
    session.handle_rtcp(&answer(middle ^ 1, 0), now + ms(200));
    session.handle_rtcp(&answer(middle, 65_536), now + ms(200));
    assert_eq!(session.stats().round_trip_time, None);
    assert_eq!(session.stats().round_trip_time_rejected, 2);
    session.handle_rtcp(&answer(middle, 65_536 / 20), now + ms(200));
    let measured = session.stats().round_trip_time.unwrap();
    assert!(measured >= ms(50) && measured < ms(51), "{measured:?}");
}

#[test]
fn nacks_name_what_was_really_sent() {
    let now = base();
    let mut sender = session(now);
    let mut receiver = Session::new(Config::new(2, "two"), [1; 32], now);
    let mut first = None;
    for _ in 0..20 {
        sender.send(b"x", 960, false, now);
    }
    while let Some(Output::Rtp(packet)) = sender.poll_output() {
        first.get_or_insert(packet.clone());
        receiver.handle_rtp(packet, now);
    }
    let heard = sequences(&mut receiver);
    receiver.nack(&[heard[5], heard[3], heard[3], heard[19], heard[19] + 1], now);
    let Some(Output::Rtcp(nack)) = receiver.poll_output() else {
        panic!("a datagram")
    };
    sender.handle_rtcp(&nack, now);
    let first = u64::from(RtpPacket::parse(&first.unwrap()).unwrap().sequence_number);
    assert_eq!(
        events(&mut sender),
        [Event::Nack(vec![first + 3, first + 5, first + 19])],
        "one was never sent"
    );
}

/// With the first sequence number at 0, the number before it is one of nobody's.
#[test]
fn a_nack_for_before_the_first_packet_names_nothing() {
    let now = base();
    let mut session = session(now);
    session.sequence = 0;
    for _ in 0..10 {
        session.send(b"x", 960, false, now);
    }
    events(&mut session);
    let nack = CompoundWriter::new().generic_nack(2, 1, &[65_535]).finish();
    session.handle_rtcp(&nack, now);
    assert_eq!(events(&mut session), []);
}

#[test]
fn outputs_are_bounded() {
    let now = base();
    let mut session = session(now);
    for _ in 0..MAX_OUTPUTS + 10 {
        session.send(b"x", 960, false, now);
    }
    assert_eq!(std::iter::from_fn(|| session.poll_output()).count(), MAX_OUTPUTS);
    assert_eq!(session.stats().outputs_dropped, 10);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    /// Any order of packets within the windows: each new number delivered once, counters as a set would have them.
    #[test]
    fn receiving_agrees_with_a_set(start: u16, steps in prop::collection::vec(-200i64..300, 1..300)) {
        let now = base();
        let mut session = session(now);
        let origin = 1_000_000i64 / 65_536 * 65_536 + i64::from(start);
        let mut highest = origin;
        let mut seen = BTreeSet::from([origin]);
        session.handle_rtp(rtp(9, start, 0), now);
        for step in &steps {
            let number = highest + step;
            highest = highest.max(number);
            seen.insert(number);
            session.handle_rtp(rtp(9, number as u16, 0), now);
        }
        let heard = sequences(&mut session);
        let relative: BTreeSet<i64> = heard.iter().map(|sequence| *sequence as i64 - heard[0] as i64 + origin).collect();
        prop_assert_eq!(relative.len(), heard.len().min(MAX_OUTPUTS));
        prop_assert_eq!(&relative, &seen);
        let received = steps.len() as i64 + 1;
        let stats = session.stats();
        prop_assert_eq!(stats.packets_duplicated as i64, received - seen.len() as i64);
        let expected = highest - seen.first().unwrap() + 1;
        prop_assert_eq!(stats.packets_lost, expected - received);
    }
}
