//! One allocation: its relay, permissions and channels (RFC 8656 §6, §9, §12).

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::output::Client;

/// RFC 8656 §9: a permission lives 5 minutes, whatever the allocation does.
pub(crate) const PERMISSION: Duration = Duration::from_secs(300);
/// RFC 8656 §12: a channel lives 10 minutes.
pub(crate) const CHANNEL: Duration = Duration::from_secs(600);

/// One allocation.
#[derive(Debug)]
pub(crate) struct Allocation {
    pub(crate) client: Client,
    pub(crate) user: usize,
    /// What peers know the relay by.
    pub(crate) address: SocketAddr,
    pub(crate) expires: Instant,
    /// Transaction of the Allocate request, by which a repetition of it is known (RFC 8656 §7.2).
    pub(crate) transaction: [u8; 12],
    /// How long its answer said that the allocation lives.
    pub(crate) granted: Duration,
    /// Whether the socket of the relay is there yet.
    pub(crate) state: State,
    pub(crate) to_peers: u64,
    pub(crate) to_client: u64,
    permissions: Vec<Permission>,
    channels: Vec<Channel>,
}

/// How far an allocation is.
#[derive(Debug)]
pub(crate) enum State {
    /// The owner of the sockets was asked for one.
    Opening(Box<Opening>),
    Open,
}

/// What the answer to the Allocate request needs.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) answer: crate::server::Answering,
    pub(crate) bind: IpAddr,
    pub(crate) even: bool,
    pub(crate) additional_family: bool,
    pub(crate) tries: u32,
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

impl Allocation {
    pub(crate) fn new(client: Client, user: usize, address: SocketAddr, opening: Opening, now: Instant) -> Self {
        Self {
            client,
            user,
            address,
            expires: now,
            transaction: [0; 12],
            granted: Duration::ZERO,
            state: State::Opening(Box::new(opening)),
            to_peers: 0,
            to_client: 0,
            permissions: Vec::new(),
            channels: Vec::new(),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
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
