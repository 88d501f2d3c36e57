//! The server: who has which relay, and the way of a payload through it.

mod allocate;
mod random;
mod requests;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::allocation::{Allocation, Family};
use crate::binding::Binding;
use crate::config::Config;
use crate::credential::{Secrets, Signer};
use crate::message::{Class, HEADER, Message, attribute, kind, method, write_xor_address};
use crate::nonce::{Brake, Nonces};
use crate::output::{Client, Event, Forward, Output, Prefix, RelayId, Release, Target};
use crate::peer;
use crate::stats::Stats;
use crate::users::Users;
use crate::wire::MAGIC_COOKIE;
use random::Random;

/// Longest payload that is relayed: what fits a UDP datagram over IPv4 beside a Data indication's header.
pub const LONGEST_PAYLOAD: usize = 65_507 - Prefix::LONGEST - 3;

/// A TURN server without its sockets.
#[derive(Debug)]
pub struct Server {
    config: Config,
    secrets: Secrets,
    nonces: Nonces,
    brake: Brake,
    users: Users,
    binding: Binding,
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_client: HashMap<Client, u32>,
    by_address: HashMap<SocketAddr, u32>,
    expiries: BTreeSet<(Instant, u32, Family)>,
    outputs: VecDeque<Output>,
    random: Random,
    /// What time it was when.
    time_of_day: (Instant, Duration),
    stats: Stats,
}

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    allocation: Option<Allocation>,
}

/// What an answer repeats of its request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answering {
    pub(crate) to: Client,
    pub(crate) method: u16,
    pub(crate) transaction: [u8; 12],
    pub(crate) fingerprint: bool,
    pub(crate) signer: Option<Signer>,
}

impl Server {
    /// A server with no allocations. `seed` has to be unpredictable: ports and nonces come from it.
    pub fn new(config: Config, seed: [u8; 32], now: Instant) -> Self {
        let mut random = Random::new(&seed);
        Self {
            secrets: Secrets::new(&config.secrets, config.realm.clone()),
            nonces: Nonces::new(&random.bytes(), config.nonce_lifetime, now),
            brake: Brake::new(config.limits.unauthenticated_per_second, random.word(), now),
            users: Users::new(&config.limits),
            binding: Binding::new(),
            slots: Vec::new(),
            free: Vec::new(),
            by_client: HashMap::new(),
            by_address: HashMap::new(),
            expiries: BTreeSet::new(),
            outputs: VecDeque::new(),
            random,
            time_of_day: (now, config.time_of_day),
            stats: Stats::default(),
            config,
        }
    }

    /// Takes what a client sent: one datagram, or one message of a stream (see [`Framing`](crate::Framing)). A payload that
    /// is to be relayed is returned at once, borrowed; everything else waits in [`poll_output`](Self::poll_output).
    pub fn handle_client<'a>(&mut self, client: Client, bytes: &'a [u8], now: Instant) -> Option<Forward<'a>> {
        self.handle_timeout(now);
        match bytes.first() {
            // RFC 8656 §12: the first two bits tell STUN from ChannelData. Channel numbers end at 0x4FFF there, at 0x7FFF in RFC 5766 §11.
            Some(0x40..=0x7f) => self.channel_data(client, bytes, now),
            Some(0x00..=0x3f) => self.stun(client, bytes, now),
            _ => {
                self.stats.malformed += 1;
                None
            }
        }
    }

    /// [`handle_client`](Self::handle_client) for what came to a UDP socket.
    pub fn handle_datagram<'a>(
        &mut self,
        listener: u32,
        source: SocketAddr,
        payload: &'a [u8],
        now: Instant,
    ) -> Option<Forward<'a>> {
        let address = SocketAddr::new(source.ip().to_canonical(), source.port());
        self.handle_client(Client::Datagram { listener, address }, payload, now)
    }

    /// Takes what a peer sent to a relay.
    pub fn handle_relayed<'a>(
        &mut self,
        relay: RelayId,
        source: SocketAddr,
        payload: &'a [u8],
        now: Instant,
    ) -> Option<Forward<'a>> {
        self.handle_timeout(now);
        if self.allocation(relay).is_none() {
            // Its socket is closing.
            self.stats.no_allocation += 1;
            return None;
        }
        let source = SocketAddr::new(source.ip().to_canonical(), source.port());
        self.relay_to_client(relay.slot, source, payload, now)
    }

    /// The connection is closed; its number is never used again.
    pub fn handle_disconnected(&mut self, client: Client, now: Instant) {
        if let Some(&slot) = self.by_client.get(&client) {
            self.release(slot, Release::Disconnected, now);
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(&(due, slot, family)) = self.expiries.first() {
            if due > now {
                return;
            }
            self.release_relay(slot, family, Release::Expired, now);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.expiries.first().map(|(due, ..)| *due)
    }

    /// What is to be done now; call it until it has nothing more.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Says what time it is, since 1970: the clock of the machine may have been set.
    pub fn set_time_of_day(&mut self, time_of_day: Duration, now: Instant) {
        self.time_of_day = (now, time_of_day);
    }

    /// The counters.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// Allocations at this time.
    pub fn allocations(&self) -> usize {
        self.by_client.len()
    }

    fn unix_seconds(&self, now: Instant) -> u64 {
        let (at, time) = self.time_of_day;
        (time + now.saturating_duration_since(at)).as_secs()
    }

    fn allocation(&mut self, relay: RelayId) -> Option<&mut Allocation> {
        let slot = self.slots.get_mut(relay.slot as usize)?;
        let allocation = slot.allocation.as_mut().filter(|_| slot.generation == relay.generation);
        allocation.filter(|allocation| allocation.relay(relay.family).is_some())
    }

    fn stun<'a>(&mut self, client: Client, bytes: &'a [u8], now: Instant) -> Option<Forward<'a>> {
        let Ok(message) = Message::parse(bytes) else {
            self.stats.malformed += 1;
            return None;
        };
        match (message.class, message.method) {
            (Class::Request, method::BINDING) => {
                let answer = self.binding.handle_datagram(client.address(), bytes)?;
                self.stats.bindings += 1;
                self.outputs.push_back(Output::Transmit {
                    to: client,
                    payload: answer.payload,
                });
            }
            (Class::Request, method::ALLOCATE | method::REFRESH | method::CREATE_PERMISSION | method::CHANNEL_BIND)
                if !self.secrets.is_empty() =>
            {
                self.on_request(client, &message, now)
            }
            (Class::Indication, method::SEND) => return self.send_indication(client, &message, now),
            _ => self.stats.unexpected += 1,
        }
        None
    }

    /// RFC 8656 §12.6.
    fn channel_data<'a>(&mut self, client: Client, bytes: &'a [u8], now: Instant) -> Option<Forward<'a>> {
        let Some((head, rest)) = bytes.split_at_checked(4) else {
            self.stats.malformed += 1;
            return None;
        };
        let number = u16::from_be_bytes([head[0], head[1]]);
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        // §12.5: over UDP padding may be there or not.
        let Some(payload) = rest.get(..length).filter(|_| rest.len() - length < 4) else {
            self.stats.malformed += 1;
            return None;
        };
        let bound = self.by_client.get(&client).and_then(|&slot| {
            let allocation = self.slots[slot as usize].allocation.as_ref()?;
            Some((slot, allocation.peer_of(number, now)?))
        });
        let Some((slot, peer)) = bound else {
            self.stats.no_allocation += 1;
            return None;
        };
        self.relay_to_peer(slot, peer, payload, false, now)
    }

    /// RFC 8656 §11.2. An indication is not authenticated; its five-tuple is.
    fn send_indication<'a>(&mut self, client: Client, message: &Message<'a>, now: Instant) -> Option<Forward<'a>> {
        let Some(&slot) = self.by_client.get(&client) else {
            self.stats.no_allocation += 1;
            return None;
        };
        let (Some(peer), Some(data)) = (message.peer, message.data) else {
            self.stats.malformed += 1;
            return None;
        };
        // Unknown comprehension-required attributes drop an indication (RFC 8489 §6.3.2).
        let unknown = !message.unknown.is_empty() || (message.dont_fragment && !self.config.dont_fragment);
        if unknown || message.bad_value {
            self.stats.malformed += 1;
            return None;
        }
        let permitted = self.slots[slot as usize]
            .allocation
            .as_ref()
            .is_some_and(|allocation| allocation.permits(peer.ip(), now));
        if !permitted {
            self.stats.no_permission += 1;
            return None;
        }
        self.relay_to_peer(slot, peer, data, message.dont_fragment, now)
    }

    fn relay_to_peer<'a>(
        &mut self,
        slot: u32,
        peer: SocketAddr,
        payload: &'a [u8],
        dont_fragment: bool,
        now: Instant,
    ) -> Option<Forward<'a>> {
        let target = self.by_address.get(&peer).copied();
        let forbidden = target.is_none() && self.is_own(peer.ip());
        let Slot { generation, allocation } = &mut self.slots[slot as usize];
        let allocation = allocation.as_mut().filter(|allocation| allocation.is_open())?;
        if forbidden {
            self.stats.forbidden_peers += 1;
            return None;
        }
        if payload.len() > LONGEST_PAYLOAD {
            self.stats.oversized += 1;
            return None;
        }
        if !self.users.take(allocation.user, payload.len(), now) {
            self.stats.over_bandwidth += 1;
            return None;
        }
        let family = Family::of(peer.ip());
        let relay = allocation.relay_mut(family)?;
        let (generation, source) = (*generation, relay.address);
        relay.to_peers += payload.len() as u64;
        self.stats.to_peers += 1;
        self.stats.to_peers_bytes += payload.len() as u64;
        match target {
            Some(target) => {
                let forward = self.relay_to_client(target, source, payload, now)?;
                self.stats.switched += 1;
                Some(forward)
            }
            None => Some(Forward {
                to: Target::Peer {
                    relay: RelayId {
                        slot,
                        family,
                        generation,
                    },
                    address: peer,
                },
                header: Prefix::EMPTY,
                payload,
                padding: 0,
                dont_fragment,
            }),
        }
    }

    /// RFC 8656 §11.3, §12.7.
    fn relay_to_client<'a>(
        &mut self,
        slot: u32,
        source: SocketAddr,
        payload: &'a [u8],
        now: Instant,
    ) -> Option<Forward<'a>> {
        let allocation = self.slots[slot as usize].allocation.as_mut()?;
        if !allocation.is_open() || !allocation.permits(source.ip(), now) {
            self.stats.no_permission += 1;
            return None;
        }
        if payload.len() > LONGEST_PAYLOAD {
            self.stats.oversized += 1;
            return None;
        }
        if !self.users.take(allocation.user, payload.len(), now) {
            self.stats.over_bandwidth += 1;
            return None;
        }
        if let Some(relay) = allocation.relay_mut(Family::of(source.ip())) {
            relay.to_client += payload.len() as u64;
        }
        self.stats.to_clients += 1;
        self.stats.to_clients_bytes += payload.len() as u64;
        let padding = payload.len().next_multiple_of(4) - payload.len();
        let (header, padding) = match allocation.channel_of(source, now) {
            Some(number) => {
                let mut header = Prefix::EMPTY;
                header.push(&number.to_be_bytes());
                header.push(&(payload.len() as u16).to_be_bytes());
                // §12.5: padding is a must in streams only.
                (header, if allocation.client.is_stream() { padding } else { 0 })
            }
            None => (self.random.data_indication(source, payload.len()), padding),
        };
        Some(Forward {
            to: Target::Client(allocation.client),
            header,
            payload,
            padding,
            dont_fragment: false,
        })
    }

    /// Whether this machine has the address and no rule opens it.
    fn is_own(&self, address: IpAddr) -> bool {
        let config = &self.config;
        let relay = self.is_relay_address(address)
            || config.relay_v4.is_some_and(|relay| relay.bind == address)
            || config.relay_v6.is_some_and(|relay| relay.bind == address);
        (relay || config.own_addresses.contains(&address))
            && !config.allowed_peers.iter().any(|range| range.contains(address))
    }

    fn is_relay_address(&self, address: IpAddr) -> bool {
        let config = &self.config;
        config.relay_v4.is_some_and(|relay| relay.advertised == address)
            || config.relay_v6.is_some_and(|relay| relay.advertised == address)
    }

    fn is_allowed(&self, peer: SocketAddr) -> bool {
        peer.port() != 0
            && (self.is_relay_address(peer.ip()) || peer::is_allowed(peer.ip(), &self.config.allowed_peers))
    }

    fn release(&mut self, slot: u32, cause: Release, now: Instant) {
        for family in Family::BOTH {
            self.release_relay(slot, family, cause, now);
        }
    }

    /// Lets one relay go, and the allocation with its last one.
    fn release_relay(&mut self, slot: u32, family: Family, cause: Release, now: Instant) {
        let place = &mut self.slots[slot as usize];
        let generation = place.generation;
        let Some(allocation) = &mut place.allocation else {
            return;
        };
        if let Some(relay) = allocation.take_relay(family) {
            let id = RelayId {
                slot,
                family,
                generation,
            };
            self.by_address.remove(&relay.address);
            self.expiries.remove(&(relay.expires, slot, family));
            if relay.is_open {
                self.outputs.push_back(Output::CloseRelay { relay: id });
            }
            if allocation.is_open() {
                self.outputs.push_back(Output::Event(Event::Released {
                    relay: id,
                    cause,
                    to_peers: relay.to_peers,
                    to_client: relay.to_client,
                }));
            }
        }
        if allocation.relays.iter().any(Option::is_some) {
            return;
        }
        self.stats.released += u64::from(allocation.is_open());
        self.by_client.remove(&allocation.client);
        self.users.leave(allocation.user, now);
        place.allocation = None;
        place.generation = generation.wrapping_add(1);
        self.free.push(slot);
    }
}

impl Random {
    /// What goes before the payload in a Data indication (RFC 8656 §11.3).
    fn data_indication(&mut self, source: SocketAddr, length: usize) -> Prefix {
        let transaction = self.transaction();
        let mut address = [0; 20];
        let size = write_xor_address(source, &transaction, &mut address);
        let body = 4 + size + 4 + length.next_multiple_of(4);
        let mut header = Prefix::EMPTY;
        header.push(&kind(method::DATA, Class::Indication).to_be_bytes());
        header.push(&(body as u16).to_be_bytes());
        header.push(&MAGIC_COOKIE.to_be_bytes());
        header.push(&transaction);
        debug_assert_eq!(header.len(), HEADER);
        header.push(&attribute::XOR_PEER_ADDRESS.to_be_bytes());
        header.push(&(size as u16).to_be_bytes());
        header.push(&address[..size]);
        header.push(&attribute::DATA.to_be_bytes());
        header.push(&(length as u16).to_be_bytes());
        header
    }
}

#[cfg(test)]
mod tests;
