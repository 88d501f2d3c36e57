//! Hosts that hide behind mDNS names, and hosts that reach IPv4 only by NAT64.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use duologue_ice::mdns::{Mdns, MdnsOutput, PORT};
use duologue_ice::{Agent, CandidateKind, Config, Event, Nat64Prefix, Output, Role, State};
use support::{A, B, addr, base, ms};

const ADDRESSES: [&str; 2] = ["192.0.2.1:5000", "192.0.2.2:6000"];

/// Two agents on one link, each with its own mDNS.
struct Link {
    agents: [Agent; 2],
    mdns: [Mdns; 2],
    signalled: Vec<String>,
    now: Instant,
}

impl Link {
    fn collect(&mut self) {
        for side in [A, B] {
            while let Some(output) = self.agents[side].poll_output() {
                match output {
                    Output::Transmit(t) => {
                        self.agents[1 - side].handle_datagram(t.destination, t.source, &t.payload, self.now);
                    }
                    Output::MdnsPublish { name, address } => self.mdns[side].publish(&name, address),
                    Output::MdnsQuery { name } => self.mdns[side].resolve(&name, self.now),
                    Output::Event(Event::LocalCandidate(candidate)) => {
                        let text = candidate.to_string();
                        let parsed = text.parse().unwrap();
                        self.agents[1 - side].add_remote_candidate(parsed, self.now).unwrap();
                        self.signalled.push(text);
                    }
                    _ => {}
                }
            }
            while let Some(output) = self.mdns[side].poll_output() {
                match output {
                    MdnsOutput::Transmit { payload, .. } => {
                        let source = SocketAddr::new(addr(ADDRESSES[side]).ip(), PORT);
                        self.mdns[1 - side].handle_datagram(source, &payload, self.now);
                    }
                    MdnsOutput::Resolved { name, address } => {
                        self.agents[side].handle_mdns_answer(&name, address, self.now);
                    }
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn hidden_hosts_find_each_other() {
    let now = base();
    let config = |role| Config {
        role,
        mdns_hiding: true,
        ..Config::default()
    };
    let agents = [Role::Controlling, Role::Controlled].map(|role| {
        let seed = [1 + u8::from(role == Role::Controlled); 32];
        Agent::new(config(role), seed, now)
    });
    let mut link = Link {
        agents,
        mdns: [Mdns::new(), Mdns::new()],
        signalled: Vec::new(),
        now,
    };
    for side in [A, B] {
        let credentials = link.agents[1 - side].local_credentials().clone();
        link.agents[side].set_remote_credentials(credentials, now);
        link.agents[side].add_local_address(addr(ADDRESSES[side]), now).unwrap();
    }
    for _ in 0..200 {
        link.collect();
        link.now += ms(5);
        let now = link.now;
        link.agents.iter_mut().for_each(|agent| agent.handle_timeout(now));
        link.mdns.iter_mut().for_each(|mdns| mdns.handle_timeout(now));
    }
    for agent in &link.agents {
        assert_eq!(agent.state(), State::Connected);
        assert!(agent.best_pair().is_some_and(|pair| pair.nominated));
    }
    assert_eq!(link.signalled.len(), 2);
    for text in &link.signalled {
        assert!(text.contains(".local ") && !text.contains("192.0.2"), "{text}");
    }
}

/// A host with IPv6 only, a peer and a server with IPv4 only, and a network that translates.
#[test]
fn nat64_reaches_what_has_ipv4_only() {
    let now = base();
    let prefix = Nat64Prefix::new("64:ff9b::".parse().unwrap(), 96).unwrap();
    let config = Config {
        role: Role::Controlling,
        stun_servers: vec![addr("198.51.100.1:3478")],
        ..Config::default()
    };
    let mut agent = Agent::new(config, [1; 32], now);
    agent.set_nat64_prefixes(vec![prefix], now);
    agent.add_local_address(addr("[2001:db8::1]:5000"), now).unwrap();
    let mut peer = Agent::new(Config::default(), [2; 32], now);
    peer.add_local_address(addr("203.0.113.1:6000"), now).unwrap();
    agent.set_remote_credentials(peer.local_credentials().clone(), now);
    peer.set_remote_credentials(agent.local_credentials().clone(), now);
    let candidate = "candidate:1 1 udp 2130706431 203.0.113.1 6000 typ host";
    agent.add_remote_candidate(candidate.parse().unwrap(), now).unwrap();

    let outside = addr("192.0.2.64:7000");
    let mut asked_server = false;
    let mut at = now;
    for _ in 0..100 {
        while let Some(output) = agent.poll_output() {
            let Output::Transmit(t) = output else { continue };
            let IpAddr::V6(to) = t.destination.ip() else {
                panic!("IPv4 from a host without")
            };
            let to = SocketAddr::new(prefix.extract(to).unwrap().into(), t.destination.port());
            if to == addr("203.0.113.1:6000") {
                peer.handle_datagram(to, outside, &t.payload, at);
            } else {
                assert_eq!(to, addr("198.51.100.1:3478"));
                asked_server = true;
            }
        }
        while let Some(output) = peer.poll_output() {
            let Output::Transmit(t) = output else { continue };
            assert_eq!(t.destination, outside);
            let source = SocketAddr::new(prefix.embed("203.0.113.1".parse().unwrap()).into(), 6000);
            agent.handle_datagram(addr("[2001:db8::1]:5000"), source, &t.payload, at);
        }
        at += ms(5);
        agent.handle_timeout(at);
        peer.handle_timeout(at);
    }
    assert!(asked_server);
    let pair = agent.best_pair().unwrap();
    assert!(pair.nominated);
    assert_eq!(pair.remote, addr("[64:ff9b::203.0.113.1]:6000"));
    assert_eq!(peer.best_pair().unwrap().remote_kind, CandidateKind::PeerReflexive);
}
