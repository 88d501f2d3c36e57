//! Candidates of the peer, and the pairs they make with ours.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::Agent;
use super::pairs::{Pair, PairId, PairState};
use crate::candidate::{pair_priority, priority};
use crate::{Candidate, CandidateAddress, CandidateError, CandidateKind, MAX_CANDIDATES, Output, Role, stun};

/// Early checks remembered: more are answered all the same.
const MAX_EARLY: usize = 32;

/// What is known of the peer's side.
#[derive(Debug, Default)]
pub(super) struct Remotes {
    /// At most [`MAX_CANDIDATES`], those under mDNS names included.
    pub(super) list: Vec<Candidate>,
    /// No more follow.
    pub(super) ended: bool,
    early: Vec<EarlyCheck>,
}

/// An authenticated check that came before the peer's credentials (RFC 8445 §7.3): it makes a triggered check as soon
/// as they are there.
#[derive(Debug)]
struct EarlyCheck {
    local: SocketAddr,
    source: SocketAddr,
    priority: u32,
    use_candidate: bool,
    ufrag: String,
}

impl Remotes {
    pub(super) fn has_early(&self, local: SocketAddr, source: SocketAddr) -> bool {
        self.early
            .iter()
            .any(|check| check.local == local && check.source == source)
    }

    /// `false` if there is no room.
    pub(super) fn remember_early(
        &mut self,
        local: SocketAddr,
        source: SocketAddr,
        message: &stun::Message<'_>,
    ) -> bool {
        let ufrag = message
            .username
            .and_then(|username| username.split_once(':'))
            .map_or("", |(_, theirs)| theirs);
        let known = self
            .early
            .iter_mut()
            .find(|c| c.local == local && c.source == source && c.ufrag == ufrag);
        if let Some(check) = known {
            check.use_candidate |= message.use_candidate;
            return true;
        }
        if self.early.len() >= MAX_EARLY {
            return false;
        }
        self.early.push(EarlyCheck {
            local,
            source,
            priority: message.priority.unwrap_or(0),
            use_candidate: message.use_candidate,
            ufrag: ufrag.to_owned(),
        });
        true
    }

    fn position(&self, address: SocketAddr) -> Option<usize> {
        self.list.iter().position(|c| c.socket_addr() == Some(address))
    }
}

impl Agent {
    /// A signalled candidate.
    pub(super) fn add_remote(&mut self, mut candidate: Candidate) -> Result<(), CandidateError> {
        if let (Some(theirs), Some(remote)) = (&candidate.ufrag, self.session.remote())
            && *theirs != remote.ufrag
        {
            return Ok(());
        }
        let address = match candidate.address {
            CandidateAddress::Socket(address) => stun::canonical(address),
            CandidateAddress::Mdns { .. } => {
                if !self.remotes.list.iter().any(|c| c.address == candidate.address) {
                    self.push_remote(candidate.clone())?;
                    self.ask_for_name(&candidate);
                }
                return Ok(());
            }
        };
        self.check_address(address)?;
        candidate.address = CandidateAddress::Socket(address);
        let index = match self.remotes.position(address) {
            // RFC 8838 §11.4: a signalled candidate replaces the peer-reflexive one a check had shown before.
            Some(index) => {
                if self.remotes.list[index].kind == CandidateKind::PeerReflexive {
                    self.remotes.list[index] = candidate;
                }
                index
            }
            None => self.push_remote(candidate)?,
        };
        let bases: Vec<SocketAddr> = self.gathering.bases().collect();
        for base in bases {
            self.pair_up(base, index);
        }
        if self.remotes.list.len() < MAX_CANDIDATES {
            self.translate(index);
        }
        Ok(())
    }

    /// One question a name, though several candidates may stand behind it.
    fn ask_for_name(&mut self, candidate: &Candidate) {
        let CandidateAddress::Mdns { name, .. } = &candidate.address else {
            return;
        };
        let with_name = |c: &&Candidate| matches!(&c.address, CandidateAddress::Mdns { name: other, .. } if other.eq_ignore_ascii_case(name));
        if self.remotes.list.iter().filter(with_name).count() == 1 {
            self.outputs.push_back(Output::MdnsQuery { name: name.clone() });
        }
    }

    /// Every candidate under this name gets the address.
    pub(super) fn add_resolved(&mut self, name: &str, ip: IpAddr) {
        let resolved: Vec<Candidate> = self
            .remotes
            .list
            .iter()
            .filter_map(|candidate| match &candidate.address {
                CandidateAddress::Mdns { name: known, port } if known.eq_ignore_ascii_case(name) => Some(Candidate {
                    address: CandidateAddress::Socket(SocketAddr::new(ip, *port)),
                    ..candidate.clone()
                }),
                _ => None,
            })
            .collect();
        for candidate in resolved {
            // An address that cannot be used is the answer of somebody who should not have answered.
            if self.add_remote(candidate).is_err() {
                tracing::debug!("the address of an mDNS name is refused");
            }
        }
    }

    /// The same candidate as the network translates it from IPv6 (RFC 6052 §2, RFC 8445 §5.1.1.1 leaves such to the
    /// host): only for a host that has no IPv4 of its own.
    fn translate(&mut self, index: usize) {
        let Some(SocketAddr::V4(address)) = self.remotes.list[index].socket_addr() else {
            return;
        };
        if self.gathering.hosts().any(|host| host.is_ipv4()) {
            return;
        }
        for prefix in self.nat64.clone() {
            let translated = SocketAddr::new(prefix.embed(*address.ip()).into(), address.port());
            let mut candidate = self.remotes.list[index].clone();
            candidate.address = CandidateAddress::Socket(translated);
            if self.remotes.position(translated).is_some() || self.push_remote(candidate).is_err() {
                continue;
            }
            let place = self.remotes.list.len() - 1;
            let bases: Vec<SocketAddr> = self.gathering.bases().collect();
            for base in bases {
                self.pair_up(base, place);
            }
        }
    }

    /// Uses new prefixes for what is known already.
    pub(super) fn apply_nat64(&mut self, now: Instant) {
        for index in 0..self.remotes.list.len() {
            self.translate(index);
        }
        let hosts: Vec<SocketAddr> = self.gathering.hosts().collect();
        for host in hosts {
            self.start_relays(host, now);
        }
    }

    /// Whether a pair that is made now is another way out beside the one in use.
    fn is_standby(&self, base: SocketAddr, remote: SocketAddr) -> bool {
        self.selected
            .and_then(|id| self.pairs.find(id))
            .is_some_and(|selected| selected.base != base || selected.remote.ip() != remote.ip())
    }

    /// The place of the candidate under this address; a new peer-reflexive one if there is none
    /// (RFC 8445 §7.3.1.3).
    fn remote_at(&mut self, source: SocketAddr, priority: u32) -> Option<usize> {
        if let Some(index) = self.remotes.position(source) {
            return Some(index);
        }
        self.check_address(source).ok()?;
        let candidate = Candidate {
            kind: CandidateKind::PeerReflexive,
            address: CandidateAddress::Socket(source),
            base: None,
            related: None,
            priority,
            foundation: format!("prflx{}", self.remotes.list.len()),
            component: 1,
            ufrag: None,
        };
        self.push_remote(candidate).ok()
    }

    fn push_remote(&mut self, candidate: Candidate) -> Result<usize, CandidateError> {
        if self.remotes.list.len() >= MAX_CANDIDATES && candidate.kind != CandidateKind::PeerReflexive {
            self.drop_unproven_reflexive();
        }
        if self.remotes.list.len() >= MAX_CANDIDATES {
            self.stats.table_full += 1;
            return Err(CandidateError::TooMany { limit: MAX_CANDIDATES });
        }
        self.remotes.list.push(candidate);
        Ok(self.remotes.list.len() - 1)
    }

    /// Makes room for a signalled candidate. A check does not prove where it comes from (an overheard one can be sent
    /// again from any address); an answer does.
    fn drop_unproven_reflexive(&mut self) {
        let unproven = |candidate: &Candidate| {
            candidate.kind == CandidateKind::PeerReflexive
                && !self
                    .pairs
                    .iter()
                    .any(|pair| Some(pair.remote) == candidate.socket_addr() && pair.answered_at.is_some())
        };
        if let Some(index) = self.remotes.list.iter().position(unproven) {
            let address = self.remotes.list.remove(index).socket_addr();
            self.pairs.retain(|pair| Some(pair.remote) != address);
        }
    }

    /// The pair of `local` and `source` after an authenticated check from there.
    pub(super) fn heard_from(&mut self, local: SocketAddr, source: SocketAddr, priority: u32) -> Option<PairId> {
        let index = self.remote_at(source, priority)?;
        let id = self.pair_up(local, index)?;
        self.pairs.find_mut(id)?.heard = true;
        Some(id)
    }

    /// Pairs a new local base with every candidate of the peer.
    pub(super) fn pair_base(&mut self, base: SocketAddr) {
        for index in 0..self.remotes.list.len() {
            self.pair_up(base, index);
        }
    }

    /// The pair of a base and a candidate of the peer, made if it is new and possible (RFC 8445 §6.1.2.2). Only bases
    /// are paired, which is what pruning after §6.1.2.4 would leave.
    fn pair_up(&mut self, base: SocketAddr, remote: usize) -> Option<PairId> {
        let local = self.gathering.candidate_at(base)?;
        let (local_kind, local_priority) = (local.kind, local.priority);
        // The same local preference under the other type.
        let preference = u16::try_from(local.priority >> 8 & 0xffff).unwrap_or(0);
        let candidate = self.remotes.list.get(remote)?;
        let (remote_kind, remote_priority) = (candidate.kind, candidate.priority);
        let address = candidate.socket_addr()?;
        let pairable = base.is_ipv4() == address.is_ipv4()
            && (base.ip().is_loopback() == address.ip().is_loopback() || local_kind == CandidateKind::Relayed);
        // A hidden address is not checked from: the check would show it.
        if !pairable || !self.config.policy.allows(local_kind) {
            return None;
        }
        if local_kind == CandidateKind::Relayed {
            self.permit(base, address);
        }
        let standby = self.is_standby(base, address);
        let priority_of_pair = self.priority_for(local_priority, remote_priority);
        if let Some(id) = self.pairs.find_by_address(base, address).map(|pair| pair.id) {
            let pair = self.pairs.find_mut(id)?;
            if pair.remote_kind != remote_kind {
                (pair.remote_kind, pair.remote_priority) = (remote_kind, remote_priority);
                pair.priority = priority_of_pair;
                self.pairs.sort();
            }
            return Some(id);
        }
        let inserted = self.pairs.insert(Pair {
            id: 0,
            base,
            remote: address,
            base_kind: local_kind,
            local_kind,
            remote_kind,
            local_priority,
            remote_priority,
            check_priority: priority(CandidateKind::PeerReflexive, preference),
            priority: priority_of_pair,
            state: PairState::Waiting,
            progress: None,
            heard: false,
            valid_since: None,
            answered_at: None,
            nominating: false,
            nominated: false,
            nomination: 0,
            standby,
            asked: 0,
            doubted: false,
            rtt: None,
        });
        if inserted.is_none() {
            self.stats.table_full += 1;
        }
        inserted
    }

    fn priority_for(&self, local: u32, remote: u32) -> u64 {
        match self.role {
            Role::Controlling => pair_priority(local, remote),
            Role::Controlled => pair_priority(remote, local),
        }
    }

    /// Computes every priority anew, the role having changed.
    pub(super) fn reorder_pairs(&mut self) {
        let role = self.role;
        for pair in self.pairs.iter_mut() {
            pair.priority = match role {
                Role::Controlling => pair_priority(pair.local_priority, pair.remote_priority),
                Role::Controlled => pair_priority(pair.remote_priority, pair.local_priority),
            };
        }
        self.pairs.sort();
    }

    /// Drops candidates that came before the credentials and belong to another generation.
    pub(super) fn forget_foreign_candidates(&mut self, ufrag: &str) {
        let is_foreign = |c: &Candidate| c.ufrag.as_deref().is_some_and(|theirs| theirs != ufrag);
        if self.remotes.list.iter().any(is_foreign) {
            self.remotes.list.retain(|c| !is_foreign(c));
            self.pairs.clear();
            let bases: Vec<SocketAddr> = self.gathering.bases().collect();
            for base in bases {
                self.pair_base(base);
            }
        }
    }

    /// Makes triggered checks of the early ones.
    pub(super) fn take_early_checks(&mut self, ufrag: &str, now: Instant) {
        for check in std::mem::take(&mut self.remotes.early) {
            if check.ufrag == ufrag
                && let Some(id) = self.heard_from(check.local, check.source, check.priority)
            {
                self.trigger(id, check.use_candidate, now);
            }
        }
    }
}
