#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod config;
mod formats;
mod output;
mod rng;
mod session;
mod stats;
pub mod wire;

pub use config::{Config, OPUS_CLOCK_RATE};
pub use formats::{Formats, Red};
pub use output::{Event, Output, ReceivedPacket, RemoteReport};
pub use session::{MAX_NACKS, MAX_OUTPUTS, Session};
pub use stats::Stats;
