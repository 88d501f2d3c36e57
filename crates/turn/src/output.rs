//! What goes in and out of a [`Server`](crate::Server).

use std::fmt;
use std::net::SocketAddr;
use std::ops::Deref;

use crate::allocation::Family;

/// Where a client is: the five-tuple of RFC 8656 §2.2, as the owner of the sockets names its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Client {
    /// Behind a UDP socket.
    Datagram {
        /// Number of the socket, the owner's choice.
        listener: u32,
        /// The client's address. IPv4 must come as IPv4, not mapped.
        address: SocketAddr,
    },
    /// At the other end of a TCP or TLS connection.
    Stream {
        /// Number of the connection, never used again for another.
        connection: u64,
        /// The client's address, likewise.
        address: SocketAddr,
    },
}

impl Client {
    /// The client's address.
    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Datagram { address, .. } | Self::Stream { address, .. } => *address,
        }
    }

    pub(crate) fn is_stream(&self) -> bool {
        matches!(self, Self::Stream { .. })
    }
}

/// A relay, which is one UDP socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RelayId {
    pub(crate) slot: u32,
    pub(crate) family: Family,
    pub(crate) generation: u32,
}

impl RelayId {
    /// A small number that no other relay has at the same time: good for indexing a table of sockets.
    pub fn index(self) -> usize {
        2 * self.slot as usize + self.family as usize
    }
}

/// A payload on its way, borrowed from what was handed in. To be sent as one datagram (or, to a stream, in one piece):
/// `header`, `payload`, and `padding` bytes of zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Forward<'a> {
    /// Where to.
    pub to: Target,
    /// What goes before the payload.
    pub header: Prefix,
    /// The payload.
    pub payload: &'a [u8],
    /// Bytes of zero after it, 0 to 3.
    pub padding: usize,
    /// The client wants the DF bit set. Never true unless [`Config::dont_fragment`](crate::Config::dont_fragment) is.
    pub dont_fragment: bool,
}

/// Where a payload goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// To a client.
    Client(Client),
    /// To a peer, through the socket of a relay.
    Peer {
        /// The relay.
        relay: RelayId,
        /// The peer.
        address: SocketAddr,
    },
}

/// Up to 48 bytes, dereferenced as a slice.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    bytes: [u8; Self::LONGEST],
    length: u8,
}

impl Prefix {
    /// A Data indication with an IPv6 address.
    pub const LONGEST: usize = 48;

    pub(crate) const EMPTY: Self = Self {
        bytes: [0; Self::LONGEST],
        length: 0,
    };

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let start = usize::from(self.length);
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len() as u8;
    }
}

impl Deref for Prefix {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// What [`Server::poll_output`](crate::Server::poll_output) wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Send this to a client, as one datagram or in one piece.
    Transmit {
        /// To whom.
        to: Client,
        /// One STUN message.
        payload: Vec<u8>,
    },
    /// Bind a UDP socket and say [`relay_opened`](crate::Server::relay_opened) or
    /// [`relay_failed`](crate::Server::relay_failed).
    OpenRelay {
        /// The relay that the socket is for.
        relay: RelayId,
        /// What to bind to.
        bind: SocketAddr,
    },
    /// Close the socket of a relay. What it still delivers is dropped.
    CloseRelay {
        /// The relay.
        relay: RelayId,
    },
    /// Something to tell the operator.
    Event(Event),
}

/// Something to tell the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// An allocation was made, or one of the two relays of a dual allocation.
    Allocated {
        /// Its relay.
        relay: RelayId,
        /// Where its client is.
        client: Client,
        /// Its address as the client was told.
        address: SocketAddr,
    },
    /// An allocation is gone, or one of its two relays.
    Released {
        /// Its relay.
        relay: RelayId,
        /// Why.
        cause: Release,
        /// What it relayed towards peers, in bytes of payload.
        to_peers: u64,
        /// What it relayed towards the client, in bytes of payload.
        to_client: u64,
    },
}

/// Why an allocation is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Release {
    /// The client gave it back.
    Refreshed,
    /// The client did not refresh it in time.
    Expired,
    /// The client's connection is closed.
    Disconnected,
    /// The socket of the relay failed.
    Failed,
}
