#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

pub mod cc_param;
pub mod client;
pub mod description;
mod hold;
pub mod ids;
pub mod limits;
pub mod link;
pub mod message;
pub mod reason;
pub mod server;
pub mod start_fail;

pub use cc_param::{CcParam, CcParamError, CcParamInfo};
pub use description::{Codec, Direction, Fingerprint, HeaderExtension, MediaType, SessionDescription, Setup};
pub use message::{ClientMessage, DecodeError, Envelope, ServerMessage, decode, encode};
pub use reason::{DisconnectReason, DisconnectSource};
pub use start_fail::StartFailReason;

/// Version of the control protocol, in [`Envelope::v`] and in [`ClientMessage::Hello`].
pub const VERSION: u32 = 1;
