use super::*;

#[test]
fn an_allocation_is_made_kept_and_given_back() {
    let mut lab = Lab::new(config());
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.fingerprint = true;
    phone.greet(&mut lab);
    let request = phone.request(method::ALLOCATE, udp);
    let answer = lab.ask(phone.client, &request).unwrap();
    assert_eq!(said(&answer), Said::Success);
    let relayed = address_in(&answer, attribute::XOR_RELAYED_ADDRESS);
    assert_eq!(relayed.ip(), RELAY_V4);
    assert!(relayed.port() >= 49_152);
    assert_eq!(
        address_in(&answer, attribute::XOR_MAPPED_ADDRESS),
        phone.client.address()
    );
    assert_eq!(value_of(&answer, attribute::LIFETIME), Some(&600_u32.to_be_bytes()[..]));
    // The answer proves the server too, with the key that only the two have.
    let integrity = answer.len() - 8 - 24;
    let mut signed = answer[..integrity].to_vec();
    signed[2..4].copy_from_slice(&((integrity + 24 - 20) as u16).to_be_bytes());
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &phone.key());
    let tag = value_of(&answer, attribute::MESSAGE_INTEGRITY).unwrap();
    hmac::verify(&key, &signed, tag).unwrap();
    assert!(value_of(&answer, attribute::FINGERPRINT).is_some());

    assert_eq!(lab.server.allocations(), 1);
    assert_eq!(lab.server.poll_timeout(), Some(lab.now + Duration::from_secs(600)));
    lab.advance(500);
    assert_eq!(phone.refresh(&mut lab, 900), Said::Success);
    assert_eq!(lab.server.poll_timeout(), Some(lab.now + Duration::from_secs(900)));
    assert_eq!(phone.refresh(&mut lab, 0), Said::Success);
    assert_eq!(lab.server.poll_timeout(), None);
    assert!(lab.sockets.is_empty());
    assert!(matches!(
        lab.events[..],
        [
            Event::Allocated { .. },
            Event::Released {
                cause: Release::Refreshed,
                ..
            }
        ]
    ));
    assert_eq!(phone.refresh(&mut lab, 0), Said::Error(437));
    let stats = lab.server.stats();
    assert_eq!((stats.allocations, stats.released, stats.succeeded), (1, 1, 3));
}

#[test]
fn lifetimes_stay_between_ten_minutes_and_an_hour() {
    for (asked, granted) in [
        (Some(1), 600),
        (Some(599), 600),
        (Some(3_000), 3_000),
        (Some(u32::MAX), 3_600),
        (None, 600),
    ] {
        let mut lab = Lab::new(config());
        let mut phone = Phone::new("198.7.6.5:40000", "alice");
        phone.greet(&mut lab);
        let request = phone.request(method::ALLOCATE, |b| {
            udp(b);
            if let Some(seconds) = asked {
                lifetime(b, seconds);
            }
        });
        let answer = lab.ask(phone.client, &request).unwrap();
        assert_eq!(
            value_of(&answer, attribute::LIFETIME),
            Some(&u32::to_be_bytes(granted)[..])
        );
        lab.advance(u64::from(granted) - 1);
        assert_eq!(lab.server.allocations(), 1);
        lab.advance(1);
        assert_eq!(lab.server.allocations(), 0, "expires to the second");
        assert!(lab.sockets.is_empty());
        assert!(matches!(
            lab.events[1],
            Event::Released {
                cause: Release::Expired,
                ..
            }
        ));
    }
}

#[test]
fn a_permission_lives_five_minutes_and_a_channel_ten() {
    let mut lab = Lab::new(config());
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.allocate(&mut lab);
    assert_eq!(phone.refresh(&mut lab, 3_600), Said::Success);
    let relay = lab.relay();
    assert_eq!(phone.bind(&mut lab, 0x4001, PEER), Said::Success);
    assert_eq!(phone.permit(&mut lab, "91.2.3.5:0"), Said::Success);
    lab.advance(299);
    assert_eq!(&lab.peer_says(relay, PEER, b"a").unwrap().header[..2], [0x40, 0x01]);
    assert!(lab.peer_says(relay, "91.2.3.5:77", b"a").is_some());
    lab.advance(1);
    assert!(lab.peer_says(relay, PEER, b"a").is_none());
    assert!(lab.peer_says(relay, "91.2.3.5:77", b"a").is_none());
    assert_eq!(lab.server.stats().no_permission, 2);
    // The channel still stands: with a new permission it carries again, in both directions.
    assert_eq!(phone.permit(&mut lab, PEER), Said::Success);
    assert_eq!(&lab.peer_says(relay, PEER, b"a").unwrap().header[..2], [0x40, 0x01]);
    lab.advance(299);
    let client = phone.client;
    let now = lab.now;
    assert!(
        lab.server
            .handle_client(client, &channel_data(0x4001, b"x"), now)
            .is_some()
    );
    lab.advance(1);
    assert_eq!(phone.permit(&mut lab, PEER), Said::Success);
    let now = lab.now;
    assert!(
        lab.server
            .handle_client(client, &channel_data(0x4001, b"x"), now)
            .is_none()
    );
    assert_eq!(
        &lab.peer_says(relay, PEER, b"a").unwrap().header[..2],
        [0x00, 0x17],
        "a Data indication"
    );
    // And its number is free for another peer.
    assert_eq!(phone.bind(&mut lab, 0x4001, "91.2.3.9:1"), Said::Success);
}

#[test]
fn binding_again_renews_channel_and_permission() {
    let mut lab = Lab::new(config());
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.allocate(&mut lab);
    assert_eq!(phone.refresh(&mut lab, 3_600), Said::Success);
    let relay = lab.relay();
    for _ in 0..8 {
        assert_eq!(phone.bind(&mut lab, 0x4fff, PEER), Said::Success);
        lab.advance(290);
        assert_eq!(&lab.peer_says(relay, PEER, b"a").unwrap().header[..2], [0x4f, 0xff]);
    }
}

#[test]
fn a_repeated_request_gets_the_same_answer_and_no_second_relay() {
    let mut lab = Lab::new(config());
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.greet(&mut lab);
    let request = phone.request(method::ALLOCATE, udp);
    let answer = lab.ask(phone.client, &request).unwrap();
    lab.advance(3);
    assert_eq!(lab.ask(phone.client, &request), Some(answer));
    assert_eq!(lab.sockets.len(), 1);
    // Another transaction of the same five-tuple is no repetition.
    assert_eq!(phone.ask(&mut lab, method::ALLOCATE, udp), Said::Error(437));
}

#[test]
fn the_nonce_grows_old_and_is_replaced() {
    let mut lab = Lab::new(config());
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.allocate(&mut lab);
    for _ in 0..8 {
        lab.advance(512);
        let request = phone.request(method::REFRESH, |b| lifetime(b, 600));
        let answer = lab.ask(phone.client, &request).unwrap();
        if said(&answer) == Said::Error(438) {
            phone.learn(&answer);
            assert_eq!(phone.refresh(&mut lab, 600), Said::Success);
        }
    }
    lab.advance(100);
    assert_eq!(
        lab.server.stats().stale_nonces,
        1,
        "one hour and not a second more often"
    );
    assert_eq!(lab.server.allocations(), 1);
}

#[test]
fn a_fresh_credential_of_the_same_user_carries_on() {
    let mut lab = Lab::new(config());
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.allocate(&mut lab);
    phone.credential = Credential::mint(SECRET, "alice", EPOCH + 72_000);
    assert_eq!(phone.refresh(&mut lab, 600), Said::Success);
}

#[test]
fn secrets_rotate() {
    let both = Config {
        secrets: vec![b"old".to_vec(), SECRET.to_vec()],
        ..config()
    };
    let mut lab = Lab::new(both);
    let mut old = Phone::new("198.7.6.5:40000", "alice");
    old.credential = Credential::mint(b"old", "alice", EPOCH + 60);
    old.allocate(&mut lab);
    Phone::new("198.7.6.5:40001", "bob").allocate(&mut lab);
    assert_eq!(lab.server.allocations(), 2);
}

#[test]
fn sha_256_integrity_is_answered_in_kind() {
    let mut lab = Lab::new(config());
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.sha256 = true;
    phone.greet(&mut lab);
    let request = phone.request(method::ALLOCATE, udp);
    let answer = lab.ask(phone.client, &request).unwrap();
    assert_eq!(said(&answer), Said::Success);
    assert!(value_of(&answer, attribute::MESSAGE_INTEGRITY).is_none());
    let tag = value_of(&answer, attribute::MESSAGE_INTEGRITY_SHA256).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &phone.key());
    hmac::verify(&key, &answer[..answer.len() - 36], tag).unwrap();
    // One bit less is no proof.
    let mut request = phone.request(method::REFRESH, |b| lifetime(b, 600));
    *request.last_mut().unwrap() ^= 1;
    assert_eq!(said(&lab.ask(phone.client, &request).unwrap()), Said::Error(401));
}

#[test]
fn a_closed_connection_takes_its_allocation_along() {
    let mut lab = Lab::new(config());
    let mut phone = Phone::stream("198.7.6.5:40000", "alice", 3);
    phone.allocate(&mut lab);
    lab.server.handle_disconnected(phone.client, lab.now);
    lab.pump();
    assert!(lab.sockets.is_empty());
    assert!(matches!(
        lab.events[1],
        Event::Released {
            cause: Release::Disconnected,
            ..
        }
    ));
    lab.server.handle_disconnected(phone.client, lab.now);
    assert_eq!(lab.server.poll_output(), None);
}

#[test]
fn a_port_that_is_taken_is_replaced_by_another() {
    let mut lab = Lab::new(config());
    lab.broken_sockets = 15;
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    phone.allocate(&mut lab);
    assert_eq!(lab.broken_sockets, 0);
    // A socket that fails later takes the allocation along.
    let relay = lab.relay();
    lab.server.relay_failed(relay, lab.now);
    lab.pump();
    assert_eq!(lab.server.allocations(), 0);
}

#[test]
fn a_client_that_leaves_before_its_socket_is_there_leaves_nothing() {
    let mut lab = Lab::new(config());
    let mut phone = Phone::stream("198.7.6.5:40000", "alice", 3);
    phone.greet(&mut lab);
    let request = phone.request(method::ALLOCATE, udp);
    let now = lab.now;
    assert!(lab.server.handle_client(phone.client, &request, now).is_none());
    let Some(Output::OpenRelay { relay, .. }) = lab.server.poll_output() else {
        panic!("a socket is asked for");
    };
    // A repetition meanwhile asks for no second one.
    assert!(lab.server.handle_client(phone.client, &request, now).is_none());
    assert_eq!(lab.server.poll_output(), None);
    lab.server.handle_disconnected(phone.client, now);
    lab.server.relay_opened(relay, now);
    assert_eq!(lab.server.poll_output(), Some(Output::CloseRelay { relay }));
    assert_eq!(lab.server.poll_output(), None);
    assert_eq!(lab.server.allocations(), 0);
}

#[test]
fn without_secrets_only_binding_is_answered() {
    let mut lab = Lab::new(Config::default());
    let mut phone = Phone::new("198.7.6.5:40000", "alice");
    let request = phone.request(method::ALLOCATE, udp);
    assert_eq!(lab.ask(phone.client, &request), None);
    let request = phone.request(method::BINDING, |_| {});
    let answer = lab.ask(phone.client, &request).unwrap();
    assert_eq!(
        address_in(&answer, attribute::XOR_MAPPED_ADDRESS),
        phone.client.address()
    );
}
