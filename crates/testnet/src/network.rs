//! Hosts, the links they hang on, and the NATs between them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use crate::{Link, LinkConfig, Nat, NatConfig, Rng};

mod streams;

use streams::Streams;
pub use streams::{StreamDelivery, StreamEvent, StreamId};

/// A host of a [`Network`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostId(usize);

/// A NAT of a [`Network`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NatId(usize);

/// A datagram to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// The sending host's own address.
    pub source: SocketAddr,
    /// Where it is to go.
    pub destination: SocketAddr,
    /// The bytes.
    pub payload: Vec<u8>,
}

/// A datagram that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Who got it.
    pub host: HostId,
    /// The host's own address that it arrived at.
    pub local: SocketAddr,
    /// Whom it came from, as seen from there.
    pub source: SocketAddr,
    /// The bytes.
    pub payload: Vec<u8>,
    /// When it arrived.
    pub at: Instant,
}

/// What became of the datagrams given to a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetworkStats {
    /// Handed to [`Network::send`].
    pub sent: u64,
    /// Handed out by [`Network::poll_delivery`].
    pub delivered: u64,
    /// Lost on links, for whatever reason.
    pub lost: u64,
    /// Sent from an address that the host has not (or that is down), or to one that nobody has.
    pub unroutable: u64,
    /// Refused by a NAT in either direction.
    pub translated_away: u64,
    /// Dropped because 65,536 datagrams were under way already.
    pub overflow: u64,
}

/// A network of hosts on virtual time. See the [crate documentation](crate) for a picture.
///
/// There is one outside network, which all public addresses are on, and one network behind each NAT. A host or a NAT's
/// outside hangs on its network by a link up and a link down, each with the [`LinkConfig`] given; the networks
/// themselves take no time. Datagrams arrive in the order of their arrival times, equal ones in the order of sending.
/// At most 65,536 datagrams are under way; more are dropped and counted.
#[derive(Debug)]
pub struct Network {
    rng: Rng,
    interfaces: Vec<Interface>,
    hosts: usize,
    nats: Vec<Gateway>,
    queue: BinaryHeap<Reverse<Flight>>,
    sequence: u64,
    streams: Streams,
    stats: NetworkStats,
}

/// `None` is the outside network, `Some` the one behind a NAT.
type Realm = Option<NatId>;

#[derive(Debug)]
struct Interface {
    node: Node,
    realm: Realm,
    addresses: Vec<IpAddr>,
    up: bool,
    to_network: Link,
    from_network: Link,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Host(HostId),
    Nat(NatId),
}

#[derive(Debug)]
struct Gateway {
    nat: Nat,
    interface: usize,
}

/// A datagram on a link, with the place it is going to.
#[derive(Debug, PartialEq, Eq)]
struct Flight {
    at: Instant,
    sequence: u64,
    place: Place,
    datagram: Transmit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// It has climbed a link and is on this network.
    In(Realm),
    /// It has come down the link of this interface.
    At(usize),
}

impl Ord for Flight {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

impl PartialOrd for Flight {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

const FLIGHTS: usize = 65_536;

impl Network {
    /// A network without hosts; all its chance follows from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            rng: Rng::new(seed),
            interfaces: Vec::new(),
            hosts: 0,
            nats: Vec::new(),
            queue: BinaryHeap::new(),
            sequence: 0,
            streams: Streams::default(),
            stats: NetworkStats::default(),
        }
    }

    /// A host on the outside network, with these addresses behind one link up and one down.
    pub fn add_host(&mut self, addresses: &[IpAddr], link: LinkConfig) -> HostId {
        let host = self.new_host();
        self.attach(Node::Host(host), None, addresses, link);
        host
    }

    /// A NAT on the outside network.
    pub fn add_nat(&mut self, public: IpAddr, config: NatConfig, link: LinkConfig) -> NatId {
        self.nat_in(None, public, config, link)
    }

    /// A NAT behind another one, as carriers have.
    pub fn add_nat_behind(&mut self, outer: NatId, public: IpAddr, config: NatConfig, link: LinkConfig) -> NatId {
        self.nat_in(Some(outer), public, config, link)
    }

    /// A host on the network behind a NAT.
    pub fn add_host_behind(&mut self, nat: NatId, addresses: &[IpAddr], link: LinkConfig) -> HostId {
        let host = self.new_host();
        self.attach(Node::Host(host), Some(nat), addresses, link);
        host
    }

    /// One more way out for a host: on the outside network, or behind a NAT. The source address chooses the way.
    pub fn add_interface(&mut self, host: HostId, nat: Option<NatId>, addresses: &[IpAddr], link: LinkConfig) {
        self.attach(Node::Host(host), nat, addresses, link);
    }

    /// Takes the interface with this address of a host down, or up again. What is under way to it is lost when it
    /// arrives.
    pub fn set_up(&mut self, host: HostId, address: IpAddr, up: bool) {
        for interface in self.of_host(host) {
            if interface.addresses.contains(&address) {
                interface.up = up;
            }
        }
    }

    /// Changes both directions of all links of a host, from the next datagram on.
    pub fn set_link(&mut self, host: HostId, link: &LinkConfig) {
        for interface in self.of_host(host) {
            interface.to_network.set_config(link.clone());
            interface.from_network.set_config(link.clone());
        }
    }

    /// The NAT itself, to look at its counters or to reboot it.
    pub fn nat_mut(&mut self, nat: NatId) -> &mut Nat {
        &mut self.nats[nat.0].nat
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> NetworkStats {
        self.stats
    }

    /// Sends a datagram. `now` must not go back from call to call.
    pub fn send(&mut self, from: HostId, transmit: Transmit, now: Instant) {
        self.stats.sent += 1;
        let ip = transmit.source.ip();
        let own = |i: &Interface| i.up && i.node == Node::Host(from) && i.addresses.contains(&ip);
        match self.interfaces.iter().position(own) {
            Some(interface) => self.climb(interface, transmit, now),
            None => self.stats.unroutable += 1,
        }
    }

    /// The next datagram that has arrived by `now`; to be drained to `None`.
    pub fn poll_delivery(&mut self, now: Instant) -> Option<Delivery> {
        while self.queue.peek().is_some_and(|Reverse(flight)| flight.at <= now) {
            let Reverse(flight) = self.queue.pop()?;
            match flight.place {
                Place::In(realm) => self.route(realm, flight.datagram, flight.at),
                Place::At(interface) if !self.interfaces[interface].up => self.stats.lost += 1,
                Place::At(interface) => match self.interfaces[interface].node {
                    Node::Nat(nat) => self.enter(nat, flight.datagram, flight.at),
                    Node::Host(host) => {
                        self.stats.delivered += 1;
                        let Transmit {
                            source,
                            destination,
                            payload,
                        } = flight.datagram;
                        return Some(Delivery {
                            host,
                            local: destination,
                            source,
                            payload,
                            at: flight.at,
                        });
                    }
                },
            }
        }
        None
    }

    /// When something happens next on the network. That need not be a delivery: it may be a NAT on the way.
    #[must_use]
    pub fn next_event(&self) -> Option<Instant> {
        let datagram = self.queue.peek().map(|Reverse(flight)| flight.at);
        [datagram, self.next_stream_event()].into_iter().flatten().min()
    }

    fn new_host(&mut self) -> HostId {
        self.hosts += 1;
        HostId(self.hosts - 1)
    }

    fn of_host(&mut self, host: HostId) -> impl Iterator<Item = &mut Interface> {
        self.interfaces
            .iter_mut()
            .filter(move |interface| interface.node == Node::Host(host))
    }

    fn nat_in(&mut self, realm: Realm, public: IpAddr, config: NatConfig, link: LinkConfig) -> NatId {
        let id = NatId(self.nats.len());
        let nat = Nat::new(public, config, self.rng.next_u64());
        let interface = self.attach(Node::Nat(id), realm, &[public], link);
        self.nats.push(Gateway { nat, interface });
        id
    }

    fn attach(&mut self, node: Node, realm: Realm, addresses: &[IpAddr], link: LinkConfig) -> usize {
        self.interfaces.push(Interface {
            node,
            realm,
            addresses: addresses.to_vec(),
            up: true,
            to_network: Link::new(link.clone(), self.rng.next_u64()),
            from_network: Link::new(link, self.rng.next_u64()),
        });
        self.interfaces.len() - 1
    }

    fn climb(&mut self, interface: usize, datagram: Transmit, now: Instant) {
        let interface = &mut self.interfaces[interface];
        let arrivals = interface.to_network.send(datagram.payload.len(), now);
        let place = Place::In(interface.realm);
        self.launch(&arrivals, place, datagram);
    }

    fn route(&mut self, realm: Realm, datagram: Transmit, now: Instant) {
        let ip = datagram.destination.ip();
        let owner = self
            .interfaces
            .iter()
            .position(|i| i.realm == realm && i.addresses.contains(&ip));
        match (owner, realm) {
            (Some(interface), _) => {
                let arrivals = self.interfaces[interface]
                    .from_network
                    .send(datagram.payload.len(), now);
                self.launch(&arrivals, Place::At(interface), datagram);
            }
            (None, Some(nat)) => self.leave(nat, datagram, now),
            (None, None) => self.stats.unroutable += 1,
        }
    }

    /// From the inside of a NAT outwards.
    fn leave(&mut self, id: NatId, mut datagram: Transmit, now: Instant) {
        let Gateway { nat, interface } = &mut self.nats[id.0];
        let Some(outside) = nat.outbound(datagram.source, datagram.destination, now) else {
            self.stats.translated_away += 1;
            return;
        };
        datagram.source = outside;
        if datagram.destination.ip() != nat.public() {
            let interface = *interface;
            return self.climb(interface, datagram, now);
        }
        // RFC 4787 §6: hairpinning; REQ-9a: the inside host sees the outside source address and port.
        if nat.config().hairpin {
            self.enter(id, datagram, now);
        } else {
            self.stats.translated_away += 1;
        }
    }

    /// From the outside of a NAT inwards.
    fn enter(&mut self, id: NatId, mut datagram: Transmit, now: Instant) {
        match self.nats[id.0]
            .nat
            .inbound(datagram.destination.port(), datagram.source, now)
        {
            Some(inside) => {
                datagram.destination = inside;
                // A mapping belongs to a host of this network; if that is gone, so is the datagram.
                if self
                    .interfaces
                    .iter()
                    .any(|i| i.realm == Some(id) && i.addresses.contains(&inside.ip()))
                {
                    self.route(Some(id), datagram, now);
                } else {
                    self.stats.unroutable += 1;
                }
            }
            None => self.stats.translated_away += 1,
        }
    }

    fn launch(&mut self, arrivals: &[Instant], place: Place, datagram: Transmit) {
        if arrivals.is_empty() {
            self.stats.lost += 1;
        }
        for at in arrivals {
            if self.queue.len() == FLIGHTS {
                self.stats.overflow += 1;
                return;
            }
            self.sequence += 1;
            self.queue.push(Reverse(Flight {
                at: *at,
                sequence: self.sequence,
                place,
                datagram: datagram.clone(),
            }));
        }
    }
}
