//! The agent on `duologue-testnet`: every pair of NATs, links as they are, an interface that dies.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use duologue_ice::{Agent, CandidateKind, Config, Credentials, Event, Output, PairInfo, Role, State};
use duologue_testnet::{Clock, Driver, Endpoint, LinkConfig, Loss, NatConfig, Network, Transmit, seed_from_env};
use support::{A, B, STUN_SERVER, addr, ms};

/// A host of the network: one that calls, or the STUN server.
enum Host {
    Peer(Box<Peer>),
    Server(VecDeque<Transmit>),
}

struct Peer {
    agent: Agent,
    other: usize,
    out: VecDeque<Transmit>,
    /// Signalling: credentials, candidates and their end as text.
    signal: VecDeque<String>,
    events: Vec<Event>,
}

impl Peer {
    fn collect(&mut self) {
        while let Some(output) = self.agent.poll_output() {
            match output {
                Output::Transmit(t) => self.out.push_back(Transmit {
                    source: t.source,
                    destination: t.destination,
                    payload: t.payload,
                }),
                Output::Event(event) => {
                    match &event {
                        Event::LocalCandidate(candidate) => self.signal.push_back(candidate.to_string()),
                        Event::GatheringComplete => self.signal.push_back("end".to_owned()),
                        _ => {}
                    }
                    self.events.push(event);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn selected(&self) -> Option<PairInfo> {
        self.agent.best_pair().filter(|pair| pair.nominated)
    }
}

impl Endpoint for Host {
    fn handle_datagram(&mut self, local: SocketAddr, source: SocketAddr, payload: &[u8], now: Instant) {
        match self {
            Self::Peer(peer) => {
                peer.agent.handle_datagram(local, source, payload, now);
                peer.collect();
            }
            Self::Server(out) => out.push_back(Transmit {
                source: local,
                destination: source,
                payload: support::stun_answer(payload, source),
            }),
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if let Self::Peer(peer) = self {
            peer.agent.handle_timeout(now);
            peer.collect();
        }
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        match self {
            Self::Peer(peer) => {
                peer.collect();
                peer.out.pop_front()
            }
            Self::Server(out) => out.pop_front(),
        }
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        match self {
            Self::Peer(peer) => peer.agent.poll_timeout(),
            Self::Server(_) => None,
        }
    }

    fn handle_message(&mut self, _: usize, message: &[u8], now: Instant) {
        let Self::Peer(peer) = self else { return };
        let text = std::str::from_utf8(message).unwrap();
        if let Some((ufrag, pwd)) = text.split_once(' ').filter(|_| !text.starts_with("candidate:")) {
            let (ufrag, pwd) = (ufrag.to_owned(), pwd.to_owned());
            peer.agent.set_remote_credentials(Credentials { ufrag, pwd }, now);
        } else if text == "end" {
            peer.agent.end_of_remote_candidates(now);
        } else {
            peer.agent.add_remote_candidate(text.parse().unwrap(), now).unwrap();
        }
        peer.collect();
    }

    fn poll_message(&mut self) -> Option<(usize, Vec<u8>)> {
        match self {
            Self::Peer(peer) => peer.signal.pop_front().map(|text| (peer.other, text.into_bytes())),
            Self::Server(_) => None,
        }
    }
}

struct World(Driver<Host>);

impl World {
    /// Two peers with these addresses, placed by `place`, and a STUN server on the open network.
    fn new(
        seed: u64,
        addresses: [&[&str]; 2],
        mut place: impl FnMut(&mut Network, usize) -> duologue_testnet::HostId,
    ) -> Self {
        let mut network = Network::new(seed);
        let clock = Clock::new();
        let now = clock.now();
        let hosts = [A, B].map(|side| place(&mut network, side));
        let server = network.add_host(&[addr(STUN_SERVER).ip()], LinkConfig::lan());
        let mut driver = Driver::new(network, clock);
        driver.set_message_delay(ms(30));
        for side in [A, B] {
            let config = Config {
                role: [Role::Controlling, Role::Controlled][side],
                stun_servers: vec![addr(STUN_SERVER)],
                ..Config::default()
            };
            let mut bytes = [side as u8 + 1; 32];
            bytes[8..16].copy_from_slice(&seed.to_le_bytes());
            let mut agent = Agent::new(config, bytes, now);
            let Credentials { ufrag, pwd } = agent.local_credentials().clone();
            for address in addresses[side] {
                agent.add_local_address(addr(address), now).unwrap();
            }
            agent.end_of_local_addresses(now);
            let mut peer = Peer {
                agent,
                other: 1 - side,
                out: VecDeque::new(),
                signal: VecDeque::from([format!("{ufrag} {pwd}")]),
                events: Vec::new(),
            };
            peer.collect();
            driver.add(hosts[side], Host::Peer(Box::new(peer)));
        }
        driver.add(server, Host::Server(VecDeque::new()));
        Self(driver)
    }

    fn peer(&self, side: usize) -> &Peer {
        let Host::Peer(peer) = self.0.endpoint(side) else {
            unreachable!("the first two are peers")
        };
        peer
    }

    /// Runs until both have selected the same pair, as seen from outside any NAT.
    fn connect(&mut self, seconds: u64) -> bool {
        let both = |driver: &mut Driver<Host>| {
            [A, B].iter().all(|&side| match driver.endpoint(side) {
                Host::Peer(peer) => peer.selected().is_some(),
                Host::Server(_) => false,
            })
        };
        self.0.run_until(ms(seconds * 1000), both).unwrap()
    }
}

/// RFC 4787 kinds against one another: only where a symmetric NAT meets one that filters ports is a relay needed.
#[test]
fn every_pair_of_nats_connects_if_it_can() {
    let kinds = [
        ("full cone", NatConfig::full_cone()),
        ("restricted", NatConfig::restricted()),
        ("port restricted", NatConfig::port_restricted()),
        ("symmetric", NatConfig::symmetric()),
    ];
    let seed = seed_from_env(1);
    for (i, (name_a, nat_a)) in kinds.iter().enumerate() {
        for (j, (name_b, nat_b)) in kinds.iter().enumerate() {
            let nats = [nat_a.clone(), nat_b.clone()];
            let mut world = World::new(seed, [&["10.0.0.2:5000"], &["10.1.0.2:6000"]], |network, side| {
                let public = ["192.0.2.7", "203.0.113.7"][side].parse().unwrap();
                let nat = network.add_nat(public, nats[side].clone(), LinkConfig::wifi());
                network.add_host_behind(
                    nat,
                    &[["10.0.0.2", "10.1.0.2"][side].parse().unwrap()],
                    LinkConfig::lan(),
                )
            });
            let impossible = i.min(j) >= 2 && i.max(j) == 3;
            assert_eq!(world.connect(40), !impossible, "{name_a} and {name_b}, seed {seed}");
            if impossible {
                assert_eq!(world.peer(A).agent.state(), State::Failed, "{name_a} and {name_b}");
            } else {
                assert_ne!(world.peer(A).selected().unwrap().local_kind, CandidateKind::Host);
            }
        }
    }
}

/// Jitter, reordering, duplicates and losses in bursts: connected soon, in agreement, and for good.
#[test]
fn links_as_they_are_carry_a_call() {
    let burst = LinkConfig {
        delay: ms(100),
        jitter: ms(40),
        loss: Loss::GilbertElliott {
            p: 0.05,
            r: 0.3,
            good: 0.01,
            bad: 0.6,
        },
        duplicate: 0.05,
        reorder: 0.05,
        ..LinkConfig::default()
    };
    for (name, link) in [
        ("wifi", LinkConfig::wifi()),
        ("lte", LinkConfig::lte()),
        ("burst", burst),
    ] {
        for seed in 0..20 {
            let addresses: [&[&str]; 2] = [&["192.0.2.1:5000"], &["203.0.113.1:6000"]];
            let mut world = World::new(seed, addresses, |network, side| {
                let ip = [addr("192.0.2.1:1"), addr("203.0.113.1:1")][side].ip();
                network.add_host(&[ip], link.clone())
            });
            assert!(world.connect(10), "{name}, seed {seed}");
            world.0.run_for(ms(120_000)).unwrap();
            let (a, b) = (world.peer(A), world.peer(B));
            let (pair_a, pair_b) = (a.selected().unwrap(), b.selected().unwrap());
            assert_eq!(
                (pair_a.local, pair_a.remote),
                (pair_b.remote, pair_b.local),
                "{name}, seed {seed}"
            );
            for peer in [a, b] {
                assert!(!peer.events.contains(&Event::ConsentLost), "{name}, seed {seed}");
                assert_eq!(peer.agent.state(), State::Completed, "{name}, seed {seed}");
            }
        }
    }
}

/// The interface in use goes down without a word: consent ends, and the other one carries on without signalling.
#[test]
fn a_dead_interface_is_left_for_the_other() {
    for side in [A, B] {
        let addresses: [&[&str]; 2] = [
            &["192.0.2.1:5000", "192.0.2.2:5000"],
            &["203.0.113.1:6000", "203.0.113.2:6000"],
        ];
        let mut hosts = Vec::new();
        let mut world = World::new(seed_from_env(7), addresses, |network, side| {
            let ips = addresses[side].iter().map(|text| addr(text).ip()).collect::<Vec<_>>();
            let host = network.add_host(&ips[..1], LinkConfig::lan());
            network.add_interface(host, None, &ips[1..], LinkConfig::lan());
            hosts.push(host);
            host
        });
        assert!(world.connect(5));
        let used = world.peer(side).selected().unwrap().local;
        world.0.network_mut().set_up(hosts[side], used.ip(), false);
        world.0.run_for(ms(45_000)).unwrap();
        let pairs = [A, B].map(|side| world.peer(side).selected().unwrap());
        assert_ne!(pairs[side].local, used, "side {side}");
        assert_eq!(
            (pairs[A].local, pairs[A].remote),
            (pairs[B].remote, pairs[B].local),
            "side {side}"
        );
    }
}
