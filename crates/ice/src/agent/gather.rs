//! Local candidates, and the questions to STUN servers (RFC 8445 §5.1.1).

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::Agent;
use super::transactions::{Target, Transaction};
use crate::candidate::{local_preference, priority};
use crate::{
    Candidate, CandidateAddress, CandidateError, CandidateKind, Event, MAX_CANDIDATES, Output, Policy, RelayProtocol,
    State, stun,
};

/// STUN servers asked at most.
const MAX_SERVERS: usize = 4;
/// How often one server is asked from one address before it is given up: about 8 s.
const MAX_ATTEMPTS: u8 = 6;
/// First wait for its answer.
const INITIAL_RTO: Duration = Duration::from_millis(250);
/// Longest wait for its answer.
const MAX_RTO: Duration = Duration::from_secs(2);
/// Until a pair is selected the mapping is kept alive at the rate of RFC 8445 §11.
const REFRESH: Duration = Duration::from_secs(15);

/// What is known of the local side.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    /// Host and relayed candidates, which pairs start from, and the reflexive ones found through them. At most
    /// [`MAX_CANDIDATES`].
    list: Vec<Candidate>,
    questions: Vec<Question>,
    /// The mDNS name that stands for each own address, where they are hidden.
    names: Vec<(IpAddr, String)>,
    /// No more local addresses follow.
    pub(super) ended: bool,
    /// The completion was reported.
    pub(super) complete: bool,
}

/// One server to ask from one base.
#[derive(Debug)]
struct Question {
    base: SocketAddr,
    server: SocketAddr,
    attempts: u8,
    /// Answered or given up: gathering does not wait for it any more.
    settled: bool,
    /// When to ask next.
    next: Option<Instant>,
}

impl Gathering {
    /// The addresses that can be sent from.
    pub(super) fn bases(&self) -> impl Iterator<Item = SocketAddr> {
        self.list.iter().filter(|c| is_base(c)).filter_map(|c| c.base)
    }

    /// The addresses of this host.
    pub(super) fn hosts(&self) -> impl Iterator<Item = SocketAddr> {
        let hosts = self.list.iter().filter(|c| c.kind == CandidateKind::Host);
        hosts.filter_map(|c| c.base)
    }

    /// The host or relayed candidate with this base.
    pub(super) fn candidate_at(&self, base: SocketAddr) -> Option<&Candidate> {
        self.list.iter().find(|c| is_base(c) && c.base == Some(base))
    }

    /// The kind of a candidate under which the peer sees what leaves from `base`.
    pub(super) fn kind_of(&self, base: SocketAddr, mapped: SocketAddr) -> CandidateKind {
        self.list
            .iter()
            .find(|c| c.base == Some(base) && c.socket_addr() == Some(mapped))
            .map_or(CandidateKind::PeerReflexive, |c| c.kind)
    }

    /// The next time a server is to be asked.
    pub(super) fn next_question(&self) -> Option<Instant> {
        self.questions.iter().filter_map(|q| q.next).min()
    }

    fn push(&mut self, candidate: Candidate) -> Result<(), CandidateError> {
        if self.list.len() >= MAX_CANDIDATES {
            return Err(CandidateError::TooMany { limit: MAX_CANDIDATES });
        }
        self.list.push(candidate);
        Ok(())
    }

    /// Equal for equal kind, base address and server (RFC 8445 §5.1.1.3): the place of the first such candidate.
    fn foundation(&self, kind: CandidateKind, ip: IpAddr, server: Option<IpAddr>) -> String {
        let same = |c: &&Candidate| c.kind == kind && c.base.is_some_and(|base| base.ip() == ip);
        match (self.list.iter().find(same), server) {
            (Some(candidate), None) => candidate.foundation.clone(),
            // Servers are few and their candidates told apart by address, so one number each does: the first free one.
            _ => (1..)
                .map(|number: usize| number.to_string())
                .find(|number| self.list.iter().all(|c| c.foundation != *number))
                .unwrap_or_default(),
        }
    }

    /// The highest local preference that no candidate of this kind has: RFC 8445 §5.1.2.1 wants them distinct.
    fn free_preference(&self, kind: CandidateKind, ip: IpAddr, from: usize) -> u16 {
        (from..=from + MAX_CANDIDATES)
            .map(|nth| local_preference(ip, nth))
            .find(|preference| {
                let taken = priority(kind, *preference);
                self.list.iter().all(|c| c.kind != kind || c.priority != taken)
            })
            .unwrap_or_default()
    }
}

fn is_base(candidate: &Candidate) -> bool {
    matches!(candidate.kind, CandidateKind::Host | CandidateKind::Relayed)
}

impl Agent {
    pub(super) fn add_host(&mut self, address: SocketAddr, now: Instant) -> Result<(), CandidateError> {
        if self.gathering.candidate_at(address).is_some() {
            return Ok(());
        }
        let preference = self.gathering.free_preference(CandidateKind::Host, address.ip(), 0);
        self.hide(address.ip());
        self.announce(Candidate {
            kind: CandidateKind::Host,
            address: CandidateAddress::Socket(address),
            base: Some(address),
            related: None,
            priority: priority(CandidateKind::Host, preference),
            foundation: self.gathering.foundation(CandidateKind::Host, address.ip(), None),
            component: 1,
            ufrag: None,
        })?;
        let servers = self.config.stun_servers.iter().take(MAX_SERVERS).copied();
        let suitable: Vec<_> = servers.filter_map(|server| self.reachable(server, address)).collect();
        self.gathering
            .questions
            .extend(suitable.into_iter().map(|server| Question {
                base: address,
                server,
                attempts: 0,
                settled: false,
                next: Some(now),
            }));
        self.gathering.complete = false;
        self.start_relays(address, now);
        self.pair_base(address);
        Ok(())
    }

    /// The address under which `server` is reached from `base`: its own in the same family, one that the network
    /// translates from IPv6, or none. A server out on the network cannot be reached from loopback, nor one on loopback
    /// from elsewhere.
    pub(super) fn reachable(&self, server: SocketAddr, base: SocketAddr) -> Option<SocketAddr> {
        if server.ip().is_loopback() != base.ip().is_loopback() {
            return None;
        }
        if server.is_ipv4() == base.is_ipv4() {
            return Some(server);
        }
        let IpAddr::V4(ip) = server.ip() else { return None };
        let prefix = self.nat64.first()?;
        Some(SocketAddr::new(prefix.embed(ip).into(), server.port()))
    }

    /// A relayed candidate; over `protocol` if the allocation is ours. Of two relays the one without TCP in between is
    /// the better.
    pub(super) fn add_relayed(
        &mut self,
        relayed: SocketAddr,
        mapped: SocketAddr,
        protocol: Option<RelayProtocol>,
    ) -> Result<(), CandidateError> {
        if self.gathering.candidate_at(relayed).is_some() {
            return Ok(());
        }
        let from = match protocol {
            None | Some(RelayProtocol::Udp) => 0,
            Some(RelayProtocol::Tcp) => 2 * MAX_CANDIDATES,
            Some(RelayProtocol::Tls) => 4 * MAX_CANDIDATES,
        };
        let preference = self
            .gathering
            .free_preference(CandidateKind::Relayed, relayed.ip(), from);
        self.announce(Candidate {
            kind: CandidateKind::Relayed,
            address: CandidateAddress::Socket(relayed),
            base: Some(relayed),
            related: Some(mapped),
            priority: priority(CandidateKind::Relayed, preference),
            foundation: self.gathering.foundation(CandidateKind::Relayed, relayed.ip(), None),
            component: 1,
            ufrag: None,
        })?;
        self.gathering.complete = false;
        self.pair_base(relayed);
        Ok(())
    }

    pub(super) fn remove_local(&mut self, address: SocketAddr, now: Instant) {
        self.gathering.list.retain(|c| c.base != Some(address));
        self.gathering.questions.retain(|q| q.base != address);
        let had_path = self.usable_pair().is_some();
        self.pairs.retain(|pair| pair.base != address);
        if self.previous.as_ref().is_some_and(|p| p.base == address) {
            self.previous = None;
        }
        if self.selected.is_some_and(|id| self.pairs.find(id).is_none()) {
            self.selected = None;
            self.on_moved(now);
        }
        if had_path && self.usable_pair().is_none() {
            self.lose_consent(None, now);
        }
    }

    /// Draws a name for an address that is to be hidden (draft-ietf-mmusic-mdns-ice-candidates §3.1.1).
    fn hide(&mut self, ip: IpAddr) {
        if !self.config.mdns_hiding || self.gathering.names.iter().any(|(known, _)| *known == ip) {
            return;
        }
        let name = crate::mdns::random_name(&mut self.rng);
        self.gathering.names.push((ip, name.clone()));
        self.outputs.push_back(Output::MdnsPublish { name, address: ip });
    }

    /// What the peer is told of a candidate, if anything (§3.1.2 of that draft: related addresses would give the hidden
    /// ones away).
    fn shown(&self, candidate: &Candidate) -> Option<Candidate> {
        if !self.config.policy.allows(candidate.kind) {
            return None;
        }
        let mut shown = candidate.clone();
        if self.config.mdns_hiding || self.config.policy == Policy::Relay {
            shown.related = None;
        }
        let name = candidate
            .base
            .and_then(|base| self.gathering.names.iter().find(|(ip, _)| *ip == base.ip()));
        if let (CandidateKind::Host, Some(address), Some((_, name))) = (candidate.kind, candidate.socket_addr(), name) {
            shown.address = CandidateAddress::Mdns {
                name: name.clone(),
                port: address.port(),
            };
        }
        Some(shown)
    }

    pub(super) fn change_policy(&mut self, policy: Policy) {
        let old = std::mem::replace(&mut self.config.policy, policy);
        if self.is_closed() || old == policy {
            return;
        }
        for candidate in self.gathering.list.clone() {
            if !old.allows(candidate.kind) {
                self.tell(&candidate);
            }
        }
        let gone = |pair: &super::pairs::Pair| !policy.allows(pair.base_kind);
        if self.pairs.iter().any(gone) {
            self.pairs.retain(|pair| !gone(pair));
            if self.selected.is_some_and(|id| self.pairs.find(id).is_none()) {
                self.selected = None;
            }
        }
        self.gathering.complete &= old != Policy::Silent;
        let bases: Vec<SocketAddr> = self.gathering.bases().collect();
        for base in bases {
            self.pair_base(base);
        }
    }

    fn tell(&mut self, candidate: &Candidate) {
        if let Some(shown) = self.shown(candidate) {
            self.emit(Event::LocalCandidate(shown));
        }
    }

    /// Tells all candidates again, for a new generation.
    pub(super) fn announce_again(&mut self) {
        self.gathering.complete = false;
        for candidate in &mut self.gathering.list {
            candidate.ufrag = Some(self.session.local().ufrag.clone());
        }
        for candidate in self.gathering.list.clone() {
            self.tell(&candidate);
        }
    }

    fn announce(&mut self, mut candidate: Candidate) -> Result<(), CandidateError> {
        candidate.ufrag = Some(self.session.local().ufrag.clone());
        self.gathering.push(candidate.clone())?;
        self.tell(&candidate);
        Ok(())
    }

    /// Asks one server whose time has come; `false` if there is none.
    pub(super) fn ask_server(&mut self, now: Instant) -> bool {
        let Some(question) = self
            .gathering
            .questions
            .iter_mut()
            .find(|q| q.next.is_some_and(|next| next <= now))
        else {
            return false;
        };
        question.attempts += 1;
        let wait = INITIAL_RTO * 2u32.pow(u32::from(question.attempts.min(MAX_ATTEMPTS)) - 1);
        question.next = Some(now + wait.min(MAX_RTO));
        let (base, server) = (question.base, question.server);
        let id = self.rng.transaction();
        self.transactions.insert(Transaction {
            id,
            target: Target::Server { base, server },
            sent_at: now,
            role: self.role,
            use_candidate: false,
        });
        self.stats.server_requests_sent += 1;
        self.transmit(base, server, stun::server_request(id));
        true
    }

    /// Gives up servers that never answer.
    pub(super) fn expire_questions(&mut self, now: Instant) {
        for question in &mut self.gathering.questions {
            if question.attempts >= MAX_ATTEMPTS && question.next.is_some_and(|next| next <= now) {
                (question.settled, question.next) = (true, None);
            }
        }
        // Once a pair is selected its own traffic keeps its mapping alive, and nobody needs the others; after a
        // failure nobody needs any.
        if self.selected.is_some() || self.state == State::Failed {
            for question in self.gathering.questions.iter_mut().filter(|q| q.settled) {
                question.next = None;
            }
        }
    }

    /// The answer of a server: `mapped` is how it sees `base`, `None` if it refused.
    pub(super) fn on_server_answer(
        &mut self,
        base: SocketAddr,
        server: SocketAddr,
        mapped: Option<SocketAddr>,
        now: Instant,
    ) {
        let selected = self.selected.is_some();
        let Some(question) = self
            .gathering
            .questions
            .iter_mut()
            .find(|q| (q.base, q.server) == (base, server))
        else {
            return;
        };
        question.settled = true;
        question.attempts = 0;
        question.next = (mapped.is_some() && !selected).then_some(now + REFRESH);
        if let Some(mapped) = mapped {
            self.add_reflexive(base, server, mapped);
        }
    }

    /// A server saw `base` as `mapped`.
    pub(super) fn add_reflexive(&mut self, base: SocketAddr, server: SocketAddr, mapped: SocketAddr) {
        if self.check_address(mapped).is_err() {
            return;
        }
        // RFC 8445 §5.1.3: redundant if it is the base itself or known already.
        let known = |c: &Candidate| c.base == Some(base) && c.socket_addr() == Some(mapped);
        if self.gathering.list.iter().any(known) {
            return;
        }
        let Some(host) = self.gathering.candidate_at(base) else {
            return;
        };
        let preference = u16::try_from(host.priority >> 8 & 0xffff).unwrap_or(0);
        let kind = CandidateKind::ServerReflexive;
        let announced = self.announce(Candidate {
            kind,
            address: CandidateAddress::Socket(mapped),
            base: Some(base),
            related: Some(base),
            priority: priority(kind, preference),
            foundation: self.gathering.foundation(kind, base.ip(), Some(server.ip())),
            component: 1,
            ufrag: None,
        });
        if announced.is_err() {
            self.stats.table_full += 1;
        }
    }

    /// Reports the end of gathering once.
    pub(super) fn update_gathering(&mut self) {
        let gathering = &mut self.gathering;
        let settled = gathering.questions.iter().all(|q| q.settled) && self.relays.is_settled();
        if gathering.ended && !gathering.complete && settled && self.config.policy != Policy::Silent {
            gathering.complete = true;
            self.emit(Event::GatheringComplete);
        }
    }
}
