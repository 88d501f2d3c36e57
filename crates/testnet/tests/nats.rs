//! NATs: every row of the behaviour tables of RFC 4787, alone and inside a network.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::net::SocketAddr;
use std::time::Duration;

use duologue_testnet::{Behaviour, Clock, Delivery, LinkConfig, Nat, NatConfig, Network, Transmit};

use Behaviour::{AddressAndPortDependent, AddressDependent, EndpointIndependent};

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn nat(mapping: Behaviour, filtering: Behaviour) -> Nat {
    Nat::new(
        "198.51.100.1".parse().unwrap(),
        NatConfig {
            mapping,
            filtering,
            ..NatConfig::full_cone()
        },
        1,
    )
}

const INSIDE: &str = "10.0.0.2:5000";
const REMOTE: &str = "192.0.2.1:1000";
const OTHER_PORT: &str = "192.0.2.1:2000";
const OTHER_HOST: &str = "192.0.2.2:1000";

#[test]
fn mapping_behaviours() {
    // RFC 4787 §4.1: is the outside port for the second destination that of the first?
    for (mapping, other_port, other_host) in [
        (EndpointIndependent, true, true),
        (AddressDependent, true, false),
        (AddressAndPortDependent, false, false),
    ] {
        let mut nat = nat(mapping, EndpointIndependent);
        let now = Clock::new().now();
        let first = nat.outbound(addr(INSIDE), addr(REMOTE), now);
        assert_eq!(nat.outbound(addr(INSIDE), addr(REMOTE), now), first, "{mapping:?}");
        assert_eq!(
            nat.outbound(addr(INSIDE), addr(OTHER_PORT), now) == first,
            other_port,
            "{mapping:?}"
        );
        assert_eq!(
            nat.outbound(addr(INSIDE), addr(OTHER_HOST), now) == first,
            other_host,
            "{mapping:?}"
        );
        assert_ne!(
            nat.outbound(addr("10.0.0.2:5001"), addr(REMOTE), now),
            first,
            "another inside endpoint"
        );
    }
}

#[test]
fn filtering_behaviours() {
    // RFC 4787 §5: after one datagram to REMOTE, who may write back?
    for (filtering, other_port, other_host) in [
        (EndpointIndependent, true, true),
        (AddressDependent, true, false),
        (AddressAndPortDependent, false, false),
    ] {
        let mut nat = nat(EndpointIndependent, filtering);
        let now = Clock::new().now();
        let port = nat.outbound(addr(INSIDE), addr(REMOTE), now).unwrap().port();
        let inside = Some(addr(INSIDE));
        assert_eq!(nat.inbound(port, addr(REMOTE), now), inside);
        assert_eq!(
            nat.inbound(port, addr(OTHER_PORT), now).is_some(),
            other_port,
            "{filtering:?}"
        );
        assert_eq!(
            nat.inbound(port, addr(OTHER_HOST), now).is_some(),
            other_host,
            "{filtering:?}"
        );
        assert_eq!(nat.inbound(port ^ 1, addr(REMOTE), now), None, "no such mapping");
        assert_eq!(nat.stats().filtered, u64::from(!other_port) + u64::from(!other_host));
        assert_eq!(nat.stats().unmapped, 1);
    }
}

#[test]
fn ports_are_not_preserved_and_not_shared() {
    let mut nat = nat(EndpointIndependent, EndpointIndependent);
    let now = Clock::new().now();
    let mut ports: Vec<u16> = (0..500)
        .map(|i| {
            let inside = SocketAddr::from(([10, 0, 0, 2], 30_000 + i));
            let port = nat.outbound(inside, addr(REMOTE), now).unwrap().port();
            assert_ne!(port, inside.port());
            port
        })
        .collect();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 500);
}

#[test]
fn mappings_expire_unless_the_inside_refreshes_them() {
    let mut nat = nat(EndpointIndependent, AddressAndPortDependent);
    let start = Clock::new().now();
    let (second, expiry) = (Duration::from_secs(1), nat.config().expiry);
    let port = nat.outbound(addr(INSIDE), addr(REMOTE), start).unwrap().port();
    let late = start + expiry - second;
    assert_eq!(nat.inbound(port, addr(REMOTE), late), Some(addr(INSIDE)));
    // RFC 4787 REQ-6: refreshed from inside; from outside only if so configured.
    assert_eq!(nat.inbound(port, addr(REMOTE), start + expiry), None);
    let again = nat.outbound(addr(INSIDE), addr(REMOTE), start + expiry).unwrap().port();
    nat.outbound(addr(INSIDE), addr(REMOTE), start + expiry + expiry / 2);
    assert!(nat.inbound(again, addr(REMOTE), start + expiry * 2).is_some());
    nat.reboot();
    assert_eq!(nat.inbound(again, addr(REMOTE), start + expiry * 2), None);
}

#[test]
fn a_permission_expires_by_itself() {
    let mut nat = nat(EndpointIndependent, AddressAndPortDependent);
    let start = Clock::new().now();
    let half = nat.config().expiry / 2;
    let port = nat.outbound(addr(INSIDE), addr(REMOTE), start).unwrap().port();
    nat.outbound(addr(INSIDE), addr(OTHER_HOST), start + half);
    assert_eq!(nat.inbound(port, addr(REMOTE), start + half * 2), None);
    assert!(nat.inbound(port, addr(OTHER_HOST), start + half * 2).is_some());
}

#[test]
fn inbound_traffic_refreshes_where_configured() {
    let config = NatConfig {
        inbound_refresh: true,
        ..NatConfig::port_restricted()
    };
    let half = config.expiry / 2;
    let mut nat = Nat::new("198.51.100.1".parse().unwrap(), config, 1);
    let start = Clock::new().now();
    let port = nat.outbound(addr(INSIDE), addr(REMOTE), start).unwrap().port();
    for i in 1..10 {
        assert!(nat.inbound(port, addr(REMOTE), start + half * i).is_some(), "{i}");
    }
}

#[test]
fn the_table_is_bounded() {
    let config = NatConfig {
        capacity: 3,
        ..NatConfig::symmetric()
    };
    let mut nat = Nat::new("198.51.100.1".parse().unwrap(), config, 1);
    let now = Clock::new().now();
    let made = (1..=5).filter(|i| {
        nat.outbound(addr(INSIDE), SocketAddr::from(([192, 0, 2, 1], *i)), now)
            .is_some()
    });
    assert_eq!(made.count(), 3);
    assert_eq!(nat.stats().full, 2);
    assert_eq!(
        nat.outbound(addr("[fd00::1]:1"), addr("[2001:db8::1]:1"), now),
        None,
        "another family"
    );
}

fn transmit(source: &str, destination: SocketAddr) -> Transmit {
    Transmit {
        source: addr(source),
        destination,
        payload: vec![7; 10],
    }
}

/// All deliveries until nothing is under way.
fn settle(network: &mut Network) -> Vec<Delivery> {
    let mut all = Vec::new();
    while let Some(at) = network.next_event() {
        all.extend(std::iter::from_fn(|| network.poll_delivery(at)));
    }
    all
}

#[test]
fn hairpinning_shows_the_outside_address_or_does_not_work() {
    for (hairpin, expected) in [(true, 1), (false, 0)] {
        let mut network = Network::new(1);
        let now = Clock::new().now();
        let server = network.add_host(&["192.0.2.1".parse().unwrap()], LinkConfig::lan());
        let config = NatConfig {
            hairpin,
            ..NatConfig::full_cone()
        };
        let nat = network.add_nat("198.51.100.1".parse().unwrap(), config, LinkConfig::lan());
        let a = network.add_host_behind(nat, &["10.0.0.2".parse().unwrap()], LinkConfig::lan());
        let b = network.add_host_behind(nat, &["10.0.0.3".parse().unwrap()], LinkConfig::lan());

        network.send(a, transmit("10.0.0.2:5000", addr(REMOTE)), now);
        let learned = settle(&mut network);
        assert_eq!(learned[0].host, server);
        let outside = learned[0].source;
        assert_eq!(outside.ip(), "198.51.100.1".parse::<std::net::IpAddr>().unwrap());

        network.send(b, transmit("10.0.0.3:5000", outside), now);
        let heard = settle(&mut network);
        assert_eq!(heard.len(), expected);
        // RFC 4787 REQ-9a: "External source IP address and port".
        assert!(
            heard
                .iter()
                .all(|d| d.host == a && d.source.ip() == outside.ip() && d.local == addr("10.0.0.2:5000"))
        );

        // Directly, inside, it works either way and nothing is translated.
        network.send(b, transmit("10.0.0.3:5000", addr("10.0.0.2:5000")), now);
        let direct = settle(&mut network);
        assert_eq!(direct[0].source, addr("10.0.0.3:5000"));
    }
}

#[test]
fn a_nat_behind_a_nat_translates_twice() {
    let mut network = Network::new(1);
    let now = Clock::new().now();
    let ms = |delay| LinkConfig {
        delay: Duration::from_millis(delay),
        ..LinkConfig::default()
    };
    let server = network.add_host(&["192.0.2.1".parse().unwrap()], ms(8));
    let carrier = network.add_nat("198.51.100.1".parse().unwrap(), NatConfig::port_restricted(), ms(4));
    let home = network.add_nat_behind(carrier, "100.64.0.9".parse().unwrap(), NatConfig::symmetric(), ms(2));
    let phone = network.add_host_behind(home, &["10.0.0.2".parse().unwrap()], ms(1));

    network.send(phone, transmit("10.0.0.2:5000", addr(REMOTE)), now);
    let there = settle(&mut network);
    assert_eq!(there[0].host, server);
    assert_eq!(there[0].at - now, Duration::from_millis(1 + 2 + 4 + 8));
    assert_eq!(
        there[0].source.ip(),
        "198.51.100.1".parse::<std::net::IpAddr>().unwrap()
    );

    network.send(server, transmit("192.0.2.1:1000", there[0].source), there[0].at);
    let back = settle(&mut network);
    assert_eq!((back[0].host, back[0].local), (phone, addr("10.0.0.2:5000")));
    network.send(server, transmit("192.0.2.1:1001", there[0].source), back[0].at);
    assert_eq!(settle(&mut network), []);
    assert_eq!(network.nat_mut(carrier).stats().filtered, 1);
}

#[test]
fn unroutable_datagrams_are_counted() {
    let mut network = Network::new(1);
    let now = Clock::new().now();
    let a = network.add_host(
        &["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()],
        LinkConfig::lan(),
    );
    let b = network.add_host(&["192.0.2.2".parse().unwrap()], LinkConfig::lan());
    network.send(a, transmit("192.0.2.9:1", addr("192.0.2.2:1")), now);
    network.send(a, transmit("192.0.2.1:1", addr("203.0.113.1:1")), now);
    assert_eq!(settle(&mut network), []);
    assert_eq!(network.stats().unroutable, 2);

    // An interface that goes down loses what is under way to it, and its host cannot send from it.
    network.send(a, transmit("192.0.2.1:1", addr("192.0.2.2:1")), now);
    network.set_up(b, "192.0.2.2".parse().unwrap(), false);
    network.send(b, transmit("192.0.2.2:1", addr("192.0.2.1:1")), now);
    assert_eq!(settle(&mut network), []);
    assert_eq!((network.stats().lost, network.stats().unroutable), (1, 3));

    network.set_up(b, "192.0.2.2".parse().unwrap(), true);
    network.add_interface(b, None, &["2001:db8::2".parse().unwrap()], LinkConfig::lan());
    network.send(b, transmit("[2001:db8::2]:1", addr("[2001:db8::1]:1")), now);
    assert_eq!(settle(&mut network)[0].source, addr("[2001:db8::2]:1"));
}
