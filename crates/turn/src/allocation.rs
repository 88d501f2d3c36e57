//! One allocation: its relay, permissions and channels (RFC 8656 §6, §9, §12).

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::output::Client;

/// RFC 8656 §9: a permission lives 5 minutes, whatever the allocation does.
pub(crate) const PERMISSION: Duration = Duration::from_secs(300);
/// RFC 8656 §12: a channel lives 10 minutes.
pub(crate) const CHANNEL: Duration = Duration::from_secs(600);

/// An address family, as an index too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Family {
    V4 = 0,
    V6 = 1,
}

impl Family {
    pub(crate) const BOTH: [Self; 2] = [Self::V4, Self::V6];

    pub(crate) fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// RFC 8656 §18.6.
    pub(crate) fn from_wire(value: u8) -> Option<Self> {
        match value {
            0x01 => Some(Self::V4),
            0x02 => Some(Self::V6),
            _ => None,
        }
    }

    pub(crate) fn to_wire(self) -> u8 {
        self as u8 + 1
    }
}

/// One allocation.
#[derive(Debug)]
pub(crate) struct Allocation {
    pub(crate) client: Client,
    pub(crate) user: usize,
    /// By [`Family`]. Two make a dual allocation (RFC 8656 §5).
    pub(crate) relays: [Option<Relay>; 2],
    /// Transaction of the Allocate request, by which a repetition of it is known (RFC 8656 §7.2).
    pub(crate) transaction: [u8; 12],
    /// How long its answer said that the allocation lives.
    pub(crate) granted: Duration,
    /// The family that was asked for and is not there, with its code (RFC 8656 §18.12).
    pub(crate) missing: Option<(Family, u16)>,
    /// While the sockets are not there: what is to be answered when they are.
    pub(crate) opening: Option<Box<Opening>>,
    permissions: Vec<Permission>,
    channels: Vec<Channel>,
}

/// One relayed transport address.
#[derive(Debug)]
pub(crate) struct Relay {
    /// What peers know it by.
    pub(crate) address: SocketAddr,
    /// What its socket is bound to, but for the port.
    pub(crate) bind: IpAddr,
    /// Whether its socket is there.
    pub(crate) is_open: bool,
    /// Ports that were tried.
    pub(crate) tries: u32,
    pub(crate) expires: Instant,
    pub(crate) to_peers: u64,
    pub(crate) to_client: u64,
}

/// What the answer to the Allocate request needs.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) answer: crate::server::Answering,
    pub(crate) even: bool,
}

#[derive(Debug)]
struct Permission {
    peer: IpAddr,
    expires: Instant,
}

#[derive(Debug)]
struct Channel {
    number: u16,
    peer: SocketAddr,
    expires: Instant,
}

/// Why a channel is not bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unbound {
    /// RFC 8656 §12.2: the number has another peer, or the peer another number.
    Conflict,
    Full,
}

impl Relay {
    /// A relay without a port yet.
    pub(crate) fn new(bind: IpAddr, advertised: IpAddr, now: Instant) -> Self {
        Self {
            address: SocketAddr::new(advertised, 0),
            bind,
            is_open: false,
            tries: 0,
            expires: now,
            to_peers: 0,
            to_client: 0,
        }
    }
}

impl Allocation {
    pub(crate) fn new(client: Client, user: usize, opening: Opening) -> Self {
        Self {
            client,
            user,
            relays: [None, None],
            transaction: opening.answer.transaction,
            granted: Duration::ZERO,
            missing: None,
            opening: Some(Box::new(opening)),
            permissions: Vec::new(),
            channels: Vec::new(),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.opening.is_none()
    }

    pub(crate) fn relay(&self, family: Family) -> Option<&Relay> {
        self.relays[family as usize].as_ref()
    }

    pub(crate) fn relay_mut(&mut self, family: Family) -> Option<&mut Relay> {
        self.relays[family as usize].as_mut()
    }

    /// Takes a relay away, and what was permitted through it.
    pub(crate) fn take_relay(&mut self, family: Family) -> Option<Relay> {
        self.permissions
            .retain(|permission| Family::of(permission.peer) != family);
        self.channels.retain(|channel| Family::of(channel.peer.ip()) != family);
        self.relays[family as usize].take()
    }

    /// RFC 8656 §9.2: ports do not matter.
    pub(crate) fn permits(&self, peer: IpAddr, now: Instant) -> bool {
        self.permissions
            .iter()
            .any(|permission| permission.peer == peer && permission.expires > now)
    }

    /// Installs or renews permissions: all, or none when they would be too many.
    pub(crate) fn permit(&mut self, peers: impl Iterator<Item = IpAddr> + Clone, most: usize, now: Instant) -> bool {
        self.permissions.retain(|permission| permission.expires > now);
        let before = self.permissions.len();
        for peer in peers.clone() {
            if self.permissions.iter().all(|permission| permission.peer != peer) {
                if self.permissions.len() >= most {
                    self.permissions.truncate(before);
                    return false;
                }
                self.permissions.push(Permission { peer, expires: now });
            }
        }
        for permission in &mut self.permissions {
            if peers.clone().any(|peer| peer == permission.peer) {
                permission.expires = now + PERMISSION;
            }
        }
        true
    }

    /// Whether the channel may be bound, or renewed.
    pub(crate) fn check_channel(
        &self,
        number: u16,
        peer: SocketAddr,
        most: usize,
        now: Instant,
    ) -> Result<(), Unbound> {
        let bound = || self.channels.iter().filter(|channel| channel.expires > now);
        match bound().find(|channel| channel.number == number || channel.peer == peer) {
            Some(channel) if channel.number == number && channel.peer == peer => Ok(()),
            Some(_) => Err(Unbound::Conflict),
            None if bound().count() >= most => Err(Unbound::Full),
            None => Ok(()),
        }
    }

    /// Binds or renews a channel that passed the check.
    pub(crate) fn bind(&mut self, number: u16, peer: SocketAddr, now: Instant) {
        self.channels
            .retain(|channel| channel.expires > now && channel.number != number);
        self.channels.push(Channel {
            number,
            peer,
            expires: now + CHANNEL,
        });
    }

    pub(crate) fn peer_of(&self, number: u16, now: Instant) -> Option<SocketAddr> {
        self.channels
            .iter()
            .find(|channel| channel.number == number && channel.expires > now)
            .map(|channel| channel.peer)
    }

    pub(crate) fn channel_of(&self, peer: SocketAddr, now: Instant) -> Option<u16> {
        self.channels
            .iter()
            .find(|channel| channel.peer == peer && channel.expires > now)
            .map(|channel| channel.number)
    }
}
