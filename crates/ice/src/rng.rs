//! The agent's randomness: ChaCha20 keyed with the seed, so that passwords and transaction ids derived from an
//! unguessable seed are unguessable, and everything is repeatable.

use std::fmt;
use std::time::Duration;

/// A ChaCha20 key stream (RFC 8439 §2.3).
pub(crate) struct Rng {
    key: [u32; 8],
    counter: u64,
    block: [u32; 16],
    used: usize,
}

impl Rng {
    /// A generator of the key stream of `seed`.
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        let mut key = [0; 8];
        for (word, bytes) in key.iter_mut().zip(seed.as_chunks::<4>().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        Self {
            key,
            counter: 0,
            block: [0; 16],
            used: 16,
        }
    }

    /// The next 32 bits.
    pub(crate) fn next_u32(&mut self) -> u32 {
        if self.used == 16 {
            self.block = chacha20(&self.key, self.counter);
            self.counter += 1;
            self.used = 0;
        }
        let word = self.block[self.used];
        self.used += 1;
        word
    }

    /// The next 64 bits.
    pub(crate) fn next_u64(&mut self) -> u64 {
        u64::from(self.next_u32()) << 32 | u64::from(self.next_u32())
    }

    /// Ninety-six fresh bits, right-aligned: a STUN transaction id (RFC 8489 §5).
    pub(crate) fn transaction(&mut self) -> u128 {
        u128::from(self.next_u64()) << 32 | u128::from(self.next_u32())
    }

    /// `mean` times a factor spread evenly over 0.8 to 1.2 (RFC 7675 §5.1).
    pub(crate) fn spread(&mut self, mean: Duration) -> Duration {
        let factor = 0.8 + 0.4 * f64::from(self.next_u32()) / f64::from(u32::MAX);
        mean.mul_f64(factor)
    }
}

impl fmt::Debug for Rng {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rng").finish_non_exhaustive()
    }
}

/// One block, with a 64-bit counter and a nonce of zero: each seed is used by one generator only.
fn chacha20(key: &[u32; 8], counter: u64) -> [u32; 16] {
    let mut input = [0; 16];
    input[..4].copy_from_slice(&[0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574]);
    input[4..12].copy_from_slice(key);
    let [a, b, c, d, e, f, g, h] = counter.to_le_bytes();
    input[12] = u32::from_le_bytes([a, b, c, d]);
    input[13] = u32::from_le_bytes([e, f, g, h]);

    let mut state = input;
    for _ in 0..10 {
        for [a, b, c, d] in [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15]] {
            quarter_round(&mut state, a, b, c, d);
        }
        for [a, b, c, d] in [[0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]] {
            quarter_round(&mut state, a, b, c, d);
        }
    }
    for (word, start) in state.iter_mut().zip(input) {
        *word = word.wrapping_add(start);
    }
    state
}

fn quarter_round(s: &mut [u32; 16], a: usize, b: usize, c: usize, d: usize) {
    for (x, y, z, bits) in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)] {
        s[x] = s[x].wrapping_add(s[y]);
        s[z] = (s[z] ^ s[x]).rotate_left(bits);
    }
}

#[cfg(test)]
mod tests;
