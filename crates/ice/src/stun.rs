//! STUN messages of the Binding method, RFC 8489, on the primitives of `stun-types`.
//!
//! The walk over the attributes is our own, for three reasons. It hands `stun-types` nothing but attributes whose
//! bounds are proven, so no input can reach one of its assertions; that crate logs a warning for each malformed
//! message, which would let any sender fill the log; and its own way of signing records the key in a trace span.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use stun_types::attribute::{
    AttributeFromRaw as _, AttributeType, AttributeWrite, ErrorCode, Fingerprint, MessageIntegrity, RawAttribute,
    UnknownAttributes, XorMappedAddress,
};
use stun_types::message::{
    BINDING, IntegrityAlgorithm, IntegrityKey, LongTermKeyCredentials, MAGIC_COOKIE, Message as StunMessage,
    MessageClass, MessageType, MessageWrite as _, MessageWriteVec, Method, ShortTermCredentials, TransactionId,
};

const HEADER: usize = 20;

const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const ERROR_CODE: u16 = 0x0009;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const PRIORITY: u16 = 0x0024;
const USE_CANDIDATE: u16 = 0x0025;
const FINGERPRINT: u16 = 0x8028;
const ICE_CONTROLLED: u16 = 0x8029;
const ICE_CONTROLLING: u16 = 0x802a;
/// What FINGERPRINT is XORed with (RFC 8489 §14.7).
const FINGERPRINT_MASK: u32 = 0x5354_554e;
/// The opaque payload. Comprehension-optional (RFC 8489 §14), so a peer that does not know it skips it; the number is
/// from the range for designated experts and not assigned.
const PAYLOAD: u16 = 0xc0d5;
/// A controlled agent's wish to be nominated on this pair, its own path being gone: as the payload, of our own kind.
const PATH_REQUEST: u16 = 0xc0d6;
/// Counts the nominations (draft-thatcher-ice-renomination); the number under which libwebrtc sends and reads it.
const NOMINATION: u16 = 0xc001;

/// Comprehension-required attributes that carry nothing for an ICE agent but are known and so no reason for a 420.
const KNOWN: [u16; 4] = [
    0x0001, // MAPPED-ADDRESS
    0x0014, // REALM
    0x0015, // NONCE
    0x000a, // UNKNOWN-ATTRIBUTES
];

/// The transaction id: 96 bits, right-aligned.
pub(crate) type Transaction = u128;

/// A password ready for use. `Debug` hides it.
#[derive(Clone)]
pub(crate) struct Key(IntegrityKey);

impl Key {
    pub(crate) fn new(password: &str) -> Self {
        Self(ShortTermCredentials::new(password.to_owned()).make_key())
    }

    /// The long-term key (RFC 8489 §9.2.2): MD5 over user name, realm and password.
    pub(crate) fn long_term(username: &str, realm: &str, password: &str) -> Self {
        let credentials = LongTermKeyCredentials::new(username.to_owned(), password.to_owned(), realm.to_owned());
        Self(credentials.make_key(IntegrityAlgorithm::Sha1))
    }
}

#[cfg(test)]
impl Key {
    /// Signs a message that is complete but for MESSAGE-INTEGRITY.
    pub(crate) fn sign(&self, mut message: Vec<u8>) -> Vec<u8> {
        let header = length_until(&message[..4], message.len() + 24);
        let tag = MessageIntegrity::compute(&[&header, &message[4..]], &self.0).unwrap();
        message[..4].copy_from_slice(&header);
        message.extend([0, 8, 0, 20]);
        message.extend(tag);
        message
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Request,
    Indication,
    Success,
    Error,
}

/// The role attribute of a request with its tie-breaker (RFC 8445 §7.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RoleAttribute {
    Controlling(u64),
    Controlled(u64),
}

/// The fixed part of every STUN message (RFC 8489 §5).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) class: Class,
    pub(crate) method: u16,
    pub(crate) transaction: Transaction,
}

impl Header {
    /// Reads the header of a datagram that is one message and nothing else.
    pub(crate) fn parse(data: &[u8]) -> Option<Self> {
        if !looks_like_stun(data) {
            return None;
        }
        let (header, rest) = data.split_first_chunk::<HEADER>()?;
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if length != rest.len() || length % 4 != 0 {
            return None;
        }
        let kind = MessageType::from_bytes(header).ok()?;
        let class = match kind.class() {
            MessageClass::Request => Class::Request,
            MessageClass::Indication => Class::Indication,
            MessageClass::Success => Class::Success,
            MessageClass::Error => Class::Error,
        };
        let mut id = [0; 16];
        id[4..].copy_from_slice(&header[8..]);
        Some(Self {
            class,
            method: kind.method().value(),
            transaction: u128::from_be_bytes(id),
        })
    }

    /// Hands each attribute's type, value and offset to `attribute`, or gives `None` if the layout is broken, a
    /// FINGERPRINT is wrong or `attribute` refuses one.
    pub(crate) fn walk<'a>(
        self,
        data: &'a [u8],
        mut attribute: impl FnMut(u16, &'a [u8], usize) -> Option<()>,
    ) -> Option<()> {
        let mut rest = data.get(HEADER..)?;
        let mut protected = false;
        while let Some((head, tail)) = rest.split_first_chunk::<4>() {
            let kind = u16::from_be_bytes([head[0], head[1]]);
            let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
            let value = tail.get(..length)?;
            let after = tail.get(length.next_multiple_of(4)..)?;
            let offset = data.len() - rest.len();
            if kind == FINGERPRINT {
                // RFC 8489 §14.7: the last attribute.
                let crc = u32::from_be_bytes(Fingerprint::compute(&[&data[..offset]]));
                let sound = value == (crc ^ FINGERPRINT_MASK).to_be_bytes();
                return (sound && after.is_empty()).then_some(());
            }
            // RFC 8489 §14.5: whatever follows MESSAGE-INTEGRITY is not protected by it and must be ignored.
            if !protected {
                attribute(kind, value, offset)?;
            }
            protected |= kind == MESSAGE_INTEGRITY;
            rest = after;
        }
        Some(())
    }
}

/// MESSAGE-INTEGRITY of a message: where it is and what it says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Integrity<'a> {
    offset: usize,
    tag: &'a [u8; 20],
}

impl<'a> Integrity<'a> {
    /// From the attribute's value and offset, if it has the right length.
    pub(crate) fn new(value: &'a [u8], offset: usize) -> Option<Self> {
        let tag = value.try_into().ok()?;
        Some(Self { offset, tag })
    }

    /// Whether it was made over `data` with this key (RFC 8489 §14.5); compared in constant time.
    pub(crate) fn is_made_with(self, key: &Key, data: &[u8]) -> bool {
        let header = length_until(&data[..4], self.offset + 24);
        MessageIntegrity::verify(&[&header, &data[4..self.offset]], &key.0, self.tag)
    }
}

/// An address attribute that is XORed with cookie and transaction (RFC 8489 §14.2).
pub(crate) fn xor_address(value: &[u8], transaction: Transaction) -> Option<SocketAddr> {
    // All attributes of this form share one layout; the type only names it.
    let raw = RawAttribute::new(AttributeType::new(XOR_MAPPED_ADDRESS), value);
    let address = XorMappedAddress::from_raw_ref(&raw).ok()?;
    Some(canonical(address.addr(transaction.into())))
}

/// The number in an ERROR-CODE (RFC 8489 §14.8).
pub(crate) fn error_code(value: &[u8]) -> Option<u16> {
    let raw = RawAttribute::new(AttributeType::new(ERROR_CODE), value);
    Some(ErrorCode::from_raw_ref(&raw).ok()?.code())
}

/// A well-formed message of the Binding method. Nothing in it is proven until [`Message::is_signed_by`].
#[derive(Clone, Debug)]
pub(crate) struct Message<'a> {
    data: &'a [u8],
    pub(crate) class: Class,
    pub(crate) transaction: Transaction,
    pub(crate) username: Option<&'a str>,
    pub(crate) priority: Option<u32>,
    pub(crate) use_candidate: bool,
    /// How many nominations the peer has made, this one included.
    pub(crate) nomination: Option<u32>,
    /// The controlled peer lost its path, for the how manieth time, and asks for this one.
    pub(crate) asks: Option<u32>,
    pub(crate) role: Option<RoleAttribute>,
    pub(crate) mapped: Option<SocketAddr>,
    pub(crate) error: Option<u16>,
    pub(crate) payload: Option<&'a [u8]>,
    /// Comprehension-required attributes that nobody here knows; at most 8 are kept.
    pub(crate) unknown: Vec<u16>,
    integrity: Option<Integrity<'a>>,
}

/// Whether a datagram may be STUN: the first two bits are zero and the magic cookie is there (RFC 7983 §7).
pub(crate) fn looks_like_stun(data: &[u8]) -> bool {
    data.len() >= HEADER && data[0] & 0xc0 == 0 && data[4..8] == MAGIC_COOKIE.to_be_bytes()
}

impl<'a> Message<'a> {
    /// Reads one whole datagram, or `None` if it is anything else than one well-formed Binding message.
    pub(crate) fn parse(data: &'a [u8]) -> Option<Self> {
        let header = Header::parse(data)?;
        if header.method != BINDING.value() {
            return None;
        }
        let mut message = Self {
            data,
            class: header.class,
            transaction: header.transaction,
            username: None,
            priority: None,
            use_candidate: false,
            nomination: None,
            asks: None,
            role: None,
            mapped: None,
            error: None,
            payload: None,
            unknown: Vec::new(),
            integrity: None,
        };
        header.walk(data, |kind, value, offset| message.attribute(kind, value, offset))?;
        Some(message)
    }

    /// Takes in one attribute. Of duplicates the first counts (RFC 8489 §14). `None` if its value is malformed.
    fn attribute(&mut self, kind: u16, value: &'a [u8], offset: usize) -> Option<()> {
        match kind {
            USERNAME if self.username.is_none() => {
                self.username = Some(std::str::from_utf8(value).ok()?);
            }
            MESSAGE_INTEGRITY => self.integrity = Some(Integrity::new(value, offset)?),
            PRIORITY if self.priority.is_none() => {
                self.priority = Some(u32::from_be_bytes(value.try_into().ok()?));
            }
            USE_CANDIDATE => self.use_candidate = true,
            NOMINATION if self.nomination.is_none() => {
                self.nomination = Some(u32::from_be_bytes(value.try_into().ok()?));
            }
            PATH_REQUEST if self.asks.is_none() => {
                self.asks = Some(u32::from_be_bytes(value.try_into().ok()?));
            }
            ICE_CONTROLLED if self.role.is_none() => {
                let value = u64::from_be_bytes(value.try_into().ok()?);
                self.role = Some(RoleAttribute::Controlled(value));
            }
            ICE_CONTROLLING if self.role.is_none() => {
                let value = u64::from_be_bytes(value.try_into().ok()?);
                self.role = Some(RoleAttribute::Controlling(value));
            }
            XOR_MAPPED_ADDRESS if self.mapped.is_none() => {
                self.mapped = Some(xor_address(value, self.transaction)?);
            }
            ERROR_CODE if self.error.is_none() => {
                self.error = Some(error_code(value)?);
            }
            PAYLOAD if self.payload.is_none() => self.payload = Some(value),
            // RFC 8489 §14: below 0x8000 comprehension is required.
            0..0x8000 if !is_known(kind) && self.unknown.len() < 8 => self.unknown.push(kind),
            _ => {}
        }
        Some(())
    }

    /// Length of the whole message in bytes.
    pub(crate) fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether MESSAGE-INTEGRITY (RFC 8489 §14.5) is there and made with this key; compared in constant time.
    pub(crate) fn is_signed_by(&self, key: &Key) -> bool {
        self.integrity
            .is_some_and(|integrity| integrity.is_made_with(key, self.data))
    }
}

/// The first four bytes of a message, with the length as if it ended at `end`.
fn length_until(start: &[u8], end: usize) -> [u8; 4] {
    let length = u16::try_from(end - HEADER).unwrap_or(u16::MAX).to_be_bytes();
    [start[0], start[1], length[0], length[1]]
}

fn is_known(kind: u16) -> bool {
    matches!(
        kind,
        USERNAME | MESSAGE_INTEGRITY | ERROR_CODE | XOR_MAPPED_ADDRESS | PRIORITY | USE_CANDIDATE
    ) || KNOWN.contains(&kind)
}

/// An IPv4 address written as IPv6 (`::ffff:…`), which a dual-stack server may report, as IPv4.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V6(ip) => SocketAddr::new(ip.into(), address.port()),
        ip @ IpAddr::V4(_) => SocketAddr::new(ip, address.port()),
    }
}

/// What a connectivity check carries (RFC 8445 §7.1).
#[derive(Debug)]
pub(crate) struct Check<'a> {
    pub(crate) username: &'a str,
    pub(crate) priority: u32,
    pub(crate) use_candidate: bool,
    pub(crate) nomination: Option<u32>,
    pub(crate) asks: Option<u32>,
    pub(crate) role: RoleAttribute,
    pub(crate) payload: Option<&'a [u8]>,
}

/// A connectivity check, signed.
pub(crate) fn check(transaction: Transaction, check: &Check<'_>, key: &Key) -> Vec<u8> {
    let mut writer = Writer::new(MessageClass::Request, transaction);
    writer.put(USERNAME, check.username.as_bytes());
    writer.put(PRIORITY, &check.priority.to_be_bytes());
    match check.role {
        RoleAttribute::Controlling(tie) => writer.put(ICE_CONTROLLING, &tie.to_be_bytes()),
        RoleAttribute::Controlled(tie) => writer.put(ICE_CONTROLLED, &tie.to_be_bytes()),
    }
    if check.use_candidate {
        writer.put(USE_CANDIDATE, &[]);
    }
    if let Some(count) = check.nomination {
        writer.put(NOMINATION, &count.to_be_bytes());
    }
    if let Some(count) = check.asks {
        writer.put(PATH_REQUEST, &count.to_be_bytes());
    }
    if let Some(payload) = check.payload {
        writer.put(PAYLOAD, payload);
    }
    writer.finish(Some(key))
}

/// The request to a STUN server: no attributes, no credentials (RFC 8489 §12).
pub(crate) fn server_request(transaction: Transaction) -> Vec<u8> {
    Writer::new(MessageClass::Request, transaction).finish(None)
}

/// The success response to a check from `source` (RFC 8445 §7.3.1.4), signed; unsigned it is that of a STUN server.
pub(crate) fn success(
    transaction: Transaction,
    source: SocketAddr,
    payload: Option<&[u8]>,
    key: Option<&Key>,
) -> Vec<u8> {
    let mut writer = Writer::new(MessageClass::Success, transaction);
    let mapped = XorMappedAddress::new(source, transaction.into());
    writer.put_attribute(&mapped);
    if let Some(payload) = payload {
        writer.put(PAYLOAD, payload);
    }
    writer.finish(key)
}

/// 487 Role Conflict (RFC 8445 §7.3.1.1), signed.
pub(crate) fn role_conflict(transaction: Transaction, key: &Key) -> Vec<u8> {
    let mut writer = Writer::new(MessageClass::Error, transaction);
    writer.put_error(487);
    writer.finish(Some(key))
}

/// 420 Unknown Attribute (RFC 8489 §6.3.1), signed.
pub(crate) fn unknown_attributes(transaction: Transaction, unknown: &[u16], key: &Key) -> Vec<u8> {
    let mut writer = Writer::new(MessageClass::Error, transaction);
    writer.put_error(420);
    let unknown: Vec<_> = unknown.iter().map(|&kind| AttributeType::new(kind)).collect();
    writer.put_attribute(&UnknownAttributes::new(&unknown));
    writer.finish(Some(key))
}

/// Builds one message. Attributes go in before the signature, each at most about 1000 bytes, so none fails to fit.
pub(crate) struct Writer(MessageWriteVec);

impl Writer {
    fn new(class: MessageClass, transaction: Transaction) -> Self {
        Self::with_method(class, BINDING, transaction)
    }

    /// A request, or an indication, of any method.
    pub(crate) fn to_server(method: u16, is_request: bool, transaction: Transaction) -> Self {
        let class = if is_request {
            MessageClass::Request
        } else {
            MessageClass::Indication
        };
        Self::with_method(class, Method::new(method), transaction)
    }

    fn with_method(class: MessageClass, method: Method, transaction: Transaction) -> Self {
        let kind = MessageType::from_class_method(class, method);
        let id = TransactionId::from(transaction);
        Self(StunMessage::builder(kind, id, MessageWriteVec::with_capacity(160)))
    }

    pub(crate) fn put(&mut self, kind: u16, value: &[u8]) {
        self.put_attribute(&RawAttribute::new(AttributeType::new(kind), value));
    }

    fn put_error(&mut self, code: u16) {
        // The reason phrase is for people; the shortest one keeps the answer smaller than the request.
        let reason = [0, 0, (code / 100) as u8, (code % 100) as u8];
        self.put(ERROR_CODE, &reason);
    }

    fn put_attribute(&mut self, attribute: &dyn AttributeWrite) {
        self.0.push_attribute_unchecked(attribute);
    }

    /// XOR-MAPPED-ADDRESS's layout under another type.
    pub(crate) fn put_address(&mut self, kind: u16, address: SocketAddr, transaction: Transaction) {
        let cookie = MAGIC_COOKIE.to_be_bytes();
        let mut value = vec![0, if address.is_ipv4() { 1 } else { 2 }];
        value.extend((address.port() ^ (MAGIC_COOKIE >> 16) as u16).to_be_bytes());
        let id = transaction.to_be_bytes();
        let mask = cookie.iter().chain(&id[4..]);
        match address.ip() {
            IpAddr::V4(ip) => value.extend(ip.octets().iter().zip(mask).map(|(octet, mask)| octet ^ mask)),
            IpAddr::V6(ip) => value.extend(ip.octets().iter().zip(mask).map(|(octet, mask)| octet ^ mask)),
        }
        self.put(kind, &value);
    }

    pub(crate) fn finish(mut self, key: Option<&Key>) -> Vec<u8> {
        if let Some(key) = key {
            let offset = self.0.len();
            let header = length_until(self.0.data(), offset + 24);
            let tag = MessageIntegrity::compute(&[&header, &self.0.data()[4..]], &key.0)
                .expect("HMAC takes data of any length");
            self.0.push_attribute_unchecked(&MessageIntegrity::new(tag));
        }
        let header = length_until(self.0.data(), self.0.len() + 8);
        let crc = Fingerprint::compute(&[&header, &self.0.data()[4..]]);
        self.0.push_attribute_unchecked(&Fingerprint::new(crc));
        self.0.finish()
    }
}

#[cfg(test)]
pub(crate) mod tests;
