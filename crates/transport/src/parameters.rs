use std::{fmt, str::FromStr};

use crate::{Fingerprint, error::ParametersError};

/// Who opens the DTLS association (RFC 8842 §5.1, the SDP `setup` attribute).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Setup {
    /// We send the ClientHello.
    Active,
    /// We wait for it.
    Passive,
    /// The other side chooses: only in an offer.
    ActPass,
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::ActPass => "actpass",
        })
    }
}

impl FromStr for Setup {
    type Err = SetupError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "active" => Ok(Self::Active),
            "passive" => Ok(Self::Passive),
            "actpass" => Ok(Self::ActPass),
            _ => Err(SetupError),
        }
    }
}

/// Not one of `active`, `passive`, `actpass`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one of active, passive, actpass")]
pub struct SetupError;

/// What one side of a transport tells the other through signalling.
#[derive(Clone, PartialEq, Eq)]
pub struct Parameters {
    /// ICE user name fragment, 4 to 256 characters (RFC 8839 §5.4).
    pub ufrag: String,
    /// ICE password, 22 to 256 characters (RFC 8839 §5.4). A secret between the two sides and their signalling.
    pub pwd: String,
    /// Hashes of the certificate that will be used, at least one of them SHA-256 or better.
    pub fingerprints: Vec<Fingerprint>,
    /// The DTLS role wanted or chosen.
    pub setup: Setup,
}

impl Parameters {
    pub(crate) fn check(&self) -> Result<(), ParametersError> {
        // RFC 8839 §5.4 allows letters, digits, + and /. Other printable characters are harmless, but for the colon,
        // where the STUN user name is split.
        let tolerated = |s: &str| s.bytes().all(|b| b.is_ascii_graphic() && b != b':');
        let fits = |s: &str, min: usize| (min..=256).contains(&s.len()) && tolerated(s);
        if !fits(&self.ufrag, 4) || !fits(&self.pwd, 22) {
            return Err(ParametersError::Credentials);
        }
        if !self.fingerprints.iter().any(|f| f.strength().is_some()) {
            return Err(ParametersError::NoUsableFingerprint {
                count: self.fingerprints.len(),
            });
        }
        Ok(())
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parameters")
            .field("ufrag", &self.ufrag)
            .field("pwd", &"…")
            .field("fingerprints", &self.fingerprints)
            .field("setup", &self.setup)
            .finish()
    }
}
