//! State, devices and deadlines of a call on the server.

use std::collections::VecDeque;
use std::fmt;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::{NotifyResult, Output, Timer, Timers, WallClock};
use crate::hold::Hold;
use crate::ids::{CallId, PartyId, User};
use crate::message::{Caller, ServerMessage, Verified};
use crate::{DisconnectReason, DisconnectSource, MediaType, SessionDescription, limits};

/// The device that answers the description of the caller's first message.
const FIRST: PartyId = PartyId(1);

/// What a call is made of. The caller's token was checked before.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CallSetup {
    /// The call's id.
    pub sid: CallId,
    /// The caller.
    pub caller: User,
    /// The callee.
    pub callee: User,
    /// What kind of call.
    pub media_type: MediaType,
    /// Text for the app server.
    pub app_server_data: Option<String>,
    /// Text for the callee.
    pub call_start_message: Option<String>,
    /// The caller's end of the media path, when it may be shown.
    pub description: Option<Box<SessionDescription>>,
    /// Address of the caller's connection, for the record.
    pub source_address: Option<String>,
}

/// A device may not take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// What the device is told.
    pub reason: DisconnectReason,
    /// Who is to blame.
    pub source: DisconnectSource,
}

impl Refusal {
    /// A refusal by the server.
    pub fn new(reason: DisconnectReason) -> Self {
        Self {
            reason,
            source: DisconnectSource::CloudServer,
        }
    }

    /// As a message for the refused device.
    pub fn message(&self) -> ServerMessage {
        ServerMessage::Ended {
            reason: self.reason,
            source: self.source,
            user_code: None,
        }
    }
}

// By hand, because the derive takes a field of the name `source` for a cause.
impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused by {}: {}", self.source, self.reason)
    }
}

/// How far a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Phase {
    Notifying,
    Ringing,
    Accepted(PartyId),
    Ended,
}

/// How a call, or a device's part in it, ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct End {
    pub(super) reason: DisconnectReason,
    pub(super) source: DisconnectSource,
    pub(super) user_code: Option<String>,
}

impl End {
    pub(super) fn message(&self) -> ServerMessage {
        ServerMessage::Ended {
            reason: self.reason,
            source: self.source,
            user_code: self.user_code.clone(),
        }
    }
}

/// A device in the call, the caller's included.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Device {
    pub(super) party: PartyId,
    /// What it was told when its part was over, or what it said itself.
    pub(super) end: Option<End>,
    pub(super) lost: bool,
    pub(super) muted: bool,
    pub(super) hold: Option<Hold>,
    pub(super) source_address: Option<String>,
}

impl Device {
    pub(super) fn new(party: PartyId, source_address: Option<String>) -> Self {
        Self {
            party,
            end: None,
            lost: false,
            muted: false,
            hold: None,
            source_address,
        }
    }
}

/// A call on the server, without I/O and without a clock.
///
/// Kept in memory: the setup, at most [`limits::CANDIDATES`] candidates of the caller (more are dropped) and
/// [`limits::DEVICES`] devices. Each input adds at most two outputs for every device, and four more.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServerCall {
    pub(super) setup: CallSetup,
    pub(super) timers: Timers,
    pub(super) clock: WallClock,
    pub(super) phase: Phase,
    /// By number; the caller's is the first.
    pub(super) devices: Vec<Device>,
    pub(super) candidates: Vec<String>,
    pub(super) end_of_candidates: bool,
    /// Candidates of the caller beyond the limit.
    pub(super) candidates_dropped: u64,
    pub(super) deadlines: Vec<(Timer, Instant)>,
    /// The app server took the notify callback, so that it has pushed.
    pub(super) notified: bool,
    /// Unix ms.
    pub(super) setup_at: u64,
    /// Unix ms; when the first device said that both are connected.
    pub(super) connected_at: Option<u64>,
    pub(super) outputs: VecDeque<Output>,
}

impl ServerCall {
    /// A new call: tells the caller its id and asks for the notify callback. Whether both users are free was checked with
    /// the [`Directory`](super::Directory).
    pub fn new(setup: CallSetup, timers: Timers, clock: WallClock, now: Instant) -> Self {
        let mut call = Self::unstarted(setup, timers, clock, now);
        call.send(PartyId::CALLER, ServerMessage::CallCreated { sid: call.setup.sid });
        call.output(Output::Notify);
        call.arm(Timer::Notify, now + timers.notify);
        call
    }

    /// A call that is refused before the callee hears of it (busy, glare, rate): tells the caller and makes the record.
    pub fn refused(setup: CallSetup, refusal: Refusal, clock: WallClock, now: Instant) -> Self {
        let mut call = Self::unstarted(setup, Timers::default(), clock, now);
        call.send(PartyId::CALLER, ServerMessage::CallCreated { sid: call.setup.sid });
        let end = End {
            reason: refusal.reason,
            source: refusal.source,
            user_code: None,
        };
        call.end(end, None, now);
        call
    }

    fn unstarted(setup: CallSetup, timers: Timers, clock: WallClock, now: Instant) -> Self {
        let caller = Device::new(PartyId::CALLER, setup.source_address.clone());
        Self {
            setup,
            timers,
            clock,
            phase: Phase::Notifying,
            devices: vec![caller],
            candidates: Vec::new(),
            end_of_candidates: false,
            candidates_dropped: 0,
            deadlines: Vec::new(),
            notified: false,
            setup_at: clock.unix_ms(now),
            connected_at: None,
            outputs: VecDeque::new(),
        }
    }

    /// The notify callback was answered, or was given up.
    pub fn handle_notify_result(&mut self, result: NotifyResult, now: Instant) {
        if self.phase != Phase::Notifying {
            return;
        }
        match result {
            NotifyResult::Delivered => {
                self.disarm(Timer::Notify);
                self.phase = Phase::Ringing;
                self.notified = true;
                self.send(PartyId::CALLER, ServerMessage::WaitConnected);
                self.arm(Timer::Ring, now + self.timers.ring);
            }
            NotifyResult::Failed => self.end_by_server(DisconnectReason::PushError, now),
        }
    }

    /// A device of the callee presents a `cc_param` of this call that was found genuine. Its number is what its messages
    /// are handed in with.
    ///
    /// # Errors
    /// RELEASED_CALL when the call is over, MULTIDEV_ANSWER when another device accepted, SERVICE_TOO_MANY_REQUESTS when
    /// [`limits::DEVICES`] devices have verified.
    pub fn verify(&mut self, source_address: Option<String>, now: Instant) -> Result<PartyId, Refusal> {
        match self.phase {
            Phase::Ended => return Err(Refusal::new(DisconnectReason::ReleasedCall)),
            Phase::Accepted(_) => return Err(Refusal::new(DisconnectReason::MultidevAnswer)),
            Phase::Notifying | Phase::Ringing => {}
        }
        let count = self.devices.len();
        if count > limits::DEVICES {
            return Err(Refusal::new(DisconnectReason::ServiceTooManyRequests));
        }
        let party = PartyId(u32::try_from(count).expect("at most 8 devices"));
        self.devices.push(Device::new(party, source_address));
        self.send(party, self.confirmation(party));
        // One description is for one peer; a caller that shows none yet describes itself after the accept.
        let describe = party != FIRST && self.setup.description.is_some();
        self.send(PartyId::CALLER, ServerMessage::PeerVerified { party, describe });
        tracing::debug!(sid = %self.setup.sid, %party, "device verified");
        let _ = now;
        Ok(party)
    }

    /// Takes a device that verified out of the call, because [`Directory::accept`](super::Directory::accept) refused its
    /// accept. The call goes on.
    pub fn expel(&mut self, party: PartyId, refusal: Refusal) {
        if !party.is_caller() && self.is_ringing() {
            let end = End {
                reason: refusal.reason,
                source: refusal.source,
                user_code: None,
            };
            self.drop_device(party, end, true);
        }
    }

    /// The session of a device lost its connection.
    pub fn handle_session_lost(&mut self, party: PartyId, now: Instant) {
        let phase = self.phase;
        let Some(device) = self.device_mut(party) else { return };
        if phase == Phase::Ended || device.lost {
            return;
        }
        device.lost = true;
        let grace = match phase {
            Phase::Accepted(_) => self.timers.connected_lost,
            _ if party.is_caller() => self.timers.caller_lost,
            _ => self.timers.device_lost,
        };
        self.arm(Timer::Lost(party), now + grace);
    }

    /// The session of a device has a connection again. `resumed` is what its welcome says: when false, its
    /// [`Link`](crate::link::Link) started over, and the state of the call is told again.
    pub fn handle_session_resumed(&mut self, party: PartyId, resumed: bool, now: Instant) {
        self.disarm(Timer::Lost(party));
        let known = match self.devices.iter_mut().find(|device| device.party == party) {
            Some(device) => {
                device.lost = false;
                true
            }
            None => false,
        };
        if known && !resumed {
            self.tell_again(party);
        }
        let _ = now;
    }

    /// Ends the call for a reason of the server: shutdown, a server API, a fault.
    pub fn end_by_server(&mut self, reason: DisconnectReason, now: Instant) {
        self.end(
            End {
                reason,
                source: DisconnectSource::CloudServer,
                user_code: None,
            },
            None,
            now,
        );
    }

    /// Lets every deadline pass that is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(timer) = self
            .deadlines
            .iter()
            .filter(|(_, at)| *at <= now)
            .min_by_key(|(_, at)| *at)
        {
            self.expire(timer.0, now);
        }
    }

    /// Lets one deadline pass, whenever it is. Does nothing when it is not armed. For tests that explore all orders.
    pub fn expire(&mut self, timer: Timer, now: Instant) {
        if !self.disarm(timer) {
            return;
        }
        match timer {
            Timer::Notify => self.end_by_server(DisconnectReason::PushError, now),
            // The documented author of NOANSWER is the caller, who stops waiting.
            Timer::Ring => self.end(
                End {
                    reason: DisconnectReason::NoAnswer,
                    source: DisconnectSource::Caller,
                    user_code: None,
                },
                None,
                now,
            ),
            Timer::MaxCall => self.end_by_server(DisconnectReason::MaxCallTimeExceeded, now),
            Timer::Lost(party) => self.on_lost(party, now),
        }
    }

    /// The deadlines that are armed.
    pub fn armed(&self) -> impl Iterator<Item = Timer> + '_ {
        self.deadlines.iter().map(|(timer, _)| *timer)
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.iter().map(|(_, at)| *at).min()
    }

    /// What the call is made of.
    pub fn setup(&self) -> &CallSetup {
        &self.setup
    }

    /// The device that accepted, as long as the call runs.
    pub fn accepted(&self) -> Option<PartyId> {
        match self.phase {
            Phase::Accepted(party) => Some(party),
            _ => None,
        }
    }

    /// True while nobody accepted and the call is not over.
    pub fn is_ringing(&self) -> bool {
        matches!(self.phase, Phase::Notifying | Phase::Ringing)
    }

    /// True when the call is over. It is worth keeping for a minute, for devices that come back and have to be told.
    pub fn is_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// True when there is such a device and it still takes part.
    pub fn has_device(&self, party: PartyId) -> bool {
        self.device(party).is_some()
    }

    /// The call as it is confirmed to a device.
    fn confirmation(&self, party: PartyId) -> ServerMessage {
        ServerMessage::Verified(Box::new(Verified {
            sid: self.setup.sid,
            party,
            caller: Caller {
                user_id: self.setup.caller.user_id.clone(),
                service_id: self.setup.caller.service_id.clone(),
            },
            media_type: self.setup.media_type,
            call_start_message: self.setup.call_start_message.clone(),
            description: if party == FIRST {
                self.setup.description.clone()
            } else {
                None
            },
            candidates: self.candidates.clone(),
            end_of_candidates: self.end_of_candidates,
        }))
    }

    fn on_lost(&mut self, party: PartyId, now: Instant) {
        let role = if party.is_caller() {
            DisconnectSource::Caller
        } else {
            DisconnectSource::Callee
        };
        let end = |reason| End {
            reason,
            source: role,
            user_code: None,
        };
        match self.phase {
            Phase::Ended => {}
            Phase::Accepted(_) => self.end(end(DisconnectReason::UnavailableNetwork), None, now),
            _ if party.is_caller() => self.end(end(DisconnectReason::Cancel), None, now),
            _ => self.drop_device(party, end(DisconnectReason::UnavailableNetwork), true),
        }
    }

    /// Says again what a client with a new numbering may have missed. Clients ignore what they know.
    fn tell_again(&mut self, party: PartyId) {
        let ended = self
            .devices
            .iter()
            .find(|device| device.party == party)
            .and_then(|device| device.end.clone());
        if let Some(end) = ended {
            return self.send(party, end.message());
        }
        if let Phase::Accepted(accepted) = self.phase {
            if party.is_caller() {
                self.send(party, ServerMessage::CallCreated { sid: self.setup.sid });
                self.send(
                    party,
                    ServerMessage::Accepted {
                        party: accepted,
                        call_start_message: None,
                    },
                );
            }
            let other = if party.is_caller() { accepted } else { PartyId::CALLER };
            // Also what is off: the news of that may be what was lost.
            if let Some(device) = self.device(other) {
                let (muted, held) = (device.muted, Hold::message(device.hold.as_ref()));
                self.send(party, ServerMessage::PeerMuted { muted });
                self.send(party, held);
            }
        } else if party.is_caller() {
            self.send(party, ServerMessage::CallCreated { sid: self.setup.sid });
            if self.phase == Phase::Ringing {
                self.send(party, ServerMessage::WaitConnected);
            }
            let present: Vec<PartyId> = self.callee_devices().collect();
            for device in present {
                self.send(
                    party,
                    ServerMessage::PeerVerified {
                        party: device,
                        describe: false,
                    },
                );
            }
        }
    }

    /// A device that still takes part.
    pub(super) fn device(&self, party: PartyId) -> Option<&Device> {
        self.devices
            .iter()
            .find(|device| device.party == party && device.end.is_none())
    }

    pub(super) fn device_mut(&mut self, party: PartyId) -> Option<&mut Device> {
        self.devices
            .iter_mut()
            .find(|device| device.party == party && device.end.is_none())
    }

    /// The callee's devices that still take part.
    pub(super) fn callee_devices(&self) -> impl Iterator<Item = PartyId> + '_ {
        self.devices
            .iter()
            .filter(|device| !device.party.is_caller() && device.end.is_none())
            .map(|device| device.party)
    }

    pub(super) fn arm(&mut self, timer: Timer, at: Instant) {
        self.disarm(timer);
        self.deadlines.push((timer, at));
        // One order for one set, so that equal states are equal values.
        self.deadlines.sort_unstable_by_key(|(timer, _)| *timer);
    }

    pub(super) fn disarm(&mut self, timer: Timer) -> bool {
        let before = self.deadlines.len();
        self.deadlines.retain(|(armed, _)| *armed != timer);
        self.deadlines.len() < before
    }

    pub(super) fn send(&mut self, party: PartyId, message: ServerMessage) {
        self.output(Output::Send { party, message });
    }

    pub(super) fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }
}
