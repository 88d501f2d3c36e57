//! The checklist: candidate pairs in order of priority (RFC 8445 §6.1.2).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::{CandidateKind, MAX_PAIRS};

/// Names a pair for as long as the agent lives.
pub(super) type PairId = u64;

/// All pairs, the highest priority first, at most [`MAX_PAIRS`].
#[derive(Debug, Default)]
pub(super) struct Pairs {
    list: Vec<Pair>,
    next_id: PairId,
}

/// A local base and an address of the peer.
///
/// RFC 8445 freezes pairs so that the several components of a foundation do not repeat a check in vain; with a single
/// component there is nothing to save, so a pair waits from the start.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) id: PairId,
    pub(super) base: SocketAddr,
    pub(super) remote: SocketAddr,
    /// Kind of the candidate at the base: host or relayed.
    pub(super) base_kind: CandidateKind,
    /// Kind of the local candidate; what the answers show (a NAT in between) once there are some.
    pub(super) local_kind: CandidateKind,
    pub(super) remote_kind: CandidateKind,
    pub(super) local_priority: u32,
    pub(super) remote_priority: u32,
    /// PRIORITY of its checks: what a peer-reflexive candidate found by them would have (RFC 8445 §7.1.1).
    pub(super) check_priority: u32,
    pub(super) priority: u64,
    pub(super) state: PairState,
    pub(super) progress: Option<Progress>,
    /// An authenticated request came from there.
    pub(super) heard: bool,
    /// First success of those that consent has held ever since.
    pub(super) valid_since: Option<Instant>,
    /// Last authenticated answer.
    pub(super) answered_at: Option<Instant>,
    /// Controlling: its checks carry USE-CANDIDATE. Controlled: to be selected as soon as it is valid.
    pub(super) nominating: bool,
    pub(super) nominated: bool,
    /// Which of the nominations of this generation its own is.
    pub(super) nomination: u32,
    /// Another way out, found while a pair was selected already: checked so that it is ready when that one breaks.
    pub(super) standby: bool,
    /// The controlled peer asks for this pair, after so many losses of its path; 0 if it does not.
    pub(super) asked: u32,
    /// Its consent checks go unanswered: it is checked as often as at the beginning until it answers.
    pub(super) doubted: bool,
    pub(super) rtt: Option<Duration>,
}

/// RFC 8445 §6.1.2.6, without Frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PairState {
    Waiting,
    InProgress,
    Succeeded,
    Failed,
}

/// A check that is repeated until it is answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    pub(super) sent: u8,
    pub(super) next: Instant,
}

impl Pairs {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Pair> {
        self.list.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Pair> {
        self.list.iter_mut()
    }

    pub(super) fn find(&self, id: PairId) -> Option<&Pair> {
        self.list.iter().find(|pair| pair.id == id)
    }

    pub(super) fn find_mut(&mut self, id: PairId) -> Option<&mut Pair> {
        self.list.iter_mut().find(|pair| pair.id == id)
    }

    pub(super) fn find_by_address(&self, base: SocketAddr, remote: SocketAddr) -> Option<&Pair> {
        self.list.iter().find(|pair| pair.base == base && pair.remote == remote)
    }

    /// The valid pair of the highest priority.
    pub(super) fn best_valid(&self) -> Option<&Pair> {
        self.list.iter().find(|pair| pair.valid_since.is_some())
    }

    /// Adds a pair under a new id, or `None` if the table is full of pairs that are better or at work.
    pub(super) fn insert(&mut self, mut pair: Pair) -> Option<PairId> {
        if self.list.len() >= MAX_PAIRS {
            let worst = self.list.iter().rposition(Pair::is_idle)?;
            if self.list[worst].priority >= pair.priority && !pair.heard {
                return None;
            }
            self.list.remove(worst);
        }
        pair.id = self.next_id;
        self.next_id += 1;
        let (id, priority) = (pair.id, pair.priority);
        let at = self.list.partition_point(|other| other.priority >= priority);
        self.list.insert(at, pair);
        Some(id)
    }

    /// Restores the order after priorities changed.
    pub(super) fn sort(&mut self) {
        self.list
            .sort_by_key(|pair| (std::cmp::Reverse(pair.priority), pair.id));
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&Pair) -> bool) {
        self.list.retain(keep);
    }

    pub(super) fn clear(&mut self) {
        self.list.clear();
    }
}

impl Pair {
    /// Neither checked at the moment nor known to work.
    fn is_idle(&self) -> bool {
        self.progress.is_none() && self.valid_since.is_none() && !self.heard
    }

    /// A direct pair that may still turn out to work before long: not checked yet, or not often.
    pub(super) fn is_hopeful(&self) -> bool {
        match self.state {
            PairState::Waiting => true,
            PairState::InProgress => self.progress.is_none_or(|progress| progress.sent < 3),
            PairState::Succeeded | PairState::Failed => false,
        }
    }

    pub(super) fn is_relayed(&self) -> bool {
        self.local_kind == CandidateKind::Relayed || self.remote_kind == CandidateKind::Relayed
    }
}
