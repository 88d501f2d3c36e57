use std::time::Duration;

/// A 64-bit NTP timestamp: 32 bits of seconds, 32 bits of fraction (RFC 3550 §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// The time `since` after second zero; wraps after 2^32 seconds, as the format does.
    #[must_use]
    pub fn from_duration(since: Duration) -> Self {
        let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
        Self((since.as_secs() << 32) | fraction)
    }

    /// The middle 32 bits, in 1/65,536 s: what LSR and LRR fields carry (RFC 3550 §6.4.1).
    #[must_use]
    pub fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }
}

/// A duration in the 1/65,536 s of a DLSR or DLRR field, saturating at 18.2 hours.
pub(crate) fn short_from_duration(duration: Duration) -> u32 {
    u32::try_from((duration.as_nanos() << 16) / 1_000_000_000).unwrap_or(u32::MAX)
}

/// The duration that a DLSR or DLRR field tells.
pub(crate) fn duration_from_short(units: u32) -> Duration {
    Duration::from_nanos((u64::from(units) * 1_000_000_000) >> 16)
}
