//! What happened on a network, for people and for comparison.

use std::collections::VecDeque;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How many datagrams there were, and how many bytes of payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams.
    pub datagrams: u64,
    /// Bytes of payload.
    pub bytes: u64,
}

impl Counters {
    fn add(&mut self, len: usize) {
        self.datagrams += 1;
        self.bytes += u64::try_from(len).expect("a length fits 64 bits");
    }
}

/// A record of a run: counters, a hash over everything sent, and the latest events as text.
///
/// The hash covers time since the start, source, destination and size of each datagram sent, in order; with
/// [`hash_payloads`](Self::hash_payloads) the bytes as well. Equal hashes mean the same traffic; it is FNV-1a, made to
/// compare runs, not to withstand an enemy. The last 4,096 lines of text are kept.
#[derive(Clone, Debug)]
pub struct Trace {
    hash: u64,
    payloads: bool,
    lines: VecDeque<Line>,
    sent: Counters,
    delivered: Counters,
}

const LINES: usize = 4096;

impl Default for Trace {
    fn default() -> Self {
        Self::new()
    }
}

impl Trace {
    /// An empty record.
    #[must_use]
    pub fn new() -> Self {
        Self {
            hash: 0xcbf2_9ce4_8422_2325,
            payloads: false,
            lines: VecDeque::new(),
            sent: Counters::default(),
            delivered: Counters::default(),
        }
    }

    /// Whether the hash covers the bytes of payloads too; default no, because some libraries bring randomness of their
    /// own. Set before the first datagram.
    pub fn hash_payloads(&mut self, on: bool) {
        self.payloads = on;
    }

    /// Notes a datagram handed to the network.
    pub fn sent(&mut self, at: Duration, source: SocketAddr, destination: SocketAddr, payload: &[u8]) {
        self.sent.add(payload.len());
        self.absorb(&at.as_nanos().to_le_bytes());
        self.absorb_address(source);
        self.absorb_address(destination);
        self.absorb(&payload.len().to_le_bytes());
        if self.payloads {
            self.absorb(payload);
        }
        self.line(at, What::Sent(source, destination, payload.len()));
    }

    /// Notes a datagram that a host got.
    pub fn delivered(&mut self, at: Duration, source: SocketAddr, local: SocketAddr, len: usize) {
        self.delivered.add(len);
        self.line(at, What::Delivered(source, local, len));
    }

    /// Notes anything else, for instance an event of the protocol under test; it goes into the hash too.
    pub fn note(&mut self, at: Duration, text: impl Into<String>) {
        let text = text.into();
        self.absorb(&at.as_nanos().to_le_bytes());
        self.absorb(text.as_bytes());
        self.line(at, What::Note(text));
    }

    /// The hash of everything sent and noted so far.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// What was handed to the network.
    #[must_use]
    pub fn total_sent(&self) -> Counters {
        self.sent
    }

    /// What hosts got.
    #[must_use]
    pub fn total_delivered(&self) -> Counters {
        self.delivered
    }

    /// The latest lines, oldest first.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = String> {
        self.lines.iter().map(ToString::to_string)
    }

    fn absorb(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn absorb_address(&mut self, address: SocketAddr) {
        match address.ip() {
            IpAddr::V4(ip) => self.absorb(&ip.octets()),
            IpAddr::V6(ip) => self.absorb(&ip.octets()),
        }
        self.absorb(&address.port().to_le_bytes());
    }

    fn line(&mut self, at: Duration, what: What) {
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(Line { at, what });
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// Kept apart and not as text: long simulations make many lines that nobody reads.
#[derive(Clone, Debug)]
struct Line {
    at: Duration,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Sent(SocketAddr, SocketAddr, usize),
    Delivered(SocketAddr, SocketAddr, usize),
    Note(String),
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>12.6} ", self.at.as_secs_f64())?;
        match &self.what {
            What::Sent(source, destination, len) => write!(f, "sent      {source} -> {destination} {len} bytes"),
            What::Delivered(source, local, len) => write!(f, "delivered {source} -> {local} {len} bytes"),
            What::Note(text) => f.write_str(text),
        }
    }
}
