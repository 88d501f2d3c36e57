//! What ICE needs of the network beside plain datagrams: relays, streams, names, changes; and the way out for ours.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    time::Instant,
};

use duologue_ice as ice;

use super::{MAX_OUTPUTS, Transport};
use crate::{Output, Policy, StreamId, Transmit, TurnServer};

impl Transport {
    /// Replaces the TURN servers: new ones are used at once, known ones (the same address and transport) go on with the
    /// new credentials, and those not listed any more give their allocations back.
    pub fn set_turn_servers(&mut self, servers: Vec<TurnServer>, now: Instant) {
        self.ice.set_turn_servers(servers, now);
        self.collect(now);
    }

    /// Changes which of our addresses the peer may learn: from [`Policy::Silent`] to [`Policy::All`] at the accept, say.
    /// What was held back is announced at once.
    pub fn set_policy(&mut self, policy: Policy, now: Instant) {
        self.ice.set_policy(policy, now);
        self.collect(now);
    }

    /// Whether the peer advertised the ICE option `renomination`. Not before it did.
    pub fn set_remote_renomination(&mut self, advertised: bool) {
        self.ice.set_remote_renomination(advertised);
    }

    /// The AAAA records that the resolver of a network has for `ipv4only.arpa` (RFC 7050): if they are translations,
    /// IPv4-only peers and servers are reached through them from our IPv6 addresses.
    pub fn set_nat64_records(&mut self, records: &[Ipv6Addr], now: Instant) {
        let prefixes = ice::Nat64Prefix::discover(records);
        self.ice.set_nat64_prefixes(prefixes, now);
        self.collect(now);
    }

    /// The address of a name that [`Output::MdnsQuery`] asked for.
    pub fn handle_mdns_answer(&mut self, name: &str, address: IpAddr, now: Instant) {
        self.ice.handle_mdns_answer(name, address, now);
        self.collect(now);
    }

    /// A stream is open, TLS included.
    pub fn handle_stream_open(&mut self, id: StreamId, now: Instant) {
        self.ice.handle_stream_open(id, now);
        self.collect(now);
    }

    /// Bytes that came on a stream, cut anywhere.
    pub fn handle_stream_bytes(&mut self, id: StreamId, bytes: &[u8], now: Instant) {
        self.stats.datagrams_received += 1;
        self.stats.bytes_received += bytes.len() as u64;
        self.stats.relay_received += 1;
        self.ice.handle_stream_bytes(id, bytes, now);
        self.collect(now);
    }

    /// A stream was closed by the other side, broke, or could not be opened. It is opened again after a while.
    pub fn handle_stream_closed(&mut self, id: StreamId, now: Instant) {
        self.ice.handle_stream_closed(id, now);
        self.collect(now);
    }

    /// Sends on a path, through the relay if it leads over one of ours.
    pub(super) fn send_datagram(&mut self, path: (SocketAddr, SocketAddr), payload: Vec<u8>, now: Instant) {
        self.ice.send(path.0, path.1, &payload, now);
        self.flush_ice();
    }

    pub(super) fn on_ice_output(&mut self, output: ice::Output, now: Instant) {
        match output {
            ice::Output::Data { local, source, payload } => self.handle_data((local, source), &payload, now),
            ice::Output::Event(event) => self.on_ice_event(event, now),
            other => self.pass_on(other),
        }
    }

    /// Passes on what is to be sent, though nothing is driven any more or it is not the time.
    pub(super) fn flush_ice(&mut self) {
        let mut kept = Vec::new();
        while let Some(output) = self.ice.poll_output() {
            match output {
                ice::Output::Event(_) | ice::Output::Data { .. } => kept.push(output),
                other => self.pass_on(other),
            }
        }
        self.pending.extend(kept);
        self.pending.truncate(MAX_OUTPUTS);
    }

    fn pass_on(&mut self, output: ice::Output) {
        match output {
            ice::Output::Transmit(ice::Transmit {
                source,
                destination,
                payload,
            }) => self.push_transmit(Transmit {
                source,
                destination,
                payload,
            }),
            ice::Output::StreamOpen { id, local, remote, tls } => {
                self.push_stream(Output::StreamOpen { id, local, remote, tls })
            }
            ice::Output::StreamWrite { id, bytes } => self.push_stream(Output::StreamWrite { id, bytes }),
            ice::Output::StreamClose { id } => self.push_stream(Output::StreamClose { id }),
            ice::Output::MdnsQuery { name } => self.push_stream(Output::MdnsQuery { name }),
            ice::Output::MdnsPublish { name, address } => self.push_stream(Output::MdnsPublish { name, address }),
            _ => {}
        }
    }

    fn push_stream(&mut self, output: Output) {
        let room = match output {
            Output::StreamWrite { .. } => MAX_OUTPUTS,
            _ => 2 * MAX_OUTPUTS,
        };
        if self.outputs.len() < room {
            self.outputs.push_back(output);
        } else {
            self.stats.output_dropped += 1;
        }
    }
}
