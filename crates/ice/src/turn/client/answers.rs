//! What a server answers.

use std::time::{Duration, Instant};

use super::{Action, BUSY, Client, DEFAULT_LIFETIME, MAX_STALE, Phase};
use crate::rng::Rng;
use crate::stun::{Class, Key};
use crate::turn::wire::{Ask, Message, Proof};
use crate::{RelayFailure, Stats};

impl Client {
    /// RFC 8489 §9.2.5. Nothing changes before it is clear that the server spoke: by its signature, or where it cannot
    /// sign yet, by the 96 bits of the transaction.
    pub(super) fn handle_answer(&mut self, message: &Message<'_>, rng: &mut Rng, stats: &mut Stats, now: Instant) {
        let found = self
            .requests
            .iter()
            .position(|request| request.transaction == message.transaction && request.ask.method() == message.method);
        let Some(index) = found else {
            stats.unauthenticated_relay_answers += 1;
            return;
        };
        let code = (message.class == Class::Error).then_some(message.error.unwrap_or(500));
        let signed = self
            .proof
            .as_ref()
            .is_some_and(|proof| message.is_signed_by(&proof.key));
        // 401 and 438 come without a signature, and so may 300; whatever else does is no answer to a signed request.
        let unsigned_is_fine = !self.requests[index].is_signed || matches!(code, Some(300 | 401 | 438));
        if !signed && !unsigned_is_fine {
            stats.unauthenticated_relay_answers += 1;
            return;
        }
        if message.is_strange {
            stats.malformed += 1;
            return;
        }
        stats.relay_responses_received += 1;
        let request = self.requests.swap_remove(index);
        if let Some(rtt) = request.round_trip(now) {
            self.rtt = Some(self.rtt.map_or(rtt, |smoothed| (smoothed * 7 + rtt) / 8));
        }
        match code {
            None => {
                self.stale = 0;
                self.on_success(request.ask, message, now);
            }
            Some(401) if !request.is_signed => self.answer_challenge(request.ask, message, rng, now),
            Some(438) if self.stale < MAX_STALE => {
                self.stale += 1;
                self.answer_challenge(request.ask, message, rng, now);
            }
            Some(300) if matches!(request.ask, Ask::Allocate { .. }) => self.redirect(message.alternate, rng, now),
            Some(code) => self.on_failure(request.ask, Some(code), rng, now),
        }
    }

    /// Asks again with the realm and nonce that the server gave.
    fn answer_challenge(&mut self, ask: Ask, message: &Message<'_>, rng: &mut Rng, now: Instant) {
        let known = self.proof.as_ref().map(|proof| proof.realm.as_str());
        let (Some(realm), Some(nonce)) = (message.realm.or(known), message.nonce) else {
            return self.on_failure(ask, message.error, rng, now);
        };
        self.proof = Some(Proof {
            username: self.config.username.clone(),
            realm: realm.to_owned(),
            nonce: nonce.to_vec(),
            key: Key::long_term(&self.config.username, realm, &self.config.credential),
        });
        self.ask(ask, rng, now);
    }

    fn on_success(&mut self, ask: Ask, message: &Message<'_>, now: Instant) {
        match ask {
            Ask::Allocate { .. } => {
                let mapped = message.mapped.unwrap_or(self.local);
                self.relayed.clone_from(&message.relayed);
                if self.relayed.is_empty() {
                    return self.give_up(RelayFailure::Refused { code: 500 });
                }
                self.phase = Phase::Ready;
                self.retries = 0;
                self.set_lifetime(message.lifetime, now);
                for relayed in self.relayed.clone() {
                    self.actions.push_back(Action::Allocated { relayed, mapped });
                }
            }
            Ask::Refresh { .. } => self.set_lifetime(message.lifetime, now),
            Ask::Permission(peer) => self.on_permitted(peer.ip(), now),
            Ask::Channel(number, peer) => self.on_bound(number, peer, now),
        }
    }

    /// Refreshed when five sixths are over (RFC 8656 §8 says about a minute before the end, of ten).
    fn set_lifetime(&mut self, seconds: Option<u32>, now: Instant) {
        let lifetime = Duration::from_secs(u64::from(seconds.unwrap_or(DEFAULT_LIFETIME).clamp(12, 3600)));
        self.refresh_at = Some(now + lifetime * 5 / 6);
        self.expires_at = Some(now + lifetime);
    }

    /// An error, or silence (`None`).
    pub(super) fn on_failure(&mut self, ask: Ask, code: Option<u16>, rng: &mut Rng, now: Instant) {
        tracing::debug!(method = ask.method(), ?code, "the relay refuses");
        match (ask, code) {
            // RFC 8656 §7.4: another allocation of ours lives on this socket. Over a stream the next one is free.
            (Ask::Allocate { .. }, Some(437)) if self.stream.is_some() && self.retries == 0 => self.lose(now),
            (Ask::Allocate { ipv6_only: false }, Some(440)) => {
                self.ipv6_only = true;
                self.allocate(rng, now);
            }
            (Ask::Allocate { .. }, Some(code @ (486 | 508))) => {
                self.give_up(RelayFailure::Refused { code });
                if self.retries < super::MAX_RETRIES {
                    self.retries += 1;
                    self.retry_at = Some(now + BUSY);
                }
            }
            (Ask::Allocate { .. }, Some(code)) => self.give_up(RelayFailure::Refused { code }),
            (Ask::Allocate { .. }, None) => self.give_up(RelayFailure::Unreachable),
            // The server knows nothing of the allocation (any more).
            (_, Some(437)) => self.lose(now),
            // It lives until it expires; a new nonce or a better network may come.
            (Ask::Refresh { .. }, _) => self.refresh_at = Some(now + Duration::from_secs(5)),
            (Ask::Permission(peer), Some(403)) => {
                self.on_refused(peer.ip(), now);
                self.actions.push_back(Action::Refused(peer.ip()));
            }
            (Ask::Permission(peer), _) => self.on_unpermitted(peer.ip(), now),
            (Ask::Channel(number, _), _) => self.on_unbound(number),
        }
    }
}
