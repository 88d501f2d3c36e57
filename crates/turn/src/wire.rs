//! The part of STUN's layout that a Binding server needs (RFC 8489 §5, §14).

use std::net::{IpAddr, SocketAddr};

/// First word of a Binding request: class 0b00, method 0x001 (§5).
pub(crate) const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const BINDING_ERROR: u16 = 0x0111;

const HEADER: usize = 20;
pub(crate) const MAGIC_COOKIE: u32 = 0x2112_a442;
const ERROR_CODE: u16 = 0x0009;
const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const FINGERPRINT: u16 = 0x8028;
/// What the CRC is XORed with (§14.7).
pub(crate) const FINGERPRINT_MASK: u32 = 0x5354_554e;

/// Comprehension-required attributes (below 0x8000) that are known here. Without authentication the credentials say
/// nothing, but a client that sends them anyway, as ICE does, is within its rights.
const KNOWN: [u16; 11] = [
    0x0001, // MAPPED-ADDRESS
    0x0006, // USERNAME
    0x0008, // MESSAGE-INTEGRITY
    ERROR_CODE,
    UNKNOWN_ATTRIBUTES,
    0x0014, // REALM
    0x0015, // NONCE
    0x001c, // MESSAGE-INTEGRITY-SHA256
    0x001d, // PASSWORD-ALGORITHM
    0x001e, // USERHASH
    XOR_MAPPED_ADDRESS,
];

/// Most attributes that a 420 names; with more than these the message is an attack or an accident.
const NAMED: usize = 16;

/// A well-formed STUN message, as far as it matters here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parsed {
    /// Message type, class and method together.
    pub(crate) kind: u16,
    pub(crate) transaction: [u8; 12],
    /// The comprehension-required attributes that are not known, each once, the first [`NAMED`] of them.
    pub(crate) unknown: Vec<u16>,
    /// Whether the message carried a FINGERPRINT, which was right.
    pub(crate) fingerprint: bool,
}

/// Why a datagram is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Malformed {
    Layout,
    Fingerprint,
}

/// Reads a whole datagram as one STUN message.
pub(crate) fn parse(datagram: &[u8]) -> Result<Parsed, Malformed> {
    let (header, mut rest) = datagram.split_at_checked(HEADER).ok_or(Malformed::Layout)?;
    let kind = u16::from_be_bytes([header[0], header[1]]);
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    // §5: the two first bits are zero, the cookie is fixed, and the length counts whole words without the header.
    if kind & 0xc000 != 0 || header[4..8] != MAGIC_COOKIE.to_be_bytes() || length != rest.len() || length % 4 != 0 {
        return Err(Malformed::Layout);
    }
    let mut transaction = [0; 12];
    transaction.copy_from_slice(&header[8..]);
    let mut parsed = Parsed {
        kind,
        transaction,
        unknown: Vec::new(),
        fingerprint: false,
    };
    while !rest.is_empty() {
        // §14.7: FINGERPRINT is the last attribute.
        if parsed.fingerprint {
            return Err(Malformed::Layout);
        }
        let offset = datagram.len() - rest.len();
        let (tag, after) = rest.split_at_checked(4).ok_or(Malformed::Layout)?;
        let attribute = u16::from_be_bytes([tag[0], tag[1]]);
        let size = usize::from(u16::from_be_bytes([tag[2], tag[3]]));
        // §14: the length leaves out the padding to the next word.
        let (value, after) = after
            .split_at_checked(size.next_multiple_of(4))
            .ok_or(Malformed::Layout)?;
        if attribute == FINGERPRINT {
            let stated = <[u8; 4]>::try_from(&value[..size]).map_err(|_| Malformed::Layout)?;
            if u32::from_be_bytes(stated) != crc32(&datagram[..offset]) ^ FINGERPRINT_MASK {
                return Err(Malformed::Fingerprint);
            }
            parsed.fingerprint = true;
        } else if attribute < 0x8000
            && !KNOWN.contains(&attribute)
            && parsed.unknown.len() < NAMED
            && !parsed.unknown.contains(&attribute)
        {
            parsed.unknown.push(attribute);
        }
        rest = after;
    }
    Ok(parsed)
}

/// The success response: the reflexive transport address (§14.2).
pub(crate) fn success(request: &Parsed, source: SocketAddr) -> Vec<u8> {
    let mut message = start(BINDING_SUCCESS, request);
    let cookie = MAGIC_COOKIE.to_be_bytes();
    let port = source.port() ^ (MAGIC_COOKIE >> 16) as u16;
    let mut value = vec![0];
    // A socket that serves both families shows IPv4 peers as mapped addresses; the client knows itself by the short one.
    match source.ip().to_canonical() {
        IpAddr::V4(address) => {
            value.push(0x01);
            value.extend(port.to_be_bytes());
            value.extend(address.octets().iter().zip(cookie).map(|(octet, mask)| octet ^ mask));
        }
        IpAddr::V6(address) => {
            value.push(0x02);
            value.extend(port.to_be_bytes());
            let mask = cookie.iter().chain(&request.transaction);
            value.extend(address.octets().iter().zip(mask).map(|(octet, mask)| octet ^ mask));
        }
    }
    push(&mut message, XOR_MAPPED_ADDRESS, &value);
    finish(message, request)
}

/// The 420 response (§14.8, §14.9).
pub(crate) fn unknown_attributes(request: &Parsed) -> Vec<u8> {
    let mut message = start(BINDING_ERROR, request);
    let mut error = vec![0, 0, 4, 20];
    error.extend(b"Unknown Attribute");
    push(&mut message, ERROR_CODE, &error);
    let named: Vec<u8> = request
        .unknown
        .iter()
        .flat_map(|attribute| attribute.to_be_bytes())
        .collect();
    push(&mut message, UNKNOWN_ATTRIBUTES, &named);
    finish(message, request)
}

fn start(kind: u16, request: &Parsed) -> Vec<u8> {
    let mut message = Vec::with_capacity(64);
    message.extend(kind.to_be_bytes());
    message.extend([0, 0]);
    message.extend(MAGIC_COOKIE.to_be_bytes());
    message.extend(request.transaction);
    message
}

fn push(message: &mut Vec<u8>, attribute: u16, value: &[u8]) {
    message.extend(attribute.to_be_bytes());
    message.extend((value.len() as u16).to_be_bytes());
    message.extend(value);
    message.resize(message.len().next_multiple_of(4), 0);
    let length = (message.len() - HEADER) as u16;
    message[2..4].copy_from_slice(&length.to_be_bytes());
}

/// §7: FINGERPRINT goes into the answer when the client uses it.
fn finish(mut message: Vec<u8>, request: &Parsed) -> Vec<u8> {
    if request.fingerprint {
        // The CRC covers the header with the length that includes FINGERPRINT itself (§14.7).
        let end = message.len();
        push(&mut message, FINGERPRINT, &[0; 4]);
        let crc = crc32(&message[..end]) ^ FINGERPRINT_MASK;
        message[end + 4..].copy_from_slice(&crc.to_be_bytes());
    }
    message
}

/// CRC-32 of ITU-T V.42, reflected.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut index = 0;
        while index < 256 {
            let mut value = index as u32;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 {
                    0xedb8_8320 ^ (value >> 1)
                } else {
                    value >> 1
                };
                bit += 1;
            }
            table[index] = value;
            index += 1;
        }
        table
    };
    !bytes
        .iter()
        .fold(u32::MAX, |crc, byte| TABLE[usize::from(crc as u8 ^ byte)] ^ (crc >> 8))
}
