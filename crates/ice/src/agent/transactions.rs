//! Requests that may still be answered.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::pairs::PairId;
use crate::Role;
use crate::stun;

/// Most requests remembered; the oldest is forgotten first, which only means that its answer comes to nothing.
const MAX: usize = 1024;

/// How long an answer is waited for.
const LIFETIME: Duration = Duration::from_secs(30);

/// The requests under way, oldest first.
///
/// Every repetition of a request is a transaction of its own, so that the round trip is exact whichever of them is
/// answered, where a repetition under the same id would leave open which one was (Karn's problem).
#[derive(Debug, Default)]
pub(super) struct Transactions(VecDeque<Transaction>);

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Transaction {
    pub(super) id: stun::Transaction,
    pub(super) target: Target,
    pub(super) sent_at: Instant,
    /// Our role when it was sent: a conflict it reports may be settled already.
    pub(super) role: Role,
    pub(super) use_candidate: bool,
}

/// What a request was sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A check of this pair.
    Pair(PairId),
    /// A consent check of the pair of the previous generation.
    Previous,
    /// A question to a STUN server.
    Server { base: SocketAddr, server: SocketAddr },
}

impl Transactions {
    pub(super) fn insert(&mut self, transaction: Transaction) {
        if self.0.len() >= MAX {
            self.0.pop_front();
        }
        self.0.push_back(transaction);
    }

    pub(super) fn find(&self, id: stun::Transaction) -> Option<&Transaction> {
        self.0.iter().find(|transaction| transaction.id == id)
    }

    pub(super) fn remove(&mut self, id: stun::Transaction) {
        self.0.retain(|transaction| transaction.id != id);
    }

    /// Forgets what is too old to be answered.
    pub(super) fn expire(&mut self, now: Instant) {
        while self.0.front().is_some_and(|t| t.sent_at + LIFETIME <= now) {
            self.0.pop_front();
        }
    }

    /// Keeps those whose target `map` keeps, with the target it gives.
    pub(super) fn retarget(&mut self, map: impl Fn(Target) -> Option<Target>) {
        self.0.retain_mut(|transaction| match map(transaction.target) {
            Some(target) => {
                transaction.target = target;
                true
            }
            None => false,
        });
    }
}
