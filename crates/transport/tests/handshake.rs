//! From the offer to the first packet.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::time::Duration;

use duologue_testnet::{LinkConfig, Loss, with_seed};
use duologue_transport::{Certificate, Event, FailReason, Setup};
use support::{CALLEE, CALLER, Setting, failed_with, one_way, pair, rtp};

fn settings() -> [Setting; 4] {
    [
        (Setup::Active, true),
        (Setup::Passive, true),
        (Setup::Active, false),
        (Setup::Passive, false),
    ]
    .map(|(callee_setup, dtls13)| Setting {
        callee_setup,
        dtls13: [dtls13; 2],
        ..Setting::default()
    })
}

#[test]
fn both_roles_and_versions_connect_and_carry_media_both_ways() {
    for setting in settings() {
        let mut pair = pair(&setting);
        assert!(pair.connect());
        for id in [CALLER, CALLEE] {
            let party = pair.driver.endpoint(id);
            let [
                Event::Connected {
                    profile,
                    dtls_version,
                    path,
                },
            ] = party.milestones()[..]
            else {
                panic!("{:?}", party.milestones());
            };
            assert_eq!(profile, "SRTP_AEAD_AES_256_GCM");
            assert_eq!(dtls_version, if setting.dtls13[0] { "DTLS 1.3" } else { "DTLS 1.2" });
            assert_eq!((path.local_kind, path.remote_kind), ("host", "host"));
        }
        pair.exchange(1);
        let stats = pair.caller().transport.stats();
        assert_eq!((stats.rtp_received, stats.rtcp_received), (1, 1));
        assert_eq!(
            (stats.srtp_rejected, stats.unproven_dropped, stats.output_dropped),
            (0, 0, 0)
        );
        assert_eq!(pair.callee().transport.rtt(), Some(Duration::from_millis(100)));
    }
}

/// A peer that only knows 1.2 meets one that prefers 1.3, in either role.
#[test]
fn an_older_peer_gets_the_older_version() {
    for callee_setup in [Setup::Active, Setup::Passive] {
        for dtls13 in [[true, false], [false, true]] {
            let mut mixed = pair(&Setting {
                callee_setup,
                dtls13,
                ..Setting::default()
            });
            assert!(mixed.connect());
            let versions = [CALLER, CALLEE].map(|id| match mixed.driver.endpoint(id).milestones()[0] {
                Event::Connected { dtls_version, .. } => dtls_version.clone(),
                other => panic!("{other:?}"),
            });
            assert_eq!(versions, ["DTLS 1.2", "DTLS 1.2"]);
            mixed.exchange(1);
        }
    }
}

/// RTT 100 ms, the answer travels 50 ms, nothing lost. Times count from the moment the callee learns the offer.
#[test]
#[expect(clippy::print_stderr, reason = "the figures are worth seeing")]
fn setup_takes_as_many_round_trips_as_it_must() {
    for (setup, dtls13, callee_to_caller, caller_to_callee) in [
        (Setup::Active, true, 250, 300),
        (Setup::Passive, true, 350, 300),
        (Setup::Active, false, 350, 300),
        (Setup::Passive, false, 350, 400),
    ] {
        let mut pair = pair(&Setting {
            callee_setup: setup,
            dtls13: [dtls13; 2],
            ..Setting::default()
        });
        for id in [CALLER, CALLEE] {
            pair.driver.endpoint_mut(id).greeting = Some(rtp(1));
        }
        pair.run(Duration::from_secs(2));
        let learned = pair.start + Duration::from_millis(50);
        let first = [CALLER, CALLEE].map(|id| pair.driver.endpoint(id).rtp()[0].0 - learned);
        eprintln!(
            "callee {setup}, 1.3 {dtls13}: first packet at caller {:?}, at callee {:?}",
            first[0], first[1]
        );
        assert!(first[0] <= Duration::from_millis(callee_to_caller), "{first:?}");
        assert!(first[1] <= Duration::from_millis(caller_to_callee), "{first:?}");
    }
}

#[test]
fn any_single_datagram_of_the_handshake_may_be_lost() {
    for setting in settings() {
        for id in [CALLER, CALLEE] {
            for lost in 0..6 {
                let mut pair = pair(&setting);
                pair.driver.endpoint_mut(id).drop_dtls = Some(lost);
                assert!(
                    pair.connect(),
                    "{} 1.3 {:?}: {id} lost {lost}",
                    setting.callee_setup,
                    setting.dtls13
                );
                let took = pair.since_start(pair.driver.now());
                assert!(took <= Duration::from_millis(1200), "{id} lost {lost}: {took:?}");
                pair.exchange(1);
            }
        }
    }
}

#[test]
fn handshakes_survive_loss_duplication_and_reordering() {
    for seed in 0..60 {
        with_seed(seed, |seed| {
            let mut setting = Setting {
                seed,
                callee_setup: if seed % 2 == 0 { Setup::Active } else { Setup::Passive },
                dtls13: [seed % 4 < 2, seed % 3 > 0],
                ..Setting::default()
            };
            // Two links a way: 1 - 0.9^2 is 19 % of all datagrams.
            setting.link = LinkConfig {
                loss: Loss::Bernoulli(0.1),
                duplicate: 0.1,
                reorder: 0.2,
                jitter: Duration::from_millis(5),
                ..one_way(50)
            };
            let mut pair = pair(&setting);
            assert!(pair.connect(), "seed {seed}");
            pair.driver.network_mut().set_link(pair.hosts[0], &one_way(50));
            pair.driver.network_mut().set_link(pair.hosts[1], &one_way(50));
            pair.exchange(1);
        });
    }
}

/// The callee's ClientHello and its first packets overtake its answer.
#[test]
fn the_handshake_does_not_wait_for_the_answer_but_media_do() {
    let mut pair = pair(&Setting::default());
    pair.callee().hold_answer = true;
    pair.callee().greeting = Some(rtp(1));
    pair.run(Duration::from_secs(1));
    assert!(pair.callee().is_connected(), "the caller takes part in the handshake");
    let now = pair.driver.now();
    for sequence in 2..40 {
        pair.callee().transport.send_rtp(&rtp(sequence), now).unwrap();
    }
    pair.run(Duration::from_millis(200));
    assert!(pair.caller().milestones().is_empty());
    assert!(pair.caller().rtp().is_empty());
    pair.callee().release();
    pair.run(Duration::from_millis(300));
    assert!(pair.caller().is_connected());
    let received = pair.caller().rtp();
    assert_eq!(received.len(), 16, "that many are kept");
    for (sequence, (_, packet)) in (1..).zip(&received) {
        assert_eq!(packet[..], rtp(sequence)[..]);
    }
    assert_eq!(pair.caller().transport.stats().early_dropped, 39 - 16);
    pair.exchange(100);
}

#[test]
fn a_wrong_fingerprint_in_a_late_answer_ends_everything() {
    let mut pair = pair(&Setting::default());
    pair.callee().hold_answer = true;
    pair.callee().greeting = Some(rtp(1));
    pair.run(Duration::from_secs(1));
    let mut forged = pair.callee().transport.local_parameters();
    forged.fingerprints = vec![Certificate::generate().unwrap().fingerprint()];
    pair.callee().signalled = Some(forged);
    pair.callee().release();
    pair.run(Duration::from_secs(1));
    let caller = pair.caller();
    assert!(caller.rtp().is_empty() && caller.rtcp().is_empty());
    assert!(matches!(caller.milestones()[..], [event] if failed_with(event, FailReason::FingerprintMismatch)));
    assert!(caller.transport.is_closed());
}

#[test]
fn a_wrong_fingerprint_on_either_side_delivers_nothing() {
    for setting in settings() {
        for liar in [CALLER, CALLEE] {
            let mut pair = pair(&setting);
            let mut forged = pair.driver.endpoint(liar).transport.local_parameters();
            forged.fingerprints = vec![Certificate::generate().unwrap().fingerprint()];
            if liar == CALLEE {
                forged.setup = setting.callee_setup;
            }
            pair.driver.endpoint_mut(liar).signalled = Some(forged);
            for id in [CALLER, CALLEE] {
                pair.driver.endpoint_mut(id).greeting = Some(rtp(1));
            }
            if liar == CALLER {
                // The offer has left the queue with the true fingerprint already.
                pair.caller().resignal();
            }
            pair.run(Duration::from_secs(20));
            let victim = pair.driver.endpoint(1 - liar);
            assert!(victim.rtp().is_empty());
            assert!(
                matches!(victim.milestones()[..], [event] if failed_with(event, FailReason::FingerprintMismatch)),
                "{:?}",
                victim.milestones()
            );
            assert_eq!(victim.transport.poll_timeout(), None);
        }
    }
}

#[test]
fn a_peer_that_never_speaks_dtls_times_out() {
    for callee_setup in [Setup::Active, Setup::Passive] {
        let mut pair = pair(&Setting {
            callee_setup,
            ..Setting::default()
        });
        pair.callee().mute_dtls = true;
        pair.run(Duration::from_secs(20));
        assert!(
            matches!(pair.caller().milestones()[..], [event] if failed_with(event, FailReason::Timeout)),
            "{:?}",
            pair.caller().milestones()
        );
    }
}

/// Everything but DTLS's own randomness follows from the seed.
#[test]
fn the_same_seed_gives_the_same_run() {
    let run = || {
        let mut pair = pair(&Setting::default());
        assert!(pair.connect());
        pair.exchange(1);
        let start = pair.start;
        [CALLER, CALLEE].map(|id| {
            let party = pair.driver.endpoint(id);
            (
                party.transport.local_parameters().pwd,
                party
                    .events
                    .iter()
                    .map(|(at, event)| (*at - start, event.clone()))
                    .collect::<Vec<_>>(),
                party.transport.stats().datagrams_sent,
            )
        })
    };
    assert_eq!(run(), run());
}
