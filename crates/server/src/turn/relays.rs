//! The sockets of relays.

use std::io;
use std::net::SocketAddr;

use duologue_turn::RelayId;
use mio::net::UdpSocket;
use mio::{Interest, Poll, Token};

use super::batch::Port;

/// Relays' tokens begin here.
const FIRST: usize = 2;

/// Sockets of relays, by the index of the relay.
#[derive(Default)]
pub(super) struct Relays {
    places: Vec<Option<Place>>,
    /// Indices of those that may have something to read, each once.
    ready: Vec<usize>,
}

struct Place {
    relay: RelayId,
    port: Port,
    /// Whether it is among the ready ones.
    is_ready: bool,
}

impl Relays {
    pub(super) fn open(&mut self, poll: &Poll, relay: RelayId, bind: SocketAddr) -> io::Result<()> {
        let mut socket = UdpSocket::bind(bind)?;
        let index = relay.index();
        poll.registry()
            .register(&mut socket, Token(index + FIRST), Interest::READABLE)?;
        if self.places.len() <= index {
            self.places.resize_with(index + 1, || None);
        }
        self.places[index] = Some(Place {
            relay,
            port: Port::new(socket)?,
            is_ready: false,
        });
        Ok(())
    }

    pub(super) fn close(&mut self, poll: &Poll, relay: RelayId) {
        if let Some(place) = self.places.get_mut(relay.index())
            && place.as_ref().is_some_and(|place| place.relay == relay)
            && let Some(mut place) = place.take()
        {
            // Closing the socket takes it out of the poll as well.
            let _ = poll.registry().deregister(&mut place.port.socket);
        }
    }

    /// The socket of this relay, unless it is closed.
    pub(super) fn port(&self, relay: RelayId) -> Option<&Port> {
        let place = self.places.get(relay.index())?.as_ref()?;
        (place.relay == relay).then_some(&place.port)
    }

    /// The relay at this index, and its socket.
    pub(super) fn at(&self, index: usize) -> Option<(RelayId, &Port)> {
        let place = self.places.get(index)?.as_ref()?;
        Some((place.relay, &place.port))
    }

    /// The socket of an event has something to read.
    pub(super) fn on_event(&mut self, token: Token) {
        self.set_ready(token.0 - FIRST);
    }

    pub(super) fn set_ready(&mut self, index: usize) {
        if let Some(Some(place)) = self.places.get_mut(index)
            && !place.is_ready
        {
            place.is_ready = true;
            self.ready.push(index);
        }
    }

    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Moves those that are ready to an empty list; they are no longer, until they are set so again.
    pub(super) fn take_ready(&mut self, list: &mut Vec<usize>) {
        list.clear();
        std::mem::swap(list, &mut self.ready);
        for index in list {
            if let Some(Some(place)) = self.places.get_mut(*index) {
                place.is_ready = false;
            }
        }
    }
}
