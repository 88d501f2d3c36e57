//! Networks that change, restarts of ICE by either side and by both, and the patience with a silent peer.

use std::net::SocketAddr;

use duologue_call::CallEventKind;
use duologue_signaling::ids::PartyId;
use duologue_signaling::{ClientMessage, ServerMessage, SessionDescription};
use duologue_transport::Event;

use crate::bench::Bench;
use crate::{called_by_chromium, calling_chromium, chromium_codecs, second};

fn elsewhere() -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 7], 41_000))
}

/// The engine's descriptions of this generation.
fn descriptions(bench: &Bench, generation: u32) -> Vec<SessionDescription> {
    { bench.told.iter() }
        .filter_map(|message| match message {
            ClientMessage::Description { description, .. } if description.generation == generation => {
                Some((**description).clone())
            }
            _ => None,
        })
        .collect()
}

/// The peer's end as it is now, as a description of this generation.
fn peer_says(bench: &mut Bench, generation: u32) {
    let mut description = bench.peers[0].describe(chromium_codecs(), Vec::new());
    description.generation = generation;
    bench.say(ServerMessage::Description {
        party: PartyId(1),
        description: Box::new(description),
    });
}

fn remote(bench: &Bench) -> Option<SocketAddr> {
    bench.engine.statistics(bench.now()).candidate_pair.remote
}

fn local(bench: &Bench) -> Option<SocketAddr> {
    bench.engine.statistics(bench.now()).candidate_pair.local
}

/// Both hear each other.
fn assert_talking(bench: &mut Bench) {
    bench.peers[0].rtp.clear();
    bench.played = 0.0;
    bench.run(second());
    assert!(bench.peers[0].rtp.len() > 40, "{}", bench.peers[0].rtp.len());
    assert!(bench.played > 0.2, "{}", bench.played);
    assert!(!bench.has("evt_disconnected"));
}

#[test]
fn a_peer_that_restarts_from_another_network_is_followed() {
    for mut bench in [called_by_chromium(), calling_chromium()] {
        let now = bench.now();
        bench.peers[0].move_to(elsewhere(), now);
        bench.peers[0].transport.restart_ice(now);
        peer_says(&mut bench, 1);
        let [answer] = &descriptions(&bench, 1)[..] else {
            panic!("no answer")
        };
        let before = descriptions(&bench, 0).pop();
        assert!(before.is_none_or(|before| before.ufrag != answer.ufrag));
        bench.peers[0].learn(answer, now);
        bench.run_until("the new path", |bench| remote(bench) == Some(elsewhere()));
        assert_talking(&mut bench);
        let statistics = bench.engine.statistics(bench.now());
        assert_eq!(
            (
                statistics.candidate_pair.restarts,
                statistics.shell.descriptions_ignored
            ),
            (0, 0)
        );
    }
}

#[test]
fn the_engine_restarts_when_its_network_changes_under_a_peer_that_cannot_follow() {
    for mut bench in [called_by_chromium(), calling_chromium()] {
        bench.move_engine(elsewhere());
        // The description, and the candidates that are found after it, reach the peer.
        let [offer] = &descriptions(&bench, 1)[..] else {
            panic!("no restart: {:?}", bench.told.last())
        };
        let now = bench.now();
        bench.peers[0].transport.restart_ice(now);
        bench.peers[0].learn(offer, now);
        peer_says(&mut bench, 1);
        bench.run_until("the new path", |bench| {
            local(bench) == Some(elsewhere()) && bench.played > 0.2
        });
        assert_talking(&mut bench);
        assert_eq!(bench.engine.statistics(bench.now()).candidate_pair.restarts, 1);
        assert_eq!(descriptions(&bench, 2).len(), 0, "one restart is enough");
    }
}

#[test]
fn two_restarts_at_once_are_one() {
    for mut bench in [called_by_chromium(), calling_chromium()] {
        let other = SocketAddr::from(([203, 0, 113, 9], 42_000));
        bench.move_engine(elsewhere());
        let [ours] = &descriptions(&bench, 1)[..] else {
            panic!("no restart")
        };
        // The peer's own was under way already.
        let now = bench.now();
        bench.peers[0].move_to(other, now);
        bench.peers[0].transport.restart_ice(now);
        peer_says(&mut bench, 1);
        bench.peers[0].learn(ours, now);
        bench.run_until("the new path", |bench| {
            local(bench) == Some(elsewhere()) && remote(bench) == Some(other) && bench.played > 0.2
        });
        assert_talking(&mut bench);
        assert_eq!(descriptions(&bench, 1).len(), 1, "theirs is the answer to ours");
        assert_eq!(bench.engine.statistics(bench.now()).shell.descriptions_ignored, 0);
    }
}

#[test]
fn audio_goes_on_over_the_old_path_while_a_restart_is_not_answered() {
    let mut bench = called_by_chromium();
    // The peer has told of its restart, and cannot be reached on a new path yet.
    let mut description = bench.peers[0].describe(chromium_codecs(), Vec::new());
    description.generation = 1;
    description.ufrag = "other".into();
    description.candidates.clear();
    bench.say(ServerMessage::Description {
        party: PartyId(1),
        description: Box::new(description),
    });
    assert_eq!(descriptions(&bench, 1).len(), 1);
    assert_talking(&mut bench);
}

#[test]
fn what_is_no_restart_is_ignored() {
    let mut bench = called_by_chromium();
    let good = bench.peers[0].describe(chromium_codecs(), Vec::new());
    let say = |bench: &mut Bench, change: &dyn Fn(&mut SessionDescription)| {
        let mut description = good.clone();
        description.generation = 1;
        change(&mut description);
        bench.say(ServerMessage::Description {
            party: PartyId(1),
            description: Box::new(description),
        });
    };
    say(&mut bench, &|description| description.generation = 0);
    say(&mut bench, &|description| description.generation = u32::MAX);
    say(&mut bench, &|description| {
        description.fingerprints[0].value = ["AB"; 32].join(":")
    });
    assert_eq!(bench.engine.statistics(bench.now()).shell.descriptions_ignored, 3);
    assert_eq!(descriptions(&bench, 1).len(), 0);
    assert_talking(&mut bench);
}

#[test]
fn a_lost_path_is_told_with_whose_network_it_is_and_ends_the_call_in_time() {
    let unavailable = |bench: &Bench| {
        let found = bench.events.iter().rev().find_map(|event| match event {
            CallEventKind::NetworkUnavailable(param) => Some((param.is_peer, param.will_disconnect_sec)),
            _ => None,
        });
        found.expect("told")
    };
    // 29 s are waited for.
    let mut bench = called_by_chromium();
    let begin = bench.clock.elapsed();
    bench.peers[0].cut_off = true;
    bench.run_until("the loss", |bench| bench.has("evt_network_unavailable"));
    let (is_peer, left) = unavailable(&bench);
    assert!(is_peer && (15..=22).contains(&left), "{left}");
    bench.run(29 * second() - (bench.clock.elapsed() - begin));
    bench.peers[0].cut_off = false;
    let took = bench.run_until("the return", |bench| bench.has("evt_network_reavailable"));
    assert!(took <= second(), "{took:?}");
    bench.run(20 * second());
    assert!(!bench.has("evt_disconnected"));

    // Without the server it is our own network, and nothing comes back.
    bench.events.clear();
    bench.lose_server();
    bench.peers[0].cut_off = true;
    let begin = bench.clock.elapsed();
    bench.run_until("the loss", |bench| bench.has("evt_network_unavailable"));
    assert!(!unavailable(&bench).0);
    bench.run_until("the end", |bench| bench.has("evt_disconnected"));
    let took = bench.clock.elapsed() - begin;
    assert!((29 * second()..=31 * second()).contains(&took), "{took:?}");
    let reason = bench.events.iter().find_map(|event| match event {
        CallEventKind::Disconnected(param) => Some(param.reason.str_code),
        _ => None,
    });
    assert_eq!(reason, Some("UNAVAILABLE_NETWORK"));
}

#[test]
fn without_any_address_the_network_is_our_own_and_told_at_once() {
    let mut bench = called_by_chromium();
    let before = bench.clock.elapsed();
    bench.lose_address();
    assert!(bench.has("evt_network_unavailable"), "{:?}", bench.names());
    assert_eq!(bench.clock.elapsed(), before);
    let told = bench.events.iter().rev().find_map(|event| match event {
        CallEventKind::NetworkUnavailable(param) => Some((param.is_peer, param.will_disconnect_sec)),
        _ => None,
    });
    assert_eq!(told, Some((false, 30)));
    bench.run(5 * second());
    // The peer has noticed nothing but silence, and answers the restart that is waiting for it.
    bench.regain_address();
    let [offer] = &descriptions(&bench, 1)[..] else {
        panic!("no restart")
    };
    let now = bench.now();
    bench.peers[0].transport.restart_ice(now);
    bench.peers[0].learn(offer, now);
    peer_says(&mut bench, 1);
    bench.run_until("the return", |bench| bench.has("evt_network_reavailable"));
    assert_talking(&mut bench);
    let lost = |event: &Event| matches!(event, Event::Interrupted);
    assert!(!bench.peers[0].transport_events.iter().any(lost));
}
