//! The generator that every random choice of this crate comes from.

use std::f64::consts::TAU;
use std::ops::Range;

/// xoshiro256\*\*: small, fast, the same on every platform, and no secret: never take keys from it.
///
/// Two generators with the same seed give the same numbers for ever; the tests pin the first ones.
#[derive(Clone, Debug)]
pub struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// A generator whose whole sequence follows from `seed`; every seed is as good as any other, 0 too.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        // The authors of xoshiro advise to fill its state with SplitMix64, which never gives four zeros in a row.
        let mut x = seed;
        let state = std::array::from_fn(|_| {
            x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = x;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        });
        Self { state }
    }

    /// A generator of its own for a part of a simulation, so that one part's draws do not shift another's.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self::new(self.next_u64())
    }

    /// 64 evenly distributed bits.
    pub fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let t = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= t;
        *d = d.rotate_left(45);
        result
    }

    /// A number in [0, 1), evenly distributed over 2⁵³ values.
    pub fn next_f64(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
        let mantissa = (self.next_u64() >> 11) as f64;
        mantissa / 9_007_199_254_740_992.0
    }

    /// A number in `range`; an empty range gives its start. The bias is below 2⁻³² for ranges shorter than 2³².
    pub fn range(&mut self, range: Range<u64>) -> u64 {
        let span = range.end.saturating_sub(range.start);
        if span == 0 {
            return range.start;
        }
        let scaled = (u128::from(self.next_u64()) * u128::from(span)) >> 64;
        range.start + u64::try_from(scaled).expect("a product shifted by 64 bits is below the span")
    }

    /// True with probability `p`; at most 0 is never, at least 1 is always.
    pub fn chance(&mut self, p: f64) -> bool {
        self.next_f64() < p
    }

    /// A normally distributed number of mean 0 and deviation 1 (Box and Muller).
    pub fn gaussian(&mut self) -> f64 {
        // 1 - x is in (0, 1], where the logarithm is finite.
        let radius = (-2.0 * (1.0 - self.next_f64()).ln()).sqrt();
        radius * (TAU * self.next_f64()).cos()
    }

    /// `N` bytes, for instance the seed of a protocol under test.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next_u64().to_le_bytes()[..chunk.len()]);
        }
        bytes
    }
}
