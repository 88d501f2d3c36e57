//! The code by which two users see that nobody sits between their devices. `VERIFICATION.md` has the derivation.

use std::fmt;

use aws_lc_rs::{digest, hkdf};

/// Bytes of a SHA-256 fingerprint, a nonce and a commitment.
pub(crate) const LENGTH: usize = 32;
/// What a commitment, a nonce or a fingerprint is.
pub(crate) type Bytes32 = [u8; LENGTH];

/// Symbols of a code: 30 bits.
const SYMBOLS: usize = 5;
const INFO: &[u8] = b"duologue verification code v1";
const TABLE: &str = include_str!("verification/symbols.tsv");

/// Five symbols that both ends of a call show: the same ones if and only if nobody sits between the two devices.
///
/// `Display` writes the emoji, with a space between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VerificationCode {
    rows: [u8; SYMBOLS],
}

/// One symbol of a [`VerificationCode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct VerificationSymbol {
    /// A picture: one code point.
    pub emoji: &'static str,
    /// Its name in English.
    pub english: &'static str,
    /// Its name in Japanese.
    pub japanese: &'static str,
}

/// What the two ends have put together. Which of them is asked does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ingredients {
    pub(crate) caller_fingerprint: Bytes32,
    pub(crate) callee_fingerprint: Bytes32,
    pub(crate) caller_nonce: Bytes32,
    pub(crate) callee_nonce: Bytes32,
}

impl VerificationCode {
    /// The symbols, in the order in which they are shown.
    pub fn symbols(&self) -> [VerificationSymbol; SYMBOLS] {
        self.rows.map(symbol)
    }

    /// The emoji, with a space between them.
    pub fn emoji(&self) -> String {
        self.join(|symbol| symbol.emoji)
    }

    /// The English words, with a space between them.
    pub fn english(&self) -> String {
        self.join(|symbol| symbol.english)
    }

    /// The Japanese words, with a space between them.
    pub fn japanese(&self) -> String {
        self.join(|symbol| symbol.japanese)
    }

    fn join(&self, part: impl Fn(VerificationSymbol) -> &'static str) -> String {
        self.symbols().map(part).join(" ")
    }

    /// The code of a call.
    pub(crate) fn derive(of: &Ingredients) -> Self {
        let salt = [of.caller_nonce, of.callee_nonce].concat();
        let secret = [of.caller_fingerprint, of.callee_fingerprint].concat();
        let word = u32::from_be_bytes(expand(&salt, &secret));
        let row = |index: usize| (word >> (26 - 6 * index) & 63) as u8;
        Self {
            rows: std::array::from_fn(row),
        }
    }
}

impl fmt::Display for VerificationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.emoji())
    }
}

/// What the caller says at first: it can change neither its certificate nor its nonce any more, and has shown neither.
pub(crate) fn commitment(fingerprint: &Bytes32, nonce: &Bytes32) -> Bytes32 {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(fingerprint);
    context.update(nonce);
    let mut bytes = [0; LENGTH];
    bytes.copy_from_slice(context.finish().as_ref());
    bytes
}

/// The wire form of nonces and commitments.
pub(crate) fn to_hex(bytes: &Bytes32) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads the wire form; `None` for anything but 64 lower-case digits.
pub(crate) fn from_hex(text: &str) -> Option<Bytes32> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; LENGTH];
    if text.len() != 2 * LENGTH {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

struct Four;

impl hkdf::KeyType for Four {
    fn len(&self) -> usize {
        4
    }
}

/// RFC 5869 with SHA-256, four bytes.
fn expand(salt: &[u8], secret: &[u8]) -> [u8; 4] {
    let key = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret);
    let mut bytes = [0; 4];
    key.expand(&[INFO], Four)
        .and_then(|okm| okm.fill(&mut bytes))
        .expect("four bytes are within what RFC 5869 §2.3 allows");
    bytes
}

fn symbol(row: u8) -> VerificationSymbol {
    let mut columns = TABLE.lines().nth(row.into()).unwrap_or_default().split('\t');
    let mut column = || columns.next().unwrap_or_default();
    VerificationSymbol {
        emoji: column(),
        english: column(),
        japanese: column(),
    }
}

#[cfg(test)]
mod tests;
