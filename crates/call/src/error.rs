//! What the methods answer when they are asked the impossible.

use duologue_signaling::StartFailReason;

/// Why a call was not made. Only local faults come this way: what the server or the network says later comes as
/// `evt_disconnected`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the call was not made: {} ({message})", reason.name())]
#[non_exhaustive]
pub struct MakeCallError {
    /// The documented reason.
    pub reason: StartFailReason,
    /// The same for a person, with what was wrong.
    pub message: String,
}

/// Why a call was not verified. Only local faults come this way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the call was not verified: {} ({message})", reason.name())]
#[non_exhaustive]
pub struct VerifyCallError {
    /// The documented reason.
    pub reason: StartFailReason,
    /// The same for a person, with what was wrong.
    pub message: String,
}

/// Why a method of a [`Call`](crate::Call) did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The call is over.
    #[error("the call is over")]
    Ended,
    /// Only the callee accepts, only once, and only after `evt_verified`.
    #[error("a call is accepted by its callee, once, after evt_verified")]
    NotAcceptable,
    /// A text is longer than the documented limit.
    #[error("the text has {length} bytes, the limit is {limit}")]
    TooLong {
        /// Bytes given.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The call is not connected yet.
    #[error("the call is not connected yet: wait for evt_connected")]
    NotConnected,
    /// More commands wait for the media thread than it takes (256): the application calls in a loop.
    #[error("too many commands are waiting")]
    TooManyCommands,
}

/// A local fault on the way to a call; becomes one of the two public errors.
#[derive(Debug)]
pub(crate) struct StartFail {
    pub(crate) reason: StartFailReason,
    pub(crate) message: String,
}

impl StartFail {
    pub(crate) fn new(reason: StartFailReason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }
}

impl From<StartFail> for MakeCallError {
    fn from(fail: StartFail) -> Self {
        Self {
            reason: fail.reason,
            message: fail.message,
        }
    }
}

impl From<StartFail> for VerifyCallError {
    fn from(fail: StartFail) -> Self {
        Self {
            reason: fail.reason,
            message: fail.message,
        }
    }
}

impl From<duologue_signaling::client::StartFail> for StartFail {
    fn from(fail: duologue_signaling::client::StartFail) -> Self {
        Self {
            reason: fail.reason,
            message: fail.message,
        }
    }
}
