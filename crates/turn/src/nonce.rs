//! Nonces without a table, and a brake on answers to the unauthenticated.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;

/// Length of a nonce in characters. Short, because everything in a 401 is a gift to whoever forges source addresses.
pub(crate) const LENGTH: usize = 12;
/// Of the 9 bytes that 12 characters hold, 3 are the time.
const TIME: usize = 3;

/// Makes and knows nonces: 24 bits of seconds and 48 bits of HMAC-SHA256 over them and the client's address. A nonce is no
/// password (RFC 8489 §9.2); guessing one gains a chance to replay what its author could have sent anyway.
#[derive(Debug)]
pub(crate) struct Nonces {
    key: hmac::Key,
    start: Instant,
    lifetime: Duration,
}

impl Nonces {
    pub(crate) fn new(key: &[u8], lifetime: Duration, now: Instant) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
            start: now,
            lifetime,
        }
    }

    pub(crate) fn make(&self, client: SocketAddr, now: Instant) -> String {
        self.at(self.seconds(now), client)
    }

    /// Whether it was made for this client, not too long ago.
    pub(crate) fn is_good(&self, nonce: &[u8], client: SocketAddr, now: Instant) -> bool {
        let mut bytes = [0; 9];
        if nonce.len() != LENGTH || BASE64.decode_slice(nonce, &mut bytes) != Ok(bytes.len()) {
            return false;
        }
        let made = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]);
        let age = self.seconds(now).wrapping_sub(made) & 0x00ff_ffff;
        let own = self.at(made, client);
        constant_time::verify_slices_are_equal(own.as_bytes(), nonce).is_ok()
            && u64::from(age) < self.lifetime.as_secs()
    }

    fn seconds(&self, now: Instant) -> u32 {
        now.saturating_duration_since(self.start).as_secs() as u32 & 0x00ff_ffff
    }

    fn at(&self, seconds: u32, client: SocketAddr) -> String {
        let time = &seconds.to_be_bytes()[1..];
        let mut context = hmac::Context::with_key(&self.key);
        context.update(time);
        match client.ip() {
            IpAddr::V4(ip) => context.update(&ip.octets()),
            IpAddr::V6(ip) => context.update(&ip.octets()),
        }
        context.update(&client.port().to_be_bytes());
        let mut bytes = [0; 9];
        bytes[..TIME].copy_from_slice(time);
        bytes[TIME..].copy_from_slice(&context.sign().as_ref()[..9 - TIME]);
        BASE64.encode(bytes)
    }
}

/// Places that networks are thrown into.
const PLACES: usize = 4_096;

/// How many answers a network gets in a second without having authenticated. Networks share places by a keyed hash, so that
/// memory is fixed and nobody can choose whose place is taken.
#[derive(Debug)]
pub(crate) struct Brake {
    per_second: u32,
    key: u64,
    start: Instant,
    /// The second, and how many in it.
    places: Vec<(u32, u32)>,
}

impl Brake {
    pub(crate) fn new(per_second: u32, key: u64, now: Instant) -> Self {
        Self {
            per_second,
            key,
            start: now,
            places: vec![(0, 0); PLACES],
        }
    }

    /// Whether one more answer may go to this address.
    pub(crate) fn take(&mut self, address: IpAddr, now: Instant) -> bool {
        let network = match address {
            IpAddr::V4(ip) => u128::from(ip.to_bits() >> 8),
            IpAddr::V6(ip) => ip.to_bits() >> 72,
        };
        let mut hasher = DefaultHasher::new();
        (self.key, network).hash(&mut hasher);
        let second = now.saturating_duration_since(self.start).as_secs() as u32;
        let place = &mut self.places[hasher.finish() as usize % PLACES];
        if place.0 != second {
            *place = (second, 0);
        }
        let free = place.1 < self.per_second;
        place.1 += u32::from(free);
        free
    }
}

#[cfg(test)]
mod tests;
