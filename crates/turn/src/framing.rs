//! Messages out of a byte stream: TCP and TLS (RFC 8489 §6.2.2, RFC 8656 §12.5).

/// Finds the messages in what one connection delivers. A message is never longer than 65,555 bytes, so what waits here is
/// bounded by that and one read.
#[derive(Debug, Default)]
pub struct Framing {
    bytes: Vec<u8>,
    /// How much of `bytes` was handed out.
    taken: usize,
    /// A first message was found. It cannot be ChannelData, which needs a channel; many texts would look like it.
    begun: bool,
}

/// The stream holds something that is neither STUN nor ChannelData. Where the next message begins cannot be known, so the
/// connection has to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither STUN nor ChannelData where a message should begin")]
pub struct OutOfFrame;

impl Framing {
    /// A stream before its first byte.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what was read. Call [`next_message`](Self::next_message) until it has no more, before the next read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend(bytes);
    }

    /// The next whole message, as a datagram would carry it: the padding of ChannelData is cut off.
    ///
    /// # Errors
    ///
    /// [`OutOfFrame`], and again for every further call.
    pub fn next_message(&mut self) -> Result<Option<&[u8]>, OutOfFrame> {
        let rest = &self.bytes[self.taken..];
        let Some(head) = rest.get(..4) else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let (whole, padded) = match head[0] {
            0x00..=0x3f => {
                let cookie = rest.get(4..8).unwrap_or(&COOKIE);
                // RFC 8489 §5: whole words only, and the cookie, without which garbage would be waited for.
                if length % 4 != 0 || cookie != COOKIE {
                    return Err(OutOfFrame);
                }
                (20 + length, 20 + length)
            }
            // Clients of RFC 5766 §11 use channel numbers up to 0x7FFF.
            0x40..=0x7f if self.begun => (4 + length, 4 + length.next_multiple_of(4)),
            _ => return Err(OutOfFrame),
        };
        if rest.len() < padded {
            return Ok(None);
        }
        self.begun = true;
        let start = self.taken;
        self.taken += padded;
        Ok(Some(&self.bytes[start..start + whole]))
    }
}

const COOKIE: [u8; 4] = crate::wire::MAGIC_COOKIE.to_be_bytes();

#[cfg(test)]
mod tests;
