//! How a call ended, as an exit code.

use std::process::ExitCode;

/// The outcome of a command that makes or answers a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Connected, and ended without a fault.
    Ended,
    /// Nobody answered, or nobody called in time.
    NoAnswer,
    /// The callee said no.
    Declined,
    /// The callee, or this user on another device, is in another call.
    Busy,
    /// The server refused: token, identifiers, limits.
    Refused,
    /// A fault of the network or of reaching the server.
    Network,
    /// The app server or the push failed.
    Push,
    /// Any other end.
    Other,
}

impl Outcome {
    /// The outcome for a disconnect reason's number; `connected` says whether the call had been connected.
    pub(crate) fn from_reason(code: u16, connected: bool) -> Self {
        match code {
            1001 if connected => Self::Ended,
            1203 => Self::NoAnswer,
            1002 | 1207 => Self::Declined,
            1202 | 1204 | 1205 => Self::Busy,
            1303 | 1304 | 1206 | 1501..=1505 | 1511 | 1512 => Self::Refused,
            1301 | 1308 | 1312 | 1506..=1510 => Self::Network,
            1302 | 1313 => Self::Push,
            _ => Self::Other,
        }
    }

    /// The exit code that the help text of `duologue call` documents.
    pub(crate) fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Ended => 0,
            Self::NoAnswer => 3,
            Self::Declined => 4,
            Self::Busy => 5,
            Self::Refused => 6,
            Self::Network => 7,
            Self::Push => 8,
            Self::Other => 9,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Outcome;

    #[test]
    fn reasons_have_the_documented_outcomes() {
        for (code, connected, outcome) in [
            (1001, true, Outcome::Ended),
            (1001, false, Outcome::Other),
            (1002, false, Outcome::Declined),
            (1201, false, Outcome::Other),
            (1202, false, Outcome::Busy),
            (1203, false, Outcome::NoAnswer),
            (1301, true, Outcome::Network),
            (1302, false, Outcome::Push),
            (1501, false, Outcome::Refused),
            (1509, false, Outcome::Network),
            (1512, false, Outcome::Refused),
        ] {
            assert_eq!(Outcome::from_reason(code, connected), outcome, "{code}");
        }
    }
}
