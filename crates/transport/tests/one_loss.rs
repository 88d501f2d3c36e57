//! The loss of any one datagram of the set-up, whichever it is.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::time::Duration;

use duologue_transport::Setup;
use support::{CALLEE, CALLER, Setting, one_way, pair};

/// How long until both are connected, and how many datagrams each has sent by then. `lost`: whose how manieth datagram is.
fn set_up(setting: &Setting, lost: Option<(usize, usize)>) -> (Duration, [usize; 2]) {
    let mut pair = pair(setting);
    if let Some((id, index)) = lost {
        pair.driver.endpoint_mut(id).drop = Some(index);
    }
    assert!(pair.connect(), "never connected without datagram {lost:?}");
    let sent = [CALLER, CALLEE].map(|id| pair.driver.endpoint(id).sent);
    (pair.since_start(pair.driver.now()), sent)
}

#[test]
#[expect(clippy::print_stderr, reason = "the figures are worth seeing")]
fn any_single_datagram_lost_costs_two_round_trips_at_most() {
    let mut wrong = Vec::new();
    for rtt in [20, 100, 300] {
        for (callee_setup, dtls13, dtls_in_stun) in [
            (Setup::Active, true, false),
            (Setup::Passive, true, false),
            (Setup::Active, false, false),
            (Setup::Passive, false, false),
            (Setup::Active, true, true),
            (Setup::Passive, true, true),
            (Setup::Active, false, true),
            (Setup::Passive, false, true),
        ] {
            let setting = Setting {
                link: one_way(rtt / 2),
                message_delay: Duration::from_millis(rtt / 2),
                callee_setup,
                dtls13: [dtls13; 2],
                dtls_in_stun,
                ..Setting::default()
            };
            let (undisturbed, sent) = set_up(&setting, None);
            let mut highest = Duration::ZERO;
            let allowed = Duration::from_millis(100.max(2 * rtt));
            for id in [CALLER, CALLEE] {
                for index in 0..sent[id] {
                    let (took, _) = set_up(&setting, Some((id, index)));
                    let cost = took.saturating_sub(undisturbed);
                    highest = highest.max(cost);
                    if cost > allowed {
                        wrong.push(format!(
                            "RTT {rtt} ms, callee {callee_setup}, 1.3 {dtls13}, in STUN {dtls_in_stun}: {cost:?} more than {undisturbed:?} without datagram \
                             {index} of {id}"
                        ));
                    }
                }
            }
            eprintln!(
                "RTT {rtt} ms, callee {callee_setup}, 1.3 {dtls13}, in STUN {dtls_in_stun}: up after {undisturbed:?}, any of {} \
                 datagrams lost costs {highest:?} at most",
                sent[CALLER] + sent[CALLEE]
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
