//! One error type for each of the three things that can go wrong.

/// Keys cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The keying material does not have the length of the profile.
    #[error("{actual} bytes of keying material where {expected} are needed")]
    MaterialLength {
        /// Length needed in bytes.
        expected: usize,
        /// Length given.
        actual: usize,
    },
    /// The master key does not have the length of the profile.
    #[error("a master key of {actual} bytes where {expected} are needed")]
    KeyLength {
        /// Length needed in bytes.
        expected: usize,
        /// Length given.
        actual: usize,
    },
    /// The master salt does not have the length of the profile.
    #[error("a master salt of {actual} bytes where {expected} are needed")]
    SaltLength {
        /// Length needed in bytes.
        expected: usize,
        /// Length given.
        actual: usize,
    },
    /// The crypto library refused a key of the right length.
    #[error("the crypto library refused the key")]
    Refused,
}

/// A packet of our own cannot be protected. The sender's state is as before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtectError {
    /// Not an RTP or RTCP packet of version 2, or cut short.
    #[error("malformed packet of {length} bytes")]
    Malformed {
        /// Length of the packet.
        length: usize,
    },
    /// Longer than [`MAX_PACKET`](crate::MAX_PACKET) once protected.
    #[error("a packet of {length} bytes is too long")]
    TooLong {
        /// Length of the packet.
        length: usize,
    },
    /// Another packet with this sequence number was protected before: a second one under the same index would give
    /// both away (RFC 3711 §9.1).
    #[error("sequence number {sequence} was used for another packet")]
    IndexReused {
        /// The sequence number.
        sequence: u16,
    },
    /// All indices of these keys are used up (RFC 3711 §9.2).
    #[error("the keys are used up")]
    KeyExhausted,
    /// More than [`MAX_SOURCES`](crate::MAX_SOURCES) sources.
    #[error("no room for source {ssrc:#010x}")]
    TooManySources {
        /// The source that found no room.
        ssrc: u32,
    },
    /// The crypto library failed.
    #[error("the crypto library failed")]
    Crypto,
}

/// A received packet is not accepted. The receiver's state, but for its counters, is as before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnprotectError {
    /// Not an SRTP or SRTCP packet of version 2, cut short, or longer than [`MAX_PACKET`](crate::MAX_PACKET).
    #[error("malformed packet of {length} bytes")]
    Malformed {
        /// Length of the packet.
        length: usize,
    },
    /// Accepted before (RFC 3711 §3.3.2).
    #[error("packet {index} was received before")]
    Replayed {
        /// Its index: rollover counter and sequence number, or the SRTCP index.
        index: u64,
    },
    /// Too far behind the newest to tell whether it was accepted before.
    #[error("packet {index} is too old")]
    TooOld {
        /// Its index.
        index: u64,
    },
    /// The tag is wrong: forged, damaged, or under other keys.
    #[error("authentication failed")]
    Unauthentic,
    /// Authentic, but more than [`MAX_SOURCES`](crate::MAX_SOURCES) sources.
    #[error("no room for source {ssrc:#010x}")]
    TooManySources {
        /// The source that found no room.
        ssrc: u32,
    },
}
