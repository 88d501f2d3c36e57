//! A browser's push subscription, as it comes in from the outside.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::agreement::{ECDH_P256, ParsedPublicKey, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::GeneralPurposeConfig;
use base64::engine::{DecodePaddingMode, GeneralPurpose};
use serde::{Deserialize, Serialize};

use super::endpoint::{EndpointError, EndpointPolicy};

/// An uncompressed point of P-256.
pub(super) const POINT: usize = 65;
/// The authentication secret, RFC 8291 §3.2.
pub(super) const AUTH: usize = 16;
/// SEC 1 §2.3.3: the first byte of an uncompressed point.
const UNCOMPRESSED: u8 = 4;

const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Where, and under which keys, one browser gets push messages: what `PushSubscription.toJSON()` gives, checked.
#[derive(Clone, PartialEq, Eq)]
pub struct PushSubscription {
    pub(super) endpoint: String,
    pub(super) p256dh: [u8; POINT],
    pub(super) auth: [u8; AUTH],
    /// Unix time.
    pub(super) expires: Option<Duration>,
}

/// The endpoint and the keys let anybody send to this browser, so they are not shown.
impl fmt::Debug for PushSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushSubscription").finish_non_exhaustive()
    }
}

/// Why a push subscription is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubscriptionError {
    /// Its address is none that may be sent to.
    #[error("endpoint: {0}")]
    Endpoint(#[from] EndpointError),
    /// A key is not base64url (RFC 4648 §5).
    #[error("keys.{0} is not base64url")]
    Encoding(&'static str),
    /// A key has another length.
    #[error("keys.{name} has {length} bytes and must have {expected}")]
    Length {
        /// The key's name.
        name: &'static str,
        /// Its length in bytes.
        length: usize,
        /// What it must be.
        expected: usize,
    },
    /// The public key is not an uncompressed point on the curve.
    #[error("keys.p256dh is not an uncompressed point on the curve P-256")]
    Point,
    /// `expirationTime` has passed.
    #[error("the subscription has expired: subscribe again")]
    Expired,
}

/// `PushSubscriptionJSON` of the Push API, §8.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SubscriptionJson {
    pub(crate) endpoint: String,
    /// Milliseconds of Unix time.
    #[serde(rename = "expirationTime", default, skip_serializing_if = "Option::is_none")]
    expiration_time: Option<f64>,
    keys: Keys,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Keys {
    p256dh: String,
    auth: String,
}

impl PushSubscription {
    /// Checks a subscription that a browser has sent: `endpoint`, and `keys.p256dh` and `keys.auth` in base64url.
    ///
    /// # Errors
    ///
    /// [`SubscriptionError`] says which part cannot be used.
    pub fn new(endpoint: &str, p256dh: &str, auth: &str, policy: EndpointPolicy) -> Result<Self, SubscriptionError> {
        policy.check(endpoint)?;
        let p256dh: [u8; POINT] = key("p256dh", p256dh)?;
        let auth = key("auth", auth)?;
        // The library also takes compressed points and whole certificates' keys. RFC 8291 §4 has only this form.
        let on_curve = ParsedPublicKey::try_from(UnparsedPublicKey::new(&ECDH_P256, p256dh.as_slice())).is_ok();
        if p256dh[0] != UNCOMPRESSED || !on_curve {
            return Err(SubscriptionError::Point);
        }
        Ok(Self {
            endpoint: endpoint.to_owned(),
            p256dh,
            auth,
            expires: None,
        })
    }

    /// The push service's address for this browser. Whoever knows it and the keys can send to the browser.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(crate) fn from_json(json: &SubscriptionJson, policy: EndpointPolicy) -> Result<Self, SubscriptionError> {
        let mut subscription = Self::new(&json.endpoint, &json.keys.p256dh, &json.keys.auth, policy)?;
        // A number that is no time at all is as good as none: the push service tells when it is over.
        subscription.expires = json
            .expiration_time
            .and_then(|ms| Duration::try_from_secs_f64(ms / 1_000.0).ok());
        if subscription.is_expired() {
            return Err(SubscriptionError::Expired);
        }
        Ok(subscription)
    }

    pub(super) fn to_json(&self) -> SubscriptionJson {
        SubscriptionJson {
            endpoint: self.endpoint.clone(),
            expiration_time: self.expires.map(|at| at.as_secs_f64() * 1_000.0),
            keys: Keys {
                p256dh: BASE64URL.encode(self.p256dh),
                auth: BASE64URL.encode(self.auth),
            },
        }
    }

    pub(super) fn is_expired(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.expires.is_some_and(|at| at <= now)
    }
}

fn key<const N: usize>(name: &'static str, text: &str) -> Result<[u8; N], SubscriptionError> {
    let bytes = BASE64URL.decode(text).map_err(|_| SubscriptionError::Encoding(name))?;
    bytes.as_slice().try_into().map_err(|_| SubscriptionError::Length {
        name,
        length: bytes.len(),
        expected: N,
    })
}

#[cfg(test)]
#[path = "subscription/tests.rs"]
mod tests;
