use super::*;

fn held(reason: &str) -> ServerMessage {
    ServerMessage::PeerHeld {
        held: true,
        reason: Some(reason.into()),
    }
}

fn told(reason: &str) -> Event {
    Event::PeerHeld {
        reason: Some(reason.into()),
    }
}

fn unheld() -> ServerMessage {
    // A reason means nothing without a hold.
    ServerMessage::PeerHeld {
        held: false,
        reason: Some("?".into()),
    }
}

fn connected(now: Instant) -> ClientCall {
    let mut call = caller(now);
    call.handle_message(accepted(1), now);
    call.handle_path(PartyId(1), PathEvent::Up, now);
    drain(&mut call);
    call
}

#[test]
fn the_peers_hold_is_told_after_connected_and_only_when_it_changes() {
    let now = start();
    let mut call = caller(now);
    call.handle_message(accepted(1), now);
    call.handle_message(ServerMessage::PeerMuted { muted: true }, now);
    for reason in ["first", "lunch"] {
        call.handle_message(held(reason), now);
    }
    assert_eq!(events(&drain(&mut call)), []);
    call.handle_path(PartyId(1), PathEvent::Up, now);
    let start = Event::Connected {
        call_start_message: Some("hi".into()),
    };
    assert_eq!(
        events(&drain(&mut call)),
        [start, Event::PeerMuted(true), told("lunch")]
    );
    let steps = [
        (held("lunch"), None),
        (held("dinner"), Some(told("dinner"))),
        (
            ServerMessage::PeerHeld {
                held: true,
                reason: None,
            },
            Some(Event::PeerHeld { reason: None }),
        ),
        (unheld(), Some(Event::PeerUnheld)),
        (unheld(), None),
    ];
    for (message, event) in steps {
        call.handle_message(message, now);
        assert_eq!(events(&drain(&mut call)), Vec::from_iter(event));
    }
}

#[test]
fn a_hold_that_was_over_before_connected_is_not_told() {
    let now = start();
    let mut call = caller(now);
    call.handle_message(accepted(1), now);
    call.handle_message(held("short"), now);
    call.handle_message(unheld(), now);
    call.handle_path(PartyId(1), PathEvent::Up, now);
    assert!(matches!(
        events(&drain(&mut call)).as_slice(),
        [Event::Connected { .. }]
    ));
}

#[test]
fn holding_is_said_once_and_only_in_a_connected_call() {
    let now = start();
    let mut call = caller(now);
    assert_eq!(
        call.hold(true, None),
        Err(CommandError::State {
            state: CallState::WaitAnswer
        })
    );
    let mut call = connected(now);
    let said = |held, reason: Option<&str>| {
        Output::Send(ClientMessage::Hold {
            held,
            reason: reason.map(Into::into),
        })
    };
    let steps = [
        ((false, None), None),
        ((true, Some("a")), Some(said(true, Some("a")))),
        ((true, Some("a")), None),
        ((true, Some("b")), Some(said(true, Some("b")))),
        ((true, None), Some(said(true, None))),
        ((false, Some("b")), Some(said(false, None))),
        ((false, None), None),
    ];
    for ((held, reason), output) in steps {
        call.hold(held, reason.map(Into::into)).unwrap();
        assert_eq!(drain(&mut call), Vec::from_iter(output), "{held} {reason:?}");
    }
    call.end(None, None, now).unwrap();
    assert_eq!(
        call.hold(true, None),
        Err(CommandError::State {
            state: CallState::Disconnected
        })
    );
}

#[test]
fn a_long_reason_is_cut_at_a_character() {
    let mut call = connected(start());
    call.hold(true, Some("保".repeat(100))).unwrap();
    let outputs = drain(&mut call);
    let [Output::Send(message)] = outputs.as_slice() else {
        panic!("{outputs:?}")
    };
    let expected = ClientMessage::Hold {
        held: true,
        reason: Some("保".repeat(85)),
    };
    assert_eq!(*message, expected);
    assert!(crate::message::Message::validate(message).is_ok());
}
