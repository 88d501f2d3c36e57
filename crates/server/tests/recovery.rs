//! Broken connections, a crashed server, repeated callbacks, keys in rotation, and stopping.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{Answer, Bench, Client, Folder, SERVICE, data, hello, http, http_with, now, token};
use duologue_server::{Config, Server, StartError, TlsConfig};
use duologue_signaling::message::Hello;
use duologue_signaling::{ClientMessage, DisconnectReason as Reason, DisconnectSource as Source, ServerMessage};
use futures_util::SinkExt as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::net::UdpSocket;
use tokio::time::timeout;

#[tokio::test]
async fn a_broken_connection_is_taken_up_without_loss() {
    let mut bench = Bench::start().await;
    let (mut alice, mut bob) = bench.talk("alice", "bob").await;
    // Said while nobody listens.
    bob.send(ClientMessage::Mute { muted: true }).await;
    bob.drained().await;
    let welcome = alice.come_back(bench.server().addr(), hello("alice")).await;
    assert!(welcome.resumed);
    assert_eq!(alice.next().await, Some(ServerMessage::PeerMuted { muted: true }));
    alice.end().await;
    assert_eq!(bob.ended().await, (Reason::Normal, Source::Caller));
}

#[tokio::test]
async fn a_hold_survives_broken_connections_and_a_crash_of_the_server() {
    let mut bench = Bench::start().await;
    let (mut alice, mut bob) = bench.talk("alice", "bob").await;
    let address = bench.server().addr();
    let hold = |held, reason: Option<&str>| {
        let reason = reason.map(str::to_owned);
        let told = ServerMessage::PeerHeld {
            held,
            reason: reason.clone(),
        };
        (ClientMessage::Hold { held, reason }, told)
    };
    // The connection of the one that holds breaks with the message in it: it is said again, and told once.
    let (said, told) = hold(true, Some("lunch"));
    bob.send(said).await;
    assert!(bob.come_back(address, hello("bob")).await.resumed);
    bob.drained().await;
    assert_eq!(alice.next().await, Some(told));
    // The connection of the one that is held breaks before it hears.
    let (said, told) = hold(true, Some("dinner"));
    bob.send(said).await;
    bob.drained().await;
    assert!(alice.come_back(address, hello("alice")).await.resumed);
    assert_eq!(alice.next().await, Some(told));
    // The server's memory of the sessions is lost with what alice has not heard yet, but not that the hold is over.
    for (held, reason) in [(true, Some("supper")), (false, None)] {
        let (said, told) = hold(held, reason);
        bob.send(said).await;
        bob.drained().await;
        bench.crash_and_restart().await;
        let address = bench.server().addr();
        assert!(!bob.come_back(address, hello("bob")).await.resumed);
        assert!(!alice.come_back(address, hello("alice")).await.resumed);
        let is_hold = |message: &ServerMessage| matches!(message, ServerMessage::PeerHeld { .. });
        assert_eq!(alice.expect("peer_held", is_hold).await, told);
    }
    alice.end().await;
    assert_eq!(bob.ended().await, (Reason::Normal, Source::Caller));
}

#[tokio::test]
async fn a_device_that_comes_back_after_the_end_is_told() {
    let mut bench = Bench::start().await;
    let (mut alice, mut bob) = bench.talk("alice", "bob").await;
    alice.socket.get_mut().set_zero_linger().unwrap();
    bob.end().await;
    bob.drained().await;
    alice.come_back(bench.server().addr(), hello("alice")).await;
    assert_eq!(alice.ended().await, (Reason::Normal, Source::Callee));
}

#[tokio::test]
async fn resume_tokens_are_nobody_elses() {
    let mut bench = Bench::start().await;
    let (alice, _bob) = bench.talk("alice", "bob").await;
    let resume = alice.welcome.clone().unwrap().resume;
    let mut mallory = bench.raw().await;
    let stolen = Hello {
        resume: Some(resume.clone()),
        ..hello("mallory")
    };
    assert_eq!(
        mallory.hello(stolen).await.unwrap_err(),
        Reason::ServiceAccessTokenError
    );
    let mut forged = bench.raw().await;
    let changed = Hello {
        resume: Some(format!("{resume}A")),
        ..hello("alice")
    };
    assert_eq!(
        forged.hello(changed).await.unwrap_err(),
        Reason::ServiceAccessTokenError
    );
}

#[tokio::test]
async fn a_resume_token_of_no_call_is_no_access_token() {
    let bench = Bench::start_with(|config| {
        config.limits.user_burst = 5;
        config.limits.user_per_second = 0.001;
    })
    .await;
    let mut resuming = Vec::new();
    for _ in 0..3 {
        let welcome = bench.client("alice").await.welcome.unwrap();
        resuming.push(Hello {
            resume: Some(welcome.resume),
            ..hello("alice")
        });
    }
    let [first, second, third] = resuming.try_into().unwrap();
    let mut alice = bench.raw().await;
    assert!(!alice.hello(first).await.unwrap().resumed);
    alice.make_call("bob").await;
    assert_eq!(alice.ended().await.0, Reason::ServiceAccessTokenError);
    // With the token, which real clients show again, the call is made.
    let mut alice = bench.raw().await;
    let proven = Hello {
        access_token: Some(bench.token("alice")),
        ..second
    };
    assert!(!alice.hello(proven).await.unwrap().resumed);
    alice.make_call("bob").await;
    alice
        .expect("wait_connected", |message| {
            matches!(message, ServerMessage::WaitConnected)
        })
        .await;
    // Nor is it a way around the limit of the user's sessions.
    let mut alice = bench.raw().await;
    assert_eq!(alice.hello(third).await.unwrap_err(), Reason::ServiceTooManyRequests);
}

#[tokio::test]
async fn a_session_without_a_call_does_not_last() {
    let bench = Bench::start_with(|config| {
        config.limits.idle_ms = 300;
        config.limits.first_message_ms = 300;
    })
    .await;
    let mut fresh = bench.client("alice").await;
    let mut back = bench.raw().await;
    let resume = fresh.welcome.clone().unwrap().resume;
    back.hello(Hello {
        resume: Some(resume),
        ..hello("alice")
    })
    .await
    .unwrap();
    let ping = duologue_signaling::encode(&duologue_signaling::Envelope::unnumbered(ClientMessage::Ping, 0));
    for client in [&mut fresh, &mut back] {
        let mut interval = tokio::time::interval(Duration::from_millis(20));
        let gone = timeout(common::PATIENCE, async {
            // The server closing the connection is what makes this fail.
            while client
                .socket
                .send(tokio_tungstenite::tungstenite::Message::text(ping.clone()))
                .await
                .is_ok()
            {
                interval.tick().await;
            }
        });
        assert!(gone.await.is_ok(), "pinging keeps a session without a call");
    }
}

#[tokio::test]
async fn a_caller_that_stays_away_cancels() {
    let mut bench = Bench::start_with(|config| config.defaults.ringing_reconnect_ms = 100).await;
    let (alice, param) = bench.ring("alice", "bob").await;
    let mut bob = bench.callee("bob", &param).await;
    bob.verify(&param).await;
    drop(alice);
    assert_eq!(bob.ended().await, (Reason::Cancel, Source::Caller));
    assert_eq!(bench.app.event().await["terminate"], "77");
}

#[tokio::test]
async fn a_call_survives_a_crash_of_the_server() {
    let mut bench = Bench::start().await;
    let (mut alice, mut bob) = bench.talk("alice", "bob").await;
    alice
        .send(ClientMessage::Connected {
            party: duologue_signaling::ids::PartyId(1),
        })
        .await;
    alice.drained().await;
    bench.crash_and_restart().await;
    assert_eq!(bench.records().await.len(), 0);
    let address = bench.server().addr();
    // The token alone opens the door again: the cc_param has done its work and may have expired.
    let welcome = bob.come_back(address, hello("bob")).await;
    assert!(!welcome.resumed);
    let welcome = alice.come_back(address, hello("alice")).await;
    assert!(!welcome.resumed);
    alice
        .expect("accepted", |message| matches!(message, ServerMessage::Accepted { .. }))
        .await;
    // Both are still in their call.
    let mut carol = bench.client("carol").await;
    carol.make_call("bob").await;
    assert_eq!(carol.ended().await.0, Reason::Busy);
    alice.end().await;
    assert_eq!(bob.ended().await, (Reason::Normal, Source::Caller));
    let records = bench.records().await;
    let ours: Vec<_> = records.iter().filter(|record| record.from_user_id == "alice").collect();
    assert_eq!(ours.len(), 1);
    assert_eq!(ours[0].disconnect_reason, 1001);
    assert!(ours[0].start_time > 0);
}

#[tokio::test]
async fn what_was_said_into_a_dead_server_is_said_again() {
    let mut bench = Bench::start().await;
    let (mut alice, mut bob) = bench.talk("alice", "bob").await;
    drop(bench.server.take());
    alice.end().await;
    bench.crash_and_restart().await;
    let address = bench.server().addr();
    alice.come_back(address, hello("alice")).await;
    alice.drained().await;
    bob.come_back(address, hello("bob")).await;
    assert_eq!(bob.ended().await, (Reason::Normal, Source::Caller));
    assert_eq!(bench.records().await.len(), 1);
    // Once more: the record of before is the record.
    bench.crash_and_restart().await;
    assert_eq!(bench.records().await.len(), 1);
}

#[tokio::test]
async fn a_call_to_which_nobody_returns_gets_its_record() {
    let mut bench = Bench::start_with(|config| config.defaults.connected_reconnect_ms = 200).await;
    drop(bench.talk("alice", "bob").await);
    bench.crash_and_restart().await;
    let event = bench.app.event().await;
    assert_eq!(event["disconnect_reason"], "1308");
    assert_eq!(bench.records().await.len(), 1);
    // The users are free.
    bench.ring("carol", "bob").await;
}

#[tokio::test]
async fn a_forgotten_session_hears_that_its_call_is_over() {
    let mut bench = Bench::start_with(|config| config.limits.first_message_ms = 100).await;
    let (mut alice, mut bob) = bench.talk("alice", "bob").await;
    bob.end().await;
    bob.drained().await;
    bench.crash_and_restart().await;
    alice.come_back(bench.server().addr(), hello("alice")).await;
    assert_eq!(alice.ended().await, (Reason::ReleasedCall, Source::CloudServer));
    // One that has something to say about it hears it too.
    bob.link.restart();
    let mut again = Client::connect(bench.server().addr(), None).await.unwrap();
    let resume = bob.welcome.unwrap().resume;
    again
        .hello(Hello {
            resume: Some(resume),
            ..hello("bob")
        })
        .await
        .unwrap();
    again.end().await;
    assert_eq!(again.ended().await.0, Reason::ReleasedCall);
    assert_eq!(bench.records().await.len(), 1);
}

#[tokio::test]
async fn call_events_are_repeated_until_they_are_taken() {
    let mut bench = Bench::start().await;
    bench
        .app
        .answer_events(&[Answer::Failure, Answer::Redirect, Answer::Failure]);
    let (mut alice, _) = bench.ring("alice", "bob").await;
    alice.end().await;
    alice.drained().await;
    let first = bench.app.event().await;
    for _ in 0..3 {
        assert_eq!(bench.app.event().await, first);
    }
    // The fourth was taken: the next one is the next call's.
    let (mut alice, _) = bench.ring("alice", "bob").await;
    alice.end().await;
    assert_ne!(bench.app.event().await["sid"], first["sid"]);
    assert_eq!(bench.records().await.len(), 2);
}

#[tokio::test]
async fn call_events_survive_a_crash_and_end_some_time() {
    let mut bench = Bench::start_with(|config| config.callbacks.attempts = 3).await;
    bench.app.answer_events(&[Answer::Failure; 3]);
    let (mut alice, _) = bench.ring("alice", "bob").await;
    alice.end().await;
    alice.drained().await;
    bench.crash_and_restart().await;
    let sid = bench.app.event().await["sid"].clone();
    // At least once each: the crash may have cost the memory of one attempt.
    let (mut carol, _) = bench.ring("carol", "dave").await;
    carol.end().await;
    let mut attempts = 1;
    loop {
        if bench.app.event().await["sid"] != sid {
            break;
        }
        attempts += 1;
        assert!(attempts <= 4, "given up after three attempts");
    }
}

#[tokio::test]
async fn two_keys_are_valid_during_a_rotation() {
    let mut bench = Bench::start().await;
    let store = bench.server().store().clone();
    let newer = store.rotate_key(SERVICE).await.unwrap();
    // Callbacks are signed with both, which the app server checks.
    bench.expect_signature_of(newer.clone());
    bench.ring("alice", "bob").await;
    for key in [&bench.key, &newer] {
        let mut client = bench.raw().await;
        client
            .hello(Hello {
                access_token: Some(token(key, "eve", now())),
                ..hello("eve")
            })
            .await
            .unwrap();
    }
    store.rotate_key(SERVICE).await.unwrap();
    let mut client = bench.raw().await;
    let oldest = Hello {
        access_token: Some(bench.token("eve")),
        ..hello("eve")
    };
    assert_eq!(client.hello(oldest).await.unwrap_err(), Reason::ServiceAccessTokenError);
    let mut client = bench.raw().await;
    client
        .hello(Hello {
            access_token: Some(token(&newer, "eve", now())),
            ..hello("eve")
        })
        .await
        .unwrap();
    assert_eq!(store.keys(SERVICE).await.unwrap().len(), 2);
}

#[tokio::test]
async fn stopping_lets_calls_end_and_takes_no_new_ones() {
    let mut bench = Bench::start_with(|config| config.limits.drain_ms = 60_000).await;
    let base = format!("http://{}", bench.server().addr());
    let status = async |path: &str| {
        http()
            .get(format!("{base}{path}"))
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!((status("/healthz").await, status("/readyz").await), (200, 200));
    let (mut alice, mut bob) = bench.talk("alice", "bob").await;
    let mut carol = bench.client("carol").await;
    let store = bench.server().store().clone();
    let stopping = tokio::spawn(bench.server.take().unwrap().shutdown());
    let waiting = async {
        while status("/readyz").await != 503 {
            tokio::task::yield_now().await;
        }
    };
    timeout(common::PATIENCE, waiting).await.unwrap();
    assert_eq!(status("/healthz").await, 200);
    carol.make_call("dave").await;
    assert_eq!(carol.ended().await.0, Reason::ServiceMaintenance);
    // The call that goes on is not touched, until it ends by itself.
    bob.send(ClientMessage::Mute { muted: true }).await;
    assert_eq!(alice.next().await, Some(ServerMessage::PeerMuted { muted: true }));
    bob.end().await;
    timeout(common::PATIENCE, stopping).await.unwrap().unwrap();
    drop(store);
    let again = duologue_server::ServiceStore::open(&bench.config.data).await.unwrap();
    assert_eq!(again.records(10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn tls_and_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let mut config = Config::dev("127.0.0.1:0".parse().unwrap(), &folder.0);
    config.stun_listen = None;
    config.tls = Some(TlsConfig {
        certificate: data("certificate.pem"),
        key: data("key.pem"),
    });
    let server = Server::start(config.clone()).await.unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(data("certificate.pem")).unwrap())
        .unwrap();
    let url = server.http_url();
    assert!(url.starts_with("https://"));
    assert!(server.ws_url().starts_with("wss://"));
    let answer = http_with(roots).get(format!("{url}/healthz")).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "ok\n");
    assert!(
        http_with(rustls::RootCertStore::empty())
            .get(format!("{url}/healthz"))
            .send()
            .await
            .is_err()
    );
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.0), 0o700);
    for entry in std::fs::read_dir(&folder.0).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    config.tls = Some(TlsConfig {
        certificate: data("certificate.pem"),
        key: data("missing.pem"),
    });
    assert!(matches!(Server::start(config).await, Err(StartError::Tls { path, .. }) if path == data("missing.pem")));
}

#[tokio::test]
async fn development_needs_nothing() {
    let folder = Folder::new();
    let taken = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut config = Config::dev("127.0.0.1:0".parse().unwrap(), &folder.0);
    config.stun_listen = Some(taken.local_addr().unwrap());
    config.extra =
        Some(axum::Router::new().route("/app/hello", axum::routing::get(|| async { "from the app server" })));
    let server = Server::start(config.clone()).await.unwrap();
    let text = http()
        .get(format!("{}/app/hello", server.http_url()))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert_eq!(text, "from the app server");
    let (service, key) = server.store().ensure_dev().await.unwrap();
    assert_eq!(
        service.notify_callback,
        Some(format!("{}/app/notify", server.http_url()))
    );
    assert!(
        key.key.len() >= 128
            && key
                .key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    );
    assert!(
        key.secret.len() == 64
            && key
                .secret
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    );
    // A busy port is replaced, and STUN answers there.
    let stun = server.stun_addr().unwrap();
    assert_ne!(stun, taken.local_addr().unwrap());
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut request = vec![0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42];
    request.extend([9; 12]);
    client.send_to(b"not STUN", stun).await.unwrap();
    client.send_to(&request, stun).await.unwrap();
    let mut answer = [0; 100];
    let (length, from) = timeout(common::PATIENCE, client.recv_from(&mut answer))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(from, stun);
    assert_eq!(length, 32);
    assert_eq!(answer[..2], [0x01, 0x01]);
    let port = u16::from_be_bytes([answer[26], answer[27]]) ^ 0x2112;
    assert_eq!(port, client.local_addr().unwrap().port());
    // Outside development a busy port is a clear error.
    config.dev = false;
    config.extra = None;
    config.listen = "127.0.0.1:0".parse().unwrap();
    let error = Server::start(config).await.unwrap_err();
    assert!(
        matches!(error, StartError::Listen { what: "UDP (STUN)", .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_silent_client_is_disconnected_and_a_pinging_one_is_not() {
    let bench = Bench::start_with(|config| config.limits.heartbeat_ms = 100).await;
    let mut silent = bench.client("alice").await;
    let mut alive = bench.client("bob").await;
    let ping = duologue_signaling::encode(&duologue_signaling::Envelope::unnumbered(ClientMessage::Ping, 0));
    let pinging = async {
        let mut interval = tokio::time::interval(Duration::from_millis(20));
        loop {
            interval.tick().await;
            alive.text(ping.clone()).await;
        }
    };
    tokio::select! {
        reason = silent.refused() => assert_eq!(reason, None),
        () = pinging => {}
    }
    alive.make_call("carol").await;
    alive
        .expect("call_created", |message| {
            matches!(message, ServerMessage::CallCreated { .. })
        })
        .await;
}

#[tokio::test]
async fn commands_see_and_change_a_running_server() {
    let bench = Bench::start().await;
    let other = Arc::new(duologue_server::ServiceStore::open(&bench.config.data).await.unwrap());
    assert_eq!(other.list().await.unwrap()[0].id, SERVICE);
    let key = other.add("second", None, None).await.unwrap();
    assert!(other.add("second", None, None).await.is_err());
    assert!(other.add("bad id", None, None).await.is_err());
    assert!(other.add("third", Some("ftp://x/"), None).await.is_err());
    assert!(other.rotate_key("unknown").await.is_err());
    assert!(other.set_origins("second", &["https://a/path".into()]).await.is_err());
    other
        .set_callbacks("second", Some("http://a/"), Some("http://b/"))
        .await
        .unwrap();
    other.set_callbacks("second", Some(""), None).await.unwrap();
    let second = other.service("second").await.unwrap().unwrap();
    assert_eq!(
        (second.notify_callback, second.call_event_callback.as_deref()),
        (None, Some("http://b/"))
    );
    let mut client = bench.raw().await;
    let token = common::token_with(jsonwebtoken::Algorithm::HS256, &key, "second", "alice", now());
    let hello = Hello {
        service_id: "second".parse().unwrap(),
        access_token: Some(token),
        ..hello("alice")
    };
    client.hello(hello).await.unwrap();
}
