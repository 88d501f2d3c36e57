//! DTLS carried inside STUN checks: quicker, and otherwise the same.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{net::SocketAddr, time::Duration};

use duologue_ice as ice;
use duologue_testnet::{Clock, LinkConfig, Loss, with_seed};
use duologue_transport::{Certificate, Config, Event, FailReason, Output, Setup, Transport};
use proptest::prelude::*;
use support::{CALLEE, CALLER, Pair, Setting, callee_address, caller_address, failed_with, one_way, pair, rtp};

fn carried() -> Setting {
    Setting {
        dtls_in_stun: true,
        ..Setting::default()
    }
}

/// RTT 100 ms, the answer travels 50 ms, nothing lost. Times count from the moment the callee learns the offer.
#[test]
#[expect(clippy::print_stderr, reason = "the figures are worth seeing")]
fn a_path_is_up_in_one_round_trip_and_a_half() {
    for (callee_setup, dtls13, connected, first) in [
        (Setup::Active, true, [150, 100], [150, 200]),
        (Setup::Passive, true, [150, 200], [250, 200]),
        (Setup::Active, false, [155, 205], [255, 205]),
    ] {
        let mut pair = pair(&Setting {
            callee_setup,
            dtls13: [dtls13; 2],
            ..carried()
        });
        for id in [CALLER, CALLEE] {
            pair.driver.endpoint_mut(id).greeting = Some(rtp(1));
        }
        pair.run(Duration::from_secs(2));
        let learned = pair.start + Duration::from_millis(50);
        let up = [CALLER, CALLEE].map(|id| pair.driver.endpoint(id).connected_at().unwrap() - learned);
        let heard = [CALLER, CALLEE].map(|id| pair.driver.endpoint(id).rtp()[0].0 - learned);
        eprintln!("callee {callee_setup}, 1.3 {dtls13}: up at {up:?}, first packet at {heard:?} (caller, callee)");
        for id in [CALLER, CALLEE] {
            assert!(up[id] <= Duration::from_millis(connected[id]), "{up:?}");
            assert!(heard[id] <= Duration::from_millis(first[id]), "{heard:?}");
        }
        pair.exchange(2);
        for id in [CALLER, CALLEE] {
            let stats = pair.driver.endpoint(id).transport.stats();
            assert!(stats.dtls_in_stun_received > 0, "{stats:?}");
        }
    }
}

/// Whatever one side offers, without the other's consent nothing is carried.
#[test]
fn it_takes_both_sides() {
    for offers in [CALLER, CALLEE] {
        let mut pair = pair(&Setting::default());
        // Only one end is told that the other can; that one has it off.
        pair.driver.endpoint_mut(offers).transport.set_remote_dtls_in_stun(true);
        assert!(pair.connect());
        pair.exchange(1);
        for id in [CALLER, CALLEE] {
            assert_eq!(pair.driver.endpoint(id).transport.stats().dtls_in_stun_received, 0);
        }
    }
}

/// The caller learns from the first check that the callee carries: the answer with its options comes later.
#[test]
fn the_caller_need_not_wait_for_the_answer() {
    let mut pair = pair(&carried());
    pair.callee().hold_answer = true;
    pair.run(Duration::from_millis(151));
    assert!(pair.callee().is_connected(), "one round trip after the offer");
    assert!(!pair.caller().is_connected());
    pair.callee().release();
    pair.run(Duration::from_millis(200));
    assert!(pair.caller().is_connected());
    pair.exchange(1);
}

#[test]
fn a_wrong_fingerprint_on_either_side_delivers_nothing() {
    for callee_setup in [Setup::Active, Setup::Passive] {
        for dtls13 in [true, false] {
            for liar in [CALLER, CALLEE] {
                let mut pair = pair(&Setting {
                    callee_setup,
                    dtls13: [dtls13; 2],
                    ..carried()
                });
                let mut forged = pair.driver.endpoint(liar).transport.local_parameters();
                forged.fingerprints = vec![Certificate::generate().unwrap().fingerprint()];
                if liar == CALLEE {
                    forged.setup = callee_setup;
                }
                pair.driver.endpoint_mut(liar).signalled = Some(forged);
                for id in [CALLER, CALLEE] {
                    pair.driver.endpoint_mut(id).greeting = Some(rtp(1));
                }
                if liar == CALLER {
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
            }
        }
    }
}

/// What a handshake came to: profile and version at both ends, or nothing.
fn outcome(pair: &mut Pair) -> Vec<(String, String)> {
    assert!(pair.connect());
    for host in pair.hosts {
        pair.driver.network_mut().set_link(host, &one_way(50));
    }
    // What the lossy links still carry arrives, and repetitions end.
    pair.run(Duration::from_secs(8));
    pair.exchange(1);
    let events = [CALLER, CALLEE].map(|id| pair.driver.endpoint(id).milestones()[0].clone());
    events
        .into_iter()
        .map(|event| match event {
            Event::Connected {
                profile, dtls_version, ..
            } => (profile, dtls_version),
            other => panic!("{other:?}"),
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_outcome_is_the_same_with_and_without(
        seed in any::<u64>(),
        active in any::<bool>(),
        dtls13 in any::<[bool; 2]>(),
        rtt in prop::sample::select(vec![2_u64, 20, 100, 300]),
        loss in prop::sample::select(vec![0.0, 0.05, 0.1]),
        disorder in any::<bool>(),
    ) {
        let outcomes = [false, true].map(|dtls_in_stun| {
            let disordered = LinkConfig {
                duplicate: 0.1,
                reorder: 0.2,
                jitter: Duration::from_millis(5),
                ..one_way(rtt / 2)
            };
            let link = if disorder { disordered } else { one_way(rtt / 2) };
            let mut pair = pair(&Setting {
                seed,
                link: LinkConfig { loss: Loss::Bernoulli(loss), ..link },
                callee_setup: if active { Setup::Active } else { Setup::Passive },
                dtls13,
                dtls_in_stun,
                ..Setting::default()
            });
            outcome(&mut pair)
        });
        prop_assert_eq!(&outcomes[0], &outcomes[1]);
    }
}

/// A transport that carries, and a peer whose checks carry what a test likes.
struct Hostile {
    transport: Transport,
    agent: ice::Agent,
    clock: Clock,
}

impl Hostile {
    fn new(setup: Setup) -> Self {
        let clock = Clock::new();
        let now = clock.now();
        let mut transport = Transport::new(Config::new(Certificate::generate().unwrap()), [1; 32], now);
        let mut agent = ice::Agent::new(
            ice::Config {
                role: ice::Role::Controlling,
                // Many checks, each with another payload.
                consent: ice::ConsentConfig {
                    interval: Duration::from_millis(50),
                    ..ice::ConsentConfig::default()
                },
                ..ice::Config::default()
            },
            [2; 32],
            now,
        );
        transport.set_remote_dtls_in_stun(true);
        transport.add_local_address(callee_address(), now).unwrap();
        agent.add_local_address(caller_address(), now).unwrap();
        let ours = transport.local_parameters();
        let theirs = agent.local_credentials().clone();
        transport
            .set_remote_parameters(
                duologue_transport::Parameters {
                    ufrag: theirs.ufrag,
                    pwd: theirs.pwd,
                    fingerprints: vec![Certificate::generate().unwrap().fingerprint()],
                    setup,
                },
                now,
            )
            .unwrap();
        agent.set_remote_credentials(
            ice::Credentials {
                ufrag: ours.ufrag,
                pwd: ours.pwd,
            },
            now,
        );
        let candidate = "candidate:1 1 udp 2130706431 192.0.2.2 5000 typ host";
        agent.add_remote_candidate(candidate.parse().unwrap(), now).unwrap();
        Self {
            transport,
            agent,
            clock,
        }
    }

    /// Carries datagrams both ways for a while; returns the payloads that came back.
    fn run(&mut self, time: Duration) -> Vec<Vec<u8>> {
        let end = self.clock.now() + time;
        let mut carried = Vec::new();
        while self.clock.now() < end {
            let now = self.clock.now();
            self.agent.handle_timeout(now);
            self.transport.handle_timeout(now);
            let mut quiet = false;
            while !quiet {
                quiet = true;
                while let Some(output) = self.agent.poll_output() {
                    quiet = false;
                    match output {
                        ice::Output::Transmit(sent) => {
                            self.transport
                                .handle_datagram(sent.destination, sent.source, &sent.payload, now);
                        }
                        ice::Output::Event(ice::Event::CheckPayload(payload)) => carried.push(payload),
                        _ => {}
                    }
                }
                while let Some(output) = self.transport.poll_output() {
                    quiet = false;
                    if let Output::Transmit(sent) = output {
                        let (local, source): (SocketAddr, SocketAddr) = (sent.destination, sent.source);
                        if sent.payload[0] < 4 {
                            self.agent.handle_datagram(local, source, &sent.payload, now);
                        }
                    }
                }
            }
            self.clock.advance(Duration::from_millis(5));
        }
        carried
    }
}

#[test]
fn what_is_not_dtls_is_counted_and_dropped() {
    for payload in [
        Vec::new(),
        vec![0; 100],
        vec![0x80; 200],
        b"hello".to_vec(),
        // As long as it can be: the agent sends nothing longer.
        vec![64; 1000],
    ] {
        let mut world = Hostile::new(Setup::ActPass);
        world.agent.set_check_payloads([payload]);
        world.run(Duration::from_millis(500));
        let stats = world.transport.stats();
        assert_eq!(stats.dtls_in_stun_received, 0);
        assert!(stats.dtls_in_stun_dropped > 0);
        assert!(world.transport.path().is_some(), "ICE goes on");
    }
}

/// DTLS that means nothing, in turn with its own repetition: the handshake goes on waiting for the true one.
#[test]
fn forged_records_in_authenticated_checks_do_not_end_the_handshake() {
    with_seed(3, |seed| {
        let mut rng = duologue_testnet::Rng::new(seed);
        for setup in [Setup::Active, Setup::ActPass] {
            let mut world = Hostile::new(setup);
            for _ in 0..200 {
                let mut payload = vec![20 + rng.range(0..4) as u8, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 60];
                payload.extend((0..60).map(|_| rng.next_u64() as u8));
                world.agent.set_check_payloads([payload]);
                world.run(Duration::from_millis(50));
            }
            let stats = world.transport.stats();
            // Without an association only a ClientHello is of use.
            let expected = if setup == Setup::Active {
                stats.dtls_in_stun_dropped
            } else {
                stats.dtls_in_stun_received
            };
            assert!(expected > 50, "{stats:?}");
            assert!(!world.transport.is_closed() && !world.transport.is_connected());
        }
    });
}

/// Before our own check has come back, an answer is at most three times as long as the check: its source may be forged.
#[test]
fn answers_to_the_unproven_are_short() {
    let mut pair = pair(&carried());
    pair.callee().mute = true;
    let mut longest = 0;
    pair.run(Duration::from_secs(1));
    // A check of the callee, without payload and again and again, from an address that is not its own.
    let before = pair.caller().transport.stats();
    let mut stranger = ice::Agent::new(
        ice::Config {
            role: ice::Role::Controlled,
            ..ice::Config::default()
        },
        [9; 32],
        pair.driver.now(),
    );
    let address: SocketAddr = "198.51.100.66:6666".parse().unwrap();
    let now = pair.driver.now();
    stranger.add_local_address(address, now).unwrap();
    let known = pair.caller().transport.local_parameters();
    stranger.set_remote_credentials(
        ice::Credentials {
            ufrag: known.ufrag,
            pwd: known.pwd,
        },
        now,
    );
    let candidate = format!(
        "candidate:1 1 udp 2130706431 {} {} typ host",
        caller_address().ip(),
        caller_address().port()
    );
    stranger.add_remote_candidate(candidate.parse().unwrap(), now).unwrap();
    let mut asked = 0;
    while let Some(output) = stranger.poll_output() {
        if let ice::Output::Transmit(sent) = output {
            asked = sent.payload.len();
            pair.caller()
                .transport
                .handle_datagram(caller_address(), address, &sent.payload, now);
        }
    }
    while let Some(output) = pair.caller().transport.poll_output() {
        if let Output::Transmit(sent) = output
            && sent.destination == address
        {
            longest = longest.max(sent.payload.len());
        }
    }
    assert!(asked > 0 && longest <= 3 * asked, "{longest} for {asked}");
    assert_eq!(
        pair.caller().transport.stats().dtls_in_stun_received,
        before.dtls_in_stun_received
    );
}
