//! What a caller can do wrong. Bytes from the network never end up here.

/// A certificate could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The crypto library failed to make or use a key pair.
    #[error("the crypto library could not make an ECDSA P-256 key pair")]
    KeyGeneration,
    /// The crypto library failed to sign the certificate.
    #[error("the crypto library could not sign the certificate")]
    Signing,
}

/// A fingerprint's text cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FingerprintError {
    /// Not `<algorithm> <hex>:<hex>:…`.
    #[error("not of the form \"sha-256 AB:CD:…\"")]
    Malformed,
}

/// The peer's parameters cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParametersError {
    /// None of the fingerprints is a SHA-256, -384 or -512 hash, so the peer could never be recognised.
    #[error("no fingerprint with a supported hash among {count}")]
    NoUsableFingerprint {
        /// How many fingerprints there were.
        count: usize,
    },
    /// The ICE user name fragment or password has a length or character that RFC 8839 §5.4 does not allow.
    #[error("malformed ICE credentials")]
    Credentials,
    /// Both sides insist on the same DTLS role.
    #[error("both sides want the DTLS role {setup:?}")]
    SetupConflict {
        /// The role both want.
        setup: crate::Setup,
    },
    /// Parameters had been set before and these name another certificate or role: that takes a new transport.
    #[error("the peer's fingerprints or role changed")]
    Changed,
    /// The transport was closed or has failed.
    #[error("the transport is closed")]
    Closed,
}

/// A candidate or address cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CandidateError {
    /// Not a candidate attribute of RFC 8839 §5.1.
    #[error("not a candidate attribute: {text:?}")]
    Malformed {
        /// The text, cut to 80 characters.
        text: String,
    },
    /// The ICE agent takes no more, or the address cannot be a candidate (unspecified, multicast, loopback without
    /// [`Config::loopback`](crate::Config::loopback)).
    #[error("refused by the ICE agent: {reason}")]
    Refused {
        /// What the agent said.
        reason: String,
    },
    /// The transport was closed or has failed.
    #[error("the transport is closed")]
    Closed,
}

/// A packet cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// No [`Event::Connected`](crate::Event::Connected) yet.
    #[error("the transport is not connected yet")]
    NotConnected,
    /// The peer's consent to receive is lost at the moment (RFC 7675 §5.1: nothing may be sent).
    #[error("the path is interrupted")]
    Interrupted,
    /// The transport was closed or has failed.
    #[error("the transport is closed")]
    Closed,
    /// The packet is not valid RTP or RTCP, or too long.
    #[error(transparent)]
    Packet(#[from] PacketError),
}

/// Why a packet of the caller's own cannot be protected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PacketError {
    /// Not a packet of its kind, too long, or out of the range the cipher allows.
    #[error("the packet cannot be protected: {reason}")]
    Unprotectable {
        /// What the SRTP context said.
        reason: String,
    },
}
