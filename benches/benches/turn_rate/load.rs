//! Clients that call each other, or themselves through an echo, over relays.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use duologue_turn::Credential;
use mio::{Events, Interest, Poll, Token};
use nix::sys::socket::{setsockopt, sockopt};

use crate::servers::SECRET;
use crate::wire::{self, Identity};

/// An answer that does not come so soon is asked for again.
const AGAIN: Duration = Duration::from_millis(500);
const TRIES: usize = 20;
/// A packet of a call: 20 ms of Opus at 48 kbit/s with RTP and SRTP around it.
const PAYLOAD: usize = 160;
/// A call has a packet each 20 ms in each direction.
const FRAME: Duration = Duration::from_millis(20);
/// A client that has heard nothing for so long has lost what it sent.
const LATE: Duration = Duration::from_millis(500);

/// Bytes that may wait in the peer's socket.
const ROOM: usize = 4 << 20;

/// The way of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Path {
    /// Client, relay, a peer that sends it back, relay, client: relayed twice.
    Echo,
    /// Client, relay, relay, client: one server has both ends of a call.
    BothEnds,
}

/// When packets are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As calls do, each client its own, evenly spread.
    Calls,
    /// Each client has so many on their way at any time: what the server can do.
    Window(u32),
}

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) delivered: u64,
    pub(crate) lost: u64,
    pub(crate) cpu: f64,
    /// In microseconds, sorted.
    delays: Vec<u32>,
}

impl Seen {
    /// Median and 99th percentile, in milliseconds.
    pub(crate) fn delay(&self) -> (f64, f64) {
        let at = |part: f64| {
            let index = (self.delays.len() as f64 * part) as usize;
            let micros = self.delays.get(index).or(self.delays.last());
            f64::from(micros.copied().unwrap_or(0)) / 1_000.0
        };
        (at(0.5), at(0.99))
    }
}

/// A client with an allocation and a channel.
struct Client {
    socket: mio::net::UdpSocket,
    identity: Identity,
    sent: u64,
    received: u64,
    heard: Instant,
}

/// Clients, all on one server.
pub(crate) struct Load {
    clients: Vec<Client>,
    begin: Instant,
    datagram: Vec<u8>,
}

/// A peer that sends everything back, for as long as the program runs.
pub(crate) fn echo() -> io::Result<SocketAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    // One peer for all: what it loses would count against the servers. As much as the system allows will do.
    if setsockopt(&socket, sockopt::RcvBufForce, &ROOM).is_err() {
        setsockopt(&socket, sockopt::RcvBuf, &ROOM)?;
    }
    let address = socket.local_addr()?;
    thread::spawn(move || {
        let mut buffer = [0; 2_048];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            // What cannot be sent is lost, and counted as such.
            let _ = socket.send_to(&buffer[..length], from);
        }
    });
    Ok(address)
}

impl Load {
    pub(crate) fn connect(server: SocketAddr, count: usize, path: Path, echo: SocketAddr) -> io::Result<Self> {
        let mut made = Vec::new();
        for number in 0..count {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            socket.connect(server)?;
            socket.set_read_timeout(Some(AGAIN))?;
            let mut identity = Identity {
                credential: Credential::mint(SECRET, &format!("phone{number}"), unix() + 3_600),
                realm: Vec::new(),
                nonce: Vec::new(),
            };
            let challenge = ask(&socket, &wire::bare_allocate())?;
            let value = |kind| wire::value_of(&challenge, kind).unwrap_or_default().to_vec();
            (identity.realm, identity.nonce) = (value(wire::REALM), value(wire::NONCE));
            let body = wire::attribute(wire::REQUESTED_TRANSPORT, &wire::UDP);
            let answer = succeed(&socket, &identity.request(wire::ALLOCATE, body))?;
            let relay = relayed(&answer).ok_or(io::ErrorKind::InvalidData)?;
            made.push((socket, identity, relay));
        }
        let relays: Vec<SocketAddr> = made.iter().map(|(_, _, relay)| *relay).collect();
        let mut clients = Vec::new();
        for (number, (socket, identity, _)) in made.into_iter().enumerate() {
            let peer = match path {
                Path::Echo => echo,
                // Neighbours call each other.
                Path::BothEnds => relays[number ^ 1],
            };
            succeed(&socket, &identity.request(wire::CHANNEL_BIND, wire::channel_to(peer)))?;
            socket.set_nonblocking(true)?;
            clients.push(Client {
                socket: mio::net::UdpSocket::from_std(socket),
                identity,
                sent: 0,
                received: 0,
                heard: Instant::now(),
            });
        }
        let mut datagram = wire::CHANNEL.to_be_bytes().to_vec();
        datagram.extend((PAYLOAD as u16).to_be_bytes());
        datagram.extend([0x55; PAYLOAD]);
        Ok(Self {
            clients,
            begin: Instant::now(),
            datagram,
        })
    }

    /// Sends for a while; what happens in `warm_up` counts only as far as losses go, and what comes later than `patience`
    /// after the last packet is lost.
    pub(crate) fn run(
        &mut self,
        pace: Pace,
        warm_up: Duration,
        duration: Duration,
        patience: Duration,
        cpu: impl Fn() -> io::Result<f64>,
    ) -> io::Result<Seen> {
        let mut poll = Poll::new()?;
        let mut events = Events::with_capacity(1_024);
        for (number, client) in self.clients.iter_mut().enumerate() {
            poll.registry()
                .register(&mut client.socket, Token(number), Interest::READABLE)?;
        }
        let step = FRAME / self.clients.len() as u32;
        let (from, mut to) = (Instant::now() + warm_up, Instant::now() + warm_up + duration);
        let (mut due, mut next, mut swept) = (Instant::now(), 0, Instant::now());
        let (mut seen, mut before) = (Seen::default(), None);
        if let Pace::Window(packets) = pace {
            self.refill(packets);
        }
        loop {
            let now = Instant::now();
            if before.is_none() && now >= from {
                (before, to) = (Some(cpu()?), now + duration);
            }
            if now >= to {
                break;
            }
            let mut timeout = Duration::from_millis(50);
            match pace {
                Pace::Calls => {
                    while due <= now {
                        self.send(next);
                        next = (next + 1) % self.clients.len();
                        due += step;
                    }
                    timeout = due.saturating_duration_since(Instant::now());
                }
                Pace::Window(packets) if now >= swept + LATE => {
                    self.refill(packets);
                    swept = now;
                }
                Pace::Window(_) => {}
            }
            poll.poll(&mut events, Some(timeout))?;
            for event in &events {
                let again = matches!(pace, Pace::Window(_));
                self.read(event.token().0, again, before.is_some().then_some(&mut seen));
            }
        }
        seen.cpu = cpu()? - before.unwrap_or_default();
        // What is still on its way.
        let end = Instant::now() + patience;
        while Instant::now() < end && self.total(|client| client.received) < self.total(|client| client.sent) {
            poll.poll(&mut events, Some(LATE / 10))?;
            for event in &events {
                self.read(event.token().0, false, None);
            }
        }
        for client in &mut self.clients {
            poll.registry().deregister(&mut client.socket)?;
        }
        let sent = self.total(|client| client.sent);
        seen.lost = sent.saturating_sub(self.total(|client| client.received));
        seen.delays.sort_unstable();
        Ok(seen)
    }

    fn total(&self, of: fn(&Client) -> u64) -> u64 {
        self.clients.iter().map(of).sum()
    }

    fn send(&mut self, number: usize) {
        let nanos = self.begin.elapsed().as_nanos() as u64;
        self.datagram[4..12].copy_from_slice(&nanos.to_be_bytes());
        let client = &mut self.clients[number];
        if client.socket.send(&self.datagram).is_ok() {
            client.sent += 1;
        }
    }

    /// Whoever has heard nothing for a while begins anew.
    fn refill(&mut self, packets: u32) {
        for number in 0..self.clients.len() {
            if self.clients[number].sent == 0 || self.clients[number].heard.elapsed() >= LATE {
                (0..packets).for_each(|_| self.send(number));
            }
        }
    }

    fn read(&mut self, number: usize, again: bool, mut seen: Option<&mut Seen>) {
        let mut buffer = [0; 2_048];
        while let Ok(length) = self.clients[number].socket.recv(&mut buffer) {
            // ChannelData of the one channel; anything else is no payload.
            if length < 12 || buffer[..2] != wire::CHANNEL.to_be_bytes() {
                continue;
            }
            let client = &mut self.clients[number];
            client.received += 1;
            client.heard = Instant::now();
            if let Some(seen) = &mut seen {
                seen.delivered += 1;
                let mut stamp = [0; 8];
                stamp.copy_from_slice(&buffer[4..12]);
                let nanos = (self.begin.elapsed().as_nanos() as u64).saturating_sub(u64::from_be_bytes(stamp));
                seen.delays.push((nanos / 1_000) as u32);
            }
            if again {
                self.send(number);
            }
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for client in &self.clients {
            // The allocation is given back; if that is lost, it expires.
            let body = wire::attribute(wire::LIFETIME, &[0; 4]);
            let _ = client.socket.send(&client.identity.request(wire::REFRESH, body));
        }
    }
}

fn ask(socket: &UdpSocket, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut buffer = [0; 2_048];
    for _ in 0..TRIES {
        socket.send(request)?;
        // An answer to an earlier sending of another request may still come.
        while let Ok(length) = socket.recv(&mut buffer) {
            if buffer[..length].get(8..20) == request.get(8..20) {
                return Ok(buffer[..length].to_vec());
            }
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

fn succeed(socket: &UdpSocket, request: &[u8]) -> io::Result<Vec<u8>> {
    let answer = ask(socket, request)?;
    match answer.first_chunk() {
        Some([0x01, method]) if method & 0xf0 == 0 => Ok(answer),
        _ => Err(io::Error::other(format!(
            "refused: {:?}",
            wire::value_of(&answer, 0x0009)
        ))),
    }
}

fn relayed(answer: &[u8]) -> Option<SocketAddr> {
    let value: [u8; 8] = wire::value_of(answer, 0x0016)?.try_into().ok()?;
    let port = u16::from_be_bytes([value[2], value[3]]) ^ 0x2112;
    let ip = u32::from_be_bytes([value[4], value[5], value[6], value[7]]) ^ 0x2112_a442;
    Some((Ipv4Addr::from_bits(ip), port).into())
}

fn unix() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}
