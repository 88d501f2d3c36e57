//! A call that one side put on hold.

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::message::ServerMessage;

/// One side's hold. No hold is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Hold {
    /// The application's text for the peer.
    pub(crate) reason: Option<String>,
}

impl Hold {
    /// What a message says. Only a hold has a reason.
    pub(crate) fn of(held: bool, reason: Option<String>) -> Option<Self> {
        held.then_some(Self { reason })
    }

    /// The same with a reason that keeps its limit: a longer one is cut at a character.
    pub(crate) fn cut(mut self) -> Self {
        if let Some(reason) = &mut self.reason {
            reason.truncate(reason.floor_char_boundary(limits::HOLD_REASON));
        }
        self
    }

    /// What the peer is told.
    pub(crate) fn message(hold: Option<&Self>) -> ServerMessage {
        ServerMessage::PeerHeld {
            held: hold.is_some(),
            reason: hold.and_then(|hold| hold.reason.clone()),
        }
    }
}
