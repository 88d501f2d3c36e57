//! Two sessions over links on virtual time.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use duologue_rtp::{Config, Event, Output, Session, Stats};
use duologue_testnet::{Clock, Link, LinkConfig, Loss};

const FRAME: Duration = Duration::from_millis(20);

/// One end, the link away from it, and what it sent and learnt.
struct End {
    session: Session,
    link: Link,
    trace: Vec<(Duration, Bytes)>,
    packets: usize,
    reports: Vec<(f32, Option<Duration>)>,
}

impl End {
    fn new(ssrc: u32, seed: u8, link: LinkConfig, now: Instant) -> Self {
        let session = Session::new(Config::new(ssrc, format!("end {ssrc}")), [seed; 32], now);
        Self {
            session,
            link: Link::new(link, u64::from(seed)),
            trace: Vec::new(),
            packets: 0,
            reports: Vec::new(),
        }
    }
}

/// Runs both ends for `frames` frames; only those listed in `talking` send.
fn run(link: &LinkConfig, talking: [bool; 2], frames: u32) -> [End; 2] {
    let mut clock = Clock::new();
    let start = clock.now();
    let mut ends = [
        End::new(1, 11, link.clone(), start),
        End::new(2, 22, link.clone(), start),
    ];
    // Due time, then order of sending, to receiver and datagram.
    let mut wire: BTreeMap<(Instant, u64), (usize, bool, Bytes)> = BTreeMap::new();
    let mut order = 0;
    let mut frame = 0;
    while frame < frames {
        let next_frame = start + FRAME * frame;
        let timers = ends.iter().filter_map(|end| end.session.poll_timeout());
        let deliveries = wire.keys().map(|key| key.0);
        let now = timers.chain(deliveries).chain([next_frame]).min().unwrap();
        clock.advance_to(now);
        if now == next_frame {
            frame += 1;
            for (end, talks) in ends.iter_mut().zip(talking) {
                if talks {
                    end.session.send(&[0x55; 80], 960, frame == 1, now);
                } else {
                    end.session.skip(960);
                }
            }
        }
        while let Some(entry) = wire.first_entry().filter(|entry| entry.key().0 <= now) {
            let (to, is_rtp, datagram) = entry.remove();
            if is_rtp {
                ends[to].session.handle_rtp(datagram, now);
            } else {
                ends[to].session.handle_rtcp(&datagram, now);
            }
        }
        for (index, end) in ends.iter_mut().enumerate() {
            end.session.handle_timeout(now);
            while let Some(output) = end.session.poll_output() {
                let (is_rtp, datagram) = match output {
                    Output::Rtp(datagram) => (true, datagram),
                    Output::Rtcp(datagram) => (false, datagram),
                    Output::Event(event) => {
                        match event {
                            Event::Packet(_) => end.packets += 1,
                            Event::Report(report) => end.reports.push((report.fraction_lost, report.round_trip_time)),
                            _ => {}
                        }
                        continue;
                    }
                    _ => continue,
                };
                end.trace.push((now - start, datagram.clone()));
                for arrival in end.link.send(datagram.len(), now) {
                    order += 1;
                    wire.insert((arrival, order), (1 - index, is_rtp, datagram.clone()));
                }
            }
        }
    }
    ends
}

fn delayed(milliseconds: u64, loss: Loss) -> LinkConfig {
    LinkConfig {
        delay: Duration::from_millis(milliseconds),
        loss,
        ..LinkConfig::default()
    }
}

#[test]
fn round_trip_is_twice_the_delay_and_known_early() {
    let ends = run(&delayed(40, Loss::None), [true, true], 50);
    for end in &ends {
        let Stats {
            round_trip_time,
            packets_lost,
            packets_received,
            ..
        } = end.session.stats();
        let round_trip = round_trip_time.expect("measured within one second");
        assert!(
            round_trip.abs_diff(Duration::from_millis(80)) < Duration::from_millis(1),
            "{round_trip:?}"
        );
        assert_eq!(packets_lost, 0);
        assert!(packets_received > 40);
    }
}

#[test]
fn a_silent_end_measures_the_round_trip_too() {
    let ends = run(&delayed(25, Loss::None), [true, false], 200);
    let stats = ends[1].session.stats();
    assert_eq!(stats.packets_sent, 0);
    let round_trip = stats.round_trip_time.expect("by RRTR and DLRR");
    assert!(
        round_trip.abs_diff(Duration::from_millis(50)) < Duration::from_millis(1),
        "{round_trip:?}"
    );
}

#[test]
fn loss_is_seen_alike_at_both_ends() {
    let ends = run(&delayed(10, Loss::Bernoulli(0.2)), [true, false], 3000);
    let (sender, receiver) = (ends[0].session.stats(), ends[1].session.stats());
    let share = receiver.packets_lost as f64 / sender.packets_sent as f64;
    assert!((0.17..0.23).contains(&share), "{share}");
    // Up to the packets since the last report, and the reports lost with 20 %.
    assert!(
        receiver.packets_lost.abs_diff(sender.remote_packets_lost.unwrap()) < 60,
        "{receiver:?} {sender:?}"
    );
    let mean = ends[0].reports.iter().map(|report| report.0).sum::<f32>() / ends[0].reports.len() as f32;
    assert!((0.15..0.25).contains(&mean), "{mean}");
    assert_eq!(ends[1].packets as u64, receiver.packets_received);
}

#[test]
fn reordering_and_duplication_lose_nothing() {
    let link = LinkConfig {
        delay: Duration::from_millis(30),
        jitter: Duration::from_millis(20),
        duplicate: 0.1,
        reorder: 0.3,
        ..LinkConfig::default()
    };
    let ends = run(&link, [true, true], 1000);
    for (end, other) in [(&ends[0], &ends[1]), (&ends[1], &ends[0])] {
        let stats = end.session.stats();
        assert!(stats.packets_duplicated > 50, "{stats:?}");
        assert_eq!(stats.packets_received - stats.packets_duplicated, end.packets as u64);
        assert!(
            other.session.stats().packets_sent - end.packets as u64 <= 5,
            "only those still under way"
        );
        assert_eq!((stats.source_changes, stats.packets_on_probation), (0, 0));
        assert!(stats.jitter > 0.002, "{}", stats.jitter);
    }
}

#[test]
fn same_seed_same_bytes_at_the_same_times() {
    let link = LinkConfig {
        jitter: Duration::from_millis(15),
        ..delayed(50, Loss::Bernoulli(0.1))
    };
    let [one, two] = run(&link, [true, true], 500);
    let [again, also] = run(&link, [true, true], 500);
    assert!(one.trace == again.trace && two.trace == also.trace);
    assert!(one.trace.len() > 500);
    assert_ne!(one.trace, two.trace);
}
