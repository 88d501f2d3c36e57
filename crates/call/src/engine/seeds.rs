//! Independent seeds from one.

use aws_lc_rs::hmac;

/// Draws seeds; what one of them leads to says nothing about another.
pub(super) struct Seeds {
    key: hmac::Key,
    drawn: u64,
}

impl Seeds {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &seed),
            drawn: 0,
        }
    }

    /// The next seed: HMAC-SHA-256 of a counter under the first seed.
    pub(super) fn draw(&mut self) -> [u8; 32] {
        self.drawn += 1;
        let tag = hmac::sign(&self.key, &self.drawn.to_be_bytes());
        let mut seed = [0; 32];
        seed.copy_from_slice(tag.as_ref());
        seed
    }

    /// The next 32 bits, for an identifier that others see.
    pub(super) fn draw_u32(&mut self) -> u32 {
        let [a, b, c, d, ..] = self.draw();
        u32::from_be_bytes([a, b, c, d])
    }
}

impl std::fmt::Debug for Seeds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seeds")
            .field("drawn", &self.drawn)
            .finish_non_exhaustive()
    }
}
