#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod backend;
mod capture;
mod device;
mod drift;
mod error;
mod level;
mod playout;
pub mod rt;
mod sink;
mod source;
mod tones;
mod wav;

pub use capture::Capture;
pub use device::{DeviceInfo, DeviceStats, devices};
pub use error::{AudioError, DeviceProblem, Direction, WavProblem};
pub use level::level;
pub use playout::Playout;
pub use sink::{NullSink, Sink};
pub use source::{Silence, Source, ToneSource};
pub use tones::HoldTone;
pub use wav::{WavSink, WavSource};

/// Samples per second of everything that this crate's users see.
pub const SAMPLE_RATE: u32 = 48_000;
