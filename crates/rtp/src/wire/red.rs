use bytes::BufMut;

use super::error::{EmitError, ParseError, slice};

/// One block of a redundant payload (RFC 2198 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedBlock<'a> {
    /// Payload type of the block, 0..=127.
    pub payload_type: u8,
    /// How much older than the packet the block is, in clock units; 0 for the primary block, at most
    /// [`MAX_OFFSET`](Self::MAX_OFFSET).
    pub timestamp_offset: u16,
    /// The block's own payload.
    pub payload: &'a [u8],
}

impl RedBlock<'_> {
    /// Fourteen bits of timestamp offset.
    pub const MAX_OFFSET: u16 = 0x3fff;
    /// Ten bits of block length, in bytes.
    pub const MAX_LENGTH: usize = 0x3ff;
    /// Bytes of header in front of a redundant block.
    pub const HEADER: usize = 4;
    /// Bytes of header in front of the primary block.
    pub const PRIMARY_HEADER: usize = 1;
}

/// A borrowed redundant payload: copies of earlier packets, and the packet's own payload after them (RFC 2198).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedPayload<'a> {
    /// The block that the packet's timestamp belongs to.
    pub primary: RedBlock<'a>,
    headers: &'a [u8],
    blocks: &'a [u8],
}

impl<'a> RedPayload<'a> {
    /// Reads the payload of an RTP packet.
    ///
    /// # Errors
    /// [`ParseError::Truncated`] when a header or a block that a header promises is missing.
    pub fn parse(payload: &'a [u8]) -> Result<Self, ParseError> {
        let (mut at, mut promised) = (0, 0);
        // RFC 2198 §3: the first bit of a header says whether another header follows.
        loop {
            match *slice(payload, at, at + RedBlock::PRIMARY_HEADER)? {
                [first] if first & 0x80 != 0 => {
                    let [_, _, high, low] = *slice(payload, at, at + RedBlock::HEADER)? else {
                        return Err(ParseError::Truncated {
                            needed: at + RedBlock::HEADER,
                            available: payload.len(),
                        });
                    };
                    promised += usize::from(u16::from_be_bytes([high, low])) & RedBlock::MAX_LENGTH;
                    at += RedBlock::HEADER;
                }
                [first] => {
                    let body = at + RedBlock::PRIMARY_HEADER;
                    let blocks = slice(payload, body, body + promised)?;
                    return Ok(Self {
                        primary: RedBlock {
                            payload_type: first,
                            timestamp_offset: 0,
                            payload: &payload[body + promised..],
                        },
                        headers: &payload[..at],
                        blocks,
                    });
                }
                _ => {
                    return Err(ParseError::Truncated {
                        needed: at + RedBlock::PRIMARY_HEADER,
                        available: payload.len(),
                    });
                }
            }
        }
    }

    /// The redundant blocks in the order in which they lie in the packet: usually the oldest first.
    #[must_use]
    pub fn redundant(&self) -> RedBlocks<'a> {
        RedBlocks {
            headers: self.headers,
            blocks: self.blocks,
        }
    }
}

/// Iterates over the redundant blocks of a [`RedPayload`].
#[derive(Clone, Copy, Debug)]
pub struct RedBlocks<'a> {
    headers: &'a [u8],
    blocks: &'a [u8],
}

impl RedBlocks<'_> {
    /// How many are left.
    #[must_use]
    pub fn count_left(&self) -> usize {
        self.headers.len() / RedBlock::HEADER
    }
}

impl<'a> Iterator for RedBlocks<'a> {
    type Item = RedBlock<'a>;

    fn next(&mut self) -> Option<RedBlock<'a>> {
        let (&[first, second, third, fourth], headers) = self.headers.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes([third, fourth])) & RedBlock::MAX_LENGTH;
        let (payload, blocks) = self.blocks.split_at_checked(length)?;
        (self.headers, self.blocks) = (headers, blocks);
        Some(RedBlock {
            payload_type: first & 0x7f,
            timestamp_offset: u16::from_be_bytes([second, third]) >> 2,
            payload,
        })
    }
}

/// Appends a redundant payload: `redundant`, oldest first, and then the packet's own `primary` payload.
///
/// # Errors
/// [`EmitError`] when a field of a redundant block does not fit its header; nothing is written then.
pub fn emit_red(
    redundant: &[RedBlock<'_>],
    payload_type: u8,
    primary: &[u8],
    out: &mut impl BufMut,
) -> Result<(), EmitError> {
    for block in redundant {
        if block.timestamp_offset > RedBlock::MAX_OFFSET || block.payload.len() > RedBlock::MAX_LENGTH {
            return Err(EmitError::RedundantBlock {
                timestamp_offset: block.timestamp_offset,
                length: block.payload.len(),
            });
        }
    }
    let payload_types = redundant.iter().map(|block| block.payload_type).chain([payload_type]);
    if let Some(payload_type) = payload_types.into_iter().find(|payload_type| *payload_type > 127) {
        return Err(EmitError::PayloadType(payload_type));
    }
    for block in redundant {
        out.put_u8(0x80 | block.payload_type);
        let [_, high, middle, low] =
            ((u32::from(block.timestamp_offset) << 10) | block.payload.len() as u32).to_be_bytes();
        out.put_slice(&[high, middle, low]);
    }
    out.put_u8(payload_type);
    for block in redundant {
        out.put_slice(block.payload);
    }
    out.put_slice(primary);
    Ok(())
}

#[cfg(test)]
mod tests;
