#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod config;
mod decoder;
mod error;
mod level;
mod media;
mod output;
mod stats;
mod steering;

pub use config::Config;
pub use duologue_rtp::{Formats, Red};
pub use error::MediaError;
pub use level::level;
pub use media::{CONCEALMENT_BUDGET, FRAME_SAMPLES, MAX_OUTPUTS, Media};
pub use output::{Event, Operation, Output, Playout};
pub use stats::Stats;
