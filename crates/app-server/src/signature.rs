//! The signature that the call server puts on its callbacks.

use aws_lc_rs::hmac;

/// The header that carries the signature: `t=<Unix seconds>,v1=<hex>[,v1=<hex>…]`.
///
/// Each `v1` is HMAC-SHA256 over `<t>.<path and query>` under one of the service's API secrets; while a key is being
/// rotated there are two, and one that matches is enough.
pub const SIGNATURE_HEADER: &str = "duologue-signature";

/// Most `v1` values looked at.
const MOST_SIGNATURES: usize = 4;

/// Why a callback is not taken for the call server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// There is no signature, or it has another form.
    #[error("the signature header is missing or malformed")]
    Malformed,
    /// It was signed too long ago, or is from the future: somebody repeats an old callback, or a clock is wrong.
    #[error("the signature is {age} s old")]
    Stale {
        /// Seconds between signing and now; negative when it is from the future.
        age: i64,
    },
    /// No signature matches.
    #[error("the signature does not match")]
    Mismatch,
}

/// Checks that a callback comes from the call server.
///
/// `path_and_query` is the request target exactly as received (`/notify?sid=…`), `header` the value of
/// [`SIGNATURE_HEADER`], `now` and `max_age` are in seconds. The comparison takes the same time wherever a forgery differs.
///
/// # Errors
///
/// See [`SignatureError`].
pub fn verify_signature(
    api_secret: &str,
    path_and_query: &str,
    header: &str,
    now: u64,
    max_age: u64,
) -> Result<(), SignatureError> {
    let mut time = None;
    let mut signatures = Vec::new();
    for part in header.split(',').take(MOST_SIGNATURES + 1) {
        match part.trim().split_once('=') {
            Some(("t", value)) => time = value.parse::<u64>().ok(),
            Some(("v1", value)) => signatures.push(unhex(value).ok_or(SignatureError::Malformed)?),
            _ => {}
        }
    }
    let time = time.ok_or(SignatureError::Malformed)?;
    if signatures.is_empty() {
        return Err(SignatureError::Malformed);
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, api_secret.as_bytes());
    let message = format!("{time}.{path_and_query}");
    // The age comes second, so that a forger learns nothing about the clock.
    if !signatures
        .iter()
        .any(|signature| hmac::verify(&key, message.as_bytes(), signature).is_ok())
    {
        return Err(SignatureError::Mismatch);
    }
    if now.abs_diff(time) > max_age {
        return Err(SignatureError::Stale {
            age: now as i64 - time as i64,
        });
    }
    Ok(())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn sign(secret: &str, time: u64, target: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, format!("{time}.{target}").as_bytes());
        tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn either_key_of_a_rotation_will_do() {
        let target = "/notify?sid=1";
        let header = format!(
            "t=1000,v1={},v1={}",
            sign("old", 1000, target),
            sign(SECRET, 1000, target)
        );
        assert_eq!(verify_signature(SECRET, target, &header, 1010, 60), Ok(()));
        assert_eq!(verify_signature("old", target, &header, 1010, 60), Ok(()));
        assert_eq!(
            verify_signature("new", target, &header, 1010, 60),
            Err(SignatureError::Mismatch)
        );
    }

    #[test]
    fn a_changed_or_repeated_callback_is_refused() {
        let header = format!("t=1000,v1={}", sign(SECRET, 1000, "/notify?sid=1"));
        assert_eq!(
            verify_signature(SECRET, "/notify?sid=2", &header, 1000, 60),
            Err(SignatureError::Mismatch)
        );
        assert_eq!(
            verify_signature(SECRET, "/notify?sid=1", &header, 1061, 60),
            Err(SignatureError::Stale { age: 61 })
        );
        let later = header.replace("t=1000", "t=1061");
        assert_eq!(
            verify_signature(SECRET, "/notify?sid=1", &later, 1061, 60),
            Err(SignatureError::Mismatch)
        );
    }

    #[test]
    fn other_forms_are_malformed() {
        for header in ["", "t=1", "v1=00", "t=x,v1=00", "t=1,v1=zz", "t=1,v1=é"] {
            assert_eq!(
                verify_signature(SECRET, "/", header, 1, 60),
                Err(SignatureError::Malformed),
                "{header}"
            );
        }
    }
}
