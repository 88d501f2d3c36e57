//! What can be set for a service.

use std::time::Duration;

use duologue_signaling::message::Policy;
use duologue_signaling::server::Timers;
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// Rules of a service. Times are in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServicePolicy {
    /// How long a call rings before NOANSWER; also how long a `cc_param` is good.
    pub ring_ms: u64,
    /// From the accept to a media path; then NETWORK_UNSTABLE.
    pub connect_ms: u64,
    /// While it rings: how long a device of the callee may be without a connection before it is no longer counted.
    pub reconnect_ms: u64,
    /// While it rings: the same for the caller; then CANCEL.
    pub ringing_reconnect_ms: u64,
    /// During a call: how long either side may be without a connection to this server, also across its restart; then
    /// UNAVAILABLE_NETWORK. Media goes on meanwhile.
    pub connected_reconnect_ms: u64,
    /// Longest call, then MAX_CALL_TIME_EXCEEDED; none: no limit.
    pub max_call_ms: Option<u64>,
    /// The media path is built before the accept. Off: no address of a client is shown before it.
    pub pre_connect: bool,
    /// `evt_verified` waits this long for the media path.
    pub verified_after_ms: u32,
    /// Callees must show an access token beside the `cc_param`.
    pub token_in_verify: bool,
    /// How old an access token may be.
    pub token_max_age_ms: u64,
    /// How far an access token may be from the future: the app server's clock.
    pub token_leeway_ms: u64,
}

impl Default for ServicePolicy {
    fn default() -> Self {
        Self {
            ring_ms: 60_000,
            connect_ms: 15_000,
            reconnect_ms: 30_000,
            ringing_reconnect_ms: 10_000,
            connected_reconnect_ms: 60_000,
            max_call_ms: None,
            pre_connect: true,
            verified_after_ms: 1_000,
            token_in_verify: false,
            token_max_age_ms: 2 * 60 * 60 * 1_000,
            token_leeway_ms: 60_000,
        }
    }
}

impl ServicePolicy {
    pub(super) fn check(&self, place: &str) -> Result<(), ConfigError> {
        let times = [
            ("ring_ms", self.ring_ms),
            ("connect_ms", self.connect_ms),
            ("reconnect_ms", self.reconnect_ms),
            ("ringing_reconnect_ms", self.ringing_reconnect_ms),
            ("connected_reconnect_ms", self.connected_reconnect_ms),
            ("token_max_age_ms", self.token_max_age_ms),
            ("max_call_ms", self.max_call_ms.unwrap_or(1)),
        ];
        for (name, value) in times {
            if value == 0 {
                return Err(ConfigError::Value {
                    field: format!("{place}.{name}"),
                    problem: "must be more than 0",
                });
            }
            // Seven weeks; what is added to a clock must not run over its end.
            if value > u64::from(u32::MAX) {
                return Err(ConfigError::Value {
                    field: format!("{place}.{name}"),
                    problem: "is too long",
                });
            }
        }
        Ok(())
    }
}

impl ServicePolicy {
    /// As the state machine of a call wants it. The notify callback has a limit of its own, which is shorter.
    pub(crate) fn timers(&self) -> Timers {
        let ms = Duration::from_millis;
        Timers {
            notify: ms(5_000),
            ring: ms(self.ring_ms),
            caller_lost: ms(self.ringing_reconnect_ms),
            device_lost: ms(self.reconnect_ms),
            connected_lost: ms(self.connected_reconnect_ms),
            max_call: self.max_call_ms.map(ms),
        }
    }

    /// What clients are told.
    pub(crate) fn for_clients(&self) -> Policy {
        Policy {
            pre_connect: self.pre_connect,
            verified_after_ms: self.verified_after_ms,
            connect_timeout_ms: u32::try_from(self.connect_ms).unwrap_or(u32::MAX),
        }
    }
}
