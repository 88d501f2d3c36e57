//! Names of users, services, calls and devices. A value of one of these types is well-formed.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::limits;

/// A text is not a valid id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// Not 1 to 64 characters.
    #[error("an id has 1 to {max} characters, not {length}", max = limits::ID)]
    Length {
        /// Bytes of the refused text.
        length: usize,
    },
    /// A character that ids do not have.
    #[error("an id does not have the character at byte {at}")]
    Character {
        /// Byte offset of the first forbidden character.
        at: usize,
    },
    /// Not the 36-character text of a UUID.
    #[error("a call id is a UUID in its 36-character text form")]
    NotUuid,
}

/// A user within a service: 1 to 64 of `a-z A-Z 0-9 - _`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserId(Arc<str>);

/// A service: 1 to 64 of `a-z A-Z 0-9 - _ .`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServiceId(Arc<str>);

/// A call (`sid`): a UUID in its lower-case 36-character text form.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CallId([u8; 36]);

/// A device in a call: 0 is the caller's, from 1 on they are the callee's in the order of their verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartyId(pub u32);

/// Who takes part: rules about several devices work on this pair.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct User {
    /// The service.
    pub service_id: ServiceId,
    /// The user within it.
    pub user_id: UserId,
}

impl PartyId {
    /// The caller's device.
    pub const CALLER: Self = Self(0);

    /// True for the caller's device.
    pub fn is_caller(self) -> bool {
        self == Self::CALLER
    }
}

fn check(text: &str, allowed: impl Fn(u8) -> bool) -> Result<(), IdError> {
    if text.is_empty() || text.len() > limits::ID {
        return Err(IdError::Length { length: text.len() });
    }
    match text.bytes().position(|byte| !allowed(byte)) {
        Some(at) => Err(IdError::Character { at }),
        None => Ok(()),
    }
}

fn is_user_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

macro_rules! text_id {
    ($name:ident, $allowed:expr) => {
        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                check(text, $allowed)?;
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

text_id!(UserId, is_user_byte);
text_id!(ServiceId, |byte| is_user_byte(byte) || byte == b'.');

impl CallId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only ASCII is stored")
    }

    /// The id of the given 16 random bytes, as a version 4 UUID (RFC 9562 §5.4).
    pub fn from_random(mut bytes: [u8; 16]) -> Self {
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let mut text = [b'-'; 36];
        let mut at = 0;
        for byte in bytes {
            if matches!(at, 8 | 13 | 18 | 23) {
                at += 1;
            }
            text[at] = b"0123456789abcdef"[usize::from(byte >> 4)];
            text[at + 1] = b"0123456789abcdef"[usize::from(byte & 15)];
            at += 2;
        }
        Self(text)
    }
}

impl FromStr for CallId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let mut bytes: [u8; 36] = text.as_bytes().try_into().map_err(|_| IdError::NotUuid)?;
        bytes.make_ascii_lowercase();
        for (at, byte) in bytes.iter().enumerate() {
            let good = if matches!(at, 8 | 13 | 18 | 23) {
                *byte == b'-'
            } else {
                byte.is_ascii_hexdigit()
            };
            if !good {
                return Err(IdError::NotUuid);
            }
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for CallId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<CallId> for String {
    fn from(id: CallId) -> Self {
        id.as_str().to_owned()
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallId({})", self.as_str())
    }
}

impl fmt::Display for PartyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests;
