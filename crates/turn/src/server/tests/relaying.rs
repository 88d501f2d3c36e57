use super::*;

#[test]
fn payloads_go_out_and_come_back_as_they_were() {
    for (address, peer, family) in [("198.7.6.5:40000", PEER, 1), ("[2a02::5]:40000", "[2a02:1::9]:5000", 2)] {
        let mut lab = Lab::new(config());
        let mut phone = Phone::new(address, "alice");
        phone.greet(&mut lab);
        let request = phone.request(method::ALLOCATE, |b| {
            udp(b);
            b.push(attribute::REQUESTED_ADDRESS_FAMILY, &[family, 0, 0, 0]);
        });
        assert_eq!(said(&lab.ask(phone.client, &request).unwrap()), Said::Success);
        let relay = lab.relay();
        assert_eq!(phone.permit(&mut lab, peer), Said::Success);
        let now = lab.now;
        for length in [0, 1, 2, 3, 4, 1_200] {
            let payload: Vec<u8> = (0..length).map(|byte| byte as u8).collect();
            let message = send_indication(peer, &payload);
            let out = lab.server.handle_client(phone.client, &message, now).unwrap();
            assert_eq!(
                out.to,
                Target::Peer {
                    relay,
                    address: addr(peer)
                }
            );
            assert_eq!(wire(&out), payload);
            let back = wire(&lab.peer_says(relay, peer, &payload).unwrap());
            assert_eq!(&back[..2], [0x00, 0x17]);
            assert_eq!(usize::from(u16::from_be_bytes([back[2], back[3]])), back.len() - 20);
            assert_eq!(address_in(&back, attribute::XOR_PEER_ADDRESS), addr(peer));
            assert_eq!(value_of(&back, attribute::DATA), Some(&payload[..]));
        }
        assert_eq!(phone.bind(&mut lab, 0x4000, peer), Said::Success);
        for length in [0, 1, 2, 3, 4, 1_200] {
            let payload = vec![0xab; length];
            let message = channel_data(0x4000, &payload);
            let out = lab.server.handle_client(phone.client, &message, now).unwrap();
            assert_eq!(
                out.to,
                Target::Peer {
                    relay,
                    address: addr(peer)
                }
            );
            assert_eq!(wire(&out), payload);
            let back = lab.peer_says(relay, peer, &payload).unwrap();
            assert_eq!(back.to, Target::Client(phone.client));
            assert_eq!(wire(&back), message);
        }
        let stats = lab.server.stats();
        assert_eq!((stats.to_peers, stats.to_clients), (12, 12));
        assert_eq!((stats.to_peers_bytes, stats.to_clients_bytes), (2_420, 2_420));
    }
}

#[test]
fn channel_data_is_padded_in_streams_only() {
    let mut lab = Lab::new(config());
    let mut phone = Phone::stream("198.7.6.5:40000", "alice", 1);
    phone.allocate(&mut lab);
    let relay = lab.relay();
    assert_eq!(phone.bind(&mut lab, 0x4000, PEER), Said::Success);
    for length in 0..9 {
        let payload = vec![1; length];
        let back = wire(&lab.peer_says(relay, PEER, &payload).unwrap());
        assert_eq!(back.len() % 4, 0);
        let mut framing = crate::Framing::new();
        framing.push(&Builder::new(method::BINDING, Class::Request, [1; 12]).finish());
        assert!(framing.next_message().unwrap().is_some());
        framing.push(&back);
        assert_eq!(framing.next_message(), Ok(Some(&channel_data(0x4000, &payload)[..])));
    }
}

#[test]
fn two_relays_of_this_server_need_no_socket() {
    let mut lab = Lab::new(config());
    let mut alice = Phone::new("198.7.6.5:40000", "alice");
    let mut bob = Phone::stream("77.1.1.1:40000", "bob", 8);
    let at_alice = alice.allocate(&mut lab);
    let at_bob = bob.allocate(&mut lab);
    let now = lab.now;
    assert_eq!(alice.bind(&mut lab, 0x4000, &at_bob.to_string()), Said::Success);
    // Nobody reaches bob before bob permits it.
    let out = channel_data(0x4000, b"hello");
    assert_eq!(lab.server.handle_client(alice.client, &out, now), None);
    assert_eq!(lab.server.stats().no_permission, 1);
    assert_eq!(bob.permit(&mut lab, &at_alice.to_string()), Said::Success);
    let forward = lab.server.handle_client(alice.client, &out, now).unwrap();
    assert_eq!(forward.to, Target::Client(bob.client));
    let got = wire(&forward);
    assert_eq!(address_in(&got, attribute::XOR_PEER_ADDRESS), at_alice);
    assert_eq!(value_of(&got, attribute::DATA), Some(&b"hello"[..]));
    assert_eq!(bob.bind(&mut lab, 0x4abc, &at_alice.to_string()), Said::Success);
    let back = channel_data(0x4abc, b"hi");
    let forward = lab.server.handle_client(bob.client, &back, now).unwrap();
    assert_eq!(forward.to, Target::Client(alice.client));
    assert_eq!(wire(&forward), channel_data(0x4000, b"hi"));
    assert_eq!(lab.server.stats().switched, 2);
}

#[test]
fn own_addresses_lead_to_relays_and_to_nothing_else() {
    let host: IpAddr = "45.9.8.1".parse().unwrap();
    let mut lab = Lab::new(Config {
        own_addresses: vec![host],
        ..config()
    });
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.allocate(&mut lab);
    let now = lab.now;
    for peer in [SocketAddr::new(RELAY_V4.into(), 22), SocketAddr::new(host, 3306)] {
        assert_eq!(phone.permit(&mut lab, &peer.to_string()), Said::Success);
        let message = send_indication(&peer.to_string(), b"x");
        assert_eq!(lab.server.handle_client(phone.client, &message, now), None);
    }
    assert_eq!(lab.server.stats().forbidden_peers, 2);
    assert_eq!(lab.server.stats().to_peers, 0);
}

#[test]
fn behind_a_nat_the_public_address_is_told_and_the_private_one_bound() {
    let bind = Ipv4Addr::new(10, 0, 0, 5);
    let mut lab = Lab::new(Config {
        relay_v4: Some(crate::RelayAddress {
            bind,
            advertised: RELAY_V4,
        }),
        ..config()
    });
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    let relayed = phone.allocate(&mut lab);
    assert_eq!(relayed.ip(), RELAY_V4);
    let (_, bound) = lab.sockets.values().next().unwrap();
    assert_eq!(*bound, SocketAddr::new(bind.into(), relayed.port()));
}

#[test]
fn behind_a_nat_relays_reach_each_other_by_the_public_address_alone() {
    let bind = Ipv4Addr::new(10, 0, 0, 5);
    let mut lab = Lab::new(Config {
        relay_v4: Some(crate::RelayAddress {
            bind,
            advertised: RELAY_V4,
        }),
        ..config()
    });
    let mut alice = Phone::new("198.7.6.5:40000", "alice");
    let mut bob = Phone::new("77.1.1.1:40000", "bob");
    let (at_alice, at_bob) = (alice.allocate(&mut lab), bob.allocate(&mut lab));
    assert_eq!(alice.bind(&mut lab, 0x4000, &at_bob.to_string()), Said::Success);
    assert_eq!(bob.bind(&mut lab, 0x4000, &at_alice.to_string()), Said::Success);
    let (message, now) = (channel_data(0x4000, b"hello"), lab.now);
    // No packet has to find its way through the NAT and back.
    let forward = lab.server.handle_client(alice.client, &message, now).unwrap();
    assert_eq!(forward.to, Target::Client(bob.client));
    assert_eq!(wire(&forward), message);
    let inside = SocketAddr::new(bind.into(), at_bob.port()).to_string();
    assert_eq!(alice.permit(&mut lab, &inside), Said::Error(403));
}

#[test]
fn the_ports_of_relays_are_not_guessed_from_one_another() {
    let mut lab = Lab::new(Config {
        limits: Limits {
            user_allocations: 1_000,
            unauthenticated_per_second: 1_000,
            ..Limits::default()
        },
        ..config()
    });
    let ports: Vec<u16> = (0..200)
        .map(|n| {
            Phone::new(&format!("198.7.6.5:{}", 40_000 + n), "alice")
                .allocate(&mut lab)
                .port()
        })
        .collect();
    let mut steps: Vec<u16> = ports.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
    steps.sort_unstable();
    steps.dedup();
    assert!(steps.len() > 190, "{} different steps", steps.len());
}

#[test]
fn an_even_port_can_be_had() {
    for seed in 0..20 {
        let mut lab = Lab::new(config());
        lab.server = Server::new(config(), [seed; 32], lab.now);
        let mut phone = Phone::new("198.7.6.5:40000", "alice");
        phone.greet(&mut lab);
        let request = phone.request(method::ALLOCATE, |b| {
            udp(b);
            b.push(attribute::EVEN_PORT, &[0]);
        });
        let answer = lab.ask(phone.client, &request).unwrap();
        assert_eq!(address_in(&answer, attribute::XOR_RELAYED_ADDRESS).port() % 2, 0);
    }
}

#[test]
fn dont_fragment_is_passed_on_where_it_can_be_obeyed() {
    let mut lab = Lab::new(Config {
        dont_fragment: true,
        ..config()
    });
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.allocate(&mut lab);
    assert_eq!(phone.permit(&mut lab, PEER), Said::Success);
    let mut builder = Builder::new(method::SEND, Class::Indication, [9; 12]);
    peer_address(&mut builder, PEER);
    builder.push(attribute::DATA, b"x");
    builder.push(attribute::DONT_FRAGMENT, &[]);
    let message = builder.finish();
    let now = lab.now;
    assert!(
        lab.server
            .handle_client(phone.client, &message, now)
            .unwrap()
            .dont_fragment
    );
    let plain = send_indication(PEER, b"x");
    assert!(
        !lab.server
            .handle_client(phone.client, &plain, now)
            .unwrap()
            .dont_fragment
    );
}
