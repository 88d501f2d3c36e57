use std::time::{Duration, Instant};

use super::*;
use crate::ids::User;
use crate::message::{Caller, MakeCall, ServerMessage, Welcome};
use crate::{MediaType, StartFailReason};

mod hold;

#[expect(
    clippy::disallowed_methods,
    reason = "one base instant for a test; its value does not matter"
)]
fn start() -> Instant {
    Instant::now()
}

fn welcome(policy: Policy) -> Welcome {
    Welcome {
        session: String::new(),
        resume: String::new(),
        heartbeat_ms: 5_000,
        resumed: false,
        ice_servers: Vec::new(),
        policy,
    }
}

fn drain(call: &mut ClientCall) -> Vec<Output> {
    std::iter::from_fn(|| call.poll_output()).collect()
}

fn events(outputs: &[Output]) -> Vec<Event> {
    let event = |output: &Output| match output {
        Output::Event(event) => Some(event.clone()),
        _ => None,
    };
    outputs.iter().filter_map(event).collect()
}

fn make_call() -> MakeCall {
    MakeCall {
        peer_id: "bob".parse().unwrap(),
        peer_service_id: "s".parse().unwrap(),
        media_type: MediaType::Audio,
        app_server_data: None,
        call_start_message: None,
        description: None,
    }
}

/// A caller whose callee is being alerted.
fn caller(now: Instant) -> ClientCall {
    let mut call = ClientCall::new(Role::Caller, Timers::default());
    call.make_call(make_call(), now).unwrap();
    call.handle_signal_up(&welcome(Policy::default()));
    call.handle_message(
        ServerMessage::CallCreated {
            sid: CallId::from_random([1; 16]),
        },
        now,
    );
    call.handle_message(ServerMessage::WaitConnected, now);
    assert_eq!(call.state(), CallState::WaitAnswer);
    drain(&mut call);
    call
}

/// A callee that the server confirmed the call to.
fn callee(policy: Policy, now: Instant) -> ClientCall {
    let mut call = ClientCall::new(Role::Callee, Timers::default());
    call.verify_call("x".into(), now).unwrap();
    call.handle_signal_up(&welcome(policy));
    let verified = Verified {
        sid: CallId::from_random([1; 16]),
        party: PartyId(1),
        caller: Caller {
            user_id: "alice".parse().unwrap(),
            service_id: "s".parse().unwrap(),
        },
        media_type: MediaType::Audio,
        call_start_message: None,
        description: None,
        candidates: Vec::new(),
        end_of_candidates: false,
    };
    call.handle_message(ServerMessage::Verified(Box::new(verified)), now);
    call
}

fn accepted(party: u32) -> ServerMessage {
    ServerMessage::Accepted {
        party: PartyId(party),
        call_start_message: Some("hi".into()),
    }
}

fn peer_verified(party: u32) -> ServerMessage {
    ServerMessage::PeerVerified {
        party: PartyId(party),
        describe: party > 1,
    }
}

fn ended(outputs: &[Output]) -> Option<(DisconnectReason, DisconnectSource)> {
    events(outputs).into_iter().find_map(|event| match event {
        Event::Disconnected { reason, source, .. } => Some((reason, source)),
        _ => None,
    })
}

#[test]
fn verified_waits_for_the_path_but_no_longer_than_a_second() {
    let now = start();
    let mut call = callee(Policy::default(), now);
    assert_eq!(call.state(), CallState::Trying);
    assert_eq!(call.poll_timeout(), Some(now + Duration::from_secs(1)));
    call.handle_timeout(now + Duration::from_millis(999));
    assert_eq!(call.state(), CallState::Trying);
    call.handle_timeout(now + Duration::from_secs(1));
    assert_eq!(events(&drain(&mut call)), [Event::Verified { pre_connected: false }]);

    let mut call = callee(Policy::default(), now);
    call.handle_path(PartyId(1), PathEvent::Up, now);
    assert_eq!(events(&drain(&mut call)), [Event::Verified { pre_connected: true }]);
    assert_eq!(call.poll_timeout(), None);
}

#[test]
fn without_pre_connect_verified_comes_at_once() {
    let now = start();
    let mut call = callee(
        Policy {
            pre_connect: false,
            ..Policy::default()
        },
        now,
    );
    assert_eq!(events(&drain(&mut call)), [Event::Verified { pre_connected: false }]);
    assert!(!call.timers().pre_connect);
}

#[test]
fn an_accept_over_a_path_that_is_up_connects_at_once() {
    let now = start();
    let mut call = callee(Policy::default(), now);
    call.handle_path(PartyId(1), PathEvent::Up, now);
    drain(&mut call);
    call.accept(Some("hello".into()), now).unwrap();
    let outputs = drain(&mut call);
    assert!(outputs.contains(&Output::StartAudio { party: PartyId(1) }));
    assert_eq!(
        events(&outputs),
        [Event::Connected {
            call_start_message: None
        }]
    );
    assert_eq!(
        call.accept(None, now),
        Err(CommandError::State {
            state: CallState::Connected
        })
    );
}

#[test]
fn without_a_path_the_call_ends_fifteen_seconds_after_the_accept() {
    let now = start();
    for mut call in [
        callee(
            Policy {
                pre_connect: false,
                ..Policy::default()
            },
            now,
        ),
        caller(now),
    ] {
        if call.role() == Role::Caller {
            call.handle_message(accepted(1), now);
        } else {
            call.accept(None, now).unwrap();
        }
        assert_eq!(call.poll_timeout(), Some(now + Duration::from_secs(15)));
        drain(&mut call);
        call.handle_timeout(now + Duration::from_secs(15));
        let outputs = drain(&mut call);
        assert_eq!(
            ended(&outputs),
            Some((DisconnectReason::NetworkUnstable, call.role().source()))
        );
    }
}

#[test]
fn connected_needs_accept_and_path_in_either_order() {
    let now = start();
    let connected = Event::Connected {
        call_start_message: Some("hi".into()),
    };

    let mut call = caller(now);
    call.handle_message(peer_verified(1), now);
    call.handle_path(PartyId(1), PathEvent::Up, now);
    assert_eq!(events(&drain(&mut call)), []);
    call.handle_message(accepted(1), now);
    let outputs = drain(&mut call);
    assert_eq!(events(&outputs), std::slice::from_ref(&connected));
    assert!(outputs.contains(&Output::Send(ClientMessage::Connected { party: PartyId(1) })));

    let mut call = caller(now);
    call.handle_message(accepted(1), now);
    let outputs = drain(&mut call);
    assert_eq!(outputs, [Output::StartAudio { party: PartyId(1) }]);
    call.handle_path(PartyId(1), PathEvent::Up, now);
    assert_eq!(events(&drain(&mut call)), [connected]);
}

#[test]
fn audio_counts_as_the_accept_while_one_device_verified() {
    let now = start();
    let mut call = caller(now);
    call.handle_path(PartyId(1), PathEvent::FirstAudio, now);
    assert_eq!(call.state(), CallState::WaitAnswer, "nobody verified");
    call.handle_message(peer_verified(1), now);
    call.handle_path(PartyId(1), PathEvent::FirstAudio, now);
    assert_eq!(call.state(), CallState::WaitAnswer, "the path is not proven");
    call.handle_path(PartyId(1), PathEvent::Up, now);
    call.handle_path(PartyId(1), PathEvent::FirstAudio, now);
    assert_eq!(call.state(), CallState::Connected);
    assert!(drain(&mut call).contains(&Output::Send(ClientMessage::AcceptedByMedia { party: PartyId(1) })));

    let mut call = caller(now);
    for party in [1, 2] {
        call.handle_message(peer_verified(party), now);
        call.handle_path(PartyId(party), PathEvent::Up, now);
    }
    call.handle_path(PartyId(1), PathEvent::FirstAudio, now);
    assert_eq!(call.state(), CallState::WaitAnswer, "the server decides between two");
    assert!(drain(&mut call).contains(&Output::Describe { party: PartyId(2) }));
    // The second leaves, so that the first is alone again.
    call.handle_message(ServerMessage::PeerLeft { party: PartyId(2) }, now);
    call.handle_path(PartyId(1), PathEvent::FirstAudio, now);
    assert_eq!(call.state(), CallState::Connected);
}

#[test]
fn the_server_may_have_decided_for_another_device() {
    let now = start();
    let mut call = caller(now);
    call.handle_message(peer_verified(1), now);
    call.handle_path(PartyId(1), PathEvent::Up, now);
    call.handle_path(PartyId(1), PathEvent::FirstAudio, now);
    drain(&mut call);
    call.handle_message(accepted(2), now);
    let outputs = drain(&mut call);
    assert_eq!(
        outputs,
        [
            Output::ClosePath { party: PartyId(1) },
            Output::StartAudio { party: PartyId(2) }
        ]
    );
    assert_eq!(call.poll_timeout(), Some(now + Duration::from_secs(15)));
    call.handle_path(PartyId(2), PathEvent::Up, now);
    assert_eq!(events(&drain(&mut call)), [], "evt_connected comes once");
    assert_eq!(call.accepted(), Some(PartyId(2)));
}

#[test]
fn an_end_goes_over_the_server_and_the_media_path() {
    let now = start();
    let mut call = callee(Policy::default(), now);
    call.handle_path(PartyId(1), PathEvent::Up, now);
    call.accept(None, now).unwrap();
    drain(&mut call);
    call.end(Some(DisconnectReason::UserError), Some("e7".into()), now)
        .unwrap();
    let (reason, user_code) = (DisconnectReason::UserError, Some("e7".to_owned()));
    let told = ClientMessage::End {
        reason: Some(reason),
        user_code: user_code.clone(),
        by_remote: false,
    };
    let disconnected = Event::Disconnected {
        reason,
        source: DisconnectSource::Callee,
        by_remote: false,
        user_code: None,
    };
    assert_eq!(
        drain(&mut call),
        [
            Output::Send(told),
            Output::SendBye { reason, user_code },
            Output::CloseMedia,
            Output::Event(disconnected)
        ]
    );
    assert_eq!(
        call.end(None, None, now),
        Err(CommandError::State {
            state: CallState::Disconnected
        })
    );
    assert_eq!(call.poll_timeout(), None);
}

#[test]
fn ordinary_ends_have_the_documented_reasons() {
    let now = start();
    let mut call = caller(now);
    call.end(None, None, now).unwrap();
    assert_eq!(
        ended(&drain(&mut call)),
        Some((DisconnectReason::Cancel, DisconnectSource::Caller))
    );
    let mut call = callee(Policy::default(), now);
    call.end(None, None, now).unwrap();
    assert_eq!(
        ended(&drain(&mut call)),
        Some((DisconnectReason::Decline, DisconnectSource::Callee))
    );
    let mut call = caller(now);
    call.handle_message(accepted(1), now);
    call.end(None, None, now).unwrap();
    assert_eq!(
        ended(&drain(&mut call)),
        Some((DisconnectReason::Normal, DisconnectSource::Caller))
    );
}

#[test]
fn a_goodbye_ends_the_call_with_its_reason_and_the_server_is_told() {
    let now = start();
    let cases = [
        (
            Some(DisconnectReason::UserError),
            DisconnectReason::UserError,
            DisconnectSource::Caller,
        ),
        (None, DisconnectReason::Normal, DisconnectSource::Caller),
        (
            Some(DisconnectReason::Decline),
            DisconnectReason::MultidevDecline,
            DisconnectSource::CloudServer,
        ),
        (
            Some(DisconnectReason::MultidevAnswer),
            DisconnectReason::Normal,
            DisconnectSource::Caller,
        ),
        (
            Some(DisconnectReason::MaxCallTimeExceeded),
            DisconnectReason::MaxCallTimeExceeded,
            DisconnectSource::CloudServer,
        ),
    ];
    for (said, reason, source) in cases {
        let mut call = callee(Policy::default(), now);
        call.handle_path(PartyId(1), PathEvent::Up, now);
        call.accept(None, now).unwrap();
        drain(&mut call);
        call.handle_path(
            PartyId(1),
            PathEvent::Bye {
                reason: said,
                user_code: None,
            },
            now,
        );
        let outputs = drain(&mut call);
        assert_eq!(ended(&outputs), Some((reason, source)), "{said:?}");
        // A decline is another device's: this one reads of it as such, and the server hears what was heard.
        let told = match reason {
            DisconnectReason::MultidevDecline => DisconnectReason::Decline,
            reason => reason,
        };
        let told = ClientMessage::End {
            reason: Some(told),
            user_code: None,
            by_remote: true,
        };
        assert!(outputs.contains(&Output::Send(told)));
    }
}

#[test]
fn a_silent_close_leaves_the_server_two_seconds_to_say_why() {
    let now = start();
    let mut call = callee(Policy::default(), now);
    call.handle_path(PartyId(1), PathEvent::Up, now);
    call.handle_path(PartyId(1), PathEvent::Closed, now);
    assert_eq!(call.poll_timeout(), Some(now + Duration::from_secs(2)));
    let reason = DisconnectReason::MultidevAnswer;
    let message = ServerMessage::Ended {
        reason,
        source: DisconnectSource::CloudServer,
        user_code: None,
    };
    drain(&mut call);
    call.handle_message(message, now);
    let outputs = drain(&mut call);
    assert_eq!(ended(&outputs), Some((reason, DisconnectSource::CloudServer)));
    assert!(
        !outputs
            .iter()
            .any(|output| matches!(output, Output::SendBye { .. } | Output::Send(_)))
    );

    // With the server gone there is nobody to wait for.
    let mut call = callee(Policy::default(), now);
    call.handle_path(PartyId(1), PathEvent::Up, now);
    call.handle_signal_down(None, now);
    call.handle_path(PartyId(1), PathEvent::Closed, now);
    assert_eq!(
        ended(&drain(&mut call)),
        Some((DisconnectReason::Cancel, DisconnectSource::Caller))
    );
}

#[test]
fn a_connected_call_outlives_the_server_and_a_ringing_one_does_not() {
    let now = start();
    let mut call = caller(now);
    call.handle_signal_down(None, now);
    assert_eq!(call.poll_timeout(), Some(now + Duration::from_secs(30)));
    call.handle_signal_up(&welcome(Policy::default()));
    assert_eq!(call.poll_timeout(), None);
    call.handle_signal_down(None, now);
    call.handle_timeout(now + Duration::from_secs(30));
    assert_eq!(
        ended(&drain(&mut call)),
        Some((DisconnectReason::UnavailableNetwork, DisconnectSource::Caller))
    );

    let mut call = caller(now);
    call.handle_message(accepted(1), now);
    call.handle_path(PartyId(1), PathEvent::Up, now);
    call.handle_signal_down(None, now);
    assert_eq!(call.poll_timeout(), None);
    assert_eq!(call.state(), CallState::Connected);
}

#[test]
fn a_server_that_cannot_be_reached_ends_the_call_with_the_reason() {
    let now = start();
    let mut call = ClientCall::new(Role::Callee, Timers::default());
    call.verify_call("x".into(), now).unwrap();
    drain(&mut call);
    call.handle_signal_down(Some(DisconnectReason::ServiceHttpInvalidPeerCert), now);
    let outputs = drain(&mut call);
    assert_eq!(
        ended(&outputs),
        Some((DisconnectReason::ServiceHttpInvalidPeerCert, DisconnectSource::Callee))
    );
    assert!(!call.is_known_to_server());
    assert!(
        !outputs.iter().any(|output| matches!(output, Output::Send(_))),
        "there is nobody to tell"
    );
}

#[test]
fn who_ends_a_call_before_the_server_was_reached_has_to_tell_it_as_callee_only() {
    let now = start();
    let mut call = ClientCall::new(Role::Callee, Timers::default());
    call.verify_call("x".into(), now).unwrap();
    drain(&mut call);
    call.end(None, None, now).unwrap();
    let told = drain(&mut call);
    assert!(told.iter().any(|output| matches!(
        output,
        Output::Send(ClientMessage::End {
            reason: Some(DisconnectReason::Decline),
            by_remote: false,
            ..
        })
    )));
    assert!(
        call.is_known_to_server(),
        "the call rings on at the server until it hears of the end"
    );

    let mut call = ClientCall::new(Role::Caller, Timers::default());
    call.make_call(make_call(), now).unwrap();
    drain(&mut call);
    call.end(None, None, now).unwrap();
    let outputs = drain(&mut call);
    assert!(
        !outputs.iter().any(|output| matches!(output, Output::Send(_))),
        "no call was made yet"
    );
    assert!(!call.is_known_to_server());
}

#[test]
fn a_forged_certificate_ends_the_call_and_an_unreachable_peer_only_a_connected_one() {
    let now = start();
    let mut call = caller(now);
    call.handle_message(peer_verified(1), now);
    call.handle_path(PartyId(1), PathEvent::Failed(PathFailure::Unreachable), now);
    assert_eq!(call.state(), CallState::WaitAnswer);
    call.handle_path(PartyId(1), PathEvent::Failed(PathFailure::Authentication), now);
    assert_eq!(
        ended(&drain(&mut call)),
        Some((DisconnectReason::AuthError, DisconnectSource::Caller))
    );

    let mut call = caller(now);
    call.handle_message(accepted(1), now);
    call.handle_path(PartyId(1), PathEvent::Up, now);
    call.handle_path(PartyId(1), PathEvent::Failed(PathFailure::Unreachable), now);
    assert_eq!(
        ended(&drain(&mut call)),
        Some((DisconnectReason::UnavailableNetwork, DisconnectSource::Caller))
    );
}

#[test]
fn the_peers_microphone_is_told_after_connected_and_only_when_it_changes() {
    let now = start();
    let mut call = caller(now);
    call.handle_message(accepted(1), now);
    call.handle_message(ServerMessage::PeerMuted { muted: true }, now);
    assert_eq!(events(&drain(&mut call)), []);
    call.handle_path(PartyId(1), PathEvent::Up, now);
    let connected = Event::Connected {
        call_start_message: Some("hi".into()),
    };
    assert_eq!(events(&drain(&mut call)), [connected, Event::PeerMuted(true)]);
    call.handle_message(ServerMessage::PeerMuted { muted: true }, now);
    assert_eq!(events(&drain(&mut call)), []);
    call.mute(true).unwrap();
    call.mute(true).unwrap();
    assert_eq!(drain(&mut call), [Output::Send(ClientMessage::Mute { muted: true })]);
}

#[test]
fn commands_of_the_other_role_are_refused() {
    let now = start();
    let mut call = caller(now);
    assert_eq!(call.accept(None, now), Err(CommandError::Role { role: Role::Caller }));
    assert_eq!(
        call.verify_call(String::new(), now),
        Err(CommandError::Role { role: Role::Caller })
    );
    let mut idle = ClientCall::new(Role::Caller, Timers::default());
    assert_eq!(
        idle.end(None, None, now),
        Err(CommandError::State { state: CallState::Idle })
    );
}

#[test]
fn hostile_device_numbers_are_bounded() {
    let now = start();
    let mut call = caller(now);
    for party in 0..1_000 {
        call.handle_message(peer_verified(party), now);
    }
    assert_eq!(call.peers.len(), crate::limits::DEVICES);
    assert!(!call.peers.iter().any(|peer| peer.party.is_caller()));
}

#[test]
fn parameters_are_checked_on_the_device() {
    let good = MakeCallParams {
        my_id: "alice".into(),
        my_service_id: "s".into(),
        peer_id: "bob".into(),
        peer_service_id: "s".into(),
        access_token: "t".into(),
        ..MakeCallParams::default()
    };
    assert!(good.clone().check().is_ok());
    let other_service = MakeCallParams {
        peer_id: "alice".into(),
        peer_service_id: "t".into(),
        ..good.clone()
    };
    assert!(
        other_service.check().is_ok(),
        "the same name in another service is another user"
    );
    type Spoil = fn(&mut MakeCallParams);
    let cases: [(StartFailReason, Spoil); 7] = [
        (StartFailReason::InvalidUserId, |it| it.my_id = "a b".into()),
        (StartFailReason::InvalidUserId, |it| it.peer_id = String::new()),
        (StartFailReason::InvalidServiceId, |it| {
            it.peer_service_id = "x".repeat(65)
        }),
        (StartFailReason::IdConflict, |it| it.peer_id = "alice".into()),
        (StartFailReason::InvalidParam, |it| it.access_token = String::new()),
        (StartFailReason::InvalidParam, |it| {
            it.call_start_message = Some("x".repeat(200))
        }),
        (StartFailReason::TooLongAppServerData, |it| {
            it.app_server_data = Some("x".repeat(4096))
        }),
    ];
    for (reason, spoil) in cases {
        let mut bad = good.clone();
        spoil(&mut bad);
        assert_eq!(bad.check().unwrap_err().reason, reason);
    }

    let info = crate::CcParamInfo {
        sid: CallId::from_random([1; 16]),
        caller_id: "alice".parse().unwrap(),
        caller_service_id: "s".parse().unwrap(),
        callee_id: "bob".parse().unwrap(),
        callee_service_id: "s".parse().unwrap(),
        media_type: MediaType::Audio,
        expires: 0,
    };
    let cc_param = crate::CcParam::seal(&info, 0, |_| vec![0; 32]);
    let verify = |me: &str, cc_param: &str| VerifyCallParams {
        my_id: me.into(),
        my_service_id: "s".into(),
        cc_param: cc_param.into(),
        access_token: None,
    };
    let checked = verify("bob", &cc_param).check().unwrap();
    assert_eq!(
        checked.me,
        User {
            service_id: "s".parse().unwrap(),
            user_id: "bob".parse().unwrap()
        }
    );
    assert_eq!(checked.info, info);
    assert_eq!(
        verify("bob", "zz").check().unwrap_err().reason,
        StartFailReason::DecodeCallParam
    );
    assert_eq!(
        verify("alice", &cc_param).check().unwrap_err().reason,
        StartFailReason::IdConflict
    );
}
