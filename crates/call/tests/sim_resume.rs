//! A whole call between two whole clients, on virtual time, whose connection to the server breaks at each of its messages: the
//! applications must be told the same as without the break.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "support/sim.rs"]
mod sim;

use std::time::Duration;

use duologue_call::CallEventKind;
use duologue_call::engine::Command;
use sim::{Cut, Outcome, Script, run};

const CALLER: usize = 0;
const CALLEE: usize = 1;

fn script(ends: usize, cut: Option<Cut>) -> Script {
    let hold = |reason: Option<&str>| Command::Hold {
        held: reason.is_some(),
        reason: reason.map(Into::into),
    };
    let acts = [
        (CALLER, Command::Mute(true)),
        (CALLEE, hold(Some("lunch"))),
        (CALLER, hold(Some("too"))),
        (CALLEE, hold(None)),
        (CALLER, Command::Mute(false)),
        (CALLEE, Command::Mute(true)),
    ];
    let times = (1..).map(|number| Duration::from_millis(300 * number));
    let acts: Vec<_> = times.zip(acts).map(|(at, (who, command))| (at, who, command)).collect();
    Script {
        talk: Duration::from_millis(300 * 7),
        ends,
        phrase: Some("bye".into()),
        cut,
        acts,
        ..Script::new(7)
    }
}

/// What one application was told of the call; measured times, the network, and when the first audio came, depend on time.
fn told(outcome: &Outcome, who: usize) -> Vec<String> {
    let of = outcome.events.iter().filter(|(_, whose, _)| *whose == who);
    of.filter_map(|(_, _, kind)| match kind {
        CallEventKind::Statistics(_) | CallEventKind::FirstAudio => None,
        CallEventKind::Connected(param) => Some(format!("Connected {:?}", param.call_start_message)),
        kind if kind.name().contains("network") => None,
        kind => Some(format!("{kind:?}")),
    })
    .collect()
}

#[test]
fn nothing_is_lost_or_doubled_wherever_the_connection_breaks() {
    let mut cuts = 0;
    for ends in [CALLER, CALLEE] {
        let whole = run(script(ends, None));
        let expected = [CALLER, CALLEE].map(|who| told(&whole, who));
        assert!(whole.connected() && whole.finished, "{:?}", whole.events);
        for (who, heard) in [(CALLER, "lunch"), (CALLEE, "too")] {
            assert!(expected[who].iter().any(|it| it.contains(heard)), "{:?}", expected[who]);
        }
        for who in [CALLER, CALLEE] {
            for to_client in [false, true] {
                let messages = whole.signals[who][usize::from(to_client)];
                assert!(messages >= 8, "only {messages} messages");
                for (number, arrives) in (0..messages).flat_map(|number| [(number, true), (number, false)]) {
                    let cut = Cut {
                        who,
                        to_client,
                        number,
                        arrives,
                    };
                    let outcome = run(script(ends, Some(cut)));
                    assert!(outcome.finished, "{cut:?}: {:?}", outcome.events);
                    assert_eq!([CALLER, CALLEE].map(|who| told(&outcome, who)), expected, "{cut:?}");
                    assert_eq!(outcome.records.len(), 1, "{cut:?}");
                    assert_eq!(
                        outcome.records[0].user_rel_code, whole.records[0].user_rel_code,
                        "{cut:?}"
                    );
                    cuts += 1;
                }
            }
        }
    }
    assert!(cuts >= 100, "only {cuts} cuts");
}
