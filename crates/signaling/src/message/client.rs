//! What a client says.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Invalid, Message, Numbering, optional, text};
use crate::description::{self, MediaType, SessionDescription};
use crate::ids::{PartyId, ServiceId, UserId};
use crate::{DisconnectReason, limits};

/// A message of a client. `hello`, `ack` and `ping` are not numbered, see [`link`](crate::link).
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClientMessage {
    /// The first message on a connection.
    Hello(Box<Hello>),
    /// Caller: make a call.
    MakeCall(Box<MakeCall>),
    /// Callee: is this call real, and who calls?
    VerifyCall {
        /// The push's token of the call.
        cc_param: String,
    },
    /// How the sender is reached. The caller's first one travels in [`ClientMessage::MakeCall`].
    Description {
        /// Caller: the device that is meant. The callee may leave it out.
        #[serde(default)]
        party: Option<PartyId>,
        /// The sender's end.
        description: Box<SessionDescription>,
    },
    /// More candidates of the sender.
    Candidates {
        /// Caller: the device that is meant; none means every device that answers the first description.
        #[serde(default)]
        party: Option<PartyId>,
        /// Which start of the path they belong to.
        #[serde(default)]
        generation: u32,
        /// As the value of RFC 8839 §5.1.
        candidates: Vec<String>,
        /// No candidate will follow.
        #[serde(default)]
        end: bool,
    },
    /// Callee: accept.
    Accept {
        /// Text for the caller.
        #[serde(default)]
        call_start_message: Option<String>,
    },
    /// Caller: proven audio of the only device that verified was heard, which is as good as its accept.
    AcceptedByMedia {
        /// The device.
        party: PartyId,
    },
    /// The sender counts the call as connected: accepted, and the media path is up.
    Connected {
        /// The callee's device.
        party: PartyId,
    },
    /// The sender's microphone.
    Mute {
        /// Off (`true`) or on.
        muted: bool,
    },
    /// The sender put the call on hold, or takes it up again.
    Hold {
        /// On hold (`true`) or not.
        held: bool,
        /// The application's text for the peer.
        #[serde(default)]
        reason: Option<String>,
    },
    /// The call is over for the sender.
    End {
        /// Why; none means the ordinary reason for the state of the call.
        #[serde(default)]
        reason: Option<DisconnectReason>,
        /// The application's release phrase.
        #[serde(default)]
        user_code: Option<String>,
        /// The sender was told over the media path that the other side ended it.
        #[serde(default)]
        by_remote: bool,
    },
    /// Caller: opens its commitment, to the chosen device only.
    Reveal {
        /// The nonce, lower-case hexadecimal.
        nonce: String,
    },
    /// Only the acknowledgement in the envelope.
    Ack,
    /// Is the server there?
    Ping,
    /// A type of a newer version; ignored.
    #[serde(other)]
    Unknown,
}

/// Introduces a client. Exactly one of token, `cc_param` and resume token is needed to be let in; a service may ask for
/// a token beside the `cc_param`.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`](crate::VERSION) of the client.
    pub version: u32,
    /// The own service.
    pub service_id: ServiceId,
    /// The own user.
    pub user_id: UserId,
    /// JWT of the app server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    /// The push's token of a call, for a callee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cc_param: Option<String>,
    /// Name and version of the SDK.
    #[serde(default)]
    pub sdk: String,
    /// Takes up an earlier session. The envelope's `ack` says what has arrived of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<String>,
    /// Stable name of the device, chosen by the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_key: Option<String>,
}

/// Asks for a call.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MakeCall {
    /// The callee.
    pub peer_id: UserId,
    /// The callee's service.
    pub peer_service_id: ServiceId,
    /// What kind of call.
    #[serde(default)]
    pub media_type: MediaType,
    /// Text for the app server.
    #[serde(default)]
    pub app_server_data: Option<String>,
    /// Text for the callee.
    #[serde(default)]
    pub call_start_message: Option<String>,
    /// The caller's end of the media path. None while no address may be shown before the accept.
    #[serde(default)]
    pub description: Option<Box<SessionDescription>>,
}

impl fmt::Debug for Hello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Tokens are credentials.
        f.debug_struct("Hello")
            .field("version", &self.version)
            .field("service_id", &self.service_id)
            .field("user_id", &self.user_id)
            .field("sdk", &self.sdk)
            .field("access_token", &self.access_token.is_some())
            .field("cc_param", &self.cc_param.is_some())
            .field("resume", &self.resume.is_some())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ClientMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `cc_param` and the nonce are secrets, the texts are the users', candidates are addresses.
        match self {
            Self::Hello(hello) => hello.fmt(f),
            Self::MakeCall(make) => make.fmt(f),
            Self::VerifyCall { .. } => f.write_str("VerifyCall"),
            Self::Description { party, description } => f
                .debug_struct("Description")
                .field("party", party)
                .field("description", description)
                .finish(),
            Self::Candidates {
                party, candidates, end, ..
            } => f
                .debug_struct("Candidates")
                .field("party", party)
                .field("candidates", &candidates.len())
                .field("end", end)
                .finish_non_exhaustive(),
            Self::Accept { .. } => f.write_str("Accept"),
            Self::AcceptedByMedia { party } => f.debug_tuple("AcceptedByMedia").field(&party.0).finish(),
            Self::Connected { party } => f.debug_tuple("Connected").field(&party.0).finish(),
            Self::Mute { muted } => f.debug_tuple("Mute").field(muted).finish(),
            Self::Hold { held, .. } => f.debug_tuple("Hold").field(held).finish(),
            Self::End { reason, by_remote, .. } => f
                .debug_struct("End")
                .field("reason", reason)
                .field("by_remote", by_remote)
                .finish_non_exhaustive(),
            Self::Reveal { .. } => f.write_str("Reveal"),
            Self::Ack => f.write_str("Ack"),
            Self::Ping => f.write_str("Ping"),
            Self::Unknown => f.write_str("Unknown"),
        }
    }
}

impl Message for ClientMessage {
    fn numbering(&self) -> Numbering {
        match self {
            Self::Hello(_) | Self::Ack | Self::Ping => Numbering::Unnumbered,
            Self::Unknown => Numbering::Unknown,
            _ => Numbering::Numbered,
        }
    }

    fn ack() -> Self {
        Self::Ack
    }

    fn validate(&self) -> Result<(), Invalid> {
        match self {
            Self::Hello(hello) => {
                optional("access_token", hello.access_token.as_ref(), limits::ACCESS_TOKEN)?;
                optional("cc_param", hello.cc_param.as_ref(), limits::CC_PARAM)?;
                optional("resume", hello.resume.as_ref(), limits::TOKEN)?;
                optional("device_key", hello.device_key.as_ref(), limits::TOKEN)?;
                text("sdk", &hello.sdk, limits::TOKEN)
            }
            Self::MakeCall(make) => {
                optional(
                    "app_server_data",
                    make.app_server_data.as_ref(),
                    limits::APP_SERVER_DATA,
                )?;
                optional(
                    "call_start_message",
                    make.call_start_message.as_ref(),
                    limits::CALL_START_MESSAGE,
                )?;
                make.description
                    .as_ref()
                    .map_or(Ok(()), |description| description.validate())
            }
            Self::VerifyCall { cc_param } => text("cc_param", cc_param, limits::CC_PARAM),
            Self::Description { description, .. } => description.validate(),
            Self::Candidates { candidates, .. } => description::candidates(candidates),
            Self::Accept { call_start_message } => optional(
                "call_start_message",
                call_start_message.as_ref(),
                limits::CALL_START_MESSAGE,
            ),
            Self::Hold { reason, .. } => optional("reason", reason.as_ref(), limits::HOLD_REASON),
            Self::End { user_code, .. } => optional("user_code", user_code.as_ref(), limits::RELEASE_PHRASE),
            Self::Reveal { nonce } => text("nonce", nonce, limits::TEXT),
            Self::AcceptedByMedia { .. }
            | Self::Connected { .. }
            | Self::Mute { .. }
            | Self::Ack
            | Self::Ping
            | Self::Unknown => Ok(()),
        }
    }
}
