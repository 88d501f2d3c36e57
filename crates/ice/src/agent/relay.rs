//! Relays: the clients of the TURN servers, and what goes through them.

use std::net::SocketAddr;
use std::time::Instant;

use super::Agent;
use crate::turn::{Action, Client, Inner, is_turn};
use crate::{Event, Output, RelayProtocol, StreamId, TurnServer, TurnTransport};

/// Servers used at most.
const MAX_SERVERS: usize = 8;
/// Allocations at most, over all servers and local addresses.
const MAX_CLIENTS: usize = 16;

/// All clients of this agent.
#[derive(Debug, Default)]
pub(super) struct Relays {
    list: Vec<Client>,
    next_stream: u32,
}

impl Relays {
    pub(super) fn is_settled(&self) -> bool {
        self.list.iter().all(Client::is_settled)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.list.iter().filter_map(Client::poll_timeout).min()
    }

    /// The protocol to the server that relays for `base`.
    pub(super) fn protocol(&self, base: SocketAddr) -> Option<RelayProtocol> {
        let client = self.list.iter().find(|client| client.owns(base))?;
        Some(client.config.transport.protocol())
    }

    fn of_stream(&self, id: StreamId) -> Option<usize> {
        self.list.iter().position(|client| client.stream == Some(id))
    }

    fn of_datagram(&self, local: SocketAddr, source: SocketAddr) -> Option<usize> {
        self.list
            .iter()
            .position(|client| client.stream.is_none() && client.local == local && client.server == source)
    }
}

impl Agent {
    /// Replaces the TURN servers: new ones are used at once from every local address, known ones (the same address and
    /// transport) go on with the new credentials, and those not listed any more give their allocations back. At most
    /// 8 are used.
    pub fn set_turn_servers(&mut self, servers: Vec<TurnServer>, now: Instant) {
        if self.is_closed() {
            return;
        }
        let same = |a: &TurnServer, b: &TurnServer| a.address == b.address && a.transport == b.transport;
        self.config.turn_servers = servers;
        for server in &mut self.config.turn_servers {
            server.address = crate::stun::canonical(server.address);
        }
        let servers = self.config.turn_servers.clone();
        for index in (0..self.relays.list.len()).rev() {
            let client = &mut self.relays.list[index];
            match servers.iter().find(|server| same(server, &client.config)) {
                Some(server) => client.set_credentials(server, &mut self.rng, now),
                None => self.drop_relay(index, now),
            }
        }
        let hosts: Vec<SocketAddr> = self.gathering.hosts().collect();
        for host in hosts {
            self.start_relays(host, now);
        }
        self.gathering.complete &= self.relays.is_settled();
        self.service(now);
    }

    /// The owner opened a stream, TLS included.
    pub fn handle_stream_open(&mut self, id: StreamId, now: Instant) {
        if let Some(index) = self.relays.of_stream(id) {
            self.relays.list[index].handle_open(&mut self.rng, now);
            self.service(now);
        }
    }

    /// Bytes that came on a stream, cut anywhere.
    pub fn handle_stream_bytes(&mut self, id: StreamId, bytes: &[u8], now: Instant) {
        self.clock = now;
        if let Some(index) = self.relays.of_stream(id) {
            let client = &mut self.relays.list[index];
            let heard = client.handle_bytes(bytes, &mut self.rng, &mut self.stats, now);
            self.collect_relays(now);
            for inner in heard {
                self.on_relayed(inner, now);
            }
            self.service(now);
        }
    }

    /// A stream was closed by the other side, broke, or could not be opened. The agent opens it again after a while.
    pub fn handle_stream_closed(&mut self, id: StreamId, now: Instant) {
        if let Some(index) = self.relays.of_stream(id) {
            self.relays.list[index].handle_closed(now);
            self.service(now);
        }
    }

    /// Whether datagrams from `source` to `local` come from a TURN server of this agent: all of those are to be handed
    /// in, whatever they look like.
    #[must_use]
    pub fn is_relay(&self, local: SocketAddr, source: SocketAddr) -> bool {
        let (local, source) = (crate::stun::canonical(local), crate::stun::canonical(source));
        self.relays.of_datagram(local, source).is_some()
    }

    /// Sends data to `remote` from `local`, the two of [`PairInfo`](crate::PairInfo), as the outputs that it takes: one
    /// datagram to the peer, or one to the relay, or bytes on a stream. Through a relay that is gone it is dropped.
    pub fn send(&mut self, local: SocketAddr, remote: SocketAddr, payload: &[u8], now: Instant) {
        if self.is_closed() {
            return;
        }
        self.clock = now;
        self.transmit(local, remote, payload.to_vec());
    }

    /// Begins an allocation on each server for a new local address, all at once: the answer decides which is used.
    pub(super) fn start_relays(&mut self, base: SocketAddr, now: Instant) {
        let servers: Vec<TurnServer> = self.config.turn_servers.iter().take(MAX_SERVERS).cloned().collect();
        for server in servers {
            let Some(address) = self.reachable(server.address, base) else {
                continue;
            };
            let is_udp = server.transport == TurnTransport::Udp;
            // A stream has a port of its own, so one a network is enough.
            let exists = self.relays.list.iter().any(|client| {
                client.config.address == server.address
                    && client.config.transport == server.transport
                    && (client.local == base || (!is_udp && client.local.ip() == base.ip()))
            });
            if exists {
                continue;
            }
            if self.relays.list.len() >= MAX_CLIENTS {
                self.stats.table_full += 1;
                return;
            }
            let stream = (!is_udp).then(|| {
                self.relays.next_stream += 1;
                StreamId(self.relays.next_stream)
            });
            let loopback = self.config.loopback;
            let client = Client::new(server, stream, base, address, loopback, &mut self.rng, now);
            self.relays.list.push(client);
        }
    }

    /// Ends the clients whose local address is gone.
    pub(super) fn end_relays(&mut self, base: SocketAddr, now: Instant) {
        for index in (0..self.relays.list.len()).rev() {
            let client = &self.relays.list[index];
            let other = client.stream.and_then(|_| {
                self.gathering
                    .hosts()
                    .find(|host| host.ip() == base.ip() && *host != base)
            });
            if client.local != base {
                continue;
            }
            match other {
                Some(other) => self.relays.list[index].local = other,
                None => self.drop_relay(index, now),
            }
        }
    }

    fn drop_relay(&mut self, index: usize, now: Instant) {
        let relayed = self.relays.list[index].relayed().to_vec();
        self.relays.list[index].release(&mut self.rng, now);
        self.collect_relays(now);
        self.relays.list.remove(index);
        for address in relayed {
            self.remove_local(address, now);
        }
    }

    /// Gives every allocation back.
    pub(super) fn release_relays(&mut self, now: Instant) {
        for client in &mut self.relays.list {
            client.release(&mut self.rng, now);
        }
        self.collect_relays(now);
        self.relays = Relays::default();
    }

    /// Does what is due in all clients.
    pub(super) fn serve_relays(&mut self, now: Instant) {
        for client in &mut self.relays.list {
            if client.poll_timeout().is_some_and(|at| at <= now) {
                client.handle_timeout(&mut self.rng, now);
            }
        }
        self.collect_relays(now);
    }

    /// A datagram from a TURN server, if it is one of its own protocol; `false` leaves it to the checks.
    pub(super) fn handle_relay_datagram(
        &mut self,
        local: SocketAddr,
        source: SocketAddr,
        payload: &[u8],
        now: Instant,
    ) -> bool {
        let Some(index) = self.relays.of_datagram(local, source).filter(|_| is_turn(payload)) else {
            return false;
        };
        let client = &mut self.relays.list[index];
        let heard = client.handle_message(payload, &mut self.rng, &mut self.stats, now);
        self.collect_relays(now);
        if let Some(inner) = heard {
            self.on_relayed(inner, now);
        }
        true
    }

    /// Whether a datagram of a TURN server is for this agent and not for another one on the same socket.
    pub(super) fn is_relay_answer(&self, local: SocketAddr, source: SocketAddr, payload: &[u8]) -> bool {
        self.relays
            .of_datagram(local, source)
            .is_some_and(|index| self.relays.list[index].accepts(payload))
    }

    /// What a peer sent to a relayed address: a check or an answer, or else data for the owner.
    fn on_relayed(&mut self, inner: Inner, now: Instant) {
        if crate::stun::looks_like_stun(&inner.payload) {
            self.handle_stun(inner.relayed, inner.peer, &inner.payload, now);
        } else if self.outputs.len() < super::MAX_OUTPUTS {
            self.outputs.push_back(Output::Data {
                local: inner.relayed,
                source: inner.peer,
                payload: inner.payload,
            });
        } else {
            self.stats.outputs_dropped += 1;
        }
    }

    /// Sends from a relayed address; `false` if it is none of ours.
    pub(super) fn relay(&mut self, relayed: SocketAddr, peer: SocketAddr, payload: &[u8]) -> bool {
        let now = self.clock;
        let Some(client) = self.relays.list.iter_mut().find(|client| client.owns(relayed)) else {
            return false;
        };
        client.send(peer, payload, &mut self.rng, now);
        self.collect_relays(now);
        true
    }

    /// Lets a peer's host through to a relayed address before anything is sent there.
    pub(super) fn permit(&mut self, relayed: SocketAddr, peer: SocketAddr) {
        let now = self.clock;
        if let Some(client) = self.relays.list.iter_mut().find(|client| client.owns(relayed)) {
            client.permit(peer, &mut self.rng, now);
        }
    }

    /// Spares a pair in use the long header (RFC 8656 §12).
    pub(super) fn bind_channel(&mut self, relayed: SocketAddr, peer: SocketAddr, now: Instant) {
        if let Some(client) = self.relays.list.iter_mut().find(|client| client.owns(relayed)) {
            client.bind(peer, &mut self.rng, now);
        }
    }

    /// Does what the clients want done.
    pub(super) fn collect_relays(&mut self, now: Instant) {
        let mut index = 0;
        while index < self.relays.list.len() {
            match self.relays.list[index].poll_action() {
                Some(action) => self.on_relay_action(index, action, now),
                None => index += 1,
            }
        }
    }

    fn on_relay_action(&mut self, index: usize, action: Action, now: Instant) {
        let client = &self.relays.list[index];
        let (local, server, stream) = (client.local, client.server, client.stream);
        match action {
            Action::Send(bytes) => {
                self.stats.relay_sent += 1;
                match stream {
                    None => self.output_datagram(local, server, bytes),
                    Some(id) => self.output_stream(Output::StreamWrite { id, bytes }),
                }
            }
            Action::Open => {
                let tls = match &client.config.transport {
                    TurnTransport::Tls { server_name } => Some(server_name.clone()),
                    _ => None,
                };
                if let Some(id) = stream {
                    self.output_stream(Output::StreamOpen {
                        id,
                        local: local.ip(),
                        remote: server,
                        tls,
                    });
                }
            }
            Action::Close => {
                if let Some(id) = stream {
                    self.output_stream(Output::StreamClose { id });
                }
            }
            Action::Allocated { relayed, mapped } => {
                let protocol = client.config.transport.protocol();
                // RFC 8445 §5.1.1.2: an Allocate over UDP tells the server-reflexive address as well.
                if stream.is_none() {
                    self.add_reflexive(local, server, mapped);
                }
                let usable = self.check_address(relayed).is_ok();
                if !usable || self.add_relayed(relayed, mapped, Some(protocol)).is_err() {
                    self.stats.table_full += 1;
                }
            }
            Action::Lost(addresses) => {
                for address in addresses {
                    self.remove_local(address, now);
                }
            }
            Action::Refused(ip) => {
                let relayed = client.relayed().to_vec();
                self.fail_pairs(|pair| pair.remote.ip() == ip && relayed.contains(&pair.base));
            }
            Action::Failed(failure) => {
                tracing::debug!(?failure, "no relay");
                self.emit(Event::RelayFailed {
                    server: self.relays.list[index].config.address,
                    protocol: self.relays.list[index].config.transport.protocol(),
                    failure,
                });
            }
        }
    }

    /// Bytes of a stream go whole or not at all, so a full queue costs messages and never the framing.
    fn output_stream(&mut self, output: Output) {
        let room = match output {
            Output::StreamWrite { .. } => super::MAX_OUTPUTS,
            _ => 2 * super::MAX_OUTPUTS,
        };
        if self.outputs.len() < room {
            self.outputs.push_back(output);
        } else {
            self.stats.outputs_dropped += 1;
        }
    }
}
