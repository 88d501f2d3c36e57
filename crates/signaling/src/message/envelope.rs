//! The envelope of every message, and its form on the wire.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Invalid;
use crate::{VERSION, limits};

/// A message with its number and the acknowledgement of the other direction.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Envelope<M> {
    /// Version of the protocol.
    pub v: u32,
    /// Number of this message within its session and direction, from 1; 0 for messages that are not numbered.
    #[serde(default)]
    pub seq: u64,
    /// The highest number up to which everything has arrived from the other side.
    #[serde(default)]
    pub ack: u64,
    /// The message; its fields stand beside those of the envelope.
    #[serde(flatten)]
    pub msg: M,
}

/// A direction's messages.
pub trait Message: Clone + Serialize + DeserializeOwned {
    /// Whether a number belongs to it.
    fn numbering(&self) -> Numbering;

    /// The message that carries nothing but the envelope.
    fn ack() -> Self;

    /// Checks every length. [`decode`] calls it.
    fn validate(&self) -> Result<(), Invalid>;
}

/// Whether a number belongs to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbering {
    /// It is numbered, kept until it is acknowledged, and sent again on a new connection.
    Numbered,
    /// It only concerns the connection that it travels on.
    Unnumbered,
    /// It is of a newer version. When it has a number, it is acknowledged, and ignored otherwise.
    Unknown,
}

impl<M> Envelope<M> {
    /// A message that is not numbered.
    pub fn unnumbered(msg: M, ack: u64) -> Self {
        Self {
            v: VERSION,
            seq: 0,
            ack,
            msg,
        }
    }
}

/// Bytes are no message of this protocol.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// More than [`limits::MESSAGE`] bytes.
    #[error("a message of {length} bytes, the limit is {limit}", limit = limits::MESSAGE)]
    TooLarge {
        /// Bytes of the message.
        length: usize,
    },
    /// Not JSON, or not of a shape that is known.
    #[error("not a message: line {line}, column {column}")]
    Malformed {
        /// Line of the first fault, from 1; 0 when the text ended early.
        line: usize,
        /// Column of the first fault, from 1.
        column: usize,
    },
    /// Another version of the protocol.
    #[error("version {version}")]
    Version {
        /// The version it claims.
        version: u32,
    },
    /// A limit is broken.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// A numbered message without a number, or the reverse.
    #[error("number {seq} does not suit the kind of message")]
    Numbering {
        /// The number it has.
        seq: u64,
    },
}

/// The wire form of a message.
pub fn encode<M: Message>(envelope: &Envelope<M>) -> String {
    serde_json::to_string(envelope).expect("a message has only string keys and finite numbers")
}

/// Reads a message from text or bytes. What passes has kept every limit of [`limits`].
///
/// # Errors
/// When the bytes are no valid message; they are the peer's fault, to be counted and dropped.
pub fn decode<M: Message>(bytes: impl AsRef<[u8]>) -> Result<Envelope<M>, DecodeError> {
    let bytes = bytes.as_ref();
    if bytes.len() > limits::MESSAGE {
        return Err(DecodeError::TooLarge { length: bytes.len() });
    }
    // serde_json refuses to nest deeper than 128 levels, so that the stack is safe.
    let envelope: Envelope<M> = serde_json::from_slice(bytes).map_err(|error| DecodeError::Malformed {
        line: error.line(),
        column: error.column(),
    })?;
    if envelope.v != VERSION {
        return Err(DecodeError::Version { version: envelope.v });
    }
    envelope.msg.validate()?;
    let suits = match envelope.msg.numbering() {
        Numbering::Numbered => envelope.seq != 0,
        Numbering::Unnumbered => envelope.seq == 0,
        Numbering::Unknown => true,
    };
    if !suits {
        return Err(DecodeError::Numbering { seq: envelope.seq });
    }
    Ok(envelope)
}
