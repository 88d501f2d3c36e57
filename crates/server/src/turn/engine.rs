//! The thread: it owns the core and every UDP socket, and waits for them, for connections and for deadlines.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use duologue_turn::{Client, Config, Event, Forward, Framing, Output, RelayId, Server, Target};
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};
use tokio::sync::mpsc;

use super::Snapshot;
use super::batch::Batch;
use super::outgoing::{self, Outgoing};
use crate::clock::unix;

/// Wakes the thread for connections, and to stop it.
pub(super) const WAKER: Token = Token(0);
const LISTENER: Token = Token(1);
/// Relays' tokens begin here.
const RELAYS: usize = 2;
/// What one source of input may have before the others get their turn: batches, datagrams, reads.
const TURN: usize = 16;
/// How often the core is told the time of day, in case the clock was set.
const TIME_OF_DAY: Duration = Duration::from_secs(10);
/// Longest UDP payload.
const LONGEST: usize = 65_535;

/// What connections tell the thread.
#[derive(Debug)]
pub(super) enum Inbound {
    /// There is one more.
    Opened {
        client: Client,
        /// Where answers go. It is dropped when the connection has to be closed.
        outbox: mpsc::Sender<Vec<u8>>,
    },
    /// It delivered this.
    Read { client: Client, bytes: Vec<u8> },
    /// It is gone.
    Closed { client: Client },
}

/// The thread's state.
pub(super) struct Engine {
    core: Server,
    poll: Poll,
    /// The STUN port, until the thread has it.
    listener: Option<UdpSocket>,
    relays: Relays,
    inbox: mpsc::Receiver<Inbound>,
    framings: HashMap<Client, Framing>,
    outboxes: HashMap<Client, mpsc::Sender<Vec<u8>>>,
    snapshot: Arc<Mutex<Snapshot>>,
    stop: Arc<AtomicBool>,
    unsent: u64,
}

/// Sockets of relays, by the index of the relay.
#[derive(Default)]
struct Relays {
    sockets: Vec<Option<(RelayId, UdpSocket)>>,
    /// Those that may have something to read.
    ready: Vec<usize>,
}

impl Engine {
    pub(super) fn new(
        config: Config,
        poll: Poll,
        mut listener: UdpSocket,
        inbox: mpsc::Receiver<Inbound>,
        snapshot: Arc<Mutex<Snapshot>>,
        stop: Arc<AtomicBool>,
    ) -> io::Result<Self> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(io::Error::other)?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            core: Server::new(config, seed, Instant::now()),
            poll,
            listener: Some(listener),
            relays: Relays::default(),
            inbox,
            framings: HashMap::new(),
            outboxes: HashMap::new(),
            snapshot,
            stop,
            unsent: 0,
        })
    }

    pub(super) fn run(self) {
        if let Err(error) = self.work() {
            tracing::error!(%error, "STUN and TURN have stopped");
        }
    }

    fn work(mut self) -> io::Result<()> {
        let Some(listener) = self.listener.take() else {
            return Ok(());
        };
        let mut batch = Batch::new(listener)?;
        let mut events = Events::with_capacity(1_024);
        let mut outgoing = Outgoing::default();
        let mut buffer = vec![0; LONGEST];
        let (mut listener_ready, mut inbox_ready) = (false, false);
        let mut told = Instant::now();
        loop {
            let now = Instant::now();
            let busy = listener_ready || inbox_ready || !self.relays.ready.is_empty();
            let until = self.core.poll_timeout().map(|due| due.saturating_duration_since(now));
            let timeout = if busy { Some(Duration::ZERO) } else { until };
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            if self.stop.load(Ordering::Acquire) {
                return Ok(());
            }
            for event in &events {
                match event.token() {
                    WAKER => inbox_ready = true,
                    LISTENER => listener_ready = true,
                    Token(relay) => self.relays.set_ready(relay - RELAYS),
                }
            }
            let now = Instant::now();
            if now.saturating_duration_since(told) >= TIME_OF_DAY {
                self.core.set_time_of_day(unix(), now);
                told = now;
            }
            self.core.handle_timeout(now);
            if inbox_ready {
                inbox_ready = self.read_inbox(&mut batch, &mut outgoing, now);
            }
            if listener_ready {
                listener_ready = self.read_listener(&mut batch, &mut outgoing, now);
            }
            for relay in std::mem::take(&mut self.relays.ready) {
                if self.read_relay(relay, &mut buffer, &mut batch, &mut outgoing, now) {
                    self.relays.set_ready(relay);
                }
            }
            self.settle(&mut batch, &mut outgoing, now);
            if !outgoing.is_empty() {
                self.unsent += batch.send(&mut outgoing);
            }
            self.publish();
        }
    }

    /// Whether there may be more.
    fn read_listener(&mut self, batch: &mut Batch, outgoing: &mut Outgoing, now: Instant) -> bool {
        for _ in 0..TURN {
            if batch.receive() == 0 {
                return false;
            }
            for (source, payload) in batch.datagrams() {
                if let Some(forward) = self.core.handle_datagram(0, source, payload, now) {
                    self.unsent += deliver(&forward, &self.relays, &self.outboxes, outgoing);
                }
                while let Some(output) = self.core.poll_output() {
                    self.act(output, outgoing, now);
                }
            }
            let last = batch.was_last();
            self.unsent += batch.send(outgoing);
            if last {
                return false;
            }
        }
        true
    }

    /// Likewise.
    fn read_relay(
        &mut self,
        index: usize,
        buffer: &mut [u8],
        batch: &mut Batch,
        outgoing: &mut Outgoing,
        now: Instant,
    ) -> bool {
        for _ in 0..TURN {
            let Some(Some((relay, socket))) = self.relays.sockets.get(index) else {
                return false;
            };
            let (relay, received) = (*relay, socket.recv_from(buffer));
            match received {
                Ok((length, source)) => {
                    let payload = &buffer[..length];
                    if let Some(forward) = self.core.handle_relayed(relay, source, payload, now) {
                        self.unsent += deliver(&forward, &self.relays, &self.outboxes, outgoing);
                    }
                    if outgoing.is_full() {
                        self.unsent += batch.send(outgoing);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                // A peer that could not be reached told so; the relay itself is well.
                Err(_) => {}
            }
        }
        true
    }

    /// Likewise.
    fn read_inbox(&mut self, batch: &mut Batch, outgoing: &mut Outgoing, now: Instant) -> bool {
        for _ in 0..TURN {
            let Ok(inbound) = self.inbox.try_recv() else {
                return false;
            };
            match inbound {
                Inbound::Opened { client, outbox } => {
                    self.framings.insert(client, Framing::new());
                    self.outboxes.insert(client, outbox);
                }
                Inbound::Read { client, bytes } => self.read_stream(client, &bytes, batch, outgoing, now),
                Inbound::Closed { client } => self.close(client, now),
            }
            self.settle(batch, outgoing, now);
        }
        true
    }

    fn read_stream(&mut self, client: Client, bytes: &[u8], batch: &mut Batch, outgoing: &mut Outgoing, now: Instant) {
        let Some(mut framing) = self.framings.remove(&client) else {
            return;
        };
        framing.push(bytes);
        loop {
            match framing.next_message() {
                Ok(Some(message)) => {
                    if let Some(forward) = self.core.handle_client(client, message, now) {
                        self.unsent += deliver(&forward, &self.relays, &self.outboxes, outgoing);
                    }
                    self.settle(batch, outgoing, now);
                }
                Ok(None) => {
                    self.framings.insert(client, framing);
                    return;
                }
                Err(_) => return self.close(client, now),
            }
        }
    }

    fn close(&mut self, client: Client, now: Instant) {
        self.framings.remove(&client);
        self.outboxes.remove(&client);
        self.core.handle_disconnected(client, now);
    }

    /// Does what the core wants done, and keeps the buffer within its bounds.
    fn settle(&mut self, batch: &mut Batch, outgoing: &mut Outgoing, now: Instant) {
        while let Some(output) = self.core.poll_output() {
            self.act(output, outgoing, now);
        }
        if outgoing.is_full() {
            self.unsent += batch.send(outgoing);
        }
    }

    fn act(&mut self, output: Output, outgoing: &mut Outgoing, now: Instant) {
        match output {
            Output::Transmit {
                to: Client::Datagram { address, .. },
                payload,
            } => outgoing.push(address, &payload),
            Output::Transmit { to, payload } => {
                if let Some(outbox) = self.outboxes.get(&to) {
                    self.unsent += u64::from(outbox.try_send(payload).is_err());
                }
            }
            Output::OpenRelay { relay, bind } => match self.relays.open(&self.poll, relay, bind) {
                Ok(()) => self.core.relay_opened(relay, now),
                Err(error) => {
                    tracing::debug!(%error, "a relay's port cannot be bound");
                    self.core.relay_failed(relay, now);
                }
            },
            Output::CloseRelay { relay } => self.relays.close(&self.poll, relay),
            Output::Event(Event::Allocated { client, address, .. }) => {
                tracing::debug!(?client, %address, "relay made");
            }
            Output::Event(Event::Released {
                cause,
                to_peers,
                to_client,
                ..
            }) => tracing::debug!(?cause, to_peers, to_client, "relay gone"),
            _ => {}
        }
    }

    fn publish(&self) {
        let snapshot = Snapshot {
            stats: self.core.stats(),
            allocations: self.core.allocations(),
            unsent: self.unsent,
        };
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = snapshot;
    }
}

/// Sends a payload on; how many could not be. To a peer at once, to a client with the next batch or the stream's next write.
fn deliver(
    forward: &Forward<'_>,
    relays: &Relays,
    outboxes: &HashMap<Client, mpsc::Sender<Vec<u8>>>,
    outgoing: &mut Outgoing,
) -> u64 {
    let sent = match forward.to {
        Target::Peer { relay, address } => match relays.sockets.get(relay.index()) {
            Some(Some((open, socket))) if *open == relay => socket.send_to(forward.payload, address).is_ok(),
            _ => false,
        },
        Target::Client(Client::Datagram { address, .. }) => {
            outgoing.push_forward(address, forward);
            true
        }
        Target::Client(client) => outboxes.get(&client).is_some_and(|outbox| {
            let mut bytes = Vec::with_capacity(forward.header.len() + forward.payload.len() + forward.padding);
            outgoing::write(forward, &mut bytes);
            // Late media is worthless: a stream that does not keep up loses it.
            outbox.try_send(bytes).is_ok()
        }),
    };
    u64::from(!sent)
}

impl Relays {
    fn open(&mut self, poll: &Poll, relay: RelayId, bind: SocketAddr) -> io::Result<()> {
        let mut socket = UdpSocket::bind(bind)?;
        let index = relay.index();
        poll.registry()
            .register(&mut socket, Token(index + RELAYS), Interest::READABLE)?;
        if self.sockets.len() <= index {
            self.sockets.resize_with(index + 1, || None);
        }
        self.sockets[index] = Some((relay, socket));
        Ok(())
    }

    fn close(&mut self, poll: &Poll, relay: RelayId) {
        if let Some(place) = self.sockets.get_mut(relay.index())
            && place.as_ref().is_some_and(|(open, _)| *open == relay)
            && let Some((_, mut socket)) = place.take()
        {
            // Closing the socket takes it out of the poll as well.
            let _ = poll.registry().deregister(&mut socket);
        }
    }

    fn set_ready(&mut self, index: usize) {
        if !self.ready.contains(&index) {
            self.ready.push(index);
        }
    }
}
