use bytes::BufMut;

use super::error::EmitError;

/// The profile word of one-byte elements (RFC 8285 §4.2).
const ONE_BYTE: u16 = 0xBEDE;
/// The profile word of two-byte elements, without its four application bits (RFC 8285 §4.3).
const TWO_BYTE: u16 = 0x1000;

/// The header extension of a packet, not yet split into elements (RFC 3550 §5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderExtension<'a> {
    /// The sixteen bits "defined by profile"; they tell the form of the elements.
    pub profile: u16,
    /// The words after it.
    pub data: &'a [u8],
}

impl<'a> HeaderExtension<'a> {
    /// The elements, when the profile is one of the two of RFC 8285; else none.
    #[must_use]
    pub fn elements(&self) -> Extensions<'a> {
        match self.profile {
            ONE_BYTE => Extensions {
                rest: self.data,
                two_byte: false,
            },
            profile if profile & 0xfff0 == TWO_BYTE => Extensions {
                rest: self.data,
                two_byte: true,
            },
            _ => Extensions::default(),
        }
    }
}

/// One element of a header extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension<'a> {
    /// The local identifier that the session description maps to a meaning; 1..=14 in the one-byte form, else 1..=255.
    pub id: u8,
    /// Its data: 1..=16 bytes in the one-byte form, else 0..=255.
    pub data: &'a [u8],
}

/// Iterates over the elements of a header extension; stops at the first that does not fit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extensions<'a> {
    rest: &'a [u8],
    two_byte: bool,
}

impl<'a> Iterator for Extensions<'a> {
    type Item = Extension<'a>;

    fn next(&mut self) -> Option<Extension<'a>> {
        loop {
            let (&first, rest) = self.rest.split_first()?;
            // RFC 8285 §4.1.1: a zero byte is padding, between elements or at the end.
            if first == 0 {
                self.rest = rest;
                continue;
            }
            let (id, length, rest) = if self.two_byte {
                let (&length, rest) = rest.split_first()?;
                (first, usize::from(length), rest)
            } else {
                (first >> 4, usize::from(first & 0x0f) + 1, rest)
            };
            // RFC 8285 §4.2: id 15, and id 0 with a length, end the processing.
            if !self.two_byte && (id == 15 || id == 0) {
                self.rest = &[];
                return None;
            }
            let Some((data, rest)) = rest.split_at_checked(length) else {
                self.rest = &[];
                return None;
            };
            self.rest = rest;
            return Some(Extension { id, data });
        }
    }
}

/// Bytes that [`emit`] will write, its own header included; 0 for no elements.
pub(super) fn emitted_len(elements: &[Extension<'_>]) -> Result<usize, EmitError> {
    if elements.is_empty() {
        return Ok(0);
    }
    if let Some(bad) = elements
        .iter()
        .find(|element| element.id == 0 || element.data.len() > 255)
    {
        return Err(EmitError::Extension {
            id: bad.id,
            length: bad.data.len(),
        });
    }
    let overhead = if fits_one_byte(elements) { 1 } else { 2 };
    let data: usize = elements.iter().map(|element| overhead + element.data.len()).sum();
    let padded = data.next_multiple_of(4);
    if padded / 4 > usize::from(u16::MAX) {
        return Err(EmitError::ExtensionsTooLong(data));
    }
    Ok(4 + padded)
}

/// Writes elements that [`emitted_len`] accepted.
pub(super) fn emit(elements: &[Extension<'_>], out: &mut impl BufMut) {
    if elements.is_empty() {
        return;
    }
    let one_byte = fits_one_byte(elements);
    let overhead = if one_byte { 1 } else { 2 };
    let data: usize = elements.iter().map(|element| overhead + element.data.len()).sum();
    out.put_u16(if one_byte { ONE_BYTE } else { TWO_BYTE });
    out.put_u16(data.div_ceil(4) as u16);
    for element in elements {
        if one_byte {
            out.put_u8((element.id << 4) | (element.data.len() - 1) as u8);
        } else {
            out.put_u8(element.id);
            out.put_u8(element.data.len() as u8);
        }
        out.put_slice(element.data);
    }
    out.put_bytes(0, data.next_multiple_of(4) - data);
}

/// Whether every element fits the one-byte form (RFC 8285 §4.2).
fn fits_one_byte(elements: &[Extension<'_>]) -> bool {
    elements
        .iter()
        .all(|element| (1..=14).contains(&element.id) && (1..=16).contains(&element.data.len()))
}
