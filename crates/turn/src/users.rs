//! Who uses how much.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::config::Limits;

/// The users that have allocations, or had some a moment ago.
#[derive(Debug)]
pub(crate) struct Users {
    by_name: HashMap<Box<[u8]>, usize>,
    slots: Vec<Option<User>>,
    free: Vec<usize>,
    per_second: u32,
    burst: u32,
    allocations: usize,
    most: usize,
    /// Users with at least one allocation.
    active: usize,
}

#[derive(Debug)]
struct User {
    name: Box<[u8]>,
    allocations: usize,
    bucket: Bucket,
    /// When the last allocation went.
    idle: Instant,
}

/// Bytes that may be relayed now.
#[derive(Debug)]
struct Bucket {
    bytes: u32,
    filled: Instant,
}

/// The user has all the allocations that one user may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OverQuota;

impl Users {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            by_name: HashMap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            per_second: limits.user_bytes_per_second,
            burst: limits.user_burst,
            allocations: limits.user_allocations,
            most: limits.allocations.saturating_mul(2),
            active: 0,
        }
    }

    /// Counts one more allocation; the number stands for the user until it is given back.
    pub(crate) fn enter(&mut self, name: &[u8], now: Instant) -> Result<usize, OverQuota> {
        if let Some(&slot) = self.by_name.get(name) {
            let user = self.slots[slot].as_mut().ok_or(OverQuota)?;
            if user.allocations >= self.allocations {
                return Err(OverQuota);
            }
            self.active += usize::from(user.allocations == 0);
            user.allocations += 1;
            return Ok(slot);
        }
        if self.by_name.len() >= self.most {
            self.forget(now);
        }
        if self.by_name.len() >= self.most || self.allocations == 0 {
            return Err(OverQuota);
        }
        let user = User {
            name: name.into(),
            allocations: 1,
            bucket: Bucket {
                bytes: self.burst,
                filled: now,
            },
            idle: now,
        };
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.by_name.insert(name.into(), slot);
        self.slots[slot] = Some(user);
        self.active += 1;
        Ok(slot)
    }

    /// One allocation less. The user is remembered until the bucket is full again: whoever comes back at once shall not
    /// find a fresh one.
    pub(crate) fn leave(&mut self, slot: usize, now: Instant) {
        if let Some(user) = self.slots[slot].as_mut() {
            user.allocations -= 1;
            self.active -= usize::from(user.allocations == 0);
            user.idle = now;
        }
        // Only when they have become many beside those that are there: the walk costs as much as it can clear.
        if self.by_name.len() > 64 + 2 * self.active {
            self.forget(now);
        }
    }

    /// Whether this user may relay so many bytes now.
    pub(crate) fn take(&mut self, slot: usize, bytes: usize, now: Instant) -> bool {
        let (per_second, burst) = (self.per_second, self.burst);
        let Some(user) = self.slots[slot].as_mut() else {
            return false;
        };
        user.bucket.fill(per_second, burst, now);
        match u32::try_from(bytes)
            .ok()
            .and_then(|bytes| user.bucket.bytes.checked_sub(bytes))
        {
            Some(rest) => {
                user.bucket.bytes = rest;
                true
            }
            None => false,
        }
    }

    pub(crate) fn is(&self, slot: usize, name: &[u8]) -> bool {
        self.slots[slot].as_ref().is_some_and(|user| *user.name == *name)
    }

    fn forget(&mut self, now: Instant) {
        let refill = Duration::from_secs(u64::from(self.burst / self.per_second.max(1)) + 1);
        for (slot, place) in self.slots.iter_mut().enumerate() {
            let gone = place
                .as_ref()
                .is_some_and(|user| user.allocations == 0 && now.saturating_duration_since(user.idle) >= refill);
            if gone && let Some(user) = place.take() {
                self.by_name.remove(&user.name);
                self.free.push(slot);
            }
        }
    }
}

impl Bucket {
    fn fill(&mut self, per_second: u32, burst: u32, now: Instant) {
        let elapsed = now.saturating_duration_since(self.filled);
        let bytes = elapsed.as_micros() * u128::from(per_second) / 1_000_000;
        // Less than a byte stays in the clock, not in the bucket: many small steps must not lose it.
        if bytes > 0 {
            self.bytes = u128::from(self.bytes).saturating_add(bytes).min(u128::from(burst)) as u32;
            self.filled = now;
        }
    }
}

#[cfg(test)]
mod tests;
