//! A handle to one call.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use duologue_signaling::limits;

use crate::engine;
use crate::shell::{CommandSender, Shared};
use crate::{AcceptParams, CallError, Events, SetupPhases, Statistics, VerificationCode};

/// Where a call stands; the states and their order are the documented ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum CallState {
    /// The server has not yet answered.
    #[default]
    Trying,
    /// Caller: the callee is being alerted.
    WaitAnswer,
    /// Callee: the server confirmed the call; it may be accepted.
    Verified,
    /// Both may speak.
    Connected,
    /// Over.
    Disconnected,
}

/// Whether a call is on hold at this side.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct HoldStatus {
    /// It is.
    pub held: bool,
    /// The text that the peer was told, if any.
    pub reason: Option<String>,
}

/// One call. A handle: clones mean the same call, and dropping them all does not end it.
///
/// Every method returns at once. Commands are queued for the media thread, which carries them out in order; what comes of them
/// comes as events.
#[derive(Clone)]
pub struct Call {
    commands: CommandSender,
    shared: Arc<Shared>,
}

impl Call {
    pub(crate) fn new(commands: CommandSender, shared: Arc<Shared>) -> Self {
        Self { commands, shared }
    }

    /// Callee: accepts the call. Valid once, after `evt_verified`; `evt_connected` follows when the media path is up, at once
    /// when it already is.
    ///
    /// # Errors
    ///
    /// [`CallError::NotAcceptable`] at the caller, before `evt_verified` and at the second time; [`CallError::TooLong`] for a
    /// start message of more than 199 bytes; [`CallError::Ended`].
    pub fn accept_call(&self, params: AcceptParams) -> Result<(), CallError> {
        if let Some(message) = &params.call_start_message {
            check_length(message, limits::CALL_START_MESSAGE)?;
        }
        self.shared.with(|view| match view.state {
            CallState::Disconnected => Err(CallError::Ended),
            CallState::Verified if !view.accepted => {
                self.send(engine::Command::Accept {
                    call_start_message: params.call_start_message,
                })?;
                view.accepted = true;
                Ok(())
            }
            _ => Err(CallError::NotAcceptable),
        })
    }

    /// Ends the call: NORMAL when it was connected; before that CANCEL by the caller, DECLINE by the callee. The phrase, at
    /// most 127 bytes, reaches the peer as `user_code` and the app server as `user_rel_code`. Ending an ended call does nothing.
    ///
    /// It also works while the server cannot be reached: the peer is told over the media path.
    ///
    /// # Errors
    ///
    /// [`CallError::TooLong`] for the phrase.
    pub fn end_call(&self, user_release_phrase: Option<&str>) -> Result<(), CallError> {
        self.end(user_release_phrase, false)
    }

    /// Ends the call with USER_ERROR: a fault that the application defines by the phrase, at most 127 bytes.
    ///
    /// # Errors
    ///
    /// [`CallError::TooLong`] for the phrase.
    pub fn end_call_with_error(&self, user_release_phrase: &str) -> Result<(), CallError> {
        self.end(Some(user_release_phrase), true)
    }

    fn end(&self, phrase: Option<&str>, error: bool) -> Result<(), CallError> {
        if let Some(phrase) = phrase {
            check_length(phrase, limits::RELEASE_PHRASE)?;
        }
        match self.send(engine::Command::End {
            phrase: phrase.map(str::to_owned),
            error,
        }) {
            Err(CallError::Ended) => Ok(()),
            result => result,
        }
    }

    /// Switches the own microphone off or on; the peer gets `evt_peer_mic_muted` or `evt_peer_mic_unmuted`.
    ///
    /// # Errors
    ///
    /// [`CallError::Ended`].
    pub fn mute_my_audio(&self, mute: bool) -> Result<(), CallError> {
        self.shared.with(|view| {
            if view.state == CallState::Disconnected {
                return Err(CallError::Ended);
            }
            self.send(engine::Command::Mute(mute))?;
            view.muted = mute;
            Ok(())
        })
    }

    /// Puts the call on hold: from now on nothing is sent and nothing is played; the peer gets `evt_peer_hold` with the reason and
    /// hears its hold tone. Of the reason, the first 256 bytes are told, cut between characters. Holding again changes the reason.
    ///
    /// # Errors
    ///
    /// [`CallError::NotConnected`] before `evt_connected`; [`CallError::Ended`].
    pub fn hold(&self, reason: Option<&str>) -> Result<(), CallError> {
        let reason = reason.map(|reason| reason[..reason.floor_char_boundary(limits::HOLD_REASON)].to_owned());
        self.set_hold(HoldStatus { held: true, reason })
    }

    /// Goes on with a call that is on hold; the peer gets `evt_peer_unhold`. Without a hold, nothing happens.
    ///
    /// # Errors
    ///
    /// [`CallError::NotConnected`] before `evt_connected`; [`CallError::Ended`].
    pub fn unhold(&self) -> Result<(), CallError> {
        self.set_hold(HoldStatus::default())
    }

    fn set_hold(&self, status: HoldStatus) -> Result<(), CallError> {
        self.shared.with(|view| match view.state {
            CallState::Disconnected => Err(CallError::Ended),
            CallState::Connected => {
                self.send(engine::Command::Hold {
                    held: status.held,
                    reason: status.reason.clone(),
                })?;
                view.hold = status;
                Ok(())
            }
            _ => Err(CallError::NotConnected),
        })
    }

    /// Whether this side has put the call on hold, and why.
    pub fn hold_status(&self) -> HoldStatus {
        self.shared.with(|view| view.hold.clone())
    }

    /// Whether the own microphone is switched off.
    pub fn is_my_audio_muted(&self) -> bool {
        self.shared.with(|view| view.muted)
    }

    /// The latest statistics, refreshed every 200 ms while audio runs.
    pub fn statistics(&self) -> Statistics {
        self.shared.with(|view| view.statistics.clone())
    }

    /// The code that both users see when nobody sits between their devices; they compare it by reading it out. `None` until
    /// `evt_verification_code`: it needs the accept, the media path, and the caller's nonce, which the callee has checked against the caller's
    /// first message. A nonce that does not fit ends the call with AUTH_ERROR.
    pub fn verification_code(&self) -> Option<VerificationCode> {
        self.shared.with(|view| view.verification_code)
    }

    /// When the phases of the set-up were reached so far.
    pub fn setup_phases(&self) -> SetupPhases {
        self.shared.with(|view| view.phases)
    }

    /// Where the call stands. It may be ahead of the event that is being delivered.
    pub fn state(&self) -> CallState {
        self.shared.with(|view| view.state)
    }

    /// The call's id, once the server told it: a UUID in its 36-character text form.
    pub fn sid(&self) -> Option<String> {
        self.shared.with(|view| view.sid.clone())
    }

    /// How long the call has been, or was, connected; `None` when it never was.
    pub fn duration(&self) -> Option<Duration> {
        let (connected, ended) = self.shared.with(|view| (view.phases.connected, view.ended_at));
        Some(ended.unwrap_or_else(Instant::now).saturating_duration_since(connected?))
    }

    /// The events as a stream. The first stream taken from a call has all events since its start; a later one has those that
    /// are delivered from then on.
    pub fn events(&self) -> Events {
        Events::new(self.shared.subscribe())
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    fn send(&self, command: engine::Command) -> Result<(), CallError> {
        self.commands.api(command)
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("sid", &self.sid())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

fn check_length(text: &str, limit: usize) -> Result<(), CallError> {
    if text.len() > limit {
        Err(CallError::TooLong {
            length: text.len(),
            limit,
        })
    } else {
        Ok(())
    }
}
