#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod cipher;
mod error;
mod header;
mod keys;
mod profile;
mod receiver;
mod replay;
mod sender;
#[cfg(test)]
mod testing;

pub use error::{KeyError, ProtectError, UnprotectError};
pub use keys::{KeyingMaterial, MasterKey};
pub use profile::Profile;
pub use receiver::{Receiver, ReceiverStats};
pub use sender::Sender;

/// Most synchronization sources that one [`Sender`] or [`Receiver`] keeps state for, RTP and RTCP counted apart. Only
/// authentic packets take a place, so nobody without the keys can fill the table.
pub const MAX_SOURCES: usize = 32;

/// Longest packet that is protected or unprotected, in bytes: what one UDP datagram can carry.
pub const MAX_PACKET: usize = 65_507;
