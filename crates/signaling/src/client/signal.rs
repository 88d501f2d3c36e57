//! What the server says, and whether it is there.

use std::time::Instant;

use super::call::{Peer, Signal};
use super::{CallState, ClientCall, Event, Output, Role, Timer};
use crate::hold::Hold;
use crate::ids::PartyId;
use crate::message::{ServerMessage, Verified, Welcome};
use crate::{DisconnectReason, DisconnectSource, limits};

impl ClientCall {
    /// A connection stands and the server let this device in.
    pub fn handle_signal_up(&mut self, welcome: &Welcome) {
        if self.signal == Signal::Never {
            self.timers.apply(&welcome.policy);
        }
        self.signal = Signal::Up;
        self.disarm(Timer::SignalLost);
    }

    /// The connection is gone, or could not be made: then `failure` says why.
    pub fn handle_signal_down(&mut self, failure: Option<DisconnectReason>, now: Instant) {
        if !self.is_running() {
            return;
        }
        match (self.signal, failure) {
            (Signal::Never, Some(reason)) => self.end_locally(reason, None),
            // The deadline of the set-up covers a connection that broke before the server let this device in.
            (Signal::Never, None) => {}
            (Signal::Up | Signal::Down, _) => {
                self.signal = Signal::Down;
                if self.accepted.is_none() && !self.is_armed(Timer::SignalLost) {
                    self.arm(Timer::SignalLost, now + self.timers.signal_lost);
                }
            }
        }
    }

    /// A message of the server. What does not fit the state of the call is ignored.
    pub fn handle_message(&mut self, message: ServerMessage, now: Instant) {
        if !self.is_running() {
            return;
        }
        match (message, self.role) {
            (ServerMessage::CallCreated { sid }, Role::Caller) => {
                self.disarm(Timer::Setup);
                if self.sid.is_none() {
                    self.sid = Some(sid);
                    self.output(Output::Created { sid });
                }
            }
            (ServerMessage::WaitConnected, Role::Caller) => self.wait_connected(),
            (ServerMessage::PeerVerified { party, describe }, Role::Caller) => self.on_peer_verified(party, describe),
            (ServerMessage::PeerLeft { party }, Role::Caller) => self.on_peer_left(party),
            (
                ServerMessage::Accepted {
                    party,
                    call_start_message,
                },
                Role::Caller,
            ) => {
                self.on_accepted(party, call_start_message, now);
            }
            (ServerMessage::Verified(verified), Role::Callee) => self.on_verified(verified, now),
            (ServerMessage::Reveal { nonce }, Role::Callee) => self.output(Output::Reveal { nonce }),
            (ServerMessage::Description { party, description }, _) => {
                self.pass_on(party, Output::RemoteDescription { party, description });
            }
            (
                ServerMessage::Candidates {
                    party,
                    generation,
                    candidates,
                    end,
                },
                _,
            ) => {
                self.pass_on(
                    party,
                    Output::RemoteCandidates {
                        party,
                        generation,
                        candidates,
                        end,
                    },
                );
            }
            (ServerMessage::PeerMuted { muted }, _) => {
                self.peer_muted = muted;
                self.tell_peer_muted();
            }
            (ServerMessage::PeerHeld { held, reason }, _) => {
                self.peer_hold = Hold::of(held, reason);
                self.tell_peer_hold();
            }
            (
                ServerMessage::Ended {
                    reason,
                    source,
                    user_code,
                },
                _,
            ) => self.on_ended(reason, source, user_code),
            (ServerMessage::Error { reason, .. }, _) => self.on_refused(reason),
            _ => {}
        }
    }

    pub(super) fn wait_connected(&mut self) {
        if self.state == CallState::Trying {
            self.disarm(Timer::Setup);
            self.state = CallState::WaitAnswer;
            self.event(Event::WaitConnected);
        }
    }

    fn on_peer_verified(&mut self, party: PartyId, describe: bool) {
        if self.admit(party) && describe {
            self.output(Output::Describe { party });
        }
    }

    fn on_peer_left(&mut self, party: PartyId) {
        if self.accepted != Some(party) && self.peer(party).is_some() {
            self.peers.retain(|peer| peer.party != party);
            self.output(Output::ClosePath { party });
        }
    }

    /// The server refuses this device before there is a call. Later such a message only announces the connection's close.
    fn on_refused(&mut self, reason: DisconnectReason) {
        if self.sid.is_none() {
            self.finish(reason, DisconnectSource::CloudServer, None);
        }
    }

    /// News about the path with a device.
    fn pass_on(&mut self, party: PartyId, output: Output) {
        if self.is_path(party) {
            self.output(output);
        }
    }

    fn on_verified(&mut self, verified: Box<Verified>, now: Instant) {
        if self.sid.is_some() {
            return;
        }
        self.sid = Some(verified.sid);
        self.disarm(Timer::Setup);
        self.peers.push(Peer {
            party: verified.party,
            path_up: false,
        });
        self.output(Output::Confirmed(verified));
        if self.timers.pre_connect {
            self.arm(Timer::Verified, now + self.timers.verified);
        } else {
            self.verified(false);
        }
    }

    fn on_accepted(&mut self, party: PartyId, call_start_message: Option<String>, now: Instant) {
        if self.accepted == Some(party) {
            // Audio was faster than the server. Its text still makes it when there is no path yet.
            if self.state != CallState::Connected {
                self.start_message = call_start_message;
            }
            return;
        }
        // With audio of one device taken for its accept, the server may have decided for another one meanwhile.
        self.accepted = None;
        if !self.admit(party) {
            return;
        }
        // An accept implies that the callee was alerted.
        self.wait_connected();
        self.start_message = call_start_message;
        self.choose_only(party, now);
    }

    /// Caller: this device accepted; the paths with all others are closed.
    pub(super) fn choose_only(&mut self, party: PartyId, now: Instant) {
        let Some(chosen) = self.peer(party).copied() else {
            return;
        };
        let others = std::mem::replace(&mut self.peers, vec![chosen]);
        for other in others.into_iter().filter(|other| other.party != party) {
            self.output(Output::ClosePath { party: other.party });
        }
        self.choose(chosen, now);
    }

    fn on_ended(&mut self, reason: DisconnectReason, source: DisconnectSource, user_code: Option<String>) {
        // The other side may have lost the server; a device that another one has overtaken has nothing to say to it.
        if !reason.is_multidev() {
            self.output(Output::SendBye {
                reason,
                user_code: None,
            });
        }
        self.finish(reason, source, user_code);
    }

    pub(super) fn peer(&self, party: PartyId) -> Option<&Peer> {
        self.peers.iter().find(|peer| peer.party == party)
    }

    /// Caller: counts a device among those that verified. False when it already was, or when it comes too late.
    fn admit(&mut self, party: PartyId) -> bool {
        if self.accepted.is_some() || party.is_caller() {
            return false;
        }
        if self.peer(party).is_none() {
            if self.peers.len() >= limits::DEVICES {
                return false;
            }
            self.peers.push(Peer { party, path_up: false });
            self.peers.sort_unstable_by_key(|peer| peer.party);
        }
        true
    }

    /// True when messages about the path with this device are of use.
    fn is_path(&mut self, party: PartyId) -> bool {
        match self.role {
            // The description shows that the device verified, should that news come later.
            Role::Caller => self.admit(party) || self.accepted == Some(party),
            Role::Callee => self.peer(party).is_some(),
        }
    }
}
