//! Dual allocations (RFC 8656 §5): ADDITIONAL-ADDRESS-FAMILY.

use super::*;

const PEER_V6: &str = "[2a02:1::9]:5000";

fn both(builder: &mut Builder) {
    udp(builder);
    builder.push(attribute::ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0]);
}

fn family(builder: &mut Builder, family: u8, seconds: u32) {
    lifetime(builder, seconds);
    builder.push(attribute::REQUESTED_ADDRESS_FAMILY, &[family, 0, 0, 0]);
}

/// Every relayed address in an answer.
fn relayed(answer: &[u8]) -> Vec<SocketAddr> {
    let mut addresses = Vec::new();
    let mut copy = answer.to_vec();
    while value_of(&copy, attribute::XOR_RELAYED_ADDRESS).is_some() {
        addresses.push(address_in(&copy, attribute::XOR_RELAYED_ADDRESS));
        // The one that was read is hidden, so that the next one is found.
        let at = copy.windows(2).position(|pair| pair == [0x00, 0x16]).unwrap();
        copy[at..at + 2].copy_from_slice(&[0x80, 0x99]);
    }
    addresses
}

/// A phone with both relays: IPv4, IPv6.
fn dual(lab: &mut Lab, address: &str, user: &str) -> (Phone, [SocketAddr; 2]) {
    let mut phone = Phone::new(address, user);
    phone.greet(lab);
    let request = phone.request(method::ALLOCATE, both);
    let answer = lab.ask(phone.client, &request).unwrap();
    assert_eq!(said(&answer), Said::Success);
    assert_eq!(value_of(&answer, attribute::ADDRESS_ERROR_CODE), None);
    let addresses = relayed(&answer).try_into().unwrap();
    // A repetition of the request is answered alike.
    assert_eq!(lab.ask(phone.client, &request), Some(answer));
    (phone, addresses)
}

#[test]
fn one_allocation_has_a_relay_of_each_family() {
    let mut lab = Lab::new(config());
    let (mut phone, [v4, v6]) = dual(&mut lab, "198.7.6.5:40000", "alice");
    assert_eq!((v4.ip(), v6.ip()), (RELAY_V4.into(), RELAY_V6.into()));
    assert_eq!((lab.server.allocations(), lab.sockets.len()), (1, 2));
    assert_eq!(lab.server.stats().allocations, 1);
    // One request for peers of both families, then payloads to and from each.
    let permitted = phone.ask(&mut lab, method::CREATE_PERMISSION, |b| {
        peer_address(b, PEER);
        peer_address(b, PEER_V6);
    });
    assert_eq!(permitted, Said::Success);
    assert_eq!(phone.bind(&mut lab, 0x4000, PEER), Said::Success);
    assert_eq!(phone.bind(&mut lab, 0x4001, PEER_V6), Said::Success);
    let now = lab.now;
    for (number, peer, own) in [(0x4000, PEER, v4), (0x4001, PEER_V6, v6)] {
        for message in [channel_data(number, b"there"), send_indication(peer, b"there")] {
            let out = lab.server.handle_client(phone.client, &message, now).unwrap();
            let Target::Peer { relay, address } = out.to else {
                panic!("{out:?}")
            };
            assert_eq!(address, addr(peer));
            assert_eq!(
                lab.sockets[&relay.index()],
                (relay, own),
                "by the relay of the peer's family"
            );
            let back = lab.peer_says(relay, peer, b"back").unwrap();
            assert_eq!(wire(&back), channel_data(number, b"back"));
        }
    }
}

#[test]
fn families_are_refreshed_and_given_back_one_by_one_or_together() {
    let mut lab = Lab::new(config());
    let (mut phone, [v4, _]) = dual(&mut lab, "198.7.6.5:40000", "alice");
    assert_eq!(phone.permit(&mut lab, PEER_V6), Said::Success);
    lab.advance(300);
    // Only IPv4 goes on.
    assert_eq!(
        phone.ask(&mut lab, method::REFRESH, |b| family(b, 1, 600)),
        Said::Success
    );
    lab.advance(300);
    assert_eq!((lab.server.allocations(), lab.relay()), (1, lab.sockets[&0].0));
    assert_eq!(lab.sockets[&0].1, v4);
    assert_eq!(
        phone.permit(&mut lab, PEER_V6),
        Said::Error(443),
        "there is no such relay any more"
    );
    let now = lab.now;
    let message = send_indication(PEER_V6, b"x");
    assert_eq!(lab.server.handle_client(phone.client, &message, now), None);
    assert_eq!(lab.server.stats().no_permission, 1);
    assert_eq!(
        phone.ask(&mut lab, method::REFRESH, |b| family(b, 2, 600)),
        Said::Error(443)
    );
    assert_eq!(
        phone.ask(&mut lab, method::REFRESH, |b| family(b, 3, 600)),
        Said::Error(443)
    );
    lab.advance(300);
    assert_eq!((lab.server.allocations(), lab.sockets.len()), (0, 0));

    let (mut phone, _) = dual(&mut lab, "198.7.6.5:40001", "alice");
    lab.advance(400);
    assert_eq!(phone.refresh(&mut lab, 600), Said::Success, "both");
    lab.advance(400);
    assert_eq!(lab.sockets.len(), 2);
    assert_eq!(phone.ask(&mut lab, method::REFRESH, |b| family(b, 1, 0)), Said::Success);
    assert_eq!((lab.server.allocations(), lab.sockets.len()), (1, 1));
    assert_eq!(phone.ask(&mut lab, method::REFRESH, |b| family(b, 2, 0)), Said::Success);
    assert_eq!((lab.server.allocations(), lab.sockets.len()), (0, 0));
    let stats = lab.server.stats();
    assert_eq!((stats.allocations, stats.released), (2, 2));
    assert_eq!(lab.server.poll_timeout(), None);
}

#[test]
fn where_one_family_has_no_port_left_the_other_one_does() {
    let mut lab = Lab::new(config());
    // IPv4's sockets are asked for first, and tried 16 times.
    lab.broken_sockets = 31;
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.greet(&mut lab);
    let request = phone.request(method::ALLOCATE, both);
    let answer = lab.ask(phone.client, &request).unwrap();
    assert_eq!(said(&answer), Said::Success);
    assert_eq!(
        value_of(&answer, attribute::ADDRESS_ERROR_CODE),
        Some(&[1, 0, 5, 8][..])
    );
    assert_eq!(relayed(&answer)[0].ip(), IpAddr::from(RELAY_V6));
    assert_eq!((relayed(&answer).len(), lab.sockets.len()), (1, 1));
    assert_eq!(phone.permit(&mut lab, PEER), Said::Error(443));
    assert_eq!(phone.permit(&mut lab, PEER_V6), Said::Success);

    lab.broken_sockets = 32;
    let mut phone = Phone::new("198.7.6.5:40001", "alice");
    phone.greet(&mut lab);
    assert_eq!(phone.ask(&mut lab, method::ALLOCATE, both), Said::Error(508));
    assert_eq!((lab.server.allocations(), lab.sockets.len()), (1, 1));
}

#[test]
fn both_relays_go_with_the_client() {
    let mut lab = Lab::new(config());
    let mut phone = Phone::stream("198.7.6.5:40000", "alice", 1);
    phone.greet(&mut lab);
    assert_eq!(phone.ask(&mut lab, method::ALLOCATE, both), Said::Success);
    let now = lab.now;
    lab.server.handle_disconnected(phone.client, now);
    lab.pump();
    assert_eq!((lab.server.allocations(), lab.sockets.len()), (0, 0));
    // While its sockets are being opened as well: what is opened late is closed at once.
    let request = phone.request(method::ALLOCATE, both);
    assert_eq!(lab.server.handle_client(phone.client, &request, now), None);
    let Some(Output::OpenRelay { relay: first, bind }) = lab.server.poll_output() else {
        panic!("no socket is asked for")
    };
    lab.sockets.insert(first.index(), (first, bind));
    lab.server.relay_opened(first, now);
    lab.server.handle_disconnected(phone.client, now);
    lab.pump();
    assert_eq!((lab.server.allocations(), lab.sockets.len()), (0, 0));
    assert_eq!(lab.server.poll_timeout(), None);
}

#[test]
fn two_dual_allocations_are_switched_in_either_family() {
    let mut lab = Lab::new(config());
    let (mut alice, at_alice) = dual(&mut lab, "198.7.6.5:40000", "alice");
    let (mut bob, at_bob) = dual(&mut lab, "77.1.1.1:40000", "bob");
    for (number, alice_at, bob_at) in [(0x4000, at_alice[0], at_bob[0]), (0x4001, at_alice[1], at_bob[1])] {
        assert_eq!(alice.bind(&mut lab, number, &bob_at.to_string()), Said::Success);
        assert_eq!(bob.bind(&mut lab, number, &alice_at.to_string()), Said::Success);
        let now = lab.now;
        let message = channel_data(number, b"hello");
        let forward = lab.server.handle_client(alice.client, &message, now).unwrap();
        assert_eq!(forward.to, Target::Client(bob.client));
        assert_eq!(wire(&forward), message);
    }
    assert_eq!(lab.server.stats().switched, 2);
}

#[test]
fn wrong_dual_requests_are_refused() {
    let mut lab = Lab::new(config());
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.greet(&mut lab);
    let with_reservation = phone.ask(&mut lab, method::ALLOCATE, |b| {
        both(b);
        b.push(attribute::EVEN_PORT, &[0x80]);
    });
    assert_eq!(with_reservation, Said::Error(400));
    let neither = Config {
        relay_v4: None,
        relay_v6: None,
        ..config()
    };
    let mut lab = Lab::new(neither);
    phone.greet(&mut lab);
    assert_eq!(phone.ask(&mut lab, method::ALLOCATE, both), Said::Error(440));
    assert_eq!(lab.server.allocations(), 0);
}
