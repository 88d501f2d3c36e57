use super::*;

type Fill = fn(&mut Builder);

#[test]
fn every_wrong_allocate_has_its_code() {
    let cases: [(u16, Fill); 14] = [
        (400, |_| {}),
        (442, |b| b.push(attribute::REQUESTED_TRANSPORT, &[6, 0, 0, 0])),
        (400, |b| b.push(attribute::REQUESTED_TRANSPORT, &[17])),
        (420, |b| {
            udp(b);
            b.push(attribute::DONT_FRAGMENT, &[]);
        }),
        (420, |b| {
            udp(b);
            b.push(0x7abc, &[1, 2, 3]);
        }),
        (440, |b| {
            udp(b);
            b.push(attribute::REQUESTED_ADDRESS_FAMILY, &[3, 0, 0, 0]);
        }),
        (400, |b| {
            udp(b);
            b.push(attribute::REQUESTED_ADDRESS_FAMILY, &[1, 0, 0, 0]);
            b.push(attribute::ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0]);
        }),
        (400, |b| {
            udp(b);
            b.push(attribute::ADDITIONAL_ADDRESS_FAMILY, &[1, 0, 0, 0]);
        }),
        (508, |b| {
            udp(b);
            b.push(attribute::EVEN_PORT, &[0x80]);
        }),
        (508, |b| {
            udp(b);
            b.push(attribute::RESERVATION_TOKEN, &[0; 8]);
        }),
        (400, |b| {
            udp(b);
            b.push(attribute::RESERVATION_TOKEN, &[0; 8]);
            b.push(attribute::EVEN_PORT, &[0x80]);
        }),
        (400, |b| {
            udp(b);
            b.push(attribute::RESERVATION_TOKEN, &[0; 8]);
            b.push(attribute::REQUESTED_ADDRESS_FAMILY, &[1, 0, 0, 0]);
        }),
        (400, |b| {
            udp(b);
            b.push(attribute::LIFETIME, &[1, 2]);
        }),
        (400, |b| {
            udp(b);
            b.push(attribute::EVEN_PORT, &[0, 0]);
        }),
    ];
    let mut lab = Lab::new(config());
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.greet(&mut lab);
    for (index, (code, fill)) in cases.into_iter().enumerate() {
        assert_eq!(
            phone.ask(&mut lab, method::ALLOCATE, fill),
            Said::Error(code),
            "case {index}"
        );
    }
    assert!(lab.sockets.is_empty(), "no refused request leaves a socket");
    assert_eq!(lab.server.stats().refused, 14);
    // And the same client can still do it right.
    assert_eq!(phone.ask(&mut lab, method::ALLOCATE, udp), Said::Success);
}

#[test]
fn unknown_attributes_are_named() {
    let mut lab = Lab::new(config());
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.greet(&mut lab);
    let request = phone.request(method::ALLOCATE, |b| {
        udp(b);
        b.push(0x7abc, &[1]);
        b.push(0x8abc, &[1]);
        b.push(attribute::DONT_FRAGMENT, &[]);
    });
    let answer = lab.ask(phone.client, &request).unwrap();
    assert_eq!(
        value_of(&answer, attribute::UNKNOWN_ATTRIBUTES),
        Some(&[0x7a, 0xbc, 0x00, 0x1a][..])
    );
}

#[test]
fn a_family_that_is_not_configured_is_not_supported() {
    let mut lab = Lab::new(Config {
        relay_v6: None,
        ..config()
    });
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.greet(&mut lab);
    let v6 = |b: &mut Builder| {
        udp(b);
        b.push(attribute::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    };
    assert_eq!(phone.ask(&mut lab, method::ALLOCATE, v6), Said::Error(440));
    // As the second family beside IPv4 it is told to be missing, and the first is there (RFC 8656 §7.2).
    let request = phone.request(method::ALLOCATE, |b| {
        udp(b);
        b.push(attribute::ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    });
    let answer = lab.ask(phone.client, &request).unwrap();
    assert_eq!(said(&answer), Said::Success);
    assert_eq!(
        value_of(&answer, attribute::ADDRESS_ERROR_CODE),
        Some(&[2, 0, 4, 40][..])
    );
}

#[test]
fn nothing_works_without_an_allocation() {
    let mut lab = Lab::new(config());
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.greet(&mut lab);
    assert_eq!(phone.refresh(&mut lab, 600), Said::Error(437));
    assert_eq!(phone.permit(&mut lab, PEER), Said::Error(437));
    assert_eq!(phone.bind(&mut lab, 0x4000, PEER), Said::Error(437));
    let now = lab.now;
    for message in [send_indication(PEER, b"x"), channel_data(0x4000, b"x")] {
        assert_eq!(lab.server.handle_client(phone.client, &message, now), None);
    }
    assert_eq!(lab.server.stats().no_allocation, 2);
}

#[test]
fn permissions_and_channels_are_refused_with_their_codes() {
    let mut lab = Lab::new(config());
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.allocate(&mut lab);
    let ask = |lab: &mut Lab, phone: &mut Phone, fill: Fill| phone.ask(lab, method::CREATE_PERMISSION, fill);
    assert_eq!(ask(&mut lab, &mut phone, |_| {}), Said::Error(400));
    assert_eq!(
        ask(&mut lab, &mut phone, |b| b
            .push(attribute::XOR_PEER_ADDRESS, &[0, 1, 2])),
        Said::Error(400)
    );
    assert_eq!(phone.permit(&mut lab, "[2a02::1]:5"), Said::Error(443));
    assert_eq!(phone.permit(&mut lab, "10.0.0.1:5"), Said::Error(403));
    // One bad apple: none of the request's peers is permitted.
    let mixed = ask(&mut lab, &mut phone, |b| {
        peer_address(b, PEER);
        peer_address(b, "127.0.0.1:5");
    });
    assert_eq!(mixed, Said::Error(403));
    let relay = lab.relay();
    assert_eq!(lab.peer_says(relay, PEER, b"x"), None);

    assert_eq!(phone.bind(&mut lab, 0x3fff, PEER), Said::Error(400));
    assert_eq!(phone.bind(&mut lab, 0x8000, PEER), Said::Error(400));
    assert_eq!(phone.bind(&mut lab, 0x4000, "[2a02::1]:5"), Said::Error(443));
    assert_eq!(phone.bind(&mut lab, 0x4000, "192.168.1.1:5"), Said::Error(403));
    assert_eq!(phone.bind(&mut lab, 0x4000, "91.2.3.4:0"), Said::Error(403));
    let without_peer = phone.ask(&mut lab, method::CHANNEL_BIND, |b| {
        b.push(attribute::CHANNEL_NUMBER, &channel_value(0x4000));
    });
    assert_eq!(without_peer, Said::Error(400));
    assert_eq!(phone.bind(&mut lab, 0x4000, PEER), Said::Success);
    assert_eq!(
        phone.bind(&mut lab, 0x4000, "91.2.3.4:5001"),
        Said::Error(400),
        "the number has a peer"
    );
    assert_eq!(
        phone.bind(&mut lab, 0x4001, PEER),
        Said::Error(400),
        "the peer has a number"
    );
    let wrong_family = phone.ask(&mut lab, method::REFRESH, |b| {
        b.push(attribute::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    });
    assert_eq!(wrong_family, Said::Error(443));
}

#[test]
fn another_user_has_no_say_over_an_allocation() {
    let mut lab = Lab::new(config());
    let mut alice = Phone::new("198.7.6.5:40000", "alice");
    alice.allocate(&mut lab);
    // On the very same five-tuple, with a good credential of its own.
    let mut mallory = Phone::new("198.7.6.5:40000", "mallory");
    mallory.greet(&mut lab);
    assert_eq!(mallory.refresh(&mut lab, 0), Said::Error(441));
    assert_eq!(mallory.permit(&mut lab, PEER), Said::Error(441));
    assert_eq!(mallory.bind(&mut lab, 0x4000, PEER), Said::Error(441));
    assert_eq!(mallory.ask(&mut lab, method::ALLOCATE, udp), Said::Error(437));
    assert_eq!(lab.server.allocations(), 1);
    let relay = lab.relay();
    assert_eq!(lab.peer_says(relay, PEER, b"x"), None);
}

#[test]
fn when_no_socket_can_be_bound_there_is_no_capacity() {
    let mut lab = Lab::new(config());
    lab.broken_sockets = 16;
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.greet(&mut lab);
    assert_eq!(phone.ask(&mut lab, method::ALLOCATE, udp), Said::Error(508));
    assert_eq!(lab.server.allocations(), 0);
    assert!(lab.events.is_empty());
    assert_eq!(phone.ask(&mut lab, method::ALLOCATE, udp), Said::Success);
}
