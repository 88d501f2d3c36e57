//! Permissions and channels (RFC 8656 §9, §12).

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::{Client, Phase};
use crate::rng::Rng;
use crate::turn::wire::Ask;

/// A permission lives for 5 minutes (RFC 8656 §9); a channel for 10, but it is a permission too.
const REFRESH: Duration = Duration::from_secs(240);
const LIFETIME: Duration = Duration::from_secs(300);
/// Before a permission that was not answered is asked for again.
const AGAIN: Duration = Duration::from_secs(2);
/// How long a refusal holds.
const REFUSED: Duration = Duration::from_secs(60);
/// Kept at most, the oldest go first.
const MAX_PERMISSIONS: usize = 128;
/// At most; other peers get indications.
const MAX_CHANNELS: usize = 8;
const LAST_CHANNEL: u16 = 0x4fff;

#[derive(Clone, Debug)]
pub(super) struct Permission {
    peer: SocketAddr,
    state: PermissionState,
    /// When to ask (again), while it is used.
    due: Instant,
    /// Last sent to or asked for.
    used: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PermissionState {
    Asked,
    Held,
    Refused,
}

#[derive(Clone, Debug)]
pub(super) struct Channel {
    number: u16,
    peer: SocketAddr,
    is_bound: bool,
    due: Instant,
    used: Instant,
}

impl Client {
    /// Makes the relay pass what comes from this peer's host.
    pub(crate) fn permit(&mut self, peer: SocketAddr, rng: &mut Rng, now: Instant) {
        let suits = self.relayed.iter().any(|own| own.is_ipv4() == peer.is_ipv4());
        if self.phase != Phase::Ready || !suits {
            return;
        }
        if let Some(known) = self.permissions.iter_mut().find(|p| p.peer.ip() == peer.ip()) {
            known.used = now;
            if known.due <= now {
                let peer = known.peer;
                (known.due, known.state) = (now + REFRESH, PermissionState::Asked);
                self.ask(Ask::Permission(peer), rng, now);
            }
            return;
        }
        if self.permissions.len() >= MAX_PERMISSIONS {
            self.permissions.remove(0);
        }
        self.permissions.push(Permission {
            peer,
            state: PermissionState::Asked,
            due: now + REFRESH,
            used: now,
        });
        self.ask(Ask::Permission(peer), rng, now);
    }

    /// Binds a channel to a peer that much will be sent to.
    pub(crate) fn bind(&mut self, peer: SocketAddr, rng: &mut Rng, now: Instant) {
        let number = self.next_channel;
        let known = self.channels.iter().any(|channel| channel.peer == peer);
        if self.phase != Phase::Ready || known || self.channels.len() >= MAX_CHANNELS || number > LAST_CHANNEL {
            return;
        }
        // Never the same number twice: RFC 8656 §12 keeps it from other peers for five minutes after its end.
        self.next_channel += 1;
        self.channels.push(Channel {
            number,
            peer,
            is_bound: false,
            due: now + REFRESH,
            used: now,
        });
        self.ask(Ask::Channel(number, peer), rng, now);
    }

    /// RFC 8656 §11.4: what comes from elsewhere is not for us.
    pub(super) fn is_permitted(&self, ip: IpAddr, now: Instant) -> bool {
        self.permissions
            .iter()
            .any(|p| p.peer.ip() == ip && p.state != PermissionState::Refused && p.used + 2 * LIFETIME > now)
    }

    pub(super) fn is_refused(&self, ip: IpAddr) -> bool {
        self.permissions
            .iter()
            .any(|p| p.peer.ip() == ip && p.state == PermissionState::Refused)
    }

    /// The peer of a channel. It counts before its answer is there: the server may use it at once.
    pub(super) fn peer_of(&mut self, number: u16, now: Instant) -> Option<SocketAddr> {
        let channel = self.channels.iter_mut().find(|channel| channel.number == number)?;
        channel.used = now;
        Some(channel.peer)
    }

    pub(super) fn channel_to(&mut self, peer: SocketAddr, now: Instant) -> Option<u16> {
        let channel = self.channels.iter_mut().find(|c| c.peer == peer && c.is_bound)?;
        channel.used = now;
        Some(channel.number)
    }

    pub(super) fn on_permitted(&mut self, ip: IpAddr, now: Instant) {
        if let Some(permission) = self.permissions.iter_mut().find(|p| p.peer.ip() == ip) {
            (permission.state, permission.due) = (PermissionState::Held, now + REFRESH);
        }
    }

    pub(super) fn on_unpermitted(&mut self, ip: IpAddr, now: Instant) {
        if let Some(permission) = self.permissions.iter_mut().find(|p| p.peer.ip() == ip) {
            permission.due = now + AGAIN;
        }
    }

    pub(super) fn on_refused(&mut self, ip: IpAddr, now: Instant) {
        if let Some(permission) = self.permissions.iter_mut().find(|p| p.peer.ip() == ip) {
            (permission.state, permission.due) = (PermissionState::Refused, now + REFUSED);
        }
    }

    pub(super) fn on_bound(&mut self, number: u16, peer: SocketAddr, now: Instant) {
        if let Some(channel) = self.channels.iter_mut().find(|c| c.number == number) {
            (channel.is_bound, channel.due) = (true, now + REFRESH);
        }
        self.on_permitted(peer.ip(), now);
    }

    pub(super) fn on_unbound(&mut self, number: u16) {
        self.channels.retain(|channel| channel.number != number);
    }

    /// Renews what was used of late and lets the rest expire.
    pub(super) fn refresh_peers(&mut self, rng: &mut Rng, now: Instant) {
        self.permissions.retain(|p| p.due > now || p.used + LIFETIME > now);
        self.channels.retain(|c| c.due > now || c.used + LIFETIME > now);
        let mut asks = Vec::new();
        for permission in &mut self.permissions {
            if permission.due <= now {
                permission.due = now + REFRESH;
                asks.push(Ask::Permission(permission.peer));
            }
        }
        for channel in &mut self.channels {
            if channel.due <= now {
                channel.due = now + REFRESH;
                asks.push(Ask::Channel(channel.number, channel.peer));
            }
        }
        for ask in asks {
            self.ask(ask, rng, now);
        }
    }

    pub(super) fn peers_due(&self) -> Option<Instant> {
        let permissions = self.permissions.iter().map(|permission| permission.due);
        permissions.chain(self.channels.iter().map(|channel| channel.due)).min()
    }
}
