//! Bodies of the fuzz targets. Each takes raw bytes, drives one crate with them and asserts its invariants, so that
//! the committed corpus can be replayed on stable by a test of the workspace.

pub mod carried;
pub mod ice;
pub mod jitter;
pub mod rtp;
pub mod signaling;
pub mod srtp;
pub mod transport;
pub mod turn;
