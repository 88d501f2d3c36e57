//! Access tokens: JWT, HS256, with the documented claims.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

/// Why a token was not made, or not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// An identifier, the key or the secret is empty.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// The signature could not be made.
    #[error("the token cannot be signed: {0}")]
    Sign(#[source] jsonwebtoken::errors::Error),
    /// Not a token of this service under this key, or too old.
    #[error("the token is not valid: {0}")]
    Invalid(&'static str),
}

/// The claims, with their documented names.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    /// Service.
    sub: String,
    /// User.
    uid: String,
    /// API key.
    iss: String,
    /// Creation, in Unix seconds.
    iat: u64,
}

/// Makes an access token for one user.
///
/// `iat` is the time of creation in Unix seconds; the call server decides how long a token counts (two hours unless
/// configured otherwise). Issue a token only to a user whose identity has been established: whoever has it can call as
/// that user.
///
/// # Errors
///
/// [`TokenError::Empty`] when a parameter is empty; [`TokenError::Sign`] when the library fails.
pub fn issue_token(
    service_id: &str,
    user_id: &str,
    api_key: &str,
    api_secret: &str,
    iat: u64,
) -> Result<String, TokenError> {
    let parameters = [
        ("the service id", service_id),
        ("the user id", user_id),
        ("the API key", api_key),
        ("the API secret", api_secret),
    ];
    if let Some((name, _)) = parameters.iter().find(|(_, value)| value.is_empty()) {
        return Err(TokenError::Empty(name));
    }
    let claims = Claims {
        sub: service_id.into(),
        uid: user_id.into(),
        iss: api_key.into(),
        iat,
    };
    // `Header::new` states `typ: JWT`, as the contract asks.
    jsonwebtoken::encode(
        &Header::new(Algorithm::HS256),
        &claims,
        &EncodingKey::from_secret(api_secret.as_bytes()),
    )
    .map_err(TokenError::Sign)
}

/// Checks a token that [`issue_token`] made and returns its user; for the app server's own endpoints.
///
/// `now` is in Unix seconds; a token older than `max_age` seconds, or more than a minute from the future, is refused.
///
/// # Errors
///
/// [`TokenError::Invalid`] for any token that this service's key did not sign, or that is out of its time.
pub fn verify_token(
    token: &str,
    service_id: &str,
    api_key: &str,
    api_secret: &str,
    now: u64,
    max_age: u64,
) -> Result<String, TokenError> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims.clear();
    // The contract has no `exp`; age is judged by `iat`.
    validation.validate_exp = false;
    validation.validate_aud = false;
    let key = DecodingKey::from_secret(api_secret.as_bytes());
    let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation)
        .map_err(|_| TokenError::Invalid("signature or layout"))?
        .claims;
    if claims.sub != service_id || claims.iss != api_key {
        return Err(TokenError::Invalid("service or key"));
    }
    if claims.iat > now + 60 || claims.iat + max_age < now {
        return Err(TokenError::Invalid("age"));
    }
    Ok(claims.uid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_the_documented_shape() {
        let token = issue_token("dev", "alice", "key", "secret", 1_700_000_000).unwrap();
        assert_eq!(jsonwebtoken::decode_header(&token).unwrap().typ.as_deref(), Some("JWT"));
        assert_eq!(jsonwebtoken::decode_header(&token).unwrap().alg, Algorithm::HS256);
        assert_eq!(
            verify_token(&token, "dev", "key", "secret", 1_700_000_100, 3600).unwrap(),
            "alice"
        );
    }

    #[test]
    fn what_is_wrong_is_refused() {
        let token = issue_token("dev", "alice", "key", "secret", 10_000).unwrap();
        assert!(verify_token(&token, "dev", "key", "other", 10_000, 3600).is_err());
        assert!(verify_token(&token, "other", "key", "secret", 10_000, 3600).is_err());
        assert!(verify_token(&token, "dev", "other", "secret", 10_000, 3600).is_err());
        assert!(verify_token(&token, "dev", "key", "secret", 13_601, 3600).is_err());
        assert!(verify_token(&token, "dev", "key", "secret", 9_000, 3600).is_err());
        assert!(verify_token("garbage", "dev", "key", "secret", 10_000, 3600).is_err());
        assert!(matches!(
            issue_token("dev", "", "key", "secret", 0),
            Err(TokenError::Empty("the user id"))
        ));
    }
}
