//! Flights of several datagrams each, the ClientHello among them: browsers that offer a post-quantum key share send such.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::time::Duration;

use duologue_testnet::{LinkConfig, Loss, with_seed};
use duologue_transport::{Event, Setup};
use support::{CALLEE, CALLER, Setting, one_way, pair};

/// So small that flights of certificates take several datagrams.
const MTU: usize = 140;

fn settings() -> Vec<Setting> {
    let mut settings = Vec::new();
    for callee_setup in [Setup::Active, Setup::Passive] {
        for dtls13 in [true, false] {
            for dtls_in_stun in [false, true] {
                settings.push(Setting {
                    callee_setup,
                    dtls13: [dtls13; 2],
                    dtls_in_stun,
                    mtu: MTU,
                    ..Setting::default()
                });
            }
        }
    }
    settings
}

/// Cuts each ClientHello into two fragments, each in a datagram of its own. Records in the clear get twice their sequence
/// number, so that there is one for the second fragment.
fn cut(datagram: &[u8]) -> Vec<Vec<u8>> {
    let (mut first, mut second, mut rest) = (Vec::new(), Vec::new(), datagram);
    // RFC 6347 §4.1: type, version, epoch, sequence number, length.
    while rest.len() > 13 && (20..=22).contains(&rest[0]) && rest[3..5] == [0, 0] {
        let length = usize::from(u16::from_be_bytes([rest[11], rest[12]]));
        let (record, after) = rest.split_at(13 + length);
        rest = after;
        let number = 2 * u32::from_be_bytes([record[7], record[8], record[9], record[10]]);
        let header = |number: u32, length: usize| {
            let mut header = record[..7].to_vec();
            header.extend(number.to_be_bytes());
            header.extend((length as u16).to_be_bytes());
            header
        };
        // §4.2.2: type, length, message number, offset and length of the fragment.
        if record[0] != 22 || record[13] != 1 {
            first.extend(header(number, length));
            first.extend(&record[13..]);
            continue;
        }
        let body = &record[25..];
        let (early, late) = body.split_at(body.len() / 2);
        for (out, number, offset, part) in [
            (&mut first, number, 0, early),
            (&mut second, number + 1, early.len(), late),
        ] {
            out.extend(header(number, 12 + part.len()));
            out.extend(&record[13..19]);
            out.extend(&(offset as u32).to_be_bytes()[1..]);
            out.extend(&(part.len() as u32).to_be_bytes()[1..]);
            out.extend(part);
        }
    }
    first.extend(rest);
    [first, second]
        .into_iter()
        .filter(|datagram| !datagram.is_empty())
        .collect()
}

fn cut_and_swap(datagram: &[u8]) -> Vec<Vec<u8>> {
    let mut datagrams = cut(datagram);
    datagrams.reverse();
    datagrams
}

#[test]
fn a_client_hello_in_two_datagrams_is_one() {
    for rewrite in [cut, cut_and_swap] {
        for callee_setup in [Setup::Active, Setup::Passive] {
            for dtls13 in [true, false] {
                let mut pair = pair(&Setting {
                    callee_setup,
                    dtls13: [dtls13; 2],
                    ..Setting::default()
                });
                for id in [CALLER, CALLEE] {
                    pair.driver.endpoint_mut(id).rewrite = Some(rewrite);
                }
                assert!(pair.connect(), "callee {callee_setup}, 1.3 {dtls13}");
                let took = pair.since_start(pair.driver.now());
                assert!(took <= Duration::from_millis(400), "{took:?}: nothing was repeated");
                pair.exchange(1);
                for id in [CALLER, CALLEE] {
                    assert!(matches!(
                        pair.driver.endpoint(id).milestones()[..],
                        [Event::Connected { .. }]
                    ));
                }
            }
        }
    }
}

#[test]
fn fragments_may_come_in_any_order_twice_or_not_at_all() {
    for seed in 0..12 {
        with_seed(seed, |seed| {
            for mut setting in settings() {
                setting.seed = seed;
                setting.link = LinkConfig {
                    reorder: 0.5,
                    reorder_by: Duration::from_millis(30),
                    duplicate: 0.1,
                    loss: if seed % 2 == 0 {
                        Loss::None
                    } else {
                        Loss::Bernoulli(0.05)
                    },
                    ..one_way(50)
                };
                let mut pair = pair(&setting);
                assert!(
                    pair.connect(),
                    "{} 1.3 {:?}, in STUN {}",
                    setting.callee_setup,
                    setting.dtls13,
                    setting.dtls_in_stun
                );
                for host in pair.hosts {
                    pair.driver.network_mut().set_link(host, &one_way(50));
                }
                pair.run(Duration::from_secs(1));
                pair.exchange(1);
            }
        });
    }
}
