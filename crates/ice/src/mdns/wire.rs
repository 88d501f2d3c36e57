//! The messages (RFC 1035 §4, RFC 6762 §18): questions for addresses, and records that hold one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const A: u16 = 1;
const AAAA: u16 = 28;
const ANY: u16 = 255;
const IN: u16 = 1;
/// In a question: answer to me alone (RFC 6762 §5.4). In a record: this is all there is (§10.2).
const TOP_BIT: u16 = 0x8000;
/// RFC 6762 §18: response, authoritative.
const RESPONSE: u16 = 0x8400;
/// RFC 6762 §10.
const TTL: u32 = 120;
/// RFC 6762 §6.7: to those who keep it without listening for changes.
const LEGACY_TTL: u32 = 10;
/// RFC 1035 §2.3.4.
const MAX_NAME: usize = 255;
const MAX_LABEL: usize = 63;
/// Entries read of each section; a message of ours has two at most.
const MAX_ENTRIES: usize = 64;
/// RFC 6762 §17: no message is longer.
const MAX_LENGTH: usize = 9000;

/// A message, as far as addresses go: everything else in it is skipped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MdnsMessage {
    /// Transaction id; 0 but for plain DNS clients.
    pub id: u16,
    /// An answer, not a question.
    pub is_response: bool,
    /// Questions for addresses.
    pub questions: Vec<Question>,
    /// Addresses, of all sections.
    pub records: Vec<Record>,
}

pub(super) type Message = MdnsMessage;

/// A question for the address of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The name, with dots, without the last one.
    pub name: String,
    /// Which addresses.
    pub kind: Kind,
    /// The answer may go to the asker alone.
    pub unicast: bool,
}

/// What a question asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// IPv4.
    A,
    /// IPv6.
    Aaaa,
    /// Either.
    Any,
}

impl Kind {
    /// Whether an address answers it.
    pub(super) fn fits(self, address: IpAddr) -> bool {
        match self {
            Self::A => address.is_ipv4(),
            Self::Aaaa => address.is_ipv6(),
            Self::Any => true,
        }
    }
}

/// An address record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The name, with dots, without the last one.
    pub name: String,
    /// Its address.
    pub address: IpAddr,
    /// How long it holds, in seconds; 0 takes it back.
    pub ttl: u32,
}

impl MdnsMessage {
    /// Reads one datagram; `None` if its layout is broken.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MAX_LENGTH {
            return None;
        }
        let mut reader = Reader { bytes, at: 0 };
        let id = reader.u16()?;
        let flags = reader.u16()?;
        // RFC 6762 §18.3, §18.11: another opcode or an error code is to be ignored.
        if flags & 0x780f != 0 {
            return None;
        }
        let counts = [reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?];
        let mut message = Self {
            id,
            is_response: flags & 0x8000 != 0,
            ..Self::default()
        };
        for _ in 0..counts[0] {
            let name = reader.name()?;
            let (kind, class) = (reader.u16()?, reader.u16()?);
            let kind = match kind {
                A => Kind::A,
                AAAA => Kind::Aaaa,
                ANY => Kind::Any,
                _ => continue,
            };
            if matches!(class & !TOP_BIT, IN | ANY) && message.questions.len() < MAX_ENTRIES {
                message.questions.push(Question {
                    name,
                    kind,
                    unicast: class & TOP_BIT != 0,
                });
            }
        }
        for _ in 0..counts[1..].iter().map(|count| u32::from(*count)).sum() {
            let name = reader.name()?;
            let (kind, class) = (reader.u16()?, reader.u16()?);
            let ttl = reader.u32()?;
            let length = usize::from(reader.u16()?);
            let data = reader.take(length)?;
            let address = match kind {
                A => IpAddr::from(<[u8; 4]>::try_from(data).ok()?),
                AAAA => IpAddr::from(<[u8; 16]>::try_from(data).ok()?),
                _ => continue,
            };
            if class & !TOP_BIT == IN && message.records.len() < MAX_ENTRIES {
                message.records.push(Record { name, address, ttl });
            }
        }
        Some(message)
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..)?.get(..length)?;
        self.at += length;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        let bytes = self.take(2)?;
        Some(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from(self.u16()?) << 16 | u32::from(self.u16()?))
    }

    /// A name (RFC 1035 §4.1.4). Each pointer must point further back than the one before, so that reading ends.
    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        let mut reader = Reader {
            bytes: self.bytes,
            at: self.at,
        };
        let mut limit = self.at;
        let mut end = None;
        loop {
            let length = usize::from(*reader.take(1)?.first()?);
            match length {
                0 => break,
                1..=MAX_LABEL => {
                    let label = std::str::from_utf8(reader.take(length)?).ok()?;
                    if label.contains('.') || label.contains(char::is_control) {
                        return None;
                    }
                    if !name.is_empty() {
                        name.push('.');
                    }
                    name.push_str(label);
                    if name.len() > MAX_NAME {
                        return None;
                    }
                }
                0xc0..=0xff => {
                    let low = usize::from(*reader.take(1)?.first()?);
                    let target = (length & 0x3f) << 8 | low;
                    end.get_or_insert(reader.at);
                    if target >= limit {
                        return None;
                    }
                    (limit, reader.at) = (target, target);
                }
                _ => return None,
            }
        }
        self.at = end.unwrap_or(reader.at);
        Some(name)
    }
}

/// A question for both kinds of address; `None` if the name is none under `.local`.
pub(super) fn query(name: &str) -> Option<Vec<u8>> {
    let encoded = encode(name)?;
    let mut bytes = header(0, 0, 2, 0);
    for kind in [A, AAAA] {
        bytes.extend(&encoded);
        bytes.extend(kind.to_be_bytes());
        bytes.extend(IN.to_be_bytes());
    }
    Some(bytes)
}

/// The answer for one name; a legacy one repeats the question (RFC 6762 §6.7).
pub(super) fn response(id: u16, is_legacy: bool, name: &str, address: IpAddr) -> Option<Vec<u8>> {
    let encoded = encode(name)?;
    let mut bytes = header(id, RESPONSE, u16::from(is_legacy), 1);
    let (kind, data) = match address {
        IpAddr::V4(ip) => (A, Ipv4Addr::octets(&ip).to_vec()),
        IpAddr::V6(ip) => (AAAA, Ipv6Addr::octets(&ip).to_vec()),
    };
    if is_legacy {
        bytes.extend(&encoded);
        bytes.extend(kind.to_be_bytes());
        bytes.extend(IN.to_be_bytes());
    }
    bytes.extend(&encoded);
    bytes.extend(kind.to_be_bytes());
    let class = if is_legacy { IN } else { IN | TOP_BIT };
    bytes.extend(class.to_be_bytes());
    let ttl = if is_legacy { LEGACY_TTL } else { TTL };
    bytes.extend(ttl.to_be_bytes());
    bytes.extend(u16::try_from(data.len()).unwrap_or_default().to_be_bytes());
    bytes.extend(data);
    Some(bytes)
}

fn header(id: u16, flags: u16, questions: u16, answers: u16) -> Vec<u8> {
    [id, flags, questions, answers, 0, 0]
        .iter()
        .flat_map(|word| word.to_be_bytes())
        .collect()
}

fn encode(name: &str) -> Option<Vec<u8>> {
    let is_local = name.len() > 6
        && name
            .get(name.len() - 6..)
            .is_some_and(|end| end.eq_ignore_ascii_case(".local"));
    if !is_local || name.len() > MAX_NAME - 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(name.len() + 2);
    for label in name.split('.') {
        let length = u8::try_from(label.len()).ok()?;
        if !(1..=MAX_LABEL).contains(&label.len()) {
            return None;
        }
        bytes.push(length);
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    Some(bytes)
}
