#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod certificate;
mod config;
mod demux;
mod dtls;
mod error;
mod fingerprint;
mod output;
mod parameters;
mod stats;
mod transport;

pub use certificate::Certificate;
pub use config::Config;
pub use error::{CandidateError, CertificateError, FingerprintError, PacketError, ParametersError, SendError};
pub use fingerprint::Fingerprint;
pub use output::{Event, FailReason, Output, PathInfo, Transmit};
pub use parameters::{Parameters, Setup, SetupError};
pub use stats::Stats;
pub use transport::{OPTION_DTLS_IN_STUN, Transport};

pub use duologue_ice::{Policy, RelayFailure, RelayProtocol, StreamId, TurnServer, TurnTransport, mdns};
