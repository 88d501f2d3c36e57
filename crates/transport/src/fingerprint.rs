use std::{fmt, str::FromStr};

use aws_lc_rs::digest;

use crate::error::FingerprintError;

/// A certificate fingerprint as signalled in a session description (RFC 8122 §5).
///
/// `Display` writes `sha-256 AB:CD:…`, the value of an SDP `fingerprint` attribute, and `FromStr` reads it back. Any
/// algorithm name can be carried; only `sha-256`, `sha-384` and `sha-512` can be checked, the others never match.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// Name of the hash function in lower case, for example `sha-256`.
    pub algorithm: String,
    /// The hash of the certificate's DER encoding.
    pub value: Vec<u8>,
}

impl Fingerprint {
    /// The SHA-256 fingerprint of a certificate in DER.
    #[must_use]
    pub fn sha256(certificate: &[u8]) -> Self {
        Self {
            algorithm: "sha-256".to_owned(),
            value: digest::digest(&digest::SHA256, certificate).as_ref().to_vec(),
        }
    }

    /// How much the algorithm is preferred, greater is better; `None` for one that is not accepted.
    ///
    /// SHA-1 and MD5 are not accepted: a certificate that collides with an honest one must not pass.
    pub(crate) fn strength(&self) -> Option<usize> {
        let digest = self.digest()?;
        (self.value.len() == digest.output_len()).then(|| digest.output_len())
    }

    /// Whether this is the fingerprint of `certificate` (DER).
    #[must_use]
    pub fn matches(&self, certificate: &[u8]) -> bool {
        self.digest()
            .is_some_and(|algorithm| digest::digest(algorithm, certificate).as_ref() == self.value)
    }

    fn digest(&self) -> Option<&'static digest::Algorithm> {
        match self.algorithm.as_str() {
            "sha-256" => Some(&digest::SHA256),
            "sha-384" => Some(&digest::SHA384),
            "sha-512" => Some(&digest::SHA512),
            _ => None,
        }
    }
}

/// Whether `certificate` (DER) is the one that was signalled.
///
/// RFC 8122 §5: the fingerprints of the most preferred hash function that is understood decide, so that a weak hash
/// beside a strong one gives no way around the strong one.
pub(crate) fn any_matches(fingerprints: &[Fingerprint], certificate: &[u8]) -> bool {
    let Some(best) = fingerprints.iter().filter_map(Fingerprint::strength).max() else {
        return false;
    };
    fingerprints
        .iter()
        .any(|f| f.strength() == Some(best) && f.matches(certificate))
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.algorithm)?;
        for (i, byte) in self.value.iter().enumerate() {
            let colon = if i == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (algorithm, hex) = text.trim().split_once(' ').ok_or(FingerprintError::Malformed)?;
        if algorithm.is_empty()
            || algorithm.len() > 32
            || !algorithm.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        {
            return Err(FingerprintError::Malformed);
        }
        let hex = hex.trim_start();
        // The longest known hash has 64 bytes: anything much longer is not a fingerprint.
        if hex.len() > 64 * 3 {
            return Err(FingerprintError::Malformed);
        }
        let value = hex
            .split(':')
            .map(|pair| {
                let digits = pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit());
                digits
                    .then(|| u8::from_str_radix(pair, 16).ok())
                    .flatten()
                    .ok_or(FingerprintError::Malformed)
            })
            .collect::<Result<Vec<u8>, _>>()?;
        Ok(Self {
            algorithm: algorithm.to_ascii_lowercase(),
            value,
        })
    }
}

#[cfg(test)]
mod tests;
