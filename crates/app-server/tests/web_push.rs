//! Web Push of the reference app server, against a push service of our own.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;
#[path = "common/push_service.rs"]
mod push_service;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use duologue_app_server::{AppServerConfig, PushMessage, issue_token, router, router_with};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use common::{PATIENCE, SECRET, callback, config, event_target, http, notify_target, now, serve};
use push_service::{Browser, PushService};

const SID: &str = "6e2c1a0e-4f0f-4d53-9d3a-0d6b6a3d3f10";
const TOPIC: &str = "6e2c1a0e4f0f4d539d3a0d6b6a3d3f10";

async fn post(app: SocketAddr, path: &str, body: Value) -> u16 {
    let request = http().post(format!("http://{app}{path}")).json(&body);
    request.send().await.unwrap().status().as_u16()
}

async fn subscribe(app: SocketAddr, user: &str, browser: &Browser) {
    let body = json!({ "user_id": user, "subscription": browser.to_json() });
    assert_eq!(post(app, "/app/subscribe", body).await, 204);
}

async fn notify(app: SocketAddr, sid: &str) -> u16 {
    callback(app, &notify_target(sid, "bob"), SECRET).await
}

async fn end(app: SocketAddr, sid: &str) {
    assert_eq!(callback(app, &event_target(sid, "bob"), SECRET).await, 204);
}

#[tokio::test]
async fn a_call_rings_a_browser_and_its_end_replaces_the_ring() {
    let app = serve(router(config(true)).unwrap()).await;
    let mut service = PushService::start().await;
    let browser = Browser::new(service.address, "one");
    subscribe(app, "bob", &browser).await;
    assert_eq!(notify(app, SID).await, 204);
    let ring = service.next().await;
    let PushMessage::Call {
        sid,
        cc_param,
        app_caller_uid,
        app_svr_data,
        ..
    } = browser.open(&ring.body)
    else {
        panic!("not a call");
    };
    assert_eq!(
        (sid.as_str(), cc_param.as_str(), app_caller_uid.as_str()),
        (SID, "cGFyYW0=", "alice")
    );
    assert_eq!(app_svr_data.as_deref(), Some("a&b"));
    let pushed_at = browser.read(&ring.body)["pushed_at"].as_u64().unwrap();
    assert!(now().abs_diff(pushed_at) <= PATIENCE.as_secs());
    assert_eq!(ring.header("content-encoding"), "aes128gcm");
    assert_eq!(
        (ring.header("ttl"), ring.header("urgency"), ring.header("topic")),
        ("60", "high", TOPIC)
    );
    let token = ring.header("authorization").strip_prefix("vapid t=").unwrap();
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["aud"], format!("http://{}", service.address));
    let key: Value = http()
        .get(format!("http://{app}/app/push-key"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(token.ends_with(&format!(", k={}", key["public_key"].as_str().unwrap())));

    // A page that the push opens hears of the call on its WebSocket too.
    let url = format!("ws://{app}/app/push?user=bob");
    let (mut page, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let told = tokio::time::timeout(PATIENCE, page.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(told.to_text().unwrap().contains(SID));

    end(app, SID).await;
    let cancel = service.next().await;
    assert_eq!(browser.open(&cancel.body), PushMessage::Cancel { sid: SID.into() });
    assert_eq!((cancel.header("topic"), cancel.header("urgency")), (TOPIC, "high"));
    assert_eq!(browser.read(&cancel.body)["missed"], true, "cancelled by the caller");
}

#[tokio::test]
async fn a_call_that_somebody_took_has_not_been_missed() {
    let app = serve(router(config(true)).unwrap()).await;
    let mut service = PushService::start().await;
    let browser = Browser::new(service.address, "one");
    subscribe(app, "bob", &browser).await;
    for (cause, missed) in [("16", false), ("21", false), ("17", false), ("18", true)] {
        let sid = format!("s{cause}");
        assert_eq!(notify(app, &sid).await, 204);
        service.next().await;
        let target = event_target(&sid, "bob").replace("terminate=77", &format!("terminate={cause}"));
        assert_eq!(callback(app, &target, SECRET).await, 204);
        let end = service.next().await;
        assert_eq!(browser.read(&end.body)["missed"], missed, "cause {cause}");
    }
}

#[tokio::test]
async fn a_subscription_that_is_over_is_forgotten_and_another_one_still_rings() {
    let app = serve(router(config(true)).unwrap()).await;
    let mut service = PushService::start().await;
    let (old, new) = (
        Browser::new(service.address, "old"),
        Browser::new(service.address, "new"),
    );
    for browser in [&old, &new] {
        subscribe(app, "bob", browser).await;
    }
    service.answer("old", &[(410, None)]);
    assert_eq!(notify(app, "s1").await, 204);
    let mut rung = [service.next().await.browser, service.next().await.browser];
    rung.sort();
    assert_eq!(rung, ["new", "old"]);
    // The end goes only to those that may have got the ring, and the next ring only to who is left.
    end(app, "s1").await;
    assert_eq!(service.next().await.browser, "new");
    service.answer("new", &[(404, None)]);
    assert_eq!(notify(app, "s2").await, 404);
    assert_eq!(service.next().await.browser, "new");
    assert_eq!(notify(app, "s3").await, 404, "nobody is left");
    assert!(service.is_quiet());
}

#[tokio::test]
async fn a_busy_push_service_is_asked_once_more_and_not_before_it_says() {
    let app = serve(router(config(true)).unwrap()).await;
    let mut service = PushService::start().await;
    let browser = Browser::new(service.address, "one");
    subscribe(app, "bob", &browser).await;
    service.answer("one", &[(429, Some(("retry-after", "1".into())))]);
    let asked = Instant::now();
    assert_eq!(notify(app, "s1").await, 204);
    assert!(asked.elapsed().as_secs() >= 1);
    service.next().await;
    service.next().await;
    // Once more, not twice.
    service.answer("one", &[(503, None), (500, None), (201, None)]);
    assert_eq!(notify(app, "s2").await, 404);
    service.next().await;
    service.next().await;
    assert!(service.is_quiet());
    // A wait that the call server would not sit out, or that cannot be read, means no second attempt.
    for after in ["60", "Sat, 21 Nov 2026 15:00:00 GMT", "-1"] {
        service.answer("one", &[(429, Some(("retry-after", after.into())))]);
        assert_eq!(notify(app, &format!("s3{}", after.len())).await, 404);
        service.next().await;
        assert!(service.is_quiet());
    }
    // Refusals that another attempt would not change.
    service.answer("one", &[(400, None)]);
    assert_eq!(notify(app, "s4").await, 404);
    service.next().await;
    assert!(service.is_quiet());
}

#[tokio::test]
async fn the_end_of_a_call_is_never_overtaken_by_its_ring() {
    let app = serve(router(config(true)).unwrap()).await;
    let mut service = PushService::start().await;
    let browser = Browser::new(service.address, "one");
    subscribe(app, "bob", &browser).await;
    // The first attempt is refused; while the second one waits, the call ends.
    service.answer("one", &[(503, Some(("retry-after", "2".into())))]);
    let ringing = tokio::spawn(async move { notify(app, SID).await });
    service.next().await;
    end(app, SID).await;
    assert_eq!(ringing.await.unwrap(), 404, "given up, so nobody was reached");
    // The next call is the next thing that comes: neither the given-up ring nor an end that nobody needs.
    assert_eq!(notify(app, "s2").await, 204);
    let next = service.next().await;
    assert!(matches!(browser.open(&next.body), PushMessage::Call { sid, .. } if sid == "s2"));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let app = serve(router(config(true)).unwrap()).await;
    let mut service = PushService::start().await;
    let browser = Browser::new(service.address, "one");
    subscribe(app, "bob", &browser).await;
    let elsewhere = format!("http://{}/push/elsewhere", service.address);
    for status in [301, 302, 307, 308] {
        service.answer("one", &[(status, Some(("location", elsewhere.clone())))]);
        assert_eq!(notify(app, &format!("s{status}")).await, 404);
        assert_eq!(service.next().await.browser, "one");
        assert!(service.is_quiet());
    }
}

#[tokio::test]
async fn hostile_subscriptions_are_refused_with_a_reason() {
    let app = serve(router(config(true)).unwrap()).await;
    let good = Browser::new("127.0.0.1:1".parse().unwrap(), "x").to_json();
    let with = |pointer: &str, value: Value| {
        let mut subscription = good.clone();
        *subscription.pointer_mut(pointer).unwrap() = value;
        json!({ "user_id": "bob", "subscription": subscription })
    };
    for (body, why) in [
        (json!({}), "the body must be"),
        (json!({ "user_id": "bob" }), "the body must be"),
        (json!({ "user_id": "", "subscription": good }), "user_id is missing"),
        (with("/endpoint", json!(7)), "the body must be"),
        (
            with("/endpoint", json!("http://10.0.0.1/x")),
            "endpoint: it must begin with https://",
        ),
        (
            with("/endpoint", json!("https://169.254.169.254/x")),
            "endpoint: its host is not on the public",
        ),
        (
            with("/endpoint", json!(format!("https://a.example/{}", "x".repeat(3_000)))),
            "endpoint: it has 3018 bytes",
        ),
        (with("/keys", json!({})), "the body must be"),
        (with("/keys/p256dh", json!("!")), "keys.p256dh is not base64url"),
        (
            with("/keys/p256dh", json!(URL_SAFE_NO_PAD.encode([4; 65]))),
            "keys.p256dh is not an uncompressed point",
        ),
        (with("/keys/auth", json!("AAAA")), "keys.auth has 3 bytes"),
        (with("/expirationTime", json!(1)), "the subscription has expired"),
        (with("/endpoint", json!("x".repeat(20_000))), "the body must be"),
    ] {
        let request = http().post(format!("http://{app}/app/subscribe")).json(&body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 400, "{why}");
        let text = answer.text().await.unwrap();
        assert!(text.contains(why), "{text} instead of {why}");
    }
}

#[tokio::test]
async fn outside_development_users_subscribe_only_themselves() {
    let authenticator: duologue_app_server::Authenticator = Arc::new(|headers| {
        headers
            .get("x-login")
            .and_then(|name| name.to_str().ok())
            .map(str::to_owned)
    });
    let app = serve(router_with(config(false), authenticator).unwrap()).await;
    let subscription = |endpoint: &str| {
        let mut json = Browser::new("127.0.0.1:1".parse().unwrap(), "x").to_json();
        json["endpoint"] = endpoint.into();
        json
    };
    let ask = |header: (&'static str, String), path: &str, body: Value| {
        let request = http().post(format!("http://{app}{path}")).header(header.0, header.1);
        async move { request.json(&body).send().await.unwrap().status().as_u16() }
    };
    let public = json!({ "user_id": "bob", "subscription": subscription("https://push.example.com/1") });
    let local = json!({ "user_id": "bob", "subscription": subscription("http://127.0.0.1:9/1") });
    let login = |name: &str| ("x-login", name.to_owned());
    let bearer = |secret: &str| {
        let token = issue_token("dev", "bob", "key", secret, now()).unwrap();
        ("authorization", format!("bearer {token}"))
    };
    assert_eq!(post(app, "/app/subscribe", public.clone()).await, 403);
    assert_eq!(ask(login("mallory"), "/app/subscribe", public.clone()).await, 403);
    assert_eq!(
        ask(bearer("another secret"), "/app/subscribe", public.clone()).await,
        403
    );
    assert_eq!(ask(login("bob"), "/app/subscribe", public.clone()).await, 204);
    assert_eq!(ask(bearer(SECRET), "/app/subscribe", public).await, 204);
    assert_eq!(
        ask(login("bob"), "/app/subscribe", local).await,
        400,
        "only development rings this machine"
    );
    let gone = json!({ "endpoint": "https://push.example.com/1" });
    assert_eq!(post(app, "/app/unsubscribe", gone.clone()).await, 403);
    assert_eq!(ask(bearer(SECRET), "/app/unsubscribe", gone).await, 204);
}

#[tokio::test]
async fn a_subscription_and_its_key_outlive_a_restart_until_it_is_withdrawn() {
    let data = std::env::temp_dir().join(format!("duologue-web-push-{}", std::process::id()));
    std::fs::create_dir_all(&data).unwrap();
    let start = || async {
        let config = AppServerConfig {
            data: Some(data.clone()),
            ..config(true)
        };
        serve(router(config).unwrap()).await
    };
    let mut service = PushService::start().await;
    let browser = Browser::new(service.address, "one");
    let app = start().await;
    subscribe(app, "bob", &browser).await;
    let app = start().await;
    assert_eq!(notify(app, "s1").await, 204);
    let ring = service.next().await;
    assert!(matches!(browser.open(&ring.body), PushMessage::Call { .. }));
    assert_eq!(
        post(app, "/app/unsubscribe", json!({ "endpoint": browser.endpoint })).await,
        204
    );
    for app in [app, start().await] {
        assert_eq!(notify(app, "s2").await, 404);
    }
    assert!(service.is_quiet());
    std::fs::remove_dir_all(&data).unwrap();
}

#[tokio::test]
async fn what_does_not_fit_is_left_out() {
    let app = serve(router(config(true)).unwrap()).await;
    let mut service = PushService::start().await;
    let browser = Browser::new(service.address, "one");
    subscribe(app, "bob", &browser).await;
    let target = notify_target("s1", "bob").replace("a%26b", &"d".repeat(4_000));
    assert_eq!(callback(app, &target, SECRET).await, 204);
    let ring = service.next().await;
    assert!(ring.body.len() <= 4_096);
    let PushMessage::Call {
        app_svr_data, cc_param, ..
    } = browser.open(&ring.body)
    else {
        panic!("not a call");
    };
    assert_eq!((app_svr_data, cc_param.as_str()), (None, "cGFyYW0="));
    // Without it, too long still: no push service would take it, so nobody has been reached.
    let target = notify_target("s2", "bob").replace("cGFyYW0%3D", &"p".repeat(4_000));
    assert_eq!(callback(app, &target, SECRET).await, 404);
    assert!(service.is_quiet());
}
