//! The UDP sockets of a call: one for each local address.

use std::io;
use std::net::{IpAddr, SocketAddr};

use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};

/// Largest datagram that is read; nothing of ours is larger than an Ethernet frame, and what is cut is dropped by its checks.
pub(crate) const MAX_DATAGRAM: usize = 2048;

/// Datagrams that are read from one socket before the thread looks at its clock again.
const READ_BATCH: usize = 64;

/// One bound socket.
#[derive(Debug)]
struct Socket {
    local: SocketAddr,
    socket: UdpSocket,
    token: Token,
    /// The leg that has it for itself.
    leg: Option<usize>,
    /// It was not read empty: `mio` tells only of changes, so it must be read again unasked.
    pending: bool,
}

/// All sockets of a call.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    sockets: Vec<Socket>,
    /// Tokens given out; none is given out twice.
    tokens: usize,
    send_errors: u64,
}

impl Sockets {
    /// Binds a socket to a free port of `address` and registers it. `None` when the system refuses: an address may vanish
    /// between being listed and being bound.
    pub(crate) fn bind(&mut self, address: IpAddr, leg: Option<usize>, registry: &Registry) -> Option<SocketAddr> {
        self.try_bind(address, leg, registry)
            .inspect_err(|error| tracing::debug!(%address, %error, "a local address cannot be bound"))
            .ok()
    }

    fn try_bind(&mut self, address: IpAddr, leg: Option<usize>, registry: &Registry) -> io::Result<SocketAddr> {
        let mut socket = UdpSocket::bind(SocketAddr::new(address, 0))?;
        let local = socket.local_addr()?;
        let token = Token(self.tokens);
        registry.register(&mut socket, token, Interest::READABLE)?;
        self.tokens += 1;
        self.sockets.push(Socket {
            local,
            socket,
            token,
            leg,
            pending: false,
        });
        Ok(local)
    }

    /// Notes that the socket with this token has something to read.
    pub(crate) fn on_readable(&mut self, token: Token) {
        if let Some(socket) = self.sockets.iter_mut().find(|socket| socket.token == token) {
            socket.pending = true;
        }
    }

    /// True when a socket is to be read without waiting.
    pub(crate) fn has_pending(&self) -> bool {
        self.sockets.iter().any(|socket| socket.pending)
    }

    /// Reads what is there, a bounded number of datagrams a socket. `deliver` gets the local address, the source and the bytes.
    pub(crate) fn receive(&mut self, buffer: &mut [u8], mut deliver: impl FnMut(SocketAddr, SocketAddr, &[u8])) {
        for socket in self.sockets.iter_mut().filter(|socket| socket.pending) {
            for _ in 0..READ_BATCH {
                match socket.socket.recv_from(buffer) {
                    Ok((length, source)) => deliver(socket.local, source, &buffer[..length]),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        socket.pending = false;
                        break;
                    }
                    // An ICMP error for something sent earlier: it says nothing about what waits behind it.
                    Err(error) => tracing::trace!(%error, "reading a media socket failed"),
                }
            }
        }
    }

    /// Sends at once, or counts that it could not.
    pub(crate) fn send(&mut self, source: SocketAddr, destination: SocketAddr, payload: &[u8]) {
        let sent = match self.sockets.iter().find(|socket| socket.local == source) {
            Some(socket) => socket.socket.send_to(payload, destination).is_ok(),
            None => false,
        };
        self.send_errors += u64::from(!sent);
    }

    /// The addresses of the machine that sockets are bound to.
    pub(crate) fn addresses(&self) -> Vec<IpAddr> {
        let mut addresses: Vec<IpAddr> = Vec::new();
        for socket in &self.sockets {
            if !addresses.contains(&socket.local.ip()) {
                addresses.push(socket.local.ip());
            }
        }
        addresses
    }

    /// The legs that have sockets of their own.
    pub(crate) fn legs(&self) -> Vec<usize> {
        let mut legs: Vec<usize> = self.sockets.iter().filter_map(|socket| socket.leg).collect();
        legs.sort_unstable();
        legs.dedup();
        legs
    }

    /// Where the sockets of an address are bound.
    pub(crate) fn bound_to(&self, address: IpAddr) -> Vec<SocketAddr> {
        let locals = self.sockets.iter().map(|socket| socket.local);
        locals.filter(|local| local.ip() == address).collect()
    }

    /// Closes the sockets of an address that is gone.
    pub(crate) fn remove(&mut self, address: IpAddr, registry: &Registry) {
        for socket in &mut self.sockets {
            if socket.local.ip() == address {
                let _ = registry.deregister(&mut socket.socket);
            }
        }
        self.sockets.retain(|socket| socket.local.ip() != address);
    }

    /// Datagrams that could not be sent.
    pub(crate) fn send_errors(&self) -> u64 {
        self.send_errors
    }

    /// Closes all of them.
    pub(crate) fn close(&mut self, registry: &Registry) {
        for socket in &mut self.sockets {
            // A socket that cannot be deregistered is closed by the drop below all the same.
            let _ = registry.deregister(&mut socket.socket);
        }
        self.sockets.clear();
    }
}
