//! Wires: outages, stalls, profiles by name, on virtual time.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::{Duration, Instant};

use duologue_testnet::wire::{End, Outage, Profile, Stalls, Wire};
use duologue_testnet::{Clock, LinkConfig, with_seed};

const MS: Duration = Duration::from_millis(1);

/// Puts in a packet of 200 bytes every 20 ms at the left end, its number in front; the arrivals as (number, time).
fn run(profile: Profile, seed: u64, count: u32) -> (Instant, Vec<(u32, Instant)>, Wire) {
    let start = Clock::new().now();
    let mut wire = Wire::new(profile, seed, start);
    let mut arrivals = Vec::new();
    let mut collect = |wire: &mut Wire, until: Option<Instant>| {
        while let Some(due) = wire
            .poll_timeout()
            .filter(|due| until.is_none_or(|until| *due <= until))
        {
            let (end, packet) = wire.poll_output(due).expect("something is due");
            assert_eq!(end, End::Right);
            arrivals.push((u32::from_be_bytes(packet[..4].try_into().unwrap()), due));
        }
    };
    for i in 0..count {
        let now = start + 20 * MS * i;
        collect(&mut wire, Some(now));
        let mut packet = vec![0; 200];
        packet[..4].copy_from_slice(&i.to_be_bytes());
        wire.handle_packet(End::Left, &packet, now);
    }
    collect(&mut wire, None);
    (start, arrivals, wire)
}

#[test]
fn an_outage_swallows_what_is_put_in_during_it_and_nothing_else() {
    let outage = Outage {
        begin: 100 * MS,
        length: 200 * MS,
    };
    let profile = Profile {
        link: LinkConfig {
            delay: 35 * MS,
            ..LinkConfig::default()
        },
        outages: vec![outage],
        ..Profile::default()
    };
    let (start, arrivals, wire) = run(profile, 1, 30);
    // Packets 0 to 4 are before 100 ms, 15 is at 300 ms.
    let expected: Vec<(u32, Instant)> = (0..5)
        .chain(15..30)
        .map(|i| (i, start + 20 * MS * i + 35 * MS))
        .collect();
    assert_eq!(arrivals, expected);
    let stats = wire.stats(End::Left);
    assert_eq!((stats.cut, stats.delivered, stats.link.sent), (10, 20, 20));
    assert_eq!(wire.stats(End::Right).delivered, 0);
}

#[test]
fn a_wire_is_cut_and_mended_by_hand_and_what_is_under_way_arrives() {
    let start = Clock::new().now();
    let mut wire = Wire::new(Profile::named("rtt20").unwrap(), 1, start);
    wire.handle_packet(End::Right, b"before", start);
    wire.set_cut(true);
    wire.handle_packet(End::Right, b"during", start + MS);
    wire.handle_packet(End::Left, b"during", start + MS);
    wire.set_cut(false);
    wire.handle_packet(End::Left, b"after", start + 2 * MS);
    assert_eq!(wire.poll_output(start + 9 * MS), None);
    assert_eq!(wire.poll_output(start + 10 * MS), Some((End::Left, b"before".to_vec())));
    assert_eq!(wire.poll_output(start + 12 * MS), Some((End::Right, b"after".to_vec())));
    assert_eq!(wire.poll_timeout(), None);
}

#[test]
fn a_stalled_line_delivers_late_in_order_and_loses_nothing() {
    with_seed(7, |seed| {
        let stalls = Stalls {
            every: 500 * MS,
            shortest: 80 * MS,
            longest: 250 * MS,
        };
        let profile = Profile {
            stalls: Some(stalls),
            ..Profile::default()
        };
        let (start, arrivals, _) = run(profile, seed, 20_000);
        assert_eq!(
            arrivals.iter().map(|(i, _)| *i).collect::<Vec<_>>(),
            (0..20_000).collect::<Vec<_>>()
        );
        let late: Vec<Duration> = arrivals
            .iter()
            .map(|(i, at)| *at - (start + 20 * MS * *i))
            .filter(|late| !late.is_zero())
            .collect();
        assert!(late.iter().all(|late| *late <= 250 * MS));
        assert!(late.iter().any(|late| *late > 80 * MS));
        // A stall of 165 ms after 500 ms each: a quarter of the time; a packet is late when it falls into one.
        let share = late.len() as f64 / 20_000.0;
        assert!((0.2..0.3).contains(&share), "{share}");
    });
}

#[test]
fn the_same_seed_gives_the_same_arrivals_and_another_seed_others() {
    for name in ["wifi", "lte", "bursts", "spikes", "reorder"] {
        let arrivals = |seed| {
            let (start, arrivals, _) = run(Profile::named(name).unwrap(), seed, 2_000);
            let offsets: Vec<(u32, Duration)> = arrivals.iter().map(|(i, at)| (*i, *at - start)).collect();
            offsets
        };
        assert_eq!(arrivals(3), arrivals(3), "{name}");
        assert_ne!(arrivals(3), arrivals(4), "{name}");
    }
}

#[test]
fn the_two_directions_are_drawn_apart() {
    let start = Clock::new().now();
    let mut wire = Wire::new(Profile::named("loss30").unwrap(), 5, start);
    let mut fates = [Vec::new(), Vec::new()];
    for i in 0..1_000 {
        for (end, fates) in [End::Left, End::Right].into_iter().zip(&mut fates) {
            let lost = wire.stats(end).link.lost;
            wire.handle_packet(end, b"x", start + MS * i);
            fates.push(wire.stats(end).link.lost > lost);
        }
    }
    assert_ne!(fates[0], fates[1]);
}

#[test]
fn bursts_lose_a_tenth_in_runs_of_three() {
    with_seed(11, |seed| {
        let (_, arrivals, _) = run(Profile::named("bursts").unwrap(), seed, 200_000);
        let mut next = 0;
        let (mut lost, mut runs) = (0_u32, 0_u32);
        for (i, _) in arrivals {
            if i > next {
                lost += i - next;
                runs += 1;
            }
            next = i + 1;
        }
        let share = f64::from(lost) / 200_000.0;
        let mean = f64::from(lost) / f64::from(runs);
        assert!((0.09..0.11).contains(&share), "{share}");
        assert!((2.7..3.3).contains(&mean), "{mean}");
    });
}

#[test]
fn a_slow_line_carries_its_rate_and_no_more_than_its_queue() {
    // 200 bytes every 20 ms are 80 kbit/s: half of them pass a line of 40.
    let (start, arrivals, wire) = run(Profile::named("slow40").unwrap(), 1, 1_000);
    let stats = wire.stats(End::Left);
    assert_eq!(stats.link.queue_drops + stats.delivered, 1_000);
    let last = arrivals.last().unwrap().1 - start;
    let bits = 200.0 * 8.0 * f64::from(u32::try_from(arrivals.len()).unwrap());
    assert!((bits / last.as_secs_f64() - 40_000.0).abs() < 400.0);
    for (i, at) in arrivals {
        // A second of queue, the packet itself, 20 ms of way.
        assert!(at - (start + 20 * MS * i) <= 1_060 * MS);
    }
}

#[test]
fn what_does_not_fit_is_dropped_and_counted() {
    let start = Clock::new().now();
    let mut wire = Wire::new(Profile::named("rtt20").unwrap(), 1, start);
    for _ in 0..Wire::WAITING + 3 {
        wire.handle_packet(End::Left, b"x", start);
    }
    wire.handle_packet(End::Right, b"x", start);
    assert_eq!(wire.stats(End::Left).overflow, 3);
    assert_eq!(wire.stats(End::Right).overflow, 0);
}

#[test]
fn every_name_of_the_list_is_known_and_others_are_not() {
    for (name, _) in Profile::NAMES {
        let name = name.replace('N', "29");
        assert!(Profile::named(&name).is_some(), "{name}");
    }
    assert_eq!(Profile::named("rtt120").unwrap().link.delay, 60 * MS);
    let outage = Profile::named("outage-29").unwrap().outages;
    assert_eq!(outage[0].length, Duration::from_secs(29));
    for name in [
        "",
        "wlan",
        "rtt",
        "rtt-1",
        "rtt+1",
        "rtt10000",
        "loss101",
        "loss1.5",
        "outage-",
        "outage-601",
        "outage-N",
    ] {
        assert_eq!(Profile::named(name), None, "{name}");
    }
}
