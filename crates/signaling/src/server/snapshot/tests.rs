use super::super::tests::{CALLER, UNIX, accept, drain, end, ended, record, ringing, sent, start};
use super::*;
use crate::message::{ClientMessage, ServerMessage};
use crate::{DisconnectReason, DisconnectSource};

#[test]
fn a_call_survives_the_journal() {
    let now = start();
    let mut call = ringing(Timers::default(), now);
    let party = call.verify(Some("198.51.100.2".into()), now).unwrap();
    call.handle_message(party, accept(), now);
    call.handle_message(CALLER, ClientMessage::Connected { party }, now);
    drain(&mut call);
    let journal = serde_json::to_string(&call.snapshot().unwrap()).unwrap();

    // Another process, another base instant, 100 s later.
    let later = now + Duration::from_secs(7);
    let clock = WallClock {
        at: later,
        unix: Duration::from_secs(UNIX + 100),
    };
    let snapshot: Snapshot = serde_json::from_str(&journal).unwrap();
    assert!(snapshot.is_accepted());
    let mut call = ServerCall::restore(snapshot, clock, later);
    assert_eq!(call.poll_timeout(), Some(later + Duration::from_secs(60)));
    call.handle_session_resumed(CALLER, false, later);
    let accepted = ServerMessage::Accepted {
        party,
        call_start_message: None,
    };
    assert!(sent(&drain(&mut call), CALLER).contains(&accepted));
    call.handle_session_resumed(party, false, later);
    assert_eq!(call.poll_timeout(), None);
    drain(&mut call);
    call.handle_message(party, end(None), later);
    let outputs = drain(&mut call);
    assert_eq!(
        ended(&outputs, CALLER),
        Some((DisconnectReason::Normal, DisconnectSource::Callee))
    );
    let record = record(&outputs);
    assert_eq!(
        (record.start_time, record.end_time, record.duration),
        (UNIX, UNIX + 100, 100)
    );
    assert_eq!(call.snapshot(), None, "what is over needs no journal");
}

#[test]
fn deadlines_go_on_across_a_restart() {
    let now = start();
    let call = ringing(Timers::default(), now);
    let clock = WallClock {
        at: now,
        unix: Duration::from_millis(UNIX * 1000 + 400 + 59_000),
    };
    let mut call = ServerCall::restore(call.snapshot().unwrap(), clock, now);
    call.handle_timeout(now + Duration::from_secs(1));
    assert_eq!(
        record(&drain(&mut call)).disconnect_reason,
        DisconnectReason::NoAnswer.code()
    );
}
