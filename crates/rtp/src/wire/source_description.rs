use super::error::{ParseError, u32_at};

/// A borrowed source description (RFC 3550 §6.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceDescription<'a> {
    chunks: u8,
    body: &'a [u8],
}

impl<'a> SourceDescription<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<Self, ParseError> {
        if count > 0 {
            u32_at(body, 0)?;
        }
        Ok(Self { chunks: count, body })
    }

    /// The items of all chunks in order; ends at the first that does not fit.
    #[must_use]
    pub fn items(&self) -> SdesItems<'a> {
        SdesItems {
            chunks_left: self.chunks,
            source: None,
            body: self.body,
            at: 0,
        }
    }
}

/// One item of a source description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SdesItem<'a> {
    /// The source that it describes.
    pub ssrc: u32,
    /// Its type; [`SdesItem::CNAME`] is the only mandatory one.
    pub kind: u8,
    /// Its text, UTF-8 by the RFC but unchecked here; ≤ 255 bytes.
    pub text: &'a [u8],
}

impl SdesItem<'_> {
    /// Canonical end-point name (RFC 3550 §6.5.1).
    pub const CNAME: u8 = 1;
}

/// Iterates over the items of a source description.
#[derive(Clone, Copy, Debug)]
pub struct SdesItems<'a> {
    chunks_left: u8,
    source: Option<u32>,
    body: &'a [u8],
    at: usize,
}

impl<'a> Iterator for SdesItems<'a> {
    type Item = SdesItem<'a>;

    fn next(&mut self) -> Option<SdesItem<'a>> {
        loop {
            let Some(ssrc) = self.source else {
                self.chunks_left = self.chunks_left.checked_sub(1)?;
                self.source = Some(u32_at(self.body, self.at).ok()?);
                self.at += 4;
                continue;
            };
            let kind = *self.body.get(self.at)?;
            if kind == 0 {
                // RFC 3550 §6.5: zero bytes end a chunk and fill it up to the next word.
                self.at = (self.at + 1).next_multiple_of(4);
                self.source = None;
                continue;
            }
            let length = usize::from(*self.body.get(self.at + 1)?);
            let start = self.at + 2;
            let text = self.body.get(start..start + length)?;
            self.at = start + length;
            return Some(SdesItem { ssrc, kind, text });
        }
    }
}
