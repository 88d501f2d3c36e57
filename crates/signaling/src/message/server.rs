//! What the server says.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Invalid, Message, Numbering, optional, text};
use crate::description::{self, MediaType, SessionDescription};
use crate::ids::{CallId, PartyId, ServiceId, UserId};
use crate::{DisconnectReason, DisconnectSource, limits};

/// A message of the server. `welcome`, `ack`, `pong` and `error` are not numbered, see [`link`](crate::link).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ServerMessage {
    /// The answer to a good `hello`.
    Welcome(Box<Welcome>),
    /// Caller: the call exists.
    CallCreated {
        /// Its id.
        sid: CallId,
    },
    /// Caller: the callee is being alerted.
    WaitConnected,
    /// Callee: the call is real.
    Verified(Box<Verified>),
    /// Caller: a device of the callee verified.
    PeerVerified {
        /// The device.
        party: PartyId,
        /// The caller shall describe an end of its own to this device. Otherwise the device answers the first one.
        describe: bool,
    },
    /// Caller: a device that had verified is gone, without the call being over.
    PeerLeft {
        /// The device.
        party: PartyId,
    },
    /// How the other side is reached.
    Description {
        /// The callee's device at one end of this path.
        party: PartyId,
        /// The other side's end.
        description: Box<SessionDescription>,
    },
    /// More candidates of the other side.
    Candidates {
        /// The callee's device at one end of this path.
        party: PartyId,
        /// Which start of the path they belong to.
        generation: u32,
        /// As the value of RFC 8839 §5.1.
        candidates: Vec<String>,
        /// No candidate will follow.
        end: bool,
    },
    /// A device accepted. Told to the caller and to this device.
    Accepted {
        /// The device.
        party: PartyId,
        /// Caller: the callee's text.
        #[serde(default)]
        call_start_message: Option<String>,
    },
    /// The peer's microphone.
    PeerMuted {
        /// Off (`true`) or on.
        muted: bool,
    },
    /// The peer put the call on hold, or takes it up again.
    PeerHeld {
        /// On hold (`true`) or not.
        held: bool,
        /// The text of the peer's application.
        #[serde(default)]
        reason: Option<String>,
    },
    /// Callee: the caller opens its commitment.
    Reveal {
        /// The nonce, lower-case hexadecimal.
        nonce: String,
    },
    /// The call is over. Nothing about it follows.
    Ended {
        /// Why.
        reason: DisconnectReason,
        /// Who ended it.
        source: DisconnectSource,
        /// The release phrase of the other side's application.
        #[serde(default)]
        user_code: Option<String>,
    },
    /// Only the acknowledgement in the envelope.
    Ack,
    /// The server is there.
    Pong,
    /// The connection is about to be closed.
    Error {
        /// Why, as a disconnect reason.
        reason: DisconnectReason,
        /// For a developer's log.
        #[serde(default)]
        message: String,
    },
    /// A type of a newer version; ignored.
    #[serde(other)]
    Unknown,
}

/// Lets a client in.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Welcome {
    /// Name of the session, for logs.
    pub session: String,
    /// Opaque; presented in a later `hello`, it takes this session up again.
    pub resume: String,
    /// How often the client says `ping`, in ms.
    pub heartbeat_ms: u32,
    /// True when the numbering goes on where it was, and the envelope's `ack` says what had arrived. False when it starts
    /// at 1: a new session, or a server that lost its memory of this one.
    pub resumed: bool,
    /// For candidates beyond the own interfaces.
    #[serde(default)]
    pub ice_servers: Vec<IceServer>,
    /// What the service wants of its clients.
    #[serde(default)]
    pub policy: Policy,
}

/// A STUN or TURN server (RFC 7064, RFC 7065).
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IceServer {
    /// `stun:host:port` or `turn:host:port?transport=udp`.
    pub urls: Vec<String>,
    /// For TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// For TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// Settings of the service for its clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// The media path may be built before the accept.
    pub pre_connect: bool,
    /// `evt_verified` waits no longer than this for the media path, in ms.
    pub verified_after_ms: u32,
    /// Time from the accept to a media path, in ms.
    pub connect_timeout_ms: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            pre_connect: true,
            verified_after_ms: 1_000,
            connect_timeout_ms: 15_000,
        }
    }
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Caller {
    /// The caller.
    pub user_id: UserId,
    /// The caller's service.
    pub service_id: ServiceId,
}

/// Confirms a call to one device of the callee.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Verified {
    /// The call.
    pub sid: CallId,
    /// The number of this device.
    pub party: PartyId,
    /// Who calls.
    pub caller: Caller,
    /// What kind of call.
    #[serde(default)]
    pub media_type: MediaType,
    /// The caller's text.
    #[serde(default)]
    pub call_start_message: Option<String>,
    /// The caller's end, for the first device. For a further one it follows in a `description`.
    #[serde(default)]
    pub description: Option<Box<SessionDescription>>,
    /// The caller's candidates so far, beyond those in the description.
    #[serde(default)]
    pub candidates: Vec<String>,
    /// No candidate of the caller will follow.
    #[serde(default)]
    pub end_of_candidates: bool,
}

impl fmt::Debug for Welcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The resume token is a credential.
        f.debug_struct("Welcome")
            .field("session", &self.session)
            .field("resumed", &self.resumed)
            .field("ice_servers", &self.ice_servers)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer")
            .field("urls", &self.urls)
            .finish_non_exhaustive()
    }
}

impl Message for ServerMessage {
    fn numbering(&self) -> Numbering {
        match self {
            Self::Welcome(_) | Self::Ack | Self::Pong | Self::Error { .. } => Numbering::Unnumbered,
            Self::Unknown => Numbering::Unknown,
            _ => Numbering::Numbered,
        }
    }

    fn ack() -> Self {
        Self::Ack
    }

    fn validate(&self) -> Result<(), Invalid> {
        match self {
            Self::Welcome(welcome) => {
                text("session", &welcome.session, limits::TOKEN)?;
                text("resume", &welcome.resume, limits::TOKEN)?;
                if welcome.ice_servers.len() > limits::ICE_SERVERS {
                    return Err(Invalid::TooMany {
                        field: "ice_servers",
                        limit: limits::ICE_SERVERS,
                    });
                }
                for server in &welcome.ice_servers {
                    if server.urls.len() > limits::ICE_SERVERS {
                        return Err(Invalid::TooMany {
                            field: "urls",
                            limit: limits::ICE_SERVERS,
                        });
                    }
                    server
                        .urls
                        .iter()
                        .try_for_each(|url| text("urls", url, limits::TOKEN))?;
                    optional("username", server.username.as_ref(), limits::TOKEN)?;
                    optional("credential", server.credential.as_ref(), limits::TOKEN)?;
                }
                Ok(())
            }
            Self::Verified(verified) => {
                optional(
                    "call_start_message",
                    verified.call_start_message.as_ref(),
                    limits::CALL_START_MESSAGE,
                )?;
                description::candidates(&verified.candidates)?;
                verified
                    .description
                    .as_ref()
                    .map_or(Ok(()), |description| description.validate())
            }
            Self::Description { description, .. } => description.validate(),
            Self::Candidates { candidates, .. } => description::candidates(candidates),
            Self::Accepted { call_start_message, .. } => optional(
                "call_start_message",
                call_start_message.as_ref(),
                limits::CALL_START_MESSAGE,
            ),
            Self::Reveal { nonce } => text("nonce", nonce, limits::TEXT),
            Self::PeerHeld { reason, .. } => optional("reason", reason.as_ref(), limits::HOLD_REASON),
            Self::Ended { user_code, .. } => optional("user_code", user_code.as_ref(), limits::RELEASE_PHRASE),
            Self::Error { message, .. } => text("message", message, limits::TOKEN),
            Self::CallCreated { .. }
            | Self::WaitConnected
            | Self::PeerVerified { .. }
            | Self::PeerLeft { .. }
            | Self::PeerMuted { .. }
            | Self::Ack
            | Self::Pong
            | Self::Unknown => Ok(()),
        }
    }
}
