#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]

pub mod cable;
pub mod gaps;
pub mod matrix;
pub mod namespace;
pub mod nat;
pub mod outages;
pub mod phone;
pub mod quick;
pub mod roaming;
pub mod run;
pub mod server;
pub mod session;
pub mod setup;
pub mod system;
pub mod tap;
pub mod world;
