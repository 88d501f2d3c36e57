//! What is sent, and when: pacing, repetition, consent checks.

use std::time::{Duration, Instant};

use super::Agent;
use super::pairs::{Pair, PairId, PairState, Progress};
use super::transactions::{Target, Transaction};
use crate::stun::{self, RoleAttribute};
use crate::{CandidateKind, Role};

/// Bounds of the first timeout when a round trip is known.
const MIN_RTO: Duration = Duration::from_millis(30);
const MAX_FIRST_RTO: Duration = Duration::from_secs(1);
/// Doubling ends here, so that a path which opens late is found soon.
const MAX_RTO: Duration = Duration::from_millis(1600);

impl Agent {
    /// Sends the most urgent paced message; `false` if there is none.
    ///
    /// Triggered checks come first (RFC 8445 §6.1.4.2), then repetitions, questions to servers, and last the waiting
    /// pairs in order.
    pub(super) fn send_next(&mut self, now: Instant) -> bool {
        if self.session.outgoing().is_some() {
            while let Some(id) = self.triggered.pop_front() {
                if self.check(id, true, now) {
                    return true;
                }
            }
            while let Some((_, id)) = self.repetition().filter(|(at, _)| *at <= now) {
                if self.check(id, false, now) {
                    return true;
                }
            }
        }
        if self.ask_server(now) {
            return true;
        }
        match self.waiting_pair() {
            Some(id) => {
                self.ordinary = self.ordinary.wrapping_add(1);
                self.check(id, false, now)
            }
            None => false,
        }
    }

    /// The next deadline: what is paced comes no sooner than the next slot.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        if self.state == crate::State::Closed {
            return None;
        }
        let checking = self.session.outgoing().is_some();
        let ready = checking && (!self.triggered.is_empty() || self.waiting_pair().is_some());
        let repetition = self.repetition().filter(|_| checking).map(|(at, _)| at);
        let paced = [
            ready.then_some(self.next_slot),
            repetition,
            self.gathering.next_question(),
        ];
        let paced = paced.into_iter().flatten().min().map(|at| at.max(self.next_slot));
        // A failure that has been reported is not waited for.
        let failure = self.failure_deadline().filter(|_| self.state != crate::State::Failed);
        [
            paced,
            self.consent_at,
            self.consent_deadline(),
            failure,
            self.relays.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The check to repeat next.
    fn repetition(&self) -> Option<(Instant, PairId)> {
        self.pairs
            .iter()
            .filter_map(|pair| pair.progress.map(|progress| (progress.next, pair.id)))
            .min()
    }

    /// The best pair that waits for its first check; every third time the best one through a relay, which would come
    /// last by its priority, because the call may depend on it. After a selection only those that could replace a
    /// relay, and other ways out.
    fn waiting_pair(&self) -> Option<PairId> {
        self.session.outgoing()?;
        let selected = self.selected.and_then(|id| self.pairs.find(id));
        let wanted = |pair: &&Pair| {
            pair.state == PairState::Waiting
                && pair.progress.is_none()
                && selected.is_none_or(|selected| pair.standby || self.may_replace(selected, pair))
        };
        let relayed = |pair: &&Pair| self.ordinary % 3 == 2 && pair.is_relayed() && wanted(pair);
        let pair = self.pairs.iter().find(relayed);
        pair.or_else(|| self.pairs.iter().find(wanted)).map(|pair| pair.id)
    }

    /// Sends a check of this pair, the first or a repetition; `false` if the pair needs none.
    ///
    /// A check that is triggered while another is under way (RFC 8445 §7.3.1.4) leaves the schedule of that one as it
    /// is: a peer that repeats its checks must not use up our attempts.
    fn check(&mut self, id: PairId, triggered: bool, now: Instant) -> bool {
        let known = self.rtt;
        let initial = self.config.initial_rto;
        let Some(pair) = self.pairs.find_mut(id) else {
            return false;
        };
        if pair.state == PairState::Succeeded && !pair.nominating && !pair.doubted {
            pair.progress = None;
            return false;
        }
        if pair.state != PairState::Succeeded {
            pair.state = PairState::InProgress;
        }
        let sent = pair.progress.map_or(0, |progress| progress.sent);
        if triggered && sent > 0 {
            self.send_check(id, now);
            return true;
        }
        let sent = sent.saturating_add(1);
        let repeated = u32::from(sent - 1);
        let (first, doublings) = match pair.rtt.or(known) {
            // Doubling after every second one: a single loss, which is what wireless links do, is made good at once.
            Some(rtt) => ((2 * rtt).clamp(MIN_RTO, MAX_FIRST_RTO), repeated / 2),
            // Soon, because the way may be short, and then seldom, because it may be long.
            None => (initial, repeated),
        };
        let wait = first * 2u32.pow(doublings.min(8));
        pair.progress = Some(Progress {
            sent,
            next: now + wait.min(MAX_RTO.max(first)),
        });
        self.send_check(id, now);
        true
    }

    /// Builds and sends one request for the pair (RFC 8445 §7.2.2).
    fn send_check(&mut self, id: PairId, now: Instant) {
        let (Some(pair), Some((username, key))) = (self.pairs.find(id), self.session.outgoing()) else {
            return;
        };
        // Consent checks of the selected pair nominate too: should the peer have followed an older nomination that
        // was delayed on its way, this corrects it.
        let use_candidate = self.role == Role::Controlling && (pair.nominating || self.selected == Some(id));
        let asks = self.asks() && self.active_pair().is_none_or(|active| active.id == id);
        let asks = asks.then_some(self.moves);
        let transaction = self.rng.transaction();
        let payload = self.check_payloads.front();
        let request = stun::check(
            transaction,
            &stun::Check {
                username,
                priority: pair.check_priority,
                use_candidate,
                nomination: (use_candidate && self.renominates()).then_some(pair.nomination),
                asks,
                role: self.role_attribute(),
                payload: payload.map(Vec::as_slice),
            },
            key,
        );
        let (base, remote) = (pair.base, pair.remote);
        self.turn_payloads();
        self.record(transaction, Target::Pair(id), use_candidate, now);
        self.transmit(base, remote, request);
    }

    fn role_attribute(&self) -> RoleAttribute {
        match self.role {
            Role::Controlling => RoleAttribute::Controlling(self.tie_breaker),
            Role::Controlled => RoleAttribute::Controlled(self.tie_breaker),
        }
    }

    fn record(&mut self, id: stun::Transaction, target: Target, use_candidate: bool, now: Instant) {
        self.transactions.insert(Transaction {
            id,
            target,
            sent_at: now,
            role: self.role,
            use_candidate,
        });
        self.stats.requests_sent += 1;
    }

    /// Consent checks, and keepalives with them (RFC 7675 §5.1): not paced, not repeated, each with a fresh id.
    pub(super) fn send_consent(&mut self, now: Instant) {
        if self.consent_at.is_none_or(|at| at > now) {
            return;
        }
        self.consent_at = None;
        if self.previous.is_some() {
            self.schedule_consent(now);
            self.send_previous_consent(now);
            return;
        }
        let probe = self.lost.and_then(|lost| lost.probe);
        let Some(id) = self.active_pair().map(|pair| pair.id).or(probe) else {
            return;
        };
        self.schedule_consent(now);
        self.stats.consent_requests_sent += 1;
        self.send_check(id, now);
        // RFC 7675 §5.1 sends a consent check once only, so loss on both ways soon adds up to 30 s without an answer.
        // After two silent intervals the pair is checked in earnest, with repetitions.
        let patience = 2 * self.config.consent.interval;
        if let Some(pair) = self.pairs.find_mut(id)
            && pair.valid_since.is_some()
            && pair.progress.is_none()
            && pair.answered_at.is_some_and(|at| at + patience <= now)
        {
            pair.doubted = true;
            pair.progress = Some(Progress {
                sent: 0,
                next: now + MIN_RTO,
            });
        }
    }

    fn send_previous_consent(&mut self, now: Instant) {
        let Some(previous) = &self.previous else {
            return;
        };
        let Some((username, key)) = previous.session.outgoing() else {
            return;
        };
        let transaction = self.rng.transaction();
        let request = stun::check(
            transaction,
            &stun::Check {
                username,
                priority: crate::candidate::priority(CandidateKind::PeerReflexive, u16::MAX),
                use_candidate: false,
                nomination: None,
                asks: None,
                role: self.role_attribute(),
                payload: None,
            },
            key,
        );
        let (base, remote) = (previous.base, previous.remote);
        self.record(transaction, Target::Previous, false, now);
        self.stats.consent_requests_sent += 1;
        self.transmit(base, remote, request);
    }

    /// Ends what took too long.
    pub(super) fn expire(&mut self, now: Instant) {
        self.transactions.expire(now);
        self.expire_questions(now);
        let limit = self.config.max_transmissions.max(1);
        let mut unanswered_nomination = None;
        for pair in self.pairs.iter_mut() {
            let Some(progress) = pair.progress else { continue };
            // A nomination repeats a check that has worked, so its silence tells sooner.
            let limit = if pair.valid_since.is_some() {
                limit.div_ceil(2)
            } else {
                limit
            };
            if progress.next > now || progress.sent < limit {
                continue;
            }
            if pair.valid_since.is_none() {
                pair.state = PairState::Failed;
            } else if pair.nominating {
                unanswered_nomination = Some(pair.id);
            }
            (pair.progress, pair.nominating, pair.doubted) = (None, false, false);
        }
        if let Some(id) = unanswered_nomination {
            self.on_unanswered_nomination(id, now);
        }
        self.expire_consent(now);
    }
}
