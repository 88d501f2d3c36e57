#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod agent;
mod candidate;
mod config;
mod credentials;
mod error;
pub mod mdns;
mod nat64;
mod output;
mod rng;
mod stats;
mod stun;
mod turn;

pub use agent::Agent;
pub use candidate::{Candidate, CandidateAddress, CandidateKind};
pub use config::{Config, ConsentConfig, Policy, Role};
pub use credentials::Credentials;
pub use error::{CandidateError, ParseError};
pub use nat64::Nat64Prefix;
pub use output::{Event, Output, PairInfo, RelayFailure, State, Transmit};
pub use stats::Stats;
pub use turn::{RelayProtocol, StreamId, TurnServer, TurnTransport};

/// Most candidates kept of each side: more are refused with [`CandidateError::TooMany`].
pub const MAX_CANDIDATES: usize = 64;
/// Most candidate pairs kept; a better pair takes the place of the worst idle one.
pub const MAX_PAIRS: usize = 256;
/// Largest payload that [`Agent::set_check_payloads`] carries, in bytes; longer ones are not sent.
pub const MAX_CHECK_PAYLOAD: usize = 1000;
/// Most payloads that [`Agent::set_check_payloads`] takes.
pub const MAX_CHECK_PAYLOADS: usize = 8;
