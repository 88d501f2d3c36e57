#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod arrival;
mod buffer;
mod config;
mod decoder;
mod fade;
mod packet;
mod queue;
mod report;
mod stats;
mod stretch;
mod sync;
mod target;

pub use buffer::{JitterBuffer, Wish};
pub use config::Config;
pub use decoder::{DecodeError, Decoder};
pub use packet::{InsertOutcome, Packet};
pub use report::{Operation, PullReport};
pub use stats::Stats;
