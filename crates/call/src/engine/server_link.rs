//! The session with the server across connections: greeting, numbering, heartbeat.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use duologue_signaling::link::{Link, LinkError};
use duologue_signaling::message::{Hello, Welcome};
use duologue_signaling::{ClientMessage, DisconnectReason, Envelope, ServerMessage, decode, encode};

/// The heartbeat before the server has named one.
const DEFAULT_HEARTBEAT: Duration = Duration::from_secs(10);
/// A server cannot make us ping more often than this.
const SHORTEST_HEARTBEAT: Duration = Duration::from_secs(1);
/// A greeting that is not answered in this time: the connection is given up.
const GREETING_TIMEOUT: Duration = Duration::from_secs(10);

/// The client's end of the session.
#[derive(Debug)]
pub(super) struct ServerLink {
    link: Link<ClientMessage>,
    hello: Hello,
    connection: Connection,
    heartbeat: Duration,
    outgoing: VecDeque<Outgoing>,
    garbage: u64,
}

/// What is to be done with the connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outgoing {
    /// Send this.
    Text(String),
    /// Close it and make another: nobody answers on it.
    Reset,
}

/// What a message of the server amounts to.
#[derive(Debug)]
pub(super) enum Incoming {
    /// The server let us in, for the first time or again.
    Welcome(Box<Welcome>),
    /// Something about the call.
    Message(ServerMessage),
    /// The server refuses, and will close the connection.
    Refused(DisconnectReason),
}

#[derive(Debug)]
enum Connection {
    Down,
    /// Greeted; to be given up at `until`.
    Greeting {
        until: Instant,
    },
    /// Let in.
    Up {
        ping_at: Instant,
        heard: Instant,
    },
}

impl ServerLink {
    pub(super) fn new(hello: Hello) -> Self {
        Self {
            link: Link::new(),
            hello,
            connection: Connection::Down,
            heartbeat: DEFAULT_HEARTBEAT,
            outgoing: VecDeque::new(),
            garbage: 0,
        }
    }

    /// A connection is open: greet.
    pub(super) fn open(&mut self, now: Instant) {
        self.close();
        let hello = Envelope::unnumbered(ClientMessage::Hello(Box::new(self.hello.clone())), self.link.received());
        self.outgoing.push_back(Outgoing::Text(encode(&hello)));
        self.connection = Connection::Greeting {
            until: now + GREETING_TIMEOUT,
        };
    }

    /// No connection is open.
    pub(super) fn close(&mut self) {
        self.link.close();
        self.outgoing.clear();
        self.connection = Connection::Down;
    }

    /// Whether what is said arrives now.
    pub(super) fn is_open(&self) -> bool {
        self.link.is_open()
    }

    /// Everything that was said has arrived.
    pub(super) fn is_drained(&self) -> bool {
        self.link.is_drained()
    }

    /// Says something, now or on the next connection.
    pub(super) fn send(&mut self, message: ClientMessage) -> Result<(), LinkError> {
        self.link.send(message)
    }

    /// Reads a message; `None` when there is nothing in it for the call.
    pub(super) fn handle(&mut self, text: &str, now: Instant) -> Option<Incoming> {
        let envelope: Envelope<ServerMessage> = match decode(text) {
            Ok(envelope) => envelope,
            Err(error) => {
                self.garbage += 1;
                tracing::debug!(%error, garbage = self.garbage, "a message of the server cannot be read");
                return None;
            }
        };
        if let Connection::Up { heard, .. } = &mut self.connection {
            *heard = now;
        }
        match envelope.msg {
            ServerMessage::Welcome(welcome) => {
                let Connection::Greeting { .. } = self.connection else {
                    return None;
                };
                self.on_welcome(&welcome, envelope.ack, now)
                    .then_some(Incoming::Welcome(welcome))
            }
            ServerMessage::Error { reason, message } => {
                tracing::debug!(reason = reason.str_code(), message, "the server refuses");
                Some(Incoming::Refused(reason))
            }
            // Before the welcome nothing has a meaning.
            _ if !self.link.is_open() => None,
            _ => match self.link.handle(envelope)? {
                ServerMessage::Ack | ServerMessage::Pong | ServerMessage::Unknown => None,
                message => Some(Incoming::Message(message)),
            },
        }
    }

    /// False when the server remembers another session than we do: then a new one is begun on the next connection.
    fn on_welcome(&mut self, welcome: &Welcome, ack: u64, now: Instant) -> bool {
        if !welcome.resumed {
            self.link.restart();
        } else if let Err(error) = self.link.resume(ack) {
            tracing::debug!(%error, "the session cannot be taken up");
            self.hello.resume = None;
            self.close();
            self.outgoing.push_back(Outgoing::Reset);
            return false;
        }
        self.heartbeat = Duration::from_millis(welcome.heartbeat_ms.into()).max(SHORTEST_HEARTBEAT);
        // From now on the resume token is the credential: the other ones may have expired by the next connection.
        self.hello.resume = Some(welcome.resume.clone());
        self.connection = Connection::Up {
            ping_at: now + self.heartbeat,
            heard: now,
        };
        true
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match &self.connection {
            Connection::Down => None,
            Connection::Greeting { until } => Some(*until),
            Connection::Up { ping_at, heard } => Some((*ping_at).min(*heard + 3 * self.heartbeat)),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        let dead = match &mut self.connection {
            Connection::Down => false,
            Connection::Greeting { until } => now >= *until,
            Connection::Up { ping_at, heard } => {
                if now >= *ping_at {
                    *ping_at = now + self.heartbeat;
                    let ping = self.link.wrap(ClientMessage::Ping);
                    self.outgoing.push_back(Outgoing::Text(encode(&ping)));
                }
                now >= *heard + 3 * self.heartbeat
            }
        };
        if dead {
            self.close();
            self.outgoing.push_back(Outgoing::Reset);
        }
    }

    pub(super) fn poll_outgoing(&mut self) -> Option<Outgoing> {
        if let Some(outgoing) = self.outgoing.pop_front() {
            return Some(outgoing);
        }
        self.link
            .poll_transmit()
            .map(|envelope| Outgoing::Text(encode(&envelope)))
    }
}
