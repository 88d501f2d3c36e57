//! The promises about `make_call`, its errors, and handlers, with a real socket, thread and runtime.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "support/fake_server.rs"]
mod fake_server;

use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use duologue_call::audio::{NullSink, Silence};
use duologue_call::{
    AcceptParams, AudioInput, AudioOutput, AudioParams, Call, CallDelegate, CallError, CallEventKind, CallState,
    Client, Config, DisconnectedParam, MakeCallParams, StartFailReason, VerifyCallParams,
};
use duologue_signaling::ids::CallId;
use duologue_signaling::{ClientMessage, DisconnectReason, ServerMessage};
use fake_server::FakeServer;

/// Far beyond anything that these tests wait for: hit only by a deadlock.
const STUCK: Duration = Duration::from_secs(60);

fn audio() -> AudioParams {
    AudioParams {
        input: AudioInput::Source(Box::new(Silence)),
        output: AudioOutput::Sink(Box::new(NullSink)),
        ..AudioParams::default()
    }
}

fn params() -> MakeCallParams {
    MakeCallParams {
        my_id: "alice".into(),
        my_service_id: "service".into(),
        peer_id: "bob".into(),
        peer_service_id: "service".into(),
        access_token: "token".into(),
        audio: audio(),
        ..MakeCallParams::default()
    }
}

fn sid() -> CallId {
    CallId::from_random([7; 16])
}

/// Calls everything that there is from its handlers.
struct Busybody {
    seen: Sender<&'static str>,
}

impl Busybody {
    fn meddle(&self, call: &Call) {
        let _ = (
            call.statistics(),
            call.setup_phases(),
            call.state(),
            call.sid(),
            call.duration(),
        );
        let _ = (
            call.mute_my_audio(true),
            call.mute_my_audio(false),
            call.is_my_audio_muted(),
        );
        assert_eq!(
            call.accept_call(AcceptParams::default()).unwrap_err(),
            acceptance_error(call)
        );
        drop(call.events());
    }
}

fn acceptance_error(call: &Call) -> CallError {
    if call.state() == CallState::Disconnected {
        CallError::Ended
    } else {
        CallError::NotAcceptable
    }
}

impl CallDelegate for Busybody {
    fn evt_wait_connected(&mut self, call: &Call) {
        self.meddle(call);
        // More than the queue of commands holds: the surplus is refused, nothing blocks.
        for _ in 0..10_000 {
            let _ = call.mute_my_audio(true);
        }
        while let Err(error) = call.end_call(Some("from a handler")) {
            assert_eq!(error, CallError::TooManyCommands);
            std::thread::yield_now();
        }
        self.seen.send("evt_wait_connected").unwrap();
    }

    fn evt_disconnected(&mut self, call: &Call, param: &DisconnectedParam) {
        self.meddle(call);
        call.end_call(None).unwrap();
        assert_eq!(param.reason.str_code, "CANCEL");
        assert!(!param.by_remote);
        self.seen.send("evt_disconnected").unwrap();
    }
}

/// On one thread only, so that a handler which waited for anything would wait for ever.
#[tokio::test(flavor = "current_thread")]
async fn handlers_may_call_everything() {
    let server = FakeServer::start().await;
    let (seen, events) = channel();
    let client = Client::new(Config::new(server.url()).loopback(true));
    let call = client
        .make_call(MakeCallParams {
            delegate: Some(Box::new(Busybody { seen })),
            ..params()
        })
        .await
        .unwrap();
    let served = async {
        let mut connection = server.accept().await;
        let make = connection.next().await.unwrap();
        assert!(
            matches!(&make, ClientMessage::MakeCall(make) if make.peer_id.as_str() == "bob"),
            "{make:?}"
        );
        connection.say(ServerMessage::CallCreated { sid: sid() }).await;
        connection.say(ServerMessage::WaitConnected).await;
        let mut end = None;
        while let Some(message) = connection.next().await {
            if let ClientMessage::End { user_code, .. } = message {
                end = user_code;
                break;
            }
        }
        // The client stays until it knows that its end has arrived.
        assert!(connection.next().await.is_none());
        end
    };
    let ended = async {
        let mut stream = call.events();
        let mut names = Vec::new();
        while let Some(event) = stream.next().await {
            names.push(event.kind.name());
        }
        names
    };
    let (end, names, ()) = tokio::time::timeout(STUCK, async { tokio::join!(served, ended, client_close(&client)) })
        .await
        .unwrap();
    assert_eq!(end.as_deref(), Some("from a handler"));
    assert_eq!(names, ["evt_wait_connected", "evt_disconnected"]);
    assert_eq!(
        events.try_iter().collect::<Vec<_>>(),
        ["evt_wait_connected", "evt_disconnected"]
    );
    assert_eq!(call.sid().as_deref(), Some(sid().as_str()));
    assert_eq!(call.state(), CallState::Disconnected);
}

async fn client_close(client: &Client) {
    client.close().await;
}

#[tokio::test]
async fn an_identifier_is_taken_until_its_call_ends() {
    let server = FakeServer::start().await;
    let client = Client::new(Config::new(server.url()).loopback(true));
    let first = client.make_call(params()).await.unwrap();
    let error = client.make_call(params()).await.unwrap_err();
    assert_eq!(error.reason, StartFailReason::AlreadyExist);
    // Another user of the same program is not concerned.
    let other = client
        .make_call(MakeCallParams {
            my_id: "carol".into(),
            ..params()
        })
        .await
        .unwrap();
    first.end_call(None).unwrap();
    other.end_call(None).unwrap();
    let mut events = first.events();
    let last = events.next().await.unwrap();
    assert!(matches!(last.kind, CallEventKind::Disconnected(_)), "{last:?}");
    client.make_call(params()).await.unwrap().end_call(None).unwrap();
}

#[tokio::test]
async fn local_faults_reject_and_leave_nothing_behind() {
    let client = Client::new(Config::new("ws://127.0.0.1:1"));
    let text = |length| Some("x".repeat(length));
    for (params, reason) in [
        (
            MakeCallParams {
                my_id: "no spaces".into(),
                ..params()
            },
            StartFailReason::InvalidUserId,
        ),
        (
            MakeCallParams {
                my_id: String::new(),
                ..params()
            },
            StartFailReason::InvalidUserId,
        ),
        (
            MakeCallParams {
                peer_id: "x".repeat(65),
                ..params()
            },
            StartFailReason::InvalidUserId,
        ),
        (
            MakeCallParams {
                my_service_id: "no/slashes".into(),
                ..params()
            },
            StartFailReason::InvalidServiceId,
        ),
        (
            MakeCallParams {
                peer_service_id: String::new(),
                ..params()
            },
            StartFailReason::InvalidServiceId,
        ),
        (
            MakeCallParams {
                peer_id: "alice".into(),
                ..params()
            },
            StartFailReason::IdConflict,
        ),
        (
            MakeCallParams {
                access_token: String::new(),
                ..params()
            },
            StartFailReason::InvalidParam,
        ),
        (
            MakeCallParams {
                app_server_data: text(4096),
                ..params()
            },
            StartFailReason::TooLongAppServerData,
        ),
        (
            MakeCallParams {
                call_start_message: text(200),
                ..params()
            },
            StartFailReason::InvalidParam,
        ),
    ] {
        assert_eq!(client.make_call(params).await.unwrap_err().reason, reason);
    }
    for (cc_param, reason) in [
        ("", StartFailReason::DecodeCallParam),
        ("not one", StartFailReason::DecodeCallParam),
    ] {
        let params = VerifyCallParams {
            my_id: "bob".into(),
            my_service_id: "service".into(),
            cc_param: cc_param.into(),
            audio: audio(),
            ..VerifyCallParams::default()
        };
        assert_eq!(client.verify_call(params).await.unwrap_err().reason, reason);
    }
    // The longest texts pass, and the same identifiers are free: the refused calls kept nothing.
    let longest = MakeCallParams {
        app_server_data: text(4095),
        call_start_message: text(199),
        ..params()
    };
    client.make_call(longest).await.unwrap().end_call(None).unwrap();
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_ends_the_call_after_it_began() {
    // A port that was free a moment ago, so that connecting is refused.
    let closed = FakeServer::start().await.url();
    for (url, reason) in [
        (closed.as_str(), DisconnectReason::ServiceHttpConnectFail),
        ("nonsense", DisconnectReason::ServiceHttpInvalidUrl),
        ("ws://192.0.2.1", DisconnectReason::ServiceHttpInvalidUrl),
    ] {
        let client = Client::new(Config::new(url));
        let call = client.make_call(params()).await.unwrap();
        let mut events = call.events();
        let event = events.next().await.unwrap();
        let CallEventKind::Disconnected(param) = event.kind else {
            panic!("{url}: {event:?}")
        };
        assert_eq!((param.reason.code, param.by_remote), (reason.code(), false), "{url}");
        assert!(events.next().await.is_none());
        client.close().await;
    }
}

#[tokio::test]
async fn texts_of_a_call_are_limited_in_bytes() {
    let server = FakeServer::start().await;
    let client = Client::new(Config::new(server.url()).loopback(true));
    let call = client.make_call(params()).await.unwrap();
    let phrase = "ä".repeat(64);
    assert_eq!(
        call.end_call(Some(&phrase)).unwrap_err(),
        CallError::TooLong {
            length: 128,
            limit: 127
        }
    );
    assert_eq!(
        call.end_call_with_error(&phrase).unwrap_err(),
        CallError::TooLong {
            length: 128,
            limit: 127
        }
    );
    assert_eq!(
        call.accept_call(AcceptParams::default()).unwrap_err(),
        CallError::NotAcceptable
    );
    call.end_call_with_error(&phrase[..126]).unwrap();
    let event = call.events().next().await.unwrap();
    assert!(matches!(event.kind, CallEventKind::Disconnected(param) if param.reason.str_code == "USER_ERROR"));
}
