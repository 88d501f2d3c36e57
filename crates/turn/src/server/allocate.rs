//! The Allocate request: ports are drawn, sockets asked for, and answered when they are there (RFC 8656 §7).

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::requests::{BAD_REQUEST, CAPACITY, FAMILY_UNSUPPORTED, MISMATCH, QUOTA, Refused, TRANSPORT, seconds, start};
use super::{Answering, Server, Slot};
use crate::allocation::{Allocation, Family, Opening, Relay};
use crate::message::{Class, Message, attribute};
use crate::output::{Event, Output, RelayId, Release};

/// Sockets that are tried before a relay is given up.
const TRIES: u32 = 16;
/// Ports that are drawn until one is free.
const DRAWS: u32 = 64;
/// REQUESTED-TRANSPORT for UDP.
const UDP: u8 = 17;

impl Server {
    /// RFC 8656 §7.2.
    pub(super) fn on_allocate(
        &mut self,
        answering: &Answering,
        message: &Message<'_>,
        user: &[u8],
        now: Instant,
    ) -> Result<(), Refused> {
        if let Some(&slot) = self.by_client.get(&answering.to) {
            return self.on_repeated(answering, slot, user);
        }
        match message.requested_transport {
            None => return Err(BAD_REQUEST),
            Some(UDP) => {}
            Some(_) => return Err(TRANSPORT),
        }
        let asks_family = message.requested_family.is_some() || message.additional_family.is_some();
        if message.reservation_token && (message.even_port.is_some() || asks_family) {
            return Err(BAD_REQUEST);
        }
        if message.even_port == Some(true) && message.additional_family.is_some() {
            return Err(BAD_REQUEST);
        }
        // Reservations are never made, so there is none to redeem and none to give.
        if message.reservation_token || message.even_port == Some(true) {
            return Err(CAPACITY);
        }
        let additional = message.additional_family.map(Family::from_wire);
        if additional.is_some_and(|family| family != Some(Family::V6) || message.requested_family.is_some()) {
            return Err(BAD_REQUEST);
        }
        let families = match (additional, message.requested_family.map(Family::from_wire)) {
            (Some(_), _) => &Family::BOTH[..],
            (None, None | Some(Some(Family::V4))) => &[Family::V4],
            (None, Some(Some(Family::V6))) => &[Family::V6],
            (None, Some(None)) => return Err(FAMILY_UNSUPPORTED),
        };
        let missing = families.iter().copied().find(|family| self.place_of(*family).is_none());
        if families.iter().all(|family| self.place_of(*family).is_none()) {
            return Err(FAMILY_UNSUPPORTED);
        }
        if self.by_client.len() >= self.config.limits.allocations {
            return Err(CAPACITY);
        }
        let user = self.users.enter(user, now).map_err(|_| QUOTA)?;
        let opening = Opening {
            answer: *answering,
            even: message.even_port.is_some(),
        };
        let mut allocation = Allocation::new(answering.to, user, opening);
        allocation.granted = self.lifetime(message.lifetime);
        allocation.missing = missing.map(|family| (family, FAMILY_UNSUPPORTED.0));
        for family in families {
            let place = self.place_of(*family);
            allocation.relays[*family as usize] = place.map(|(bind, advertised)| Relay::new(bind, advertised, now));
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            (self.slots.len() - 1) as u32
        });
        self.slots[slot as usize].allocation = Some(allocation);
        self.by_client.insert(answering.to, slot);
        for family in families {
            if self.place_of(*family).is_some() && !self.open(slot, *family) {
                self.give_up(slot, *family, now);
            }
        }
        match self.slots[slot as usize].allocation {
            Some(_) => Ok(()),
            None => Err(CAPACITY),
        }
    }

    /// Where relays of this family are bound, and what they are known by.
    fn place_of(&self, family: Family) -> Option<(IpAddr, IpAddr)> {
        match family {
            Family::V4 => {
                let place = self.config.relay_v4?;
                Some((place.bind.into(), place.advertised.into()))
            }
            Family::V6 => {
                let place = self.config.relay_v6?;
                Some((place.bind.into(), place.advertised.into()))
            }
        }
    }

    /// No port is to be had in this family. RFC 8656 §7.2: the other one of a dual allocation may do.
    fn give_up(&mut self, slot: u32, family: Family, now: Instant) {
        if let Some(allocation) = &mut self.slots[slot as usize].allocation {
            allocation.missing = Some((family, CAPACITY.0));
        }
        self.release_relay(slot, family, Release::Failed, now);
    }

    /// RFC 8656 §7.2: the answer to a request that was lost is given again; any other request is a mismatch.
    fn on_repeated(&mut self, answering: &Answering, slot: u32, user: &[u8]) -> Result<(), Refused> {
        let allocation = self.slots[slot as usize].allocation.as_ref().ok_or(MISMATCH)?;
        if allocation.transaction != answering.transaction || !self.users.is(allocation.user, user) {
            return Err(MISMATCH);
        }
        // While the sockets are not there, neither is the answer: it comes once.
        if allocation.is_open() {
            self.allocated(answering, slot);
        }
        Ok(())
    }

    /// Draws a port and asks for a socket.
    fn open(&mut self, slot: u32, family: Family) -> bool {
        let place = &mut self.slots[slot as usize];
        let Some(allocation) = &mut place.allocation else {
            return false;
        };
        let even = allocation.opening.as_ref().is_some_and(|opening| opening.even);
        let Some(relay) = allocation.relay_mut(family) else {
            return false;
        };
        let ports = self.config.relay_ports.clone();
        let count = u64::from(ports.end().saturating_sub(*ports.start())) + 1;
        relay.tries += 1;
        if relay.tries > TRIES {
            return false;
        }
        self.by_address.remove(&relay.address);
        for _ in 0..DRAWS {
            let mut port = *ports.start() + (self.random.word() % count) as u16;
            if even {
                port &= !1;
            }
            let address = SocketAddr::new(relay.address.ip(), port);
            if port == 0 || !ports.contains(&port) || self.by_address.contains_key(&address) {
                continue;
            }
            relay.address = address;
            self.by_address.insert(address, slot);
            self.outputs.push_back(Output::OpenRelay {
                relay: RelayId {
                    slot,
                    family,
                    generation: place.generation,
                },
                bind: SocketAddr::new(relay.bind, port),
            });
            return true;
        }
        false
    }

    /// The socket of a relay is bound.
    pub fn relay_opened(&mut self, relay: RelayId, now: Instant) {
        let Some(allocation) = self.allocation(relay) else {
            // The client left meanwhile.
            return self.outputs.push_back(Output::CloseRelay { relay });
        };
        if let Some(opened) = allocation.relay_mut(relay.family) {
            opened.is_open = true;
        }
        self.settle(relay.slot, now);
    }

    /// The socket of a relay cannot be bound, or does not work any more.
    pub fn relay_failed(&mut self, relay: RelayId, now: Instant) {
        let Some(allocation) = self.allocation(relay) else {
            return;
        };
        let answering = allocation.opening.as_ref().map(|opening| opening.answer);
        let Some(answering) = answering else {
            return self.release_relay(relay.slot, relay.family, Release::Failed, now);
        };
        if self.open(relay.slot, relay.family) {
            return;
        }
        self.give_up(relay.slot, relay.family, now);
        if self.slots[relay.slot as usize].allocation.is_some() {
            return self.settle(relay.slot, now);
        }
        self.stats.over_quota += 1;
        self.refuse(&answering, CAPACITY.0, CAPACITY.1);
    }

    /// Answers the Allocate request when every socket that can be there is.
    fn settle(&mut self, slot: u32, now: Instant) {
        let place = &mut self.slots[slot as usize];
        let generation = place.generation;
        let Some(allocation) = &mut place.allocation else {
            return;
        };
        if allocation.relays.iter().flatten().any(|relay| !relay.is_open) {
            return;
        }
        let Some(opening) = allocation.opening.take() else {
            return;
        };
        let (client, expires) = (allocation.client, now + allocation.granted);
        for family in Family::BOTH {
            if let Some(relay) = allocation.relay_mut(family) {
                relay.expires = expires;
                self.expiries.insert((expires, slot, family));
                self.outputs.push_back(Output::Event(Event::Allocated {
                    relay: RelayId {
                        slot,
                        family,
                        generation,
                    },
                    client,
                    address: relay.address,
                }));
            }
        }
        self.stats.allocations += 1;
        self.allocated(&opening.answer, slot);
    }

    /// RFC 8656 §7.2, the success response.
    fn allocated(&mut self, answering: &Answering, slot: u32) {
        let Some(allocation) = &self.slots[slot as usize].allocation else {
            return;
        };
        let mut builder = start(answering, Class::Success);
        for relay in allocation.relays.iter().flatten() {
            builder.push_address(attribute::XOR_RELAYED_ADDRESS, relay.address);
        }
        builder.push(attribute::LIFETIME, &seconds(allocation.granted));
        builder.push_address(attribute::XOR_MAPPED_ADDRESS, answering.to.address());
        if let Some((family, code)) = allocation.missing {
            let value = [family.to_wire(), 0, (code / 100) as u8, (code % 100) as u8];
            builder.push(attribute::ADDRESS_ERROR_CODE, &value);
        }
        self.succeed(answering, builder);
    }
}
