//! Runs endpoints over a network on virtual time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::{Clock, HostId, Network, StreamEvent, StreamId, Trace, Transmit};

/// A sans-IO protocol as the driver sees it.
///
/// The messages are for what travels beside the datagrams, reliably and in order: signalling. A protocol without such
/// leaves the two methods alone.
pub trait Endpoint {
    /// A datagram from `source` has arrived at the own address `local`.
    fn handle_datagram(&mut self, local: SocketAddr, source: SocketAddr, payload: &[u8], now: Instant);

    /// The time that [`poll_timeout`](Self::poll_timeout) gave has come.
    fn handle_timeout(&mut self, now: Instant);

    /// The next datagram to be sent; drained to `None` after each call of a `handle_*` method.
    fn poll_transmit(&mut self) -> Option<Transmit>;

    /// When [`handle_timeout`](Self::handle_timeout) is to be called next.
    fn poll_timeout(&mut self) -> Option<Instant>;

    /// A message from another endpoint.
    fn handle_message(&mut self, from: EndpointId, message: &[u8], now: Instant) {
        let _ = (from, message, now);
    }

    /// The next message to be sent, and to whom; drained like the datagrams.
    fn poll_message(&mut self) -> Option<(EndpointId, Vec<u8>)> {
        None
    }

    /// Something happened to a stream that this endpoint opened, or that was opened to its host.
    fn handle_stream(&mut self, id: StreamId, event: StreamEvent, now: Instant) {
        let _ = (id, event, now);
    }

    /// What is to be done with a stream; drained like the datagrams.
    fn poll_stream(&mut self) -> Option<StreamCommand> {
        None
    }
}

/// What an [`Endpoint`] wants done with a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamCommand {
    /// Open one; [`StreamEvent::Opening`] tells at once which it is.
    Open {
        /// Chosen by the endpoint.
        tag: u64,
        /// An address of its host.
        local: IpAddr,
        /// Where to.
        remote: SocketAddr,
    },
    /// Write on one.
    Write {
        /// Which.
        id: StreamId,
        /// What.
        bytes: Vec<u8>,
    },
    /// Close one, after what was written.
    Close {
        /// Which.
        id: StreamId,
    },
}

/// An endpoint of a [`Driver`], numbered from 0 in the order of adding.
pub type EndpointId = usize;

/// The endpoints went on without time going on: a timer that is due for ever, or a storm of datagrams.
#[derive(Clone, Debug)]
pub struct Livelock {
    /// Virtual time since the start.
    pub at: Duration,
    /// Steps taken at that one instant.
    pub steps: u32,
    /// The last things that happened, oldest first.
    pub latest: Vec<String>,
}

impl fmt::Display for Livelock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} steps at {:?} and no end; the last: {}",
            self.steps,
            self.at,
            self.latest.join("; ")
        )
    }
}

impl std::error::Error for Livelock {}

/// Any number of endpoints on one [`Network`] and one [`Clock`].
///
/// Each step takes the earliest event: an arriving datagram, a message, or a timeout. At equal times messages go before
/// datagrams and these before timeouts; among equals the older one goes first, and among endpoints the one that was
/// added first. So the same endpoints, network and seed give the same run.
#[derive(Debug)]
pub struct Driver<E> {
    network: Network,
    clock: Clock,
    parties: Vec<(HostId, E)>,
    messages: BinaryHeap<Reverse<Message>>,
    message_delay: Duration,
    sequence: u64,
    steps: u32,
    limit: u32,
    trace: Trace,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Message {
    at: Instant,
    sequence: u64,
    from: EndpointId,
    to: EndpointId,
    bytes: Vec<u8>,
}

enum Next {
    Message,
    Network,
    Timeout(EndpointId),
}

impl<E: Endpoint> Driver<E> {
    /// A driver whose time is `clock`'s: endpoints must have been made with its `now`.
    #[must_use]
    pub fn new(network: Network, clock: Clock) -> Self {
        Self {
            network,
            clock,
            parties: Vec::new(),
            messages: BinaryHeap::new(),
            message_delay: Duration::ZERO,
            sequence: 0,
            steps: 0,
            limit: 20_000,
            trace: Trace::new(),
        }
    }

    /// Puts an endpoint on a host. Several may share a host if their addresses differ; a datagram goes to the one that
    /// was added first, so give each its own host unless that is wanted.
    pub fn add(&mut self, host: HostId, endpoint: E) -> EndpointId {
        self.parties.push((host, endpoint));
        self.parties.len() - 1
    }

    /// How long messages between endpoints take; default 0.
    pub fn set_message_delay(&mut self, delay: Duration) {
        self.message_delay = delay;
    }

    /// How many steps at one instant are a livelock; default 20,000.
    pub fn set_step_limit(&mut self, limit: u32) {
        self.limit = limit.max(1);
    }

    /// The current virtual time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Virtual time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// An endpoint.
    #[must_use]
    pub fn endpoint(&self, id: EndpointId) -> &E {
        &self.parties[id].1
    }

    /// An endpoint, to give it commands or to take its events. What it wants to send is fetched at the next step.
    pub fn endpoint_mut(&mut self, id: EndpointId) -> &mut E {
        &mut self.parties[id].1
    }

    /// The host that an endpoint is on.
    #[must_use]
    pub fn host(&self, id: EndpointId) -> HostId {
        self.parties[id].0
    }

    /// All endpoints in order.
    pub fn endpoints(&self) -> impl Iterator<Item = &E> {
        self.parties.iter().map(|(_, endpoint)| endpoint)
    }

    /// The network, to change links in the middle of a run.
    pub fn network_mut(&mut self) -> &mut Network {
        &mut self.network
    }

    /// What has happened so far.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The record, to add notes to it.
    pub fn trace_mut(&mut self) -> &mut Trace {
        &mut self.trace
    }

    /// Runs until `done` says so (true) or `duration` of virtual time has passed or nothing is left to happen (false).
    /// The clock stands at the end of `duration` in the second case.
    ///
    /// # Errors
    /// [`Livelock`] if time stops going on.
    pub fn run_until(&mut self, duration: Duration, mut done: impl FnMut(&mut Self) -> bool) -> Result<bool, Livelock> {
        let deadline = self.clock.now() + duration;
        loop {
            self.drain()?;
            if done(self) {
                return Ok(true);
            }
            // `done` may have given commands.
            self.drain()?;
            if !self.step(deadline)? {
                if deadline > self.clock.now() {
                    self.clock.advance_to(deadline);
                    self.steps = 0;
                }
                return Ok(false);
            }
        }
    }

    /// Runs for `duration` of virtual time.
    ///
    /// # Errors
    /// [`Livelock`] if time stops going on.
    pub fn run_for(&mut self, duration: Duration) -> Result<(), Livelock> {
        self.run_until(duration, |_| false).map(drop)
    }

    /// One event, if there is one by `deadline`.
    fn step(&mut self, deadline: Instant) -> Result<bool, Livelock> {
        let Some((at, next)) = self.earliest().filter(|(at, _)| *at <= deadline) else {
            return Ok(false);
        };
        if at > self.clock.now() {
            self.clock.advance_to(at);
            self.steps = 0;
        }
        self.count()?;

        let now = self.clock.now();
        match next {
            Next::Message => {
                if let Some(Reverse(message)) = self.messages.pop() {
                    self.parties[message.to]
                        .1
                        .handle_message(message.from, &message.bytes, now);
                }
            }
            Next::Network => {
                if let Some(delivery) = self.network.poll_delivery(now) {
                    self.trace.delivered(
                        self.clock.elapsed(),
                        delivery.source,
                        delivery.local,
                        delivery.payload.len(),
                    );
                    if let Some((_, endpoint)) = self.parties.iter_mut().find(|(host, _)| *host == delivery.host) {
                        endpoint.handle_datagram(delivery.local, delivery.source, &delivery.payload, now);
                    }
                } else if let Some(delivery) = self.network.poll_stream(now)
                    && let Some((_, endpoint)) = self.parties.iter_mut().find(|(host, _)| *host == delivery.host)
                {
                    endpoint.handle_stream(delivery.id, delivery.event, now);
                }
            }
            Next::Timeout(id) => self.parties[id].1.handle_timeout(now),
        }
        Ok(true)
    }

    fn earliest(&mut self) -> Option<(Instant, Next)> {
        let message = self.messages.peek().map(|Reverse(message)| (message.at, Next::Message));
        let network = self.network.next_event().map(|at| (at, Next::Network));
        let timeouts = self.parties.iter_mut().enumerate();
        let timeouts = timeouts.filter_map(|(id, (_, endpoint))| Some((endpoint.poll_timeout()?, Next::Timeout(id))));
        // `min_by_key` keeps the first of equals: this order is the documented one.
        message
            .into_iter()
            .chain(network)
            .chain(timeouts)
            .min_by_key(|(at, _)| *at)
    }

    /// Fetches what all endpoints want to send.
    fn drain(&mut self) -> Result<(), Livelock> {
        let now = self.clock.now();
        for id in 0..self.parties.len() {
            loop {
                let (host, endpoint) = &mut self.parties[id];
                let Some(transmit) = endpoint.poll_transmit() else {
                    break;
                };
                let elapsed = self.clock.elapsed();
                self.trace
                    .sent(elapsed, transmit.source, transmit.destination, &transmit.payload);
                self.network.send(*host, transmit, now);
                self.count()?;
            }
            while let Some(command) = self.parties[id].1.poll_stream() {
                let host = self.parties[id].0;
                match command {
                    StreamCommand::Open { tag, local, remote } => {
                        let stream = self.network.open_stream(host, local, remote, now);
                        let opening = StreamEvent::Opening { tag };
                        self.parties[id].1.handle_stream(stream, opening, now);
                    }
                    StreamCommand::Write { id: stream, bytes } => self.network.write_stream(host, stream, &bytes, now),
                    StreamCommand::Close { id: stream } => self.network.close_stream(host, stream, now),
                }
                self.count()?;
            }
            while let Some((to, bytes)) = self.parties[id].1.poll_message() {
                assert!(
                    to < self.parties.len(),
                    "endpoint {id} sent a message to {to}, whom nobody added"
                );
                self.sequence += 1;
                let at = now + self.message_delay;
                self.messages.push(Reverse(Message {
                    at,
                    sequence: self.sequence,
                    from: id,
                    to,
                    bytes,
                }));
                self.count()?;
            }
        }
        Ok(())
    }

    fn count(&mut self) -> Result<(), Livelock> {
        self.steps += 1;
        if self.steps <= self.limit {
            return Ok(());
        }
        let mut latest: Vec<String> = self.trace.lines().rev().take(8).collect();
        latest.reverse();
        Err(Livelock {
            at: self.clock.elapsed(),
            steps: self.steps,
            latest,
        })
    }
}
