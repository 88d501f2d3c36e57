#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests"))]

mod allocation;
mod binding;
mod config;
mod credential;
mod framing;
mod message;
mod nonce;
mod output;
mod peer;
mod server;
mod stats;
mod users;
mod wire;

pub use binding::{Answer, Answered, Binding, Stats as BindingStats};
pub use config::{Config, Limits, RelayAddress};
pub use credential::{Credential, LONGEST_USER};
pub use framing::{Framing, OutOfFrame};
pub use output::{Client, Event, Forward, Output, Prefix, RelayId, Release, Target};
pub use peer::{Cidr, CidrError};
pub use server::{LONGEST_PAYLOAD, Server};
pub use stats::Stats;
