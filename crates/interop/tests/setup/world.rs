//! Two peers and a TURN server between them on virtual time, from the offer at the callee to audio both ways: ours, and a pair
//! made of `is` and `dimpl`.
#![allow(dead_code, reason = "the test and the table each use a part")]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use duologue_testnet::{Clock, Driver, Endpoint, EndpointId, LinkConfig, Loss, Network, Transmit};
use duologue_turn::{
    Client, Config as ServerConfig, Credential, Forward, Output as ServerOutput, Server, Target as Relayed,
};

use crate::oracle::Oracle;
use crate::ours::Ours;

pub(crate) const CALLER: EndpointId = 0;
pub(crate) const CALLEE: EndpointId = 1;
const SERVER: EndpointId = 2;

pub(crate) const TURN: &str = "198.18.0.1:3478";
const SECRET: &[u8] = b"a secret of the tests";
const TIME_OF_DAY: Duration = Duration::from_secs(1_800_000_000);
/// How long the phone rings before the callee sees the offer: the caller has gathered by then.
const RINGING: Duration = Duration::from_secs(3);
const FRAME: Duration = Duration::from_millis(20);

pub(crate) fn own(side: EndpointId) -> SocketAddr {
    [addr("198.18.1.1:5000"), addr("198.18.2.1:6000")][side]
}

pub(crate) fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Who talks, and over what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stack {
    /// Ours, as it is with anybody.
    Ours,
    /// Ours, with DTLS inside STUN checks.
    OursInStun,
    /// `is` and `dimpl` as they come.
    Oracle,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) stack: Stack,
    pub(crate) rtt: Duration,
    /// Share of datagrams lost on the whole way from one peer to the other.
    pub(crate) loss: f64,
    /// Both show nothing but relays.
    pub(crate) relay: bool,
    pub(crate) seed: u64,
    /// Which datagram of which endpoint is lost, counted from the offer.
    pub(crate) lost: Option<(EndpointId, usize)>,
}

/// One of the two stacks, as the world sees it.
pub(crate) trait Stackish {
    fn handle_datagram(&mut self, local: SocketAddr, source: SocketAddr, payload: &[u8], now: Instant);
    fn handle_timeout(&mut self, now: Instant);
    fn poll_transmit(&mut self, now: Instant) -> Option<Transmit>;
    fn poll_timeout(&mut self) -> Option<Instant>;
    /// A line of signalling came.
    fn handle_signal(&mut self, text: &str, now: Instant);
    fn poll_signal(&mut self) -> Option<String>;
    /// Media may be sent, and would be believed.
    fn is_up(&self) -> bool;
    fn send_media(&mut self, number: u16, now: Instant);
    /// Media heard so far.
    fn heard(&self) -> u64;
}

pub(crate) struct Peer {
    pub(crate) stack: Box<dyn Stackish>,
    other: EndpointId,
    /// Nothing is signalled before.
    speaks: bool,
    now: Instant,
    pub(crate) up_at: Option<Instant>,
    /// Sends audio from here on.
    talks_at: Option<Instant>,
    number: u16,
    pub(crate) heard_at: Option<Instant>,
}

pub(crate) struct Party {
    role: Role,
    /// Datagrams sent since the offer, and which is lost.
    pub(crate) sent: usize,
    lost: Option<usize>,
}

enum Role {
    Peer(Box<Peer>),
    Turn(Box<Turn>),
}

struct Turn {
    server: Server,
    out: VecDeque<Transmit>,
}

impl Turn {
    fn new(now: Instant) -> Self {
        let config = ServerConfig {
            secrets: vec![SECRET.to_vec()],
            time_of_day: TIME_OF_DAY,
            relay_v4: Some("198.18.0.1".parse::<std::net::Ipv4Addr>().unwrap().into()),
            allowed_peers: vec!["198.18.0.0/15".parse().unwrap()],
            ..ServerConfig::default()
        };
        Self {
            server: Server::new(config, [9; 32], now),
            out: VecDeque::new(),
        }
    }

    fn send(&mut self, to: Client, payload: Vec<u8>) {
        let Client::Datagram { address, .. } = to else {
            unreachable!("nobody uses streams here")
        };
        self.out.push_back(Transmit {
            source: addr(TURN),
            destination: address,
            payload,
        });
    }

    fn handle_datagram(&mut self, source: SocketAddr, payload: &[u8], now: Instant) {
        let client = Client::Datagram {
            listener: 0,
            address: source,
        };
        let forward = self.server.handle_client(client, payload, now).map(|forward| {
            let Forward {
                to,
                header,
                payload,
                padding,
                ..
            } = forward;
            let mut bytes = header.to_vec();
            bytes.extend(payload);
            bytes.resize(bytes.len() + padding, 0);
            (to, bytes)
        });
        // Relays of one server are switched inside.
        if let Some((Relayed::Client(to), bytes)) = forward {
            self.send(to, bytes);
        }
        while let Some(output) = self.server.poll_output() {
            match output {
                ServerOutput::Transmit { to, payload } => self.send(to, payload),
                ServerOutput::OpenRelay { relay, .. } => self.server.relay_opened(relay, now),
                _ => {}
            }
        }
    }
}

/// User name and password for the TURN server.
pub(crate) fn credential() -> (String, String) {
    let credential = Credential::mint(SECRET, "alice", TIME_OF_DAY.as_secs() + 600);
    (credential.username, credential.password)
}

impl Peer {
    fn observe(&mut self) {
        if self.up_at.is_none() && self.stack.is_up() {
            self.up_at = Some(self.now);
        }
        if self.heard_at.is_none() && self.stack.heard() > 0 {
            self.heard_at = Some(self.now);
            // The caller takes audio of the proven peer as the accept.
            self.talks_at.get_or_insert(self.now);
        }
    }
}

impl Endpoint for Party {
    fn handle_datagram(&mut self, local: SocketAddr, source: SocketAddr, payload: &[u8], now: Instant) {
        match &mut self.role {
            Role::Peer(peer) => {
                peer.now = now;
                peer.stack.handle_datagram(local, source, payload, now);
                peer.observe();
            }
            Role::Turn(turn) => turn.handle_datagram(source, payload, now),
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        match &mut self.role {
            Role::Peer(peer) => {
                peer.now = now;
                if peer.talks_at.is_some_and(|at| at <= now) {
                    peer.talks_at = Some(now + FRAME);
                    peer.number += 1;
                    peer.stack.send_media(peer.number, now);
                }
                peer.stack.handle_timeout(now);
                peer.observe();
            }
            Role::Turn(turn) => turn.server.handle_timeout(now),
        }
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        loop {
            let transmit = match &mut self.role {
                Role::Peer(peer) => {
                    let transmit = peer.stack.poll_transmit(peer.now);
                    peer.observe();
                    transmit
                }
                Role::Turn(turn) => turn.out.pop_front(),
            }?;
            self.sent += 1;
            if self.lost != Some(self.sent - 1) {
                return Some(transmit);
            }
        }
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        match &mut self.role {
            Role::Peer(peer) => [peer.stack.poll_timeout(), peer.talks_at].into_iter().flatten().min(),
            Role::Turn(turn) => turn.server.poll_timeout(),
        }
    }

    fn handle_message(&mut self, _: EndpointId, message: &[u8], now: Instant) {
        let Role::Peer(peer) = &mut self.role else { return };
        peer.now = now;
        match std::str::from_utf8(message).unwrap() {
            "accepted" => _ = peer.talks_at.get_or_insert(now),
            text => {
                peer.speaks = true;
                peer.stack.handle_signal(text, now);
            }
        }
        peer.observe();
    }

    fn poll_message(&mut self) -> Option<(EndpointId, Vec<u8>)> {
        let Role::Peer(peer) = &mut self.role else { return None };
        if !peer.speaks {
            return None;
        }
        let text = peer.stack.poll_signal()?;
        Some((peer.other, text.into_bytes()))
    }
}

pub(crate) struct World {
    pub(crate) driver: Driver<Party>,
    /// When the callee learns the offer.
    learned: Instant,
}

/// What a call took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// From the offer at the callee until both ends are up.
    pub(crate) up: Duration,
    /// From the accept to the first audio of the callee at the caller.
    pub(crate) audio_at_caller: Duration,
    /// From the accept to the first audio of the caller at the callee.
    pub(crate) audio_at_callee: Duration,
    /// Datagrams that caller, callee and server sent from the offer until both ends were up.
    pub(crate) sent: [usize; 3],
}

impl World {
    pub(crate) fn new(setting: &Setting) -> Self {
        let clock = Clock::new();
        let now = clock.now();
        // Two links on the way from peer to peer.
        let each = 1.0 - (1.0 - setting.loss).sqrt();
        let link = LinkConfig {
            delay: setting.rtt / 4,
            loss: if each > 0.0 { Loss::Bernoulli(each) } else { Loss::None },
            ..LinkConfig::default()
        };
        let mut network = Network::new(setting.seed);
        let mut hosts = [CALLER, CALLEE]
            .map(|side| network.add_host(&[own(side).ip()], link.clone()))
            .to_vec();
        hosts.push(network.add_host(&[addr(TURN).ip()], LinkConfig::default()));
        let mut driver = Driver::new(network, clock);
        driver.set_message_delay(setting.rtt / 2);
        for side in [CALLER, CALLEE] {
            let stack: Box<dyn Stackish> = match setting.stack {
                Stack::Ours | Stack::OursInStun => Box::new(Ours::new(side, setting, now)),
                Stack::Oracle => Box::new(Oracle::new(side, setting, now)),
            };
            let peer = Peer {
                stack,
                other: 1 - side,
                speaks: false,
                now,
                up_at: None,
                talks_at: None,
                number: 0,
                heard_at: None,
            };
            driver.add(hosts[side], Party::new(Role::Peer(Box::new(peer))));
        }
        driver.add(hosts[SERVER], Party::new(Role::Turn(Box::new(Turn::new(now)))));
        driver.run_for(RINGING).unwrap();
        driver.endpoint_mut(CALLER).peer().speaks = true;
        driver.run_for(setting.rtt / 2 - Duration::from_nanos(1)).unwrap();
        for id in [CALLER, CALLEE, SERVER] {
            let party = driver.endpoint_mut(id);
            party.sent = 0;
            party.lost = setting.lost.filter(|(whose, _)| *whose == id).map(|(_, which)| which);
        }
        Self {
            learned: driver.now() + Duration::from_nanos(1),
            driver,
        }
    }

    /// Runs a whole call, or `None` if it does not come about within 30 s.
    pub(crate) fn call(mut self, rtt: Duration) -> Option<Times> {
        let limit = Duration::from_secs(30);
        let is_up = |driver: &mut Driver<Party>| {
            [CALLER, CALLEE]
                .into_iter()
                .all(|side| driver.endpoint_mut(side).peer().up_at.is_some())
        };
        if !self.driver.run_until(limit, is_up).unwrap() {
            return None;
        }
        let up = self.driver.now() - self.learned;
        let sent = [CALLER, CALLEE, SERVER].map(|id| self.driver.endpoint(id).sent);
        // Ringing: repetitions of the handshake come to rest.
        self.driver.run_for(Duration::from_secs(2) + 4 * rtt).unwrap();
        let accepted = self.driver.now();
        self.driver.endpoint_mut(CALLEE).peer().talks_at = Some(accepted);
        let told = accepted + rtt / 2;
        let mut is_told = false;
        let heard = |driver: &mut Driver<Party>| {
            let now = driver.now();
            let caller = driver.endpoint_mut(CALLER).peer();
            if now >= told && !is_told {
                // The server passes on the accept.
                is_told = true;
                caller.talks_at.get_or_insert(now);
            }
            [CALLER, CALLEE]
                .into_iter()
                .all(|side| driver.endpoint_mut(side).peer().heard_at.is_some())
        };
        if !self.driver.run_until(limit, heard).unwrap() {
            return None;
        }
        let [at_caller, at_callee] =
            [CALLER, CALLEE].map(|side| self.driver.endpoint_mut(side).peer().heard_at.unwrap() - accepted);
        Some(Times {
            up,
            audio_at_caller: at_caller,
            audio_at_callee: at_callee,
            sent,
        })
    }
}

impl Party {
    fn new(role: Role) -> Self {
        Self {
            role,
            sent: 0,
            lost: None,
        }
    }

    pub(crate) fn peer(&mut self) -> &mut Peer {
        match &mut self.role {
            Role::Peer(peer) => peer,
            Role::Turn(_) => panic!("the server is no peer"),
        }
    }
}

/// Runs one call.
pub(crate) fn call(setting: &Setting) -> Option<Times> {
    World::new(setting).call(setting.rtt)
}
