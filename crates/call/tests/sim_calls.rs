//! Whole calls between whole clients over bad networks, on virtual time. `SIM_CALLS` says how many (default 2,000), `SIM_SEED`
//! where to begin.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "support/sim.rs"]
mod sim;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use duologue_call::CallEventKind;
use duologue_signaling::DisconnectReason;
use duologue_signaling::server::is_allowed_pair;
use duologue_testnet::{LinkConfig, Loss, Rng, seed_from_env};
use sim::{Class, Outcome, Script, run};

const CALLER: usize = 0;
const CALLEE: usize = 1;

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A call on a network that loses up to a fifth of the packets in each direction, delays, reorders and duplicates them; in a
/// third of the calls, connections to the server break.
fn bad_network(seed: u64) -> Script {
    let mut rng = Rng::new(seed ^ 0x5eed_ca11);
    let link = |rng: &mut Rng| LinkConfig {
        delay: ms(rng.range(1..100)),
        jitter: ms(rng.range(0..20)),
        loss: Loss::Bernoulli(0.2 * rng.next_f64()),
        duplicate: 0.1 * rng.next_f64(),
        reorder: 0.2 * rng.next_f64(),
        ..LinkConfig::default()
    };
    let links = [link(&mut rng), link(&mut rng)];
    let breaks = match rng.range(0..3) {
        0 => (0..rng.range(1..4))
            .map(|_| {
                (
                    ms(rng.range(0..2_000)),
                    rng.range(0..2) as usize,
                    ms(rng.range(1..1_500)),
                )
            })
            .collect(),
        _ => Vec::new(),
    };
    Script {
        links,
        breaks,
        signal_delay: ms(rng.range(1..80)),
        push_delay: ms(rng.range(1..200)),
        pre_connect: [rng.chance(0.8), rng.chance(0.8)],
        ring: ms(rng.range(0..1_500)),
        talk: ms(rng.range(100..400)),
        ends: rng.range(0..2) as usize,
        ..Script::new(seed)
    }
}

/// What must hold for every call, connected or not.
fn check(seed: u64, outcome: &Outcome) {
    let [caller] = outcome.ends(CALLER)[..] else {
        panic!("seed {seed}: {outcome:?}")
    };
    let [callee] = outcome.ends(CALLEE)[..] else {
        panic!("seed {seed}: {outcome:?}")
    };
    assert!(
        outcome.finished,
        "seed {seed}: a client never finished: {:?}",
        outcome.events
    );
    assert_eq!(outcome.records.len(), 1, "seed {seed}: exactly one record");
    let reason = |code| DisconnectReason::from_code(code).unwrap();
    let (caller, callee) = (reason(caller.reason.code), reason(callee.reason.code));
    assert!(
        is_allowed_pair(caller, callee),
        "seed {seed}: caller {}, callee {}",
        caller.str_code(),
        callee.str_code()
    );
    for who in [CALLER, CALLEE] {
        let after = outcome.events.iter().rfind(|(_, whose, _)| *whose == who).unwrap();
        assert_eq!(
            after.2.name(),
            "evt_disconnected",
            "seed {seed}: nothing follows the end"
        );
    }
    let code = |who| {
        outcome.events.iter().find_map(|(_, whose, kind)| match kind {
            CallEventKind::VerificationCode(code) if *whose == who => Some(*code),
            _ => None,
        })
    };
    if let (Some(caller), Some(callee)) = (code(CALLER), code(CALLEE)) {
        assert_eq!(caller, callee, "seed {seed}: nobody sits in between");
    }
    // Nobody sends audio before the accept: RTCP has no reason to exist by then either.
    let accepted = outcome.accepted.unwrap_or(Duration::MAX);
    let early = outcome
        .sends
        .iter()
        .find(|(at, _, class, _)| *class == Class::Media && *at < accepted);
    assert!(early.is_none(), "seed {seed}: media before the accept: {early:?}");
}

#[test]
fn calls_connect_over_bad_networks() {
    let calls: u64 = std::env::var("SIM_CALLS").map_or(2_000, |text| text.parse().expect("SIM_CALLS is a number"));
    let first = seed_from_env(1);
    let next = AtomicU64::new(0);
    let failures = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= calls {
                        break;
                    }
                    let seed = first + index;
                    let outcome = run(bad_network(seed));
                    check(seed, &outcome);
                    if !outcome.connected() {
                        let reason = outcome.ends(CALLER)[0].reason.str_code;
                        failures.lock().unwrap().push((seed, reason));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort_unstable();
    #[expect(clippy::print_stdout, reason = "the figure of this test")]
    {
        println!(
            "{} of {calls} calls connected; the others by seed: {failures:?}",
            calls - failures.len() as u64
        );
    }
    assert!(
        failures.len() as u64 * 1_000 <= calls,
        "at least 99.9 % must connect: {failures:?}"
    );
    for (seed, reason) in failures {
        assert_eq!(reason, "NETWORK_UNSTABLE", "seed {seed}");
    }
}

#[test]
fn the_same_seed_makes_the_same_call() {
    for seed in seed_from_env(1)..seed_from_env(1) + 50 {
        let call = || {
            let mut outcome = run(Script {
                dtls_apart: true,
                ..bad_network(seed)
            });
            outcome.sends.retain(|(_, _, class, _)| *class != Class::Dtls);
            outcome
        };
        let (one, other) = (call(), call());
        let names = |outcome: &Outcome| -> Vec<_> {
            outcome
                .events
                .iter()
                .map(|(at, who, kind)| (*at, *who, kind.name()))
                .collect()
        };
        assert_eq!(names(&one), names(&other), "seed {seed}");
        assert_eq!(one.sends, other.sends, "seed {seed}");
        assert_eq!(one.heard, other.heard, "seed {seed}");
        assert!(one.sends.len() > 15, "seed {seed}: something was compared");
    }
}

/// The server is gone from the first words on; a second later one side ends the call, and the server comes back much later.
#[test]
fn without_the_server_the_end_reaches_the_peer_and_later_the_server() {
    for seed in 1..=40 {
        let lossy = LinkConfig::lossy(0.2);
        let gone = Duration::from_secs(20);
        let script = Script {
            links: [lossy.clone(), lossy],
            ends: (seed % 2) as usize,
            phrase: Some("see you".into()),
            talk: Duration::from_secs(3),
            breaks: vec![
                (Duration::from_secs(2), CALLER, gone),
                (Duration::from_secs(2), CALLEE, gone),
            ],
            ..Script::new(seed)
        };
        let ends = script.ends;
        let outcome = run(script);
        check(seed, &outcome);
        assert!(outcome.connected(), "seed {seed}: {:?}", outcome.events);
        let peer = outcome.ends(1 - ends)[0];
        assert_eq!((peer.reason.str_code, peer.by_remote), ("NORMAL", true), "seed {seed}");
        let (ended, told) = (
            outcome.event(ends, "evt_disconnected").unwrap(),
            outcome.event(1 - ends, "evt_disconnected").unwrap(),
        );
        assert!(
            told - ended < ms(600),
            "seed {seed}: the goodbye took {:?}",
            told - ended
        );
        assert_eq!(
            outcome.records[0].disconnect_reason,
            DisconnectReason::Normal.code(),
            "seed {seed}"
        );
        assert!(outcome.took > gone, "seed {seed}: the server was told when it was back");
    }
}
