//! Requests and answers. Nothing here changes the agent before the integrity of the message is proven.

use std::net::SocketAddr;
use std::time::Instant;

use super::Agent;
use super::answers::Answer;
use super::pairs::{PairId, PairState};
use super::transactions::{Target, Transaction};
use crate::stun::{self, Class, Message, RoleAttribute};
use crate::{Event, Role};

impl Agent {
    /// A check of the peer, RFC 8445 §7.3.
    pub(super) fn handle_request(
        &mut self,
        local: SocketAddr,
        source: SocketAddr,
        message: &Message<'_>,
        now: Instant,
    ) {
        let previous = self.previous.as_ref().map(|p| &p.session);
        let username = message.username.unwrap_or("");
        let is_for = |session: &&super::Session| session.is_addressed_by(username);
        let current = Some(&self.session).filter(is_for);
        let Some(session) = current.or(previous.filter(is_for)) else {
            self.stats.unauthenticated_requests += 1;
            return;
        };
        // RFC 8489 §9.1.3 would answer 400 or 401; silence gives a stranger nothing to measure or to reflect.
        if !message.is_signed_by(session.local_key()) {
            self.stats.unauthenticated_requests += 1;
            return;
        }
        let key = session.local_key().clone();
        let is_current = current.is_some();
        if self.gathering.candidate_at(local).is_none() {
            self.stats.unknown_local += 1;
            return;
        }
        if self
            .gathering
            .candidate_at(local)
            .is_some_and(|c| !self.config.policy.allows(c.kind))
        {
            self.stats.hidden += 1;
            return;
        }
        self.stats.requests_received += 1;

        if !message.unknown.is_empty() {
            let answer = stun::unknown_attributes(message.transaction, &message.unknown, &key);
            self.transmit(local, source, answer);
            return;
        }
        if is_current && !self.settle_role(message.role, now) {
            let answer = stun::role_conflict(message.transaction, &key);
            self.transmit(local, source, answer);
            return;
        }
        self.answer_check(Answer {
            local,
            source,
            transaction: message.transaction,
            key,
            asked: message.len(),
            carried: message.payload.is_some(),
        });
        if let Some(payload) = message.payload {
            self.emit(Event::CheckPayload(payload.to_vec()));
        }
        if !is_current {
            return;
        }

        if self.session.remote().is_none() {
            if !self.remotes.remember_early(local, source, message) {
                self.stats.table_full += 1;
            }
            return;
        }
        if let Some(id) = self.heard_from(local, source, message.priority.unwrap_or(0)) {
            let nominates = message.use_candidate && self.is_latest(message.nomination);
            self.trigger(id, nominates, now);
            if let Some(count) = message.asks {
                self.on_asked(id, count, now);
            }
        }
    }

    /// Whether a nomination is none that a later one has overtaken on its way. Peers that do not count theirs are
    /// followed as they come.
    fn is_latest(&mut self, count: Option<u32>) -> bool {
        match count {
            Some(count) if self.role == Role::Controlled => {
                let is_latest = count >= self.nominations;
                self.nominations = self.nominations.max(count);
                is_latest
            }
            _ => true,
        }
    }

    /// RFC 8445 §7.3.1.1: whether the roles differ, after giving way if the larger tie-breaker is the peer's. `false`
    /// asks the peer to give way.
    fn settle_role(&mut self, theirs: Option<RoleAttribute>, now: Instant) -> bool {
        match (self.role, theirs) {
            (Role::Controlling, Some(RoleAttribute::Controlling(tie))) => {
                if self.tie_breaker >= tie || self.config.remote_lite {
                    return false;
                }
                self.switch_role(now);
            }
            (Role::Controlled, Some(RoleAttribute::Controlled(tie))) => {
                if self.tie_breaker < tie {
                    return false;
                }
                self.switch_role(now);
            }
            _ => {}
        }
        true
    }

    /// An authenticated check came on this pair: check it back (RFC 8445 §7.3.1.4), and follow its nomination
    /// (§7.3.1.5).
    pub(super) fn trigger(&mut self, id: PairId, use_candidate: bool, now: Instant) {
        let follows = use_candidate && self.role == Role::Controlled;
        let Some(pair) = self.pairs.find_mut(id) else {
            return;
        };
        if pair.state == PairState::Succeeded && pair.valid_since.is_some() {
            if follows {
                self.select(id, now);
            }
            return;
        }
        pair.nominating |= follows;
        if pair.progress.is_none() {
            pair.state = PairState::Waiting;
        }
        if !self.triggered.contains(&id) {
            self.triggered.push_back(id);
        }
    }

    /// An answer, RFC 8445 §7.2.5.
    pub(super) fn handle_response(
        &mut self,
        local: SocketAddr,
        source: SocketAddr,
        message: &Message<'_>,
        now: Instant,
    ) {
        let Some(transaction) = self.transactions.find(message.transaction).cloned() else {
            self.stats.unauthenticated_responses += 1;
            return;
        };
        let session = match transaction.target {
            Target::Server { base, server } => {
                // A server knows no password of ours: the 96 bits of the id and the address must do.
                if (local, source) != (base, server) {
                    self.stats.asymmetric_responses += 1;
                    return;
                }
                self.transactions.remove(transaction.id);
                let mapped = message.mapped.filter(|_| message.class == Class::Success);
                self.on_server_answer(base, server, mapped, now);
                return;
            }
            Target::Pair(_) => Some(&self.session),
            Target::Previous => self.previous.as_ref().map(|p| &p.session),
        };
        let signed = session
            .and_then(super::Session::outgoing)
            .is_some_and(|(_, key)| message.is_signed_by(key));
        if !signed {
            self.stats.unauthenticated_responses += 1;
            return;
        }
        // RFC 8489 §6.3.3, §6.3.4: an answer with an attribute that must be understood and is not is no answer.
        if !message.unknown.is_empty() {
            self.stats.malformed += 1;
            return;
        }
        let asked = match transaction.target {
            Target::Pair(id) => self.pairs.find(id).map(|pair| (pair.base, pair.remote)),
            _ => self.previous.as_ref().map(|p| (p.base, p.remote)),
        };
        let Some(asked) = asked else {
            return;
        };
        // RFC 8445 §7.2.5.2.1 fails the pair at once. Here the answer just does not count, so that whoever can
        // redirect a packet cannot end a check whose repetition may succeed; the pair fails when none does.
        if asked != (local, source) {
            self.stats.asymmetric_responses += 1;
            return;
        }
        self.transactions.remove(transaction.id);
        self.stats.responses_received += 1;
        if let Some(payload) = message.payload {
            self.emit(Event::CheckPayload(payload.to_vec()));
        }
        match (transaction.target, message.class) {
            (Target::Pair(id), Class::Success) => {
                self.on_success(id, &transaction, message.mapped, now);
            }
            (Target::Pair(id), _) => self.on_error(id, &transaction, message.error, now),
            (_, Class::Success) => {
                if let Some(previous) = &mut self.previous {
                    previous.answered_at = now;
                }
            }
            _ => {}
        }
    }

    /// An authenticated error (RFC 8445 §7.2.5.1, §7.2.5.2.4).
    fn on_error(&mut self, id: PairId, transaction: &Transaction, code: Option<u16>, now: Instant) {
        if code == Some(487) {
            // Only if the role is still the one of that request: the conflict may be settled already.
            if transaction.role == self.role && !self.config.remote_lite {
                self.switch_role(now);
            }
            if !self.triggered.contains(&id) {
                self.triggered.push_back(id);
            }
        } else if let Some(pair) = self.pairs.find_mut(id)
            && pair.state == PairState::InProgress
        {
            (pair.state, pair.progress, pair.nominating) = (PairState::Failed, None, false);
        }
    }
}
