use duologue_signaling::MediaType;
use duologue_signaling::ids::{CallId, User};
use duologue_signaling::server::CallSetup;

use super::client::sign;
use super::*;
use crate::store::ApiKey;

/// `printf '1000./notify?sid=1' | openssl dgst -sha256 -hmac secret`
const EXPECTED: &str = "4bfecd8490c82557c38e3eb4b7cda62a6553cce12068e9de7303b79e94021cdc";

fn setup(data: Option<&str>) -> CallSetup {
    let user = |name: &str| User {
        service_id: "shop".parse().unwrap(),
        user_id: name.parse().unwrap(),
    };
    CallSetup {
        sid: CallId::from_random([7; 16]),
        caller: user("alice"),
        callee: user("bob"),
        media_type: MediaType::Audio,
        app_server_data: data.map(Into::into),
        call_start_message: None,
        description: None,
        source_address: None,
    }
}

fn pairs(url: &str) -> Vec<(String, String)> {
    reqwest::Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

#[test]
fn every_documented_field_arrives_as_it_was() {
    let data = "a&b=c d+é%\"\n";
    let url = notify("https://app.example.org/cb?tenant=1#part", &setup(Some(data)), "cGFy-_");
    let sid = CallId::from_random([7; 16]).to_string();
    let expected = [
        ("tenant", "1"),
        ("sid", &sid),
        ("from_service_id", "shop"),
        ("from_user_id", "alice"),
        ("to_service_id", "shop"),
        ("to_user_id", "bob"),
        ("type", "A"),
        ("param", "cGFy-_"),
        ("app_svr_data", data),
        ("stid", data),
    ];
    assert_eq!(
        pairs(&url),
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn stid_is_left_out_when_the_url_would_be_too_long() {
    let names = |data: &str| {
        let url = notify("http://app/cb", &setup(Some(data)), "p");
        let names: Vec<String> = pairs(&url).into_iter().map(|(name, _)| name).collect();
        (
            url.len(),
            names.contains(&"stid".to_owned()),
            names.contains(&"app_svr_data".to_owned()),
        )
    };
    let base = notify("http://app/cb", &setup(None), "p").len();
    let room = 8_000 - base - "&app_svr_data=&stid=".len();
    let fits = "x".repeat(room / 2);
    let (length, stid, data) = names(&fits);
    assert!(length <= 8_000 && stid && data, "{length}");
    let (length, stid, data) = names(&format!("{fits}xx"));
    assert!(length < 8_000 && !stid && data, "{length}");
    // Even then the data itself goes out whole.
    let (_, stid, data) = names(&"é".repeat(2_000));
    assert!(!stid && data);
}

#[test]
fn each_valid_key_signs() {
    let key = |secret: &str| ApiKey {
        key: "k".into(),
        secret: secret.into(),
    };
    let one = sign("/notify?sid=1", &[key("secret")], 1000);
    let two = sign("/notify?sid=1", &[key("other"), key("secret")], 1000);
    let tag = one.strip_prefix("t=1000,v1=").unwrap();
    assert_eq!(tag.len(), 64);
    assert!(two.ends_with(&format!(",v1={tag}")));
    assert_eq!(two.matches("v1=").count(), 2);
    assert_eq!(tag, EXPECTED);
}
