//! User name fragment and password.

use std::fmt;

use crate::rng::Rng;

/// One side's ICE credentials (RFC 8445 §5.3). `Debug` hides the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User name fragment: 4 to 256 characters of the alphabet of RFC 8839 §5.4.
    pub ufrag: String,
    /// Password: 22 to 256 characters of the same alphabet.
    pub pwd: String,
}

impl Credentials {
    /// 48 bits of user name and 192 bits of password, from the cryptographic generator.
    pub(crate) fn generate(rng: &mut Rng) -> Self {
        Self {
            ufrag: token(rng, 8),
            pwd: token(rng, 32),
        }
    }

    /// Whether a message has room for them: at most 256 characters each (RFC 8839 §5.4).
    pub(crate) fn fits(&self) -> bool {
        self.ufrag.len() <= MAX_LENGTH && self.pwd.len() <= MAX_LENGTH
    }

    /// Whether both parts have the length and the alphabet that RFC 8839 §5.4 asks for.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let chars = |s: &str| s.bytes().all(|b| ALPHABET.contains(&b));
        (4..=MAX_LENGTH).contains(&self.ufrag.len())
            && (22..=MAX_LENGTH).contains(&self.pwd.len())
            && chars(&self.ufrag)
            && chars(&self.pwd)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("ufrag", &self.ufrag)
            .field("pwd", &"…")
            .finish()
    }
}

/// Greatest length of either part.
const MAX_LENGTH: usize = 256;

/// `ice-char` of RFC 8839 §5.4: 64 characters, six bits each.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn token(rng: &mut Rng, length: usize) -> String {
    (0..length)
        .map(|_| char::from(ALPHABET[(rng.next_u32() & 63) as usize]))
        .collect()
}
