//! How long it takes until the other side is heard: 100 ms round trip, no loss, signalling takes half of that one way, the
//! callee is the DTLS client.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "support/sim.rs"]
mod sim;

use std::time::Duration;

use duologue_testnet::LinkConfig;
use sim::{Outcome, Script, run};

const CALLER: usize = 0;
const CALLEE: usize = 1;
const RTT: Duration = Duration::from_millis(100);
const ONE_WAY: Duration = Duration::from_millis(50);
const FRAME: Duration = Duration::from_millis(20);
/// What the jitter buffer waits for before a stream's first sample.
const BUFFER_START: Duration = Duration::from_millis(40);

fn call(pre_connect: [bool; 2]) -> Outcome {
    let link = LinkConfig {
        delay: ONE_WAY,
        ..LinkConfig::default()
    };
    let outcome = run(Script {
        links: [link.clone(), link],
        // Through the server: two of these are one way.
        signal_delay: ONE_WAY / 2,
        pre_connect,
        ring: Duration::from_secs(2),
        talk: Duration::from_secs(1),
        ..Script::new(7)
    });
    assert!(outcome.connected() && outcome.finished, "{:?}", outcome.events);
    outcome
}

/// From the accept to the first audio heard at this side.
fn heard(outcome: &Outcome, who: usize) -> Duration {
    outcome.heard[who].unwrap() - outcome.accepted.unwrap()
}

#[expect(clippy::print_stdout, reason = "the figures of this test")]
fn tell(what: &str, outcome: &Outcome) {
    println!(
        "{what}: callee heard after {:?}, caller heard after {:?}",
        heard(outcome, CALLER),
        heard(outcome, CALLEE)
    );
}

#[test]
fn a_path_that_is_up_carries_audio_at_once() {
    let outcome = call([true, true]);
    tell("pre-connected", &outcome);
    assert!(
        heard(&outcome, CALLER) <= ONE_WAY + FRAME + BUFFER_START,
        "{:?}",
        heard(&outcome, CALLER)
    );
    // The other direction has to wait for the accept to arrive, and then takes the same way.
    assert!(
        heard(&outcome, CALLEE) <= RTT + FRAME + BUFFER_START,
        "{:?}",
        heard(&outcome, CALLEE)
    );
}

/// The callee shows its address with the accept, and knows the caller's by then.
#[test]
fn a_path_that_the_callee_builds_after_the_accept_takes_two_and_a_half_round_trips() {
    let outcome = call([true, false]);
    tell("callee does not pre-connect", &outcome);
    let ready = heard(&outcome, CALLER) - FRAME - BUFFER_START;
    assert!(ready <= RTT.mul_f64(2.5), "{ready:?} before framing and buffering");
}

/// Neither shows an address before the accept, so the caller's takes half a round trip more to get there, and ICE sends no data on
/// a pair before its own check came back (RFC 8445 §12.1.1).
#[test]
fn a_path_that_both_build_after_the_accept_takes_one_round_trip_more() {
    let outcome = call([false, false]);
    tell("neither pre-connects", &outcome);
    let ready = heard(&outcome, CALLER) - FRAME - BUFFER_START;
    assert!(ready <= RTT.mul_f64(3.5), "{ready:?} before framing and buffering");
}
