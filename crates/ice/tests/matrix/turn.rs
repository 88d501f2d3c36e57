//! A STUN and TURN server, as small as the tests can do with: long-term credentials, both families, channels, streams.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use duologue_testnet::{StreamCommand, StreamEvent, StreamId, Transmit};
use stun_types::attribute::MessageIntegrity;
use stun_types::message::{IntegrityAlgorithm, IntegrityKey, LongTermKeyCredentials};

pub(crate) const USER: &str = "1700000000:alice";
pub(crate) const PASSWORD: &str = "secret";
const REALM: &str = "testnet";
const NONCE: &[u8] = b"a nonce";
pub(crate) const PORT: u16 = 3478;
pub(crate) const TLS_PORT: u16 = 443;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Client {
    Datagram(SocketAddr, SocketAddr),
    Stream(StreamId, SocketAddr),
}

#[derive(Debug)]
struct Allocation {
    client: Client,
    transaction: [u8; 12],
    relayed: Vec<SocketAddr>,
    permissions: Vec<IpAddr>,
    channels: Vec<(u16, SocketAddr)>,
}

#[derive(Debug)]
pub(crate) struct TurnServer {
    addresses: Vec<IpAddr>,
    key: IntegrityKey,
    allocations: Vec<Allocation>,
    next_port: u16,
    streams: HashMap<StreamId, (SocketAddr, Vec<u8>)>,
    pub(crate) out: VecDeque<Transmit>,
    pub(crate) commands: VecDeque<StreamCommand>,
    /// Data towards peers and towards clients.
    pub(crate) relayed: u64,
    /// Of these, on channels.
    pub(crate) on_channels: u64,
}

impl TurnServer {
    pub(crate) fn new(addresses: &[IpAddr]) -> Self {
        let credentials = LongTermKeyCredentials::new(USER.into(), PASSWORD.into(), REALM.into());
        Self {
            addresses: addresses.to_vec(),
            key: credentials.make_key(IntegrityAlgorithm::Sha1),
            allocations: Vec::new(),
            next_port: 50_000,
            streams: HashMap::new(),
            out: VecDeque::new(),
            commands: VecDeque::new(),
            relayed: 0,
            on_channels: 0,
        }
    }

    pub(crate) fn allocations(&self) -> usize {
        self.allocations.len()
    }

    pub(crate) fn handle_datagram(&mut self, local: SocketAddr, source: SocketAddr, payload: &[u8]) {
        if local.port() == PORT {
            return self.on_message(Client::Datagram(local, source), payload);
        }
        let allocation = self.allocations.iter().find(|a| a.relayed.contains(&local));
        let Some(allocation) = allocation.filter(|a| a.permissions.contains(&source.ip())) else {
            return;
        };
        let client = allocation.client;
        self.relayed += 1;
        let channel = allocation.channels.iter().find(|(_, peer)| *peer == source);
        let message = match channel {
            Some((number, _)) => {
                self.on_channels += 1;
                let mut bytes = number.to_be_bytes().to_vec();
                bytes.extend((payload.len() as u16).to_be_bytes());
                bytes.extend(payload);
                if matches!(client, Client::Stream(..)) {
                    bytes.resize(bytes.len().next_multiple_of(4), 0);
                }
                bytes
            }
            None => {
                let mut message = start(0x0017, &[9; 12]);
                put(&mut message, 0x0012, &xored(source, &[9; 12]));
                put(&mut message, 0x0013, payload);
                message
            }
        };
        self.send(client, message);
    }

    pub(crate) fn handle_stream(&mut self, id: StreamId, event: StreamEvent) {
        match event {
            StreamEvent::Accepted { local, peer } if matches!(local.port(), PORT | TLS_PORT) => {
                self.streams.insert(id, (peer, Vec::new()));
            }
            StreamEvent::Bytes(bytes) => {
                let Some((peer, buffer)) = self.streams.get_mut(&id) else {
                    return;
                };
                buffer.extend(bytes);
                let client = Client::Stream(id, *peer);
                let mut messages = Vec::new();
                while buffer.len() >= 4 {
                    let length = usize::from(u16::from_be_bytes([buffer[2], buffer[3]]));
                    let whole = if buffer[0] & 0xc0 == 0 {
                        20 + length
                    } else {
                        (4 + length).next_multiple_of(4)
                    };
                    if buffer.len() < whole {
                        break;
                    }
                    messages.push(buffer.drain(..whole).collect::<Vec<u8>>());
                }
                for message in messages {
                    self.on_message(client, &message);
                }
            }
            StreamEvent::Closed => {
                self.streams.remove(&id);
                self.allocations
                    .retain(|a| !matches!(a.client, Client::Stream(other, _) if other == id));
            }
            _ => {}
        }
    }

    fn on_message(&mut self, client: Client, bytes: &[u8]) {
        if bytes[0] & 0xc0 == 0x40 {
            let number = u16::from_be_bytes([bytes[0], bytes[1]]);
            let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
            let allocation = self.allocations.iter().find(|a| a.client == client);
            let channel = allocation.and_then(|a| Some((a, a.channels.iter().find(|(n, _)| *n == number)?)));
            if let Some((allocation, (_, peer))) = channel {
                self.on_channels += 1;
                let (source, peer) = (own(&allocation.relayed, *peer), *peer);
                self.relay(source, peer, bytes[4..4 + length].to_vec());
            }
            return;
        }
        let kind = u16::from_be_bytes([bytes[0], bytes[1]]);
        let id: [u8; 12] = bytes[8..20].try_into().unwrap();
        let attributes = attributes(bytes);
        let find = |kind: u16| attributes.iter().find(|(k, _, _)| *k == kind);
        let peer = find(0x0012).map(|(_, value, _)| unxored(value, &id));
        let seen = match client {
            Client::Datagram(_, source) | Client::Stream(_, source) => source,
        };
        match kind {
            0x0001 => {
                let mut answer = start(0x0101, &id);
                put(&mut answer, 0x0020, &xored(seen, &id));
                return self.send(client, answer);
            }
            0x0016 => {
                let allocation = self.allocations.iter().find(|a| a.client == client);
                if let (Some(allocation), Some(peer), Some((_, data, _))) = (allocation, peer, find(0x0013))
                    && allocation.permissions.contains(&peer.ip())
                {
                    let source = own(&allocation.relayed, peer);
                    self.relay(source, peer, data.to_vec());
                }
                return;
            }
            0x0003 | 0x0004 | 0x0008 | 0x0009 => {}
            _ => return,
        }
        let signed = find(0x0008).is_some_and(|(_, tag, offset)| {
            let mut header = bytes[..4].to_vec();
            header[2..4].copy_from_slice(&((offset + 24 - 20) as u16).to_be_bytes());
            let tag: &[u8; 20] = tag[..].try_into().unwrap();
            MessageIntegrity::verify(&[&header, &bytes[4..*offset]], &self.key, tag)
        });
        if !signed || find(0x0015).is_none_or(|(_, nonce, _)| *nonce != NONCE) {
            let mut answer = start(kind | 0x0110, &id);
            put(&mut answer, 0x0009, &[0, 0, 4, 1]);
            put(&mut answer, 0x0014, REALM.as_bytes());
            put(&mut answer, 0x0015, NONCE);
            return self.send(client, answer);
        }
        let index = self.allocations.iter().position(|a| a.client == client);
        let mut answer = start(kind | 0x0100, &id);
        match (kind, index) {
            (0x0003, Some(index)) if self.allocations[index].transaction != id => {
                answer = start(kind | 0x0110, &id);
                put(&mut answer, 0x0009, &[0, 0, 4, 37]);
            }
            (0x0003, found) => {
                let index = found.unwrap_or_else(|| {
                    self.next_port += 1;
                    let port = self.next_port;
                    self.allocations.push(Allocation {
                        client,
                        transaction: id,
                        relayed: self.addresses.iter().map(|ip| SocketAddr::new(*ip, port)).collect(),
                        permissions: Vec::new(),
                        channels: Vec::new(),
                    });
                    self.allocations.len() - 1
                });
                for relayed in &self.allocations[index].relayed {
                    put(&mut answer, 0x0016, &xored(*relayed, &id));
                }
                put(&mut answer, 0x0020, &xored(seen, &id));
                put(&mut answer, 0x000d, &600_u32.to_be_bytes());
            }
            (_, None) => {
                answer = start(kind | 0x0110, &id);
                put(&mut answer, 0x0009, &[0, 0, 4, 37]);
            }
            (0x0004, Some(index)) => {
                let lifetime =
                    find(0x000d).map_or(600, |(_, value, _)| u32::from_be_bytes(value[..].try_into().unwrap()));
                if lifetime == 0 {
                    self.allocations.remove(index);
                }
                put(&mut answer, 0x000d, &lifetime.to_be_bytes());
            }
            (0x0008, Some(index)) => self.allocations[index].permissions.push(peer.unwrap().ip()),
            (_, Some(index)) => {
                let (_, number, _) = find(0x000c).unwrap();
                let number = u16::from_be_bytes([number[0], number[1]]);
                self.allocations[index].permissions.push(peer.unwrap().ip());
                self.allocations[index].channels.push((number, peer.unwrap()));
            }
        }
        let offset = answer.len();
        put(&mut answer, 0x0008, &[0; 20]);
        let tag = MessageIntegrity::compute(&[&answer[..offset]], &self.key).unwrap();
        answer[offset + 4..].copy_from_slice(&tag);
        self.send(client, answer);
    }

    fn relay(&mut self, source: SocketAddr, destination: SocketAddr, payload: Vec<u8>) {
        self.relayed += 1;
        self.out.push_back(Transmit {
            source,
            destination,
            payload,
        });
    }

    fn send(&mut self, client: Client, payload: Vec<u8>) {
        match client {
            Client::Datagram(source, destination) => self.out.push_back(Transmit {
                source,
                destination,
                payload,
            }),
            Client::Stream(id, _) => self.commands.push_back(StreamCommand::Write { id, bytes: payload }),
        }
    }
}

fn own(relayed: &[SocketAddr], peer: SocketAddr) -> SocketAddr {
    *relayed.iter().find(|own| own.is_ipv4() == peer.is_ipv4()).unwrap()
}

fn attributes(bytes: &[u8]) -> Vec<(u16, Vec<u8>, usize)> {
    let (mut found, mut at) = (Vec::new(), 20);
    while at + 4 <= bytes.len() {
        let kind = u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let length = usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
        found.push((kind, bytes[at + 4..at + 4 + length].to_vec(), at));
        at += 4 + length.next_multiple_of(4);
    }
    found
}

fn start(kind: u16, id: &[u8; 12]) -> Vec<u8> {
    let mut message = kind.to_be_bytes().to_vec();
    message.extend([0, 0, 0x21, 0x12, 0xa4, 0x42]);
    message.extend(id);
    message
}

fn put(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    message.extend(kind.to_be_bytes());
    message.extend((value.len() as u16).to_be_bytes());
    message.extend(value);
    message.resize(message.len().next_multiple_of(4), 0);
    let length = (message.len() - 20) as u16;
    message[2..4].copy_from_slice(&length.to_be_bytes());
}

fn mask(id: &[u8; 12]) -> impl Iterator<Item = u8> {
    [0x21, 0x12, 0xa4, 0x42].into_iter().chain(*id)
}

fn xored(address: SocketAddr, id: &[u8; 12]) -> Vec<u8> {
    let mut value = vec![0, if address.is_ipv4() { 1 } else { 2 }];
    value.extend((address.port() ^ 0x2112).to_be_bytes());
    let octets = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    value.extend(octets.iter().zip(mask(id)).map(|(octet, mask)| octet ^ mask));
    value
}

fn unxored(value: &[u8], id: &[u8; 12]) -> SocketAddr {
    let port = u16::from_be_bytes([value[2], value[3]]) ^ 0x2112;
    let octets: Vec<u8> = value[4..]
        .iter()
        .zip(mask(id))
        .map(|(octet, mask)| octet ^ mask)
        .collect();
    match <[u8; 4]>::try_from(octets.as_slice()) {
        Ok(v4) => SocketAddr::from((v4, port)),
        Err(_) => SocketAddr::from((<[u8; 16]>::try_from(octets.as_slice()).unwrap(), port)),
    }
}
