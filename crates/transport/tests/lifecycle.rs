//! Closing, interruptions, siblings, and what the caller may ask when.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::time::Duration;

use duologue_testnet::Endpoint;
use duologue_transport::{Certificate, Config, Event, ParametersError, SendError, Setup, Transport};
use support::{CALLEE, CALLER, Setting, callee_address, caller_address, one_way, pair, rtcp, rtp};

#[test]
fn closing_tells_the_peer_and_then_answers_nothing() {
    for dtls13 in [true, false] {
        for closer in [CALLER, CALLEE] {
            let mut pair = pair(&Setting {
                dtls13: [dtls13; 2],
                ..Setting::default()
            });
            assert!(pair.connect());
            let now = pair.driver.now();
            // The last words leave before the close_notify.
            pair.driver
                .endpoint_mut(closer)
                .transport
                .send_rtcp(&rtcp(77), now)
                .unwrap();
            pair.driver.endpoint_mut(closer).transport.close(now);
            pair.run(Duration::from_secs(1));
            let peer = pair.driver.endpoint(1 - closer);
            assert!(matches!(
                peer.milestones()[..],
                [Event::Connected { .. }, Event::Closed]
            ));
            assert!(peer.rtcp().iter().any(|packet| packet[..] == rtcp(77)[..]));
            for id in [CALLER, CALLEE] {
                let party = pair.driver.endpoint_mut(id);
                assert!(party.transport.is_closed() && !party.transport.is_connected());
                assert_eq!(party.transport.poll_timeout(), None);
                assert_eq!(party.transport.send_rtp(&rtp(9), now), Err(SendError::Closed));
            }
            assert_eq!(
                pair.driver.endpoint(closer).milestones().len(),
                1,
                "the closer hears nothing"
            );
        }
    }
}

#[test]
fn a_closed_transport_answers_no_one() {
    let mut pair = pair(&Setting::default());
    assert!(pair.connect());
    let now = pair.driver.now();
    pair.caller().transport.send_rtp(&rtp(1), now).unwrap();
    let mut wire = Vec::new();
    while let Some(transmit) = pair.caller().poll_transmit() {
        wire.push(transmit.payload);
    }
    pair.callee().transport.close(now);
    let notify = pair.callee().poll_transmit().expect("close_notify");
    assert!((20..64).contains(&notify.payload[0]));
    assert!(pair.callee().poll_transmit().is_none());
    for payload in &wire {
        pair.callee()
            .handle_datagram(callee_address(), caller_address(), payload, now);
    }
    // A request of ICE for this very agent.
    pair.caller().transport.handle_timeout(now + Duration::from_secs(6));
    let check = pair.caller().poll_transmit().expect("a consent check");
    assert_eq!(check.payload[0], 0);
    pair.callee()
        .handle_datagram(callee_address(), caller_address(), &check.payload, now);
    assert!(pair.callee().poll_transmit().is_none());
    assert_eq!(
        pair.callee().transport.stats().after_close_dropped,
        wire.len() as u64 + 1
    );
    assert!(pair.callee().rtp().is_empty());
}

#[test]
fn the_close_notify_survives_the_loss_of_two_copies() {
    for lost in 0..3_u32 {
        let mut pair = pair(&Setting::default());
        assert!(pair.connect());
        pair.run(Duration::from_secs(1));
        let now = pair.driver.now();
        pair.caller().mute = lost > 0;
        pair.caller().transport.close(now);
        pair.run(Duration::from_millis(if lost == 2 { 100 } else { 20 }));
        pair.caller().mute = false;
        assert!(pair.callee().transport.is_connected());
        pair.run(Duration::from_millis(500));
        assert_eq!(pair.callee().milestones().last(), Some(&&Event::Closed), "{lost} lost");
    }
}

#[test]
fn closing_before_the_handshake_is_silent() {
    let mut pair = pair(&Setting::default());
    let now = pair.driver.now();
    pair.callee().transport.close(now);
    pair.run(Duration::from_secs(1));
    assert!(pair.callee().milestones().is_empty());
    assert_eq!(pair.callee().dtls_sent, 0);
}

#[test]
fn a_lost_path_interrupts_and_its_return_resumes() {
    let mut pair = pair(&Setting {
        consent_timeout: Duration::from_secs(10),
        ..Setting::default()
    });
    assert!(pair.connect());
    pair.run(Duration::from_secs(2));
    let host = pair.hosts[1];
    pair.driver.network_mut().set_up(host, callee_address().ip(), false);
    pair.run(Duration::from_secs(20));
    let now = pair.driver.now();
    for id in [CALLER, CALLEE] {
        let party = pair.driver.endpoint_mut(id);
        assert_eq!(party.milestones().last(), Some(&&Event::Interrupted));
        assert_eq!(party.transport.send_rtp(&rtp(1), now), Err(SendError::Interrupted));
        assert!(party.transport.is_connected());
    }
    pair.driver.network_mut().set_up(host, callee_address().ip(), true);
    pair.run(Duration::from_secs(20));
    for id in [CALLER, CALLEE] {
        assert!(pair.driver.endpoint(id).milestones().contains(&&Event::Resumed));
    }
    pair.exchange(2);
}

/// RFC 7983 tells protocols apart, ICE tells transports apart.
#[test]
fn siblings_on_one_socket_know_their_own() {
    let mut pair = pair(&Setting {
        link: one_way(10),
        ..Setting::default()
    });
    assert!(pair.connect());
    let now = pair.driver.now();
    let mut sibling = Transport::new(Config::new(Certificate::generate().unwrap()), [9; 32], now);
    sibling.add_local_address(callee_address(), now).unwrap();
    pair.caller().transport.send_rtp(&rtp(1), now).unwrap();
    pair.caller().transport.handle_timeout(now + Duration::from_secs(6));
    let mut seen = [false; 2];
    while let Some(transmit) = pair.caller().poll_transmit() {
        let owner = &pair.callee().transport;
        assert!(owner.accepts(callee_address(), caller_address(), &transmit.payload));
        assert!(!sibling.accepts(callee_address(), caller_address(), &transmit.payload));
        seen[usize::from(transmit.payload[0] >= 128)] = true;
    }
    assert_eq!(seen, [true; 2], "a check and a packet");
    let owner = &pair.callee().transport;
    assert!(!owner.accepts(callee_address(), "198.51.100.1:1".parse().unwrap(), &[0x80, 111, 0, 1]));
    assert!(!owner.accepts(callee_address(), caller_address(), &[70, 0]));
    assert!(!owner.accepts(callee_address(), caller_address(), &[]));
}

#[test]
fn what_comes_too_early_or_twice_is_refused() {
    let mut pair = pair(&Setting::default());
    let now = pair.driver.now();
    assert_eq!(
        pair.caller().transport.send_rtp(&rtp(1), now),
        Err(SendError::NotConnected)
    );
    assert!(pair.connect());
    assert!(matches!(
        pair.caller().transport.send_rtp(&[1, 2], now),
        Err(SendError::Packet(_))
    ));
    let known = pair.callee().transport.local_parameters();
    assert_eq!(known.setup, Setup::Active);
    let transport = &mut pair.caller().transport;
    assert_eq!(transport.local_parameters().setup, Setup::Passive);
    assert_eq!(
        transport.set_remote_parameters(known.clone(), now),
        Ok(()),
        "nothing new"
    );
    let mut later_offer = known.clone();
    later_offer.setup = Setup::ActPass;
    assert_eq!(transport.set_remote_parameters(later_offer, now), Ok(()), "roles stay");
    let mut other = known.clone();
    other.fingerprints = vec![Certificate::generate().unwrap().fingerprint()];
    assert_eq!(
        transport.set_remote_parameters(other, now),
        Err(ParametersError::Changed)
    );
    let mut other = known.clone();
    other.setup = Setup::Passive;
    assert_eq!(
        transport.set_remote_parameters(other, now),
        Err(ParametersError::Changed)
    );
    let mut other = known.clone();
    other.pwd.truncate(21);
    assert_eq!(
        transport.set_remote_parameters(other, now),
        Err(ParametersError::Credentials)
    );
    let mut other = known.clone();
    other.fingerprints[0].algorithm = "sha-1".to_owned();
    assert_eq!(
        transport.set_remote_parameters(other, now),
        Err(ParametersError::NoUsableFingerprint { count: 1 })
    );
    transport.close(now);
    assert_eq!(
        transport.set_remote_parameters(known, now),
        Err(ParametersError::Closed)
    );
    assert!(
        transport
            .add_remote_candidate("candidate:1 1 udp 1 192.0.2.9 9 typ host", now)
            .is_err()
    );
}

#[test]
fn candidates_are_read_or_refused() {
    let mut pair = pair(&Setting::default());
    let now = pair.driver.now();
    let transport = &mut pair.caller().transport;
    assert!(
        transport
            .add_remote_candidate("candidate:1 1 udp 2130706431 192.0.2.9 900 typ host", now)
            .is_ok()
    );
    let tcp = "candidate:1 1 tcp 1 192.0.2.9 9 typ host tcptype active";
    assert!(transport.add_remote_candidate(tcp, now).is_ok(), "ignored");
    assert!(transport.add_remote_candidate("no candidate", now).is_err());
    assert!(transport.add_local_address("0.0.0.0:1".parse().unwrap(), now).is_err());
    assert!(
        transport
            .add_local_address("127.0.0.1:1".parse().unwrap(), now)
            .is_err(),
        "loopback is off"
    );
}

#[test]
fn an_ice_restart_keeps_the_association() {
    let mut pair = pair(&Setting::default());
    assert!(pair.connect());
    pair.exchange(1);
    let now = pair.driver.now();
    let before = pair.callee().transport.local_parameters();
    pair.callee().transport.restart_ice(now);
    pair.caller().transport.restart_ice(now);
    let callee = pair.callee().transport.local_parameters();
    assert_ne!(callee.ufrag, before.ufrag);
    assert_eq!(callee.fingerprints, before.fingerprints);
    let caller = pair.caller().transport.local_parameters();
    pair.caller().transport.set_remote_parameters(callee, now).unwrap();
    pair.callee().transport.set_remote_parameters(caller, now).unwrap();
    pair.exchange(2);
    pair.run(Duration::from_secs(3));
    pair.exchange(3);
    assert_eq!(pair.caller().milestones().len(), 1, "{:?}", pair.caller().milestones());
}
