//! Streams: in order and complete whatever the links lose, through NATs that let them out, and not through others.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use duologue_testnet::{
    Clock, Driver, Endpoint, LinkConfig, Loss, NatConfig, Network, StreamCommand, StreamEvent, StreamId, TcpPolicy,
    Transmit,
};

#[derive(Default)]
struct Peer {
    commands: VecDeque<StreamCommand>,
    id: Option<StreamId>,
    events: Vec<StreamEvent>,
    bytes: Vec<u8>,
    /// Sends back what comes.
    echoes: bool,
}

impl Endpoint for Peer {
    fn handle_datagram(&mut self, _: SocketAddr, _: SocketAddr, _: &[u8], _: Instant) {}
    fn handle_timeout(&mut self, _: Instant) {}
    fn poll_transmit(&mut self) -> Option<Transmit> {
        None
    }
    fn poll_timeout(&mut self) -> Option<Instant> {
        None
    }
    fn handle_stream(&mut self, id: StreamId, event: StreamEvent, _: Instant) {
        self.id = Some(id);
        if let StreamEvent::Bytes(bytes) = &event {
            self.bytes.extend(bytes);
            if self.echoes {
                let bytes = bytes.clone();
                self.commands.push_back(StreamCommand::Write { id, bytes });
            }
        } else {
            self.events.push(event);
        }
    }
    fn poll_stream(&mut self) -> Option<StreamCommand> {
        self.commands.pop_front()
    }
}

const SERVER: &str = "192.0.2.1:443";

/// A client behind a NAT, and an echoing server.
fn world(seed: u64, nat: NatConfig, link: &LinkConfig) -> Driver<Peer> {
    let mut network = Network::new(seed);
    let server = network.add_host(&["192.0.2.1".parse().unwrap()], link.clone());
    let nat = network.add_nat("198.51.100.1".parse().unwrap(), nat, LinkConfig::lan());
    let client = network.add_host_behind(nat, &["10.0.0.2".parse().unwrap()], link.clone());
    let mut driver = Driver::new(network, Clock::new());
    driver.add(client, Peer::default());
    driver.add(
        server,
        Peer {
            echoes: true,
            ..Peer::default()
        },
    );
    driver.endpoint_mut(0).commands.push_back(StreamCommand::Open {
        tag: 7,
        local: "10.0.0.2".parse().unwrap(),
        remote: SERVER.parse().unwrap(),
    });
    driver
}

fn is_open(driver: &mut Driver<Peer>) -> bool {
    driver.endpoint(0).events.contains(&StreamEvent::Opened)
}

#[test]
fn bytes_arrive_in_order_and_complete() {
    for loss in [0.0, 0.1, 0.3] {
        for seed in 0..20 {
            let link = LinkConfig {
                delay: Duration::from_millis(20),
                loss: Loss::Bernoulli(loss),
                ..LinkConfig::default()
            };
            let mut driver = world(seed, NatConfig::symmetric(), &link);
            assert!(
                driver.run_until(Duration::from_secs(30), is_open).unwrap(),
                "seed {seed}"
            );
            assert_eq!(driver.endpoint(0).events[0], StreamEvent::Opening { tag: 7 });
            let id = driver.endpoint(0).id.unwrap();
            let sent: Vec<u8> = (0..10_000_u32).map(|i| i as u8).collect();
            for chunk in sent.chunks(777) {
                let bytes = chunk.to_vec();
                let write = StreamCommand::Write { id, bytes };
                driver.endpoint_mut(0).commands.push_back(write);
            }
            let all = |driver: &mut Driver<Peer>| driver.endpoint(0).bytes.len() == 10_000;
            assert!(
                driver.run_until(Duration::from_secs(120), all).unwrap(),
                "loss {loss}, seed {seed}"
            );
            assert_eq!(driver.endpoint(0).bytes, sent);
            driver.endpoint_mut(0).commands.push_back(StreamCommand::Close { id });
            let closed = |driver: &mut Driver<Peer>| driver.endpoint(1).events.contains(&StreamEvent::Closed);
            assert!(driver.run_until(Duration::from_secs(60), closed).unwrap());
            let StreamEvent::Accepted { local, peer } = driver.endpoint(1).events[0] else {
                panic!("accepted first")
            };
            assert_eq!(local, SERVER.parse().unwrap());
            assert_eq!(peer.ip(), "198.51.100.1".parse::<std::net::IpAddr>().unwrap());
        }
    }
}

#[test]
fn opening_takes_a_round_trip() {
    let mut driver = world(1, NatConfig::full_cone(), &LinkConfig::lan());
    assert!(driver.run_until(Duration::from_secs(1), is_open).unwrap());
    // Three links of 0.3 ms each way.
    assert_eq!(driver.elapsed(), Duration::from_micros(6 * 300));
}

#[test]
fn only_what_is_let_out_opens() {
    for (tcp, opens) in [
        (TcpPolicy::All, true),
        (TcpPolicy::Only(443), true),
        (TcpPolicy::Only(80), false),
        (TcpPolicy::Nothing, false),
    ] {
        let nat = NatConfig {
            tcp,
            ..NatConfig::udp_blocked()
        };
        let mut driver = world(1, nat, &LinkConfig::lan());
        assert_eq!(
            driver.run_until(Duration::from_secs(60), is_open).unwrap(),
            opens,
            "{tcp:?}"
        );
    }
}

#[test]
fn a_dead_interface_ends_the_stream() {
    let mut driver = world(1, NatConfig::full_cone(), &LinkConfig::lan());
    assert!(driver.run_until(Duration::from_secs(1), is_open).unwrap());
    let (host, id) = (driver.host(0), driver.endpoint(0).id.unwrap());
    driver.network_mut().set_up(host, "10.0.0.2".parse().unwrap(), false);
    let bytes = vec![1];
    driver
        .endpoint_mut(0)
        .commands
        .push_back(StreamCommand::Write { id, bytes });
    let closed = |driver: &mut Driver<Peer>| driver.endpoint(0).events.contains(&StreamEvent::Closed);
    assert!(driver.run_until(Duration::from_secs(60), closed).unwrap());
}
