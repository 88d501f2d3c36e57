//! Many datagrams with one system call, where the system has it.

use std::io;
use std::net::{IpAddr, SocketAddr};

use mio::net::UdpSocket;

use super::outgoing::Outgoing;

/// Datagrams of one receive call.
const MOST: usize = 32;
/// Longest datagram of a client that is looked at: no media packet is longer than a network's frame.
const LONGEST: usize = 2_048;

/// The socket of the STUN port, with buffers for a batch.
pub(super) struct Batch {
    socket: UdpSocket,
    /// Serves both families: IPv4 comes and goes as mapped addresses.
    is_v6: bool,
    buffers: Vec<u8>,
    received: Vec<(SocketAddr, usize)>,
    system: system::Headers,
}

impl Batch {
    pub(super) fn new(socket: UdpSocket) -> io::Result<Self> {
        Ok(Self {
            is_v6: socket.local_addr()?.is_ipv6(),
            socket,
            buffers: vec![0; MOST * LONGEST],
            received: Vec::with_capacity(MOST),
            system: system::Headers::new(),
        })
    }

    /// Reads a batch; how many there are, 0 for none.
    pub(super) fn receive(&mut self) -> usize {
        self.received.clear();
        self.system.receive(&self.socket, &mut self.buffers, &mut self.received);
        self.received.len()
    }

    /// Whether the last batch left nothing behind.
    pub(super) fn was_last(&self) -> bool {
        self.received.len() < MOST
    }

    /// Datagrams of the last batch, and who sent them. Cut ones have no bytes.
    pub(super) fn datagrams(&self) -> impl Iterator<Item = (SocketAddr, &[u8])> {
        self.received
            .iter()
            .zip(self.buffers.chunks(LONGEST))
            .map(|((source, length), buffer)| (*source, &buffer[..*length]))
    }

    /// Sends everything that waits; how many the socket would not take. UDP: who misses something asks again.
    pub(super) fn send(&mut self, outgoing: &mut Outgoing) -> u64 {
        let unsent = self.system.send(&self.socket, self.is_v6, outgoing);
        outgoing.clear();
        unsent
    }
}

/// The address as this socket wants it.
fn spelled(address: SocketAddr, is_v6: bool) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if is_v6 => (ip.to_ipv6_mapped(), address.port()).into(),
        _ => address,
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::io::{IoSlice, IoSliceMut};
    use std::net::SocketAddr;
    use std::os::fd::AsRawFd as _;

    use mio::net::UdpSocket;
    use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg};

    use super::super::outgoing::{self, Outgoing};
    use super::{LONGEST, MOST, spelled};

    pub(super) struct Headers {
        receive: MultiHeaders<SockaddrStorage>,
        send: MultiHeaders<SockaddrStorage>,
    }

    impl Headers {
        pub(super) fn new() -> Self {
            Self {
                receive: MultiHeaders::preallocate(MOST, None),
                send: MultiHeaders::preallocate(outgoing::MOST, None),
            }
        }

        pub(super) fn receive(
            &mut self,
            socket: &UdpSocket,
            buffers: &mut [u8],
            received: &mut Vec<(SocketAddr, usize)>,
        ) {
            let mut slices: Vec<[IoSliceMut<'_>; 1]> = buffers
                .chunks_mut(LONGEST)
                .map(|buffer| [IoSliceMut::new(buffer)])
                .collect();
            let flags = MsgFlags::MSG_DONTWAIT;
            // An error is that there is nothing, or that an earlier answer could not be delivered.
            let Ok(messages) = recvmmsg(socket.as_raw_fd(), &mut self.receive, slices.iter_mut(), flags, None) else {
                return;
            };
            for message in messages {
                let cut = message.flags.contains(MsgFlags::MSG_TRUNC);
                let length = if cut { 0 } else { message.bytes };
                let source = message.address.and_then(|address| {
                    let v4 = address.as_sockaddr_in().map(|address| SocketAddr::from(*address));
                    v4.or_else(|| address.as_sockaddr_in6().map(|address| SocketAddr::from(*address)))
                });
                // Buffers and messages go in step; one without a source is nobody's.
                let nobody = SocketAddr::from(([0, 0, 0, 0], 0));
                received.push((source.unwrap_or(nobody), if source.is_some() { length } else { 0 }));
            }
        }

        pub(super) fn send(&mut self, socket: &UdpSocket, is_v6: bool, outgoing: &Outgoing) -> u64 {
            let slices: Vec<[IoSlice<'_>; 1]> = outgoing.iter().map(|(_, payload)| [IoSlice::new(payload)]).collect();
            let addresses: Vec<Option<SockaddrStorage>> =
                outgoing.iter().map(|(to, _)| Some(spelled(to, is_v6).into())).collect();
            let (mut done, mut unsent) = (0, 0);
            while done < slices.len() {
                let sent = sendmmsg(
                    socket.as_raw_fd(),
                    &mut self.send,
                    &slices[done..],
                    &addresses[done..],
                    [],
                    MsgFlags::MSG_DONTWAIT,
                );
                match sent {
                    Ok(messages) => done += messages.count().max(1),
                    Err(nix::errno::Errno::EAGAIN) => return unsent + (slices.len() - done) as u64,
                    // The first datagram cannot be sent, for instance because its address cannot be reached.
                    Err(_) => {
                        done += 1;
                        unsent += 1;
                    }
                }
            }
            unsent
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::net::SocketAddr;

    use mio::net::UdpSocket;

    use super::super::outgoing::Outgoing;
    use super::{LONGEST, MOST, spelled};

    pub(super) struct Headers;

    impl Headers {
        pub(super) fn new() -> Self {
            Self
        }

        pub(super) fn receive(
            &mut self,
            socket: &UdpSocket,
            buffers: &mut [u8],
            received: &mut Vec<(SocketAddr, usize)>,
        ) {
            for buffer in buffers.chunks_mut(LONGEST).take(MOST) {
                let Ok((length, source)) = socket.recv_from(buffer) else {
                    return;
                };
                received.push((source, if length == LONGEST { 0 } else { length }));
            }
        }

        pub(super) fn send(&mut self, socket: &UdpSocket, is_v6: bool, outgoing: &Outgoing) -> u64 {
            outgoing
                .iter()
                .filter(|(to, payload)| socket.send_to(payload, spelled(*to, is_v6)).is_err())
                .count() as u64
        }
    }
}
