#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod call;
mod checks;
mod client;
mod config;
mod delegate;
#[doc(hidden)]
pub mod engine;
mod entropy;
mod error;
mod event;
mod params;
mod shell;
mod statistics;
mod verification;

pub use call::{Call, CallState, HoldStatus};
pub use client::Client;
#[doc(hidden)]
pub use config::CandidateMap;
pub use config::{Config, IcePolicy, RelayProtocol};
pub use delegate::{
    CallConnectedParam, CallDelegate, CallVerifiedParam, DisconnectedParam, NetworkReavailableParam,
    NetworkUnavailableParam, PeerHoldParam, Reason, SetupPhases,
};
pub use duologue_audio as audio;
pub use duologue_signaling::{CcParam, CcParamInfo, DisconnectReason, DisconnectSource, StartFailReason};
pub use error::{CallError, MakeCallError, VerifyCallError};
pub use event::{CallEvent, CallEventKind, Events};
pub use params::{
    AcceptParams, AudioInput, AudioOutput, AudioParams, HoldTone, MakeCallParams, MediaType, VerifyCallParams,
};
pub use statistics::{
    CandidatePairStatistics, InboundStatistics, Levels, OutboundStatistics, PlayoutStatistics, RemoteInboundStatistics,
    ShellStatistics, Statistics, TransportStatistics,
};
pub use verification::{VerificationCode, VerificationSymbol};
