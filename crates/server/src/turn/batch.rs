//! Many datagrams with one system call, where the system has it.

use std::io;
use std::net::{IpAddr, SocketAddr};

use mio::net::UdpSocket;

use super::outgoing::Outgoing;

/// Most datagrams of one receive call.
pub(super) const MOST: usize = 32;
/// Longest datagram that is looked at: no media packet is longer than a network's frame.
const LONGEST: usize = 2_048;

/// Bytes that may wait in the socket of the STUN port, each way: 5,000 packets of calls, as the kernel counts them.
const ROOM: usize = 4 << 20;

/// A UDP socket: the STUN port's, or a relay's.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) socket: UdpSocket,
    /// One that serves both families has IPv4 as mapped addresses.
    is_v6: bool,
}

impl Port {
    pub(super) fn new(socket: UdpSocket) -> io::Result<Self> {
        let is_v6 = socket.local_addr()?.is_ipv6();
        Ok(Self { socket, is_v6 })
    }

    /// Asks for room for more datagrams than the system gives a socket by default: all clients share this one, and a moment
    /// without the processor must not cost packets.
    pub(super) fn enlarge(&self) {
        system::enlarge(&self.socket, ROOM);
    }

    /// Sends to one address; whether the socket took it.
    pub(super) fn send(&self, payload: &[u8], to: SocketAddr) -> bool {
        self.socket.send_to(payload, spelled(to, self.is_v6)).is_ok()
    }
}

/// Buffers for the datagrams of one call.
pub(super) struct Batch {
    buffers: Vec<u8>,
    received: Vec<(SocketAddr, usize)>,
    system: system::Headers,
}

impl Batch {
    pub(super) fn new() -> Self {
        Self {
            buffers: vec![0; MOST * LONGEST],
            received: Vec::with_capacity(MOST),
            system: system::Headers::new(),
        }
    }

    /// Reads up to `most` datagrams. How many came; fewer than `most`, and the socket has no more.
    pub(super) fn receive(&mut self, port: &Port, most: usize) -> usize {
        self.received.clear();
        let buffers = &mut self.buffers[..most.min(MOST) * LONGEST];
        self.system.receive(port, buffers, &mut self.received);
        self.received.len()
    }

    /// Datagrams of the last call, and who sent them. Cut ones have no bytes.
    pub(super) fn datagrams(&self) -> impl Iterator<Item = (SocketAddr, &[u8])> {
        self.received
            .iter()
            .zip(self.buffers.chunks(LONGEST))
            .map(|((source, length), buffer)| (*source, &buffer[..*length]))
    }

    /// Sends everything that waits; how many the socket would not take. UDP: who misses something asks again.
    pub(super) fn send(&mut self, port: &Port, outgoing: &mut Outgoing) -> u64 {
        let unsent = self.system.send(port, outgoing);
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
    use std::array;
    use std::io::{IoSlice, IoSliceMut};
    use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
    use std::os::fd::AsRawFd as _;

    use mio::net::UdpSocket;
    use nix::errno::Errno;
    use nix::sys::socket::{
        MsgFlags, MultiHeaders, SockaddrIn, SockaddrIn6, SockaddrLike, recvmmsg, sendmmsg, setsockopt, sockopt,
    };

    use super::super::outgoing::{self, Outgoing};
    use super::{LONGEST, MOST, Port, spelled};

    /// As much of it as the system allows; with CAP_NET_ADMIN, all.
    pub(super) fn enlarge(socket: &UdpSocket, room: usize) {
        if setsockopt(socket, sockopt::RcvBufForce, &room).is_err() {
            // What it has already will have to do.
            let _ = setsockopt(socket, sockopt::RcvBuf, &room);
        }
        if setsockopt(socket, sockopt::SndBufForce, &room).is_err() {
            let _ = setsockopt(socket, sockopt::SndBuf, &room);
        }
    }

    /// An error other than that there is nothing tells of an earlier datagram, and is gone with the telling. The poll does not
    /// report a socket again while it has something to read, so reading goes on, but not for ever.
    const ERRORS: usize = 8;

    /// One set for each family: the kernel leaves the length of its addresses in the headers, and goes by it the next time.
    pub(super) struct Headers {
        v4: Family<SockaddrIn>,
        v6: Family<SockaddrIn6>,
    }

    struct Family<S> {
        receive: MultiHeaders<S>,
        send: MultiHeaders<S>,
        addresses: Vec<Option<S>>,
    }

    impl Headers {
        pub(super) fn new() -> Self {
            Self {
                v4: Family::new(),
                v6: Family::new(),
            }
        }

        pub(super) fn receive(&mut self, port: &Port, buffers: &mut [u8], received: &mut Vec<(SocketAddr, usize)>) {
            for _ in 0..ERRORS {
                let read = if port.is_v6 {
                    let read = |address| SocketAddr::V6(SocketAddrV6::from(address));
                    self.v6.receive(port, buffers, received, read)
                } else {
                    let read = |address| SocketAddr::V4(SocketAddrV4::from(address));
                    self.v4.receive(port, buffers, received, read)
                };
                if matches!(read, Ok(()) | Err(Errno::EAGAIN)) {
                    return;
                }
            }
        }

        pub(super) fn send(&mut self, port: &Port, outgoing: &Outgoing) -> u64 {
            if port.is_v6 {
                self.v6.send(port, outgoing, |address| match spelled(address, true) {
                    SocketAddr::V6(address) => Some(address.into()),
                    SocketAddr::V4(_) => None,
                })
            } else {
                self.v4.send(port, outgoing, |address| match address {
                    SocketAddr::V4(address) => Some(address.into()),
                    SocketAddr::V6(_) => None,
                })
            }
        }
    }

    impl<S: SockaddrLike + Copy> Family<S> {
        fn new() -> Self {
            Self {
                receive: MultiHeaders::preallocate(MOST, None),
                send: MultiHeaders::preallocate(outgoing::MOST, None),
                addresses: Vec::with_capacity(outgoing::MOST),
            }
        }

        fn receive(
            &mut self,
            port: &Port,
            buffers: &mut [u8],
            received: &mut Vec<(SocketAddr, usize)>,
            read: impl Fn(S) -> SocketAddr,
        ) -> Result<(), Errno> {
            let most = buffers.len() / LONGEST;
            let mut chunks = buffers.chunks_exact_mut(LONGEST);
            let mut slices: [_; MOST] = array::from_fn(|_| [IoSliceMut::new(chunks.next().unwrap_or_default())]);
            let (fd, flags) = (port.socket.as_raw_fd(), MsgFlags::MSG_DONTWAIT);
            let messages = recvmmsg(fd, &mut self.receive, slices[..most].iter_mut(), flags, None)?;
            for message in messages {
                let cut = message.flags.contains(MsgFlags::MSG_TRUNC);
                let length = if cut { 0 } else { message.bytes };
                // Buffers and messages go in step; one without a source is nobody's.
                let nobody = SocketAddr::from(([0, 0, 0, 0], 0));
                let source = message.address.map(&read);
                received.push((source.unwrap_or(nobody), if source.is_some() { length } else { 0 }));
            }
            Ok(())
        }

        fn send(&mut self, port: &Port, outgoing: &Outgoing, write: impl Fn(SocketAddr) -> Option<S>) -> u64 {
            let (fd, count) = (port.socket.as_raw_fd(), outgoing.iter().len());
            let (mut done, mut unsent) = (0, 0);
            while done < count {
                let part = || outgoing.iter().skip(done).take(outgoing::MOST);
                self.addresses.clear();
                self.addresses.extend(part().map(|(to, _)| write(to)));
                let mut payloads = part().map(|(_, payload)| payload);
                let slices: [_; outgoing::MOST] =
                    array::from_fn(|_| [IoSlice::new(payloads.next().unwrap_or_default())]);
                // As many as there are addresses.
                match sendmmsg(fd, &mut self.send, &slices, &self.addresses, [], MsgFlags::MSG_DONTWAIT) {
                    Ok(messages) => done += messages.count().max(1),
                    Err(Errno::EAGAIN) => return unsent + (count - done) as u64,
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
    use super::{LONGEST, Port};

    pub(super) fn enlarge(_socket: &UdpSocket, _room: usize) {}

    pub(super) struct Headers;

    impl Headers {
        pub(super) fn new() -> Self {
            Self
        }

        pub(super) fn receive(&mut self, port: &Port, buffers: &mut [u8], received: &mut Vec<(SocketAddr, usize)>) {
            for buffer in buffers.chunks_mut(LONGEST) {
                let Ok((length, source)) = port.socket.recv_from(buffer) else {
                    return;
                };
                received.push((source, if length == LONGEST { 0 } else { length }));
            }
        }

        pub(super) fn send(&mut self, port: &Port, outgoing: &Outgoing) -> u64 {
            outgoing.iter().filter(|(to, payload)| !port.send(payload, *to)).count() as u64
        }
    }
}
