//! Two agents find each other: how fast, and through what.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::collections::HashSet;

use duologue_ice::{CandidateKind, Config, Event, Role, State};
use support::{A, B, Nat, STUN_SERVER, World, addr, config, ms};

fn is_valid(event: &Event) -> bool {
    matches!(event, Event::ValidPair(_))
}

fn is_selected(event: &Event) -> bool {
    matches!(event, Event::SelectedPair(_))
}

/// The callee (controlled) knows the caller's credentials and candidate from the start; its own reach the caller half
/// a round trip later. RTT 100 ms.
#[test]
fn a_host_pair_is_valid_one_round_trip_after_the_credentials() {
    let mut world = World::pair(1);
    world.signal_delay = ms(0);
    world.bind(A, "192.0.2.1:5000");
    world.end_of_addresses(A);
    world.signal_credentials(A);
    world.signal_delay = ms(50);
    world.bind(B, "203.0.113.1:6000");
    world.end_of_addresses(B);
    world.signal_credentials(B);
    assert!(world.connect(ms(1000)));
    assert_eq!(world.when(B, is_valid), Some(ms(100)), "callee");
    assert_eq!(
        world.when(A, is_valid),
        Some(ms(150)),
        "caller: credentials at 50 ms, one round trip"
    );
    assert_eq!(world.when(A, is_selected), Some(ms(250)));
    assert_eq!(world.when(B, is_selected), Some(ms(200)));
    let pair = world.selected(B).unwrap();
    assert_eq!(
        (pair.local, pair.remote),
        (addr("203.0.113.1:6000"), addr("192.0.2.1:5000"))
    );
    assert_eq!(pair.rtt, Some(ms(100)));
    assert_eq!(
        (pair.local_kind, pair.remote_kind),
        (CandidateKind::Host, CandidateKind::Host)
    );
    world.run(ms(500));
    assert_eq!(world.agent(A).state(), State::Completed);
    assert_eq!(world.agent(B).state(), State::Completed);
}

#[test]
fn every_seed_connects_at_every_loss_up_to_thirty_percent() {
    let mut slowest = ms(0);
    for loss in [0.0, 0.05, 0.1, 0.2, 0.3] {
        for seed in 0..100 {
            let mut world = World::pair(seed);
            world.loss = loss;
            world.introduce();
            assert!(world.connect(ms(20_000)), "loss {loss}, seed {seed}");
            slowest = slowest.max(world.now - world.start);
            let (a, b) = (world.selected(A).unwrap(), world.selected(B).unwrap());
            assert_eq!((a.local, a.remote), (b.remote, b.local), "loss {loss}, seed {seed}");
        }
    }
    assert!(slowest < ms(10_000), "{slowest:?}");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let run = |seed| {
        let mut world = World::pair(seed);
        world.loss = 0.1;
        world.introduce();
        world.run(ms(40_000));
        world.sent
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

/// RFC 8445 §7.3.1.1, both ways and under loss.
#[test]
fn equal_roles_are_settled() {
    for role in [Role::Controlling, Role::Controlled] {
        for seed in 0..50 {
            let mut world = World::new([config(role), config(role)], seed);
            world.loss = 0.1;
            world.introduce();
            assert!(world.connect(ms(20_000)), "{role:?}, seed {seed}");
            world.run(ms(2000));
            assert_ne!(world.agent(A).role(), world.agent(B).role(), "{role:?}, seed {seed}");
            assert!(world.agent(A).stats().role_switches + world.agent(B).stats().role_switches >= 1);
            let (a, b) = (world.selected(A).unwrap(), world.selected(B).unwrap());
            assert_eq!((a.local, a.remote), (b.remote, b.local), "{role:?}, seed {seed}");
        }
    }
}

fn with_server(role: Role) -> Config {
    Config {
        stun_servers: vec![addr(STUN_SERVER)],
        ..config(role)
    }
}

fn behind_nats(nats: [Option<Nat>; 2], seed: u64) -> World {
    let mut world = World::new([with_server(Role::Controlling), with_server(Role::Controlled)], seed);
    for (side, nat) in nats.into_iter().enumerate() {
        let (public, address) = [("192.0.2.7", "10.0.0.2:5000"), ("203.0.113.7", "10.1.0.2:6000")][side];
        match nat {
            Some(kind) => {
                world.nat(side, kind, public);
                world.bind(side, address);
            }
            None => world.bind(side, &format!("{public}:6000")),
        }
        world.end_of_addresses(side);
        world.signal_credentials(side);
    }
    world
}

#[test]
fn two_port_restricted_nats_are_passed_by_reflexive_candidates() {
    let nat = Some(Nat::PortRestricted);
    for seed in 0..20 {
        let mut world = behind_nats([nat, nat], seed);
        assert!(world.connect(ms(5000)), "seed {seed}");
        let pair = world.selected(A).unwrap();
        assert_eq!(pair.local, addr("10.0.0.2:5000"));
        assert_eq!(pair.remote.ip(), addr("203.0.113.7:1").ip());
        assert_eq!(pair.local_kind, CandidateKind::ServerReflexive);
        assert_eq!(pair.remote_kind, CandidateKind::ServerReflexive);
    }
}

#[test]
fn a_symmetric_nat_is_passed_towards_an_open_peer() {
    for symmetric in [A, B] {
        let mut nats = [None, None];
        nats[symmetric] = Some(Nat::Symmetric);
        let mut world = behind_nats(nats, 3);
        assert!(world.connect(ms(5000)));
        let open = 1 - symmetric;
        assert_eq!(world.selected(open).unwrap().remote_kind, CandidateKind::PeerReflexive);
        assert_eq!(
            world.selected(symmetric).unwrap().local_kind,
            CandidateKind::PeerReflexive
        );
    }
}

/// Without a relay nothing can work here: the agents say so, and not before their patience ends.
#[test]
fn two_symmetric_nats_fail_after_the_patience() {
    let nat = Some(Nat::Symmetric);
    let mut world = behind_nats([nat, nat], 4);
    assert!(!world.connect(ms(60_000)));
    for side in [A, B] {
        assert_eq!(world.agent(side).state(), State::Failed);
        let failed = world.when(side, |e| *e == Event::StateChanged(State::Failed)).unwrap();
        assert!(failed >= ms(15_000), "{failed:?}");
    }
    assert_eq!(world.agent(A).poll_timeout(), None, "nothing is left to do");
}

#[test]
fn both_families_are_tried_alternately() {
    let mut world = World::pair(1);
    for (side, addresses) in [
        (A, ["192.0.2.1:1", "192.0.2.2:1", "[2001:db8::1]:1", "[2001:db8::2]:1"]),
        (
            B,
            [
                "203.0.113.1:1",
                "203.0.113.2:1",
                "[2001:db8:1::1]:1",
                "[2001:db8:1::2]:1",
            ],
        ),
    ] {
        for address in addresses {
            world.bind(side, address);
        }
        world.end_of_addresses(side);
        world.signal_credentials(side);
    }
    world.dark = true;
    world.run(ms(140));
    let checks = world.sent.iter().filter(|(_, side, _)| *side == A);
    // 2 × 2 pairs of each family; the first checks do not all go to one of them.
    let pairs: Vec<_> = checks.take(8).map(|(_, _, t)| (t.source, t.destination)).collect();
    let distinct: HashSet<_> = pairs.iter().collect();
    assert_eq!(distinct.len(), 8, "one each, before any is repeated: {pairs:?}");
    let families: Vec<bool> = pairs.iter().map(|(_, destination)| destination.is_ipv6()).collect();
    assert!(families[0], "IPv6 first");
    assert!(families[..3].contains(&false), "IPv4 is not kept waiting: {families:?}");
}

#[test]
fn checks_are_paced() {
    let mut world = World::pair(1);
    for side in [A, B] {
        for port in 0..8 {
            world.bind(side, &format!("{}:{}", ["192.0.2.1", "203.0.113.1"][side], 7000 + port));
        }
        world.end_of_addresses(side);
        world.signal_credentials(side);
    }
    world.dark = true;
    world.run(ms(3000));
    let times: Vec<_> = world
        .sent
        .iter()
        .filter(|(_, side, _)| *side == A)
        .map(|(at, _, _)| *at)
        .collect();
    assert!(times.len() > 64, "every pair is tried, then tried again");
    assert!(times.windows(2).all(|w| w[1] - w[0] >= ms(5)));
}

/// Trickle (RFC 8838): credentials, candidates and ends in every order.
#[test]
fn every_order_of_trickle_connects() {
    for order in 0..24 {
        let mut world = World::pair(order);
        let mut steps = vec![0, 1, 2, 3];
        let mut pick = order as usize;
        while !steps.is_empty() {
            let step = steps.remove(pick % steps.len());
            pick /= steps.len() + 1;
            match step {
                0 => world.signal_credentials(A),
                1 => world.signal_credentials(B),
                2 => world.bind(A, "192.0.2.1:5000"),
                _ => world.bind(B, "203.0.113.1:6000"),
            }
            world.run(ms(120));
        }
        world.end_of_addresses(A);
        world.end_of_addresses(B);
        assert!(world.connect(ms(3000)), "order {order}");
    }
}

/// Checks that come before the credentials of the peer are answered at once and checked back later.
#[test]
fn early_checks_are_answered_and_remembered() {
    let mut world = World::pair(1);
    world.silent = true;
    world.bind(A, "192.0.2.1:5000");
    world.bind(B, "203.0.113.1:6000");
    world.signal_delay = ms(0);
    world.signal_credentials(A);
    world.run(ms(0));
    let now = world.now;
    let candidate = "candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host".parse().unwrap();
    world.agent(B).add_remote_candidate(candidate, now).unwrap();
    world.drain(B);
    world.run(ms(300));
    assert_eq!(
        world.when(B, is_valid),
        Some(ms(100)),
        "the caller's password suffices to answer"
    );
    assert!(
        world
            .agent(A)
            .is_validated(addr("192.0.2.1:5000"), addr("203.0.113.1:6000"))
    );
    assert!(
        !world
            .agent(A)
            .is_validated(addr("192.0.2.1:5000"), addr("203.0.113.1:6001"))
    );
    assert_eq!(world.agent(A).best_pair(), None);
    world.signal_credentials(B);
    assert!(world.connect(ms(1000)), "no candidate of B was ever signalled");
    assert_eq!(world.selected(A).unwrap().remote_kind, CandidateKind::PeerReflexive);
}

#[test]
fn a_lite_peer_makes_this_side_controlling() {
    let config_lite = Config {
        remote_lite: true,
        ..config(Role::Controlled)
    };
    let world = World::new([config_lite, config(Role::Controlled)], 1);
    let mut world = world;
    assert_eq!(world.agent(A).role(), Role::Controlling);
    // The other agent behaves like a lite one: it is told no candidates, so it only answers.
    world.introduce();
    assert!(world.connect(ms(2000)));
}

#[test]
fn payloads_travel_in_checks_and_answers() {
    let mut world = World::pair(1);
    world.agent(A).set_check_payloads([b"from the caller".to_vec()]);
    world.agent(B).set_check_payloads([vec![7; 1000]]);
    world.introduce();
    assert!(world.connect(ms(1000)));
    assert!(world.events(A).any(|e| *e == Event::CheckPayload(vec![7; 1000])));
    assert!(
        world
            .events(B)
            .any(|e| *e == Event::CheckPayload(b"from the caller".to_vec()))
    );
    let longest = world.sent.iter().map(|(_, _, t)| t.payload.len()).max().unwrap();
    assert!((1000..=1200).contains(&longest), "{longest}");
    for side in [A, B] {
        world.agent(side).set_check_payloads([vec![0; 1001]]);
    }
    world.run(ms(1000));
    world.sent.clear();
    world.run(ms(20_000));
    let longest = world.sent.iter().map(|(_, _, t)| t.payload.len()).max().unwrap();
    assert!(longest < 200, "too long a payload is none: {longest}");
}
