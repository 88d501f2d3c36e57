//! The reference app server over real HTTP and WebSockets.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::net::SocketAddr;
use std::sync::Arc;

use duologue_app_server::{PushMessage, issue_token, router, router_with};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use common::{PATIENCE, SECRET, callback, config, event_target, http, notify_target, now, serve};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn next(socket: &mut Socket) -> Option<PushMessage> {
    loop {
        match tokio::time::timeout(PATIENCE, socket.next()).await.unwrap()? {
            Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

async fn listen(address: SocketAddr, user: &str) -> Socket {
    connect_async(format!("ws://{address}/app/push?user={user}"))
        .await
        .unwrap()
        .0
}

#[tokio::test]
async fn a_call_is_pushed_to_every_device_and_cancelled() {
    let address = serve(router(config(true)).unwrap()).await;
    let mut first = listen(address, "bob").await;
    assert_eq!(callback(address, &notify_target("s1", "bob"), SECRET).await, 204);
    let expected = PushMessage::Call {
        sid: "s1".into(),
        app_callee_uid: "bob".into(),
        app_callee_sid: "dev".into(),
        app_call_type: "audio".into(),
        cc_param: "cGFyYW0=".into(),
        app_caller_uid: "alice".into(),
        app_caller_sid: "dev".into(),
        app_svr_data: Some("a&b".into()),
    };
    assert_eq!(next(&mut first).await.unwrap(), expected);
    // A device that comes while it rings is told as well.
    let mut second = listen(address, "bob").await;
    assert_eq!(next(&mut second).await.unwrap(), expected);
    assert_eq!(callback(address, &event_target("s1", "bob"), SECRET).await, 204);
    for device in [&mut first, &mut second] {
        assert_eq!(next(device).await.unwrap(), PushMessage::Cancel { sid: "s1".into() });
    }
    // Another device after the end hears nothing of it: the next thing it hears is the next call.
    let mut third = listen(address, "bob").await;
    assert_eq!(callback(address, &notify_target("s2", "bob"), SECRET).await, 204);
    assert!(matches!(next(&mut third).await, Some(PushMessage::Call { sid, .. }) if sid == "s2"));
    let events: Value = http()
        .get(format!("http://{address}/app/events"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let names: Vec<_> = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["event"].clone())
        .collect();
    assert_eq!(names, ["notify", "call-event", "notify"]);
    assert_eq!(events["events"][1]["query"]["terminate"], 77);
}

#[tokio::test]
async fn nobody_there_is_not_a_success() {
    let address = serve(router(config(true)).unwrap()).await;
    assert_eq!(callback(address, &notify_target("s1", "nobody"), SECRET).await, 404);
}

#[tokio::test]
async fn forged_and_incomplete_callbacks_are_refused() {
    let address = serve(router(config(true)).unwrap()).await;
    let mut device = listen(address, "bob").await;
    assert_eq!(
        callback(address, &notify_target("forged", "bob"), "another secret").await,
        403
    );
    assert_eq!(callback(address, "/app/notify?sid=incomplete", SECRET).await, 400);
    let unsigned = http()
        .get(format!("http://{address}{}", notify_target("unsigned", "bob")))
        .send()
        .await
        .unwrap();
    assert_eq!(unsigned.status(), 403);
    assert_eq!(callback(address, &notify_target("real", "bob"), SECRET).await, 204);
    assert!(matches!(next(&mut device).await, Some(PushMessage::Call { sid, .. }) if sid == "real"));
}

#[tokio::test]
async fn outside_development_users_must_prove_who_they_are() {
    let authenticator = Arc::new(|headers: &axum::http::HeaderMap| {
        headers
            .get("x-login")
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    });
    let address = serve(router_with(config(false), authenticator).unwrap()).await;
    let ask = |login: &'static str, user: &'static str| {
        let request = http()
            .post(format!("http://{address}/app/token"))
            .header("x-login", login);
        request.json(&json!({ "user_id": user })).send()
    };
    assert_eq!(ask("mallory", "bob").await.unwrap().status(), 403);
    let answer: Value = ask("bob", "bob").await.unwrap().json().await.unwrap();
    let token = answer["access_token"].as_str().unwrap().to_owned();
    assert_eq!(
        http()
            .get(format!("http://{address}/app/events"))
            .send()
            .await
            .unwrap()
            .status(),
        404
    );

    // Naming oneself in the address opens nothing.
    let mut mallory = listen(address, "bob").await;
    let forged = issue_token("dev", "bob", "key", "another secret", now()).unwrap();
    mallory
        .send(Message::text(json!({ "access_token": forged }).to_string()))
        .await
        .unwrap();
    assert_eq!(next(&mut mallory).await, None);

    let mut bob = connect_async(format!("ws://{address}/app/push")).await.unwrap().0;
    bob.send(Message::text(json!({ "access_token": token }).to_string()))
        .await
        .unwrap();
    assert_eq!(callback(address, &notify_target("s1", "bob"), SECRET).await, 204);
    assert!(matches!(next(&mut bob).await, Some(PushMessage::Call { .. })));
}

#[tokio::test]
async fn in_development_anybody_gets_a_token() {
    let address = serve(router(config(true)).unwrap()).await;
    let post = |body: &'static str| {
        let request = http()
            .post(format!("http://{address}/app/token"))
            .header("content-type", "application/json");
        request.body(body).send()
    };
    let answer: Value = post(r#"{"user_id":"alice"}"#).await.unwrap().json().await.unwrap();
    assert_eq!(answer["access_token"].as_str().unwrap().split('.').count(), 3);
    assert_eq!(post("{}").await.unwrap().status(), 400);
    assert_eq!(post(r#"{"user_id":""}"#).await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_token_request_is_short_and_does_not_dawdle() {
    let address = serve(router(config(true)).unwrap()).await;
    let long = http()
        .post(format!("http://{address}/app/token"))
        .json(&json!({ "user_id": "a".repeat(10_000) }));
    assert_eq!(long.send().await.unwrap().status(), 400);
    // The head promises a body that does not come.
    let mut slow = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /app/token HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n"
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let answered = tokio::time::timeout(PATIENCE, slow.read_to_end(&mut answer)).await;
    assert!(answered.is_ok(), "the connection is held for ever");
    assert!(answer.starts_with(b"HTTP/1.1 408"));
}
