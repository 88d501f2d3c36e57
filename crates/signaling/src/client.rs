//! The call as one device sees it: caller or callee.

mod call;
mod check;
mod media;
mod signal;

pub use call::{CallState, ClientCall, CommandError, Role};
pub use check::{CalleeParams, CallerParams, MakeCallParams, StartFail, VerifyCallParams};

use std::time::Duration;

use crate::ids::{CallId, PartyId};
use crate::message::{ClientMessage, Policy, Verified};
use crate::{DisconnectReason, DisconnectSource, SessionDescription};

/// How long a device waits for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timers {
    /// From the start to the server's first word about the call. Default 15 s.
    pub setup: Duration,
    /// `evt_verified` waits no longer than this for the media path. Default 1 s.
    pub verified: Duration,
    /// From the accept to a media path; then NETWORK_UNSTABLE. Default 15 s.
    pub connect: Duration,
    /// How long a call that is not accepted outlives the loss of the server. Default 30 s.
    pub signal_lost: Duration,
    /// After the peer closed the media path without a word: how long the server is given to say why. Default 2 s.
    pub closed: Duration,
    /// The media path may be built before the accept. Default true.
    pub pre_connect: bool,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            setup: Duration::from_secs(15),
            verified: Duration::from_secs(1),
            connect: Duration::from_secs(15),
            signal_lost: Duration::from_secs(30),
            closed: Duration::from_secs(2),
            pre_connect: true,
        }
    }
}

impl Timers {
    /// Takes over what the service wants. A client that does not pre-connect is not made to.
    pub fn apply(&mut self, policy: &Policy) {
        self.verified = Duration::from_millis(policy.verified_after_ms.into());
        self.connect = Duration::from_millis(policy.connect_timeout_ms.into());
        self.pre_connect &= policy.pre_connect;
    }
}

/// A deadline of a [`ClientCall`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Timer {
    /// The server has not said anything about the call.
    Setup,
    /// The media path is not up, and the call is to be shown all the same.
    Verified,
    /// Accepted, and no media path.
    Connect,
    /// The server is gone.
    SignalLost,
    /// The peer closed the media path, and the server has not said why.
    Closed,
}

/// What happens on the media path with one device.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PathEvent {
    /// Encrypted both ways, and the certificate is the signalled one.
    Up,
    /// It cannot be built, or it is lost for good.
    Failed(PathFailure),
    /// The first audio packet that the proven peer sent.
    FirstAudio,
    /// RTCP BYE.
    Bye {
        /// Its reason text, when it is a documented string.
        reason: Option<DisconnectReason>,
        /// The peer's release phrase, when the path carries one.
        user_code: Option<String>,
    },
    /// An authenticated close without BYE before it.
    Closed,
}

/// Why there is no media path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PathFailure {
    /// No way through the network, or none any more.
    Unreachable,
    /// The certificate is not the signalled one.
    Authentication,
}

/// What a device has to do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Output {
    /// Give the message to the [`Link`](crate::link::Link).
    Send(ClientMessage),
    /// Tell the application.
    Event(Event),
    /// Caller: the server made the call.
    Created {
        /// Its id.
        sid: CallId,
    },
    /// Callee: the server confirmed the call. Unless pre-connecting is off, start the media path with what it brings.
    Confirmed(Box<Verified>),
    /// Caller: make an end of the path for this device and say so with [`ClientCall::describe`].
    Describe {
        /// The device.
        party: PartyId,
    },
    /// How the other side is reached.
    RemoteDescription {
        /// The callee's device at one end of this path.
        party: PartyId,
        /// The other side's end.
        description: Box<SessionDescription>,
    },
    /// Candidates of the other side.
    RemoteCandidates {
        /// The callee's device at one end of this path.
        party: PartyId,
        /// Which start of the path they belong to.
        generation: u32,
        /// As the value of RFC 8839 §5.1.
        candidates: Vec<String>,
        /// No candidate will follow.
        end: bool,
    },
    /// The device accepted: audio may be sent and played on the path with it, as soon as it is up, and on no other.
    StartAudio {
        /// The device.
        party: PartyId,
    },
    /// The path with this device is of no use any more. Close it without BYE.
    ClosePath {
        /// The device.
        party: PartyId,
    },
    /// Callee: the caller's nonce for the verification code.
    Reveal {
        /// Lower-case hexadecimal.
        nonce: String,
    },
    /// Say BYE on every path that is up.
    SendBye {
        /// The text is its documented string.
        reason: DisconnectReason,
        /// The application's release phrase.
        user_code: Option<String>,
    },
    /// Close every path and stop the audio.
    CloseMedia,
}

/// What the application is told.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// Caller: the callee is being alerted.
    WaitConnected,
    /// Callee: the call is real and may be accepted.
    Verified {
        /// The media path is already up.
        pre_connected: bool,
    },
    /// Accepted, and the media path is up.
    Connected {
        /// Caller: the callee's text.
        call_start_message: Option<String>,
    },
    /// The peer switched its microphone off (`true`) or on.
    PeerMuted(bool),
    /// The peer put the call on hold, or gives another reason for it.
    PeerHeld {
        /// The text of the peer's application.
        reason: Option<String>,
    },
    /// The peer took the call up again.
    PeerUnheld,
    /// The call is over. Nothing follows.
    Disconnected {
        /// Why.
        reason: DisconnectReason,
        /// Who ended it.
        source: DisconnectSource,
        /// This device did not end it.
        by_remote: bool,
        /// The release phrase of the other side's application.
        user_code: Option<String>,
    },
}

#[cfg(test)]
mod tests;
