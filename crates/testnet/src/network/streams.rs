//! Reliable streams over the links of a network, as TCP is: late instead of lost.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::{HostId, Network, Node, Realm};

/// A stream of a [`Network`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(usize);

/// What happened to a stream at one of its ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamEvent {
    /// A [driver](crate::Driver) has begun to open it for the command with this tag.
    Opening {
        /// The tag.
        tag: u64,
    },
    /// The other side accepted it: one round trip after the beginning.
    Opened,
    /// Another host opened it to here.
    Accepted {
        /// The own address that it was opened to.
        local: SocketAddr,
        /// The other side, as seen from here.
        peer: SocketAddr,
    },
    /// The next bytes, in order, cut anywhere.
    Bytes(Vec<u8>),
    /// The other side closed it, or nothing got through for too long.
    Closed,
}

/// An event of a stream that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamDelivery {
    /// At which host.
    pub host: HostId,
    /// Of which stream.
    pub id: StreamId,
    /// What.
    pub event: StreamEvent,
}

/// Bytes in a segment at most.
const SEGMENT: usize = 1200;
/// First wait before a lost segment is sent again (RFC 6298 §2.4 has 1 s, systems 200 ms); doubled to the cap.
const RTO: Duration = Duration::from_millis(200);
const MAX_RTO: Duration = Duration::from_secs(3);
/// A segment lost this often ends the stream.
const ATTEMPTS: u32 = 15;

#[derive(Debug, Default)]
pub(super) struct Streams {
    list: Vec<Stream>,
    queue: BinaryHeap<Reverse<Hop>>,
    sequence: u64,
}

#[derive(Debug)]
struct Stream {
    /// The side that opened it, then the other.
    hosts: [HostId; 2],
    addresses: [SocketAddr; 2],
    /// Interfaces from the first host outwards, that of the other host last.
    route: Vec<usize>,
    sent: [u64; 2],
    taken: [u64; 2],
    early: [BTreeMap<u64, Content>; 2],
    is_over: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    Open,
    Accept,
    Bytes(Vec<u8>),
    Close,
}

/// A segment before its next link.
#[derive(Debug, PartialEq, Eq)]
struct Hop {
    at: Instant,
    sequence: u64,
    stream: usize,
    /// Which side sent it.
    from: usize,
    number: u64,
    content: Content,
    link: usize,
    attempt: u32,
}

impl Ord for Hop {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

impl PartialOrd for Hop {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Network {
    /// Begins to open a stream from an address of a host. A NAT on the way that does not let it through, or an address
    /// that nobody has, swallows it: nothing is heard of it again.
    pub fn open_stream(&mut self, from: HostId, local: IpAddr, remote: SocketAddr, now: Instant) -> StreamId {
        let id = self.streams.list.len();
        let found = self.stream_route(from, local, remote);
        let port = 1024 + u16::try_from(id % 18_000).unwrap_or_default();
        let (to, outside, route) = match found {
            Some((to, outside, route)) => (to, outside, route),
            None => (from, local, Vec::new()),
        };
        self.streams.list.push(Stream {
            hosts: [from, to],
            addresses: [SocketAddr::new(outside, port), remote],
            is_over: route.is_empty(),
            route,
            sent: [0; 2],
            taken: [0; 2],
            early: [BTreeMap::new(), BTreeMap::new()],
        });
        self.send_segment(id, 0, Content::Open, now);
        StreamId(id)
    }

    /// Writes on a stream from its end at this host.
    pub fn write_stream(&mut self, from: HostId, id: StreamId, bytes: &[u8], now: Instant) {
        if let Some(side) = self.side_of(from, id) {
            for chunk in bytes.chunks(SEGMENT) {
                self.send_segment(id.0, side, Content::Bytes(chunk.to_vec()), now);
            }
        }
    }

    /// Closes a stream from its end at this host, after what was written.
    pub fn close_stream(&mut self, from: HostId, id: StreamId, now: Instant) {
        if let Some(side) = self.side_of(from, id) {
            self.send_segment(id.0, side, Content::Close, now);
        }
    }

    /// The next event of a stream that is due by `now`; to be drained to `None`.
    pub fn poll_stream(&mut self, now: Instant) -> Option<StreamDelivery> {
        while self.streams.queue.peek().is_some_and(|Reverse(hop)| hop.at <= now) {
            let Reverse(hop) = self.streams.queue.pop()?;
            if let Some(delivery) = self.advance(hop) {
                return Some(delivery);
            }
        }
        None
    }

    pub(super) fn next_stream_event(&self) -> Option<Instant> {
        self.streams.queue.peek().map(|Reverse(hop)| hop.at)
    }

    fn side_of(&self, host: HostId, id: StreamId) -> Option<usize> {
        let stream = self.streams.list.get(id.0).filter(|stream| !stream.is_over)?;
        stream.hosts.iter().position(|other| *other == host)
    }

    /// The host that is reached, the address it sees, and the interfaces on the way.
    fn stream_route(&self, from: HostId, local: IpAddr, remote: SocketAddr) -> Option<(HostId, IpAddr, Vec<usize>)> {
        let first = self
            .interfaces
            .iter()
            .position(|i| i.up && i.node == Node::Host(from) && i.addresses.contains(&local))?;
        let (mut route, mut outside) = (vec![first], local);
        let mut realm: Realm = self.interfaces[first].realm;
        loop {
            let owner = self
                .interfaces
                .iter()
                .position(|i| i.realm == realm && i.addresses.contains(&remote.ip()));
            if let Some(owner) = owner {
                let Node::Host(to) = self.interfaces[owner].node else {
                    return None;
                };
                route.push(owner);
                return Some((to, outside, route));
            }
            let gateway = &self.nats[realm?.0];
            let family = gateway.nat.public().is_ipv4() == remote.is_ipv4();
            if !family || !gateway.nat.config().tcp.lets_out(remote.port()) {
                return None;
            }
            outside = gateway.nat.public();
            route.push(gateway.interface);
            realm = self.interfaces[gateway.interface].realm;
        }
    }

    fn send_segment(&mut self, id: usize, from: usize, content: Content, now: Instant) {
        let stream = &mut self.streams.list[id];
        if stream.is_over {
            return;
        }
        let number = stream.sent[from];
        stream.sent[from] += 1;
        self.streams.push(Hop {
            at: now,
            sequence: 0,
            stream: id,
            from,
            number,
            content,
            link: 0,
            attempt: 0,
        });
    }

    /// Over one link, or to the other end.
    fn advance(&mut self, mut hop: Hop) -> Option<StreamDelivery> {
        let stream = &self.streams.list[hop.stream];
        let last = stream.route.len() - 1;
        if stream.is_over {
            return None;
        }
        if hop.link > last {
            return self.arrive(hop);
        }
        // Up from the sender and the NATs on its side, then down to the receiver, or the reverse.
        let place = if hop.from == 0 { hop.link } else { last - hop.link };
        let up = (hop.from == 0) != (place == last);
        let interface = &mut self.interfaces[stream.route[place]];
        let link = if up {
            &mut interface.to_network
        } else {
            &mut interface.from_network
        };
        let length = match &hop.content {
            Content::Bytes(bytes) => bytes.len() + 40,
            _ => 40,
        };
        let arrival = link.send(length, hop.at).first().copied().filter(|_| interface.up);
        match arrival {
            Some(at) => {
                hop.link += 1;
                hop.at = at;
            }
            None if hop.attempt >= ATTEMPTS => {
                let (stream, host) = (hop.stream, self.streams.list[hop.stream].hosts[hop.from]);
                self.streams.list[stream].is_over = true;
                return Some(StreamDelivery {
                    host,
                    id: StreamId(stream),
                    event: StreamEvent::Closed,
                });
            }
            None => {
                hop.at += (RTO * 2u32.pow(hop.attempt.min(4))).min(MAX_RTO);
                hop.attempt += 1;
                hop.link = 0;
            }
        }
        self.streams.push(hop);
        None
    }

    /// In order, or kept until it is.
    fn arrive(&mut self, hop: Hop) -> Option<StreamDelivery> {
        let Hop {
            stream: id, from, at, ..
        } = hop;
        let stream = &mut self.streams.list[id];
        stream.early[from].insert(hop.number, hop.content);
        let content = stream.early[from].remove(&stream.taken[from])?;
        stream.taken[from] += 1;
        let next = stream.early[from].remove(&stream.taken[from]);
        let (host, addresses) = (stream.hosts[1 - from], stream.addresses);
        if let Some(content) = next {
            // What waited for this one comes right after it.
            let (number, link) = (stream.taken[from], stream.route.len());
            self.streams.push(Hop {
                at,
                sequence: 0,
                stream: id,
                from,
                number,
                content,
                link,
                attempt: 0,
            });
        }
        let event = match content {
            Content::Open => {
                self.send_segment(id, 1, Content::Accept, at);
                StreamEvent::Accepted {
                    local: addresses[1],
                    peer: addresses[0],
                }
            }
            Content::Accept => StreamEvent::Opened,
            Content::Bytes(bytes) => StreamEvent::Bytes(bytes),
            Content::Close => {
                self.streams.list[id].is_over = true;
                StreamEvent::Closed
            }
        };
        Some(StreamDelivery {
            host,
            id: StreamId(id),
            event,
        })
    }
}

impl Streams {
    fn push(&mut self, mut hop: Hop) {
        self.sequence += 1;
        hop.sequence = self.sequence;
        self.queue.push(Reverse(hop));
    }
}
