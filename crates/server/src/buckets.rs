//! Token buckets: so many at once, so many a second in the long run.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Most keys that are remembered. When there are more, those whose bucket is full again go; if none is, newcomers are
/// refused, because a flood from many keys is a flood.
const KEYS: usize = 100_000;

/// One bucket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    tokens: f64,
    at: Instant,
}

/// What a bucket holds, and how fast it fills.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) burst: u32,
    pub(crate) per_second: f64,
}

/// A bucket for each key.
#[derive(Debug)]
pub(crate) struct Buckets<K> {
    rate: Rate,
    map: Mutex<HashMap<K, Bucket>>,
}

impl Bucket {
    pub(crate) fn full(rate: Rate, now: Instant) -> Self {
        Self {
            tokens: rate.burst.into(),
            at: now,
        }
    }

    /// Takes one; false when it is empty.
    pub(crate) fn take(&mut self, rate: Rate, now: Instant) -> bool {
        self.tokens = self.level(rate, now);
        self.at = now;
        let enough = self.tokens >= 1.0;
        if enough {
            self.tokens -= 1.0;
        }
        enough
    }

    fn level(&self, rate: Rate, now: Instant) -> f64 {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * rate.per_second;
        (self.tokens + gained).min(rate.burst.into())
    }
}

impl<K: Eq + Hash> Buckets<K> {
    pub(crate) fn new(rate: Rate) -> Self {
        Self {
            rate,
            map: Mutex::default(),
        }
    }

    /// Takes one for this key; false when there is none left.
    pub(crate) fn take(&self, key: K, now: Instant) -> bool {
        let mut map = self.map.lock().unwrap_or_else(PoisonError::into_inner);
        if map.len() >= KEYS && !map.contains_key(&key) {
            map.retain(|_, bucket| bucket.level(self.rate, now) < self.rate.burst.into());
            if map.len() >= KEYS {
                return false;
            }
        }
        map.entry(key)
            .or_insert_with(|| Bucket::full(self.rate, now))
            .take(self.rate, now)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_and_then_the_rate() {
        let buckets = Buckets::new(Rate {
            burst: 3,
            per_second: 2.0,
        });
        let start = Instant::now();
        assert_eq!([(); 4].map(|()| buckets.take("a", start)), [true, true, true, false]);
        assert!(buckets.take("b", start));
        assert!(!buckets.take("a", start + Duration::from_millis(400)));
        assert!(buckets.take("a", start + Duration::from_millis(500)));
        // It never holds more than the burst.
        let later = start + Duration::from_secs(100);
        assert_eq!([(); 4].map(|()| buckets.take("a", later)), [true, true, true, false]);
        // A clock that seems to go back gives nothing away.
        assert!(!buckets.take("a", start));
    }
}
