use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use super::scheduler::RelayStats;
use super::{MAX_ADDRESSES, PairRelay, Relay};
use crate::{Clock, Link, LinkConfig, Loss};

/// Only ends a test that has failed already.
const PATIENCE: Duration = Duration::from_secs(20);

fn socket(ip: &str) -> UdpSocket {
    let socket = UdpSocket::bind((ip.parse::<IpAddr>().unwrap(), 0)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = [0; 2048];
    let (len, source) = socket.recv_from(&mut buffer).unwrap();
    (buffer[..len].to_vec(), source)
}

/// Which of `count` datagrams a link of this configuration and seed lets pass.
fn survivors(config: &LinkConfig, seed: u64, count: u8) -> Vec<u8> {
    let mut link = Link::new(config.clone(), seed);
    let now = Clock::new().now();
    (0..count).filter(|_| !link.send(1, now).is_empty()).collect()
}

#[test]
fn a_relay_carries_both_directions() {
    let (target, client) = (socket("127.0.0.1"), socket("127.0.0.1"));
    let relay = Relay::start(
        target.local_addr().unwrap(),
        LinkConfig::default(),
        LinkConfig::default(),
        1,
    )
    .unwrap();
    client.send_to(b"there", relay.local_addr()).unwrap();
    let (payload, source) = receive(&target);
    assert_eq!(payload, b"there");
    target.send_to(b"back", source).unwrap();
    assert_eq!(receive(&client), (b"back".to_vec(), relay.local_addr()));
}

#[test]
fn a_relay_loses_what_its_link_loses() {
    let lossy = LinkConfig {
        loss: Loss::Bernoulli(0.4),
        ..LinkConfig::default()
    };
    let expected = survivors(&lossy, 7, 100);
    assert!((30..90).contains(&expected.len()));
    let (target, client) = (socket("127.0.0.1"), socket("127.0.0.1"));
    let relay = Relay::start(target.local_addr().unwrap(), lossy, LinkConfig::default(), 7).unwrap();
    for number in 0..100 {
        client.send_to(&[number], relay.local_addr()).unwrap();
    }
    let heard: Vec<u8> = expected.iter().map(|_| receive(&target).0[0]).collect();
    assert_eq!(heard, expected);
}

#[test]
fn a_relay_holds_back_what_its_link_delays() {
    let slow = LinkConfig {
        delay: Duration::from_millis(30),
        ..LinkConfig::default()
    };
    let (target, client) = (socket("127.0.0.1"), socket("127.0.0.1"));
    let relay = Relay::start(target.local_addr().unwrap(), slow, LinkConfig::default(), 1).unwrap();
    #[expect(clippy::disallowed_methods, reason = "the relay works in real time")]
    let before = Instant::now();
    client.send_to(b"x", relay.local_addr()).unwrap();
    receive(&target);
    // However slow this machine is, nothing may be early.
    assert!(before.elapsed() >= Duration::from_millis(30));
}

#[test]
fn a_relay_ignores_answers_of_strangers() {
    let (target, client, stranger) = (socket("127.0.0.1"), socket("127.0.0.1"), socket("127.0.0.1"));
    let relay = Relay::start(
        target.local_addr().unwrap(),
        LinkConfig::default(),
        LinkConfig::default(),
        1,
    )
    .unwrap();
    client.send_to(b"a", relay.local_addr()).unwrap();
    let (_, back) = receive(&target);
    stranger.send_to(b"forged", back).unwrap();
    target.send_to(b"true", back).unwrap();
    assert_eq!(receive(&client).0, b"true");
    assert_eq!(relay.stats().unknown, 1);
}

fn pair_works(ip: &str) {
    let (a, b) = (socket(ip), socket(ip));
    let relay = PairRelay::start(LinkConfig::default(), 1).unwrap();
    let for_a = relay.stand_for(a.local_addr().unwrap()).unwrap();
    let for_b = relay.stand_for(b.local_addr().unwrap()).unwrap();
    assert_eq!(relay.stand_for(a.local_addr().unwrap()).unwrap(), for_a);
    assert_ne!(for_a, for_b);

    a.send_to(b"to b", for_b).unwrap();
    assert_eq!(receive(&b), (b"to b".to_vec(), for_a));
    b.send_to(b"to a", for_a).unwrap();
    assert_eq!(receive(&a), (b"to a".to_vec(), for_b));
}

#[test]
fn a_pair_relay_shows_each_side_only_its_own_ports() {
    pair_works("127.0.0.1");
}

#[test]
fn a_pair_relay_speaks_ipv6_where_the_machine_does() {
    if UdpSocket::bind("[::1]:0").is_ok() {
        pair_works("::1");
    }
}

#[test]
fn a_pair_relay_learns_sources_that_nobody_named() {
    let (a, b) = (socket("127.0.0.1"), socket("127.0.0.1"));
    let relay = PairRelay::start(LinkConfig::default(), 1).unwrap();
    let for_b = relay.stand_for(b.local_addr().unwrap()).unwrap();
    a.send_to(b"hello", for_b).unwrap();
    let (_, learned) = receive(&b);
    b.send_to(b"answer", learned).unwrap();
    assert_eq!(receive(&a), (b"answer".to_vec(), for_b));
    assert_eq!(relay.stand_for(a.local_addr().unwrap()).unwrap(), learned);
}

#[test]
fn a_pair_relay_stands_for_a_bounded_number() {
    let relay = PairRelay::start(LinkConfig::default(), 1).unwrap();
    for port in 1..=u16::try_from(MAX_ADDRESSES).unwrap() {
        relay.stand_for(SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
    }
    let error = relay.stand_for(SocketAddr::from(([127, 0, 0, 1], 9999))).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::QuotaExceeded);
}

#[test]
fn a_dropped_relay_frees_its_ports() {
    let target = socket("127.0.0.1");
    let relay = Relay::start(
        target.local_addr().unwrap(),
        LinkConfig::default(),
        LinkConfig::default(),
        1,
    )
    .unwrap();
    let address = relay.local_addr();
    assert_eq!(relay.stats(), RelayStats::default());
    drop(relay);
    UdpSocket::bind(address).unwrap();
}

#[test]
fn each_direction_of_a_pair_has_its_own_losses() {
    let lossy = LinkConfig {
        loss: Loss::Bernoulli(0.5),
        ..LinkConfig::default()
    };
    let (a, b) = (socket("127.0.0.1"), socket("127.0.0.1"));
    let relay = PairRelay::start(lossy.clone(), 5).unwrap();
    let for_a = relay.stand_for(a.local_addr().unwrap()).unwrap();
    let for_b = relay.stand_for(b.local_addr().unwrap()).unwrap();
    for number in 0..60 {
        a.send_to(&[number], for_b).unwrap();
        b.send_to(&[number], for_a).unwrap();
    }
    // From index 0 to 1, and the other way round.
    for (socket, seed) in [(&b, 5 ^ 1), (&a, 5 ^ 0x100)] {
        let expected = survivors(&lossy, seed, 60);
        let heard: Vec<u8> = expected.iter().map(|_| receive(socket).0[0]).collect();
        assert_eq!(heard, expected);
    }
}
