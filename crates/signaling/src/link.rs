//! Reliable order over connections that break: numbers, acknowledgements, replay.
//!
//! Each end has one [`Link`] for a session. A message keeps its number until the other end acknowledges it; when a new
//! connection takes up the session, everything unacknowledged is sent again and what had already arrived is dropped.

use std::collections::VecDeque;

use crate::message::{Envelope, Message, Numbering};
use crate::{VERSION, limits};

/// One end of a session, which sends `M`.
///
/// Queue: at most [`limits::UNACKNOWLEDGED`] messages or [`limits::UNACKNOWLEDGED_BYTES`]; [`send`](Self::send) refuses more.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Link<M> {
    /// Sent or to be sent, and not acknowledged; the numbers are consecutive.
    queue: VecDeque<Entry<M>>,
    bytes: usize,
    /// How many of the queue went out on the present connection.
    transmitted: usize,
    /// Number of the next message to be sent.
    next: u64,
    /// Everything up to this number has arrived.
    received: u64,
    ack_due: bool,
    open: bool,
    stats: Stats,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Entry<M> {
    seq: u64,
    bytes: usize,
    msg: M,
}

/// What a link counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Stats {
    /// Numbered messages that had already arrived.
    pub duplicates: u64,
    /// Numbered messages that came before an earlier one, which an ordered connection does not do; dropped.
    pub gaps: u64,
    /// Acknowledgements of what was never sent; ignored.
    pub bad_acks: u64,
    /// Numbered messages that were sent again.
    pub replayed: u64,
}

/// A link cannot do what it is asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// Too much is unacknowledged. The session is beyond repair and should be closed.
    #[error("{messages} messages of {bytes} bytes wait for an acknowledgement")]
    Full {
        /// Messages that wait.
        messages: usize,
        /// Their bytes.
        bytes: usize,
    },
    /// The other end has another memory of this session; it cannot be taken up.
    #[error("the peer acknowledges {ack}, between {first} and {last} was expected")]
    OutOfStep {
        /// What it acknowledges.
        ack: u64,
        /// The lowest number that makes sense.
        first: u64,
        /// The highest number that makes sense.
        last: u64,
    },
}

impl<M> Default for Link<M> {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            bytes: 0,
            transmitted: 0,
            next: 1,
            received: 0,
            ack_due: false,
            open: false,
            stats: Stats::default(),
        }
    }
}

impl<M: Message> Link<M> {
    /// A new session without a connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// A connection stands and the other end has the same numbering: everything after `peer_ack` is sent again.
    ///
    /// # Errors
    /// When `peer_ack` cannot be: then the session has to start over with [`restart`](Self::restart).
    pub fn resume(&mut self, peer_ack: u64) -> Result<(), LinkError> {
        let first = self.next - 1 - self.queue.len() as u64;
        if peer_ack < first || peer_ack >= self.next {
            return Err(LinkError::OutOfStep {
                ack: peer_ack,
                first,
                last: self.next - 1,
            });
        }
        self.drop_acknowledged(peer_ack);
        self.stats.replayed += self.transmitted as u64;
        self.transmitted = 0;
        self.ack_due = false;
        self.open = true;
        Ok(())
    }

    /// A connection stands and both ends number from 1: a first connection, or the other end lost its memory. What is
    /// unacknowledged gets new numbers and is sent (again).
    pub fn restart(&mut self) {
        self.stats.replayed += self.transmitted as u64;
        self.transmitted = 0;
        self.received = 0;
        self.ack_due = false;
        self.open = true;
        self.next = 1;
        for entry in &mut self.queue {
            entry.seq = self.next;
            self.next += 1;
        }
    }

    /// The connection is gone. Messages are kept for the next one.
    pub fn close(&mut self) {
        self.open = false;
    }

    /// True between [`resume`](Self::resume) or [`restart`](Self::restart) and [`close`](Self::close).
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Takes a numbered message; [`poll_transmit`](Self::poll_transmit) gives it out while a connection stands.
    ///
    /// # Errors
    /// When the queue is full; the message is not taken.
    ///
    /// # Panics
    /// In debug builds, when the message is of a kind that is not numbered.
    pub fn send(&mut self, msg: M) -> Result<(), LinkError> {
        debug_assert!(
            msg.numbering() == Numbering::Numbered,
            "only numbered messages can be sent again"
        );
        let bytes = serde_json::to_vec(&msg).map_or(0, |json| json.len());
        if self.queue.len() >= limits::UNACKNOWLEDGED || self.bytes + bytes > limits::UNACKNOWLEDGED_BYTES {
            return Err(LinkError::Full {
                messages: self.queue.len(),
                bytes: self.bytes,
            });
        }
        self.queue.push_back(Entry {
            seq: self.next,
            bytes,
            msg,
        });
        self.bytes += bytes;
        self.next += 1;
        Ok(())
    }

    /// Takes an envelope of the other end; gives its message back unless it has already been given.
    pub fn handle<P: Message>(&mut self, envelope: Envelope<P>) -> Option<P> {
        if envelope.ack >= self.next {
            self.stats.bad_acks += 1;
        } else {
            self.drop_acknowledged(envelope.ack);
        }
        if envelope.seq == 0 {
            return Some(envelope.msg);
        }
        self.ack_due = true;
        if envelope.seq <= self.received {
            self.stats.duplicates += 1;
            return None;
        }
        if envelope.seq > self.received + 1 {
            self.stats.gaps += 1;
            return None;
        }
        self.received = envelope.seq;
        Some(envelope.msg)
    }

    /// The next envelope for the connection; after the last message an acknowledgement, when one is due.
    pub fn poll_transmit(&mut self) -> Option<Envelope<M>> {
        if !self.open {
            return None;
        }
        if let Some(entry) = self.queue.get(self.transmitted) {
            self.transmitted += 1;
            self.ack_due = false;
            return Some(Envelope {
                v: VERSION,
                seq: entry.seq,
                ack: self.received,
                msg: entry.msg.clone(),
            });
        }
        if self.ack_due {
            self.ack_due = false;
            return Some(Envelope::unnumbered(M::ack(), self.received));
        }
        None
    }

    /// Puts the acknowledgement on a message that is not numbered.
    pub fn wrap(&self, msg: M) -> Envelope<M> {
        Envelope::unnumbered(msg, self.received)
    }

    /// The number up to which everything of the other end has arrived.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// True when the other end has everything.
    pub fn is_drained(&self) -> bool {
        self.queue.is_empty()
    }

    /// What was counted.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    fn drop_acknowledged(&mut self, ack: u64) {
        while self.queue.front().is_some_and(|entry| entry.seq <= ack) {
            if let Some(entry) = self.queue.pop_front() {
                self.bytes -= entry.bytes;
                self.transmitted = self.transmitted.saturating_sub(1);
            }
        }
    }
}

#[cfg(test)]
mod tests;
