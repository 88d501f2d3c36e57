//! ICE restart, RFC 8445 §9.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::Agent;
use super::select::Lost;
use super::session::Session;
use super::transactions::Target;
use crate::{CandidateKind, Credentials, PairInfo, RelayProtocol};

/// The pair in use when the generation changed. Data stays on it, and consent for it is renewed with the old
/// credentials, until the new generation selects a pair.
#[derive(Debug)]
pub(super) struct Previous {
    pub(super) session: Session,
    pub(super) base: SocketAddr,
    pub(super) remote: SocketAddr,
    pub(super) answered_at: Instant,
    rtt: Option<Duration>,
    nominated: bool,
    local_kind: CandidateKind,
    remote_kind: CandidateKind,
    relay: Option<RelayProtocol>,
}

impl Previous {
    pub(super) fn info(&self) -> PairInfo {
        PairInfo {
            local: self.base,
            remote: self.remote,
            rtt: self.rtt,
            nominated: self.nominated,
            local_kind: self.local_kind,
            remote_kind: self.remote_kind,
            relay: self.relay,
        }
    }
}

impl Agent {
    /// Forgets the peer's side and begins anew; with `local` under new credentials of our own.
    pub(super) fn begin_generation(&mut self, local: Option<Credentials>, now: Instant) {
        let session = self.session.clone();
        // A second restart before the first one selected keeps the pair that still carries the data.
        if self.previous.is_none()
            && let Some(pair) = self.active_pair()
        {
            let id = pair.id;
            let previous = Previous {
                base: pair.base,
                remote: pair.remote,
                answered_at: pair.answered_at.unwrap_or(now),
                rtt: pair.rtt,
                nominated: self.selected == Some(id),
                local_kind: pair.local_kind,
                remote_kind: pair.remote_kind,
                relay: self.relays.protocol(pair.base),
                session,
            };
            self.previous = Some(previous);
            self.transactions.retarget(|target| match target {
                Target::Pair(other) => (other == id).then_some(Target::Previous),
                kept @ (Target::Server { .. } | Target::Previous) => Some(kept),
            });
        } else {
            self.transactions.retarget(|target| match target {
                Target::Pair(_) => None,
                kept @ (Target::Server { .. } | Target::Previous) => Some(kept),
            });
        }

        let renewed = local.is_some();
        let local = local.unwrap_or_else(|| self.session.local().clone());
        self.session = Session::new(local);
        self.remotes = super::Remotes::default();
        self.pairs.clear();
        self.triggered.clear();
        (self.selected, self.checks_began) = (None, None);
        (self.nominations, self.advised, self.moved) = (0, false, false);
        (self.moves, self.granted) = (0, 0);
        // Consent that was lost stays lost until this generation proves it: the owner waits for `ConsentRestored`.
        self.lost = self.lost.map(|_| Lost {
            since: now,
            probe: None,
        });
        if renewed {
            self.announce_again();
        }
    }
}
