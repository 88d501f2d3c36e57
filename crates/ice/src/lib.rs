#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod agent;
mod candidate;
mod config;
mod credentials;
mod error;
mod output;
mod rng;
mod stats;
mod stun;

pub use agent::Agent;
pub use candidate::{Candidate, CandidateAddress, CandidateKind};
pub use config::{Config, ConsentConfig, Role};
pub use credentials::Credentials;
pub use error::{CandidateError, ParseError};
pub use output::{Event, Output, PairInfo, State, Transmit};
pub use stats::Stats;

/// Most candidates kept of each side: more are refused with [`CandidateError::TooMany`].
pub const MAX_CANDIDATES: usize = 64;
/// Most candidate pairs kept; a better pair takes the place of the worst idle one.
pub const MAX_PAIRS: usize = 256;
/// Largest payload that [`Agent::set_check_payload`] carries, in bytes; longer ones are not sent.
pub const MAX_CHECK_PAYLOAD: usize = 1000;
