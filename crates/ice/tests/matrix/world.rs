//! Two agents on hosts of a virtual network, with signalling between them and a server that both know.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use duologue_ice::{
    Agent, Config, Credentials, Event, Output, PairInfo, Role, StreamId as AgentStream, TurnServer as ServerEntry,
    TurnTransport,
};
use duologue_testnet::{
    Clock, Driver, Endpoint, EndpointId, HostId, LinkConfig, Network, StreamCommand, StreamEvent, StreamId, Transmit,
};

use crate::turn::{PASSWORD, PORT, TLS_PORT, TurnServer, USER};

pub(crate) const A: usize = 0;
pub(crate) const B: usize = 1;
pub(crate) const SERVER: usize = 2;

pub(crate) const SERVER_V4: &str = "198.51.100.1";
pub(crate) const SERVER_V6: &str = "2001:db8:5::1";

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// The server under its addresses: as STUN server, and as TURN server over all transports.
pub(crate) fn config(role: Role, v4: bool, v6: bool) -> Config {
    let addresses = [(v4, SERVER_V4), (v6, SERVER_V6)];
    let addresses = addresses
        .into_iter()
        .filter(|(used, _)| *used)
        .map(|(_, text)| ip(text));
    let mut config = Config {
        role,
        ..Config::default()
    };
    for address in addresses {
        config.stun_servers.push(SocketAddr::new(address, PORT));
        let tls = TurnTransport::Tls {
            server_name: "turn.example".into(),
        };
        for (port, transport) in [(PORT, TurnTransport::Udp), (PORT, TurnTransport::Tcp), (TLS_PORT, tls)] {
            config.turn_servers.push(ServerEntry {
                address: SocketAddr::new(address, port),
                transport,
                username: USER.into(),
                credential: PASSWORD.into(),
            });
        }
    }
    config
}

pub(crate) struct Peer {
    pub(crate) agent: Agent,
    other: EndpointId,
    out: VecDeque<Transmit>,
    signal: VecDeque<String>,
    commands: VecDeque<StreamCommand>,
    streams: HashMap<StreamId, AgentStream>,
    pub(crate) events: Vec<(Instant, Event)>,
    /// A restart of ours is not answered yet.
    restarting: bool,
    /// What was signalled.
    pub(crate) told: Vec<String>,
    /// What the peer sent.
    pub(crate) heard: Vec<(Instant, Vec<u8>)>,
}

impl Peer {
    pub(crate) fn new(agent: Agent, other: EndpointId) -> Self {
        Self {
            agent,
            other,
            out: VecDeque::new(),
            signal: VecDeque::new(),
            commands: VecDeque::new(),
            streams: HashMap::new(),
            events: Vec::new(),
            restarting: false,
            told: Vec::new(),
            heard: Vec::new(),
        }
    }

    pub(crate) fn signal_credentials(&mut self) {
        let Credentials { ufrag, pwd } = self.agent.local_credentials().clone();
        self.signal.push_back(format!("{ufrag} {pwd}"));
    }

    pub(crate) fn restart(&mut self, now: Instant) {
        self.agent.restart(None, now);
        self.restarting = true;
        self.signal_credentials();
    }

    pub(crate) fn selected(&self) -> Option<PairInfo> {
        self.agent.best_pair().filter(|pair| pair.nominated)
    }

    /// Sends on the path in use.
    pub(crate) fn send(&mut self, payload: &[u8], now: Instant) {
        if let Some(pair) = self.agent.best_pair() {
            self.agent.send(pair.local, pair.remote, payload, now);
            self.collect(now);
        }
    }

    fn of(&self, id: AgentStream) -> Option<StreamId> {
        let found = self.streams.iter().find(|(_, agent)| **agent == id);
        found.map(|(stream, _)| *stream)
    }

    pub(crate) fn collect(&mut self, now: Instant) {
        while let Some(output) = self.agent.poll_output() {
            match output {
                Output::Transmit(t) => self.out.push_back(Transmit {
                    source: t.source,
                    destination: t.destination,
                    payload: t.payload,
                }),
                Output::Data { payload, .. } => self.heard.push((now, payload)),
                Output::StreamOpen { id, local, remote, .. } => self.commands.push_back(StreamCommand::Open {
                    tag: u64::from(id.0),
                    local,
                    remote,
                }),
                Output::StreamWrite { id, bytes } => {
                    if let Some(id) = self.of(id) {
                        self.commands.push_back(StreamCommand::Write { id, bytes });
                    }
                }
                Output::StreamClose { id } => {
                    if let Some(id) = self.of(id) {
                        self.streams.remove(&id);
                        self.commands.push_back(StreamCommand::Close { id });
                    }
                }
                Output::Event(event) => {
                    match &event {
                        Event::LocalCandidate(candidate) => {
                            self.told.push(candidate.to_string());
                            self.signal.push_back(candidate.to_string());
                        }
                        Event::GatheringComplete => self.signal.push_back("end".to_owned()),
                        _ => {}
                    }
                    self.events.push((now, event));
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

pub(crate) enum Host {
    Peer(Box<Peer>),
    Server(Box<TurnServer>),
}

impl Endpoint for Host {
    fn handle_datagram(&mut self, local: SocketAddr, source: SocketAddr, payload: &[u8], now: Instant) {
        match self {
            // What is not STUN comes straight from the peer or from a relay.
            Self::Peer(peer) if payload[0] >= 0x80 && !peer.agent.is_relay(local, source) => {
                assert!(peer.agent.is_validated(local, source));
                peer.heard.push((now, payload.to_vec()));
            }
            Self::Peer(peer) => {
                peer.agent.handle_datagram(local, source, payload, now);
                peer.collect(now);
            }
            Self::Server(server) => server.handle_datagram(local, source, payload),
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if let Self::Peer(peer) = self {
            peer.agent.handle_timeout(now);
            peer.collect(now);
        }
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        match self {
            Self::Peer(peer) => peer.out.pop_front(),
            Self::Server(server) => server.out.pop_front(),
        }
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        match self {
            Self::Peer(peer) => peer.agent.poll_timeout(),
            Self::Server(_) => None,
        }
    }

    fn handle_message(&mut self, _: EndpointId, message: &[u8], now: Instant) {
        let Self::Peer(peer) = self else { return };
        let text = std::str::from_utf8(message).unwrap();
        if let Some((ufrag, pwd)) = text.split_once(' ').filter(|_| !text.starts_with("candidate:")) {
            let (ufrag, pwd) = (ufrag.to_owned(), pwd.to_owned());
            let credentials = Credentials { ufrag, pwd };
            // A restart of the peer is answered with one of our own (RFC 8445 §9).
            let known = peer.agent.remote_credentials();
            if known.is_some_and(|known| *known != credentials) && !std::mem::take(&mut peer.restarting) {
                peer.agent.restart(None, now);
                peer.signal_credentials();
            }
            peer.agent.set_remote_credentials(credentials, now);
        } else if text == "end" {
            peer.agent.end_of_remote_candidates(now);
        } else {
            // Beyond the table's end they are refused.
            drop(peer.agent.add_remote_candidate(text.parse().unwrap(), now));
        }
        peer.collect(now);
    }

    fn poll_message(&mut self) -> Option<(EndpointId, Vec<u8>)> {
        match self {
            Self::Peer(peer) => peer.signal.pop_front().map(|text| (peer.other, text.into_bytes())),
            Self::Server(_) => None,
        }
    }

    fn handle_stream(&mut self, id: StreamId, event: StreamEvent, now: Instant) {
        match self {
            Self::Peer(peer) => {
                let known = peer.streams.get(&id).copied();
                match (event, known) {
                    (StreamEvent::Opening { tag }, _) => {
                        peer.streams.insert(id, AgentStream(u32::try_from(tag).unwrap()));
                    }
                    (StreamEvent::Opened, Some(known)) => peer.agent.handle_stream_open(known, now),
                    (StreamEvent::Bytes(bytes), Some(known)) => peer.agent.handle_stream_bytes(known, &bytes, now),
                    (StreamEvent::Closed, Some(known)) => {
                        peer.streams.remove(&id);
                        peer.agent.handle_stream_closed(known, now);
                    }
                    _ => {}
                }
                peer.collect(now);
            }
            Self::Server(server) => server.handle_stream(id, event),
        }
    }

    fn poll_stream(&mut self) -> Option<StreamCommand> {
        match self {
            Self::Peer(peer) => peer.commands.pop_front(),
            Self::Server(server) => server.commands.pop_front(),
        }
    }
}

pub(crate) struct World(pub(crate) Driver<Host>);

impl World {
    /// Two peers on these hosts, with these addresses, and the server on a link of its own.
    pub(crate) fn new(
        mut network: Network,
        hosts: [HostId; 2],
        addresses: [Vec<SocketAddr>; 2],
        configs: [Config; 2],
        server_link: LinkConfig,
        seed: u64,
    ) -> Self {
        let server_addresses = [ip(SERVER_V4), ip(SERVER_V6)];
        let server = network.add_host(&server_addresses, server_link);
        let clock = Clock::new();
        let now = clock.now();
        let mut driver = Driver::new(network, clock);
        driver.set_message_delay(Duration::from_millis(30));
        for (side, config) in configs.into_iter().enumerate() {
            let mut bytes = [side as u8 + 1; 32];
            bytes[8..16].copy_from_slice(&seed.to_le_bytes());
            let mut peer = Peer::new(Agent::new(config, bytes, now), 1 - side);
            peer.agent.set_remote_renomination(true);
            peer.signal_credentials();
            for address in &addresses[side] {
                peer.agent.add_local_address(*address, now).unwrap();
            }
            peer.agent.end_of_local_addresses(now);
            peer.collect(now);
            driver.add(hosts[side], Host::Peer(Box::new(peer)));
        }
        driver.add(server, Host::Server(Box::new(TurnServer::new(&server_addresses))));
        Self(driver)
    }

    pub(crate) fn peer(&self, side: usize) -> &Peer {
        let Host::Peer(peer) = self.0.endpoint(side) else {
            unreachable!("the first two are peers")
        };
        peer
    }

    /// Does something with a peer, and lets it speak.
    pub(crate) fn with<T>(&mut self, side: usize, act: impl FnOnce(&mut Peer, Instant) -> T) -> T {
        let now = self.0.now();
        let Host::Peer(peer) = self.0.endpoint_mut(side) else {
            unreachable!("the first two are peers")
        };
        let result = act(peer, now);
        peer.collect(now);
        result
    }

    pub(crate) fn server(&self) -> &TurnServer {
        let Host::Server(server) = self.0.endpoint(SERVER) else {
            unreachable!("the third is the server")
        };
        server
    }

    pub(crate) fn run_until(&mut self, limit: Duration, mut done: impl FnMut(&[&Peer; 2]) -> bool) -> bool {
        self.0
            .run_until(limit, |driver| {
                let peers = [A, B].map(|side| match driver.endpoint(side) {
                    Host::Peer(peer) => &**peer,
                    Host::Server(_) => unreachable!("the first two are peers"),
                });
                done(&peers)
            })
            .unwrap()
    }

    /// Data both ways until each side has heard the other, whatever is lost.
    pub(crate) fn talk(&mut self) -> bool {
        for round in 0..=255_u8 {
            let heard = [A, B].map(|side| self.peer(side).heard.iter().any(|(_, bytes)| bytes[1] == side as u8));
            if heard == [true, true] {
                return true;
            }
            for side in [A, B] {
                // Nothing that could be taken for STUN, DTLS or ChannelData.
                let payload = [0x80, 1 - side as u8, round, 4];
                self.with(side, |peer, now| peer.send(&payload, now));
            }
            self.0.run_for(Duration::from_millis(80)).unwrap();
        }
        false
    }
}
