//! Networks by name.

use std::time::Duration;

use crate::{LinkConfig, Loss};

/// A time in which a wire carries nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When it begins, from the start of the wire.
    pub begin: Duration,
    /// How long it lasts.
    pub length: Duration,
}

impl Outage {
    /// Whether it covers a packet that is put in at this age of the wire.
    #[must_use]
    pub fn covers(&self, age: Duration) -> bool {
        age >= self.begin && age - self.begin < self.length
    }
}

/// Moments in which a line holds everything back, as a radio does that changes its channel or cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stalls {
    /// The mean time from the end of one to the begin of the next.
    pub every: Duration,
    /// The shortest.
    pub shortest: Duration,
    /// The longest.
    pub longest: Duration,
}

/// What a [`Wire`](super::Wire) does to packets, both ways alike.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// Each direction. Lengths are those of whole IP packets.
    pub link: LinkConfig,
    /// When the line holds everything back.
    pub stalls: Option<Stalls>,
    /// When it carries nothing.
    pub outages: Vec<Outage>,
}

/// 1,500 bytes of Ethernet.
const MTU: usize = 1500;
/// How long the outage of `outage-N` lets things settle first.
const SETTLED: Duration = Duration::from_secs(10);
/// The longest outage that has a name.
const LONGEST_OUTAGE: u64 = 600;

impl Profile {
    /// The names that [`named`](Self::named) knows and what they mean, for a `--help`.
    pub const NAMES: &[(&str, &str)] = &[
        ("clean", "nothing is impaired"),
        ("lan", "0.3 ms each way"),
        (
            "wifi",
            "10 ms each way, jitter 6 ms, 0.5 % loss in short bursts, 20 Mbit/s",
        ),
        (
            "lte",
            "35 ms each way, jitter 15 ms, 2 % loss in bursts, 2 Mbit/s behind 500 ms of queue",
        ),
        ("rtt20", "10 ms each way"),
        ("rtt100", "50 ms each way"),
        ("rtt300", "150 ms each way"),
        ("loss10", "20 ms each way, each packet lost with 10 %"),
        ("loss30", "20 ms each way, each packet lost with 30 %"),
        (
            "bursts",
            "20 ms each way, 10 % loss in bursts of 3 packets on average (Gilbert-Elliott)",
        ),
        (
            "spikes",
            "20 ms each way, jitter 6 ms, a stall of 80 to 250 ms every 4 s on average, 1 % loss",
        ),
        (
            "reorder",
            "20 ms each way, 5 % of the packets held back by up to 40 ms, 1 % doubled",
        ),
        ("slow40", "20 ms each way, 40 kbit/s behind 1 s of queue"),
        (
            "outage-N",
            "20 ms each way, and nothing at all for N seconds, 10 s after the start",
        ),
    ];

    /// The profile of this name; `rttN` and `lossN` take any number (milliseconds up to 9999, percent), `outage-N` seconds up
    /// to 600.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let twenty = LinkConfig {
            delay: Duration::from_millis(20),
            mtu: MTU,
            ..LinkConfig::default()
        };
        let whole = |link: LinkConfig| Self::of(LinkConfig { mtu: MTU, ..link });
        Some(match name {
            "clean" => whole(LinkConfig::default()),
            "lan" => whole(LinkConfig::lan()),
            "wifi" => whole(LinkConfig::wifi()),
            "lte" => whole(LinkConfig::lte()),
            "bursts" => Self::of(LinkConfig {
                // Bad states last 1/r = 3 packets and are visited p/(p+r) = 10 % of the time.
                loss: Loss::GilbertElliott {
                    p: 1.0 / 27.0,
                    r: 1.0 / 3.0,
                    good: 0.0,
                    bad: 1.0,
                },
                ..twenty
            }),
            "spikes" => Self {
                stalls: Some(Stalls {
                    every: Duration::from_secs(4),
                    shortest: Duration::from_millis(80),
                    longest: Duration::from_millis(250),
                }),
                ..Self::of(LinkConfig {
                    jitter: Duration::from_millis(6),
                    loss: Loss::Bernoulli(0.01),
                    ..twenty
                })
            },
            "reorder" => Self::of(LinkConfig {
                reorder: 0.05,
                reorder_by: Duration::from_millis(40),
                duplicate: 0.01,
                ..twenty
            }),
            "slow40" => Self::of(LinkConfig {
                rate_bps: Some(40_000),
                queue: Duration::from_secs(1),
                ..twenty
            }),
            _ => {
                if let Some(milliseconds) = number(name, "rtt", 9_999) {
                    Self::of(LinkConfig {
                        delay: Duration::from_millis(milliseconds) / 2,
                        ..twenty
                    })
                } else if let Some(percent) = number(name, "loss", 100) {
                    #[expect(clippy::cast_precision_loss, reason = "at most 100")]
                    let p = percent as f64 / 100.0;
                    Self::of(LinkConfig {
                        loss: Loss::Bernoulli(p),
                        ..twenty
                    })
                } else {
                    let outage = Outage {
                        begin: SETTLED,
                        length: Duration::from_secs(number(name, "outage-", LONGEST_OUTAGE)?),
                    };
                    Self {
                        outages: vec![outage],
                        ..Self::of(twenty)
                    }
                }
            }
        })
    }

    fn of(link: LinkConfig) -> Self {
        Self {
            link,
            ..Self::default()
        }
    }
}

/// The number after `prefix`, digits only, at most `most`.
fn number(name: &str, prefix: &str, most: u64) -> Option<u64> {
    let digits = name.strip_prefix(prefix)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|number| *number <= most)
}
