use std::time::{Duration, Instant};

use super::*;
use crate::ids::{CallId, User};
use crate::message::ClientMessage;
use crate::{DisconnectReason, DisconnectSource, MediaType, SessionDescription, limits};

pub(super) const UNIX: u64 = 1_800_000_000;
pub(super) const CALLER: PartyId = PartyId::CALLER;

#[expect(
    clippy::disallowed_methods,
    reason = "one base instant for a test; its value does not matter"
)]
pub(super) fn start() -> Instant {
    Instant::now()
}

fn clock(now: Instant) -> WallClock {
    WallClock {
        at: now,
        unix: Duration::from_millis(UNIX * 1000 + 400),
    }
}

fn user(id: &str) -> User {
    User {
        service_id: "s".parse().unwrap(),
        user_id: id.parse().unwrap(),
    }
}

fn sid(number: u8) -> CallId {
    CallId::from_random([number; 16])
}

fn setup() -> CallSetup {
    CallSetup {
        sid: sid(1),
        caller: user("alice"),
        callee: user("bob"),
        media_type: MediaType::Audio,
        app_server_data: Some("data".into()),
        call_start_message: Some("hello".into()),
        description: Some(Box::new(SessionDescription {
            ufrag: "caller".into(),
            ..SessionDescription::default()
        })),
        source_address: Some("192.0.2.1".into()),
    }
}

/// A call that rings.
pub(super) fn ringing(timers: Timers, now: Instant) -> ServerCall {
    let mut call = ServerCall::new(setup(), timers, clock(now), now);
    call.handle_notify_result(NotifyResult::Delivered, now);
    drain(&mut call);
    call
}

pub(super) fn drain(call: &mut ServerCall) -> Vec<Output> {
    std::iter::from_fn(|| call.poll_output()).collect()
}

pub(super) fn sent(outputs: &[Output], to: PartyId) -> Vec<ServerMessage> {
    let message = |output: &Output| match output {
        Output::Send { party, message } if *party == to => Some(message.clone()),
        _ => None,
    };
    outputs.iter().filter_map(message).collect()
}

pub(super) fn ended(outputs: &[Output], party: PartyId) -> Option<(DisconnectReason, DisconnectSource)> {
    sent(outputs, party).into_iter().find_map(|message| match message {
        ServerMessage::Ended { reason, source, .. } => Some((reason, source)),
        _ => None,
    })
}

pub(super) fn record(outputs: &[Output]) -> CallRecord {
    let mut records = outputs.iter().filter_map(|output| match output {
        Output::Record(record) => Some((**record).clone()),
        _ => None,
    });
    let record = records.next().expect("a record");
    assert_eq!(records.next(), None);
    record
}

pub(super) fn end(reason: Option<DisconnectReason>) -> ClientMessage {
    ClientMessage::End {
        reason,
        user_code: Some("bye".into()),
        by_remote: false,
    }
}

pub(super) fn accept() -> ClientMessage {
    ClientMessage::Accept {
        call_start_message: Some("hi".into()),
    }
}

#[test]
fn a_whole_call_makes_one_record_with_the_documented_fields() {
    let now = start();
    let mut call = ServerCall::new(setup(), Timers::default(), clock(now), now);
    assert_eq!(
        drain(&mut call),
        [
            Output::Send {
                party: CALLER,
                message: ServerMessage::CallCreated { sid: sid(1) }
            },
            Output::Notify
        ]
    );
    call.handle_notify_result(NotifyResult::Delivered, now);
    assert_eq!(sent(&drain(&mut call), CALLER), [ServerMessage::WaitConnected]);
    let party = call.verify(Some("198.51.100.2".into()), now).unwrap();
    let outputs = drain(&mut call);
    assert_eq!(
        sent(&outputs, CALLER),
        [ServerMessage::PeerVerified { party, describe: false }]
    );
    let [ServerMessage::Verified(verified)] = &sent(&outputs, party)[..] else {
        panic!("{outputs:?}")
    };
    assert_eq!(verified.caller.user_id.as_str(), "alice");
    assert_eq!(verified.description.as_ref().unwrap().ufrag, "caller");

    call.handle_message(party, accept(), now + Duration::from_secs(5));
    let outputs = drain(&mut call);
    assert!(outputs.contains(&Output::Accepted { party }));
    let accepted = ServerMessage::Accepted {
        party,
        call_start_message: Some("hi".into()),
    };
    assert_eq!(sent(&outputs, CALLER), [accepted]);
    call.handle_message(CALLER, ClientMessage::Connected { party }, now + Duration::from_secs(6));
    call.handle_message(
        CALLER,
        end(Some(DisconnectReason::Normal)),
        now + Duration::from_millis(16_700),
    );
    let outputs = drain(&mut call);
    assert_eq!(
        ended(&outputs, party),
        Some((DisconnectReason::Normal, DisconnectSource::Caller))
    );
    assert_eq!(ended(&outputs, CALLER), None);
    assert!(!outputs.contains(&Output::PushCancel));
    let record = record(&outputs);
    let expected = CallRecord {
        sid: sid(1).to_string(),
        from_service_id: "s".into(),
        from_user_id: "alice".into(),
        to_service_id: "s".into(),
        to_user_id: "bob".into(),
        media_type: "A".into(),
        setup_time: UNIX,
        start_time: UNIX + 6,
        end_time: UNIX + 17,
        duration: 11,
        srcip: Some("192.0.2.1".into()),
        dstip: Some("198.51.100.2".into()),
        terminate: 16,
        rel_code: 1001,
        rel_code_str: "NORMAL".into(),
        user_rel_code: Some("bye".into()),
        billing_sec: 11,
        disconnect_reason: 1001,
        releaser_type: 2,
        app_svr_data: Some("data".into()),
    };
    assert_eq!(record, expected);
}

#[test]
fn each_failure_has_its_reason_and_cause() {
    let now = start();
    type Act = fn(&mut ServerCall, Instant);
    let cases: [(&str, Act, DisconnectReason, DisconnectSource, u16); 8] = [
        (
            "no answer",
            |call, now| call.handle_timeout(now + Duration::from_secs(60)),
            DisconnectReason::NoAnswer,
            DisconnectSource::Caller,
            18,
        ),
        (
            "cancel",
            |call, now| call.handle_message(CALLER, end(None), now),
            DisconnectReason::Cancel,
            DisconnectSource::Caller,
            77,
        ),
        (
            "decline",
            |call, now| {
                let party = call.verify(None, now).unwrap();
                call.handle_message(party, end(None), now);
            },
            DisconnectReason::Decline,
            DisconnectSource::Callee,
            21,
        ),
        (
            "busy",
            |call, now| {
                let party = call.verify(None, now).unwrap();
                call.handle_message(party, end(Some(DisconnectReason::Busy)), now);
            },
            DisconnectReason::Busy,
            DisconnectSource::Callee,
            17,
        ),
        (
            "the caller is lost",
            |call, now| {
                call.handle_session_lost(CALLER, now);
                assert_eq!(call.poll_timeout(), Some(now + Duration::from_secs(10)));
                call.handle_timeout(now + Duration::from_secs(10));
            },
            DisconnectReason::Cancel,
            DisconnectSource::Caller,
            77,
        ),
        (
            "a connected device is lost",
            |call, now| {
                let party = call.verify(None, now).unwrap();
                call.handle_message(party, accept(), now);
                call.handle_session_lost(party, now);
                assert_eq!(call.poll_timeout(), Some(now + Duration::from_secs(60)));
                call.handle_timeout(now + Duration::from_secs(60));
            },
            DisconnectReason::UnavailableNetwork,
            DisconnectSource::Callee,
            127,
        ),
        (
            "the server",
            |call, now| call.end_by_server(DisconnectReason::ServiceMaintenance, now),
            DisconnectReason::ServiceMaintenance,
            DisconnectSource::CloudServer,
            127,
        ),
        (
            "a reason that is not the caller's to give",
            |call, now| call.handle_message(CALLER, end(Some(DisconnectReason::MultidevAnswer)), now),
            DisconnectReason::InternalError,
            DisconnectSource::Caller,
            127,
        ),
    ];
    for (name, act, reason, source, terminate) in cases {
        let mut call = ringing(Timers::default(), now);
        act(&mut call, now);
        let record = record(&drain(&mut call));
        assert_eq!(record.disconnect_reason, reason.code(), "{name}");
        assert_eq!(record.releaser_type, source.value(), "{name}");
        assert_eq!(record.terminate, terminate, "{name}");
        assert_eq!(
            (record.start_time, record.duration, record.billing_sec),
            (0, 0, 0),
            "{name}"
        );
        assert!(call.is_ended() && call.poll_timeout().is_none(), "{name}");
    }
}

#[test]
fn a_failed_or_hanging_callback_is_a_push_error() {
    let now = start();
    let mut call = ServerCall::new(setup(), Timers::default(), clock(now), now);
    call.handle_notify_result(NotifyResult::Failed, now);
    let outputs = drain(&mut call);
    assert_eq!(
        ended(&outputs, CALLER),
        Some((DisconnectReason::PushError, DisconnectSource::CloudServer))
    );
    assert!(!outputs.contains(&Output::PushCancel), "nothing rings");

    let mut call = ServerCall::new(setup(), Timers::default(), clock(now), now);
    assert_eq!(call.poll_timeout(), Some(now + Duration::from_secs(5)));
    call.handle_timeout(now + Duration::from_secs(5));
    drain(&mut call);
    call.handle_notify_result(NotifyResult::Delivered, now);
    assert_eq!(drain(&mut call), [], "too late");
}

#[test]
fn the_longest_call_ends_both() {
    let now = start();
    let mut call = ringing(
        Timers {
            max_call: Some(Duration::from_secs(300)),
            ..Timers::default()
        },
        now,
    );
    let party = call.verify(None, now).unwrap();
    call.handle_message(party, accept(), now);
    drain(&mut call);
    call.handle_timeout(now + Duration::from_secs(300));
    let outputs = drain(&mut call);
    let expected = Some((DisconnectReason::MaxCallTimeExceeded, DisconnectSource::CloudServer));
    assert_eq!([ended(&outputs, CALLER), ended(&outputs, party)], [expected, expected]);
}

#[test]
fn the_first_of_several_devices_wins() {
    let now = start();
    let mut call = ringing(Timers::default(), now);
    let parties = [(); 3].map(|()| call.verify(None, now).unwrap());
    let outputs = drain(&mut call);
    assert_eq!(
        sent(&outputs, CALLER)[1],
        ServerMessage::PeerVerified {
            party: parties[1],
            describe: true
        }
    );
    assert!(matches!(&sent(&outputs, parties[1])[..], [ServerMessage::Verified(it)] if it.description.is_none()));
    call.handle_message(parties[1], accept(), now);
    call.handle_message(parties[0], accept(), now);
    let outputs = drain(&mut call);
    let elsewhere = Some((DisconnectReason::MultidevAnswer, DisconnectSource::CloudServer));
    assert_eq!(ended(&outputs, parties[0]), elsewhere);
    assert_eq!(ended(&outputs, parties[2]), elsewhere);
    assert_eq!(call.accepted(), Some(parties[1]));
    assert_eq!(
        call.verify(None, now).unwrap_err().reason,
        DisconnectReason::MultidevAnswer
    );
}

#[test]
fn a_decline_stops_the_other_devices_and_a_failure_does_not() {
    let now = start();
    let mut call = ringing(Timers::default(), now);
    let [first, second] = [(); 2].map(|()| call.verify(None, now).unwrap());
    drain(&mut call);
    call.handle_message(first, end(Some(DisconnectReason::AppDestroy)), now);
    assert_eq!(
        sent(&drain(&mut call), CALLER),
        [ServerMessage::PeerLeft { party: first }]
    );
    let third = call.verify(None, now).unwrap();
    drain(&mut call);
    call.handle_message(second, end(Some(DisconnectReason::Decline)), now);
    let outputs = drain(&mut call);
    assert_eq!(
        ended(&outputs, CALLER),
        Some((DisconnectReason::Decline, DisconnectSource::Callee))
    );
    assert_eq!(
        ended(&outputs, third),
        Some((DisconnectReason::MultidevDecline, DisconnectSource::CloudServer))
    );
    assert!(outputs.contains(&Output::PushCancel));
    assert_eq!(
        call.verify(None, now).unwrap_err().reason,
        DisconnectReason::ReleasedCall
    );
}

#[test]
fn a_decline_that_the_caller_heard_first_stops_the_other_devices_as_such() {
    let now = start();
    let mut call = ringing(Timers::default(), now);
    let [first, second] = [(); 2].map(|()| call.verify(None, now).unwrap());
    drain(&mut call);
    let heard = ClientMessage::End {
        reason: Some(DisconnectReason::Decline),
        user_code: None,
        by_remote: true,
    };
    call.handle_message(CALLER, heard, now);
    let outputs = drain(&mut call);
    for device in [first, second] {
        assert_eq!(
            ended(&outputs, device),
            Some((DisconnectReason::MultidevDecline, DisconnectSource::CloudServer))
        );
    }
}

#[test]
fn more_devices_than_the_limit_are_refused() {
    let now = start();
    let mut call = ringing(Timers::default(), now);
    for _ in 0..limits::DEVICES {
        call.verify(None, now).unwrap();
    }
    assert_eq!(
        call.verify(None, now).unwrap_err().reason,
        DisconnectReason::ServiceTooManyRequests
    );
}

#[test]
fn candidates_of_the_caller_are_kept_for_later_devices_and_bounded() {
    let now = start();
    let mut call = ringing(Timers::default(), now);
    let candidates = |numbers: std::ops::Range<usize>, end| ClientMessage::Candidates {
        party: None,
        generation: 0,
        candidates: numbers.map(|number| number.to_string()).collect(),
        end,
    };
    call.handle_message(CALLER, candidates(0..2, false), now);
    let first = call.verify(None, now).unwrap();
    call.handle_message(CALLER, candidates(2..60, false), now);
    call.handle_message(CALLER, candidates(60..100, true), now);
    let second = call.verify(None, now).unwrap();
    let outputs = drain(&mut call);
    let [
        ServerMessage::Verified(early),
        ServerMessage::Candidates { .. },
        ServerMessage::Candidates { end: true, .. },
    ] = &sent(&outputs, first)[..]
    else {
        panic!("{outputs:?}")
    };
    assert_eq!((early.candidates.len(), early.end_of_candidates), (2, false));
    let [ServerMessage::Verified(late)] = &sent(&outputs, second)[..] else {
        panic!("{outputs:?}")
    };
    assert_eq!(
        (late.candidates.len(), late.end_of_candidates),
        (limits::CANDIDATES, true)
    );
    assert_eq!(call.candidates_dropped, 36);
}

#[test]
fn descriptions_go_to_the_device_they_are_for_and_say_who_sent_them() {
    let now = start();
    let mut call = ringing(Timers::default(), now);
    let [first, second] = [(); 2].map(|()| call.verify(None, now).unwrap());
    drain(&mut call);
    let forged = SessionDescription {
        party: Some(PartyId(7)),
        ..SessionDescription::default()
    };
    let to = |party| ClientMessage::Description {
        party,
        description: Box::new(forged.clone()),
    };
    call.handle_message(CALLER, to(Some(second)), now);
    let outputs = drain(&mut call);
    assert!(sent(&outputs, first).is_empty());
    let [ServerMessage::Description { party, description }] = &sent(&outputs, second)[..] else {
        panic!("{outputs:?}")
    };
    assert_eq!((*party, description.party), (second, Some(CALLER)));
    call.handle_message(first, to(Some(second)), now);
    let outputs = drain(&mut call);
    let [ServerMessage::Description { party, description }] = &sent(&outputs, CALLER)[..] else {
        panic!("{outputs:?}")
    };
    assert_eq!((*party, description.party), (first, Some(first)));
    call.handle_message(CALLER, to(Some(CALLER)), now);
    call.handle_message(CALLER, to(Some(PartyId(9))), now);
    assert_eq!(drain(&mut call), []);
}

#[test]
fn audio_before_the_accept_counts_once_and_the_text_still_comes() {
    let now = start();
    let mut call = ringing(Timers::default(), now);
    let party = call.verify(None, now).unwrap();
    call.handle_message(CALLER, ClientMessage::AcceptedByMedia { party: PartyId(5) }, now);
    assert!(call.is_ringing(), "there is no such device");
    call.handle_message(CALLER, ClientMessage::AcceptedByMedia { party }, now);
    assert_eq!(call.accepted(), Some(party));
    drain(&mut call);
    call.handle_message(party, accept(), now);
    let accepted = ServerMessage::Accepted {
        party,
        call_start_message: Some("hi".into()),
    };
    assert_eq!(
        drain(&mut call),
        [Output::Send {
            party: CALLER,
            message: accepted
        }]
    );
}

#[test]
fn muting_before_the_accept_is_told_with_it_and_reveal_reaches_the_chosen_device() {
    let now = start();
    let mut call = ringing(Timers::default(), now);
    let [first, second] = [(); 2].map(|()| call.verify(None, now).unwrap());
    call.handle_message(CALLER, ClientMessage::Mute { muted: true }, now);
    call.handle_message(CALLER, ClientMessage::Reveal { nonce: "00".into() }, now);
    drain(&mut call);
    call.handle_message(second, accept(), now);
    call.handle_message(CALLER, ClientMessage::Reveal { nonce: "ff".into() }, now);
    let outputs = drain(&mut call);
    assert!(sent(&outputs, second).contains(&ServerMessage::PeerMuted { muted: true }));
    assert!(sent(&outputs, second).contains(&ServerMessage::Reveal { nonce: "ff".into() }));
    assert!(
        !sent(&outputs, first)
            .iter()
            .any(|message| matches!(message, ServerMessage::Reveal { .. }))
    );
    call.handle_message(second, ClientMessage::Mute { muted: true }, now);
    assert_eq!(
        sent(&drain(&mut call), CALLER),
        [ServerMessage::PeerMuted { muted: true }]
    );
}

#[test]
fn a_hold_reaches_the_peer_and_is_told_again_to_who_may_have_missed_it() {
    let now = start();
    let mut call = ringing(Timers::default(), now);
    let party = call.verify(None, now).unwrap();
    let hold = |held, reason: Option<&str>| ClientMessage::Hold {
        held,
        reason: reason.map(Into::into),
    };
    let peer_held = |held, reason: Option<&str>| ServerMessage::PeerHeld {
        held,
        reason: reason.map(Into::into),
    };
    call.handle_message(CALLER, hold(true, Some("early")), now);
    drain(&mut call);
    call.handle_message(party, accept(), now);
    assert!(sent(&drain(&mut call), party).contains(&peer_held(true, Some("early"))));
    call.handle_message(party, hold(true, Some("late")), now);
    assert_eq!(sent(&drain(&mut call), CALLER), [peer_held(true, Some("late"))]);

    let again = |call: &mut ServerCall, party| {
        let journal = serde_json::to_string(&call.snapshot().unwrap()).unwrap();
        *call = ServerCall::restore(serde_json::from_str(&journal).unwrap(), clock(now), now);
        call.handle_session_resumed(party, false, now);
        sent(&drain(call), party)
    };
    assert!(again(&mut call, CALLER).contains(&peer_held(true, Some("late"))));
    call.handle_message(party, hold(false, Some("ignored")), now);
    assert_eq!(sent(&drain(&mut call), CALLER), [peer_held(false, None)]);
    let told = again(&mut call, CALLER);
    assert!(told.contains(&peer_held(false, None)) && told.contains(&ServerMessage::PeerMuted { muted: false }));
    assert!(again(&mut call, party).contains(&peer_held(true, Some("early"))));
}

#[test]
fn who_comes_back_after_the_end_is_told() {
    let now = start();
    let mut call = ringing(Timers::default(), now);
    let party = call.verify(None, now).unwrap();
    call.handle_session_lost(party, now);
    call.handle_message(CALLER, end(None), now);
    drain(&mut call);
    call.handle_session_resumed(party, false, now);
    assert_eq!(
        ended(&drain(&mut call), party),
        Some((DisconnectReason::Cancel, DisconnectSource::Caller))
    );
}

#[test]
fn a_refused_call_has_a_record_too() {
    let now = start();
    let refusal = Refusal {
        reason: DisconnectReason::Busy,
        source: DisconnectSource::Callee,
    };
    let mut call = ServerCall::refused(setup(), refusal, clock(now), now);
    let outputs = drain(&mut call);
    assert_eq!(
        ended(&outputs, CALLER),
        Some((DisconnectReason::Busy, DisconnectSource::Callee))
    );
    assert_eq!(record(&outputs).terminate, 17);
    assert!(!outputs.contains(&Output::Notify) && !outputs.contains(&Output::PushCancel));
}

#[test]
fn a_device_that_the_directory_refuses_is_out() {
    let now = start();
    let mut call = ringing(Timers::default(), now);
    let party = call.verify(None, now).unwrap();
    drain(&mut call);
    call.expel(party, Refusal::new(DisconnectReason::MultidevInUse));
    let outputs = drain(&mut call);
    assert_eq!(
        ended(&outputs, party),
        Some((DisconnectReason::MultidevInUse, DisconnectSource::CloudServer))
    );
    assert!(call.is_ringing() && !call.has_device(party));
}
