//! Two agents on a virtual network: links with delay and loss, NATs after RFC 4787, a STUN server, and signalling
//! that carries candidates as text.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use duologue_ice::{Agent, Candidate, Config, Credentials, Event, Output, PairInfo, Role, Transmit};

pub(crate) const A: usize = 0;
pub(crate) const B: usize = 1;
pub(crate) const STUN_SERVER: &str = "198.51.100.1:3478";

pub(crate) fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
pub(crate) fn base() -> Instant {
    Instant::now()
}

/// What a NAT keeps of the destination when it maps and when it filters (RFC 4787 §4.1, §5).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nat {
    /// Endpoint-independent mapping, address- and port-dependent filtering.
    PortRestricted,
    /// Address- and port-dependent mapping and filtering.
    Symmetric,
}

struct NatBox {
    kind: Nat,
    public: std::net::IpAddr,
    /// Inside address, destination it was made for, outside port, destinations written to.
    mappings: Vec<(SocketAddr, Option<SocketAddr>, u16, Vec<SocketAddr>)>,
}

impl NatBox {
    fn outbound(&mut self, source: SocketAddr, destination: SocketAddr) -> SocketAddr {
        let key = (self.kind == Nat::Symmetric).then_some(destination);
        let next = 40_000 + u16::try_from(self.mappings.len()).unwrap();
        let index = self
            .mappings
            .iter()
            .position(|m| m.0 == source && m.1 == key)
            .unwrap_or_else(|| {
                self.mappings.push((source, key, next, Vec::new()));
                self.mappings.len() - 1
            });
        let mapping = &mut self.mappings[index];
        mapping.3.push(destination);
        SocketAddr::new(self.public, mapping.2)
    }

    fn inbound(&self, destination: SocketAddr, source: SocketAddr) -> Option<SocketAddr> {
        let mapping = self.mappings.iter().find(|m| m.2 == destination.port())?;
        mapping.3.contains(&source).then_some(mapping.0)
    }
}

enum Message {
    Datagram {
        source: SocketAddr,
        destination: SocketAddr,
        payload: Vec<u8>,
    },
    Candidate(String),
    EndOfCandidates,
    Credentials(Credentials),
}

struct Side {
    agent: Agent,
    addresses: Vec<SocketAddr>,
    nat: Option<NatBox>,
    events: Vec<(Duration, Event)>,
}

/// The world of one test.
pub(crate) struct World {
    pub(crate) start: Instant,
    pub(crate) now: Instant,
    sides: [Side; 2],
    queue: BinaryHeap<Reverse<(Instant, u64, usize)>>,
    messages: Vec<Option<Message>>,
    /// One way.
    pub(crate) delay: Duration,
    pub(crate) signal_delay: Duration,
    /// Share of datagrams lost.
    pub(crate) loss: f64,
    /// Nothing passes.
    pub(crate) dark: bool,
    /// Candidates are not signalled.
    pub(crate) silent: bool,
    random: u64,
    /// All datagrams handed to the network.
    pub(crate) sent: Vec<(Duration, usize, Transmit)>,
    steps: usize,
}

pub(crate) fn config(role: Role) -> Config {
    Config {
        role,
        ..Config::default()
    }
}

impl World {
    pub(crate) fn new(configs: [Config; 2], seed: u64) -> Self {
        let start = base();
        let mut index = 0;
        let sides = configs.map(|config| {
            index += 1;
            let mut bytes = [index; 32];
            bytes[..8].copy_from_slice(&seed.to_le_bytes());
            Side {
                agent: Agent::new(config, bytes, start),
                addresses: Vec::new(),
                nat: None,
                events: Vec::new(),
            }
        });
        Self {
            start,
            now: start,
            sides,
            queue: BinaryHeap::new(),
            messages: Vec::new(),
            delay: ms(50),
            signal_delay: ms(50),
            loss: 0.0,
            dark: false,
            silent: false,
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            sent: Vec::new(),
            steps: 0,
        }
    }

    /// A controlling and a controlled agent.
    pub(crate) fn pair(seed: u64) -> Self {
        Self::new([config(Role::Controlling), config(Role::Controlled)], seed)
    }

    pub(crate) fn agent(&mut self, side: usize) -> &mut Agent {
        &mut self.sides[side].agent
    }

    pub(crate) fn nat(&mut self, side: usize, kind: Nat, public: &str) {
        self.sides[side].nat = Some(NatBox {
            kind,
            public: public.parse().unwrap(),
            mappings: Vec::new(),
        });
    }

    /// Gives a side a socket.
    pub(crate) fn bind(&mut self, side: usize, address: &str) {
        let now = self.now;
        self.sides[side].addresses.push(addr(address));
        self.agent(side).add_local_address(addr(address), now).unwrap();
        self.drain(side);
    }

    pub(crate) fn end_of_addresses(&mut self, side: usize) {
        let now = self.now;
        self.agent(side).end_of_local_addresses(now);
        self.drain(side);
    }

    /// Signals the credentials of `side` to the other one, which knows them after the signalling delay.
    pub(crate) fn signal_credentials(&mut self, side: usize) {
        let credentials = self.sides[side].agent.local_credentials().clone();
        self.push(self.signal_delay, 1 - side, Message::Credentials(credentials));
    }

    /// Both sides bind one address each, end gathering and signal everything.
    pub(crate) fn introduce(&mut self) {
        for (side, address) in [(A, "192.0.2.1:5000"), (B, "203.0.113.1:6000")] {
            self.signal_credentials(side);
            self.bind(side, address);
            self.end_of_addresses(side);
        }
    }

    pub(crate) fn restart(&mut self, side: usize) {
        let now = self.now;
        self.agent(side).restart(None, now);
        self.signal_credentials(side);
        self.drain(side);
    }

    fn push(&mut self, delay: Duration, to: usize, message: Message) {
        let index = self.messages.len();
        self.messages.push(Some(message));
        self.queue.push(Reverse((self.now + delay, index as u64, to)));
    }

    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        ((self.random >> 11) as f64 / (1u64 << 53) as f64) < p
    }

    pub(crate) fn drain(&mut self, side: usize) {
        while let Some(output) = self.sides[side].agent.poll_output() {
            match output {
                Output::Transmit(transmit) => self.send(side, transmit),
                Output::Event(event) => {
                    match &event {
                        Event::LocalCandidate(candidate) if !self.silent => {
                            self.push(self.signal_delay, 1 - side, Message::Candidate(candidate.to_string()));
                        }
                        Event::GatheringComplete => self.push(self.signal_delay, 1 - side, Message::EndOfCandidates),
                        _ => {}
                    }
                    let at = self.now - self.start;
                    self.sides[side].events.push((at, event));
                }
                _ => unreachable!("no other outputs exist"),
            }
        }
    }

    fn send(&mut self, side: usize, transmit: Transmit) {
        self.sent.push((self.now - self.start, side, transmit.clone()));
        let loss = self.loss;
        let Transmit {
            source,
            destination,
            payload,
        } = transmit;
        let source = self.sides[side]
            .nat
            .as_mut()
            .map_or(source, |nat| nat.outbound(source, destination));
        if self.dark || self.chance(loss) {
            return;
        }
        if destination == addr(STUN_SERVER) {
            let answer = stun_answer(&payload, source);
            self.push(
                self.delay * 2,
                side,
                Message::Datagram {
                    source: destination,
                    destination: source,
                    payload: answer,
                },
            );
            return;
        }
        self.push(
            self.delay,
            1 - side,
            Message::Datagram {
                source,
                destination,
                payload,
            },
        );
    }

    /// Hands a datagram to a side as if it had arrived from anywhere.
    pub(crate) fn inject(&mut self, side: usize, local: SocketAddr, source: SocketAddr, payload: &[u8]) {
        let now = self.now;
        self.agent(side).handle_datagram(local, source, payload, now);
        self.drain(side);
    }

    fn deliver(&mut self, side: usize, message: Message) {
        let now = self.now;
        let target = &mut self.sides[side];
        match message {
            Message::Datagram {
                source,
                destination,
                payload,
            } => {
                let local = match &target.nat {
                    Some(nat) => nat.inbound(destination, source),
                    None => Some(destination),
                };
                if let Some(local) = local.filter(|local| target.addresses.contains(local)) {
                    target.agent.handle_datagram(local, source, &payload, now);
                }
            }
            Message::Candidate(text) => {
                let candidate: Candidate = text.parse().unwrap();
                target.agent.add_remote_candidate(candidate, now).unwrap();
            }
            Message::EndOfCandidates => target.agent.end_of_remote_candidates(now),
            Message::Credentials(credentials) => target.agent.set_remote_credentials(credentials, now),
        }
    }

    /// Runs until `done`, or to the end of `limit`; whether it was done.
    pub(crate) fn run_until(&mut self, limit: Duration, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        let end = self.now + limit;
        loop {
            if done(self) {
                return true;
            }
            self.steps += 1;
            assert!(self.steps < 200_000, "livelock: time stands still");
            let mut next = self.queue.peek().map(|Reverse((at, _, _))| *at);
            for side in &self.sides {
                next = [next, side.agent.poll_timeout()].into_iter().flatten().min();
            }
            let Some(next) = next.filter(|next| *next <= end) else {
                self.now = end;
                return done(self);
            };
            self.now = self.now.max(next);
            let due = self.queue.peek().is_some_and(|Reverse((at, _, _))| *at <= self.now);
            if due {
                let Reverse((_, index, side)) = self.queue.pop().unwrap();
                let message = self.messages[usize::try_from(index).unwrap()].take().unwrap();
                self.deliver(side, message);
                self.drain(side);
            } else {
                for side in [A, B] {
                    let now = self.now;
                    let at = self.sides[side].agent.poll_timeout();
                    if at.is_some_and(|at| at <= now) {
                        self.agent(side).handle_timeout(now);
                        self.drain(side);
                    }
                }
            }
        }
    }

    pub(crate) fn run(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }

    pub(crate) fn selected(&self, side: usize) -> Option<PairInfo> {
        self.sides[side].agent.best_pair().filter(|pair| pair.nominated)
    }

    /// Runs until both sides have selected, and on the same pair.
    pub(crate) fn connect(&mut self, limit: Duration) -> bool {
        self.run_until(limit, |w| w.selected(A).is_some() && w.selected(B).is_some())
    }

    pub(crate) fn events(&self, side: usize) -> impl Iterator<Item = &Event> {
        self.sides[side].events.iter().map(|(_, event)| event)
    }

    /// When the first event that fits happened, since the start.
    pub(crate) fn when(&self, side: usize, fits: impl Fn(&Event) -> bool) -> Option<Duration> {
        self.sides[side]
            .events
            .iter()
            .find(|(_, event)| fits(event))
            .map(|(at, _)| *at)
    }

    pub(crate) fn clear_events(&mut self) {
        for side in &mut self.sides {
            side.events.clear();
        }
    }
}

/// What a STUN server answers to an IPv4 client.
pub(crate) fn stun_answer(request: &[u8], source: SocketAddr) -> Vec<u8> {
    let SocketAddr::V4(source) = source else {
        panic!("IPv4 only")
    };
    let mut answer = vec![0x01, 0x01, 0, 12];
    answer.extend(&request[4..20]);
    answer.extend([0x00, 0x20, 0, 8, 0, 1]);
    answer.extend((source.port() ^ 0x2112).to_be_bytes());
    answer.extend((u32::from(*source.ip()) ^ 0x2112_a442).to_be_bytes());
    answer
}
