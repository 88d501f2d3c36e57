//! Messages of TURN, RFC 8656 §17 and §18, as a client reads and writes them.

use std::net::SocketAddr;

use crate::stun::{self, Class, Header, Integrity, Key, Transaction, Writer};

pub(super) const BINDING: u16 = 0x001;
pub(super) const ALLOCATE: u16 = 0x003;
pub(super) const REFRESH: u16 = 0x004;
pub(super) const SEND: u16 = 0x006;
pub(super) const DATA: u16 = 0x007;
pub(super) const CREATE_PERMISSION: u16 = 0x008;
pub(super) const CHANNEL_BIND: u16 = 0x009;

const MAPPED_ADDRESS: u16 = 0x0001;
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const ERROR_CODE: u16 = 0x0009;
const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
const CHANNEL_NUMBER: u16 = 0x000c;
const LIFETIME: u16 = 0x000d;
const XOR_PEER_ADDRESS: u16 = 0x0012;
const DATA_ATTRIBUTE: u16 = 0x0013;
const REALM: u16 = 0x0014;
const NONCE: u16 = 0x0015;
const XOR_RELAYED_ADDRESS: u16 = 0x0016;
const REQUESTED_ADDRESS_FAMILY: u16 = 0x0017;
const REQUESTED_TRANSPORT: u16 = 0x0019;
const MESSAGE_INTEGRITY_SHA256: u16 = 0x001c;
const PASSWORD_ALGORITHM: u16 = 0x001d;
const USERHASH: u16 = 0x001e;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const RESERVATION_TOKEN: u16 = 0x0022;
const ADDITIONAL_ADDRESS_FAMILY: u16 = 0x8000;
const ALTERNATE_SERVER: u16 = 0x8023;

/// RFC 8656 §18.8: UDP, the only transport a relay speaks.
const UDP: u8 = 17;
/// RFC 8656 §18.4.
const IPV6: u8 = 2;

/// REALM and NONCE are shorter than 128 characters of UTF-8 (RFC 8489 §14.9, §14.10).
const MAX_TEXT: usize = 763;

/// A well-formed message of a server. Nothing in it is proven until [`Message::is_signed_by`].
#[derive(Debug)]
pub(super) struct Message<'a> {
    bytes: &'a [u8],
    pub(super) class: Class,
    pub(super) method: u16,
    pub(super) transaction: Transaction,
    pub(super) error: Option<u16>,
    pub(super) realm: Option<&'a str>,
    pub(super) nonce: Option<&'a [u8]>,
    /// One of each family at most (RFC 8656 §7.3).
    pub(super) relayed: Vec<SocketAddr>,
    pub(super) mapped: Option<SocketAddr>,
    pub(super) peer: Option<SocketAddr>,
    pub(super) payload: Option<&'a [u8]>,
    pub(super) lifetime: Option<u32>,
    pub(super) alternate: Option<SocketAddr>,
    /// Carries a comprehension-required attribute that is not known here.
    pub(super) is_strange: bool,
    integrity: Option<Integrity<'a>>,
}

impl<'a> Message<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let header = Header::parse(bytes)?;
        let mut message = Self {
            bytes,
            class: header.class,
            method: header.method,
            transaction: header.transaction,
            error: None,
            realm: None,
            nonce: None,
            relayed: Vec::new(),
            mapped: None,
            peer: None,
            payload: None,
            lifetime: None,
            alternate: None,
            is_strange: false,
            integrity: None,
        };
        header.walk(bytes, |kind, value, offset| message.attribute(kind, value, offset))?;
        Some(message)
    }

    /// Takes in one attribute. Of duplicates the first counts (RFC 8489 §14). `None` if its value is malformed.
    fn attribute(&mut self, kind: u16, value: &'a [u8], offset: usize) -> Option<()> {
        match kind {
            MESSAGE_INTEGRITY => self.integrity = Some(Integrity::new(value, offset)?),
            ERROR_CODE if self.error.is_none() => self.error = Some(stun::error_code(value)?),
            REALM if self.realm.is_none() && value.len() <= MAX_TEXT => {
                self.realm = Some(std::str::from_utf8(value).ok()?);
            }
            NONCE if self.nonce.is_none() && value.len() <= MAX_TEXT => self.nonce = Some(value),
            XOR_RELAYED_ADDRESS => {
                let address = stun::xor_address(value, self.transaction)?;
                if self.relayed.iter().all(|other| other.is_ipv4() != address.is_ipv4()) {
                    self.relayed.push(address);
                }
            }
            XOR_MAPPED_ADDRESS if self.mapped.is_none() => {
                self.mapped = Some(stun::xor_address(value, self.transaction)?);
            }
            XOR_PEER_ADDRESS if self.peer.is_none() => {
                self.peer = Some(stun::xor_address(value, self.transaction)?);
            }
            DATA_ATTRIBUTE if self.payload.is_none() => self.payload = Some(value),
            LIFETIME if self.lifetime.is_none() => self.lifetime = Some(u32::from_be_bytes(value.try_into().ok()?)),
            ALTERNATE_SERVER if self.alternate.is_none() => self.alternate = Some(plain_address(value)?),
            0..0x8000 if !is_known(kind) => self.is_strange = true,
            _ => {}
        }
        Some(())
    }

    pub(super) fn is_signed_by(&self, key: &Key) -> bool {
        self.integrity
            .is_some_and(|integrity| integrity.is_made_with(key, self.bytes))
    }
}

fn is_known(kind: u16) -> bool {
    matches!(
        kind,
        MAPPED_ADDRESS
            | USERNAME
            | MESSAGE_INTEGRITY
            | ERROR_CODE
            | UNKNOWN_ATTRIBUTES
            | CHANNEL_NUMBER
            | LIFETIME
            | XOR_PEER_ADDRESS
            | DATA_ATTRIBUTE
            | REALM
            | NONCE
            | XOR_RELAYED_ADDRESS
            | MESSAGE_INTEGRITY_SHA256
            | PASSWORD_ALGORITHM
            | USERHASH
            | XOR_MAPPED_ADDRESS
            | RESERVATION_TOKEN
    )
}

/// An address that is not XORed (RFC 8489 §14.1, §14.15).
fn plain_address(value: &[u8]) -> Option<SocketAddr> {
    let (head, ip) = value.split_first_chunk::<4>()?;
    let port = u16::from_be_bytes([head[2], head[3]]);
    let address = match head[1] {
        1 => SocketAddr::from((<[u8; 4]>::try_from(ip).ok()?, port)),
        2 => SocketAddr::from((<[u8; 16]>::try_from(ip).ok()?, port)),
        _ => return None,
    };
    Some(stun::canonical(address))
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Allocate {
        /// Only an IPv6 relay, because the server has no other; else an IPv4 one, and an IPv6 one if it has that too.
        ipv6_only: bool,
    },
    /// `Some(0)` gives the allocation back.
    Refresh {
        lifetime: Option<u32>,
    },
    Permission(SocketAddr),
    Channel(u16, SocketAddr),
}

impl Ask {
    pub(super) fn method(self) -> u16 {
        match self {
            Self::Allocate { .. } => ALLOCATE,
            Self::Refresh { .. } => REFRESH,
            Self::Permission(_) => CREATE_PERMISSION,
            Self::Channel(..) => CHANNEL_BIND,
        }
    }
}

/// What proves who asks (RFC 8489 §9.2).
#[derive(Clone, Debug)]
pub(super) struct Proof {
    pub(super) username: String,
    pub(super) realm: String,
    pub(super) nonce: Vec<u8>,
    pub(super) key: Key,
}

/// A request, signed if `proof` is there.
pub(super) fn request(ask: Ask, transaction: Transaction, proof: Option<&Proof>) -> Vec<u8> {
    let mut writer = Writer::to_server(ask.method(), true, transaction);
    match ask {
        Ask::Allocate { ipv6_only } => {
            writer.put(REQUESTED_TRANSPORT, &[UDP, 0, 0, 0]);
            // RFC 8656 §7.1: never both; the additional family is comprehension-optional, so that an old server just
            // gives the one.
            let family = if ipv6_only {
                REQUESTED_ADDRESS_FAMILY
            } else {
                ADDITIONAL_ADDRESS_FAMILY
            };
            writer.put(family, &[IPV6, 0, 0, 0]);
        }
        Ask::Refresh { lifetime } => {
            if let Some(seconds) = lifetime {
                writer.put(LIFETIME, &seconds.to_be_bytes());
            }
        }
        Ask::Permission(peer) => writer.put_address(XOR_PEER_ADDRESS, peer, transaction),
        Ask::Channel(number, peer) => {
            let number = number.to_be_bytes();
            writer.put(CHANNEL_NUMBER, &[number[0], number[1], 0, 0]);
            writer.put_address(XOR_PEER_ADDRESS, peer, transaction);
        }
    }
    if let Some(proof) = proof {
        writer.put(USERNAME, proof.username.as_bytes());
        writer.put(REALM, proof.realm.as_bytes());
        writer.put(NONCE, &proof.nonce);
    }
    writer.finish(proof.map(|proof| &proof.key))
}

/// A Send indication (RFC 8656 §11.1).
pub(super) fn send_indication(transaction: Transaction, peer: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let mut writer = Writer::to_server(SEND, false, transaction);
    writer.put_address(XOR_PEER_ADDRESS, peer, transaction);
    writer.put(DATA_ATTRIBUTE, payload);
    writer.finish(None)
}

/// A Binding indication: keeps the mapping to the server alive (RFC 8489 §12).
pub(super) fn keepalive(transaction: Transaction) -> Vec<u8> {
    Writer::to_server(BINDING, false, transaction).finish(None)
}

/// ChannelData (RFC 8656 §12.4); over a stream padded to a multiple of four (§12.5).
pub(super) fn channel_data(number: u16, payload: &[u8], is_stream: bool) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
    let mut bytes = Vec::with_capacity(payload.len() + 7);
    bytes.extend(number.to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend(&payload[..usize::from(length)]);
    if is_stream {
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes
}

/// Channel number and payload of ChannelData; padding may follow (RFC 8656 §12.5).
pub(super) fn parse_channel_data(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<4>()?;
    let number = u16::from_be_bytes([head[0], head[1]]);
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    Some((number, rest.get(..length)?))
}
