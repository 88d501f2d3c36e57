use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};

use super::*;

const NOW: u64 = 1_760_000_000;

fn user() -> User {
    User {
        service_id: "shop".parse().unwrap(),
        user_id: "alice".parse().unwrap(),
    }
}

fn keys() -> Vec<ApiKey> {
    vec![
        ApiKey {
            key: "new".into(),
            secret: "new secret".into(),
        },
        ApiKey {
            key: "old".into(),
            secret: "old secret".into(),
        },
    ]
}

fn claims() -> Value {
    json!({ "sub": "shop", "uid": "alice", "iss": "new", "iat": NOW })
}

fn token(algorithm: Algorithm, secret: &str, claims: &Value) -> String {
    jsonwebtoken::encode(
        &Header::new(algorithm),
        claims,
        &EncodingKey::from_secret(secret.as_bytes()),
    )
    .unwrap()
}

fn check(token: &str) -> Result<(), TokenError> {
    verify(token, &user(), &keys(), &ServicePolicy::default(), NOW * 1_000)
}

fn with(field: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[field] = value;
    claims
}

#[test]
fn both_keys_of_a_rotation_are_good() {
    assert_eq!(check(&token(Algorithm::HS256, "new secret", &claims())), Ok(()));
    assert_eq!(
        check(&token(Algorithm::HS256, "old secret", &with("iss", json!("old")))),
        Ok(())
    );
    // A key vouches for itself only.
    assert_eq!(
        check(&token(Algorithm::HS256, "old secret", &claims())),
        Err(TokenError::Claims)
    );
    assert_eq!(
        check(&token(Algorithm::HS256, "gone", &claims())),
        Err(TokenError::Signature)
    );
}

#[test]
fn only_hs256_counts() {
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        assert_eq!(
            check(&token(algorithm, "new secret", &claims())),
            Err(TokenError::Signature)
        );
    }
    // {"alg":"none","typ":"JWT"} with an empty signature.
    let good = token(Algorithm::HS256, "new secret", &claims());
    let body = good.split('.').nth(1).unwrap();
    assert_eq!(
        check(&format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{body}.")),
        Err(TokenError::Signature)
    );
    for garbage in ["", ".", "..", "a.b.c", "é"] {
        assert_eq!(check(garbage), Err(TokenError::Signature));
    }
}

#[test]
fn the_claims_must_be_those_of_the_client() {
    for wrong in [
        with("sub", json!("other")),
        with("uid", json!("bob")),
        with("iss", json!("old")),
    ] {
        assert_eq!(
            check(&token(Algorithm::HS256, "new secret", &wrong)),
            Err(TokenError::Claims)
        );
    }
    let mut missing = claims();
    missing.as_object_mut().unwrap().remove("iat");
    assert_eq!(
        check(&token(Algorithm::HS256, "new secret", &missing)),
        Err(TokenError::Signature)
    );
}

#[test]
fn age_is_judged_by_iat() {
    let at = |iat: u64| check(&token(Algorithm::HS256, "new secret", &with("iat", json!(iat))));
    assert_eq!(at(NOW - 7_200), Ok(()));
    assert_eq!(at(NOW - 7_201), Err(TokenError::Age));
    assert_eq!(at(NOW + 60), Ok(()));
    assert_eq!(at(NOW + 61), Err(TokenError::Age));
    assert_eq!(at(u64::MAX), Err(TokenError::Age));
}
