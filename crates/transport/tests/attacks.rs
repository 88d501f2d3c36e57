//! Somebody on the path, who hears everything and forges any address, but knows no key: the transport is the same before and
//! after, and a handshake takes no longer than it would.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{net::SocketAddr, time::Duration};

use duologue_testnet::{Rng, Transmit, with_seed};
use duologue_transport::{Event, Parameters, PathInfo, Setup, Stats};
use support::{CALLEE, CALLER, Pair, Setting, callee_address, caller_address, pair, rtcp, rtp};

fn stranger() -> SocketAddr {
    "198.51.100.66:6666".parse().unwrap()
}

/// Both DTLS versions, with and without DTLS in STUN.
fn settings() -> [Setting; 4] {
    [(true, false), (true, true), (false, false), (false, true)].map(|(dtls13, dtls_in_stun)| Setting {
        dtls13: [dtls13; 2],
        dtls_in_stun,
        ..Setting::default()
    })
}

/// What an attack must leave as it is.
#[derive(Debug, PartialEq)]
struct State {
    connected: bool,
    path: Option<PathInfo>,
    parameters: Parameters,
    milestones: Vec<Event>,
    delivered: (u64, u64),
}

fn state(pair: &Pair, id: usize) -> State {
    let party = pair.driver.endpoint(id);
    let stats = party.transport.stats();
    State {
        connected: party.transport.is_connected(),
        // The round trip is measured anew by every consent check.
        path: party.transport.path().map(|path| PathInfo { rtt: None, ..path }),
        parameters: party.transport.local_parameters(),
        milestones: party.milestones().into_iter().cloned().collect(),
        delivered: (stats.rtp_received, stats.rtcp_received),
    }
}

fn states(pair: &Pair) -> [State; 2] {
    [CALLER, CALLEE].map(|id| state(pair, id))
}

fn listen(pair: &mut Pair) {
    for id in [CALLER, CALLEE] {
        pair.driver.endpoint_mut(id).overheard = Some(Vec::new());
    }
}

/// What both have sent since [`listen`], the caller's first.
fn overheard(pair: &mut Pair) -> [Vec<Transmit>; 2] {
    [CALLER, CALLEE].map(|id| {
        let party = pair.driver.endpoint_mut(id);
        party.overheard.replace(Vec::new()).unwrap()
    })
}

/// Gives a datagram to the side that it is for, in the name of `source`.
fn inject(pair: &mut Pair, destination: SocketAddr, source: SocketAddr, payload: &[u8]) {
    let now = pair.driver.now();
    let party = if destination == caller_address() {
        pair.caller()
    } else {
        pair.callee()
    };
    party.transport.handle_datagram(destination, source, payload, now);
}

fn is_stun(transmit: &Transmit) -> bool {
    transmit.payload[0] < 4
}

/// Connected, and everything that it took was overheard.
fn connected(setting: &Setting) -> (Pair, Vec<Transmit>) {
    let mut pair = pair(setting);
    listen(&mut pair);
    assert!(pair.connect());
    pair.run(Duration::from_secs(3));
    pair.exchange(1);
    let all = overheard(&mut pair).concat();
    (pair, all)
}

#[test]
fn a_bit_flipped_anywhere_in_stun_makes_it_nothing() {
    for setting in settings() {
        let (mut pair, all) = connected(&setting);
        let before = states(&pair);
        for transmit in all.iter().filter(|transmit| is_stun(transmit)) {
            let mut forged = transmit.payload.clone();
            for bit in 0..forged.len() * 8 {
                forged[bit / 8] ^= 1 << (bit % 8);
                inject(&mut pair, transmit.destination, transmit.source, &forged);
                forged[bit / 8] ^= 1 << (bit % 8);
            }
        }
        let sent = [CALLER, CALLEE].map(|id| pair.driver.endpoint(id).sent);
        pair.run(Duration::from_millis(1));
        let answered = [CALLER, CALLEE].map(|id| pair.driver.endpoint(id).sent);
        // A flip in FINGERPRINT's own type leaves a message that is whole: it is answered as what it is, a repetition.
        for id in [CALLER, CALLEE] {
            assert!(answered[id] - sent[id] <= 64 * all.len(), "{sent:?} {answered:?}");
        }
        pair.run(Duration::from_secs(20));
        assert_eq!(states(&pair), before);
        pair.exchange(2);
    }
}

/// Whatever was heard comes again, from where it came and from elsewhere, in any order.
#[test]
fn replayed_datagrams_change_nothing() {
    with_seed(7, |seed| {
        let mut rng = Rng::new(seed);
        for setting in settings() {
            let (mut pair, all) = connected(&setting);
            let before = states(&pair);
            for n in 0..5000 {
                let transmit = &all[rng.range(0..all.len() as u64) as usize];
                let source = if n % 2 == 0 { transmit.source } else { stranger() };
                inject(&mut pair, transmit.destination, source, &transmit.payload);
                if n % 50 == 0 {
                    pair.run(Duration::from_millis(20));
                }
            }
            pair.run(Duration::from_secs(20));
            assert_eq!(states(&pair), before, "seed {seed}");
            pair.exchange(2);
        }
    });
}

/// An answer to a request that was overheard, in the peer's name, before the peer's own: every error there is, without
/// integrity and with one that is made up.
#[test]
fn spoofed_error_answers_change_neither_roles_nor_time() {
    let errors = [300_u16, 400, 401, 420, 438, 487, 500];
    for setting in settings() {
        let mut undisturbed = pair(&setting);
        assert!(undisturbed.connect());
        let time = undisturbed.since_start(undisturbed.driver.now());

        let mut pair = pair(&setting);
        listen(&mut pair);
        for _ in 0..1000 {
            if pair.driver.endpoints().all(support::Party::is_connected) {
                break;
            }
            pair.run(Duration::from_millis(1));
            for request in overheard(&mut pair)
                .concat()
                .iter()
                .filter(|transmit| is_stun(transmit) && transmit.payload[0] == 0)
            {
                for code in errors {
                    for signed in [false, true] {
                        let mut answer = vec![1, 0x11, 0, 0];
                        answer.extend(&request.payload[4..20]);
                        answer.extend([0, 9, 0, 4, 0, 0, (code / 100) as u8, (code % 100) as u8]);
                        if signed {
                            answer.extend([0, 8, 0, 20]);
                            answer.extend([code as u8; 20]);
                        }
                        let length = (answer.len() - 20) as u16;
                        answer[2..4].copy_from_slice(&length.to_be_bytes());
                        inject(&mut pair, request.source, request.destination, &answer);
                    }
                }
            }
        }
        assert!(pair.connect());
        let took = pair.since_start(pair.driver.now());
        // The clock above runs in whole milliseconds.
        assert!(took <= time + Duration::from_millis(1), "{took:?} instead of {time:?}");
        pair.exchange(1);
    }
}

/// Records of every type in the clear, in the peer's name, at every moment of the set-up and long after it.
#[test]
fn forged_dtls_records_change_nothing_at_any_time() {
    let records: [&[u8]; 6] = [
        // A fatal alert, a close_notify, a change of cipher, application data, an empty handshake message, a ciphertext.
        &[21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40],
        &[21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 1, 0],
        &[20, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 1],
        &[23, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 3, 1, 2, 3],
        &[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0],
        &[0b0010_1110, 0, 1, 0, 4, 1, 2, 3, 4],
    ];
    let everywhere = |pair: &mut Pair| {
        for record in records {
            for source in [callee_address(), stranger()] {
                inject(pair, caller_address(), source, record);
            }
            for source in [caller_address(), stranger()] {
                inject(pair, callee_address(), source, record);
            }
        }
    };
    for callee_setup in [Setup::Active, Setup::Passive] {
        for setting in settings() {
            let mut pair = pair(&Setting {
                callee_setup,
                ..setting
            });
            // Before the offer, and every 10 ms until all is over.
            for _ in 0..50 {
                everywhere(&mut pair);
                pair.run(Duration::from_millis(10));
            }
            assert!(pair.connect());
            pair.exchange(1);
            let before = states(&pair);
            for _ in 0..100 {
                everywhere(&mut pair);
                pair.run(Duration::from_millis(100));
            }
            assert_eq!(states(&pair), before);
            pair.exchange(2);
        }
    }
}

#[test]
fn media_are_taken_once_and_only_as_they_were_sent() {
    for setting in settings() {
        let (mut pair, _) = connected(&setting);
        let now = pair.driver.now();
        pair.caller().transport.send_rtp(&rtp(10), now).unwrap();
        pair.caller().transport.send_rtcp(&rtcp(10), now).unwrap();
        pair.run(Duration::from_millis(200));
        let media: Vec<Transmit> = overheard(&mut pair)
            .concat()
            .into_iter()
            .filter(|transmit| transmit.payload[0] >= 128)
            .collect();
        let before = states(&pair);
        let rejected = |stats: Stats| stats.srtp_rejected;
        let counted = rejected(pair.callee().transport.stats());
        let mut forged = 0;
        for transmit in media.iter().filter(|transmit| transmit.destination == callee_address()) {
            // As it was, and with each bit of it turned over.
            inject(&mut pair, transmit.destination, transmit.source, &transmit.payload);
            forged += 1;
            let mut bytes = transmit.payload.clone();
            for bit in 0..bytes.len() * 8 {
                bytes[bit / 8] ^= 1 << (bit % 8);
                // The first two bits tell SRTP from the other protocols.
                if bytes[0] & 0xc0 == 0x80 {
                    inject(&mut pair, transmit.destination, transmit.source, &bytes);
                    forged += 1;
                }
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
        }
        assert!(forged > 600, "{forged}");
        assert_eq!(rejected(pair.callee().transport.stats()), counted + forged);
        assert_eq!(states(&pair), before);
        // Neither the window of sequence numbers nor the rollover counter has moved.
        pair.exchange(11);
    }
}

/// The peer is gone. Answers of its that were overheard keep nobody believing that it is there.
#[test]
fn replayed_answers_do_not_feign_consent() {
    for setting in settings() {
        let (mut pair, all) = connected(&Setting {
            consent_timeout: Duration::from_secs(10),
            ..setting
        });
        pair.callee().mute = true;
        let of_callee: Vec<&Transmit> = all
            .iter()
            .filter(|transmit| transmit.source == callee_address() && is_stun(transmit))
            .collect();
        assert!(!of_callee.is_empty());
        for _ in 0..150 {
            for transmit in &of_callee {
                inject(&mut pair, transmit.destination, transmit.source, &transmit.payload);
            }
            pair.run(Duration::from_millis(100));
        }
        assert_eq!(pair.caller().milestones().last(), Some(&&Event::Interrupted));
        pair.callee().mute = false;
        pair.run(Duration::from_secs(10));
        assert_eq!(pair.caller().milestones().last(), Some(&&Event::Resumed));
        pair.exchange(2);
    }
}
