//! What happens on the media paths.

use std::time::Instant;

use super::call::Signal;
use super::{CallState, ClientCall, PathEvent, PathFailure, Role, Timer};
use crate::DisconnectReason;
use crate::ids::PartyId;
use crate::message::ClientMessage;

impl ClientCall {
    /// Something happened on the path with a device. A callee names itself. What does not fit is ignored.
    pub fn handle_path(&mut self, party: PartyId, event: PathEvent, now: Instant) {
        if !self.is_running() || self.peer(party).is_none() {
            return;
        }
        match event {
            PathEvent::Up => self.on_up(party),
            PathEvent::Failed(failure) => self.on_failed(party, failure),
            PathEvent::FirstAudio => self.on_first_audio(party, now),
            PathEvent::Bye { reason, user_code } => {
                if self.speaks_for_peer(party) {
                    self.ended_by_peer(reason, user_code);
                }
            }
            PathEvent::Closed => self.on_closed(party, now),
        }
    }

    fn on_up(&mut self, party: PartyId) {
        self.set_up(party, true);
        self.disarm(Timer::Closed);
        if self.role == Role::Callee {
            self.verified(true);
        }
        if self.accepted == Some(party) {
            self.connected();
        }
    }

    fn on_failed(&mut self, party: PartyId, failure: PathFailure) {
        self.set_up(party, false);
        match failure {
            PathFailure::Authentication => {
                if self.accepted.is_none_or(|accepted| accepted == party) {
                    self.end_locally(DisconnectReason::AuthError, None);
                }
            }
            PathFailure::Unreachable => {
                if self.accepted == Some(party) && self.state == CallState::Connected {
                    self.end_locally(DisconnectReason::UnavailableNetwork, None);
                }
            }
        }
    }

    /// Only a callee that accepted sends audio. While exactly one device verified, nobody else can have accepted first.
    fn on_first_audio(&mut self, party: PartyId, now: Instant) {
        let alone = matches!(self.peers.as_slice(), [only] if only.party == party && only.path_up);
        if self.role == Role::Caller && self.accepted.is_none() && alone {
            // An accept implies that the callee was alerted.
            self.wait_connected();
            self.send(ClientMessage::AcceptedByMedia { party });
            self.choose_only(party, now);
        }
    }

    fn on_closed(&mut self, party: PartyId, now: Instant) {
        self.set_up(party, false);
        let matters = self.role == Role::Callee || self.accepted == Some(party);
        if !matters {
            return;
        }
        if self.signal == Signal::Down {
            self.ended_by_peer(None, None);
        } else {
            self.arm(Timer::Closed, now + self.timers.closed);
        }
    }

    /// Whether an end that this device says is the end of the call.
    fn speaks_for_peer(&self, party: PartyId) -> bool {
        match self.role {
            Role::Callee => true,
            Role::Caller => match self.accepted {
                Some(accepted) => accepted == party,
                None => self.peers.len() == 1,
            },
        }
    }

    fn set_up(&mut self, party: PartyId, up: bool) {
        for peer in self.peers.iter_mut().filter(|peer| peer.party == party) {
            peer.path_up = up;
        }
    }
}
