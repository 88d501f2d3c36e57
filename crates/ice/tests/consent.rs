//! Consent freshness (RFC 7675), restart (RFC 8445 §9) and moves to another path.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use duologue_ice::{Event, State};
use support::{A, B, World, addr, ms};

fn connected(seed: u64) -> World {
    let mut world = World::pair(seed);
    world.introduce();
    assert!(world.connect(ms(2000)), "seed {seed}");
    world
}

#[test]
fn consent_checks_come_at_random_between_four_and_six_seconds() {
    let mut world = connected(1);
    world.run(ms(2000));
    world.sent.clear();
    world.run(ms(300_000));
    for side in [A, B] {
        let checks: Vec<_> = world
            .sent
            .iter()
            // Requests: message type 0x0001.
            .filter(|(_, from, t)| *from == side && t.payload[..2] == [0, 1])
            .map(|(at, _, _)| *at)
            .collect();
        let gaps: Vec<_> = checks.windows(2).map(|w| w[1] - w[0]).collect();
        assert!(gaps.len() >= 49, "{}", gaps.len());
        assert!(gaps.iter().all(|gap| *gap >= ms(4000) && *gap <= ms(6000)), "{gaps:?}");
        let shortest = gaps.iter().min().unwrap();
        let longest = gaps.iter().max().unwrap();
        assert!(
            *longest - *shortest > ms(500),
            "they are spread: {shortest:?} to {longest:?}"
        );
        assert_eq!(world.agent(side).state(), State::Completed);
    }
}

#[test]
fn consent_survives_heavy_loss() {
    for seed in 0..20 {
        let mut world = connected(seed);
        world.loss = 0.2;
        world.run(ms(120_000));
        for side in [A, B] {
            assert!(!world.events(side).any(|e| *e == Event::ConsentLost), "seed {seed}");
        }
    }
}

#[test]
fn consent_is_lost_after_thirty_seconds_of_silence_and_restored() {
    for outage in [40_000, 70_000, 300_000] {
        let mut world = connected(2);
        world.run(ms(10_000));
        let before = world.now - world.start;
        world.dark = true;
        world.run(ms(20_000));
        for side in [A, B] {
            assert!(world.selected(side).is_some(), "not yet: data may still be sent");
        }
        world.run(ms(outage - 20_000));
        for side in [A, B] {
            let lost = world.when(side, |e| *e == Event::ConsentLost).unwrap();
            // The last answer was up to 6 s old when it went dark.
            assert!(
                lost >= before + ms(24_000) - ms(100) && lost <= before + ms(30_100),
                "{lost:?}"
            );
            assert_eq!(world.agent(side).best_pair(), None, "nothing may be sent");
            assert!(matches!(world.agent(side).state(), State::Disconnected | State::Failed));
        }
        world.dark = false;
        assert!(world.connect(ms(10_000)), "outage {outage}");
        for side in [A, B] {
            assert!(
                world.when(side, |e| *e == Event::ConsentRestored).is_some(),
                "outage {outage}"
            );
            assert_eq!(world.agent(side).state(), State::Completed);
        }
    }
}

#[test]
fn a_restart_keeps_the_old_pair_until_a_new_one_is_selected() {
    for (who, loss) in [(A, 0.0), (B, 0.0), (A, 0.2), (B, 0.2)] {
        let mut world = connected(3);
        world.run(ms(3000));
        world.clear_events();
        world.loss = loss;
        let old = world.agent(who).local_credentials().clone();
        world.restart(who);
        assert_ne!(world.agent(who).local_credentials(), &old);
        assert!(world.selected(who).is_some(), "data goes on");
        // The peer answers the restart before it takes in the new credentials.
        world.run(ms(49));
        world.restart(1 - who);
        let uninterrupted = world.run_until(ms(20_000), |w| {
            assert!(w.agent(A).best_pair().is_some() && w.agent(B).best_pair().is_some());
            [A, B]
                .iter()
                .all(|&s| w.events(s).any(|e| matches!(e, Event::SelectedPair(_))))
        });
        assert!(uninterrupted, "restarted by {who}, loss {loss}");
        for side in [A, B] {
            assert!(!world.events(side).any(|e| *e == Event::ConsentLost));
        }
        world.run(ms(60_000));
        assert_eq!(world.agent(A).state(), State::Completed);
        assert_eq!(world.agent(B).state(), State::Completed);
    }
}

/// The peer never learns of the restart: the old pair goes on, with consent under the old credentials.
#[test]
fn an_unanswered_restart_leaves_the_call_alive() {
    let mut world = connected(4);
    world.silent = true;
    let now = world.now;
    world.agent(A).restart(None, now);
    world.drain(A);
    world.run(ms(120_000));
    for side in [A, B] {
        assert!(world.selected(side).is_some());
        assert!(!world.events(side).any(|e| *e == Event::ConsentLost));
    }
}

/// A second address that works takes over when the first is removed.
#[test]
fn removing_the_address_in_use_moves_to_another() {
    for side in [A, B] {
        let mut world = World::pair(5);
        world.bind(A, "192.0.2.1:5000");
        world.bind(A, "192.0.2.2:5000");
        world.bind(B, "203.0.113.1:6000");
        world.bind(B, "203.0.113.2:6000");
        for side in [A, B] {
            world.end_of_addresses(side);
            world.signal_credentials(side);
        }
        assert!(world.connect(ms(2000)));
        world.run(ms(1000));
        let used = world.selected(side).unwrap().local;
        let now = world.now;
        world.agent(side).remove_local_address(used, now);
        world.drain(side);
        let moved = world.run_until(ms(60_000), |w| {
            let (a, b) = (w.selected(A), w.selected(B));
            a.zip(b)
                .is_some_and(|(a, b)| a.local == b.remote && b.local == a.remote && [&a, &b][side].local != used)
        });
        assert!(moved, "side {side}");
    }
}

#[test]
fn a_closed_agent_is_silent() {
    let mut world = connected(6);
    let now = world.now;
    world.agent(A).close();
    assert_eq!(world.agent(A).poll_timeout(), None);
    assert_eq!(world.agent(A).best_pair(), None);
    assert!(world.agent(A).add_local_address(addr("192.0.2.9:1"), now).is_err());
    world.drain(A);
    world.sent.clear();
    world.run(ms(60_000));
    assert!(world.sent.iter().all(|(_, side, _)| *side == B));
    assert!(world.events(B).any(|e| *e == Event::ConsentLost));
}
