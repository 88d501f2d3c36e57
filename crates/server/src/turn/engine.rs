//! The thread: it owns the core and every UDP socket, and waits for them, for connections and for deadlines.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use duologue_turn::{Client, Config, Event, Forward, Framing, Output, Server, Target};
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};
use tokio::sync::mpsc;

use super::Snapshot;
use super::batch::{self, Batch, Port};
use super::outgoing::{self, Outgoing};
use super::relays::Relays;
use crate::clock::unix;

/// Wakes the thread for connections, and to stop it.
pub(super) const WAKER: Token = Token(0);
const LISTENER: Token = Token(1);
/// What one source of input may have before the others get their turn: batches, reads.
const TURN: usize = 16;
/// Datagrams of one call at a relay: a peer sends one each 20 ms, and less than a full batch says that this was all.
const RELAYED: usize = 4;
/// How often the core is told the time of day, in case the clock was set.
const TIME_OF_DAY: Duration = Duration::from_secs(10);

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
    /// The STUN port.
    listener: Port,
    relays: Relays,
    inbox: mpsc::Receiver<Inbound>,
    framings: HashMap<Client, Framing>,
    outboxes: HashMap<Client, mpsc::Sender<Vec<u8>>>,
    outgoing: Outgoing,
    snapshot: Arc<Mutex<Snapshot>>,
    stop: Arc<AtomicBool>,
    unsent: u64,
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
        let listener = Port::new(listener)?;
        listener.enlarge();
        Ok(Self {
            core: Server::new(config, seed, Instant::now()),
            poll,
            listener,
            relays: Relays::default(),
            inbox,
            framings: HashMap::new(),
            outboxes: HashMap::new(),
            outgoing: Outgoing::default(),
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
        let mut batch = Batch::new();
        let mut events = Events::with_capacity(1_024);
        let mut relays = Vec::new();
        let (mut listener_ready, mut inbox_ready) = (false, false);
        let mut told = Instant::now();
        loop {
            let now = Instant::now();
            let busy = listener_ready || inbox_ready || self.relays.has_ready();
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
                    relay => self.relays.on_event(relay),
                }
            }
            let now = Instant::now();
            if now.saturating_duration_since(told) >= TIME_OF_DAY {
                self.core.set_time_of_day(unix(), now);
                told = now;
            }
            self.core.handle_timeout(now);
            if inbox_ready {
                inbox_ready = self.read_inbox(&mut batch, now);
            }
            if listener_ready {
                listener_ready = self.read_listener(&mut batch, now);
            }
            self.relays.take_ready(&mut relays);
            for relay in &relays {
                if self.read_relay(*relay, &mut batch, now) {
                    self.relays.set_ready(*relay);
                }
            }
            self.settle(now);
            self.flush(&mut batch);
            self.publish();
        }
    }

    /// Whether there may be more.
    fn read_listener(&mut self, batch: &mut Batch, now: Instant) -> bool {
        for _ in 0..TURN {
            let count = batch.receive(&self.listener, batch::MOST);
            for (source, payload) in batch.datagrams() {
                if let Some(forward) = self.core.handle_datagram(0, source, payload, now) {
                    self.unsent += deliver(&forward, &self.relays, &self.outboxes, &mut self.outgoing);
                }
                self.settle(now);
            }
            self.flush_full(batch);
            if count < batch::MOST {
                return false;
            }
        }
        true
    }

    /// Likewise.
    fn read_relay(&mut self, index: usize, batch: &mut Batch, now: Instant) -> bool {
        for _ in 0..TURN {
            let Some((relay, port)) = self.relays.at(index) else {
                return false;
            };
            // A peer that could not be reached may have told so; the relay itself is well.
            let count = batch.receive(port, RELAYED);
            for (source, payload) in batch.datagrams() {
                if let Some(forward) = self.core.handle_relayed(relay, source, payload, now) {
                    self.unsent += deliver(&forward, &self.relays, &self.outboxes, &mut self.outgoing);
                }
            }
            self.flush_full(batch);
            if count < RELAYED {
                return false;
            }
        }
        true
    }

    /// Likewise.
    fn read_inbox(&mut self, batch: &mut Batch, now: Instant) -> bool {
        for _ in 0..TURN {
            let Ok(inbound) = self.inbox.try_recv() else {
                return false;
            };
            match inbound {
                Inbound::Opened { client, outbox } => {
                    self.framings.insert(client, Framing::new());
                    self.outboxes.insert(client, outbox);
                }
                Inbound::Read { client, bytes } => self.read_stream(client, &bytes, batch, now),
                Inbound::Closed { client } => self.close(client, now),
            }
            self.settle(now);
        }
        true
    }

    fn read_stream(&mut self, client: Client, bytes: &[u8], batch: &mut Batch, now: Instant) {
        let Some(mut framing) = self.framings.remove(&client) else {
            return;
        };
        framing.push(bytes);
        loop {
            match framing.next_message() {
                Ok(Some(message)) => {
                    if let Some(forward) = self.core.handle_client(client, message, now) {
                        self.unsent += deliver(&forward, &self.relays, &self.outboxes, &mut self.outgoing);
                    }
                    self.settle(now);
                    self.flush_full(batch);
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

    /// Does what the core wants done.
    fn settle(&mut self, now: Instant) {
        while let Some(output) = self.core.poll_output() {
            self.act(output, now);
        }
    }

    /// Sends what waits for UDP clients.
    fn flush(&mut self, batch: &mut Batch) {
        if !self.outgoing.is_empty() {
            self.unsent += batch.send(&self.listener, &mut self.outgoing);
        }
    }

    /// Likewise, once it is worth a system call.
    fn flush_full(&mut self, batch: &mut Batch) {
        if self.outgoing.is_full() {
            self.flush(batch);
        }
    }

    fn act(&mut self, output: Output, now: Instant) {
        match output {
            Output::Transmit {
                to: Client::Datagram { address, .. },
                payload,
            } => self.outgoing.push(address, &payload),
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
        Target::Peer { relay, address } => relays
            .port(relay)
            .is_some_and(|port| port.send(forward.payload, address)),
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
