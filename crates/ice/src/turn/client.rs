//! One allocation on one server, from nothing to the end.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::frame::Framer;
use super::requests::Request;
use super::wire::{self, Ask, Message, Proof};
use super::{StreamId, TurnServer};
use crate::rng::Rng;
use crate::stun::{Class, Key};
use crate::{RelayFailure, Stats};

mod answers;
mod peers;

use peers::{Channel, Permission};

/// RFC 8656 §3.2: what an allocation lives for if the server does not say.
const DEFAULT_LIFETIME: u32 = 600;
/// A mapping of a NAT on the way to the server may end after 30 s (RFC 4787 §4.3 knows such).
const KEEPALIVE: Duration = Duration::from_secs(20);
/// After 486 or 508, RFC 8656 §7.4 asks to wait a minute.
const BUSY: Duration = Duration::from_secs(60);
/// First wait before a lost allocation or stream is tried again; doubled each time.
const RETRY: Duration = Duration::from_secs(1);
/// How often that is done in a row.
const MAX_RETRIES: u32 = 6;
/// How long a stream may take to open, TLS included.
const CONNECT: Duration = Duration::from_secs(15);
/// How often a nonce may turn out stale in a row.
const MAX_STALE: u8 = 4;
/// How many servers one entry may lead to (RFC 8489 §10).
const MAX_REDIRECTS: usize = 3;
/// Greatest payload relayed; no datagram of a call comes near.
const MAX_PAYLOAD: usize = 16 * 1024;

/// What a client wants done.
#[derive(Debug)]
pub(crate) enum Action {
    /// Send this to the server: a datagram, or bytes on the stream.
    Send(Vec<u8>),
    /// Open the stream.
    Open,
    /// Close the stream.
    Close,
    /// The server relays for this address; it sees us under the other one.
    Allocated { relayed: SocketAddr, mapped: SocketAddr },
    /// These relayed addresses are gone.
    Lost(Vec<SocketAddr>),
    /// The server relays nothing to this host.
    Refused(IpAddr),
    /// No allocation, for this reason.
    Failed(RelayFailure),
}

/// What a peer sent through the relay.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) relayed: SocketAddr,
    pub(crate) peer: SocketAddr,
    pub(crate) payload: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The stream is being opened.
    Connecting,
    Allocating,
    Ready,
    /// Nothing under way; tried again when `retry_at` says so.
    Idle,
}

/// The client of one TURN server from one local address.
#[derive(Debug)]
pub(crate) struct Client {
    /// The stream, if the server is reached over one.
    pub(crate) stream: Option<StreamId>,
    /// The base over UDP; over a stream only its IP address counts.
    pub(crate) local: SocketAddr,
    /// Where the server is now: the configured one, or where that sent us.
    pub(crate) server: SocketAddr,
    pub(crate) config: TurnServer,
    /// Servers that one entry has led to.
    tried: Vec<SocketAddr>,
    loopback: bool,
    framer: Framer,
    phase: Phase,
    proof: Option<Proof>,
    ipv6_only: bool,
    requests: Vec<Request>,
    relayed: Vec<SocketAddr>,
    permissions: Vec<Permission>,
    channels: Vec<Channel>,
    next_channel: u16,
    refresh_at: Option<Instant>,
    expires_at: Option<Instant>,
    keepalive_at: Option<Instant>,
    retry_at: Option<Instant>,
    retries: u32,
    stale: u8,
    rtt: Option<Duration>,
    actions: VecDeque<Action>,
}

impl Client {
    /// A client that begins at once.
    pub(crate) fn new(
        config: TurnServer,
        stream: Option<StreamId>,
        local: SocketAddr,
        server: SocketAddr,
        loopback: bool,
        rng: &mut Rng,
        now: Instant,
    ) -> Self {
        let mut client = Self {
            stream,
            local,
            server,
            tried: vec![server],
            config,
            loopback,
            framer: Framer::default(),
            phase: Phase::Idle,
            proof: None,
            ipv6_only: false,
            requests: Vec::new(),
            relayed: Vec::new(),
            permissions: Vec::new(),
            channels: Vec::new(),
            next_channel: 0x4000,
            refresh_at: None,
            expires_at: None,
            keepalive_at: None,
            retry_at: None,
            retries: 0,
            stale: 0,
            rtt: None,
            actions: VecDeque::new(),
        };
        client.begin(rng, now);
        client
    }

    /// Whether it has an allocation, or has none and is not getting one soon.
    pub(crate) fn is_settled(&self) -> bool {
        matches!(self.phase, Phase::Ready | Phase::Idle)
    }

    /// Whether a datagram of the server is for this client: an answer to a request of its own, or relayed data while it
    /// has an allocation.
    pub(crate) fn accepts(&self, payload: &[u8]) -> bool {
        match crate::stun::Header::parse(payload) {
            Some(header) if matches!(header.class, Class::Success | Class::Error) => {
                self.requests.iter().any(|r| r.transaction == header.transaction)
            }
            _ => self.phase == Phase::Ready && super::is_turn(payload),
        }
    }

    pub(crate) fn owns(&self, relayed: SocketAddr) -> bool {
        self.relayed.contains(&relayed)
    }

    pub(crate) fn relayed(&self) -> &[SocketAddr] {
        &self.relayed
    }

    pub(crate) fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Other credentials for the same server: used from the next request on.
    pub(crate) fn set_credentials(&mut self, config: &TurnServer, rng: &mut Rng, now: Instant) {
        if self.config == *config {
            return;
        }
        self.config = config.clone();
        if let Some(proof) = &mut self.proof {
            proof.username.clone_from(&config.username);
            proof.key = Key::long_term(&config.username, &proof.realm, &config.credential);
        }
        if self.phase == Phase::Idle {
            self.begin(rng, now);
        }
    }

    /// The stream is open, TLS included.
    pub(crate) fn handle_open(&mut self, rng: &mut Rng, now: Instant) {
        if self.phase == Phase::Connecting {
            self.framer = Framer::default();
            self.allocate(rng, now);
        }
    }

    /// The stream ended, or could not be opened.
    pub(crate) fn handle_closed(&mut self, now: Instant) {
        if self.stream.is_none() || self.phase == Phase::Idle {
            return;
        }
        let was_ready = self.phase == Phase::Ready;
        self.forget();
        if !was_ready {
            self.actions.push_back(Action::Failed(RelayFailure::Unreachable));
        }
        self.retry_later(now);
    }

    /// Bytes of the stream.
    pub(crate) fn handle_bytes(&mut self, bytes: &[u8], rng: &mut Rng, stats: &mut Stats, now: Instant) -> Vec<Inner> {
        let mut heard = Vec::new();
        if !matches!(self.phase, Phase::Allocating | Phase::Ready) {
            return heard;
        }
        self.framer.push(bytes);
        loop {
            match self.framer.next() {
                Ok(Some(message)) => heard.extend(self.handle_message(&message, rng, stats, now)),
                Ok(None) => return heard,
                Err(_) => {
                    stats.malformed += 1;
                    self.actions.push_back(Action::Close);
                    self.handle_closed(now);
                    return heard;
                }
            }
        }
    }

    /// One message of the server: what it relays from a peer, if it is that.
    pub(crate) fn handle_message(
        &mut self,
        bytes: &[u8],
        rng: &mut Rng,
        stats: &mut Stats,
        now: Instant,
    ) -> Option<Inner> {
        if bytes.first().is_some_and(|first| first & 0xc0 == 0x40) {
            let heard = wire::parse_channel_data(bytes)
                .and_then(|(number, payload)| Some((self.peer_of(number, now)?, payload)))
                .and_then(|(peer, payload)| self.inner(peer, payload));
            stats.relay_dropped += u64::from(heard.is_none());
            return heard;
        }
        let Some(message) = Message::parse(bytes) else {
            stats.malformed += 1;
            return None;
        };
        match (message.class, message.method) {
            (Class::Indication, wire::DATA) => {
                let heard = message
                    .peer
                    .zip(message.payload)
                    .filter(|(peer, _)| !message.is_strange && self.is_permitted(peer.ip(), now))
                    .and_then(|(peer, payload)| self.inner(peer, payload));
                stats.relay_dropped += u64::from(heard.is_none());
                heard
            }
            (Class::Success | Class::Error, _) => {
                self.handle_answer(&message, rng, stats, now);
                None
            }
            _ => {
                stats.malformed += 1;
                None
            }
        }
    }

    fn inner(&self, peer: SocketAddr, payload: &[u8]) -> Option<Inner> {
        let relayed = *self.relayed.iter().find(|own| own.is_ipv4() == peer.is_ipv4())?;
        Some(Inner {
            relayed,
            peer,
            payload: payload.to_vec(),
        })
    }

    /// Sends to a peer through the relay, on a channel if there is one. Without an allocation it is dropped.
    pub(crate) fn send(&mut self, peer: SocketAddr, payload: &[u8], rng: &mut Rng, now: Instant) {
        if self.phase != Phase::Ready || payload.len() > MAX_PAYLOAD {
            return;
        }
        // In one go with the permission it needs: the server takes them in order, or drops what a check repeats.
        self.permit(peer, rng, now);
        if self.is_refused(peer.ip()) {
            return;
        }
        let bytes = match self.channel_to(peer, now) {
            Some(number) => wire::channel_data(number, payload, self.stream.is_some()),
            None => wire::send_indication(rng.transaction(), peer, payload),
        };
        self.emit(bytes, now);
    }

    /// Gives the allocation back (RFC 8656 §8). No answer is waited for.
    pub(crate) fn release(&mut self, rng: &mut Rng, now: Instant) {
        if self.phase == Phase::Ready {
            let ask = Ask::Refresh { lifetime: Some(0) };
            let bytes = wire::request(ask, rng.transaction(), self.proof.as_ref());
            // Once more in case one is lost; the second then finds nothing, which is no harm.
            if self.stream.is_none() {
                self.emit(bytes.clone(), now);
            }
            self.emit(bytes, now);
        }
        if self.stream.is_some() && self.phase != Phase::Idle {
            self.actions.push_back(Action::Close);
        }
        self.actions
            .retain(|action| matches!(action, Action::Send(_) | Action::Close));
        self.relayed.clear();
        self.forget();
        self.retry_at = None;
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, rng: &mut Rng, now: Instant) {
        if self.retry_at.is_some_and(|at| at <= now) {
            self.begin(rng, now);
        }
        if self.phase == Phase::Connecting && self.expires_at.is_some_and(|at| at <= now) {
            self.actions.push_back(Action::Close);
            self.handle_closed(now);
        }
        let is_stream = self.stream.is_some();
        for index in (0..self.requests.len()).rev() {
            if self.requests[index].next > now {
                continue;
            }
            if self.requests[index].is_over(is_stream) {
                let ask = self.requests.swap_remove(index).ask;
                self.on_failure(ask, None, rng, now);
                if self.phase != Phase::Ready {
                    return;
                }
            } else {
                let rtt = self.rtt;
                self.requests[index].on_sent(is_stream, rtt, now);
                let bytes = self.requests[index].bytes.clone();
                self.emit(bytes, now);
            }
        }
        if self.phase != Phase::Ready {
            return;
        }
        if self.expires_at.is_some_and(|at| at <= now) {
            return self.lose(now);
        }
        if self.refresh_at.is_some_and(|at| at <= now) {
            self.refresh_at = None;
            self.ask(Ask::Refresh { lifetime: None }, rng, now);
        }
        self.refresh_peers(rng, now);
        if self.keepalive_at.is_some_and(|at| at <= now) {
            self.emit(wire::keepalive(rng.transaction()), now);
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let requests = self.requests.iter().map(|request| request.next).min();
        let ready = self.phase == Phase::Ready;
        let rest = [
            self.retry_at,
            self.expires_at.filter(|_| self.phase != Phase::Idle),
            self.refresh_at.filter(|_| ready),
            self.keepalive_at.filter(|_| ready),
            self.peers_due().filter(|_| ready),
        ];
        rest.into_iter().chain([requests]).flatten().min()
    }

    fn begin(&mut self, rng: &mut Rng, now: Instant) {
        self.retry_at = None;
        if self.stream.is_some() {
            self.phase = Phase::Connecting;
            self.expires_at = Some(now + CONNECT);
            self.actions.push_back(Action::Open);
        } else {
            self.allocate(rng, now);
        }
    }

    fn allocate(&mut self, rng: &mut Rng, now: Instant) {
        self.phase = Phase::Allocating;
        self.expires_at = None;
        let ipv6_only = self.ipv6_only;
        self.ask(Ask::Allocate { ipv6_only }, rng, now);
    }

    fn ask(&mut self, ask: Ask, rng: &mut Rng, now: Instant) {
        let transaction = rng.transaction();
        let bytes = wire::request(ask, transaction, self.proof.as_ref());
        let mut request = Request {
            transaction,
            ask,
            bytes: bytes.clone(),
            is_signed: self.proof.is_some(),
            sent: 0,
            sent_at: now,
            next: now,
        };
        request.on_sent(self.stream.is_some(), self.rtt, now);
        self.requests.push(request);
        self.emit(bytes, now);
    }

    fn emit(&mut self, bytes: Vec<u8>, now: Instant) {
        self.keepalive_at = self.stream.is_none().then_some(now + KEEPALIVE);
        self.actions.push_back(Action::Send(bytes));
    }

    /// Drops everything that belongs to an allocation.
    fn forget(&mut self) {
        self.phase = Phase::Idle;
        self.requests.clear();
        self.permissions.clear();
        self.channels.clear();
        self.next_channel = 0x4000;
        (self.refresh_at, self.expires_at, self.keepalive_at) = (None, None, None);
        if !self.relayed.is_empty() {
            let gone = std::mem::take(&mut self.relayed);
            self.actions.push_back(Action::Lost(gone));
        }
    }

    /// The server has forgotten the allocation, or we let it expire.
    fn lose(&mut self, now: Instant) {
        if self.stream.is_some() {
            self.actions.push_back(Action::Close);
        }
        self.forget();
        self.retry_later(now);
    }

    fn give_up(&mut self, failure: RelayFailure) {
        if self.stream.is_some() {
            self.actions.push_back(Action::Close);
        }
        self.forget();
        self.actions.push_back(Action::Failed(failure));
    }

    fn retry_later(&mut self, now: Instant) {
        if self.retries < MAX_RETRIES {
            self.retry_at = Some(now + RETRY * 2u32.pow(self.retries));
            self.retries += 1;
        }
    }

    /// RFC 8489 §10: to the server that this one names.
    fn redirect(&mut self, alternate: Option<SocketAddr>, rng: &mut Rng, now: Instant) {
        let usable = |to: &SocketAddr| {
            to.is_ipv4() == self.server.is_ipv4()
                && crate::candidate::is_usable(*to)
                && (self.loopback || !to.ip().is_loopback())
                && !self.tried.contains(to)
        };
        match alternate.filter(usable).filter(|_| self.tried.len() <= MAX_REDIRECTS) {
            Some(to) => {
                if self.stream.is_some() {
                    self.actions.push_back(Action::Close);
                }
                self.tried.push(to);
                (self.server, self.proof, self.rtt) = (to, None, None);
                self.forget();
                self.begin(rng, now);
            }
            None => self.give_up(RelayFailure::Refused { code: 300 }),
        }
    }
}
