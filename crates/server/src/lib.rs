#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod buckets;
mod call;
mod callback;
mod clock;
mod config;
mod connection;
mod http;
mod hub;
mod metrics;
mod notify;
mod outbox;
mod seal;
mod server;
mod store;
mod stun;
mod token;
mod turn;
mod web;
mod wire;

pub use callback::CallbackError;
pub use config::{CallbackConfig, Config, ConfigError, Limits, Ports, ServicePolicy, TlsConfig, TurnConfig};
pub use duologue_signaling::server::CallRecord;
pub use duologue_turn::Cidr;
pub use server::{Server, StartError};
pub use store::{ApiKey, Service, ServiceStore, StoreError};
pub use turn::SecretError;
