//! Whoever can reach the socket may send anything.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use duologue_testnet::{Clock, Endpoint, Rng};
use duologue_transport::{Certificate, Config, Event, Transport};
use proptest::prelude::*;
use support::{CALLEE, CALLER, Pair, Setting, callee_address, caller_address, pair, rtcp, rtp};

fn stranger() -> SocketAddr {
    "198.51.100.66:6666".parse().unwrap()
}

/// A forged datagram of every sort: STUN, DTLS records in the clear and as if encrypted, SRTP, SRTCP, noise.
fn forge(rng: &mut Rng) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..rng.range(1..120)).map(|_| rng.next_u64() as u8).collect();
    let head: Vec<u8> = match rng.range(0..9) {
        0 => vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42],
        1 => vec![1, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42],
        // A fatal alert, a close_notify, a change of cipher, application data, a handshake message: all in the clear.
        2 => vec![21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40],
        3 => vec![21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 1, 0],
        4 => vec![20, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 1],
        5 => vec![
            22,
            254,
            253,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            9,
            0,
            bytes.len() as u8,
            rng.range(0..25) as u8,
            0,
            0,
        ],
        6 => vec![0b0010_1100 | rng.range(0..4) as u8, 0, 1, 0, bytes.len() as u8],
        7 => vec![0x80, 111],
        _ => vec![0x80, 200],
    };
    if matches!(head[0], 20 | 21) {
        return head;
    }
    if head[0] == 0 || head[0] == 1 {
        bytes.resize(bytes.len().next_multiple_of(4) + 12, 0);
        let length = (bytes.len() - 12) as u16;
        let mut message = head;
        message[2..4].copy_from_slice(&length.to_be_bytes());
        message.extend(bytes);
        return message;
    }
    [head, bytes].concat()
}

/// Gives both sides forged datagrams, from the peer's proven address and from a stranger's. Nothing is drained in
/// between, so that a queue without bound would show.
fn bombard(pair: &mut Pair, rng: &mut Rng, count: usize) {
    let now = pair.driver.now();
    for n in 0..count {
        let forged = forge(rng);
        let source = |peer| if n % 2 == 0 { peer } else { stranger() };
        let (caller, callee) = (caller_address(), callee_address());
        pair.caller().handle_datagram(caller, source(callee), &forged, now);
        pair.callee().handle_datagram(callee, source(caller), &forged, now);
    }
}

#[test]
fn forged_datagrams_by_the_thousand_change_nothing() {
    for dtls13 in [true, false] {
        let mut rng = Rng::new(5);
        let mut pair = pair(&Setting {
            dtls13: [dtls13; 2],
            ..Setting::default()
        });
        assert!(pair.connect());
        pair.exchange(1);
        let before = [CALLER, CALLEE].map(|id| pair.driver.endpoint(id).transport.stats());
        bombard(&mut pair, &mut rng, 20_000);
        for id in [CALLER, CALLEE] {
            let party = pair.driver.endpoint_mut(id);
            let mut answers = 0;
            while party.poll_transmit().is_some() {
                answers += 1;
            }
            // At most ICE's errors to requests, and what its bound allows.
            assert!(answers <= 1024, "{answers}");
            let (after, before) = (party.transport.stats(), before[id]);
            assert_eq!(after.rtp_received, before.rtp_received);
            assert_eq!(after.rtcp_received, before.rtcp_received);
            assert!(after.srtp_rejected > before.srtp_rejected + 1000);
            assert!(after.unproven_dropped > before.unproven_dropped + 1000);
            assert!(
                matches!(party.milestones()[..], [Event::Connected { .. }]),
                "{:?}",
                party.milestones()
            );
        }
        pair.exchange(2);
        // Authenticated DTLS still gets through.
        let now = pair.driver.now();
        pair.callee().transport.close(now);
        pair.run(Duration::from_secs(1));
        assert_eq!(pair.caller().milestones().last(), Some(&&Event::Closed));
    }
}

/// A stranger cannot disturb a handshake at any moment.
#[test]
fn strangers_do_not_disturb_the_handshake() {
    for seed in 0..20 {
        let mut rng = Rng::new(seed);
        let mut pair = pair(&Setting {
            seed,
            ..Setting::default()
        });
        for _ in 0..30 {
            let now = pair.driver.now();
            for _ in 0..200 {
                let forged = forge(&mut rng);
                pair.caller()
                    .handle_datagram(caller_address(), stranger(), &forged, now);
                pair.callee()
                    .handle_datagram(callee_address(), stranger(), &forged, now);
            }
            pair.run(Duration::from_millis(10));
        }
        assert!(pair.connect(), "seed {seed}");
        let took = pair.caller().connected_at().unwrap() - pair.start;
        assert!(took <= Duration::from_millis(300), "{took:?}");
        pair.exchange(1);
    }
}

/// Someone who forges the peer's own address in the middle of the handshake: a few records of every sort.
#[test]
fn records_in_the_peers_name_do_not_end_the_handshake() {
    for kind in 0..6 {
        for at in 0..30 {
            let mut pair = pair(&Setting::default());
            pair.run(Duration::from_millis(at * 10));
            let record: &[u8] = match kind {
                0 => &[21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40],
                1 => &[21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 1, 0],
                2 => &[20, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 1],
                3 => &[23, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 3, 1, 2, 3],
                4 => &[0b0010_1110, 0, 1, 0, 4, 1, 2, 3, 4],
                _ => &[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0],
            };
            let now = pair.driver.now();
            pair.caller()
                .handle_datagram(caller_address(), callee_address(), record, now);
            pair.callee()
                .handle_datagram(callee_address(), caller_address(), record, now);
            assert!(pair.connect(), "kind {kind} after {at}0 ms");
            pair.exchange(1);
        }
    }
}

#[test]
fn replayed_datagrams_are_delivered_once() {
    let mut pair = pair(&Setting::default());
    assert!(pair.connect());
    let now = pair.driver.now();
    pair.caller().transport.send_rtp(&rtp(5), now).unwrap();
    pair.caller().transport.send_rtcp(&rtcp(5), now).unwrap();
    let mut sent = Vec::new();
    while let Some(transmit) = pair.caller().poll_transmit() {
        sent.push(transmit.payload);
    }
    for _ in 0..1000 {
        for payload in &sent {
            pair.callee()
                .handle_datagram(callee_address(), caller_address(), payload, now);
        }
    }
    pair.run(Duration::from_millis(1));
    assert_eq!((pair.callee().rtp().len(), pair.callee().rtcp().len()), (1, 1));
    assert_eq!(pair.callee().transport.stats().srtp_rejected, 2 * 999);
}

/// Authentic media from an address that no check has proven are not taken: whoever copies packets cannot move a call.
#[test]
fn media_from_an_unproven_address_are_dropped() {
    let mut pair = pair(&Setting::default());
    assert!(pair.connect());
    let now = pair.driver.now();
    pair.caller().transport.send_rtp(&rtp(5), now).unwrap();
    while let Some(transmit) = pair.caller().poll_transmit() {
        pair.callee()
            .handle_datagram(callee_address(), stranger(), &transmit.payload, now);
    }
    pair.run(Duration::from_millis(1));
    assert!(pair.callee().rtp().is_empty());
    assert!(pair.callee().transport.stats().unproven_dropped >= 1);
}

/// A caller that never drains loses packets, not memory.
#[test]
fn outputs_are_bounded() {
    let mut pair = pair(&Setting::default());
    assert!(pair.connect());
    let now = pair.driver.now();
    for sequence in 0..5000 {
        pair.caller().transport.send_rtp(&rtp(sequence), now).unwrap();
    }
    let mut left = 0;
    while pair.caller().poll_transmit().is_some() {
        left += 1;
    }
    assert_eq!(left, 1024);
    assert!(pair.caller().transport.stats().output_dropped >= 5000 - 1024);
}

fn arbitrary_datagram() -> impl Strategy<Value = Vec<u8>> {
    let first = prop::sample::select(vec![0_u8, 1, 20, 21, 22, 23, 26, 0x2e, 0x2f, 64, 128, 144, 200]);
    (first, prop::collection::vec(any::<u8>(), 0..200)).prop_map(|(first, mut rest)| {
        rest.insert(0, first);
        rest
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_fresh_transport_takes_anything(datagrams in prop::collection::vec(arbitrary_datagram(), 1..60)) {
        let now: Instant = Clock::new().now();
        let mut transport = Transport::new(Config::new(Certificate::generate().unwrap()), [1; 32], now);
        transport.add_local_address(caller_address(), now).unwrap();
        for datagram in &datagrams {
            transport.handle_datagram(caller_address(), callee_address(), datagram, now);
        }
        let stats = transport.stats();
        prop_assert_eq!(
            stats.datagrams_received,
            stats.stun_received + stats.unproven_dropped + stats.unknown_dropped
        );
    }

    /// The server's own ClientHello parser sees garbage that begins like one.
    #[test]
    fn handshakes_go_on_after_garbage_in_the_peers_name(
        garbage in prop::collection::vec(arbitrary_datagram(), 1..8),
        at in 0_u64..300,
    ) {
        let mut pair = pair(&Setting::default());
        pair.run(Duration::from_millis(at));
        let now = pair.driver.now();
        for datagram in &garbage {
            pair.caller().handle_datagram(caller_address(), callee_address(), datagram, now);
            pair.callee().handle_datagram(callee_address(), caller_address(), datagram, now);
        }
        prop_assert!(pair.connect());
        pair.exchange(1);
    }
}
