use thiserror::Error;

/// Why bytes are not the packet they claim to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The packet ends before a field that its own header promises.
    #[error("{available} bytes where {needed} are needed")]
    Truncated {
        /// Bytes that the field would end at.
        needed: usize,
        /// Bytes that are there.
        available: usize,
    },
    /// The version is not 2.
    #[error("version {0}, not 2")]
    Version(u8),
    /// The padding count is zero, larger than what it could pad, or (RTCP) no multiple of four or not on the last packet.
    #[error("invalid padding of {0} bytes")]
    Padding(u8),
    /// The bytes after the last RTCP packet do not make another.
    #[error("{0} bytes left over after the last packet")]
    Trailing(usize),
}

/// Why a packet cannot be written: the caller asked for what the format has no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EmitError {
    /// A payload type has seven bits.
    #[error("payload type {0} is above 127")]
    PayloadType(u8),
    /// At most 15 contributing sources fit.
    #[error("{0} contributing sources, at most 15 fit")]
    ContributingSources(usize),
    /// A header extension element has an id of zero or more than 255 bytes.
    #[error("header extension {id} with {length} bytes does not fit")]
    Extension {
        /// The element's id.
        id: u8,
        /// Length of its data in bytes.
        length: usize,
    },
    /// A redundant block has more than fourteen bits of timestamp offset or ten bits of length.
    #[error("redundant block of {length} bytes, {timestamp_offset} units back, does not fit")]
    RedundantBlock {
        /// How much older than the packet it is.
        timestamp_offset: u16,
        /// Length of the block in bytes.
        length: usize,
    },
    /// All elements together exceed 65,535 words.
    #[error("header extensions of {0} bytes do not fit")]
    ExtensionsTooLong(usize),
}

/// The `N` bytes at `offset`.
pub(super) fn array<const N: usize>(bytes: &[u8], offset: usize) -> Result<[u8; N], ParseError> {
    bytes
        .get(offset..)
        .and_then(|rest| rest.first_chunk::<N>())
        .copied()
        .ok_or(ParseError::Truncated {
            needed: offset + N,
            available: bytes.len(),
        })
}

/// The big-endian 16-bit number at `offset`.
pub(super) fn u16_at(bytes: &[u8], offset: usize) -> Result<u16, ParseError> {
    array(bytes, offset).map(u16::from_be_bytes)
}

/// The big-endian 32-bit number at `offset`.
pub(super) fn u32_at(bytes: &[u8], offset: usize) -> Result<u32, ParseError> {
    array(bytes, offset).map(u32::from_be_bytes)
}

/// The big-endian 64-bit number at `offset`.
pub(super) fn u64_at(bytes: &[u8], offset: usize) -> Result<u64, ParseError> {
    array(bytes, offset).map(u64::from_be_bytes)
}

/// The bytes from `start` to `end`.
pub(super) fn slice(bytes: &[u8], start: usize, end: usize) -> Result<&[u8], ParseError> {
    bytes.get(start..end).ok_or(ParseError::Truncated {
        needed: end,
        available: bytes.len(),
    })
}
