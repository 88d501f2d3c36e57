use std::time::Duration;

/// Settings of a [`JitterBuffer`](crate::JitterBuffer). [`Default`] suits a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Samples per second of the decoder's output and of the packets' timestamps; 48 000. Values below 8000 count as 8000,
    /// values above 192 000 as 192 000.
    pub sample_rate: u32,
    /// The target delay never goes below this; zero.
    pub min_delay: Duration,
    /// Audio that would be played with more buffering delay than this is dropped, oldest first; 500 ms.
    pub max_delay: Duration,
    /// Delay before the first sample of a stream is played, and the target until arrivals teach a better one; 20 ms.
    pub start_delay: Duration,
    /// Delay that one percent less of concealed audio is worth; 50 ms. More of it waits longer for late packets.
    ///
    /// By the E-model (ITU-T G.107) a percent of lost speech costs a well concealed codec 1.5 to 4 points of R, and 100 ms of
    /// delay 2.4 points below 177 ms and 13 above.
    pub delay_per_percent: Duration,
    /// Packets held at most (at least 4); one more evicts the oldest. 200, which is 4 s of 20 ms packets.
    pub max_packets: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            sample_rate: 48_000,
            min_delay: Duration::ZERO,
            max_delay: Duration::from_millis(500),
            start_delay: Duration::from_millis(20),
            delay_per_percent: Duration::from_millis(50),
            max_packets: 200,
        }
    }
}

/// `delay` in samples.
pub(crate) fn samples(delay: Duration, rate: u32) -> i64 {
    let samples = delay.as_nanos() * u128::from(rate) / 1_000_000_000;
    i64::try_from(samples).unwrap_or(i64::MAX / 4).min(i64::MAX / 4)
}

/// `samples` as a span of time; negative counts as none.
pub(crate) fn duration(samples: i64, rate: u32) -> Duration {
    let nanos = u128::from(samples.max(0).unsigned_abs()) * 1_000_000_000 / u128::from(rate);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}
