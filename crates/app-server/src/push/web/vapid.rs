//! Voluntary Application Server Identification, RFC 8292: push services take messages only from the key that the browser
//! subscribed with.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::error::WebPushError;

/// How long a token counts, in seconds. RFC 8292 §2 allows a day; half of it leaves room for clocks that are wrong.
const VALID: u64 = 12 * 3_600;

/// The key that an application server signs its push messages with. Browsers subscribe with its public half, so keep it:
/// with another key every subscription is void.
pub struct VapidKey {
    pair: EcdsaKeyPair,
}

impl fmt::Debug for VapidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VapidKey")
            .field("public_key", &self.public_key())
            .finish_non_exhaustive()
    }
}

/// The text is not a key that [`VapidKey::to_text`] made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a VAPID key: it must be a P-256 private key, PKCS #8 in base64url")]
pub struct VapidKeyError;

impl VapidKey {
    /// Makes a new key.
    ///
    /// # Errors
    ///
    /// [`WebPushError::Crypto`] when the crypto library fails.
    pub fn generate() -> Result<Self, WebPushError> {
        EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map(|pair| Self { pair })
            .map_err(|_| WebPushError::Crypto)
    }

    /// The private key as PKCS #8 in base64url, to be kept secret.
    ///
    /// # Errors
    ///
    /// [`WebPushError::Crypto`] when the crypto library fails.
    pub fn to_text(&self) -> Result<String, WebPushError> {
        let document = self.pair.to_pkcs8v1().map_err(|_| WebPushError::Crypto)?;
        Ok(URL_SAFE_NO_PAD.encode(document.as_ref()))
    }

    /// Reads what [`to_text`](Self::to_text) gave.
    ///
    /// # Errors
    ///
    /// [`VapidKeyError`] for any other text.
    pub fn from_text(text: &str) -> Result<Self, VapidKeyError> {
        let document = URL_SAFE_NO_PAD.decode(text).map_err(|_| VapidKeyError)?;
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &document)
            .map(|pair| Self { pair })
            .map_err(|_| VapidKeyError)
    }

    /// The public key as browsers want it (`applicationServerKey`): the uncompressed point, 65 bytes, in base64url.
    pub fn public_key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.pair.public_key().as_ref())
    }

    /// The value of the header `Authorization` for a push service. `audience` is the origin of the endpoint, `contact` a
    /// `mailto:` or `https:` address for its operator, `now` is in Unix seconds.
    pub(super) fn authorization(
        &self,
        audience: &str,
        contact: Option<&str>,
        now: u64,
    ) -> Result<String, WebPushError> {
        // RFC 8292 §2: a JWT (RFC 7519) with `aud`, `exp` and, if the operator gives one, `sub` (§2.1).
        let mut claims = json!({ "aud": audience, "exp": now + VALID });
        if let Some(contact) = contact {
            claims["sub"] = contact.into();
        }
        let mut token = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"ES256"}"#);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut token);
        // RFC 7518 §3.4: ES256 is the two numbers one after the other, not DER.
        let signature = self
            .pair
            .sign(&SystemRandom::new(), token.as_bytes())
            .map_err(|_| WebPushError::Crypto)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token);
        // RFC 8292 §3.
        Ok(format!("vapid t={token}, k={}", self.public_key()))
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_token_has_the_shape_and_signature_of_the_rfc() {
        let key = VapidKey::generate().unwrap();
        let header = key
            .authorization("https://push.example", Some("mailto:ops@example.com"), 1_000)
            .unwrap();
        let (token, public) = header
            .strip_prefix("vapid t=")
            .and_then(|rest| rest.split_once(", k="))
            .unwrap();
        assert_eq!(public, key.public_key());
        let point = URL_SAFE_NO_PAD.decode(public).unwrap();
        assert_eq!((point.len(), point[0]), (65, 4));

        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        assert_eq!(signature.len(), 64);
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point);
        public.verify(signed.as_bytes(), &signature).unwrap();
        assert!(public.verify(b"another text", &signature).is_err());

        let parts: Vec<Value> = signed
            .split('.')
            .map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
            .collect();
        assert_eq!(parts[0], json!({ "typ": "JWT", "alg": "ES256" }));
        assert_eq!(
            parts[1],
            json!({ "aud": "https://push.example", "exp": 44_200, "sub": "mailto:ops@example.com" })
        );
        let anonymous = key.authorization("https://push.example", None, 1_000).unwrap();
        let claims = URL_SAFE_NO_PAD.decode(anonymous.split('.').nth(1).unwrap()).unwrap();
        assert!(serde_json::from_slice::<Value>(&claims).unwrap().get("sub").is_none());
    }

    #[test]
    fn a_key_survives_being_written_down() {
        let key = VapidKey::generate().unwrap();
        let again = VapidKey::from_text(&key.to_text().unwrap()).unwrap();
        assert_eq!(again.public_key(), key.public_key());
        assert!(!format!("{key:?}").contains(&key.to_text().unwrap()));
        for text in ["", "AAAA", "not base64!", &key.public_key()] {
            assert_eq!(VapidKey::from_text(text).err(), Some(VapidKeyError), "{text}");
        }
    }
}
