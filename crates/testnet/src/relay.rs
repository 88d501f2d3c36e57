//! Relays that impair real UDP traffic in real time, for demonstrations and for tests of whole programs.
//!
//! A relay stamps a datagram when it is read, asks a [`Link`](crate::Link) when it would arrive, and sends it at that
//! moment: one thread reads each socket, and one sends everything, sleeping until the earliest moment. So its precision
//! is that of the system's timers, about 0.1 ms on an idle Linux machine; [`RelayStats::late`] counts what went
//! out more than 1 ms late. At most 16,384 datagrams wait; more are dropped and counted.

mod pair;
mod scheduler;
mod single;

pub use pair::{MAX_ADDRESSES, PairRelay};
pub use scheduler::RelayStats;
pub use single::Relay;

#[cfg(test)]
mod tests;
