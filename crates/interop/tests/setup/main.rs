//! How long a call takes to come about, and what any one lost datagram adds to that, over a direct path and over relays.
#![allow(clippy::unwrap_used, reason = "tests")]

mod oracle;
mod ours;
mod world;

use std::time::Duration;

use world::{Setting, Stack, call};

const RTTS: [u64; 3] = [20, 100, 300];

fn setting(stack: Stack, rtt: u64, relay: bool) -> Setting {
    Setting {
        stack,
        rtt: Duration::from_millis(rtt),
        loss: 0.0,
        relay,
        seed: 1,
        lost: None,
    }
}

#[test]
fn a_direct_path_is_up_in_the_round_trips_that_it_needs() {
    for rtt in RTTS {
        for (stack, round_trips) in [(Stack::Ours, 2.5), (Stack::OursInStun, 1.5)] {
            let setting = setting(stack, rtt, false);
            let times = call(&setting).unwrap();
            assert!(
                times.up <= setting.rtt.mul_f64(round_trips),
                "{stack:?}, RTT {rtt} ms: {times:?}"
            );
            // The path is there before the accept: audio takes the way there, and there and back.
            assert!(times.audio_at_caller <= setting.rtt / 2, "{times:?}");
            assert!(times.audio_at_callee <= setting.rtt, "{times:?}");
        }
    }
}

#[test]
fn the_oracle_connects_too() {
    let times = call(&setting(Stack::Oracle, 100, false)).unwrap();
    assert!(times.up >= Duration::from_millis(250), "{times:?}");
}

/// Whose datagram it is, the callee's, the caller's or the relay's, costs two round trips at most, or a tenth of a second.
#[test]
fn any_single_datagram_lost_costs_two_round_trips_at_most() {
    let mut wrong = Vec::new();
    for rtt in RTTS {
        for (stack, relay) in [
            (Stack::Ours, false),
            (Stack::OursInStun, false),
            (Stack::Ours, true),
            (Stack::OursInStun, true),
        ] {
            let mut setting = setting(stack, rtt, relay);
            let undisturbed = call(&setting).unwrap();
            let allowed = Duration::from_millis(100.max(2 * rtt));
            for (id, sent) in undisturbed.sent.into_iter().enumerate() {
                for index in 0..sent {
                    setting.lost = Some((id, index));
                    let cost = call(&setting).unwrap().up.saturating_sub(undisturbed.up);
                    if cost > allowed {
                        wrong.push(format!(
                            "{stack:?}, relay {relay}, RTT {rtt} ms: without datagram {index} of {id} {cost:?} more than {:?}",
                            undisturbed.up
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
