#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod binding;
mod wire;

pub use binding::{Answer, Answered, Binding, Stats};
