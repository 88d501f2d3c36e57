use proptest::prelude::*;
use serde_json::json;

use super::*;

/// The receiver's key of RFC 8291 §5.
const P256DH: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const SECRET: &str = "BTBZMqHH6r4Tts7J_aSIgg";
const ENDPOINT: &str = "https://push.example.com/wpush/v2/abc";

fn parse(json: serde_json::Value) -> Result<PushSubscription, SubscriptionError> {
    let json: SubscriptionJson = serde_json::from_value(json).unwrap();
    PushSubscription::from_json(&json, EndpointPolicy::Public)
}

fn with_key(p256dh: &str) -> Result<PushSubscription, SubscriptionError> {
    PushSubscription::new(ENDPOINT, p256dh, SECRET, EndpointPolicy::Public)
}

#[test]
fn what_a_browser_sends_is_taken_and_comes_back_the_same() {
    let sent = json!({ "endpoint": ENDPOINT, "expirationTime": null, "keys": { "p256dh": P256DH, "auth": SECRET } });
    let subscription = parse(sent).unwrap();
    let kept = serde_json::to_value(subscription.to_json()).unwrap();
    assert_eq!(kept["keys"], json!({ "p256dh": P256DH, "auth": SECRET }));
    assert_eq!(parse(kept).unwrap(), subscription);
    // Padding is not in RFC 7515's base64url, but some clients send it.
    let padded = with_key(&format!("{P256DH}=")).unwrap();
    assert_eq!(padded, subscription);
}

#[test]
fn points_off_the_curve_and_in_other_forms_are_refused() {
    let point = BASE64URL.decode(P256DH).unwrap();
    let mut off = point.clone();
    off[64] ^= 1;
    let mut compressed_mark = point.clone();
    compressed_mark[0] = 2;
    let mut hybrid = point.clone();
    hybrid[0] = 6 | (point[64] & 1);
    let mut huge = vec![0xff; POINT];
    huge[0] = UNCOMPRESSED;
    for bytes in [off, compressed_mark, hybrid, huge, vec![0; POINT]] {
        assert_eq!(
            with_key(&BASE64URL.encode(&bytes)),
            Err(SubscriptionError::Point),
            "{bytes:?}"
        );
    }
    let mut compressed = point[..33].to_vec();
    compressed[0] = 2 | (point[64] & 1);
    assert!(matches!(
        with_key(&BASE64URL.encode(&compressed)),
        Err(SubscriptionError::Length {
            name: "p256dh",
            length: 33,
            expected: 65
        })
    ));
}

#[test]
fn keys_that_are_no_base64url_or_too_long_are_refused() {
    assert_eq!(with_key("a b"), Err(SubscriptionError::Encoding("p256dh")));
    assert_eq!(with_key("é"), Err(SubscriptionError::Encoding("p256dh")));
    assert!(matches!(with_key(""), Err(SubscriptionError::Length { length: 0, .. })));
    let auth = |text: &str| PushSubscription::new(ENDPOINT, P256DH, text, EndpointPolicy::Public);
    assert_eq!(auth("+/+/"), Err(SubscriptionError::Encoding("auth")));
    assert!(matches!(
        auth(&"A".repeat(4_000)),
        Err(SubscriptionError::Length {
            name: "auth",
            length: 3_000,
            expected: 16
        })
    ));
}

#[test]
fn an_expired_subscription_is_refused_and_an_odd_time_means_none() {
    let at = |time: serde_json::Value| {
        parse(json!({ "endpoint": ENDPOINT, "expirationTime": time, "keys": { "p256dh": P256DH, "auth": SECRET } }))
    };
    assert_eq!(at(json!(1_000)), Err(SubscriptionError::Expired));
    assert!(at(json!(32_503_680_000_000_u64)).unwrap().expires.is_some());
    for odd in [json!(-1), json!(1e300)] {
        assert_eq!(at(odd).unwrap().expires, None);
    }
}

proptest! {
    #[test]
    fn nothing_that_comes_in_is_more_than_refused(endpoint in ".{0,80}", p256dh in ".{0,90}", auth in "[A-Za-z0-9_=-]{0,30}") {
        for policy in [EndpointPolicy::Public, EndpointPolicy::PublicAndLoopback] {
            let _ = PushSubscription::new(&endpoint, &p256dh, &auth, policy);
            let _ = PushSubscription::new(ENDPOINT, &p256dh, &auth, policy);
        }
    }

    #[test]
    fn random_points_are_off_the_curve(point in any::<[u8; 64]>()) {
        let text = BASE64URL.encode([&[UNCOMPRESSED], point.as_slice()].concat());
        prop_assert_eq!(with_key(&text).err(), Some(SubscriptionError::Point), "of 2^512 pairs only 2^256 are points");
    }

    #[test]
    fn other_schemes_and_hosts_never_pass(host in "[a-z0-9.:@\\[\\]-]{1,20}", scheme in "(http|ftp|file|ws|gopher)") {
        let endpoint = format!("{scheme}://{host}/");
        prop_assert!(EndpointPolicy::Public.check(&endpoint).is_err());
    }
}
