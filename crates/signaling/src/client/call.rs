//! State, commands and deadlines of a call on one device.

use std::collections::VecDeque;
use std::time::Instant;

use super::{Event, Output, Timer, Timers};
use crate::hold::Hold;
use crate::ids::{CallId, PartyId};
use crate::message::{ClientMessage, MakeCall};
use crate::{DisconnectReason, DisconnectSource, SessionDescription};

/// Which end of a call a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// It makes the call.
    Caller,
    /// It verifies a call that it was told of.
    Callee,
}

impl Role {
    /// This role as the one who ends a call.
    pub fn source(self) -> DisconnectSource {
        match self {
            Self::Caller => DisconnectSource::Caller,
            Self::Callee => DisconnectSource::Callee,
        }
    }

    /// The other end.
    pub fn peer(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
        }
    }
}

/// The documented states of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallState {
    /// Not started.
    Idle,
    /// Started.
    Trying,
    /// Caller: the callee is being alerted.
    WaitAnswer,
    /// Callee: confirmed, and can be accepted.
    Verified,
    /// Accepted, and the media path is up.
    Connected,
    /// Over.
    Disconnected,
}

/// A command does not fit the state of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// Not in this state.
    #[error("not possible in state {state:?}")]
    State {
        /// The state of the call.
        state: CallState,
    },
    /// Only the other role can do that.
    #[error("a {role:?} cannot do that")]
    Role {
        /// The role of this device.
        role: Role,
    },
}

/// Whether the server is in reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Signal {
    Never,
    Up,
    Down,
}

/// A device at the far end, or the own one for a callee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Peer {
    pub(super) party: PartyId,
    pub(super) path_up: bool,
}

/// A call on one device, without I/O and without a clock.
///
/// Feed it commands, messages, path events and time; then drain [`poll_output`](Self::poll_output). Outputs are bounded:
/// each input adds at most two for every device of the callee, and five more.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientCall {
    pub(super) role: Role,
    pub(super) state: CallState,
    pub(super) timers: Timers,
    pub(super) deadlines: Vec<(Timer, Instant)>,
    pub(super) sid: Option<CallId>,
    /// Caller: the devices that verified and are not gone. Callee: itself, once the server gave it a number.
    pub(super) peers: Vec<Peer>,
    /// The device whose path carries the call.
    pub(super) accepted: Option<PartyId>,
    /// Caller: the device with which the server was told that the call is connected.
    pub(super) connected_told: Option<PartyId>,
    pub(super) start_message: Option<String>,
    pub(super) signal: Signal,
    /// Callee: ended by this device's user, whether or not the server was reached.
    pub(super) declined: bool,
    pub(super) muted: bool,
    pub(super) peer_muted: bool,
    pub(super) peer_muted_told: bool,
    pub(super) hold: Option<Hold>,
    pub(super) peer_hold: Option<Hold>,
    pub(super) peer_hold_told: Option<Hold>,
    pub(super) outputs: VecDeque<Output>,
}

impl ClientCall {
    /// A call that has not been started.
    pub fn new(role: Role, timers: Timers) -> Self {
        Self {
            role,
            state: CallState::Idle,
            timers,
            deadlines: Vec::new(),
            sid: None,
            peers: Vec::new(),
            accepted: None,
            connected_told: None,
            start_message: None,
            signal: Signal::Never,
            declined: false,
            muted: false,
            peer_muted: false,
            peer_muted_told: false,
            hold: None,
            peer_hold: None,
            peer_hold_told: None,
            outputs: VecDeque::new(),
        }
    }

    /// Caller: asks the server for a call. The connection may come up later.
    ///
    /// # Errors
    /// When this is no fresh caller.
    pub fn make_call(&mut self, make: MakeCall, now: Instant) -> Result<(), CommandError> {
        self.expect(Role::Caller, CallState::Idle)?;
        self.start(ClientMessage::MakeCall(Box::new(make)), now);
        Ok(())
    }

    /// Callee: asks the server about the call of a push.
    ///
    /// # Errors
    /// When this is no fresh callee.
    pub fn verify_call(&mut self, cc_param: String, now: Instant) -> Result<(), CommandError> {
        self.expect(Role::Callee, CallState::Idle)?;
        self.start(ClientMessage::VerifyCall { cc_param }, now);
        Ok(())
    }

    /// Callee: accepts.
    ///
    /// # Errors
    /// Unless `evt_verified` was given and nothing was accepted yet.
    pub fn accept(&mut self, call_start_message: Option<String>, now: Instant) -> Result<(), CommandError> {
        self.expect(Role::Callee, CallState::Verified)?;
        let (None, Some(own)) = (self.accepted, self.peers.first().copied()) else {
            return Err(CommandError::State { state: self.state });
        };
        self.send(ClientMessage::Accept { call_start_message });
        self.choose(own, now);
        Ok(())
    }

    /// Ends the call, for both sides. `None` is the ordinary reason: CANCEL, DECLINE or NORMAL.
    ///
    /// # Errors
    /// When the call was not started or is already over.
    pub fn end(
        &mut self,
        reason: Option<DisconnectReason>,
        user_code: Option<String>,
        _now: Instant,
    ) -> Result<(), CommandError> {
        self.expect_running()?;
        self.declined = self.role == Role::Callee;
        self.end_locally(reason.unwrap_or_else(|| self.ordinary_end(self.role)), user_code);
        Ok(())
    }

    /// Tells the peer about the own microphone: off (`true`) or on.
    ///
    /// # Errors
    /// When the call was not started or is already over.
    pub fn mute(&mut self, muted: bool) -> Result<(), CommandError> {
        self.expect_running()?;
        if self.muted != muted {
            self.muted = muted;
            self.send(ClientMessage::Mute { muted });
        }
        Ok(())
    }

    /// Tells the peer that the call is on hold here, with a reason of at most [`HOLD_REASON`](crate::limits::HOLD_REASON) bytes (a longer one is
    /// cut at a character), or that it goes on. What this does to the audio is up to the shell.
    ///
    /// # Errors
    /// Unless the call is connected.
    pub fn hold(&mut self, held: bool, reason: Option<String>) -> Result<(), CommandError> {
        if self.state != CallState::Connected {
            return Err(CommandError::State { state: self.state });
        }
        let hold = Hold::of(held, reason).map(Hold::cut);
        if self.hold != hold {
            self.hold.clone_from(&hold);
            let reason = hold.and_then(|hold| hold.reason);
            self.send(ClientMessage::Hold { held, reason });
        }
        Ok(())
    }

    /// Tells the other side how this device is reached. Caller: `party` is the device that is meant, none the one that
    /// answers the first description. Dropped when the call does not run.
    pub fn describe(&mut self, party: Option<PartyId>, description: SessionDescription) {
        if self.expect_running().is_ok() {
            self.send(ClientMessage::Description {
                party,
                description: Box::new(description),
            });
        }
    }

    /// Tells the other side of more candidates. Caller: `party` is the device that is meant, none every device. Dropped
    /// when the call does not run.
    pub fn add_candidates(&mut self, party: Option<PartyId>, generation: u32, candidates: Vec<String>, end: bool) {
        if self.expect_running().is_ok() {
            self.send(ClientMessage::Candidates {
                party,
                generation,
                candidates,
                end,
            });
        }
    }

    /// Caller: opens the commitment to the device that accepted. Dropped when no device did.
    pub fn reveal(&mut self, nonce: String) {
        if self.role == Role::Caller && self.accepted.is_some() && self.state != CallState::Disconnected {
            self.send(ClientMessage::Reveal { nonce });
        }
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
            Timer::Setup => self.end_locally(DisconnectReason::ServiceHttpConnectionTimeOut, None),
            Timer::Verified => self.verified(false),
            Timer::Connect => self.end_locally(DisconnectReason::NetworkUnstable, None),
            Timer::SignalLost => self.end_locally(DisconnectReason::UnavailableNetwork, None),
            Timer::Closed => self.ended_by_peer(None, None),
        }
        let _ = now;
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

    /// The documented state.
    pub fn state(&self) -> CallState {
        self.state
    }

    /// Which end this is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The call's id, once the server gave it.
    pub fn sid(&self) -> Option<CallId> {
        self.sid
    }

    /// The device that accepted. It may be known before the call is connected.
    pub fn accepted(&self) -> Option<PartyId> {
        self.accepted
    }

    /// True when the server has to be told of the end: it let this device in, or this is a callee that declined before, whose call
    /// would go on ringing there.
    pub fn is_known_to_server(&self) -> bool {
        self.signal != Signal::Never || self.declined
    }

    /// Deadlines and policy in force.
    pub fn timers(&self) -> &Timers {
        &self.timers
    }

    fn start(&mut self, message: ClientMessage, now: Instant) {
        self.state = CallState::Trying;
        self.send(message);
        self.arm(Timer::Setup, now + self.timers.setup);
    }

    fn expect(&self, role: Role, state: CallState) -> Result<(), CommandError> {
        if self.role != role {
            return Err(CommandError::Role { role: self.role });
        }
        if self.state != state {
            return Err(CommandError::State { state: self.state });
        }
        Ok(())
    }

    fn expect_running(&self) -> Result<(), CommandError> {
        match self.state {
            CallState::Idle | CallState::Disconnected => Err(CommandError::State { state: self.state }),
            _ => Ok(()),
        }
    }

    pub(super) fn is_running(&self) -> bool {
        self.expect_running().is_ok()
    }

    /// The reason of an end without fault by `role`, in the present state.
    pub(super) fn ordinary_end(&self, role: Role) -> DisconnectReason {
        match (self.accepted, role) {
            (Some(_), _) => DisconnectReason::Normal,
            (None, Role::Caller) => DisconnectReason::Cancel,
            (None, Role::Callee) => DisconnectReason::Decline,
        }
    }

    /// The device accepted; the rest is a question of the media path.
    pub(super) fn choose(&mut self, peer: Peer, now: Instant) {
        self.accepted = Some(peer.party);
        // From here on the call lives as long as its media path, with or without the server.
        self.disarm(Timer::SignalLost);
        self.disarm(Timer::Closed);
        self.output(Output::StartAudio { party: peer.party });
        if peer.path_up {
            self.connected();
        } else {
            self.arm(Timer::Connect, now + self.timers.connect);
        }
    }

    pub(super) fn verified(&mut self, pre_connected: bool) {
        if self.state == CallState::Trying {
            self.disarm(Timer::Verified);
            self.state = CallState::Verified;
            self.event(Event::Verified { pre_connected });
        }
    }

    /// Accepted, and the path of the device is up.
    pub(super) fn connected(&mut self) {
        self.disarm(Timer::Connect);
        // The caller's word is enough for the record.
        if self.role == Role::Caller
            && self.connected_told != self.accepted
            && let Some(party) = self.accepted
        {
            self.connected_told = Some(party);
            self.send(ClientMessage::Connected { party });
        }
        if self.state != CallState::Connected {
            self.state = CallState::Connected;
            let call_start_message = self.start_message.take();
            self.event(Event::Connected { call_start_message });
            self.tell_peer_muted();
            self.tell_peer_hold();
        }
    }

    pub(super) fn tell_peer_muted(&mut self) {
        if self.state == CallState::Connected && self.peer_muted != self.peer_muted_told {
            self.peer_muted_told = self.peer_muted;
            self.event(Event::PeerMuted(self.peer_muted));
        }
    }

    pub(super) fn tell_peer_hold(&mut self) {
        if self.state == CallState::Connected && self.peer_hold != self.peer_hold_told {
            self.peer_hold_told.clone_from(&self.peer_hold);
            self.event(match &self.peer_hold {
                Some(hold) => Event::PeerHeld {
                    reason: hold.reason.clone(),
                },
                None => Event::PeerUnheld,
            });
        }
    }

    /// This device ends the call.
    pub(super) fn end_locally(&mut self, reason: DisconnectReason, user_code: Option<String>) {
        if self.is_known_to_server() {
            self.send(ClientMessage::End {
                reason: Some(reason),
                user_code: user_code.clone(),
                by_remote: false,
            });
        }
        self.output(Output::SendBye { reason, user_code });
        self.finish(reason, self.role.source(), None);
    }

    /// The peer ended the call on the media path.
    pub(super) fn ended_by_peer(&mut self, reason: Option<DisconnectReason>, user_code: Option<String>) {
        let peer = self.role.peer();
        // The peer may also pass on what the server told it first: an end by the server, or on behalf of this device.
        let sources = [peer.source(), DisconnectSource::CloudServer, self.role.source()];
        let said = reason.filter(|reason| !reason.is_multidev()).and_then(|reason| {
            let source = sources.into_iter().find(|source| reason.may_come_from(*source))?;
            Some((reason, source))
        });
        let (reason, source) = said.unwrap_or_else(|| (self.ordinary_end(peer), peer.source()));
        if self.signal != Signal::Never {
            self.send(ClientMessage::End {
                reason: Some(reason),
                user_code: user_code.clone(),
                by_remote: true,
            });
        }
        // A caller neither declines nor is busy: it passes on what another device of this user said.
        let another = self.role == Role::Callee && matches!(reason, DisconnectReason::Decline | DisconnectReason::Busy);
        if another {
            self.finish(DisconnectReason::MultidevDecline, DisconnectSource::CloudServer, None);
        } else {
            self.finish(reason, source, user_code);
        }
    }

    /// The only way into the last state.
    pub(super) fn finish(&mut self, reason: DisconnectReason, source: DisconnectSource, user_code: Option<String>) {
        self.state = CallState::Disconnected;
        self.deadlines.clear();
        self.output(Output::CloseMedia);
        let by_remote = source != self.role.source();
        self.event(Event::Disconnected {
            reason,
            source,
            by_remote,
            user_code,
        });
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

    pub(super) fn is_armed(&self, timer: Timer) -> bool {
        self.armed().any(|armed| armed == timer)
    }

    pub(super) fn send(&mut self, message: ClientMessage) {
        self.output(Output::Send(message));
    }

    pub(super) fn event(&mut self, event: Event) {
        tracing::debug!(role = ?self.role, state = ?self.state, "call");
        self.output(Output::Event(event));
    }

    pub(super) fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }
}
