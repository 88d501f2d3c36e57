//! The network under an engine: addresses and servers that come and go, and the patience with a path that is silent.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use duologue_signaling::client::{PathEvent, PathFailure};
use duologue_signaling::message::Welcome;
use duologue_transport::StreamId;

use super::{Engine, Output};
use crate::{CallEventKind, NetworkReavailableParam, NetworkUnavailableParam};

/// The name whose addresses show how a network translates IPv6 to IPv4 (RFC 7050 §3).
pub const NAT64_NAME: &str = "ipv4only.arpa";

/// A TCP or TLS connection to a TURN server, of one leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StreamKey {
    /// The leg, counted from 0.
    pub leg: usize,
    /// The stream within the leg. The same name may come again after a close.
    pub id: u32,
}

impl Engine {
    /// A bound UDP socket that media may use. At any time: one that comes later is tried beside those in use.
    pub fn add_local_address(&mut self, address: SocketAddr, now: Instant) {
        self.local_addresses.push(address);
        for leg in self.legs.iter_mut().filter(|leg| !leg.has_own_sockets) {
            // One that the agent refuses is of no use and harms nothing.
            let _ = leg.transport.add_local_address(address, now);
        }
        self.ask_for_nat64();
        self.pump(now);
    }

    /// A socket whose address is gone. Those that take its place are to be added before.
    pub fn remove_local_address(&mut self, address: SocketAddr, now: Instant) {
        self.local_addresses.retain(|known| *known != address);
        for leg in &mut self.legs {
            leg.transport.remove_local_address(address, now);
        }
        self.pump(now);
    }

    /// There are no more sockets for now: the call begins.
    pub fn end_of_local_addresses(&mut self, now: Instant) {
        self.addresses_complete = true;
        self.end_gathering(now);
        self.start(now);
        self.pump(now);
    }

    /// A bound UDP socket for one leg alone, as [`Output::NeedSockets`] asked.
    pub fn add_leg_address(&mut self, leg: usize, address: SocketAddr, now: Instant) {
        if let Some(leg) = self.legs.get_mut(leg) {
            let _ = leg.transport.add_local_address(address, now);
        }
        self.pump(now);
    }

    /// There are no more sockets for this leg for now.
    pub fn end_of_leg_addresses(&mut self, leg: usize, now: Instant) {
        if let Some(leg) = self.legs.get_mut(leg) {
            leg.own_complete = true;
        }
        self.end_gathering(now);
        self.pump(now);
    }

    /// The addresses of a name that [`Output::Lookup`] asked for; none when there are none.
    pub fn handle_lookup(&mut self, name: &str, addresses: Vec<IpAddr>, now: Instant) {
        if name == NAT64_NAME {
            self.nat64 = addresses
                .into_iter()
                .filter_map(|address| match address {
                    IpAddr::V6(v6) => Some(v6),
                    IpAddr::V4(_) => None,
                })
                .collect::<Vec<Ipv6Addr>>();
            for leg in &mut self.legs {
                leg.transport.set_nat64_records(&self.nat64, now);
            }
        } else {
            self.servers.know(name, addresses);
            self.use_turn_servers(now);
            self.end_gathering(now);
        }
        self.pump(now);
    }

    /// A stream is open, TLS included.
    pub fn handle_stream_open(&mut self, key: StreamKey, now: Instant) {
        if let Some(leg) = self.legs.get_mut(key.leg) {
            leg.transport.handle_stream_open(StreamId(key.id), now);
        }
        self.pump(now);
    }

    /// Bytes came on a stream, cut anywhere.
    pub fn handle_stream_bytes(&mut self, key: StreamKey, bytes: &[u8], now: Instant) {
        if let Some(leg) = self.legs.get_mut(key.leg) {
            leg.transport.handle_stream_bytes(StreamId(key.id), bytes, now);
        }
        self.pump(now);
    }

    /// A stream was closed by the other side, broke, or could not be opened.
    pub fn handle_stream_closed(&mut self, key: StreamKey, now: Instant) {
        if let Some(leg) = self.legs.get_mut(key.leg) {
            leg.transport.handle_stream_closed(StreamId(key.id), now);
        }
        self.pump(now);
    }

    /// Somebody on the link says that this mDNS name has this address.
    pub fn handle_mdns_answer(&mut self, name: &str, address: IpAddr, now: Instant) {
        for leg in &mut self.legs {
            leg.transport.handle_mdns_answer(name, address, now);
        }
        self.pump(now);
    }

    /// Takes over the servers that a welcome names; a later one has fresh credentials.
    pub(super) fn take_servers(&mut self, welcome: &Welcome, first: bool, now: Instant) {
        let names = self.servers.set(welcome.ice_servers.clone());
        self.outputs
            .extend(names.into_iter().map(|name| Output::Lookup { name }));
        if !first {
            return self.use_turn_servers(now);
        }
        self.stun_servers = self.servers.stun();
        self.turn_servers = self.servers.turn(&self.config.relay_protocols);
        if !self.stun_servers.is_empty() || !self.turn_servers.is_empty() || self.servers.is_pending() {
            self.renew_first_leg(now);
        }
    }

    fn use_turn_servers(&mut self, now: Instant) {
        self.turn_servers = self.servers.turn(&self.config.relay_protocols);
        for leg in self.legs.iter_mut().filter(|leg| !leg.transport.is_closed()) {
            leg.transport.set_turn_servers(self.turn_servers.clone(), now);
        }
    }

    /// Lets gathering end on every leg that has all its sockets, once all servers are known.
    pub(super) fn end_gathering(&mut self, now: Instant) {
        if self.servers.is_pending() {
            return;
        }
        let complete = self.addresses_complete;
        for leg in &mut self.legs {
            let complete = if leg.has_own_sockets {
                leg.own_complete
            } else {
                complete
            };
            if complete {
                leg.transport.end_of_local_addresses(now);
            }
        }
    }

    /// With IPv6 alone, IPv4 peers are reached through the network's translation, if it has one.
    fn ask_for_nat64(&mut self) {
        let on_network = |address: &&SocketAddr| !address.ip().is_loopback();
        let mut addresses = self.local_addresses.iter().filter(on_network).peekable();
        if addresses.peek().is_some() && addresses.all(SocketAddr::is_ipv6) && !self.nat64_asked {
            self.nat64_asked = true;
            self.outputs.push_back(Output::Lookup {
                name: NAT64_NAME.into(),
            });
        }
    }

    /// The peer has not answered for so long that nothing more is sent to it (RFC 7675 §5.1), or our last address went. Whose network it
    /// is, nobody can tell for sure: with the server in reach it is not ours.
    pub(super) fn on_interrupted(&mut self, index: usize, now: Instant) {
        let heard = self.legs[index].heard_at.unwrap_or(now);
        let at = (heard + self.config.patience).max(now);
        self.lost_at = Some(at);
        if self.phases.connected.is_some() && !self.ended {
            let is_peer = self.server.is_open() && !self.local_addresses.is_empty();
            self.unavailable = Some(is_peer);
            let left = at.saturating_duration_since(now) + Duration::from_millis(999);
            let param = NetworkUnavailableParam {
                is_peer,
                will_disconnect_sec: left.as_secs() as u32,
            };
            self.emit(CallEventKind::NetworkUnavailable(param), now);
        }
    }

    pub(super) fn on_resumed(&mut self, now: Instant) {
        self.lost_at = None;
        if let Some(is_peer) = self.unavailable.take().filter(|_| !self.ended) {
            self.emit(
                CallEventKind::NetworkReavailable(NetworkReavailableParam { is_peer }),
                now,
            );
        }
    }

    /// The peer has been silent for so long that it will stay so.
    pub(super) fn on_lost(&mut self, now: Instant) {
        if self.lost_at.is_some_and(|at| at <= now) {
            self.lost_at = None;
            if let Some(index) = self.active {
                self.on_path(index, PathEvent::Failed(PathFailure::Unreachable), now);
            }
        }
        if self.ended && self.tell_until.is_some_and(|until| until <= now) {
            self.told = true;
        }
    }
}
