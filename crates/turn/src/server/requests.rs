//! Requests: authentication, and what each method does.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::{Answering, Server, Slot};
use crate::allocation::{Allocation, Family, Opening, Relay, Unbound};
use crate::credential::Unproven;
use crate::message::{Builder, Class, Message, attribute, method};
use crate::output::{Client, Event, Output, RelayId, Release};

/// RFC 8656 §7.2: the default lifetime, which is also the shortest that is granted.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(600);
/// Sockets that are tried before a relay is given up.
const TRIES: u32 = 16;
/// Ports that are drawn until one is free.
const DRAWS: u32 = 64;
/// REQUESTED-TRANSPORT for UDP.
const UDP: u8 = 17;

/// What a request is refused with.
type Refused = (u16, &'static str);

const BAD_REQUEST: Refused = (400, "Bad Request");
const FORBIDDEN: Refused = (403, "Forbidden");
const MISMATCH: Refused = (437, "Allocation Mismatch");
const FAMILY_UNSUPPORTED: Refused = (440, "Address Family not Supported");
const WRONG_CREDENTIALS: Refused = (441, "Wrong Credentials");
const TRANSPORT: Refused = (442, "Unsupported Transport Protocol");
const FAMILY_MISMATCH: Refused = (443, "Peer Address Family Mismatch");
const QUOTA: Refused = (486, "Allocation Quota Reached");
const CAPACITY: Refused = (508, "Insufficient Capacity");

impl Server {
    /// RFC 8489 §9.2.4, then the method.
    pub(super) fn on_request(&mut self, client: Client, message: &Message<'_>, now: Instant) {
        let mut answering = Answering {
            to: client,
            method: message.method,
            transaction: message.transaction,
            fingerprint: message.fingerprint,
            signer: None,
        };
        if message.sha1.is_none() && message.sha256.is_none() {
            self.stats.unauthenticated += 1;
            return self.challenge(&answering, 401, now);
        }
        let (Some(nonce), Some(realm), Some(_)) = (message.nonce, message.realm, message.username) else {
            return self.challenge(&answering, 400, now);
        };
        // §9.2.4: PASSWORD-ALGORITHM has no meaning without PASSWORD-ALGORITHMS, which this server never sends.
        if message.password_algorithm {
            return self.challenge(&answering, 400, now);
        }
        if !self.nonces.is_good(nonce, client.address(), now) {
            self.stats.stale_nonces += 1;
            return self.challenge(&answering, 438, now);
        }
        let proven = if realm == self.secrets.realm().as_bytes() {
            self.secrets.check(message, self.unix_seconds(now))
        } else {
            Err(Unproven::Username)
        };
        let proven = match proven {
            Ok(proven) => proven,
            Err(reason) => {
                self.stats.unauthenticated += 1;
                self.stats.expired_credentials += u64::from(reason == Unproven::Expired);
                self.stats.bad_integrity += u64::from(reason == Unproven::Integrity);
                return self.challenge(&answering, 401, now);
            }
        };
        answering.signer = Some(proven.signer);
        // RFC 8656 §7.2: what cannot be done with DONT-FRAGMENT is not known.
        let mut unknown = message.unknown.clone();
        if message.dont_fragment && !self.config.dont_fragment {
            unknown.push(attribute::DONT_FRAGMENT);
        }
        if !unknown.is_empty() {
            return self.refuse_unknown(&answering, &unknown);
        }
        let done = if message.bad_value {
            Err(BAD_REQUEST)
        } else if message.method == method::ALLOCATE {
            self.on_allocate(&answering, message, proven.user, now)
        } else {
            self.on_other(&answering, message, proven.user, now)
        };
        if let Err((code, phrase)) = done {
            match (code, phrase) {
                FORBIDDEN => self.stats.forbidden_peers += 1,
                QUOTA | CAPACITY => self.stats.over_quota += 1,
                _ => {}
            }
            self.refuse(&answering, code, phrase);
        }
    }

    /// RFC 8656 §7.2.
    fn on_allocate(
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

    /// What needs an allocation of the same user (RFC 8656 §5).
    fn on_other(
        &mut self,
        answering: &Answering,
        message: &Message<'_>,
        user: &[u8],
        now: Instant,
    ) -> Result<(), Refused> {
        let slot = *self.by_client.get(&answering.to).ok_or(MISMATCH)?;
        let allocation = self.slots[slot as usize].allocation.as_ref().ok_or(MISMATCH)?;
        if !allocation.is_open() {
            return Err(MISMATCH);
        }
        // The user counts, not the username: a fresh credential of the same user keeps a long call going.
        if !self.users.is(allocation.user, user) {
            return Err(WRONG_CREDENTIALS);
        }
        match message.method {
            method::REFRESH => self.on_refresh(answering, message, slot, now),
            method::CREATE_PERMISSION => self.on_create_permission(answering, message, slot, now),
            _ => self.on_channel_bind(answering, message, slot, now),
        }
    }

    /// RFC 8656 §8.2.
    fn on_refresh(
        &mut self,
        answering: &Answering,
        message: &Message<'_>,
        slot: u32,
        now: Instant,
    ) -> Result<(), Refused> {
        let granted = match message.lifetime {
            Some(0) => Duration::ZERO,
            asked => self.lifetime(asked),
        };
        let asked = match message.requested_family {
            None => None,
            Some(family) => Some(Family::from_wire(family).ok_or(FAMILY_MISMATCH)?),
        };
        let allocation = self.slots[slot as usize].allocation.as_mut().ok_or(MISMATCH)?;
        // A dual allocation is refreshed or given back whole, or one family of it.
        if asked.is_some_and(|family| allocation.relay(family).is_none()) {
            return Err(FAMILY_MISMATCH);
        }
        for family in Family::BOTH {
            if asked.is_some_and(|asked| asked != family) {
                continue;
            }
            if granted.is_zero() {
                self.release_relay(slot, family, Release::Refreshed, now);
            } else if let Some(relay) = self.slots[slot as usize]
                .allocation
                .as_mut()
                .and_then(|allocation| allocation.relay_mut(family))
            {
                self.expiries.remove(&(relay.expires, slot, family));
                relay.expires = now + granted;
                self.expiries.insert((relay.expires, slot, family));
            }
        }
        let mut builder = start(answering, Class::Success);
        builder.push(attribute::LIFETIME, &seconds(granted));
        self.succeed(answering, builder);
        Ok(())
    }

    /// RFC 8656 §10.2: all peers, or none.
    fn on_create_permission(
        &mut self,
        answering: &Answering,
        message: &Message<'_>,
        slot: u32,
        now: Instant,
    ) -> Result<(), Refused> {
        if message.peer.is_none() {
            return Err(BAD_REQUEST);
        }
        for peer in message.peers() {
            // Here a port has no meaning, and clients may leave it zero.
            self.check_peer(SocketAddr::new(peer.ip(), peer.port().max(1)), slot)?;
        }
        let most = self.config.limits.permissions;
        let allocation = self.slots[slot as usize].allocation.as_mut().ok_or(MISMATCH)?;
        let peers: Vec<IpAddr> = message.peers().map(|peer| peer.ip()).take(most + 1).collect();
        if !allocation.permit(peers.iter().copied(), most, now) {
            return Err(CAPACITY);
        }
        self.succeed(answering, start(answering, Class::Success));
        Ok(())
    }

    /// RFC 8656 §12.2.
    fn on_channel_bind(
        &mut self,
        answering: &Answering,
        message: &Message<'_>,
        slot: u32,
        now: Instant,
    ) -> Result<(), Refused> {
        let (Some(number), Some(peer)) = (message.channel, message.peer) else {
            return Err(BAD_REQUEST);
        };
        if !(0x4000..=0x7fff).contains(&number) {
            return Err(BAD_REQUEST);
        }
        self.check_peer(peer, slot)?;
        let limits = &self.config.limits;
        let allocation = self.slots[slot as usize].allocation.as_mut().ok_or(MISMATCH)?;
        allocation
            .check_channel(number, peer, limits.channels, now)
            .map_err(|reason| match reason {
                Unbound::Conflict => BAD_REQUEST,
                Unbound::Full => CAPACITY,
            })?;
        // §12.2: binding installs or refreshes the permission too.
        if !allocation.permit(std::iter::once(peer.ip()), limits.permissions, now) {
            return Err(CAPACITY);
        }
        allocation.bind(number, peer, now);
        self.succeed(answering, start(answering, Class::Success));
        Ok(())
    }

    fn check_peer(&self, peer: SocketAddr, slot: u32) -> Result<(), Refused> {
        let allocation = self.slots[slot as usize].allocation.as_ref().ok_or(MISMATCH)?;
        if allocation.relay(Family::of(peer.ip())).is_none() {
            return Err(FAMILY_MISMATCH);
        }
        if !self.is_allowed(peer) {
            return Err(FORBIDDEN);
        }
        Ok(())
    }

    fn lifetime(&self, asked: Option<u32>) -> Duration {
        let asked = asked.map_or(DEFAULT_LIFETIME, |seconds| Duration::from_secs(u64::from(seconds)));
        asked.min(self.config.longest_lifetime).max(DEFAULT_LIFETIME)
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

    fn succeed(&mut self, answering: &Answering, builder: Builder) {
        self.stats.succeeded += 1;
        self.finish(answering, builder);
    }

    fn refuse(&mut self, answering: &Answering, code: u16, phrase: &str) {
        self.stats.refused += 1;
        let mut builder = start(answering, Class::Error);
        builder.push_error(code, phrase);
        self.finish(answering, builder);
    }

    fn refuse_unknown(&mut self, answering: &Answering, unknown: &[u16]) {
        self.stats.refused += 1;
        let mut builder = start(answering, Class::Error);
        builder.push_error(420, "Unknown Attribute");
        let named: Vec<u8> = unknown.iter().flat_map(|attribute| attribute.to_be_bytes()).collect();
        builder.push(attribute::UNKNOWN_ATTRIBUTES, &named);
        self.finish(answering, builder);
    }

    /// Answers whoever has not shown who it is, in as few bytes as the protocol allows: the source may be forged.
    fn challenge(&mut self, answering: &Answering, code: u16, now: Instant) {
        let address = answering.to.address();
        if !self.brake.take(address.ip(), now) {
            self.stats.braked += 1;
            return;
        }
        let mut builder = start(answering, Class::Error);
        builder.push_error(code, "");
        if code != 400 {
            builder.push(attribute::REALM, self.secrets.realm().as_bytes());
            builder.push(attribute::NONCE, self.nonces.make(address, now).as_bytes());
        }
        self.finish(answering, builder);
    }

    fn finish(&mut self, answering: &Answering, mut builder: Builder) {
        if let Some(signer) = answering.signer {
            let (attribute, size) = signer.attribute();
            builder.push_integrity(attribute, size, |bytes| signer.sign(bytes));
        }
        if answering.fingerprint {
            builder.push_fingerprint();
        }
        self.outputs.push_back(Output::Transmit {
            to: answering.to,
            payload: builder.finish(),
        });
    }
}

fn start(answering: &Answering, class: Class) -> Builder {
    Builder::new(answering.method, class, answering.transaction)
}

fn seconds(duration: Duration) -> [u8; 4] {
    (duration.as_secs() as u32).to_be_bytes()
}
