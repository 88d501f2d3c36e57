use super::Words;
use super::error::{ParseError, slice};

/// A borrowed goodbye (RFC 3550 §6.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goodbye<'a> {
    /// The sources that leave, at most 31.
    pub sources: Words<'a>,
    /// The text that says why, UTF-8 by the RFC but unchecked here; ≤ 255 bytes.
    pub reason: Option<&'a [u8]>,
}

impl<'a> Goodbye<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<Self, ParseError> {
        let end = 4 * usize::from(count);
        let sources = Words(slice(body, 0, end)?);
        let reason = match body.get(end) {
            None => None,
            Some(&length) => Some(slice(body, end + 1, end + 1 + usize::from(length))?),
        };
        Ok(Self { sources, reason })
    }
}
