//! What the media thread does when the network changes, and what the protocol asks of it beyond its sockets.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::super::command::Command;
use super::super::{interfaces, websocket};
use super::MediaThread;

/// A name server that says nothing for so long has no addresses.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

impl MediaThread {
    /// Lists the addresses again when it is time: sockets for new ones first, so that a path that is in use can move before its own
    /// address goes.
    pub(super) fn watch_network(&mut self, now: Instant) {
        if !self.network_watch.is_due(now) || self.engine.is_finished() {
            return;
        }
        let listed = match interfaces::listing() {
            Ok(listed) => listed,
            Err(error) => {
                tracing::debug!(%error, "the interfaces cannot be listed");
                return;
            }
        };
        self.mdns.reopen(self.poll.registry());
        let bound = self.sockets.addresses();
        let present = listed.choose(self.loopback);
        let removed: Vec<IpAddr> = { bound.iter().copied() }
            .filter(|ip| !(listed.runs(*ip) || (ip.is_loopback() && self.loopback)))
            // One that never was seen to run is given the benefit of the doubt for as long as it is listed.
            .filter(|ip| self.running.contains(ip) || !listed.has(*ip))
            .collect();
        let room = interfaces::MAX_ADDRESSES.saturating_sub(bound.len() - removed.len());
        let new = present.iter().copied().filter(|ip| !bound.contains(ip));
        let added: Vec<IpAddr> = new.take(room).collect();
        self.running.extend(present.iter().copied());
        if added.is_empty() && removed.is_empty() {
            return;
        }
        tracing::debug!(added = added.len(), removed = removed.len(), "the network changed");
        for ip in added {
            self.bind_everywhere(ip, now);
        }
        self.drain(now);
        for ip in removed {
            for local in self.sockets.bound_to(ip) {
                self.engine.remove_local_address(local, now);
            }
            self.drain(now);
            self.sockets.remove(ip, self.poll.registry());
            self.running.remove(&ip);
        }
        // Nobody may be there to hear it: the call is over then.
        let _ = self.network.send(self.sockets.addresses());
    }

    fn bind_everywhere(&mut self, ip: IpAddr, now: Instant) {
        if let Some(local) = self.sockets.bind(ip, None, self.poll.registry()) {
            self.engine.add_local_address(local, now);
        }
        for leg in self.sockets.legs() {
            if let Some(local) = self.sockets.bind(ip, Some(leg), self.poll.registry()) {
                self.engine.add_leg_address(leg, local, now);
            }
        }
    }

    /// Sockets for one leg alone.
    pub(super) fn bind_leg(&mut self, leg: usize, now: Instant) {
        for ip in self.sockets.addresses() {
            if let Some(local) = self.sockets.bind(ip, Some(leg), self.poll.registry()) {
                self.engine.add_leg_address(leg, local, now);
            }
        }
        self.engine.end_of_leg_addresses(leg, now);
    }

    /// Looks a name up on the runtime; the answer comes as a command.
    pub(super) fn look_up(&self, name: String) {
        let media = self.sender.clone();
        self.runtime.spawn(async move {
            let found = timeout(LOOKUP_TIMEOUT, addresses_of(&name)).await;
            let addresses = found.unwrap_or_default();
            websocket::tell(&media, Command::Lookup { name, addresses }).await;
        });
    }

    /// Takes in what the link's multicast DNS says.
    pub(super) fn serve_mdns(&mut self, now: Instant) {
        self.mdns.receive(now);
        self.mdns.handle_timeout(now);
        while let Some((name, address)) = self.mdns.poll_resolved() {
            self.engine.handle_mdns_answer(&name, address, now);
        }
    }
}

async fn addresses_of(name: &str) -> Vec<IpAddr> {
    match tokio::net::lookup_host((name, 0)).await {
        Ok(found) => found.map(|address| address.ip()).collect(),
        Err(error) => {
            tracing::debug!(%error, "a name has no address");
            Vec::new()
        }
    }
}
