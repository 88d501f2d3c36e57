//! STUN messages as TURN uses them: read without copying, written into one buffer (RFC 8489 §5, §14; RFC 8656 §18).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::wire::{FINGERPRINT_MASK, MAGIC_COOKIE, crc32};

/// Length of a STUN header.
pub(crate) const HEADER: usize = 20;
const COOKIE: [u8; 4] = MAGIC_COOKIE.to_be_bytes();

/// Methods (RFC 8489 §18.2, RFC 8656 §17).
pub(crate) mod method {
    pub(crate) const BINDING: u16 = 0x001;
    pub(crate) const ALLOCATE: u16 = 0x003;
    pub(crate) const REFRESH: u16 = 0x004;
    pub(crate) const SEND: u16 = 0x006;
    pub(crate) const DATA: u16 = 0x007;
    pub(crate) const CREATE_PERMISSION: u16 = 0x008;
    pub(crate) const CHANNEL_BIND: u16 = 0x009;
}

/// Attributes (RFC 8489 §18.3, RFC 8656 §18).
pub(crate) mod attribute {
    pub(crate) const MAPPED_ADDRESS: u16 = 0x0001;
    pub(crate) const USERNAME: u16 = 0x0006;
    pub(crate) const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub(crate) const ERROR_CODE: u16 = 0x0009;
    pub(crate) const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
    pub(crate) const CHANNEL_NUMBER: u16 = 0x000c;
    pub(crate) const LIFETIME: u16 = 0x000d;
    pub(crate) const XOR_PEER_ADDRESS: u16 = 0x0012;
    pub(crate) const DATA: u16 = 0x0013;
    pub(crate) const REALM: u16 = 0x0014;
    pub(crate) const NONCE: u16 = 0x0015;
    pub(crate) const XOR_RELAYED_ADDRESS: u16 = 0x0016;
    pub(crate) const REQUESTED_ADDRESS_FAMILY: u16 = 0x0017;
    pub(crate) const EVEN_PORT: u16 = 0x0018;
    pub(crate) const REQUESTED_TRANSPORT: u16 = 0x0019;
    pub(crate) const DONT_FRAGMENT: u16 = 0x001a;
    pub(crate) const MESSAGE_INTEGRITY_SHA256: u16 = 0x001c;
    pub(crate) const PASSWORD_ALGORITHM: u16 = 0x001d;
    pub(crate) const USERHASH: u16 = 0x001e;
    pub(crate) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    pub(crate) const RESERVATION_TOKEN: u16 = 0x0022;
    pub(crate) const ADDITIONAL_ADDRESS_FAMILY: u16 = 0x8000;
    pub(crate) const ADDRESS_ERROR_CODE: u16 = 0x8001;
    pub(crate) const FINGERPRINT: u16 = 0x8028;
}

/// The two bits that tell what a message is (RFC 8489 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Request,
    Indication,
    Success,
    Error,
}

impl Class {
    fn bits(self) -> u16 {
        match self {
            Self::Request => 0,
            Self::Indication => 0x010,
            Self::Success => 0x100,
            Self::Error => 0x110,
        }
    }
}

/// The message type of a method and a class. Methods here have no bit above the class bits but those of the low nibble.
pub(crate) fn kind(method: u16, class: Class) -> u16 {
    (method & 0x000f) | class.bits()
}

/// Why a message is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Malformed {
    Layout,
    Fingerprint,
}

/// Where a MESSAGE-INTEGRITY stands and what it says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Integrity<'a> {
    /// Offset of the attribute within the message: what lies before is authenticated.
    pub(crate) offset: usize,
    pub(crate) tag: &'a [u8],
}

/// A message with lengths that add up. Values of a wrong size leave `None` and set `bad_value`.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) method: u16,
    pub(crate) class: Class,
    pub(crate) transaction: [u8; 12],
    pub(crate) username: Option<&'a [u8]>,
    pub(crate) realm: Option<&'a [u8]>,
    pub(crate) nonce: Option<&'a [u8]>,
    pub(crate) sha1: Option<Integrity<'a>>,
    pub(crate) sha256: Option<Integrity<'a>>,
    pub(crate) fingerprint: bool,
    pub(crate) lifetime: Option<u32>,
    pub(crate) requested_transport: Option<u8>,
    pub(crate) requested_family: Option<u8>,
    pub(crate) additional_family: Option<u8>,
    /// EVEN-PORT, with its R bit.
    pub(crate) even_port: Option<bool>,
    pub(crate) reservation_token: bool,
    pub(crate) dont_fragment: bool,
    pub(crate) password_algorithm: bool,
    pub(crate) channel: Option<u16>,
    /// The first XOR-PEER-ADDRESS; [`peers`](Self::peers) has them all.
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) data: Option<&'a [u8]>,
    /// A known attribute has an impossible value.
    pub(crate) bad_value: bool,
    /// Comprehension-required attributes that are not known, each once, the first [`NAMED`] of them.
    pub(crate) unknown: Vec<u16>,
    /// Up to where attributes count: those after an integrity attribute do not (RFC 8489 §14.5).
    end: usize,
}

/// Most attributes that a 420 names.
const NAMED: usize = 8;

impl<'a> Message<'a> {
    /// Reads one whole message.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let (header, body) = bytes.split_at_checked(HEADER).ok_or(Malformed::Layout)?;
        let kind = u16::from_be_bytes([header[0], header[1]]);
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if kind & 0xc000 != 0 || header[4..8] != COOKIE || length != body.len() || length % 4 != 0 {
            return Err(Malformed::Layout);
        }
        let mut transaction = [0; 12];
        transaction.copy_from_slice(&header[8..]);
        let mut message = Self {
            bytes,
            // RFC 8489 §5: the class bits sit in between the bits of the method.
            method: (kind & 0x000f) | (kind & 0x00e0) >> 1 | (kind & 0x3e00) >> 2,
            class: match kind & 0x0110 {
                0x000 => Class::Request,
                0x010 => Class::Indication,
                0x100 => Class::Success,
                _ => Class::Error,
            },
            transaction,
            username: None,
            realm: None,
            nonce: None,
            sha1: None,
            sha256: None,
            fingerprint: false,
            lifetime: None,
            requested_transport: None,
            requested_family: None,
            additional_family: None,
            even_port: None,
            reservation_token: false,
            dont_fragment: false,
            password_algorithm: false,
            channel: None,
            peer: None,
            data: None,
            bad_value: false,
            unknown: Vec::new(),
            end: bytes.len(),
        };
        let mut offset = HEADER;
        while offset < bytes.len() {
            // RFC 8489 §14.7: FINGERPRINT is the last attribute.
            if message.fingerprint {
                return Err(Malformed::Layout);
            }
            let (attribute, value, next) = attribute_at(bytes, offset).ok_or(Malformed::Layout)?;
            message.take(attribute, value, offset)?;
            offset = next;
        }
        Ok(message)
    }

    fn take(&mut self, attribute: u16, value: &'a [u8], offset: usize) -> Result<(), Malformed> {
        match attribute {
            attribute::FINGERPRINT => {
                let stated = <[u8; 4]>::try_from(value).map_err(|_| Malformed::Layout)?;
                if u32::from_be_bytes(stated) != crc32(&self.bytes[..offset]) ^ FINGERPRINT_MASK {
                    return Err(Malformed::Fingerprint);
                }
                self.fingerprint = true;
            }
            // RFC 8489 §14.6: after MESSAGE-INTEGRITY only these two may follow; nothing else is looked at.
            attribute::MESSAGE_INTEGRITY_SHA256 if self.sha256.is_none() => {
                self.sha256 = Some(Integrity { offset, tag: value });
                self.end = self.end.min(offset);
            }
            _ if self.end < self.bytes.len() => {}
            attribute::MESSAGE_INTEGRITY => {
                self.sha1 = Some(Integrity { offset, tag: value });
                self.end = offset;
            }
            attribute::USERNAME => first(&mut self.username, value),
            attribute::REALM => first(&mut self.realm, value),
            attribute::NONCE => first(&mut self.nonce, value),
            attribute::DATA => first(&mut self.data, value),
            attribute::LIFETIME => self.value(value, |m, v| first(&mut m.lifetime, u32::from_be_bytes(v))),
            attribute::REQUESTED_TRANSPORT => {
                self.value(value, |m, v: [u8; 4]| first(&mut m.requested_transport, v[0]));
            }
            attribute::REQUESTED_ADDRESS_FAMILY => {
                self.value(value, |m, v: [u8; 4]| first(&mut m.requested_family, v[0]));
            }
            attribute::ADDITIONAL_ADDRESS_FAMILY => {
                self.value(value, |m, v: [u8; 4]| first(&mut m.additional_family, v[0]));
            }
            attribute::CHANNEL_NUMBER => {
                self.value(value, |m, v: [u8; 4]| {
                    first(&mut m.channel, u16::from_be_bytes([v[0], v[1]]));
                });
            }
            attribute::EVEN_PORT => self.value(value, |m, v: [u8; 1]| first(&mut m.even_port, v[0] & 0x80 != 0)),
            attribute::RESERVATION_TOKEN => self.value(value, |m, _: [u8; 8]| m.reservation_token = true),
            attribute::DONT_FRAGMENT => self.value(value, |m, _: [u8; 0]| m.dont_fragment = true),
            attribute::XOR_PEER_ADDRESS => match xor_address(value, &self.transaction) {
                Some(peer) => first(&mut self.peer, peer),
                None => self.bad_value = true,
            },
            attribute::PASSWORD_ALGORITHM => self.password_algorithm = true,
            // Known, and without a meaning in a request.
            attribute::MAPPED_ADDRESS
            | attribute::USERHASH
            | attribute::ERROR_CODE
            | attribute::UNKNOWN_ATTRIBUTES
            | attribute::XOR_RELAYED_ADDRESS
            | attribute::XOR_MAPPED_ADDRESS => {}
            unknown if unknown < 0x8000 && self.unknown.len() < NAMED && !self.unknown.contains(&unknown) => {
                self.unknown.push(unknown);
            }
            _ => {}
        }
        Ok(())
    }

    fn value<const N: usize>(&mut self, value: &[u8], set: impl FnOnce(&mut Self, [u8; N])) {
        match value.try_into() {
            Ok(value) => set(self, value),
            Err(_) => self.bad_value = true,
        }
    }

    /// Every XOR-PEER-ADDRESS that can be read, in order.
    pub(crate) fn peers(&self) -> impl Iterator<Item = SocketAddr> + use<'_, 'a> {
        let mut offset = HEADER;
        std::iter::from_fn(move || {
            while offset < self.end {
                let (attribute, value, next) = attribute_at(self.bytes, offset)?;
                offset = next;
                if attribute == attribute::XOR_PEER_ADDRESS {
                    return xor_address(value, &self.transaction);
                }
            }
            None
        })
    }
}

fn first<T>(place: &mut Option<T>, value: T) {
    place.get_or_insert(value);
}

/// Attribute, value and offset of the next one.
fn attribute_at(bytes: &[u8], offset: usize) -> Option<(u16, &[u8], usize)> {
    let tag = bytes.get(offset..offset + 4)?;
    let size = usize::from(u16::from_be_bytes([tag[2], tag[3]]));
    let next = offset + 4 + size.next_multiple_of(4);
    let value = bytes.get(offset + 4..next)?;
    Some((u16::from_be_bytes([tag[0], tag[1]]), &value[..size], next))
}

fn xor_address(value: &[u8], transaction: &[u8; 12]) -> Option<SocketAddr> {
    let (head, address) = value.split_at_checked(4)?;
    let port = u16::from_be_bytes([head[2] ^ COOKIE[0], head[3] ^ COOKIE[1]]);
    let ip: IpAddr = match head[1] {
        0x01 => {
            let address = u32::from_be_bytes(address.try_into().ok()?) ^ MAGIC_COOKIE;
            Ipv4Addr::from_bits(address).into()
        }
        0x02 => {
            let address = <[u8; 16]>::try_from(address).ok()?;
            Ipv6Addr::from_bits(u128::from_be_bytes(address) ^ mask(transaction)).into()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

fn mask(transaction: &[u8; 12]) -> u128 {
    let mut mask = [0; 16];
    mask[..4].copy_from_slice(&COOKIE);
    mask[4..].copy_from_slice(transaction);
    u128::from_be_bytes(mask)
}

/// Writes the value of an XOR-…-ADDRESS; returns its length, 8 or 20.
pub(crate) fn write_xor_address(address: SocketAddr, transaction: &[u8; 12], value: &mut [u8; 20]) -> usize {
    let port = (address.port() ^ (MAGIC_COOKIE >> 16) as u16).to_be_bytes();
    value[2..4].copy_from_slice(&port);
    match address.ip() {
        IpAddr::V4(ip) => {
            value[1] = 0x01;
            value[4..8].copy_from_slice(&(ip.to_bits() ^ MAGIC_COOKIE).to_be_bytes());
            8
        }
        IpAddr::V6(ip) => {
            value[1] = 0x02;
            value[4..].copy_from_slice(&(ip.to_bits() ^ mask(transaction)).to_be_bytes());
            20
        }
    }
}

/// A message being written.
#[derive(Debug)]
pub(crate) struct Builder {
    bytes: Vec<u8>,
    transaction: [u8; 12],
}

impl Builder {
    pub(crate) fn new(method: u16, class: Class, transaction: [u8; 12]) -> Self {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend(kind(method, class).to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(COOKIE);
        bytes.extend(transaction);
        Self { bytes, transaction }
    }

    pub(crate) fn push(&mut self, attribute: u16, value: &[u8]) {
        self.bytes.extend(attribute.to_be_bytes());
        self.bytes.extend((value.len() as u16).to_be_bytes());
        self.bytes.extend(value);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self.set_length(self.bytes.len());
    }

    pub(crate) fn push_address(&mut self, attribute: u16, address: SocketAddr) {
        let mut value = [0; 20];
        let length = write_xor_address(address, &self.transaction, &mut value);
        self.push(attribute, &value[..length]);
    }

    /// RFC 8489 §14.8. The phrase is left empty where its bytes would make the server worth abusing.
    pub(crate) fn push_error(&mut self, code: u16, phrase: &str) {
        let mut value = vec![0, 0, (code / 100) as u8, (code % 100) as u8];
        value.extend(phrase.as_bytes());
        self.push(attribute::ERROR_CODE, &value);
    }

    /// Adds an integrity attribute whose tag of `size` bytes is made of everything before it, with the length of the
    /// header already counting it (RFC 8489 §14.5).
    pub(crate) fn push_integrity(&mut self, attribute: u16, size: usize, sign: impl FnOnce(&[u8]) -> Vec<u8>) {
        self.set_length(self.bytes.len() + 4 + size);
        let tag = sign(&self.bytes);
        self.push(attribute, &tag[..size]);
    }

    pub(crate) fn push_fingerprint(&mut self) {
        self.set_length(self.bytes.len() + 8);
        let crc = crc32(&self.bytes) ^ FINGERPRINT_MASK;
        self.push(attribute::FINGERPRINT, &crc.to_be_bytes());
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    fn set_length(&mut self, end: usize) {
        let length = (end - HEADER) as u16;
        self.bytes[2..4].copy_from_slice(&length.to_be_bytes());
    }
}

#[cfg(test)]
mod tests;
