//! The Binding method of a STUN server (RFC 8489 §6.3, §12.1 without authentication).

use std::net::SocketAddr;

use crate::wire::{self, Parsed};

/// The responder. It keeps counters and nothing else, so one value serves any number of clients.
#[derive(Debug, Default)]
pub struct Binding {
    stats: Stats,
}

/// What to send back to the source of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// One UDP payload, at most 600 bytes.
    pub payload: Vec<u8>,
    /// What it says.
    pub kind: Answered,
}

/// What an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answered {
    /// Success: the address that the request came from.
    Mapped,
    /// Error 420: the request carries comprehension-required attributes that this server does not know.
    UnknownAttributes,
}

/// What came in, in datagrams.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Answered with success.
    pub answered: u64,
    /// Answered with error 420.
    pub unknown_attributes: u64,
    /// Dropped: not STUN, cut short, or with lengths that do not add up.
    pub malformed: u64,
    /// Dropped: a FINGERPRINT that does not match.
    pub bad_fingerprint: u64,
    /// Dropped: well-formed STUN that is not a Binding request.
    pub not_a_request: u64,
}

impl Binding {
    /// A responder with its counters at zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one datagram and says what to send back to `source`; `None` means nothing, and why is counted.
    pub fn handle_datagram(&mut self, source: SocketAddr, payload: &[u8]) -> Option<Answer> {
        let request = match wire::parse(payload) {
            Ok(request) => request,
            Err(wire::Malformed::Fingerprint) => {
                self.stats.bad_fingerprint += 1;
                return None;
            }
            Err(wire::Malformed::Layout) => {
                self.stats.malformed += 1;
                return None;
            }
        };
        // RFC 8489 §6.3.2: an indication is never answered; a response here answers nothing that was asked.
        if request.kind != wire::BINDING_REQUEST {
            self.stats.not_a_request += 1;
            return None;
        }
        Some(self.answer(source, &request))
    }

    /// The counters since the responder was made.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    fn answer(&mut self, source: SocketAddr, request: &Parsed) -> Answer {
        // RFC 8489 §6.3.1: unknown comprehension-required attributes make the answer a 420 that names them.
        if !request.unknown.is_empty() {
            self.stats.unknown_attributes += 1;
            let payload = wire::unknown_attributes(request);
            return Answer {
                payload,
                kind: Answered::UnknownAttributes,
            };
        }
        self.stats.answered += 1;
        Answer {
            payload: wire::success(request, source),
            kind: Answered::Mapped,
        }
    }
}

#[cfg(test)]
mod tests;
