//! Errors: what a caller asked that cannot be done.

use std::net::SocketAddr;

/// Why a candidate was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CandidateError {
    /// The table of candidates is full.
    #[error("already {limit} candidates")]
    TooMany {
        /// The most that are kept.
        limit: usize,
    },
    /// The address cannot be a candidate: unspecified, multicast, port 0, or of a scope that is not used.
    #[error("{address} cannot be a candidate")]
    UnusableAddress {
        /// The address.
        address: SocketAddr,
    },
    /// A loopback address while [`Config::loopback`](crate::Config::loopback) is off.
    #[error("loopback address {address} is not allowed")]
    Loopback {
        /// The address.
        address: SocketAddr,
    },
    /// Only component 1 exists: RTP and RTCP share one.
    #[error("component {component} is not used")]
    Component {
        /// The component of the candidate.
        component: u16,
    },
    /// The agent is closed.
    #[error("the agent is closed")]
    Closed,
}

/// Why a candidate attribute could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// Longer than any candidate can be.
    #[error("{length} bytes are too long")]
    TooLong {
        /// Length of the text.
        length: usize,
    },
    /// The text ends before this field.
    #[error("field {field} is missing")]
    Missing {
        /// Name of the field.
        field: &'static str,
    },
    /// This field has no valid value.
    #[error("field {field} is not valid")]
    Invalid {
        /// Name of the field.
        field: &'static str,
    },
    /// Another transport than UDP: such a candidate is to be ignored, not reported (RFC 8839 §5.1).
    #[error("transport is not UDP")]
    Transport,
}
