//! Signalling within an engine: what the call's state machine, the server and the paths tell each other.

use std::time::Instant;

use duologue_signaling::client::{Event, Output as CallOutput, PathEvent};
use duologue_signaling::ids::PartyId;
use duologue_signaling::message::{MakeCall, Verified, Welcome};
use duologue_signaling::{ClientMessage, DisconnectReason, ServerMessage, SessionDescription};

use super::server_link::{Incoming, Outgoing};
use super::{Command, Engine, Output, Role};
use crate::{CallConnectedParam, CallEventKind, CallVerifiedParam, DisconnectedParam, PeerHoldParam};

/// Stands between the reason and the application's phrase in a BYE.
const PHRASE: &str = ": ";

impl Engine {
    /// Begins the call; the message to the server waits until it lets us in.
    pub(super) fn start(&mut self, now: Instant) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let started = match self.config.role.clone() {
            Role::Caller(caller) => {
                let description = self.describe(0);
                let make = MakeCall {
                    peer_id: caller.peer.user_id,
                    peer_service_id: caller.peer.service_id,
                    media_type: caller.media_type,
                    app_server_data: caller.app_server_data,
                    call_start_message: caller.call_start_message,
                    description: Some(Box::new(description)),
                };
                self.call.make_call(make, now)
            }
            Role::Callee(callee) => self.call.verify_call(callee.cc_param, now),
        };
        started.expect("a fresh call of this role can be started");
    }

    pub(super) fn on_command(&mut self, command: Command, now: Instant) {
        let result = match command {
            Command::Accept { call_start_message } => self.call.accept(call_start_message, now),
            Command::End { phrase, error } => self.call.end(error.then_some(DisconnectReason::UserError), phrase, now),
            Command::Mute(muted) => {
                self.media.set_muted(muted);
                self.call.mute(muted)
            }
            Command::Hold { held, reason } => {
                let result = self.call.hold(held, reason);
                if result.is_ok() {
                    self.holding = held;
                    self.media.set_sending(self.talking && !held);
                }
                result
            }
        };
        if let Err(error) = result {
            // The call ended, or changed its state, while the command was on its way.
            tracing::debug!(%error, "a command came too late");
        }
    }

    pub(super) fn on_server(&mut self, incoming: Incoming, now: Instant) {
        match incoming {
            Incoming::Welcome(welcome) => self.on_welcome(&welcome, now),
            Incoming::Message(message) => self.call.handle_message(message, now),
            Incoming::Refused(reason) => {
                if self.ended {
                    // A server that does not know the call any more needs not be told of its end.
                    self.told = true;
                }
                self.call.handle_message(
                    ServerMessage::Error {
                        reason,
                        message: String::new(),
                    },
                    now,
                );
            }
        }
    }

    fn on_welcome(&mut self, welcome: &Welcome, now: Instant) {
        let first = self.phases.signalling_open.is_none();
        self.phases.signalling_open.get_or_insert(now);
        self.call.handle_signal_up(welcome);
        if !self.ended {
            self.take_servers(welcome, first, now);
        }
        for message in [self.untold_mute.take(), self.untold_hold.take()].into_iter().flatten() {
            self.send_to_server(message);
        }
    }

    /// Whether the peer may learn our addresses: once the service's policy is known and allows it, or after the accept.
    pub(super) fn may_show_addresses(&self) -> bool {
        let admitted = self.phases.signalling_open.is_some();
        admitted && (self.call.timers().pre_connect || self.call.accepted().is_some())
    }

    /// Something happened on a leg. A leg whose device is not known yet has nothing to say.
    pub(super) fn on_path(&mut self, index: usize, event: PathEvent, now: Instant) {
        if let Some(party) = self.legs[index].party {
            self.call.handle_path(party, event, now);
        }
    }

    pub(super) fn on_media_event(&mut self, event: duologue_media::Event, now: Instant) {
        match event {
            duologue_media::Event::FirstPacket => {
                self.phases.first_packet.get_or_insert(now);
                self.emit(CallEventKind::FirstAudio, now);
            }
            duologue_media::Event::Bye { reason } => {
                let (reason, user_code) = match reason.split_once(PHRASE) {
                    Some((reason, phrase)) => (reason.to_owned(), Some(phrase.to_owned())),
                    None => (reason, None),
                };
                // libwebrtc says goodbye for a stream whose track is taken away, and the call goes on; whoever ends a call over the
                // media path names one of the documented reasons.
                let Some(reason) = DisconnectReason::from_str_code(&reason) else {
                    self.goodbyes_ignored += 1;
                    tracing::debug!(
                        ignored = self.goodbyes_ignored,
                        "a goodbye without a documented reason ends nothing"
                    );
                    return;
                };
                let bye = PathEvent::Bye {
                    reason: Some(reason),
                    user_code,
                };
                let speaking = self
                    .active
                    .or_else(|| self.legs.iter().position(super::Leg::is_connected));
                if let Some(index) = speaking {
                    self.on_path(index, bye, now);
                }
            }
            _ => {}
        }
    }

    pub(super) fn pump_call(&mut self, now: Instant) -> bool {
        let mut busy = false;
        while let Some(output) = self.call.poll_output() {
            busy = true;
            self.on_call(output, now);
        }
        busy
    }

    fn on_call(&mut self, output: CallOutput, now: Instant) {
        match output {
            CallOutput::Send(message) => self.tell(message),
            CallOutput::Event(event) => self.on_call_event(event, now),
            CallOutput::Created { .. } => {
                self.phases.call_known.get_or_insert(now);
            }
            CallOutput::Confirmed(verified) => self.on_confirmed(verified, now),
            CallOutput::Describe { party } => {
                if self.leg_of(party).is_none()
                    && let Some(index) = self.add_leg(Some(party), now)
                {
                    // What it can gather at once goes along.
                    self.pump_legs(now);
                    let description = self.describe(index);
                    self.call.describe(Some(party), description);
                }
            }
            CallOutput::RemoteDescription { party, description } => {
                if let Some(index) = self.leg_for(party) {
                    self.take_description(index, &description, now);
                }
            }
            CallOutput::RemoteCandidates {
                party,
                generation,
                candidates,
                end,
            } => {
                if let Some(index) = self.leg_for(party)
                    && self.legs[index].remote_generation == generation
                {
                    // The end that a further device hears of may be that of the first one's candidates.
                    self.add_remote_candidates(index, &candidates, end && !self.further, now);
                }
            }
            CallOutput::StartAudio { party } => self.on_start_audio(party, now),
            CallOutput::Reveal { nonce } => self.on_reveal(nonce, now),
            CallOutput::ClosePath { party } => {
                if let Some(index) = self.leg_of(party) {
                    self.legs[index].transport.close(now);
                }
            }
            CallOutput::SendBye { reason, user_code } => self.say_bye(reason, user_code, now),
            CallOutput::CloseMedia => {
                self.talking = false;
                self.media.set_sending(false);
                for leg in self.legs.iter_mut().filter(|leg| leg.goodbye.is_none()) {
                    leg.transport.close(now);
                }
            }
            _ => {}
        }
    }

    fn on_confirmed(&mut self, verified: Box<Verified>, now: Instant) {
        self.phases.call_known.get_or_insert(now);
        self.legs[0].party = Some(verified.party);
        if let Some(description) = &verified.description {
            self.take_description(0, description, now);
        }
        // To a further device the caller makes a path of its own; what the server kept belongs to the first one's.
        self.further = verified.description.is_none();
        if !self.further {
            self.add_remote_candidates(0, &verified.candidates, verified.end_of_candidates, now);
        }
        self.verified = Some(verified);
    }

    /// The peer's first description of a leg decides what is spoken and how it is protected; a further one may only restart ICE.
    fn take_description(&mut self, index: usize, description: &SessionDescription, now: Instant) {
        if self.legs[index].described {
            return self.take_further_description(index, description, now);
        }
        self.set_remote(index, description, now);
        self.answer(index);
        self.verify(now);
    }

    /// Callee: describes its end, once, as soon as it knows the caller's.
    fn answer(&mut self, index: usize) {
        let leg = &self.legs[index];
        if matches!(self.config.role, Role::Callee(_)) && leg.described && !leg.offered {
            let description = self.describe(index);
            self.call.describe(None, description);
        }
    }

    /// The leg to this device. The caller's first leg belongs to the first device that answers it.
    fn leg_for(&mut self, party: PartyId) -> Option<usize> {
        if let Some(index) = self.leg_of(party) {
            return Some(index);
        }
        let free = self.legs.iter().position(|leg| leg.party.is_none())?;
        self.legs[free].party = Some(party);
        if self.legs[free].is_connected() {
            self.on_path(free, PathEvent::Up, self.phases.started);
        }
        Some(free)
    }

    fn on_start_audio(&mut self, party: PartyId, now: Instant) {
        self.phases.accepted.get_or_insert(now);
        self.active = self.leg_for(party);
        self.verification.accepted(party);
        if let Some(formats) = self.active_leg().and_then(|leg| leg.agreed.clone()) {
            self.media.set_formats(formats);
        }
        self.talking = true;
        self.media.set_sending(true);
        for index in 0..self.legs.len() {
            self.use_remote_candidates(index, now);
        }
        self.verify(now);
    }

    /// RFC 3550 §6.6: the end goes over the media path too, so that it arrives without the server.
    fn say_bye(&mut self, reason: DisconnectReason, user_code: Option<String>, now: Instant) {
        self.pump_media(now);
        let text = match user_code {
            Some(phrase) => format!("{}{PHRASE}{phrase}", reason.str_code()),
            None => reason.str_code().to_owned(),
        };
        self.media.bye(&text, now);
        while let Some(output) = self.media.poll_output() {
            if let duologue_media::Output::Rtcp(packet) = output {
                for leg in self.legs.iter_mut().filter(|leg| leg.is_connected()) {
                    leg.start_goodbye(packet.clone(), now);
                }
            }
        }
    }

    fn on_call_event(&mut self, event: Event, now: Instant) {
        let kind = match event {
            Event::WaitConnected => {
                self.phases.wait_connected = Some(now);
                CallEventKind::WaitConnected
            }
            Event::Verified { pre_connected } => {
                self.phases.verified = Some(now);
                let Some(verified) = &self.verified else { return };
                CallEventKind::Verified(CallVerifiedParam {
                    sid: verified.sid.as_str().to_owned(),
                    caller_id: verified.caller.user_id.as_str().to_owned(),
                    caller_service_id: verified.caller.service_id.as_str().to_owned(),
                    call_start_message: verified.call_start_message.clone(),
                    pre_connected,
                })
            }
            Event::Connected { call_start_message } => {
                self.phases.connected = Some(now);
                CallEventKind::Connected(CallConnectedParam {
                    call_start_message,
                    setup: self.phases,
                })
            }
            Event::PeerMuted(true) => CallEventKind::PeerMicMuted,
            Event::PeerMuted(false) => CallEventKind::PeerMicUnmuted,
            Event::PeerHeld { reason } => {
                self.peer_holds = true;
                CallEventKind::PeerHold(PeerHoldParam { reason })
            }
            Event::PeerUnheld => {
                self.peer_holds = false;
                CallEventKind::PeerUnhold
            }
            Event::Disconnected {
                reason,
                source,
                by_remote,
                user_code,
            } => {
                self.ended = true;
                self.tell_until = Some(now + self.config.tell_timeout);
                tracing::info!(reason = reason.str_code(), by_remote, "call over");
                CallEventKind::Disconnected(DisconnectedParam {
                    source,
                    reason: reason.into(),
                    by_remote,
                    user_code,
                })
            }
            _ => return,
        };
        self.emit(kind, now);
    }

    /// Says something to the server, now or when it is back.
    fn tell(&mut self, message: ClientMessage) {
        if !self.server.is_open() && self.started {
            // Only the last state matters by then, so that a restless finger cannot fill the queue.
            let untold = match message {
                ClientMessage::Mute { .. } => &mut self.untold_mute,
                ClientMessage::Hold { .. } => &mut self.untold_hold,
                _ => return self.send_to_server(message),
            };
            *untold = Some(message);
            return;
        }
        self.send_to_server(message);
    }

    fn send_to_server(&mut self, message: ClientMessage) {
        if let Err(error) = self.server.send(message) {
            tracing::warn!(%error, "the server has acknowledged nothing for too long");
        }
    }

    /// Passes on what the server is to be told, and notes when it has been told everything.
    pub(super) fn pump_server(&mut self, now: Instant) {
        if self.ended && !self.told {
            // A server that knows nothing of the call must not hear of it now.
            self.told = !self.call.is_known_to_server() || self.server.is_drained();
        }
        if self.ended && !self.call.is_known_to_server() {
            return;
        }
        while let Some(outgoing) = self.server.poll_outgoing() {
            match outgoing {
                Outgoing::Text(text) => self.outputs.push_back(Output::Signal(text)),
                Outgoing::Reset => {
                    self.outputs.push_back(Output::SignalReset);
                    self.call.handle_signal_down(None, now);
                }
            }
        }
    }
}
