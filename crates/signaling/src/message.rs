//! The messages between a client and the server, and their envelope: JSON, one object each.

mod client;
mod envelope;
mod server;

pub use client::{ClientMessage, Hello, MakeCall};
pub use envelope::{DecodeError, Envelope, Message, Numbering, decode, encode};
pub use server::{Caller, IceServer, Policy, ServerMessage, Verified, Welcome};

/// A message has the right shape but breaks a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Invalid {
    /// A text is too long.
    #[error("{field} has more than {limit} bytes")]
    TooLong {
        /// Name of the field.
        field: &'static str,
        /// The limit in bytes.
        limit: usize,
    },
    /// A list is too long.
    #[error("{field} has more than {limit} entries")]
    TooMany {
        /// Name of the field.
        field: &'static str,
        /// The limit in entries.
        limit: usize,
    },
    /// A field of a session description has a value that it cannot have.
    #[error("field {field} of the description has an impossible value")]
    Description {
        /// Name of the field.
        field: &'static str,
    },
}

fn text(field: &'static str, value: &str, limit: usize) -> Result<(), Invalid> {
    if value.len() > limit {
        Err(Invalid::TooLong { field, limit })
    } else {
        Ok(())
    }
}

fn optional(field: &'static str, value: Option<&String>, limit: usize) -> Result<(), Invalid> {
    value.map_or(Ok(()), |value| text(field, value, limit))
}

#[cfg(test)]
mod tests;
