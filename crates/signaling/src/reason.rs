//! Why a call ended, and who ended it: one numbering for clients, server and app server.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Who ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DisconnectSource {
    /// Not known.
    Undefined = 0,
    /// The callee.
    Callee = 1,
    /// The caller.
    Caller = 2,
    /// A participant of a group call.
    Participant = 3,
    /// The call server.
    CloudServer = 4,
    /// The app server.
    AppServer = 5,
}

impl DisconnectSource {
    /// The documented number (`releaser_type`).
    pub fn value(self) -> u8 {
        self as u8
    }

    /// The documented string.
    pub fn name(self) -> &'static str {
        match self {
            Self::Undefined => "undefined",
            Self::Callee => "callee",
            Self::Caller => "caller",
            Self::Participant => "participant",
            Self::CloudServer => "cloud_server",
            Self::AppServer => "app_server",
        }
    }

    /// The source of a number; `Undefined` for one that is not documented.
    pub fn from_value(value: u8) -> Self {
        match value {
            1 => Self::Callee,
            2 => Self::Caller,
            3 => Self::Participant,
            4 => Self::CloudServer,
            5 => Self::AppServer,
            _ => Self::Undefined,
        }
    }
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $text:literal, [$($source:ident)+];)+) => {
        /// Why a call ended: the documented codes that a 1-to-1 call can have.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum DisconnectReason {
            $($(#[doc = $doc])+ $name = $code,)+
        }

        impl DisconnectReason {
            /// Every reason, by code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The documented string, as `strCode` has it.
            pub fn str_code(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The reason of a code.
            pub fn from_code(code: u16) -> Option<Self> {
                match code { $($code => Some(Self::$name),)+ _ => None }
            }

            /// The reason of a documented string.
            pub fn from_str_code(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)+ _ => None }
            }

            /// Who may give this reason, as documented.
            pub fn sources(self) -> &'static [DisconnectSource] {
                match self { $(Self::$name => &[$(DisconnectSource::$source),+],)+ }
            }
        }
    };
}

reasons! {
    /// Ended without any fault.
    Normal = 1001, "NORMAL", [Callee Caller Participant];
    /// The callee refused.
    Decline = 1002, "DECLINE", [Callee CloudServer];
    /// A cellular call came in during the call.
    CellCall = 1003, "CELL_CALL", [Callee Caller Participant];
    /// Internal fault.
    InternalError = 1109, "INTERNAL_ERROR", [Callee Caller Participant CloudServer];
    /// A fault that the application defined; comes with its release phrase.
    UserError = 1110, "USER_ERROR", [Callee Caller AppServer];
    /// Fault of the operating system layer.
    InternalKitError = 1111, "INTERNAL_KIT_ERROR", [Callee Caller Participant];
    /// The audio source delivered nothing for a while.
    AudioTxNoSrc = 1112, "AUDIO_TX_NO_SRC", [Callee Caller Participant];
    /// The caller gave up before the answer.
    Cancel = 1201, "CANCEL", [Caller];
    /// The callee is in another call.
    Busy = 1202, "BUSY", [Callee];
    /// No answer within the ring time.
    NoAnswer = 1203, "NOANSWER", [Caller];
    /// The caller is itself being called by the callee.
    AlreadyGotACall = 1204, "ALREADY_GOT_A_CALL", [CloudServer];
    /// The same user is in a call on another device.
    MultidevInUse = 1205, "MULTIDEV_IN_USE", [CloudServer];
    /// Answered on another device of the callee.
    MultidevAnswer = 1206, "MULTIDEV_ANSWER", [CloudServer];
    /// Declined on another device of the callee.
    MultidevDecline = 1207, "MULTIDEV_DECLINE", [CloudServer];
    /// The longest allowed call time is reached.
    MaxCallTimeExceeded = 1208, "MAX_CALL_TIME_EXCEEDED", [CloudServer];
    /// The network is too poor to keep the call, or no media path could be built.
    NetworkUnstable = 1301, "NETWORK_UNSTABLE", [Callee Caller Participant CloudServer];
    /// The notify callback could not be reached or answered with a failure.
    PushError = 1302, "PUSH_ERROR", [CloudServer];
    /// Authentication failed: a forged `cc_param`, or a certificate that is not the signalled one. Clients find the
    /// latter themselves, so that they give this reason too.
    AuthError = 1303, "AUTH_ERROR", [CloudServer Callee Caller];
    /// The call was already over.
    ReleasedCall = 1304, "RELEASED_CALL", [CloudServer];
    /// Server fault.
    ServerInternalError = 1305, "SERVER_INTERNAL_ERROR", [CloudServer];
    /// The network was gone for longer than the announced time.
    UnavailableNetwork = 1308, "UNAVAILABLE_NETWORK", [Callee Caller Participant];
    /// The application ended or the device was switched off.
    AppDestroy = 1309, "APP_DESTROY", [Callee Caller Participant];
    /// The device went to sleep.
    SystemSleep = 1310, "SYSTEM_SLEEP", [Callee Caller Participant];
    /// The user's session was logged off.
    SystemLogoff = 1311, "SYSTEM_LOGOFF", [Callee Caller Participant];
    /// No connection because the MTU was exceeded.
    MtuExceeded = 1312, "MTU_EXCEEDED", [Callee Caller Participant];
    /// The app server's data could not be handed over.
    AppServerDataError = 1313, "APP_SERVER_DATA_ERROR", [CloudServer];
    /// The desktop was locked.
    DesktopScreenLocked = 1314, "DESKTOP_SCREEN_LOCKED", [Callee Caller Participant];
    /// The access token is not valid.
    ServiceAccessTokenError = 1501, "SERVICE_ACCESS_TOKEN_ERROR", [CloudServer];
    /// A forbidden character in a user or service id, or an unknown service.
    ServiceInvalidId = 1502, "SERVICE_INVALID_ID", [CloudServer];
    /// Maintenance.
    ServiceMaintenance = 1503, "SERVICE_MAINTENANCE", [CloudServer];
    /// The server is busy.
    ServiceBusy = 1504, "SERVICE_BUSY", [CloudServer];
    /// Fault of the gateway.
    ServiceInternalError = 1505, "SERVICE_INTERNAL_ERROR", [CloudServer];
    /// An HTTP request was impossible.
    ServiceHttpError = 1506, "SERVICE_HTTP_ERROR", [Callee Caller Participant];
    /// The HTTP connection timed out.
    ServiceHttpConnectionTimeOut = 1507, "SERVICE_HTTP_CONNECTION_TIME_OUT", [Callee Caller Participant];
    /// The server's certificate was not accepted.
    ServiceHttpInvalidPeerCert = 1508, "SERVICE_HTTP_INVALID_PEER_CERT", [Callee Caller Participant];
    /// The HTTP connection failed.
    ServiceHttpConnectFail = 1509, "SERVICE_HTTP_CONNECT_FAIL", [Callee Caller Participant];
    /// The URL is bad or its name could not be resolved.
    ServiceHttpInvalidUrl = 1510, "SERVICE_HTTP_INVALID_URL", [Callee Caller Participant];
    /// The client is too old.
    ServiceIncompatiblePlanetkitVer = 1511, "SERVICE_INCOMPATIBLE_PLANETKIT_VER", [CloudServer];
    /// Too many attempts in a short time, or too many devices.
    ServiceTooManyRequests = 1512, "SERVICE_TOO_MANY_REQUESTS", [CloudServer];
}

impl DisconnectReason {
    /// The documented code.
    pub fn code(self) -> u16 {
        self as u16
    }

    /// True when `source` may give this reason.
    pub fn may_come_from(self, source: DisconnectSource) -> bool {
        self.sources().contains(&source)
    }

    /// True for the reasons that only a device of the callee is told, because another of its devices decided.
    pub fn is_multidev(self) -> bool {
        matches!(self, Self::MultidevInUse | Self::MultidevAnswer | Self::MultidevDecline)
    }
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code(), self.str_code())
    }
}

impl fmt::Display for DisconnectSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for DisconnectReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.code())
    }
}

/// A code that is not known here was given by a newer peer. The call has ended all the same, so it is read as
/// [`DisconnectReason::InternalError`] rather than refused.
impl<'de> Deserialize<'de> for DisconnectReason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from_code(u16::deserialize(deserializer)?).unwrap_or(Self::InternalError))
    }
}

impl Serialize for DisconnectSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.value())
    }
}

impl<'de> Deserialize<'de> for DisconnectSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from_value(u8::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests;
