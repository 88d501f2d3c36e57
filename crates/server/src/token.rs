//! Access tokens (RFC 7519): HS256 only, the documented claims only.

use duologue_signaling::ids::User;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use crate::config::ServicePolicy;
use crate::store::ApiKey;

/// Why a token is not taken; for the log, clients only hear SERVICE_ACCESS_TOKEN_ERROR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("no valid key of the service signed it")]
    Signature,
    #[error("it is for another service or user, or names another key")]
    Claims,
    #[error("it is too old, or from the future")]
    Age,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    uid: String,
    iss: String,
    iat: u64,
}

/// Checks that one of the service's `keys` made `token` for `user`, not too long ago.
pub(crate) fn verify(
    token: &str,
    user: &User,
    keys: &[ApiKey],
    policy: &ServicePolicy,
    now_ms: u64,
) -> Result<(), TokenError> {
    // The algorithm is named here and not read from the token: neither `none` nor a public-key algorithm gets through
    // (RFC 8725 §3.1). The library's comparison takes constant time.
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims.clear();
    // The contract has no `exp`: age is judged by `iat`. The contract has no audience either.
    validation.validate_exp = false;
    validation.validate_aud = false;
    let mut signed = keys.iter().filter_map(|key| {
        let decoding = DecodingKey::from_secret(key.secret.as_bytes());
        Some((
            key,
            jsonwebtoken::decode::<Claims>(token, &decoding, &validation)
                .ok()?
                .claims,
        ))
    });
    let (key, claims) = signed.next().ok_or(TokenError::Signature)?;
    if claims.iss != key.key || claims.sub != user.service_id.as_str() || claims.uid != user.user_id.as_str() {
        return Err(TokenError::Claims);
    }
    let issued = claims.iat.saturating_mul(1_000);
    let too_new = issued > now_ms.saturating_add(policy.token_leeway_ms);
    let too_old = issued.saturating_add(policy.token_max_age_ms) < now_ms;
    if too_new || too_old {
        Err(TokenError::Age)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
