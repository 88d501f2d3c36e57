use super::*;

/// What an attack must not change.
fn state(lab: &Lab) -> (usize, usize, Option<Instant>) {
    (lab.server.allocations(), lab.sockets.len(), lab.server.poll_timeout())
}

#[test]
fn an_unauthenticated_answer_is_hardly_longer_than_its_request() {
    let mut lab = Lab::new(config());
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    let request = phone.request(method::ALLOCATE, udp);
    let answer = lab.ask(phone.client, &request).unwrap();
    assert_eq!(said(&answer), Said::Error(401));
    // With the headers of UDP and IPv4 on both.
    let (asked, told) = (request.len() + 28, answer.len() + 28);
    assert!(told * 2 <= asked * 3, "{told} bytes for {asked}");
    // Without a fingerprint in the request there is none in the answer.
    assert!(value_of(&answer, attribute::FINGERPRINT).is_none());
}

#[test]
fn forged_sources_get_so_many_answers_a_second() {
    let mut lab = Lab::new(Config {
        limits: Limits {
            unauthenticated_per_second: 10,
            ..Limits::default()
        },
        ..config()
    });
    let mut answered = 0;
    for n in 0..100_u16 {
        let mut phone = Phone::new(&format!("198.7.6.{}:{}", n % 250, 1_000 + n), "x");
        let request = phone.request(method::ALLOCATE, udp);
        answered += usize::from(lab.ask(phone.client, &request).is_some());
    }
    assert_eq!(answered, 10);
    assert_eq!(lab.server.stats().braked, 90);
    // Another network is not the victim's.
    let mut other = Phone::new("77.1.1.1:40000", "alice");
    other.allocate(&mut lab);
    lab.advance(1);
    Phone::new("198.7.6.1:40000", "alice").allocate(&mut lab);
}

#[test]
fn whoever_knows_no_secret_gets_nothing() {
    let mut lab = Lab::new(config());
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.greet(&mut lab);
    let before = state(&lab);
    let good = phone.credential.clone();
    for username in [
        "alice",
        "",
        ":",
        ":alice",
        "1800036000:",
        "1800036000",
        "-1800036000:alice",
        "+1800036000:alice",
        "99999999999999999999:alice",
        " 1800036000:alice",
        "1800036000.5:alice",
    ] {
        // The password is even right for the name.
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, SECRET);
        let tag = hmac::sign(&key, username.as_bytes());
        use base64::Engine as _;
        phone.credential = Credential {
            username: username.into(),
            password: base64::prelude::BASE64_STANDARD.encode(tag),
        };
        assert_eq!(
            phone.ask(&mut lab, method::ALLOCATE, udp),
            Said::Error(401),
            "{username:?}"
        );
    }
    for secret in [&b""[..], b"the north wind and the moon"] {
        phone.credential = Credential::mint(secret, "alice", EPOCH + 36_000);
        assert_eq!(phone.ask(&mut lab, method::ALLOCATE, udp), Said::Error(401));
    }
    // Another's name with one's own password.
    phone.credential = Credential {
        username: Credential::mint(SECRET, "bob", EPOCH + 36_000).username,
        ..good.clone()
    };
    assert_eq!(phone.ask(&mut lab, method::ALLOCATE, udp), Said::Error(401));
    // A longer life than was given.
    phone.credential = Credential {
        username: format!("{}:alice", EPOCH + 99_999),
        ..good.clone()
    };
    assert_eq!(phone.ask(&mut lab, method::ALLOCATE, udp), Said::Error(401));
    phone.credential = good;
    phone.realm = b"elsewhere".to_vec();
    assert_eq!(phone.ask(&mut lab, method::ALLOCATE, udp), Said::Error(401));
    assert_eq!(state(&lab), before);
}

#[test]
fn every_flipped_bit_is_noticed() {
    let mut lab = Lab::new(config());
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.allocate(&mut lab);
    let before = state(&lab);
    let request = phone.request(method::REFRESH, |b| lifetime(b, 3_600));
    for bit in 0..request.len() * 8 {
        let mut forged = request.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        if let Some(answer) = lab.ask(phone.client, &forged) {
            assert_ne!(said(&answer), Said::Success, "bit {bit}");
        }
        assert_eq!(state(&lab), before, "bit {bit}");
    }
    assert_eq!(said(&lab.ask(phone.client, &request).unwrap()), Said::Success);
    assert_ne!(state(&lab), before);
}

#[test]
fn an_expired_credential_is_worth_nothing() {
    let mut lab = Lab::new(config());
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.credential = Credential::mint(SECRET, "alice", EPOCH + 100);
    phone.allocate(&mut lab);
    lab.advance(99);
    assert_eq!(phone.permit(&mut lab, PEER), Said::Success);
    lab.advance(1);
    assert_eq!(phone.refresh(&mut lab, 600), Said::Error(401));
    assert_eq!(phone.permit(&mut lab, PEER), Said::Error(401));
    assert_eq!(phone.bind(&mut lab, 0x4000, PEER), Said::Error(401));
    assert_eq!(lab.server.stats().expired_credentials, 3);
    let mut other = Phone::new("198.7.6.5:40001", "alice");
    other.credential = phone.credential.clone();
    other.greet(&mut lab);
    assert_eq!(other.ask(&mut lab, method::ALLOCATE, udp), Said::Error(401));
    // What was granted runs out as it was granted.
    lab.advance(500);
    assert_eq!(lab.server.allocations(), 0);
}

#[test]
fn the_clock_of_the_machine_may_be_set() {
    let mut lab = Lab::new(config());
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.greet(&mut lab);
    lab.server.set_time_of_day(Duration::from_secs(EPOCH + 36_000), lab.now);
    assert_eq!(phone.ask(&mut lab, method::ALLOCATE, udp), Said::Error(401));
    lab.server.set_time_of_day(Duration::from_secs(EPOCH), lab.now);
    assert_eq!(phone.ask(&mut lab, method::ALLOCATE, udp), Said::Success);
}

#[test]
fn a_recorded_request_is_of_no_use_from_elsewhere() {
    let mut lab = Lab::new(config());
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.greet(&mut lab);
    let allocate = phone.request(method::ALLOCATE, udp);
    let refresh = phone.request(method::REFRESH, |b| lifetime(b, 0));
    assert_eq!(said(&lab.ask(phone.client, &allocate).unwrap()), Said::Success);
    let before = state(&lab);
    for address in ["198.7.6.5:40001", "198.7.6.6:40000", "[::1]:40000"] {
        let thief = Phone::new(address, "thief").client;
        for request in [&allocate, &refresh] {
            assert_eq!(said(&lab.ask(thief, request).unwrap()), Said::Error(438), "{address}");
        }
    }
    assert_eq!(state(&lab), before);
}

#[test]
fn data_of_a_spoofed_five_tuple_goes_nowhere() {
    let mut lab = Lab::new(config());
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.allocate(&mut lab);
    assert_eq!(phone.bind(&mut lab, 0x4000, PEER), Said::Success);
    let now = lab.now;
    let others = [
        Phone::new("198.7.6.5:40001", "x").client,
        Phone::stream("198.7.6.5:40000", "x", 1).client,
        Client::Datagram {
            listener: 1,
            address: phone.client.address(),
        },
    ];
    for other in others {
        for message in [channel_data(0x4000, b"x"), send_indication(PEER, b"x")] {
            assert_eq!(lab.server.handle_client(other, &message, now), None);
        }
    }
    assert_eq!(lab.server.stats().no_allocation, 6);
    assert_eq!(lab.server.stats().to_peers, 0);
}

#[test]
fn special_addresses_are_no_peers() {
    let v4 = [
        "0.0.0.0",
        "0.1.2.3",
        "0.255.255.255",
        "10.1.2.3",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.9.9.9",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
    ];
    let v6 = [
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:45.9.8.7",
        "::ffff:0:127.0.0.1",
        "::127.0.0.1",
        // NAT64: of loopback, a private address and the one that clouds answer at.
        "64:ff9b::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::1",
        "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
        "100::1",
        "2001::1",
        "2001:db8::1",
        // 6to4: of loopback, and of a private address.
        "2002:7f00:1::",
        "2002:a00:1::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ];
    for (family, peers) in [(1, &v4[..]), (2, &v6[..])] {
        let mut lab = Lab::new(config());
        let mut phone = Phone::new("198.7.6.5:40000", "alice");
        phone.greet(&mut lab);
        let allocated = phone.ask(&mut lab, method::ALLOCATE, |b| {
            udp(b);
            b.push(attribute::REQUESTED_ADDRESS_FAMILY, &[family, 0, 0, 0]);
        });
        assert_eq!(allocated, Said::Success);
        let now = lab.now;
        for peer in peers {
            let peer = SocketAddr::new(peer.parse().unwrap(), 4_000).to_string();
            assert_eq!(phone.permit(&mut lab, &peer), Said::Error(403), "{peer}");
            assert_eq!(phone.bind(&mut lab, 0x4000, &peer), Said::Error(403), "{peer}");
            let message = send_indication(&peer, b"x");
            assert_eq!(lab.server.handle_client(phone.client, &message, now), None);
        }
        assert_eq!(lab.server.stats().to_peers, 0);
    }
}

#[test]
fn an_ipv4_address_in_ipv6_clothes_is_no_peer_of_an_ipv4_relay() {
    let mut lab = Lab::new(config());
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.allocate(&mut lab);
    for peer in ["[::ffff:127.0.0.1]:1", "[64:ff9b::127.0.0.1]:1", "[2002:7f00:1::]:1"] {
        assert_eq!(phone.permit(&mut lab, peer), Said::Error(443), "{peer}");
        assert_eq!(phone.bind(&mut lab, 0x4000, peer), Said::Error(443), "{peer}");
    }
}

#[test]
fn ranges_of_ipv4_do_not_open_their_translations() {
    let mut lab = Lab::new(Config {
        allowed_peers: vec!["0.0.0.0/0".parse().unwrap()],
        ..config()
    });
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.greet(&mut lab);
    let allocated = phone.ask(&mut lab, method::ALLOCATE, |b| {
        udp(b);
        b.push(attribute::ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    });
    assert_eq!(allocated, Said::Success);
    assert_eq!(phone.permit(&mut lab, "10.0.0.1:1"), Said::Success);
    for peer in ["[::ffff:10.0.0.1]:1", "[64:ff9b::10.0.0.1]:1", "[2002:a00:1::]:1"] {
        assert_eq!(phone.permit(&mut lab, peer), Said::Error(403), "{peer}");
    }
}

#[test]
fn an_allowed_range_opens_what_it_names_and_no_more() {
    let range: Cidr = "10.1.0.0/16".parse().unwrap();
    let mut lab = Lab::new(Config {
        allowed_peers: vec![range],
        ..config()
    });
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.allocate(&mut lab);
    assert_eq!(phone.permit(&mut lab, "10.1.255.255:1"), Said::Success);
    assert_eq!(phone.permit(&mut lab, "10.2.0.0:1"), Said::Error(403));
    assert_eq!(phone.permit(&mut lab, "127.0.0.1:1"), Said::Error(403));
}

#[test]
fn truncated_oversized_and_foreign_messages_get_no_answer() {
    let mut lab = Lab::new(config());
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.allocate(&mut lab);
    assert_eq!(phone.bind(&mut lab, 0x4000, PEER), Said::Success);
    let before = state(&lab);
    let request = phone.request(method::REFRESH, |b| lifetime(b, 0));
    for length in 0..request.len() {
        assert_eq!(lab.ask(phone.client, &request[..length]), None, "{length} bytes");
    }
    let now = lab.now;
    let data = channel_data(0x4000, &[5; 40]);
    for length in 0..data.len() {
        assert_eq!(lab.server.handle_client(phone.client, &data[..length], now), None);
    }
    let mut trailing = data.clone();
    trailing.extend([0; 4]);
    let mut long = request.clone();
    long.extend([0; 4]);
    for junk in [
        &trailing[..],
        &long,
        b"GET / HTTP/1.1\r\n\r\n",
        &[0x80; 40],
        &[0xff; 2_000],
        &[0x50, 0, 0, 0],
    ] {
        assert_eq!(lab.ask(phone.client, junk), None);
    }
    // What only a server says, and indications with nothing in them.
    for (method, class) in [
        (method::ALLOCATE, Class::Success),
        (method::ALLOCATE, Class::Error),
        (method::DATA, Class::Indication),
        (method::SEND, Class::Indication),
        (0x00a, Class::Request),
    ] {
        let message = Builder::new(method, class, [1; 12]).finish();
        assert_eq!(lab.ask(phone.client, &message), None);
    }
    // A longer payload than a datagram has room for once its header is there.
    let relay = lab.relay();
    let huge = vec![0; LONGEST_PAYLOAD + 1];
    assert_eq!(lab.peer_says(relay, PEER, &huge), None);
    assert_eq!(lab.server.stats().oversized, 1);
    assert_eq!(state(&lab), before);
}

/// `HOSTILE_PACKETS=1000000` sends a million; by default there are fewer.
#[test]
fn hostile_packets_leave_no_trace() {
    let count: u32 = std::env::var("HOSTILE_PACKETS").map_or(100_000, |count| count.parse().unwrap());
    let mut lab = Lab::new(config());
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.allocate(&mut lab);
    assert_eq!(phone.bind(&mut lab, 0x4000, PEER), Said::Success);
    let mut mallory = Phone::new("77.1.1.1:1", "mallory");
    mallory.greet(&mut lab);
    mallory.credential = Credential::mint(b"wrong", "alice", EPOCH + 36_000);
    let packets = [
        mallory.request(method::ALLOCATE, udp),
        mallory.request(method::REFRESH, |b| lifetime(b, 0)),
        mallory.request(method::CHANNEL_BIND, |b| peer_address(b, PEER)),
        send_indication(PEER, &[0; 160]),
        channel_data(0x4000, &[0; 160]),
        vec![0x16, 0xfe, 0xfd, 0, 0],
        Builder::new(method::ALLOCATE, Class::Success, [1; 12]).finish(),
        vec![0; 20],
    ];
    let before = state(&lab);
    let capacity = |lab: &Lab| {
        (
            lab.server.slots.capacity(),
            lab.server.users.remembered(),
            lab.server.by_client.capacity(),
        )
    };
    let memory = capacity(&lab);
    for n in 0..count {
        let source = SocketAddr::from((77_000_000_u32.wrapping_add(n.wrapping_mul(7)).to_be_bytes(), n as u16));
        let packet = &packets[n as usize % packets.len()];
        assert_eq!(lab.server.handle_datagram(0, source, packet, lab.now), None);
        while let Some(output) = lab.server.poll_output() {
            assert!(matches!(&output, Output::Transmit { payload, .. } if said(payload) == Said::Error(438)));
        }
    }
    assert_eq!(state(&lab), before);
    assert_eq!(capacity(&lab), memory);
    let stats = lab.server.stats();
    let seen = stats.stale_nonces + stats.no_allocation + stats.malformed + stats.unexpected;
    assert_eq!(seen, u64::from(count), "each is counted");
}
