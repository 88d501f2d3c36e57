//! Which packets were received before.

/// A sliding window over packet indices (RFC 3711 §3.3.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ReplayWindow {
    /// Index of the newest packet accepted.
    newest: u64,
    /// Bit `n` stands for index `newest - n`. Zero only before the first packet.
    seen: u128,
}

/// What a window says about an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Fresh,
    Replayed,
    TooOld,
}

impl ReplayWindow {
    /// How many packets back the window reaches. RFC 3711 §3.3.2 asks for at least 64; 128 packets are 2.5 s of
    /// 20 ms audio.
    pub(crate) const LEN: u64 = 128;

    /// Index of the newest packet accepted, or `None` before the first.
    pub(crate) fn newest(&self) -> Option<u64> {
        (self.seen != 0).then_some(self.newest)
    }

    /// Whether `index` may still be accepted.
    pub(crate) fn check(&self, index: u64) -> Verdict {
        if self.seen == 0 || index > self.newest {
            return Verdict::Fresh;
        }
        let back = self.newest - index;
        if back >= Self::LEN {
            Verdict::TooOld
        } else if self.seen >> back & 1 == 1 {
            Verdict::Replayed
        } else {
            Verdict::Fresh
        }
    }

    /// Marks `index`, for which [`Self::check`] said [`Verdict::Fresh`], as accepted.
    pub(crate) fn accept(&mut self, index: u64) {
        if self.seen == 0 {
            self.newest = index;
            self.seen = 1;
        } else if index > self.newest {
            let ahead = index - self.newest;
            let shifted = u32::try_from(ahead).ok().and_then(|n| self.seen.checked_shl(n));
            self.seen = shifted.unwrap_or(0) | 1;
            self.newest = index;
        } else if self.newest - index < Self::LEN {
            self.seen |= 1 << (self.newest - index);
        }
    }
}

/// The 48-bit index of a packet with `sequence`, estimated from the newest index known (RFC 3711 §3.3.1 and
/// appendix A): the one nearest to it. `None` if that lies before the first packet or after the last possible one.
pub(crate) fn estimate_index(newest: Option<u64>, sequence: u16) -> Option<u64> {
    let Some(newest) = newest else {
        return Some(u64::from(sequence));
    };
    // Less than half the sequence space ahead is ahead, more is behind; at exactly half the rollover counter stays, as
    // in appendix A.
    let ahead = sequence.wrapping_sub(newest as u16);
    let index = if ahead < 0x8000 || (ahead == 0x8000 && sequence > newest as u16) {
        newest + u64::from(ahead)
    } else {
        newest.checked_sub(u64::from(ahead.wrapping_neg()))?
    };
    (index < 1 << 48).then_some(index)
}

#[cfg(test)]
mod tests;
