//! Requests: authentication, and what each method does.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::{Answering, Server};
use crate::allocation::{Family, Unbound};
use crate::credential::Unproven;
use crate::message::{Builder, Class, Message, attribute, method};
use crate::output::{Client, Output, Release};

/// RFC 8656 §7.2: the default lifetime, which is also the shortest that is granted.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(600);

/// What a request is refused with.
pub(super) type Refused = (u16, &'static str);

pub(super) const BAD_REQUEST: Refused = (400, "Bad Request");
const FORBIDDEN: Refused = (403, "Forbidden");
pub(super) const MISMATCH: Refused = (437, "Allocation Mismatch");
pub(super) const FAMILY_UNSUPPORTED: Refused = (440, "Address Family not Supported");
const WRONG_CREDENTIALS: Refused = (441, "Wrong Credentials");
pub(super) const TRANSPORT: Refused = (442, "Unsupported Transport Protocol");
const FAMILY_MISMATCH: Refused = (443, "Peer Address Family Mismatch");
pub(super) const QUOTA: Refused = (486, "Allocation Quota Reached");
pub(super) const CAPACITY: Refused = (508, "Insufficient Capacity");

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

    pub(super) fn lifetime(&self, asked: Option<u32>) -> Duration {
        let asked = asked.map_or(DEFAULT_LIFETIME, |seconds| Duration::from_secs(u64::from(seconds)));
        asked.min(self.config.longest_lifetime).max(DEFAULT_LIFETIME)
    }

    pub(super) fn succeed(&mut self, answering: &Answering, builder: Builder) {
        self.stats.succeeded += 1;
        self.finish(answering, builder);
    }

    pub(super) fn refuse(&mut self, answering: &Answering, code: u16, phrase: &str) {
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

pub(super) fn start(answering: &Answering, class: Class) -> Builder {
    Builder::new(answering.method, class, answering.transaction)
}

pub(super) fn seconds(duration: Duration) -> [u8; 4] {
    (duration.as_secs() as u32).to_be_bytes()
}
