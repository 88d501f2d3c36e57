//! Two transports on `testnet`'s virtual time, with signalling between them.
#![allow(dead_code, reason = "each test uses a part")]

use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use duologue_testnet::{Clock, Driver, Endpoint, EndpointId, HostId, LinkConfig, Network, Transmit};
use duologue_transport::{Certificate, Config, Event, Output, Parameters, Setup, Transport};

pub(crate) const CALLER: EndpointId = 0;
pub(crate) const CALLEE: EndpointId = 1;

/// Other datagrams in place of one.
pub(crate) type Rewrite = fn(&[u8]) -> Vec<Vec<u8>>;

/// A transport, what it did, and what stands between it and the network.
pub(crate) struct Party {
    pub(crate) transport: Transport,
    pub(crate) events: Vec<(Instant, Event)>,
    /// Datagrams of DTLS sent so far.
    pub(crate) dtls_sent: usize,
    /// Which of them is lost.
    pub(crate) drop_dtls: Option<usize>,
    /// Datagrams of any kind sent so far.
    pub(crate) sent: usize,
    /// Which of them is lost.
    pub(crate) drop: Option<usize>,
    /// What has left so far, for whoever listens on the path.
    pub(crate) overheard: Option<Vec<Transmit>>,
    /// Makes other datagrams of one of DTLS.
    pub(crate) rewrite: Option<Rewrite>,
    rewritten: VecDeque<Transmit>,
    /// Whether anything that leaves is lost.
    pub(crate) mute: bool,
    /// Whether all DTLS that leaves is lost.
    pub(crate) mute_dtls: bool,
    /// Sent as soon as the transport is connected.
    pub(crate) greeting: Option<Vec<u8>>,
    /// What the peer is told instead of our own parameters.
    pub(crate) signalled: Option<Parameters>,
    /// Answers wait until [`release`] when set.
    pub(crate) hold_answer: bool,
    answer_due: bool,
    peer: EndpointId,
    messages: VecDeque<Vec<u8>>,
    last: Instant,
}

pub(crate) struct Setting {
    pub(crate) seed: u64,
    pub(crate) link: LinkConfig,
    pub(crate) message_delay: Duration,
    pub(crate) callee_setup: Setup,
    /// Whether caller and callee know DTLS 1.3.
    pub(crate) dtls13: [bool; 2],
    pub(crate) consent_timeout: Duration,
    /// Whether both carry DTLS inside STUN.
    pub(crate) dtls_in_stun: bool,
    /// Greatest handshake datagram of both.
    pub(crate) mtu: usize,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            seed: 1,
            link: one_way(50),
            message_delay: Duration::from_millis(50),
            callee_setup: Setup::Active,
            dtls13: [true; 2],
            consent_timeout: Duration::from_secs(30),
            dtls_in_stun: false,
            mtu: 1150,
        }
    }
}

/// Half of a path of this many ms one way: each of two hosts has a link of its own.
pub(crate) fn one_way(ms: u64) -> LinkConfig {
    LinkConfig {
        delay: Duration::from_micros(ms * 500),
        ..LinkConfig::default()
    }
}

pub(crate) fn caller_address() -> SocketAddr {
    "192.0.2.1:4000".parse().unwrap()
}

pub(crate) fn callee_address() -> SocketAddr {
    "192.0.2.2:5000".parse().unwrap()
}

/// An RTP packet with this sequence number.
pub(crate) fn rtp(sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 111, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet.extend_from_slice(b"twenty milliseconds of speech");
    packet
}

/// An RTCP receiver report.
pub(crate) fn rtcp(word: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 201, 0, 2, 0, 0, 0, 9];
    packet.extend_from_slice(&word.to_be_bytes());
    packet
}

impl Party {
    fn new(config: Config, seed: [u8; 32], address: SocketAddr, peer: EndpointId, now: Instant) -> Self {
        let mut transport = Transport::new(config, seed, now);
        transport.add_local_address(address, now).unwrap();
        transport.end_of_local_addresses(now);
        Self {
            transport,
            events: Vec::new(),
            dtls_sent: 0,
            drop_dtls: None,
            sent: 0,
            drop: None,
            overheard: None,
            rewrite: None,
            rewritten: VecDeque::new(),
            mute: false,
            mute_dtls: false,
            greeting: None,
            signalled: None,
            hold_answer: false,
            answer_due: false,
            peer,
            messages: VecDeque::new(),
            last: now,
        }
    }

    fn signal_parameters(&mut self) {
        let parameters = self
            .signalled
            .clone()
            .unwrap_or_else(|| self.transport.local_parameters());
        let mut text = format!("P\n{}\n{}\n{}", parameters.ufrag, parameters.pwd, parameters.setup);
        for fingerprint in &parameters.fingerprints {
            text += &format!("\n{fingerprint}");
        }
        self.messages.push_front(text.into_bytes());
    }

    /// Signals the offer again, for a change of [`Self::signalled`] to count.
    pub(crate) fn resignal(&mut self) {
        self.messages.pop_front();
        self.signal_parameters();
    }

    /// Lets a held answer go.
    pub(crate) fn release(&mut self) {
        self.hold_answer = false;
        if std::mem::take(&mut self.answer_due) {
            self.signal_parameters();
        }
    }

    pub(crate) fn connected_at(&self) -> Option<Instant> {
        self.events
            .iter()
            .find(|(_, event)| matches!(event, Event::Connected { .. }))
            .map(|(at, _)| *at)
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connected_at().is_some() && self.transport.is_connected()
    }

    pub(crate) fn rtp(&self) -> Vec<(Instant, Bytes)> {
        self.events
            .iter()
            .filter_map(|(at, event)| match event {
                Event::Rtp(packet) => Some((*at, packet.clone())),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn rtcp(&self) -> Vec<Bytes> {
        self.events
            .iter()
            .filter_map(|(_, event)| match event {
                Event::Rtcp(packet) => Some(packet.clone()),
                _ => None,
            })
            .collect()
    }

    /// Events that are neither media nor candidates.
    pub(crate) fn milestones(&self) -> Vec<&Event> {
        self.events
            .iter()
            .map(|(_, event)| event)
            .filter(|event| {
                !matches!(
                    event,
                    Event::Rtp(_) | Event::Rtcp(_) | Event::LocalCandidate(_) | Event::GatheringComplete
                )
            })
            .collect()
    }

    fn on_event(&mut self, event: Event) {
        match &event {
            Event::LocalCandidate(candidate) => self.messages.push_back(format!("C\n{candidate}").into_bytes()),
            Event::GatheringComplete => self.messages.push_back(b"E".to_vec()),
            Event::Connected { .. } => {
                if let Some(greeting) = &self.greeting {
                    self.transport.send_rtp(greeting, self.last).unwrap();
                }
            }
            _ => {}
        }
        self.events.push((self.last, event));
    }
}

impl Endpoint for Party {
    fn handle_datagram(&mut self, local: SocketAddr, source: SocketAddr, payload: &[u8], now: Instant) {
        self.last = now;
        self.transport.handle_datagram(local, source, payload, now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.last = now;
        self.transport.handle_timeout(now);
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        loop {
            if let Some(transmit) = self.rewritten.pop_front() {
                return Some(transmit);
            }
            match self.transport.poll_output()? {
                Output::Transmit(transmit) => {
                    let is_dtls = (20..64).contains(&transmit.payload[0]);
                    self.dtls_sent += usize::from(is_dtls);
                    self.sent += 1;
                    if self.mute
                        || self.drop == Some(self.sent - 1)
                        || is_dtls && (self.mute_dtls || self.drop_dtls == Some(self.dtls_sent - 1))
                    {
                        continue;
                    }
                    let transmit = Transmit {
                        source: transmit.source,
                        destination: transmit.destination,
                        payload: transmit.payload,
                    };
                    if let Some(rewrite) = self.rewrite.filter(|_| is_dtls) {
                        let payloads = rewrite(&transmit.payload).into_iter();
                        self.rewritten.extend(payloads.map(|payload| Transmit {
                            payload,
                            ..transmit.clone()
                        }));
                        continue;
                    }
                    if let Some(overheard) = &mut self.overheard {
                        overheard.push(transmit.clone());
                    }
                    return Some(transmit);
                }
                Output::Event(event) => self.on_event(event),
                _ => {}
            }
        }
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        self.transport.poll_timeout()
    }

    fn handle_message(&mut self, _from: EndpointId, message: &[u8], now: Instant) {
        self.last = now;
        let text = std::str::from_utf8(message).unwrap();
        let mut lines = text.lines();
        match lines.next() {
            Some("P") => {
                let mut next = || lines.next().unwrap().to_owned();
                let parameters = Parameters {
                    ufrag: next(),
                    pwd: next(),
                    setup: next().parse().unwrap(),
                    fingerprints: lines.map(|line| line.parse().unwrap()).collect(),
                };
                let is_offer = parameters.setup == Setup::ActPass;
                let result = self.transport.set_remote_parameters(parameters, now);
                assert!(result.is_ok() || self.transport.is_closed(), "{result:?}");
                if is_offer {
                    if self.hold_answer {
                        self.answer_due = true;
                    } else {
                        self.signal_parameters();
                    }
                }
            }
            Some("C") => {
                let _ = self.transport.add_remote_candidate(lines.next().unwrap(), now);
            }
            _ => self.transport.end_of_remote_candidates(now),
        }
    }

    fn poll_message(&mut self) -> Option<(EndpointId, Vec<u8>)> {
        if self.answer_due && self.hold_answer {
            return None;
        }
        self.messages.pop_front().map(|message| (self.peer, message))
    }
}

pub(crate) struct Pair {
    pub(crate) driver: Driver<Party>,
    pub(crate) hosts: [HostId; 2],
    pub(crate) start: Instant,
}

/// Caller and callee; the caller's offer leaves at the first step.
pub(crate) fn pair(setting: &Setting) -> Pair {
    let clock = Clock::new();
    let now = clock.now();
    let mut network = Network::new(setting.seed);
    let mut host = |address: SocketAddr| network.add_host(&[address.ip()], setting.link.clone());
    let hosts = [host(caller_address()), host(callee_address())];
    let config = |controlling: bool| {
        let mut config = Config::new(Certificate::generate().unwrap());
        config.controlling = controlling;
        config.dtls13 = setting.dtls13[usize::from(!controlling)];
        config.answer_setup = setting.callee_setup;
        config.consent_timeout = setting.consent_timeout;
        config.dtls_in_stun = setting.dtls_in_stun;
        config.mtu = setting.mtu;
        config
    };
    let seed = |side: u8| {
        let mut seed = [side; 32];
        seed[..8].copy_from_slice(&setting.seed.to_le_bytes());
        seed
    };
    let mut caller = Party::new(config(true), seed(1), caller_address(), CALLEE, now);
    let mut callee = Party::new(config(false), seed(2), callee_address(), CALLER, now);
    if setting.dtls_in_stun {
        // Which the descriptions say.
        caller.transport.set_remote_dtls_in_stun(true);
        callee.transport.set_remote_dtls_in_stun(true);
    }
    caller.signal_parameters();
    let mut driver = Driver::new(network, clock);
    driver.set_message_delay(setting.message_delay);
    driver.add(hosts[0], caller);
    driver.add(hosts[1], callee);
    Pair {
        driver,
        hosts,
        start: now,
    }
}

impl Pair {
    pub(crate) fn caller(&mut self) -> &mut Party {
        self.driver.endpoint_mut(CALLER)
    }

    pub(crate) fn callee(&mut self) -> &mut Party {
        self.driver.endpoint_mut(CALLEE)
    }

    pub(crate) fn run(&mut self, duration: Duration) {
        self.driver.run_for(duration).unwrap();
    }

    /// Runs until both are connected; says whether that happened within 15 s.
    pub(crate) fn connect(&mut self) -> bool {
        self.driver
            .run_until(Duration::from_secs(15), |driver| {
                driver.endpoints().all(Party::is_connected)
            })
            .unwrap()
    }

    /// Sends a packet of each kind each way and checks that all arrive.
    pub(crate) fn exchange(&mut self, sequence: u16) {
        let now = self.driver.now();
        for id in [CALLER, CALLEE] {
            let party = self.driver.endpoint_mut(id);
            party.transport.send_rtp(&rtp(sequence), now).unwrap();
            party.transport.send_rtcp(&rtcp(sequence.into()), now).unwrap();
        }
        self.run(Duration::from_millis(500));
        for id in [CALLER, CALLEE] {
            let party = self.driver.endpoint(id);
            assert!(
                party.rtp().iter().any(|(_, packet)| packet[..] == rtp(sequence)[..]),
                "endpoint {id} has no RTP packet {sequence}"
            );
            assert!(
                party
                    .rtcp()
                    .iter()
                    .any(|packet| packet[..] == rtcp(sequence.into())[..])
            );
        }
    }

    pub(crate) fn since_start(&self, at: Instant) -> Duration {
        at - self.start
    }
}

/// Whether an event is this failure.
pub(crate) fn failed_with(event: &Event, reason: duologue_transport::FailReason) -> bool {
    *event == Event::Failed(reason)
}
