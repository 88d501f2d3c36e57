mod dual;
mod hostile;
mod lifecycle;
mod limits;
mod properties;
mod refusals;
mod relaying;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use super::*;
use crate::credential::{Credential, long_term_key};
use crate::message::Builder;
use crate::{Cidr, Limits};
use aws_lc_rs::hmac;

const SECRET: &[u8] = b"the north wind and the sun";
const REALM: &str = "duologue";
/// When the tests begin, in Unix seconds.
const EPOCH: u64 = 1_800_000_000;
const RELAY_V4: Ipv4Addr = Ipv4Addr::new(45, 9, 8, 7);
const RELAY_V6: Ipv6Addr = Ipv6Addr::new(0x2a01, 0x4f8, 0, 0, 0, 0, 0, 7);
const PEER: &str = "91.2.3.4:5000";

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn config() -> Config {
    Config {
        secrets: vec![SECRET.to_vec()],
        realm: REALM.into(),
        time_of_day: Duration::from_secs(EPOCH),
        relay_v4: Some(RELAY_V4.into()),
        relay_v6: Some(RELAY_V6.into()),
        ..Config::default()
    }
}

/// A server, its clock, and whoever owns the sockets.
struct Lab {
    server: Server,
    now: Instant,
    sockets: BTreeMap<usize, (RelayId, SocketAddr)>,
    /// How many of the next sockets cannot be bound.
    broken_sockets: u32,
    sent: Vec<(Client, Vec<u8>)>,
    events: Vec<Event>,
}

impl Lab {
    fn new(config: Config) -> Self {
        let now = Instant::now();
        Self {
            server: Server::new(config, [7; 32], now),
            now,
            sockets: BTreeMap::new(),
            broken_sockets: 0,
            sent: Vec::new(),
            events: Vec::new(),
        }
    }

    fn pump(&mut self) {
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::Transmit { to, payload } => self.sent.push((to, payload)),
                Output::OpenRelay { relay, .. } if self.broken_sockets > 0 => {
                    self.broken_sockets -= 1;
                    self.server.relay_failed(relay, self.now);
                }
                Output::OpenRelay { relay, bind } => {
                    assert!(self.sockets.insert(relay.index(), (relay, bind)).is_none());
                    self.server.relay_opened(relay, self.now);
                }
                Output::CloseRelay { relay } => {
                    let closed = self.sockets.remove(&relay.index());
                    assert_eq!(closed.map(|(relay, _)| relay), Some(relay));
                }
                Output::Event(event) => self.events.push(event),
            }
        }
    }

    fn advance(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.server.handle_timeout(self.now);
        self.pump();
    }

    /// What the server says to one message of a client, if anything.
    fn ask(&mut self, client: Client, message: &[u8]) -> Option<Vec<u8>> {
        self.sent.clear();
        assert_eq!(self.server.handle_client(client, message, self.now), None);
        self.pump();
        assert!(self.sent.len() <= 1, "one answer at most");
        let (to, answer) = self.sent.pop()?;
        assert_eq!(to, client, "answers go where the request came from");
        Some(answer)
    }

    /// The relay's socket gets this from outside.
    fn peer_says<'a>(&mut self, relay: RelayId, peer: &str, payload: &'a [u8]) -> Option<Forward<'a>> {
        self.server.handle_relayed(relay, addr(peer), payload, self.now)
    }

    /// The one relay there is.
    fn relay(&self) -> RelayId {
        assert_eq!(self.sockets.len(), 1);
        self.sockets.values().next().unwrap().0
    }
}

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Success,
    Error(u16),
}

/// A client that does what RFC 8656 says.
struct Phone {
    client: Client,
    credential: Credential,
    realm: Vec<u8>,
    nonce: Vec<u8>,
    transaction: u8,
    sha256: bool,
    fingerprint: bool,
}

impl Phone {
    fn new(address: &str, user: &str) -> Self {
        Self {
            client: Client::Datagram {
                listener: 0,
                address: addr(address),
            },
            credential: Credential::mint(SECRET, user, EPOCH + 36_000),
            realm: Vec::new(),
            nonce: Vec::new(),
            transaction: 0,
            sha256: false,
            fingerprint: false,
        }
    }

    fn stream(address: &str, user: &str, connection: u64) -> Self {
        let client = Client::Stream {
            connection,
            address: addr(address),
        };
        Self {
            client,
            ..Self::new(address, user)
        }
    }

    fn key(&self) -> [u8; 16] {
        let Credential { username, password } = &self.credential;
        long_term_key(username.as_bytes(), &self.realm, password.as_bytes())
    }

    /// The next request, authenticated when there is a nonce.
    fn request(&mut self, method: u16, fill: impl FnOnce(&mut Builder)) -> Vec<u8> {
        self.transaction += 1;
        let mut builder = Builder::new(method, Class::Request, [self.transaction; 12]);
        fill(&mut builder);
        if !self.nonce.is_empty() {
            builder.push(attribute::USERNAME, self.credential.username.as_bytes());
            builder.push(attribute::REALM, &self.realm);
            builder.push(attribute::NONCE, &self.nonce);
            let (kind, algorithm, size) = if self.sha256 {
                (attribute::MESSAGE_INTEGRITY_SHA256, hmac::HMAC_SHA256, 32)
            } else {
                let sha1 = hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY;
                (attribute::MESSAGE_INTEGRITY, sha1, 20)
            };
            let key = hmac::Key::new(algorithm, &self.key());
            builder.push_integrity(kind, size, |bytes| hmac::sign(&key, bytes).as_ref().to_vec());
        }
        if self.fingerprint {
            builder.push_fingerprint();
        }
        builder.finish()
    }

    /// Sends a request once.
    fn ask(&mut self, lab: &mut Lab, method: u16, fill: impl FnOnce(&mut Builder)) -> Said {
        let request = self.request(method, fill);
        let answer = lab.ask(self.client, &request).unwrap();
        said(&answer)
    }

    /// Learns realm and nonce.
    fn greet(&mut self, lab: &mut Lab) {
        self.nonce.clear();
        let request = self.request(method::ALLOCATE, udp);
        let answer = lab.ask(self.client, &request).unwrap();
        assert_eq!(said(&answer), Said::Error(401));
        self.learn(&answer);
    }

    fn learn(&mut self, answer: &[u8]) {
        let answer = Message::parse(answer).unwrap();
        self.realm = answer.realm.unwrap().to_vec();
        self.nonce = answer.nonce.unwrap().to_vec();
    }

    /// The relay's address as the client is told.
    fn allocate(&mut self, lab: &mut Lab) -> SocketAddr {
        self.greet(lab);
        let request = self.request(method::ALLOCATE, udp);
        let answer = lab.ask(self.client, &request).unwrap();
        assert_eq!(said(&answer), Said::Success);
        address_in(&answer, attribute::XOR_RELAYED_ADDRESS)
    }

    fn permit(&mut self, lab: &mut Lab, peer: &str) -> Said {
        self.ask(lab, method::CREATE_PERMISSION, |b| peer_address(b, peer))
    }

    fn bind(&mut self, lab: &mut Lab, number: u16, peer: &str) -> Said {
        self.ask(lab, method::CHANNEL_BIND, |b| {
            b.push(attribute::CHANNEL_NUMBER, &channel_value(number));
            peer_address(b, peer);
        })
    }

    fn refresh(&mut self, lab: &mut Lab, seconds: u32) -> Said {
        self.ask(lab, method::REFRESH, |b| lifetime(b, seconds))
    }
}

fn udp(builder: &mut Builder) {
    builder.push(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
}

fn lifetime(builder: &mut Builder, seconds: u32) {
    builder.push(attribute::LIFETIME, &seconds.to_be_bytes());
}

fn peer_address(builder: &mut Builder, peer: &str) {
    builder.push_address(attribute::XOR_PEER_ADDRESS, addr(peer));
}

fn channel_value(number: u16) -> [u8; 4] {
    let [high, low] = number.to_be_bytes();
    [high, low, 0, 0]
}

fn send_indication(peer: &str, payload: &[u8]) -> Vec<u8> {
    let mut builder = Builder::new(method::SEND, Class::Indication, [9; 12]);
    peer_address(&mut builder, peer);
    builder.push(attribute::DATA, payload);
    builder.finish()
}

fn channel_data(number: u16, payload: &[u8]) -> Vec<u8> {
    let mut message = number.to_be_bytes().to_vec();
    message.extend((payload.len() as u16).to_be_bytes());
    message.extend(payload);
    message
}

/// The value of an attribute, found by walking the message here rather than by the code under test.
fn value_of(message: &[u8], wanted: u16) -> Option<&[u8]> {
    let mut rest = &message[20..];
    while rest.len() >= 4 {
        let kind = u16::from_be_bytes([rest[0], rest[1]]);
        let size = usize::from(u16::from_be_bytes([rest[2], rest[3]]));
        if kind == wanted {
            return Some(&rest[4..4 + size]);
        }
        rest = &rest[4 + size.next_multiple_of(4)..];
    }
    None
}

fn said(answer: &[u8]) -> Said {
    match u16::from_be_bytes([answer[0], answer[1]]) & 0x0110 {
        0x0100 => Said::Success,
        0x0110 => {
            let value = value_of(answer, attribute::ERROR_CODE).unwrap();
            Said::Error(u16::from(value[2]) * 100 + u16::from(value[3]))
        }
        kind => panic!("{kind:#x} is no answer"),
    }
}

/// An IPv4 or IPv6 address out of an XOR-… attribute.
fn address_in(message: &[u8], wanted: u16) -> SocketAddr {
    let value = value_of(message, wanted).unwrap();
    let port = u16::from_be_bytes([value[2] ^ 0x21, value[3] ^ 0x12]);
    let plain: Vec<u8> = value[4..].iter().zip(&message[4..20]).map(|(a, b)| a ^ b).collect();
    match value[1] {
        1 => (<[u8; 4]>::try_from(plain).unwrap(), port).into(),
        2 => (<[u8; 16]>::try_from(plain).unwrap(), port).into(),
        family => panic!("family {family}"),
    }
}

/// What the target would get.
fn wire(forward: &Forward<'_>) -> Vec<u8> {
    let mut bytes = forward.header.to_vec();
    bytes.extend(forward.payload);
    bytes.resize(bytes.len() + forward.padding, 0);
    bytes
}
