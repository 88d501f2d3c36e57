//! Long-term credentials that expire: made by whoever knows the secret, checked without being stored.

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest as _, Md5};

use crate::message::{Integrity, Message, attribute};

/// Longest part of a username after the expiry, in bytes.
pub const LONGEST_USER: usize = 128;

/// What a client shows to the server: `<expiry>:<user>` and base64(HMAC-SHA1(secret, username)), as the draft "A REST API
/// for access to TURN services" has it and coturn understands it with `use-auth-secret`.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// Expiry in Unix seconds, a colon, the user.
    pub username: String,
    /// The password that goes with it.
    pub password: String,
}

impl Credential {
    /// Makes the credential of `user` that is good until `expiry`, in Unix seconds. The user travels in clear: it should be
    /// a pseudonym of at most [`LONGEST_USER`] bytes.
    pub fn mint(secret: &[u8], user: &str, expiry: u64) -> Self {
        let username = format!("{expiry}:{user}");
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
        let password = BASE64_STANDARD.encode(hmac::sign(&key, username.as_bytes()));
        Self { username, password }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// The secrets that are believed, as keys.
pub(crate) struct Secrets {
    keys: Vec<hmac::Key>,
    realm: String,
}

/// Proof that the client knows a password, and the key for the answer.
#[derive(Debug)]
pub(crate) struct Proven<'a> {
    /// The user, without the expiry.
    pub(crate) user: &'a [u8],
    pub(crate) signer: Signer,
}

/// Signs answers with the client's own key.
#[derive(Clone, Copy)]
pub(crate) struct Signer {
    key: [u8; 16],
    sha256: bool,
}

/// Why there is no proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unproven {
    Username,
    Expired,
    Integrity,
}

impl Secrets {
    pub(crate) fn new(secrets: &[Vec<u8>], realm: String) -> Self {
        let keys = secrets
            .iter()
            .map(|secret| hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret))
            .collect();
        Self { keys, realm }
    }

    /// Whether there is any: with none, nobody can allocate.
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(crate) fn realm(&self) -> &str {
        &self.realm
    }

    /// Checks username, expiry and integrity, which the caller knows to be there.
    pub(crate) fn check<'a>(&self, message: &Message<'a>, unix_seconds: u64) -> Result<Proven<'a>, Unproven> {
        let username = message.username.ok_or(Unproven::Username)?;
        let (expiry, user) = split(username).ok_or(Unproven::Username)?;
        if expiry <= unix_seconds {
            return Err(Unproven::Expired);
        }
        let mut proven = None;
        // No early end: which of the secrets it was is nobody's business.
        for secret in &self.keys {
            let password = BASE64_STANDARD.encode(hmac::sign(secret, username));
            let key = long_term_key(username, self.realm.as_bytes(), password.as_bytes());
            if verify(message, &key) {
                proven = Some(key);
            }
        }
        let sha256 = message.sha256.is_some();
        proven
            .map(|key| Proven {
                user,
                signer: Signer { key, sha256 },
            })
            .ok_or(Unproven::Integrity)
    }
}

impl Signer {
    /// The attribute that the answer carries, and its size: the same kind that the request had (RFC 8489 §9.2.4).
    pub(crate) fn attribute(self) -> (u16, usize) {
        if self.sha256 {
            (attribute::MESSAGE_INTEGRITY_SHA256, 32)
        } else {
            (attribute::MESSAGE_INTEGRITY, 20)
        }
    }

    /// The tag of the answer.
    pub(crate) fn sign(self, bytes: &[u8]) -> Vec<u8> {
        hmac::sign(&mac_key(&self.key, self.sha256), bytes).as_ref().to_vec()
    }
}

/// `<expiry>:<user>`.
fn split(username: &[u8]) -> Option<(u64, &[u8])> {
    let colon = username.iter().position(|byte| *byte == b':')?;
    let (expiry, user) = (&username[..colon], &username[colon + 1..]);
    if user.is_empty() || user.len() > LONGEST_USER || expiry.is_empty() || expiry.len() > 19 {
        return None;
    }
    let digits = expiry.iter().all(u8::is_ascii_digit).then_some(expiry)?;
    let seconds = digits
        .iter()
        .fold(0, |seconds, digit| seconds * 10 + u64::from(digit - b'0'));
    Some((seconds, user))
}

/// RFC 8489 §9.2.2, with MD5 because without PASSWORD-ALGORITHM that is the algorithm (§9.2.4).
pub(crate) fn long_term_key(username: &[u8], realm: &[u8], password: &[u8]) -> [u8; 16] {
    let mut hash = Md5::new();
    hash.update(username);
    hash.update(b":");
    hash.update(realm);
    hash.update(b":");
    hash.update(password);
    hash.finalize().into()
}

fn mac_key(key: &[u8; 16], sha256: bool) -> hmac::Key {
    let algorithm = if sha256 {
        hmac::HMAC_SHA256
    } else {
        hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY
    };
    hmac::Key::new(algorithm, key)
}

/// RFC 8489 §9.2.4: with both attributes present the stronger one is checked.
fn verify(message: &Message<'_>, key: &[u8; 16]) -> bool {
    match (message.sha256, message.sha1) {
        // §14.6: may be shortened to 16 bytes at the least, in whole words.
        (Some(integrity), _) => {
            matches!(integrity.tag.len(), 16 | 20 | 24 | 28 | 32) && tag_matches(message.bytes, integrity, key, true)
        }
        (None, Some(integrity)) => integrity.tag.len() == 20 && tag_matches(message.bytes, integrity, key, false),
        (None, None) => false,
    }
}

fn tag_matches(bytes: &[u8], integrity: Integrity<'_>, key: &[u8; 16], sha256: bool) -> bool {
    // The length that the sender signed ends with the integrity attribute itself (RFC 8489 §14.5).
    let end = integrity.offset + 4 + integrity.tag.len() - crate::message::HEADER;
    let mut context = hmac::Context::with_key(&mac_key(key, sha256));
    context.update(&bytes[..2]);
    context.update(&(end as u16).to_be_bytes());
    context.update(&bytes[4..integrity.offset]);
    let tag = context.sign();
    constant_time::verify_slices_are_equal(&tag.as_ref()[..integrity.tag.len()], integrity.tag).is_ok()
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("sha256", &self.sha256)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets")
            .field("count", &self.keys.len())
            .field("realm", &self.realm)
            .finish()
    }
}

#[cfg(test)]
mod tests;
