//! The time of day.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use duologue_signaling::server::WallClock;

pub(crate) fn unix() -> Duration {
    // A clock before 1970 is as wrong as any other; tokens are then refused for their age.
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

pub(crate) fn unix_seconds() -> u64 {
    unix().as_secs()
}

pub(crate) fn unix_ms() -> u64 {
    u64::try_from(unix().as_millis()).unwrap_or(u64::MAX)
}

/// Which time of day it is at this instant.
pub(crate) fn wall_clock() -> WallClock {
    WallClock {
        at: Instant::now(),
        unix: unix(),
    }
}
