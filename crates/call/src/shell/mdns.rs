//! The sockets of multicast DNS: one for each address family of each interface, opened when the first name is asked for or published.
//!
//! On Unix they are bound to the group, so that only what was multicast on that link arrives (RFC 6762 §11 asks for as much).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::time::Instant;

use duologue_transport::mdns::{GROUPS, Mdns, MdnsOutput, PORT};
use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, Socket, Type};

use super::interfaces;

/// Sockets at most: an interface has up to two.
const MOST_SOCKETS: usize = 16;
/// RFC 6762 §11: every message is sent with this time to live.
const TTL: u32 = 255;
/// RFC 6762 §17: no message is longer.
const LONGEST: usize = 9000;
/// Datagrams that are read from one socket at a time.
const READ_BATCH: usize = 32;

/// The protocol and its sockets.
pub(super) struct MdnsSockets {
    mdns: Mdns,
    links: Vec<Link>,
    /// The interfaces that there were when the sockets were opened; `None`: they are closed.
    opened: Option<Vec<(IpAddr, u32)>>,
    /// The tokens of the sockets begin here.
    first: usize,
}

struct Link {
    socket: UdpSocket,
    token: Token,
    /// Of an IPv6 socket, the interface that it speaks on.
    scope: Option<u32>,
    pending: bool,
}

impl MdnsSockets {
    /// Nothing is opened yet. Tokens from `first` on are this value's.
    pub(super) fn new(first: usize) -> Self {
        Self {
            mdns: Mdns::new(),
            links: Vec::new(),
            opened: None,
            first,
        }
    }

    /// Asks for a name.
    pub(super) fn resolve(&mut self, name: &str, registry: &Registry, now: Instant) {
        self.open(registry);
        self.mdns.resolve(name, now);
    }

    /// Answers for a name.
    pub(super) fn publish(&mut self, name: &str, address: IpAddr, registry: &Registry) {
        self.open(registry);
        self.mdns.publish(name, address);
    }

    /// The interfaces may have changed: an address may also have been there before its interface ran.
    pub(super) fn reopen(&mut self, registry: &Registry) {
        if self
            .opened
            .as_ref()
            .is_some_and(|opened| *opened != interfaces::links())
        {
            self.close(registry);
            self.open(registry);
        }
    }

    /// Closes the sockets; nobody is answered any more.
    pub(super) fn close(&mut self, registry: &Registry) {
        for link in &mut self.links {
            let _ = registry.deregister(&mut link.socket);
        }
        self.links.clear();
        self.opened = None;
    }

    pub(super) fn on_readable(&mut self, token: Token) {
        for link in self.links.iter_mut().filter(|link| link.token == token) {
            link.pending = true;
        }
    }

    pub(super) fn has_pending(&self) -> bool {
        self.links.iter().any(|link| link.pending)
    }

    /// Reads what is there.
    pub(super) fn receive(&mut self, now: Instant) {
        let mut buffer = [0; LONGEST];
        for link in self.links.iter_mut().filter(|link| link.pending) {
            link.pending = false;
            for count in 1.. {
                match link.socket.recv_from(&mut buffer) {
                    Ok((length, source)) => self.mdns.handle_datagram(source, &buffer[..length], now),
                    Err(_) => break,
                }
                if count == READ_BATCH {
                    link.pending = true;
                    break;
                }
            }
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.mdns.poll_timeout()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.mdns.poll_timeout().is_some_and(|due| due <= now) {
            self.mdns.handle_timeout(now);
        }
    }

    /// Sends what is to be sent; the next name that was found, with its address.
    pub(super) fn poll_resolved(&mut self) -> Option<(String, IpAddr)> {
        while let Some(output) = self.mdns.poll_output() {
            match output {
                MdnsOutput::Transmit { destination, payload } => {
                    for link in &self.links {
                        link.send(destination, &payload);
                    }
                }
                MdnsOutput::Resolved { name, address } => return Some((name, address)),
                MdnsOutput::Unresolved { .. } => tracing::debug!("nobody answers for a name of the peer"),
                _ => {}
            }
        }
        None
    }

    fn open(&mut self, registry: &Registry) {
        if self.opened.is_some() {
            return;
        }
        let links = interfaces::links();
        for (address, index) in links.iter().copied() {
            if self.links.len() >= MOST_SOCKETS {
                break;
            }
            let scope = address.is_ipv6().then_some(index);
            if scope.is_some() && self.links.iter().any(|link| link.scope == scope) {
                continue;
            }
            let token = Token(self.first + self.links.len());
            match Link::open(address, index, token, registry) {
                Ok(link) => self.links.push(link),
                Err(error) => tracing::debug!(%error, "no multicast DNS on an interface"),
            }
        }
        self.opened = Some(links);
    }
}

impl Link {
    fn open(address: IpAddr, index: u32, token: Token, registry: &Registry) -> io::Result<Self> {
        let domain = if address.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
        let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        // RFC 6762 §15.1: port 5353 is shared with whoever else speaks the protocol on this machine.
        socket.set_reuse_address(true)?;
        #[cfg(unix)]
        socket.set_reuse_port(true)?;
        for group in GROUPS {
            match (group, address) {
                (IpAddr::V4(group), IpAddr::V4(own)) => {
                    let bound = if cfg!(unix) { group } else { Ipv4Addr::UNSPECIFIED };
                    socket.bind(&SocketAddr::new(bound.into(), PORT).into())?;
                    socket.join_multicast_v4(&group, &own)?;
                    socket.set_multicast_if_v4(&own)?;
                    socket.set_multicast_loop_v4(true)?;
                    socket.set_multicast_ttl_v4(TTL)?;
                }
                (IpAddr::V6(group), IpAddr::V6(_)) => {
                    let bound = if cfg!(unix) { group } else { Ipv6Addr::UNSPECIFIED };
                    socket.set_only_v6(true)?;
                    socket.bind(&SocketAddr::from(SocketAddrV6::new(bound, PORT, 0, index)).into())?;
                    socket.join_multicast_v6(&group, index)?;
                    socket.set_multicast_if_v6(index)?;
                    socket.set_multicast_loop_v6(true)?;
                    socket.set_multicast_hops_v6(TTL)?;
                }
                _ => {}
            }
        }
        let mut socket = UdpSocket::from_std(socket.into());
        registry.register(&mut socket, token, Interest::READABLE)?;
        Ok(Self {
            socket,
            token,
            scope: address.is_ipv6().then_some(index),
            pending: false,
        })
    }

    /// A message that cannot be sent is lost like any other: questions are repeated.
    fn send(&self, destination: SocketAddr, payload: &[u8]) {
        let destination = match (destination, self.scope) {
            (SocketAddr::V6(v6), Some(scope)) if v6.ip().is_multicast() || v6.ip().is_unicast_link_local() => {
                SocketAddrV6::new(*v6.ip(), v6.port(), 0, scope).into()
            }
            (SocketAddr::V6(_), None) | (SocketAddr::V4(_), Some(_)) => return,
            (other, _) => other,
        };
        if let Err(error) = self.socket.send_to(payload, destination) {
            tracing::trace!(%error, "a message of multicast DNS was not sent");
        }
    }
}
