//! Two transports that show each other nothing but relays, and the TURN server of this project between them: over UDP, and
//! over streams.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use duologue_transport::{Certificate, Config, Event, Output, Policy, StreamId, Transport, TurnServer, TurnTransport};
use duologue_turn::{
    Client, Config as ServerConfig, Credential, Forward, Framing, Output as ServerOutput, Server, Target,
};

const SERVER: &str = "198.18.0.1:3478";
const DELAY: Duration = Duration::from_millis(10);
const SECRET: &[u8] = b"a secret of the tests";
const NOW: Duration = Duration::from_secs(1_800_000_000);

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Message {
    ToServer(usize, Vec<u8>),
    ToClient(usize, Vec<u8>),
    Candidate(usize, String),
    Opened(usize, u32),
    StreamToServer(usize, u32, Vec<u8>),
    StreamToClient(usize, u32, Vec<u8>),
}

struct World {
    now: Instant,
    sides: [Transport; 2],
    events: [Vec<Event>; 2],
    server: Server,
    framing: HashMap<(usize, u32), Framing>,
    queue: BinaryHeap<Reverse<(Instant, u64, Message)>>,
    sequence: u64,
}

fn own(side: usize) -> SocketAddr {
    [addr("198.18.1.1:5000"), addr("198.18.2.1:6000")][side]
}

fn client_of(side: usize, stream: Option<u32>) -> Client {
    let address = own(side);
    match stream {
        None => Client::Datagram { listener: 0, address },
        Some(id) => Client::Stream {
            connection: u64::from(id) * 2 + side as u64,
            address,
        },
    }
}

impl World {
    fn new(transport: &TurnTransport) -> Self {
        let now = Instant::now();
        let server = Server::new(
            ServerConfig {
                secrets: vec![SECRET.to_vec()],
                time_of_day: NOW,
                relay_v4: Some("198.18.0.1".parse::<std::net::Ipv4Addr>().unwrap().into()),
                allowed_peers: vec!["198.18.0.0/15".parse().unwrap()],
                ..ServerConfig::default()
            },
            [9; 32],
            now,
        );
        let credential = Credential::mint(SECRET, "alice", NOW.as_secs() + 600);
        let mut sides = [true, false].map(|controlling| {
            let mut config = Config::new(Certificate::generate().unwrap());
            config.controlling = controlling;
            config.policy = Policy::Relay;
            config.turn_servers = vec![TurnServer {
                address: addr(SERVER),
                transport: transport.clone(),
                username: credential.username.clone(),
                credential: credential.password.clone(),
            }];
            Transport::new(config, [1 + u8::from(controlling); 32], now)
        });
        for (side, transport) in sides.iter_mut().enumerate() {
            transport.add_local_address(own(side), now).unwrap();
            transport.end_of_local_addresses(now);
        }
        let offer = sides[0].local_parameters();
        sides[1].set_remote_parameters(offer, now).unwrap();
        let answer = sides[1].local_parameters();
        sides[0].set_remote_parameters(answer, now).unwrap();
        Self {
            now,
            sides,
            events: [Vec::new(), Vec::new()],
            server,
            framing: HashMap::new(),
            queue: BinaryHeap::new(),
            sequence: 0,
        }
    }

    fn post(&mut self, message: Message) {
        self.sequence += 1;
        self.queue.push(Reverse((self.now + DELAY, self.sequence, message)));
    }

    fn deliver_to_client(&mut self, to: Client, bytes: Vec<u8>) {
        let message = match to {
            Client::Datagram { address, .. } => Message::ToClient(usize::from(address == own(1)), bytes),
            Client::Stream { connection, .. } => {
                Message::StreamToClient((connection & 1) as usize, (connection >> 1) as u32, bytes)
            }
        };
        self.post(message);
    }

    /// One message of a client at the server, and what follows from it.
    fn serve(&mut self, client: Client, bytes: &[u8]) {
        let now = self.now;
        let forward = self.server.handle_client(client, bytes, now).and_then(|forward| {
            let Forward {
                to,
                header,
                payload,
                padding,
                ..
            } = forward;
            let Target::Client(to) = to else {
                // Relays of one server are switched inside, for as long as there are two.
                assert!(self.sides.iter().any(Transport::is_closed), "{to:?}");
                return None;
            };
            let mut bytes = header.to_vec();
            bytes.extend(payload);
            bytes.resize(bytes.len() + padding, 0);
            Some((to, bytes))
        });
        if let Some((to, bytes)) = forward {
            self.deliver_to_client(to, bytes);
        }
        while let Some(output) = self.server.poll_output() {
            match output {
                ServerOutput::Transmit { to, payload } => self.deliver_to_client(to, payload),
                ServerOutput::OpenRelay { relay, .. } => self.server.relay_opened(relay, now),
                _ => {}
            }
        }
    }

    fn collect(&mut self) {
        for side in 0..2 {
            while let Some(output) = self.sides[side].poll_output() {
                match output {
                    Output::Transmit(sent) => {
                        assert_eq!((sent.source, sent.destination), (own(side), addr(SERVER)));
                        self.post(Message::ToServer(side, sent.payload));
                    }
                    Output::StreamOpen { id, remote, .. } => {
                        assert_eq!(remote, addr(SERVER));
                        self.framing.insert((side, id.0), Framing::new());
                        self.post(Message::Opened(side, id.0));
                    }
                    Output::StreamWrite { id, bytes } => self.post(Message::StreamToServer(side, id.0, bytes)),
                    Output::Event(Event::LocalCandidate(text)) => {
                        assert!(text.contains(" typ relay "), "{text}");
                        self.post(Message::Candidate(1 - side, text));
                    }
                    Output::Event(event) => self.events[side].push(event),
                    _ => {}
                }
            }
        }
    }

    fn deliver(&mut self, message: Message) {
        let now = self.now;
        match message {
            Message::ToServer(side, bytes) => self.serve(client_of(side, None), &bytes),
            Message::StreamToServer(side, id, bytes) => {
                let mut framing = self.framing.remove(&(side, id)).unwrap();
                framing.push(&bytes);
                while let Some(message) = framing.next_message().unwrap().map(<[u8]>::to_vec) {
                    self.serve(client_of(side, Some(id)), &message);
                }
                self.framing.insert((side, id), framing);
            }
            Message::ToClient(side, bytes) => self.sides[side].handle_datagram(own(side), addr(SERVER), &bytes, now),
            // Byte by byte: cut in every place there is.
            Message::StreamToClient(side, id, bytes) => {
                for byte in bytes {
                    self.sides[side].handle_stream_bytes(StreamId(id), &[byte], now);
                }
            }
            Message::Opened(side, id) => self.sides[side].handle_stream_open(StreamId(id), now),
            Message::Candidate(side, text) => self.sides[side].add_remote_candidate(&text, now).unwrap(),
        }
    }

    fn run_until(&mut self, limit: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + limit;
        loop {
            self.collect();
            if done(self) {
                return true;
            }
            let message = self.queue.peek().map(|Reverse((at, _, _))| *at);
            let timer = self.sides.iter().filter_map(Transport::poll_timeout).min();
            let Some(next) = [message, timer].into_iter().flatten().min().filter(|at| *at <= end) else {
                return false;
            };
            self.now = self.now.max(next);
            match self.queue.peek() {
                Some(Reverse((at, _, _))) if *at <= self.now => {
                    let Some(Reverse((_, _, message))) = self.queue.pop() else {
                        unreachable!("it was just seen")
                    };
                    self.deliver(message);
                }
                _ => {
                    let now = self.now;
                    self.sides.iter_mut().for_each(|side| side.handle_timeout(now));
                }
            }
        }
    }
}

fn rtp(number: u8) -> Vec<u8> {
    vec![0x80, 111, 0, number, 0, 0, 0, 0, 0, 0, 0, 9, number]
}

fn call(transport: &TurnTransport) {
    let mut world = World::new(transport);
    let connected = |world: &World| world.sides.iter().all(Transport::is_connected);
    assert!(
        world.run_until(Duration::from_secs(10), connected),
        "{:?}",
        world.events
    );
    let name = transport.protocol().name();
    for side in &world.sides {
        let path = side.path().unwrap();
        assert_eq!((path.local_kind, path.relay), ("relay", Some(name)));
    }
    for number in 0..50 {
        let now = world.now;
        for side in &mut world.sides {
            side.send_rtp(&rtp(number), now).unwrap();
        }
        world.run_until(Duration::from_millis(20), |_| false);
        world.now += Duration::from_millis(20);
    }
    world.run_until(Duration::from_secs(1), |_| false);
    for events in &world.events {
        let heard = events.iter().filter(|event| matches!(event, Event::Rtp(_)));
        assert_eq!(heard.count(), 50);
    }
    assert!(world.server.allocations() >= 2);
    let now = world.now;
    world.sides[0].close(now);
    let closed = |world: &World| world.events[1].contains(&Event::Closed);
    assert!(
        world.run_until(Duration::from_secs(1), closed),
        "close_notify came through the relay"
    );
    world.run_until(Duration::from_secs(2), |_| false);
    assert_eq!(world.server.allocations(), 0, "both gave theirs back");
}

#[test]
fn a_call_over_relays_by_udp() {
    call(&TurnTransport::Udp);
}

#[test]
fn a_call_over_relays_by_tcp() {
    call(&TurnTransport::Tcp);
}
