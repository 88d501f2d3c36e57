//! The call as the server sees it.

mod call;
mod directory;
mod end;
mod message;
mod pairs;
mod record;
mod snapshot;

pub use call::{CallSetup, Refusal, ServerCall};
pub use directory::{Directory, DirectoryError};
pub use pairs::{is_allowed_other_device, is_allowed_pair};
pub use record::CallRecord;
pub use snapshot::Snapshot;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::ids::PartyId;
use crate::message::ServerMessage;

/// How long the server waits for what. Settable for each service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Timers {
    /// The notify callback, all in all; then PUSH_ERROR. Default 5 s.
    pub notify: Duration,
    /// Ringing; then NOANSWER. Default 60 s.
    pub ring: Duration,
    /// The caller's session is lost before the accept; then CANCEL. Default 10 s.
    pub caller_lost: Duration,
    /// A device's session is lost before the accept; then it is no longer a device of the call. Default 30 s.
    pub device_lost: Duration,
    /// A session is lost after the accept; then UNAVAILABLE_NETWORK. Default 60 s.
    pub connected_lost: Duration,
    /// Longest call, from the accept; then MAX_CALL_TIME_EXCEEDED. Default none.
    pub max_call: Option<Duration>,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            notify: Duration::from_secs(5),
            ring: Duration::from_secs(60),
            caller_lost: Duration::from_secs(10),
            device_lost: Duration::from_secs(30),
            connected_lost: Duration::from_secs(60),
            max_call: None,
        }
    }
}

/// A deadline of a [`ServerCall`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Timer {
    /// The notify callback.
    Notify,
    /// Ringing.
    Ring,
    /// The longest call.
    MaxCall,
    /// The session of a device is lost.
    Lost(PartyId),
}

/// Which wall-clock time belongs to which instant: the state machine has no clock, but its record has times of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WallClock {
    /// An instant.
    pub at: Instant,
    /// The time since the Unix epoch at that instant.
    pub unix: Duration,
}

impl WallClock {
    /// Milliseconds since the Unix epoch at `now`.
    pub fn unix_ms(&self, now: Instant) -> u64 {
        let unix = match now.checked_duration_since(self.at) {
            Some(later) => self.unix.saturating_add(later),
            None => self.unix.saturating_sub(self.at.duration_since(now)),
        };
        u64::try_from(unix.as_millis()).unwrap_or(u64::MAX)
    }
}

/// How the notify callback went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotifyResult {
    /// Answered with success: the push is on its way.
    Delivered,
    /// Unreachable, too slow, redirected, or answered with a failure.
    Failed,
}

/// What the server has to do for a call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Output {
    /// Give the message to the [`Link`](crate::link::Link) of the device's session.
    Send {
        /// The device.
        party: PartyId,
        /// The message.
        message: ServerMessage,
    },
    /// Mint the `cc_param` and call the app server's notify callback; then
    /// [`ServerCall::handle_notify_result`].
    Notify,
    /// A device accepted: the callee is in a call from now on ([`Directory::accept`]).
    Accepted {
        /// The device.
        party: PartyId,
    },
    /// The call ended while it rang: have the app server push a cancel.
    PushCancel,
    /// The call is over: write the record, call the call event callback, release both users. Comes exactly once.
    Record(Box<CallRecord>),
}

#[cfg(test)]
mod tests;
