//! Requests of one client that are not answered yet.

use std::time::{Duration, Instant};

use super::wire::Ask;
use crate::stun::Transaction;

/// Wait for the first answer while no round trip to the server is known.
const INITIAL_RTO: Duration = Duration::from_millis(50);
const MIN_RTO: Duration = Duration::from_millis(20);
const MAX_RTO: Duration = Duration::from_millis(1600);
/// How often a request is sent over UDP: about 15 s, so that a path which loses every other datagram is no obstacle.
const MAX_SENT: u8 = 14;
/// How long an answer over a stream may take; the stream repeats what is lost.
const STREAM_PATIENCE: Duration = Duration::from_secs(15);

/// A request, repeated under the same transaction: a server knows a repeated Allocate by it (RFC 8656 §7.2).
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) transaction: Transaction,
    pub(super) ask: Ask,
    pub(super) bytes: Vec<u8>,
    /// Whether it was signed.
    pub(super) is_signed: bool,
    pub(super) sent: u8,
    pub(super) sent_at: Instant,
    /// When it is repeated or given up.
    pub(super) next: Instant,
}

impl Request {
    pub(super) fn is_over(&self, is_stream: bool) -> bool {
        is_stream || self.sent >= MAX_SENT
    }

    /// Counts one sending.
    pub(super) fn on_sent(&mut self, is_stream: bool, rtt: Option<Duration>, now: Instant) {
        let repeated = u32::from(self.sent);
        // As for checks: doubled after every second one, and each time while no round trip is known.
        let (first, doublings) = match rtt {
            Some(rtt) => ((2 * rtt).clamp(MIN_RTO, MAX_RTO), repeated / 2),
            None => (INITIAL_RTO, repeated),
        };
        let wait = if is_stream {
            STREAM_PATIENCE
        } else {
            (first * 2u32.pow(doublings.min(6))).min(MAX_RTO)
        };
        self.sent = self.sent.saturating_add(1);
        self.next = now + wait;
    }

    /// The round trip, if it is clear which sending was answered (Karn).
    pub(super) fn round_trip(&self, now: Instant) -> Option<Duration> {
        (self.sent == 1).then(|| now.saturating_duration_since(self.sent_at))
    }
}
