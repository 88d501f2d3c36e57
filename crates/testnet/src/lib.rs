#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod clock;
mod driver;
mod link;
mod nat;
mod network;
pub mod relay;
mod rng;
mod seed;
mod trace;
pub mod wire;

pub use clock::Clock;
pub use driver::{Driver, Endpoint, EndpointId, Livelock, StreamCommand};
pub use link::{Link, LinkConfig, LinkStats, Loss};
pub use nat::{Behaviour, Nat, NatConfig, NatStats, TcpPolicy};
pub use network::{Delivery, HostId, NatId, Network, NetworkStats, StreamDelivery, StreamEvent, StreamId, Transmit};
pub use rng::Rng;
pub use seed::{seed_from_env, with_seed};
pub use trace::{Counters, Trace};
