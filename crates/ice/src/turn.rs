//! The client of TURN servers (RFC 8656): one [`Client`] an allocation, over UDP or a stream.

use std::fmt;
use std::net::SocketAddr;

mod client;
mod frame;
mod requests;
mod wire;

pub(crate) use client::{Action, Client, Inner};

/// A TURN server, and what it knows us by.
///
/// The same server over several transports is several entries; all entries are tried at the same time.
#[derive(Clone, PartialEq, Eq)]
pub struct TurnServer {
    /// Address and port.
    pub address: SocketAddr,
    /// How it is spoken to.
    pub transport: TurnTransport,
    /// User name of the long-term credentials (RFC 8489 §9.2).
    pub username: String,
    /// Password of the long-term credentials.
    pub credential: String,
}

impl fmt::Debug for TurnServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TurnServer")
            .field("address", &self.address)
            .field("transport", &self.transport)
            .field("username", &self.username)
            .field("credential", &"…")
            .finish()
    }
}

/// How a TURN server is spoken to (RFC 8656 §3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TurnTransport {
    /// Datagrams from the socket of each local address.
    Udp,
    /// A TCP connection that the owner opens.
    Tcp,
    /// A TLS connection that the owner opens.
    Tls {
        /// The name that the server's certificate must carry.
        server_name: String,
    },
}

impl TurnTransport {
    /// The protocol, without what else belongs to it.
    #[must_use]
    pub fn protocol(&self) -> RelayProtocol {
        match self {
            Self::Udp => RelayProtocol::Udp,
            Self::Tcp => RelayProtocol::Tcp,
            Self::Tls { .. } => RelayProtocol::Tls,
        }
    }
}

/// The protocol between this host and its relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RelayProtocol {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
}

impl RelayProtocol {
    /// The name in W3C statistics: `udp`, `tcp`, `tls`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

/// Names a stream of one agent, for as long as that agent lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub u32);

/// Whether a datagram from a TURN server belongs to its client: ChannelData (RFC 8656 §12: 0x40 to 0x4F begin it), or
/// STUN of another method than Binding.
pub(crate) fn is_turn(payload: &[u8]) -> bool {
    match payload.first() {
        Some(0x40..=0x4f) => true,
        Some(0..=0x3f) => crate::stun::Header::parse(payload).is_some_and(|header| header.method != wire::BINDING),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
