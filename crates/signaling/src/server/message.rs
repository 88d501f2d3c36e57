//! What the devices say.

use std::time::Instant;

use super::call::{End, Phase};
use super::{Output, ServerCall, Timer};
use crate::hold::Hold;
use crate::ids::PartyId;
use crate::message::{ClientMessage, ServerMessage};
use crate::{DisconnectReason, DisconnectSource, limits};

impl ServerCall {
    /// A message of a device. What does not fit its role or the state of the call is ignored.
    pub fn handle_message(&mut self, party: PartyId, message: ClientMessage, now: Instant) {
        if self.device(party).is_none() {
            return;
        }
        match (message, party.is_caller()) {
            (
                ClientMessage::Description {
                    party: to,
                    mut description,
                },
                true,
            ) => {
                description.party = Some(PartyId::CALLER);
                if to.is_none() && self.setup.description.is_none() && self.is_ringing() {
                    self.setup.description = Some(description.clone());
                }
                if let Some(to) = to.or_else(|| self.callee_devices().next())
                    && self.is_callee(to)
                {
                    self.send(to, ServerMessage::Description { party: to, description });
                }
            }
            (ClientMessage::Description { mut description, .. }, false) => {
                description.party = Some(party);
                self.send(PartyId::CALLER, ServerMessage::Description { party, description });
            }
            (
                ClientMessage::Candidates {
                    party: to,
                    generation,
                    candidates,
                    end,
                },
                true,
            ) => {
                self.on_candidates_of_caller(to, generation, candidates, end);
            }
            (
                ClientMessage::Candidates {
                    generation,
                    candidates,
                    end,
                    ..
                },
                false,
            ) => {
                self.send(
                    PartyId::CALLER,
                    ServerMessage::Candidates {
                        party,
                        generation,
                        candidates,
                        end,
                    },
                );
            }
            (ClientMessage::Accept { call_start_message }, false) => self.accept(party, call_start_message, now),
            (ClientMessage::AcceptedByMedia { party: device }, true) => self.on_accepted_by_media(device, now),
            (ClientMessage::Connected { party: device }, true) => self.on_connected(device, now),
            (ClientMessage::Mute { muted }, _) => self.on_mute(party, muted),
            (ClientMessage::Hold { held, reason }, _) => self.on_hold(party, Hold::of(held, reason)),
            (ClientMessage::Reveal { nonce }, true) => {
                if let Phase::Accepted(device) = self.phase {
                    self.send(device, ServerMessage::Reveal { nonce });
                }
            }
            (
                ClientMessage::End {
                    reason,
                    user_code,
                    by_remote,
                },
                _,
            ) => {
                self.on_end(party, reason, user_code, by_remote, now);
            }
            _ => {}
        }
    }

    fn on_candidates_of_caller(&mut self, to: Option<PartyId>, generation: u32, candidates: Vec<String>, end: bool) {
        if let Some(to) = to {
            if self.is_callee(to) {
                self.send(
                    to,
                    ServerMessage::Candidates {
                        party: to,
                        generation,
                        candidates,
                        end,
                    },
                );
            }
            return;
        }
        let devices: Vec<PartyId> = self.callee_devices().collect();
        for to in devices {
            let candidates = candidates.clone();
            self.send(
                to,
                ServerMessage::Candidates {
                    party: to,
                    generation,
                    candidates,
                    end,
                },
            );
        }
        let free = limits::CANDIDATES - self.candidates.len();
        self.candidates_dropped += candidates.len().saturating_sub(free) as u64;
        self.candidates.extend(candidates.into_iter().take(free));
        self.end_of_candidates |= end;
    }

    fn on_accepted_by_media(&mut self, device: PartyId, now: Instant) {
        if self.is_callee(device) && self.is_ringing() {
            self.accept(device, None, now);
        }
    }

    fn on_connected(&mut self, device: PartyId, now: Instant) {
        if self.phase == Phase::Accepted(device) && self.connected_at.is_none() {
            self.connected_at = Some(self.clock.unix_ms(now));
        }
    }

    fn on_mute(&mut self, party: PartyId, muted: bool) {
        if let Some(device) = self.device_mut(party) {
            device.muted = muted;
        }
        if let Phase::Accepted(accepted) = self.phase {
            let other = if party.is_caller() { accepted } else { PartyId::CALLER };
            self.send(other, ServerMessage::PeerMuted { muted });
        }
    }

    fn on_hold(&mut self, party: PartyId, hold: Option<Hold>) {
        let message = Hold::message(hold.as_ref());
        if let Some(device) = self.device_mut(party) {
            device.hold = hold;
        }
        if let Phase::Accepted(accepted) = self.phase {
            let other = if party.is_caller() { accepted } else { PartyId::CALLER };
            self.send(other, message);
        }
    }

    /// The first accept wins. With audio that was faster than the accept, the accept still brings its text.
    fn accept(&mut self, party: PartyId, call_start_message: Option<String>, now: Instant) {
        if let Phase::Accepted(_) = self.phase {
            // All other devices are out already, so this one was accepted by media before.
            return self.send(
                PartyId::CALLER,
                ServerMessage::Accepted {
                    party,
                    call_start_message,
                },
            );
        }
        if self.phase == Phase::Notifying {
            // It accepted, so it was alerted, whatever becomes of the callback's answer.
            self.send(PartyId::CALLER, ServerMessage::WaitConnected);
        }
        self.phase = Phase::Accepted(party);
        self.disarm(Timer::Notify);
        self.disarm(Timer::Ring);
        if let Some(max) = self.timers.max_call {
            self.arm(Timer::MaxCall, now + max);
        }
        self.send(
            PartyId::CALLER,
            ServerMessage::Accepted {
                party,
                call_start_message,
            },
        );
        self.send(
            party,
            ServerMessage::Accepted {
                party,
                call_start_message: None,
            },
        );
        let others: Vec<PartyId> = self.callee_devices().filter(|other| *other != party).collect();
        for other in others {
            let reason = DisconnectReason::MultidevAnswer;
            let end = End {
                reason,
                source: DisconnectSource::CloudServer,
                user_code: None,
            };
            self.drop_device(other, end, true);
        }
        for (of, to) in [(PartyId::CALLER, party), (party, PartyId::CALLER)] {
            let Some(device) = self.device(of) else { continue };
            let (muted, hold, lost) = (device.muted, device.hold.clone(), device.lost);
            if muted {
                self.send(to, ServerMessage::PeerMuted { muted });
            }
            if hold.is_some() {
                self.send(to, Hold::message(hold.as_ref()));
            }
            if lost {
                // The call now lives on its media path, so that a missing session is given longer.
                self.arm(Timer::Lost(of), now + self.timers.connected_lost);
            }
        }
        tracing::debug!(sid = %self.setup.sid, %party, "accepted");
        self.output(Output::Accepted { party });
    }

    /// A device of the callee that still takes part.
    fn is_callee(&self, party: PartyId) -> bool {
        !party.is_caller() && self.device(party).is_some()
    }
}
