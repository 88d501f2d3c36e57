//! Unpredictable numbers out of one seed.

use aws_lc_rs::hmac;

/// HMAC-SHA256 over a counter where it matters that nobody can guess, and a fast generator where it does not.
#[derive(Debug)]
pub(super) struct Random {
    key: hmac::Key,
    counter: u64,
    fast: u64,
}

impl Random {
    pub(super) fn new(seed: &[u8; 32]) -> Self {
        let mut random = Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, seed),
            counter: 0,
            fast: 0,
        };
        random.fast = random.word();
        random
    }

    pub(super) fn bytes(&mut self) -> [u8; 32] {
        self.counter += 1;
        let tag = hmac::sign(&self.key, &self.counter.to_be_bytes());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(tag.as_ref());
        bytes
    }

    pub(super) fn word(&mut self) -> u64 {
        let bytes = self.bytes();
        u64::from_be_bytes([
            bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7],
        ])
    }

    /// Transaction of an indication: nobody answers it, so it only has to differ (RFC 8489 §6.1).
    pub(super) fn transaction(&mut self) -> [u8; 12] {
        let mut transaction = [0; 12];
        transaction[..8].copy_from_slice(&self.split_mix().to_be_bytes());
        transaction[8..].copy_from_slice(&self.split_mix().to_be_bytes()[..4]);
        transaction
    }

    fn split_mix(&mut self) -> u64 {
        self.fast = self.fast.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.fast;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }
}
