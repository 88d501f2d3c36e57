//! Messages out of a stream of bytes (RFC 8656 §12.5, RFC 8489 §6.2.2).

/// Collects bytes until they are whole messages. It holds less than one message of 64 KiB and what came with its end.
#[derive(Debug, Default)]
pub(super) struct Framer {
    buffer: Vec<u8>,
}

/// What came is neither STUN nor ChannelData: where the next message begins is lost for good.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Desync;

impl Framer {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, without padding after ChannelData; `None` until more bytes come.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, Desync> {
        let Some(head) = self.buffer.first_chunk::<4>() else {
            return Ok(None);
        };
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let (message, whole) = match head[0] {
            0x00..=0x3f if length % 4 == 0 => (20 + length, 20 + length),
            0x40..=0x4f => (4 + length, (4 + length).next_multiple_of(4)),
            _ => return Err(Desync),
        };
        if self.buffer.len() < whole {
            return Ok(None);
        }
        let rest = self.buffer.split_off(whole);
        let mut bytes = std::mem::replace(&mut self.buffer, rest);
        bytes.truncate(message);
        Ok(Some(bytes))
    }
}
