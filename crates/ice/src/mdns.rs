//! Multicast DNS (RFC 6762), as far as candidates under `.local` names need it: asking for an address, and answering
//! for our own names.
//!
//! [`Mdns`] is one value for a whole program: names are of a host, not of a call. It opens no socket: the owner binds
//! port 5353 (shared), joins the [groups](GROUPS), and hands in only what came from its own link (RFC 6762 §11).

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use crate::rng::Rng;

mod wire;

use wire::Message;
pub use wire::{Kind, MdnsMessage, Question, Record};

/// The port of the protocol (RFC 6762 §2).
pub const PORT: u16 = 5353;

/// The groups that questions and answers go to (RFC 6762 §3).
pub const GROUPS: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(224, 0, 0, 251)),
    IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb)),
];

/// Names asked for at a time.
const MAX_QUERIES: usize = 64;
/// Own names.
const MAX_NAMES: usize = 64;
/// Outputs kept for an owner that does not drain them.
const MAX_OUTPUTS: usize = 256;
/// A question is asked at 0, 1, 3 and 7 s (RFC 6762 §5.2: the first interval at least a second, then doubled).
const ASKED: u32 = 4;
const INTERVAL: Duration = Duration::from_secs(1);
/// A record is not multicast again before (RFC 6762 §6).
const QUIET: Duration = Duration::from_secs(1);

/// Asks for names and answers for others.
#[derive(Debug, Default)]
pub struct Mdns {
    queries: Vec<Query>,
    names: Vec<Name>,
    outputs: VecDeque<MdnsOutput>,
    stats: MdnsStats,
}

#[derive(Debug)]
struct Query {
    name: String,
    asked: u32,
    next: Instant,
}

#[derive(Debug)]
struct Name {
    name: String,
    address: IpAddr,
    answered: Option<Instant>,
}

/// One thing to do, from [`Mdns::poll_output`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MdnsOutput {
    /// Send this from port 5353, to one of the [`GROUPS`] or to one host. Without a socket of that family: drop it.
    Transmit {
        /// Where to.
        destination: SocketAddr,
        /// The UDP payload.
        payload: Vec<u8>,
    },
    /// Somebody on the link says that this name has this address. Nothing proves it; a check over it will.
    Resolved {
        /// The name, as it was asked for.
        name: String,
        /// The address.
        address: IpAddr,
    },
    /// Nobody answered for this name.
    Unresolved {
        /// The name, as it was asked for.
        name: String,
    },
}

/// What has been counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MdnsStats {
    /// Datagrams that are no message of DNS.
    pub malformed: u64,
    /// Answers from another port than 5353 (RFC 6762 §6: to be ignored).
    pub foreign: u64,
    /// Questions and names refused, and outputs dropped, because a table was full.
    pub table_full: u64,
    /// Answers given.
    pub answered: u64,
}

impl Mdns {
    /// Asks nothing, answers for nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins to ask for a name under `.local`. Asking twice changes nothing. A name that is none gets no answer.
    pub fn resolve(&mut self, name: &str, now: Instant) {
        if self.queries.iter().any(|query| query.name.eq_ignore_ascii_case(name)) {
            return;
        }
        if self.queries.len() >= MAX_QUERIES || wire::query(name).is_none() {
            self.stats.table_full += 1;
            self.push(MdnsOutput::Unresolved { name: name.to_owned() });
            return;
        }
        self.queries.push(Query {
            name: name.to_owned(),
            asked: 0,
            next: now,
        });
        self.handle_timeout(now);
    }

    /// Answers for `name` with `address` from now on.
    pub fn publish(&mut self, name: &str, address: IpAddr) {
        self.withdraw(name);
        if self.names.len() >= MAX_NAMES {
            self.stats.table_full += 1;
            return;
        }
        self.names.push(Name {
            name: name.to_owned(),
            address,
            answered: None,
        });
    }

    /// Answers for `name` no more.
    pub fn withdraw(&mut self, name: &str) {
        self.names.retain(|own| !own.name.eq_ignore_ascii_case(name));
    }

    /// Takes in a datagram of the link.
    pub fn handle_datagram(&mut self, source: SocketAddr, payload: &[u8], now: Instant) {
        let Some(message) = Message::parse(payload) else {
            self.stats.malformed += 1;
            return;
        };
        if !message.is_response {
            self.answer(source, &message, now);
        } else if source.port() == PORT {
            self.take_answers(&message);
        } else {
            self.stats.foreign += 1;
        }
    }

    /// Repeats questions, and gives up those that nobody answers.
    pub fn handle_timeout(&mut self, now: Instant) {
        let mut due = Vec::new();
        self.queries.retain_mut(|query| {
            if query.next > now {
                return true;
            }
            due.push((query.name.clone(), query.asked < ASKED));
            query.next = now + INTERVAL * 2u32.pow(query.asked);
            query.asked += 1;
            query.asked <= ASKED
        });
        for (name, again) in due {
            match wire::query(&name).filter(|_| again) {
                Some(payload) => self.multicast(&payload),
                None => self.push(MdnsOutput::Unresolved { name }),
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.queries.iter().map(|query| query.next).min()
    }

    /// The next thing to do; to be called until `None` after every other call.
    pub fn poll_output(&mut self) -> Option<MdnsOutput> {
        self.outputs.pop_front()
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> MdnsStats {
        self.stats
    }

    fn answer(&mut self, source: SocketAddr, message: &Message, now: Instant) {
        // RFC 6762 §6.7: who asks from another port knows only plain DNS and gets a plain answer of its own.
        let is_legacy = source.port() != PORT;
        let mut answers = Vec::new();
        for own in &mut self.names {
            let asked = message
                .questions
                .iter()
                .find(|question| question.name.eq_ignore_ascii_case(&own.name) && question.kind.fits(own.address));
            let Some(question) = asked else { continue };
            let unicast = is_legacy || question.unicast;
            if !unicast && own.answered.is_some_and(|at| at + QUIET > now) {
                continue;
            }
            let id = if is_legacy { message.id } else { 0 };
            let Some(payload) = wire::response(id, is_legacy, &own.name, own.address) else {
                continue;
            };
            if !unicast {
                own.answered = Some(now);
            }
            answers.push((unicast, payload));
        }
        for (unicast, payload) in answers {
            self.stats.answered += 1;
            if unicast {
                self.push(MdnsOutput::Transmit {
                    destination: source,
                    payload,
                });
            } else {
                self.multicast(&payload);
            }
        }
    }

    fn take_answers(&mut self, message: &Message) {
        for record in &message.records {
            let found = self
                .queries
                .iter()
                .position(|query| query.name.eq_ignore_ascii_case(&record.name));
            // RFC 6762 §10.1: no time to live is a goodbye.
            if let Some(index) = found.filter(|_| record.ttl > 0) {
                let name = self.queries.remove(index).name;
                self.push(MdnsOutput::Resolved {
                    name,
                    address: record.address,
                });
            }
        }
    }

    fn multicast(&mut self, payload: &[u8]) {
        for group in GROUPS {
            self.push(MdnsOutput::Transmit {
                destination: SocketAddr::new(group, PORT),
                payload: payload.to_vec(),
            });
        }
    }

    fn push(&mut self, output: MdnsOutput) {
        if self.outputs.len() < MAX_OUTPUTS {
            self.outputs.push_back(output);
        } else {
            self.stats.table_full += 1;
        }
    }
}

/// A name that says nothing: a random UUID of version 4 (draft-ietf-mmusic-mdns-ice-candidates §3.1.1, RFC 9562 §5.4).
pub(crate) fn random_name(rng: &mut Rng) -> String {
    let bits = u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64());
    let bits = bits & !(0xf << 76) | 4 << 76;
    let bits = bits & !(0x3 << 62) | 2 << 62;
    let hex = format!("{bits:032x}");
    format!(
        "{}-{}-{}-{}-{}.local",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

#[cfg(test)]
mod tests;
