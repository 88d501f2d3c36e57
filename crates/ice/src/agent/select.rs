//! Valid pairs, nomination, consent and the state of the whole.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::Agent;
use super::pairs::{Pair, PairId, PairState, Progress};
use super::transactions::Transaction;
use crate::{CandidateKind, Event, PairInfo, RelayProtocol, Role, State};

/// How often the path that was lost is tried.
const PROBE_INTERVAL: Duration = Duration::from_millis(500);

/// Consent is lost: every pair is tried again, and the one that was in use for as long as the agent lives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lost {
    pub(super) since: Instant,
    pub(super) probe: Option<PairId>,
}

impl Agent {
    /// A check was answered (RFC 8445 §7.2.5.3).
    pub(super) fn on_success(
        &mut self,
        id: PairId,
        transaction: &Transaction,
        mapped: Option<SocketAddr>,
        now: Instant,
    ) {
        let had_path = self.usable_pair().is_some();
        let rtt = now.saturating_duration_since(transaction.sent_at);
        let Some(pair) = self.pairs.find_mut(id) else {
            return;
        };
        // Smoothed as RFC 6298 §2 does.
        pair.rtt = Some(pair.rtt.map_or(rtt, |smoothed| (smoothed * 7 + rtt) / 8));
        self.rtt = pair.rtt;
        let confirms = pair.nominating && transaction.use_candidate && self.role == Role::Controlling;
        let follows = pair.nominating && self.role == Role::Controlled;
        let asked = std::mem::take(&mut pair.asked);
        // A nomination stays under way until an answer to a check with USE-CANDIDATE.
        if !pair.nominating || confirms || follows {
            pair.progress = None;
        }
        pair.doubted = false;
        pair.state = PairState::Succeeded;
        pair.valid_since.get_or_insert(now);
        pair.answered_at = Some(now);
        let (base, remote, local_kind) = (pair.base, pair.remote, pair.local_kind);
        // RFC 8445 §7.2.5.3.1: the address the peer saw tells which of our candidates the pair really uses.
        if let Some(mapped) = mapped
            && local_kind != CandidateKind::Relayed
        {
            let kind = self.gathering.kind_of(base, mapped);
            if let Some(pair) = self.pairs.find_mut(id) {
                pair.local_kind = kind;
            }
        }

        let restored = self.lost.take().is_some();
        if local_kind == CandidateKind::Relayed {
            self.bind_channel(base, remote, now);
        }
        if confirms || follows {
            self.select(id, now);
        } else if asked > 0 {
            self.on_asked(id, asked, now);
        } else if self.role == Role::Controlling {
            self.consider_nomination(id, now);
        }
        if restored {
            self.emit(Event::ConsentRestored);
        }
        if !had_path && let Some(info) = self.usable_pair() {
            self.schedule_consent(now);
            if !restored {
                tracing::debug!(
                    local = info.local_kind.name(),
                    remote = info.remote_kind.name(),
                    "first valid pair"
                );
                self.emit(Event::ValidPair(info));
            }
        }
    }

    /// The first valid pair is nominated at once, since data uses it already. A relayed choice is corrected when a
    /// direct pair or a better relay turns out to work (RFC 8445 §8.1.1 leaves the criteria to the controlling agent), if
    /// the peer follows renominations. If it does not, the nomination of a relay waits for the first few checks of the direct pairs, and
    /// the data does not.
    fn consider_nomination(&mut self, id: PairId, now: Instant) {
        if self.pairs.iter().any(|pair| pair.nominating) {
            return;
        }
        let is_relayed = |id: PairId| self.pairs.find(id).is_some_and(Pair::is_relayed);
        let Some(selected) = self.selected else {
            let hopeful = |pair: &Pair| !pair.is_relayed() && pair.is_hopeful();
            if self.renominates() || !is_relayed(id) || !self.pairs.iter().any(hopeful) {
                self.nominate(id, now);
            }
            return;
        };
        if !self.improves(selected, id) {
            return;
        }
        if self.renominates() {
            self.nominate(id, now);
        } else if !self.advised
            && let Some(info) = self.pairs.find(id).map(|pair| self.info_of(pair))
        {
            self.advised = true;
            self.emit(Event::BetterPair(info));
        }
    }

    /// Whether checks of `other` may show a better path than the selected one.
    pub(super) fn may_replace(&self, selected: &Pair, other: &Pair) -> bool {
        let better_relay = self.renominates() && other.priority > selected.priority;
        selected.is_relayed() && (!other.is_relayed() || better_relay)
    }

    /// Whether a valid pair is worth the move. From relay to relay that takes more than a priority: no stream where one
    /// was, or a clearly shorter way.
    fn improves(&self, selected: PairId, other: PairId) -> bool {
        let (Some(selected), Some(other)) = (self.pairs.find(selected), self.pairs.find(other)) else {
            return false;
        };
        if selected.id == other.id || !self.may_replace(selected, other) {
            return false;
        }
        let streams = [selected, other].map(|pair| {
            let protocol = self.relays.protocol(pair.base);
            protocol.is_some_and(|protocol| protocol != RelayProtocol::Udp)
        });
        let shorter = selected.rtt.zip(other.rtt).is_some_and(|(old, new)| new < old * 4 / 5);
        !other.is_relayed() || streams == [true, false] || shorter
    }

    /// A relay that waited for direct pairs is nominated when those have had their chance.
    pub(super) fn reconsider_nomination(&mut self, now: Instant) {
        if self.role == Role::Controlling
            && self.selected.is_none()
            && let Some(id) = self.pairs.best_valid().map(|pair| pair.id)
        {
            self.consider_nomination(id, now);
        }
    }

    /// Whether both sides follow a nomination after the first.
    pub(super) fn renominates(&self) -> bool {
        self.config.renomination && self.remote_renomination
    }

    /// The selected pair went with its address. Whatever else is valid carries the data at once, and the peer is made to
    /// follow: by a nomination as controlling, by asking for one as controlled.
    pub(super) fn on_moved(&mut self, now: Instant) {
        self.moved = true;
        self.moves += 1;
        if !self.renominates() {
            self.emit(Event::RestartNeeded);
        }
        self.fall_back(now);
        if self.asks()
            && let Some(pair) = self.pairs.best_valid().map(|pair| pair.id)
            && let Some(pair) = self.pairs.find_mut(pair)
        {
            pair.doubted = true;
            pair.progress = Some(Progress { sent: 0, next: now });
        }
    }

    /// Whether checks ask the controlling peer for their pair.
    pub(super) fn asks(&self) -> bool {
        self.moved && self.role == Role::Controlled && self.renominates()
    }

    /// The controlled peer has lost its path and asks for this pair: data goes there as soon as it is valid. Each loss is
    /// good for one move, so that a check which somebody sends again later moves nothing.
    pub(super) fn on_asked(&mut self, id: PairId, count: u32, now: Instant) {
        if self.role != Role::Controlling || !self.renominates() || count <= self.granted {
            return;
        }
        let Some(pair) = self.pairs.find_mut(id) else {
            return;
        };
        if pair.valid_since.is_none() {
            pair.asked = count;
            return;
        }
        self.granted = count;
        for other in self.pairs.iter_mut() {
            other.nominating = false;
        }
        self.select(id, now);
        // The peer repeats its wish until it sees a nomination: the check that follows is one.
        self.nominate(id, now);
    }

    /// Begins to check the pair with USE-CANDIDATE (RFC 8445 §8.1.1).
    fn nominate(&mut self, id: PairId, now: Instant) {
        self.nominations += 1;
        if let Some(pair) = self.pairs.find_mut(id) {
            pair.nomination = self.nominations;
            pair.nominating = true;
            pair.progress = Some(Progress { sent: 0, next: now });
            if !self.triggered.contains(&id) {
                self.triggered.push_back(id);
            }
        }
    }

    /// The peer does not answer a nomination: another valid pair gets it, or else the same one again, for as long as
    /// consent lasts.
    pub(super) fn on_unanswered_nomination(&mut self, id: PairId, now: Instant) {
        if self.role != Role::Controlling {
            return;
        }
        let other = self
            .pairs
            .iter()
            .find(|pair| pair.id != id && pair.valid_since.is_some());
        match other.map(|pair| pair.id) {
            Some(other) => {
                if let Some(pair) = self.pairs.find_mut(id).filter(|_| self.selected != Some(id)) {
                    (pair.state, pair.valid_since) = (PairState::Failed, None);
                }
                if self.selected != Some(other) {
                    self.nominate(other, now);
                }
            }
            None => self.nominate(id, now),
        }
    }

    /// Makes a valid pair the selected one (RFC 8445 §8.1.1 as controlling, §8.2 as controlled).
    pub(super) fn select(&mut self, id: PairId, now: Instant) {
        let Some(pair) = self.pairs.find_mut(id) else {
            return;
        };
        pair.nominating = false;
        pair.nominated = true;
        if self.selected == Some(id) {
            return;
        }
        self.selected = Some(id);
        self.previous = None;
        self.moved = false;
        let stopped: Vec<PairId> = self
            .pairs
            .find(id)
            .map(|pair| self.pairs.iter().filter(|other| !self.may_replace(pair, other)))
            .into_iter()
            .flatten()
            .map(|other| other.id)
            .collect();
        for other in self.pairs.iter_mut().filter(|other| other.id != id) {
            other.nominated = false;
            // RFC 8445 §8.1.2: the other checks stop, except those that may replace a relay. As controlled, a pair
            // that the peer nominates later is checked by what that check triggers.
            let ends = stopped.contains(&other.id);
            if ends && !other.nominating && !other.standby && other.valid_since.is_none() {
                other.progress = None;
                if other.state == PairState::InProgress {
                    other.state = PairState::Waiting;
                }
            }
        }
        self.schedule_consent(now);
        if let Some(info) = self.usable_pair() {
            tracing::debug!(
                local = info.local_kind.name(),
                remote = info.remote_kind.name(),
                "pair selected"
            );
            self.emit(Event::SelectedPair(info));
        }
        let better = self
            .pairs
            .iter()
            .find(|pair| pair.valid_since.is_some() && self.improves(id, pair.id));
        if self.role == Role::Controlling
            && let Some(better) = better.map(|pair| pair.id)
        {
            self.consider_nomination(better, now);
        }
    }

    /// The pairs that `which` finds fail, as a relay refuses them.
    pub(super) fn fail_pairs(&mut self, which: impl Fn(&Pair) -> bool) {
        for pair in self.pairs.iter_mut().filter(|pair| which(pair)) {
            if pair.valid_since.is_none() {
                (pair.state, pair.progress, pair.nominating) = (PairState::Failed, None, false);
            }
        }
    }

    /// Takes the other role (RFC 8445 §7.3.1.1).
    pub(super) fn switch_role(&mut self, now: Instant) {
        self.role = self.role.reversed();
        self.stats.role_switches += 1;
        tracing::debug!(role = ?self.role, "role conflict settled");
        for pair in self.pairs.iter_mut() {
            pair.nominating = false;
            if pair.state == PairState::Succeeded {
                pair.progress = None;
            }
        }
        self.reorder_pairs();
        if self.selected.is_none() {
            self.fall_back(now);
        }
    }

    /// Nothing is selected: the best valid pair, if there is one, is used, and nominated if that is up to us.
    pub(super) fn fall_back(&mut self, now: Instant) {
        let Some(id) = self.pairs.best_valid().map(|pair| pair.id) else {
            return;
        };
        if self.role == Role::Controlling {
            self.nominate(id, now);
        }
        self.schedule_consent(now);
    }

    /// The pair that data and consent checks use.
    pub(super) fn active_pair(&self) -> Option<&Pair> {
        if self.lost.is_some() || self.previous.is_some() {
            return None;
        }
        self.selected
            .and_then(|id| self.pairs.find(id))
            .filter(|pair| pair.valid_since.is_some())
            .or_else(|| self.pairs.best_valid())
    }

    pub(super) fn usable_pair(&self) -> Option<PairInfo> {
        if let Some(previous) = &self.previous {
            return Some(previous.info());
        }
        self.active_pair().map(|pair| self.info_of(pair))
    }

    fn info_of(&self, pair: &Pair) -> PairInfo {
        PairInfo {
            local: pair.base,
            remote: pair.remote,
            rtt: pair.rtt,
            nominated: self.selected == Some(pair.id),
            local_kind: pair.local_kind,
            remote_kind: pair.remote_kind,
            relay: self.relays.protocol(pair.base),
        }
    }

    /// Sets the time of the next consent check, unless one is set.
    pub(super) fn schedule_consent(&mut self, now: Instant) {
        if self.consent_at.is_none() {
            // RFC 7675 §5.1 says how often consent is renewed. Once it is lost these are checks like any other (RFC 8445 §14.2), and the
            // path is to be back soon after the network.
            let interval = match self.lost {
                Some(_) => self.config.consent.interval.min(PROBE_INTERVAL),
                None => self.config.consent.interval,
            };
            self.consent_at = Some(now + self.rng.spread(interval));
        }
    }

    /// RFC 7675 §5.1: consent that nobody renewed ends.
    pub(super) fn expire_consent(&mut self, now: Instant) {
        let timeout = self.config.consent.timeout;
        if self.previous.as_ref().is_some_and(|p| p.answered_at + timeout <= now) {
            self.previous = None;
            if self.active_pair().is_none() {
                self.lose_consent(None, now);
            }
        }
        let active = self.active_pair().map(|pair| pair.id);
        let mut active_expired = false;
        for pair in self.pairs.iter_mut() {
            let expired = pair.valid_since.is_some() && pair.answered_at.is_none_or(|at| at + timeout <= now);
            if expired {
                active_expired |= active == Some(pair.id);
                (pair.valid_since, pair.state) = (None, PairState::Waiting);
                (pair.nominated, pair.nominating, pair.doubted) = (false, false, false);
                pair.progress = None;
                if self.selected == Some(pair.id) {
                    self.selected = None;
                }
            }
        }
        if active_expired {
            if self.pairs.best_valid().is_some() {
                self.fall_back(now);
            } else {
                self.lose_consent(active, now);
            }
        }
    }

    pub(super) fn lose_consent(&mut self, probe: Option<PairId>, now: Instant) {
        self.lost = Some(Lost { since: now, probe });
        self.selected = None;
        for pair in self.pairs.iter_mut() {
            (pair.state, pair.progress) = (PairState::Waiting, None);
        }
        self.schedule_consent(now);
        self.emit(Event::ConsentLost);
    }

    /// When consent for the path in use ends unless it is renewed.
    pub(super) fn consent_deadline(&self) -> Option<Instant> {
        let answered = match &self.previous {
            Some(previous) => Some(previous.answered_at),
            None => self.active_pair().and_then(|pair| pair.answered_at),
        };
        answered.map(|at| at + self.config.consent.timeout)
    }

    /// When the agent may fail at the earliest: nothing is left to try, and nothing more is announced.
    pub(super) fn failure_deadline(&self) -> Option<Instant> {
        let hopeless = self.gathering.complete
            && self.remotes.ended
            && self.usable_pair().is_none()
            && self.triggered.is_empty()
            && self.pairs.iter().all(|pair| pair.state == PairState::Failed);
        let began = self.lost.map(|lost| lost.since).or(self.checks_began);
        began.filter(|_| hopeless).map(|at| at + self.config.patience)
    }

    /// Derives the state from everything else and reports a change.
    pub(super) fn update_state(&mut self, now: Instant) {
        let state = if self.usable_pair().is_some() {
            let complete =
                self.previous.is_none() && self.selected.is_some() && self.gathering.complete && self.remotes.ended;
            if complete { State::Completed } else { State::Connected }
        } else if self.failure_deadline().is_some_and(|at| at <= now) {
            State::Failed
        } else if self.lost.is_some() {
            State::Disconnected
        } else if self.session.remote().is_none() {
            State::New
        } else {
            State::Checking
        };
        self.set_state(state);
    }
}
