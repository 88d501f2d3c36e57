//! What an engine is made with, and told.

use std::fmt;
use std::time::Duration;

use duologue_signaling::client::{self, CalleeParams, CallerParams};
use duologue_signaling::message::Hello;

use crate::config::CandidateMap;
use crate::{IcePolicy, RelayProtocol};

/// Which end of the call this is.
#[derive(Debug, Clone)]
pub enum Role {
    /// It makes the call.
    Caller(CallerParams),
    /// It verifies a call that it was told of.
    Callee(CalleeParams),
}

impl Role {
    pub(super) fn kind(&self) -> client::Role {
        match self {
            Self::Caller(_) => client::Role::Caller,
            Self::Callee(_) => client::Role::Callee,
        }
    }

    /// How this end introduces itself to the server.
    pub(super) fn hello(&self) -> Hello {
        let (me, access_token, cc_param) = match self {
            Self::Caller(caller) => (&caller.me, Some(caller.access_token.clone()), None),
            Self::Callee(callee) => (&callee.me, callee.access_token.clone(), Some(callee.cc_param.clone())),
        };
        Hello {
            version: duologue_signaling::VERSION,
            service_id: me.service_id.clone(),
            user_id: me.user_id.clone(),
            access_token,
            cc_param,
            sdk: concat!("duologue/", env!("CARGO_PKG_VERSION")).into(),
            resume: None,
            device_key: None,
        }
    }
}

/// How an engine works.
#[derive(Clone)]
pub struct Config {
    /// Which end of the call this is, and for whom.
    pub role: Role,
    /// Loopback candidates are used, of either side.
    pub loopback: bool,
    /// The media path may be built before the accept.
    pub pre_connect: bool,
    /// Which addresses the peer may learn, and when.
    pub ice_policy: IcePolicy,
    /// How relays may be reached.
    pub relay_protocols: Vec<RelayProtocol>,
    /// Host candidates hide behind mDNS names.
    pub mdns_hiding: bool,
    /// DTLS may be carried inside STUN checks. Default true.
    pub dtls_in_stun: bool,
    /// How long a silent peer is waited for during the call. Default 30 s.
    pub patience: Duration,
    /// Rewrites candidates before the peer is told of them.
    pub candidate_map: Option<CandidateMap>,
    /// Media settings; SSRC and CNAME are drawn from the seed.
    pub media: duologue_media::Config,
    /// For how long the server is tried after the end of the call, until it knows of it. Default 60 s.
    pub tell_timeout: Duration,
}

impl Config {
    /// Defaults for this role.
    pub fn new(role: Role) -> Self {
        Self {
            role,
            loopback: false,
            pre_connect: true,
            ice_policy: IcePolicy::All,
            relay_protocols: vec![RelayProtocol::Udp, RelayProtocol::Tcp, RelayProtocol::Tls],
            mdns_hiding: false,
            dtls_in_stun: true,
            patience: Duration::from_secs(30),
            candidate_map: None,
            media: duologue_media::Config::default(),
            tell_timeout: Duration::from_secs(60),
        }
    }
}

/// What the application wants. Texts were checked for their length.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// Callee: accept.
    Accept {
        /// Text for the caller.
        call_start_message: Option<String>,
    },
    /// End the call.
    End {
        /// The application's release phrase.
        phrase: Option<String>,
        /// USER_ERROR instead of the ordinary reason.
        error: bool,
    },
    /// Microphone off (`true`) or on.
    Mute(bool),
    /// On hold (`true`), with a reason, or not.
    Hold {
        /// Nothing is sent or played.
        held: bool,
        /// Text for the peer.
        reason: Option<String>,
    },
}

/// An engine cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// No certificate.
    #[error("no certificate: {0}")]
    Certificate(#[from] duologue_transport::CertificateError),
    /// No media.
    #[error("no media: {0}")]
    Media(#[from] duologue_media::MediaError),
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("role", &self.role)
            .field("loopback", &self.loopback)
            .field("pre_connect", &self.pre_connect)
            .field("ice_policy", &self.ice_policy)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The texts are the users'.
        f.write_str(match self {
            Self::Accept { .. } => "Accept",
            Self::End { error: true, .. } => "EndWithError",
            Self::End { .. } => "End",
            Self::Hold { held: true, .. } => "Hold",
            Self::Hold { held: false, .. } => "Unhold",
            Self::Mute(true) => "Mute",
            Self::Mute(false) => "Unmute",
        })
    }
}
