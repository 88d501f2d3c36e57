//! What bad input gets.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Answer, Bench, Client, SERVICE, hello, http, metric, now, token, token_with};
use duologue_server::ApiKey;
use duologue_signaling::message::Hello;
use duologue_signaling::{CcParam, ClientMessage, DisconnectReason as Reason, ServerMessage};
use futures_util::SinkExt as _;
use jsonwebtoken::Algorithm;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;

async fn refused(bench: &Bench, hello: Hello) -> Reason {
    let mut client = bench.raw().await;
    let reason = client.hello(hello).await.unwrap_err();
    // The server closes the connection after it said why.
    assert_eq!(client.refused().await, None);
    reason
}

#[tokio::test]
async fn tokens() {
    let bench = Bench::start().await;
    let forged = ApiKey {
        key: bench.key.key.clone(),
        secret: "0".repeat(64),
    };
    let unknown = ApiKey {
        key: "unknown".into(),
        secret: bench.key.secret.clone(),
    };
    for (what, access_token) in [
        ("other secret", token(&forged, "alice", now())),
        ("unknown key", token(&unknown, "alice", now())),
        ("another user's", token(&bench.key, "bob", now())),
        (
            "another service's",
            token_with(Algorithm::HS256, &bench.key, "other", "alice", now()),
        ),
        ("too old", token(&bench.key, "alice", now() - 3 * 60 * 60)),
        ("from the future", token(&bench.key, "alice", now() + 60 * 60)),
        (
            "other algorithm",
            token_with(Algorithm::HS512, &bench.key, SERVICE, "alice", now()),
        ),
        ("no token at all", "garbage".into()),
    ] {
        let reason = refused(
            &bench,
            Hello {
                access_token: Some(access_token),
                ..hello("alice")
            },
        )
        .await;
        assert_eq!(reason, Reason::ServiceAccessTokenError, "{what}");
    }
    assert_eq!(refused(&bench, hello("alice")).await, Reason::ServiceAccessTokenError);
    bench.client("alice").await;
}

#[tokio::test]
async fn ids() {
    let bench = Bench::start().await;
    let unknown = Hello {
        service_id: "unknown".parse().unwrap(),
        ..hello("alice")
    };
    assert_eq!(refused(&bench, unknown).await, Reason::ServiceInvalidId);
    for (user, service) in [
        ("al ice", SERVICE),
        ("älice", SERVICE),
        ("", SERVICE),
        ("alice", "sh/op"),
    ] {
        let mut client = bench.raw().await;
        let hello = json!({ "v": 1, "type": "hello", "version": 1, "user_id": user, "service_id": service });
        client.text(hello.to_string()).await;
        assert_eq!(
            client.refused().await,
            Some(Reason::ServiceInvalidId),
            "{user:?} {service:?}"
        );
    }
    let mut client = bench.client("alice").await;
    let call = json!({ "v": 1, "seq": 1, "type": "make_call", "peer_id": "b!b", "peer_service_id": SERVICE });
    client.text(call.to_string()).await;
    assert_eq!(client.refused().await, Some(Reason::ServiceInvalidId));
    // Another service's users, and oneself, cannot be called.
    let mut client = bench.client("alice").await;
    client.make_call("alice").await;
    assert_eq!(client.ended().await.0, Reason::ServiceInvalidId);
    let mut client = bench.client("alice").await;
    let make = duologue_signaling::message::MakeCall {
        peer_id: "bob".parse().unwrap(),
        peer_service_id: "other".parse().unwrap(),
        media_type: duologue_signaling::MediaType::Audio,
        app_server_data: None,
        call_start_message: None,
        description: None,
    };
    client.send(ClientMessage::MakeCall(Box::new(make))).await;
    assert_eq!(client.ended().await.0, Reason::ServiceInvalidId);
}

#[tokio::test]
async fn cc_params() {
    let mut bench = Bench::start().await;
    let (mut alice, param) = bench.ring("alice", "bob").await;
    let with = |user: &str, param: &str| Hello {
        cc_param: Some(param.into()),
        ..hello(user)
    };
    // Another callee's, and one that is none.
    assert_eq!(refused(&bench, with("mallory", &param)).await, Reason::AuthError);
    assert_eq!(refused(&bench, with("bob", "garbage")).await, Reason::AuthError);
    // Forged: the same content under another key.
    let info = CcParam::peek(&param).unwrap();
    let forged = CcParam::seal(&info, 1, |_| vec![0; 32]);
    assert_eq!(refused(&bench, with("bob", &forged)).await, Reason::AuthError);
    // A client that was let in by a token is no better off.
    let mut bob = bench.client("bob").await;
    assert_eq!(bob.try_verify(&forged).await.unwrap_err().0, Reason::AuthError);
    let mut mallory = bench.client("mallory").await;
    assert_eq!(mallory.try_verify(&param).await.unwrap_err().0, Reason::AuthError);
    // Nobody is in the call but the caller, and a cc_param gives no right to make calls.
    let mut bob = bench.callee("bob", &param).await;
    bob.make_call("carol").await;
    assert_eq!(bob.ended().await.0, Reason::ServiceAccessTokenError);
    // The call is over.
    let mut bob = bench.callee("bob", &param).await;
    alice.end().await;
    alice.drained().await;
    assert_eq!(bob.try_verify(&param).await.unwrap_err().0, Reason::ReleasedCall);
}

#[tokio::test]
async fn a_service_may_want_a_token_from_callees() {
    let mut bench = Bench::start_with(|config| config.defaults.token_in_verify = true).await;
    let (_alice, param) = bench.ring("alice", "bob").await;
    let without = Hello {
        cc_param: Some(param.clone()),
        ..hello("bob")
    };
    assert_eq!(refused(&bench, without.clone()).await, Reason::ServiceAccessTokenError);
    let mut bob = bench.raw().await;
    bob.hello(Hello {
        access_token: Some(bench.token("bob")),
        ..without
    })
    .await
    .unwrap();
    bob.verify(&param).await;
}

#[tokio::test]
async fn push_errors() {
    let mut bench = Bench::start_with(|config| {
        config.callbacks.connect_timeout_ms = 300;
        config.callbacks.total_timeout_ms = 300;
    })
    .await;
    for answer in [Answer::Failure, Answer::Redirect, Answer::Hang] {
        bench.app.answer_notify(answer);
        let mut alice = bench.client("alice").await;
        alice.make_call("bob").await;
        assert_eq!(alice.ended().await.0, Reason::PushError, "{answer:?}");
        bench.app.notified().await;
        assert_eq!(bench.app.event().await["disconnect_reason"], "1302");
        // Neither repeated nor followed.
        assert!(bench.app.notifies.try_recv().is_err(), "{answer:?}");
    }
    // Nobody listens; nobody is to be called at all.
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for callback in [format!("http://{closed}/notify"), String::new()] {
        bench
            .server()
            .store()
            .set_callbacks(SERVICE, Some(&callback), None)
            .await
            .unwrap();
        let mut alice = bench.client("alice").await;
        alice.make_call("bob").await;
        assert_eq!(alice.ended().await.0, Reason::PushError, "{callback}");
    }
    assert_eq!(bench.records().await.len(), 5);
    assert_eq!(
        metric(bench.server().addr(), "duologue_notify_failures_total").await,
        5.0
    );
}

#[tokio::test]
async fn the_time_for_callbacks_cannot_be_set_beyond_the_contract() {
    assert!(duologue_server::Config::default().callbacks.total_timeout_ms < 5_000);
    let mut config = duologue_server::Config::default();
    config.callbacks.total_timeout_ms = 5_001;
    assert!(config.check().is_err());
}

#[tokio::test]
async fn too_many_requests() {
    let bench = Bench::start_with(|config| {
        config.limits.user_burst = 2;
        config.limits.user_per_second = 0.001;
        config.limits.address_burst = 6;
        config.limits.address_per_second = 0.001;
    })
    .await;
    let alice = Hello {
        access_token: Some(bench.token("alice")),
        ..hello("alice")
    };
    bench.client("alice").await;
    bench.client("alice").await;
    assert_eq!(refused(&bench, alice).await, Reason::ServiceTooManyRequests);
    // Others of the same address are not refused for it, until the address itself is too busy.
    bench.client("bob").await;
    bench.client("carol").await;
    bench.raw().await;
    assert_eq!(Client::connect(bench.server().addr(), None).await.err(), Some(429));
}

#[tokio::test]
async fn garbage_closes_its_session_and_disturbs_no_other() {
    let mut bench = Bench::start().await;
    let (mut alice, mut bob) = bench.talk("alice", "bob").await;
    let too_long = format!(
        "{{\"v\":1,\"seq\":1,\"type\":\"mute\",\"muted\":true,\"x\":\"{}\"}}",
        "x".repeat(65 * 1024)
    );
    let deep = "[".repeat(10_000);
    let garbage = ["", "null", "{\"v\":1}", &deep, &too_long];
    let mut flooding = bench.client("mallory").await;
    for text in garbage {
        // The session may be closed before everything is sent.
        let _ = flooding.socket.feed(Message::text(text)).await;
    }
    let _ = flooding.socket.flush().await;
    assert_eq!(flooding.refused().await, Some(Reason::ServiceTooManyRequests));
    let mut binary = bench.client("mallory").await;
    for _ in 0..5 {
        let _ = binary.socket.send(Message::binary(vec![0xff; 100])).await;
    }
    assert_eq!(binary.refused().await, Some(Reason::ServiceTooManyRequests));
    // Beyond a WebSocket message's limit there is no reading on at all.
    let mut huge = bench.client("mallory").await;
    let _ = huge.socket.send(Message::text("x".repeat(300 * 1024))).await;
    assert_eq!(huge.refused().await, None);
    let address = bench.server().addr();
    assert_eq!(metric(address, "duologue_bad_messages_total").await, 10.0);
    assert_eq!(
        metric(address, "duologue_sessions_closed_bad_messages_total").await,
        2.0
    );
    // A few bad messages among good ones are forgiven.
    alice.text("garbage").await;
    alice.send(ClientMessage::Mute { muted: true }).await;
    assert_eq!(bob.next().await, Some(ServerMessage::PeerMuted { muted: true }));
}

#[tokio::test]
async fn a_flood_of_good_messages_is_too_many_as_well() {
    let mut bench = Bench::start_with(|config| {
        config.limits.message_burst = 20;
        config.limits.messages_per_second = 0.001;
    })
    .await;
    let (mut alice, mut bob) = bench.talk("alice", "bob").await;
    for _ in 0..20 {
        let ping = duologue_signaling::Envelope::unnumbered(ClientMessage::Ping, 0);
        let _ = alice
            .socket
            .feed(Message::text(duologue_signaling::encode(&ping)))
            .await;
    }
    let _ = alice.socket.flush().await;
    assert_eq!(alice.refused().await, Some(Reason::ServiceTooManyRequests));
    bob.end().await;
    bob.drained().await;
    assert_eq!(bench.records().await.len(), 1);
}

#[tokio::test]
async fn strangers_at_the_door() {
    let bench = Bench::start_with(|config| config.limits.first_message_ms = 100).await;
    // Silence.
    let mut silent = bench.raw().await;
    assert_eq!(silent.refused().await, Some(Reason::ServiceAccessTokenError));
    // Something else than hello.
    let mut rude = bench.raw().await;
    rude.link.restart();
    rude.send(ClientMessage::End {
        reason: None,
        user_code: None,
        by_remote: false,
    })
    .await;
    assert_eq!(rude.refused().await, Some(Reason::ServiceAccessTokenError));
    // Another version.
    let mut newer = bench.raw().await;
    newer.text(r#"{"v":2,"type":"hello"}"#).await;
    assert_eq!(newer.refused().await, Some(Reason::ServiceIncompatiblePlanetkitVer));
    assert_eq!(
        refused(
            &bench,
            Hello {
                version: 9,
                ..hello("alice")
            }
        )
        .await,
        Reason::ServiceIncompatiblePlanetkitVer
    );
    // No WebSocket at all.
    let status = http()
        .get(format!("http://{}/ws", bench.server().addr()))
        .send()
        .await
        .unwrap()
        .status();
    assert!(status.is_client_error());
}

#[tokio::test]
async fn web_pages_of_other_origins_stay_outside() {
    let bench = Bench::start().await;
    let page = "https://app.example.org";
    bench
        .server()
        .store()
        .set_origins(SERVICE, &[page.to_owned()])
        .await
        .unwrap();
    let good = Hello {
        access_token: Some(bench.token("alice")),
        ..hello("alice")
    };
    for (origin, outcome) in [
        (page, Ok(())),
        ("https://evil.example.org", Err(Reason::AuthError)),
        ("null", Err(Reason::AuthError)),
    ] {
        let mut client = Client::connect(bench.server().addr(), Some(origin)).await.unwrap();
        assert_eq!(client.hello(good.clone()).await.map(drop), outcome, "{origin}");
    }
}

#[tokio::test]
async fn websockets_count_as_connections() {
    let bench = Bench::start_with(|config| config.limits.connections = 2).await;
    let address = bench.server().addr();
    let _alice = bench.client("alice").await;
    let bob = bench.client("bob").await;
    // A third one is closed before it can say anything.
    let mut third = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let _ = third.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = third.read_to_end(&mut answer).await;
    assert_eq!(String::from_utf8_lossy(&answer), "");
    // Who goes makes room.
    drop(bob);
    while http().get(format!("http://{address}/healthz")).send().await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_call_to_another_service_does_not_reach_its_app_server() {
    let mut bench = Bench::start().await;
    let victim = format!("http://{}/event?victim=1", bench.app.address);
    let store = bench.server().store();
    store.add("other", None, Some(&victim)).await.unwrap();
    let make = duologue_signaling::message::MakeCall {
        peer_id: "bob".parse().unwrap(),
        peer_service_id: "other".parse().unwrap(),
        media_type: duologue_signaling::MediaType::Audio,
        app_server_data: Some("forged".into()),
        call_start_message: None,
        description: None,
    };
    let mut mallory = bench.client("mallory").await;
    mallory.send(ClientMessage::MakeCall(Box::new(make))).await;
    assert_eq!(mallory.ended().await.0, Reason::ServiceInvalidId);
    // The caller's own app server hears of its user's attempt.
    let event = bench.app.event().await;
    assert_eq!(event.get("victim"), None);
    assert_eq!(event["from_service_id"], SERVICE);
}

#[tokio::test]
async fn who_is_refused_hears_why_whatever_it_goes_on_saying() {
    let bench = Bench::start().await;
    for number in 0..20 {
        let mut bob = bench.client(&format!("bob{number}")).await;
        bob.link
            .send(ClientMessage::VerifyCall {
                cc_param: "forged".into(),
            })
            .unwrap();
        for muted in [true, false, true] {
            bob.link.send(ClientMessage::Mute { muted }).unwrap();
        }
        // All of it in one packet.
        while let Some(envelope) = bob.link.poll_transmit() {
            let text = duologue_signaling::encode(&envelope);
            bob.socket.feed(Message::text(text)).await.unwrap();
        }
        bob.socket.flush().await.unwrap();
        assert_eq!(bob.ended().await.0, Reason::AuthError);
    }
}
