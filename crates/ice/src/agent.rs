//! The agent: its state, its public face and the loop that serves what is due.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::rng::Rng;
use crate::stun::{self, Class, Message};
use crate::{
    Candidate, CandidateError, Config, Credentials, Event, MAX_CHECK_PAYLOAD, MAX_CHECK_PAYLOADS, Nat64Prefix, Output,
    PairInfo, Policy, Role, State, Stats, Transmit,
};

mod answers;
mod gather;
mod pairs;
mod receive;
mod relay;
mod remote;
mod restart;
mod select;
mod send;
mod session;
mod transactions;

use answers::Answers;
use gather::Gathering;
use pairs::{PairId, Pairs};
use relay::Relays;
use remote::Remotes;
use restart::Previous;
use select::Lost;
use session::Session;
use transactions::Transactions;

/// Outputs kept for an owner that does not drain them. Beyond this, datagrams and payload events are dropped, which
/// the peer sees as packet loss; state events have as much room again.
const MAX_OUTPUTS: usize = 1024;

/// Shortest Ta (RFC 8445 §14.2).
const MIN_PACING: Duration = Duration::from_millis(5);

/// An ICE agent for one component of one data stream. The crate's front page shows how to drive it.
#[derive(Debug)]
pub struct Agent {
    config: Config,
    rng: Rng,
    role: Role,
    tie_breaker: u64,
    /// Credentials of this generation.
    session: Session,
    /// The selected pair of the generation before, until this one has selected its own.
    previous: Option<Previous>,
    gathering: Gathering,
    relays: Relays,
    /// Prefixes under which the network translates IPv6 to IPv4.
    nat64: Vec<Nat64Prefix>,
    remotes: Remotes,
    pairs: Pairs,
    /// Pairs to check next, ahead of all others (RFC 8445 §6.1.4.1): at most one entry a pair.
    triggered: VecDeque<PairId>,
    transactions: Transactions,
    selected: Option<PairId>,
    /// Set while consent is lost.
    lost: Option<Lost>,
    /// The peer said that it follows renominations.
    remote_renomination: bool,
    /// Nominations of this generation: made as controlling, the latest one followed as controlled.
    nominations: u32,
    /// The selected pair went with its local address, and nothing was selected since.
    moved: bool,
    /// How often that happened in this generation.
    moves: u32,
    /// The latest wish of the peer after such a loss that was granted.
    granted: u32,
    /// Whether a better pair was reported in this generation.
    advised: bool,
    /// Ordinary checks sent: every third one is for a relay.
    ordinary: u32,
    /// The latest `now`.
    clock: Instant,
    /// Earliest time of the next paced check.
    next_slot: Instant,
    /// When the next consent check goes out, while a pair is in use.
    consent_at: Option<Instant>,
    /// When checking began: the patience of RFC 8863 counts from here.
    checks_began: Option<Instant>,
    /// Latest round trip of any pair, for the first timeout of the others.
    rtt: Option<Duration>,
    state: State,
    /// What the owner lets checks carry, the next one first.
    check_payloads: VecDeque<Vec<u8>>,
    /// Checks with a payload, answered when the owner has seen it.
    answers: Answers,
    outputs: VecDeque<Output>,
    stats: Stats,
}

impl Agent {
    /// An agent that has gathered nothing and knows nobody.
    ///
    /// `seed` must be unguessable: the password and the transaction ids come from it. The same configuration, seed
    /// and inputs give the same outputs.
    #[must_use]
    pub fn new(config: Config, seed: [u8; 32], now: Instant) -> Self {
        let mut rng = Rng::new(seed);
        let tie_breaker = rng.next_u64();
        let generated = Credentials::generate(&mut rng);
        let mut config = config;
        config.pacing = config.pacing.max(MIN_PACING);
        for server in &mut config.stun_servers {
            *server = stun::canonical(*server);
        }
        for server in &mut config.turn_servers {
            server.address = stun::canonical(server.address);
        }
        let local = config
            .local_credentials
            .clone()
            .filter(Credentials::fits)
            .unwrap_or(generated);
        // RFC 8445 §6.1.1: facing a lite agent, the full agent controls.
        let role = if config.remote_lite {
            Role::Controlling
        } else {
            config.role
        };
        Self {
            role,
            tie_breaker,
            session: Session::new(local),
            previous: None,
            gathering: Gathering::default(),
            relays: Relays::default(),
            nat64: Vec::new(),
            remotes: Remotes::default(),
            pairs: Pairs::default(),
            triggered: VecDeque::new(),
            transactions: Transactions::default(),
            selected: None,
            lost: None,
            remote_renomination: false,
            nominations: 0,
            moved: false,
            moves: 0,
            granted: 0,
            advised: false,
            ordinary: 0,
            clock: now,
            next_slot: now,
            consent_at: None,
            checks_began: None,
            rtt: None,
            state: State::New,
            check_payloads: VecDeque::new(),
            answers: Answers::default(),
            outputs: VecDeque::new(),
            stats: Stats::default(),
            config,
            rng,
        }
    }

    /// The credentials to signal to the peer.
    #[must_use]
    pub fn local_credentials(&self) -> &Credentials {
        self.session.local()
    }

    /// The credentials of the peer, once known.
    #[must_use]
    pub fn remote_credentials(&self) -> Option<&Credentials> {
        self.session.remote()
    }

    /// Starts the checks. Other credentials than those known before mean that the peer restarted: its candidates are
    /// forgotten, and the pair in use stays until another is selected.
    ///
    /// The owner answers a restart of the peer by calling [`restart`](Self::restart) first. Credentials longer than
    /// RFC 8839 §5.4 allows fit no message and are ignored; the owner sees it in
    /// [`remote_credentials`](Self::remote_credentials).
    pub fn set_remote_credentials(&mut self, credentials: Credentials, now: Instant) {
        self.clock = now;
        if self.is_closed() || self.session.remote() == Some(&credentials) || !credentials.fits() {
            return;
        }
        if self.session.remote().is_some() {
            self.begin_generation(None, now);
        }
        let ufrag = credentials.ufrag.clone();
        self.session.set_remote(credentials);
        self.checks_began = Some(now);
        self.forget_foreign_candidates(&ufrag);
        self.take_early_checks(&ufrag, now);
        self.service(now);
    }

    /// Adds a bound UDP socket: its address becomes a host candidate, each STUN server of its family is asked how it
    /// sees that address, and each TURN server for an allocation. Adding it twice changes nothing. At any time: an
    /// address that comes while a path is in use is checked beside it.
    ///
    /// # Errors
    /// [`CandidateError`]: the address cannot be a candidate, there are too many, or the agent is closed.
    pub fn add_local_address(&mut self, address: SocketAddr, now: Instant) -> Result<(), CandidateError> {
        self.clock = now;
        let address = stun::canonical(address);
        self.check_address(address)?;
        self.add_host(address, now)?;
        self.service(now);
        Ok(())
    }

    /// Adds an address that the owner allocated on a TURN server by other means than
    /// [`Config::turn_servers`], `mapped` being the address under which that server sees this host.
    ///
    /// Datagrams for this candidate are transmitted with `relayed` as their source: the owner encapsulates them, and
    /// hands in what arrives through the allocation with `relayed` as the local address.
    ///
    /// # Errors
    /// As [`add_local_address`](Self::add_local_address).
    pub fn add_relayed_address(
        &mut self,
        relayed: SocketAddr,
        mapped: SocketAddr,
        now: Instant,
    ) -> Result<(), CandidateError> {
        self.clock = now;
        let relayed = stun::canonical(relayed);
        self.check_address(relayed)?;
        self.add_relayed(relayed, mapped, None)?;
        self.service(now);
        Ok(())
    }

    /// Forgets a local address that is gone, with everything that used it. If the selected pair was on it, another
    /// valid pair takes over at once, if there is one.
    pub fn remove_local_address(&mut self, address: SocketAddr, now: Instant) {
        self.clock = now;
        let address = stun::canonical(address);
        self.end_relays(address, now);
        self.remove_local(address, now);
        self.service(now);
    }

    /// Changes what the peer may learn. What was held back is announced now; what is hidden from now on is not used any
    /// more, but what the peer was told stays told.
    pub fn set_policy(&mut self, policy: Policy, now: Instant) {
        self.clock = now;
        self.change_policy(policy);
        self.service(now);
    }

    /// Whether the peer advertised that it follows renominations (the ICE option `renomination`). Not before it did.
    pub fn set_remote_renomination(&mut self, advertised: bool) {
        self.remote_renomination = advertised;
    }

    /// The network translates IPv6 to IPv4 under these prefixes (RFC 7050; [`Nat64Prefix::discover`] finds them): peers
    /// and servers that have IPv4 only are reached from IPv6 addresses through them. At most 4 are used.
    pub fn set_nat64_prefixes(&mut self, prefixes: Vec<Nat64Prefix>, now: Instant) {
        self.clock = now;
        self.nat64 = prefixes;
        self.nat64.truncate(4);
        self.apply_nat64(now);
        self.service(now);
    }

    /// The address of a name that `Output::MdnsQuery` asked for.
    pub fn handle_mdns_answer(&mut self, name: &str, address: std::net::IpAddr, now: Instant) {
        self.clock = now;
        if !self.is_closed() {
            self.add_resolved(name, address);
            self.service(now);
        }
    }

    /// No more local addresses follow: gathering is complete as soon as the servers have answered.
    pub fn end_of_local_addresses(&mut self, now: Instant) {
        self.gathering.ended = true;
        self.service(now);
    }

    /// Adds a candidate of the peer. One that belongs to another generation (its `ufrag` is not the peer's) is
    /// ignored; the name of one under an mDNS name is asked for by [`Output::MdnsQuery`].
    ///
    /// # Errors
    /// [`CandidateError`]: another component than 1, an address that cannot be a candidate, too many, or the agent is
    /// closed.
    pub fn add_remote_candidate(&mut self, candidate: Candidate, now: Instant) -> Result<(), CandidateError> {
        self.clock = now;
        if self.is_closed() {
            return Err(CandidateError::Closed);
        }
        if candidate.component != 1 {
            let component = candidate.component;
            return Err(CandidateError::Component { component });
        }
        self.add_remote(candidate)?;
        self.service(now);
        Ok(())
    }

    /// No more candidates of the peer follow: from now on the agent may fail.
    pub fn end_of_remote_candidates(&mut self, now: Instant) {
        self.remotes.ended = true;
        self.service(now);
    }

    /// Takes in a datagram that arrived from `source` on `local`: STUN, and anything from a TURN server
    /// ([`is_relay`](Self::is_relay)), of which the peer's data comes back as [`Output::Data`]. Whatever is something
    /// else, not for this agent or not proven is counted and dropped.
    pub fn handle_datagram(&mut self, local: SocketAddr, source: SocketAddr, payload: &[u8], now: Instant) {
        if self.is_closed() {
            return;
        }
        self.clock = now;
        let (local, source) = (stun::canonical(local), stun::canonical(source));
        if !self.handle_relay_datagram(local, source, payload, now) {
            self.handle_stun(local, source, payload, now);
        }
        self.service(now);
    }

    fn handle_stun(&mut self, local: SocketAddr, source: SocketAddr, payload: &[u8], now: Instant) {
        let Some(message) = Message::parse(payload) else {
            self.stats.malformed += 1;
            return;
        };
        tracing::trace!(class = ?message.class, length = payload.len(), "STUN message");
        match message.class {
            Class::Request => self.handle_request(local, source, &message, now),
            Class::Success | Class::Error => self.handle_response(local, source, &message, now),
            Class::Indication => self.stats.indications_received += 1,
        }
    }

    /// Whether a datagram belongs to this agent, for an owner who serves several on one socket: a request for our
    /// user name, an answer to one of our requests, or what one of our relays passes on. Nothing is proven by it.
    #[must_use]
    pub fn accepts(&self, local: SocketAddr, source: SocketAddr, payload: &[u8]) -> bool {
        if self.is_relay_answer(stun::canonical(local), stun::canonical(source), payload) {
            return true;
        }
        let Some(message) = Message::parse(payload) else {
            return false;
        };
        match message.class {
            Class::Request => message.username.is_some_and(|username| {
                self.session.is_addressed_by(username)
                    || self
                        .previous
                        .as_ref()
                        .is_some_and(|p| p.session.is_addressed_by(username))
            }),
            Class::Success | Class::Error => self.transactions.find(message.transaction).is_some(),
            Class::Indication => false,
        }
    }

    /// Does what is due at `now`. Early or repeated calls do no harm.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.service(now);
    }

    /// The next thing for the owner to do; to be called until `None` after every other call.
    pub fn poll_output(&mut self) -> Option<Output> {
        if self.outputs.is_empty() && !self.answers.is_empty() {
            self.answer_now();
        }
        self.outputs.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.next_deadline()
    }

    /// The pair that data may use now: the selected one; before the first selection the best valid one, because the
    /// peer has proven that it wants what arrives there (RFC 8445 §12.1.1); during a restart the old one. `None`
    /// while there is no consent.
    #[must_use]
    pub fn best_pair(&self) -> Option<PairInfo> {
        self.usable_pair()
    }

    /// Whether a check in either direction has proven that the peer uses `remote` towards `local`: enough to tell
    /// whose datagram it is, not enough to send data there.
    #[must_use]
    pub fn is_validated(&self, local: SocketAddr, remote: SocketAddr) -> bool {
        let (local, remote) = (stun::canonical(local), stun::canonical(remote));
        self.pairs
            .find_by_address(local, remote)
            .is_some_and(|pair| pair.heard || pair.valid_since.is_some())
            || self.remotes.has_early(local, remote)
            || self
                .previous
                .as_ref()
                .is_some_and(|p| (p.base, p.remote) == (local, remote))
    }

    /// Restarts ICE (RFC 8445 §9) with these credentials, or fresh ones if they are `None` or too long. The local candidates are announced again for
    /// the new generation; the pair in use stays until the new generation has selected one.
    pub fn restart(&mut self, credentials: Option<Credentials>, now: Instant) {
        self.clock = now;
        if self.is_closed() {
            return;
        }
        let local = credentials
            .filter(Credentials::fits)
            .unwrap_or_else(|| Credentials::generate(&mut self.rng));
        self.begin_generation(Some(local), now);
        self.service(now);
    }

    /// Sets the opaque payloads that checks and answers carry from now on, one each in turn, as a
    /// comprehension-optional attribute: a peer that does not know it skips it. At most [`MAX_CHECK_PAYLOADS`] are kept,
    /// and none of more than [`MAX_CHECK_PAYLOAD`] bytes, which may not fit a datagram on every path.
    ///
    /// A check that carries a payload itself is answered after its [`Event::CheckPayload`] was polled, so that the
    /// answer carries what the owner sets in between. The answer to a host that no check of ours has reached carries none
    /// that would make it more than three times as long as the question, because the question's source may be forged.
    pub fn set_check_payloads(&mut self, payloads: impl IntoIterator<Item = Vec<u8>>) {
        let fits = |bytes: &Vec<u8>| bytes.len() <= MAX_CHECK_PAYLOAD;
        self.check_payloads = payloads.into_iter().filter(fits).take(MAX_CHECK_PAYLOADS).collect();
    }

    /// Ends everything. What was not yet polled is dropped, except the change of state and what gives the allocations
    /// back.
    pub fn close(&mut self) {
        if self.is_closed() {
            return;
        }
        self.outputs.clear();
        self.answers = Answers::default();
        self.release_relays(self.clock);
        self.pairs = Pairs::default();
        self.triggered.clear();
        self.transactions = Transactions::default();
        self.gathering = Gathering::default();
        self.remotes = Remotes::default();
        (self.selected, self.lost, self.previous, self.consent_at) = (None, None, None, None);
        self.set_state(State::Closed);
    }

    /// The state of the agent.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// The role, which a conflict may have reversed.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// What has been counted so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.stats
    }

    fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Does everything that is due, then brings the state up to date.
    fn service(&mut self, now: Instant) {
        if self.is_closed() {
            return;
        }
        self.clock = now;
        self.serve_relays(now);
        self.expire(now);
        self.reconsider_nomination(now);
        // A check that is triggered by one with a payload waits for the owner's, as the answer does.
        while self.answers.is_empty() && self.next_slot <= now && self.send_next(now) {
            self.next_slot = now + self.config.pacing;
        }
        self.send_consent(now);
        self.collect_relays(now);
        self.update_gathering();
        self.update_state(now);
    }

    fn check_address(&self, address: SocketAddr) -> Result<(), CandidateError> {
        if self.state == State::Closed {
            return Err(CandidateError::Closed);
        }
        if address.ip().is_loopback() && !self.config.loopback {
            return Err(CandidateError::Loopback { address });
        }
        if !crate::candidate::is_usable(address) {
            return Err(CandidateError::UnusableAddress { address });
        }
        Ok(())
    }

    fn set_state(&mut self, state: State) {
        if self.state != state {
            tracing::debug!(from = ?self.state, to = ?state, "ICE state");
            self.state = state;
            self.emit(Event::StateChanged(state));
        }
    }

    fn emit(&mut self, event: Event) {
        let room = match event {
            Event::CheckPayload(_) => MAX_OUTPUTS,
            _ => 2 * MAX_OUTPUTS,
        };
        if self.outputs.len() < room {
            self.outputs.push_back(Output::Event(event));
        } else {
            self.stats.outputs_dropped += 1;
        }
    }

    /// Sends a datagram from a base, through its relay if it is on one.
    fn transmit(&mut self, source: SocketAddr, destination: SocketAddr, payload: Vec<u8>) {
        if !self.relay(source, destination, &payload) {
            self.output_datagram(source, destination, payload);
        }
    }

    /// Queues a datagram, or drops it for want of room.
    fn output_datagram(&mut self, source: SocketAddr, destination: SocketAddr, payload: Vec<u8>) {
        if self.outputs.len() < MAX_OUTPUTS {
            self.outputs.push_back(Output::Transmit(Transmit {
                source,
                destination,
                payload,
            }));
        } else {
            self.stats.outputs_dropped += 1;
        }
    }
}

#[cfg(test)]
mod tests;
