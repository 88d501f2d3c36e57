//! A running call as data, for a journal that outlives the process.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::call::{CallSetup, Device, Phase};
use super::{ServerCall, Timer, Timers, WallClock};

/// A call as it stands in the journal. Opaque; read and written with `serde`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    setup: CallSetup,
    timers: Timers,
    phase: Phase,
    devices: Vec<Device>,
    candidates: Vec<String>,
    end_of_candidates: bool,
    /// Unix ms.
    deadlines: Vec<(Timer, u64)>,
    notified: bool,
    setup_at: u64,
    connected_at: Option<u64>,
}

impl Snapshot {
    /// What the call is made of.
    pub fn setup(&self) -> &CallSetup {
        &self.setup
    }

    /// True when a device had accepted, so that the callee is busy.
    pub fn is_accepted(&self) -> bool {
        matches!(self.phase, Phase::Accepted(_))
    }
}

impl ServerCall {
    /// The call as data; none when it is over and its record is out. Take it after every drained batch of outputs.
    pub fn snapshot(&self) -> Option<Snapshot> {
        if self.phase == Phase::Ended {
            return None;
        }
        let deadlines = self
            .deadlines
            .iter()
            .map(|(timer, at)| (*timer, self.clock.unix_ms(*at)))
            .collect();
        Some(Snapshot {
            setup: self.setup.clone(),
            timers: self.timers,
            phase: self.phase,
            devices: self.devices.clone(),
            candidates: self.candidates.clone(),
            end_of_candidates: self.end_of_candidates,
            deadlines,
            notified: self.notified,
            setup_at: self.setup_at,
            connected_at: self.connected_at,
        })
    }

    /// Takes a call up again after a restart of the server. No device has a session yet; each that does not come back in
    /// time is treated as lost. A notify callback that was under way is not repeated: it is given its remaining time.
    pub fn restore(snapshot: Snapshot, clock: WallClock, now: Instant) -> Self {
        let now_ms = clock.unix_ms(now);
        let deadlines = snapshot
            .deadlines
            .into_iter()
            .filter(|(timer, _)| !matches!(timer, Timer::Lost(_)))
            .map(|(timer, at)| (timer, now + Duration::from_millis(at.saturating_sub(now_ms))))
            .collect();
        let mut call = Self {
            setup: snapshot.setup,
            timers: snapshot.timers,
            clock,
            phase: snapshot.phase,
            devices: snapshot.devices,
            candidates: snapshot.candidates,
            end_of_candidates: snapshot.end_of_candidates,
            candidates_dropped: 0,
            deadlines,
            notified: snapshot.notified,
            setup_at: snapshot.setup_at,
            connected_at: snapshot.connected_at,
            outputs: VecDeque::new(),
        };
        let present: Vec<_> = call
            .devices
            .iter()
            .filter(|device| device.end.is_none())
            .map(|device| device.party)
            .collect();
        for party in present {
            if let Some(device) = call.device_mut(party) {
                device.lost = false;
            }
            call.handle_session_lost(party, now);
        }
        call
    }
}

#[cfg(test)]
mod tests;
