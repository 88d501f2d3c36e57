//! What one device tells another about its end of the media path: structured, not SDP.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::PartyId;
use crate::limits;
use crate::message::Invalid;

/// What kind of call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MediaType {
    /// Voice.
    #[default]
    Audio,
}

impl MediaType {
    /// The letter that the callbacks' `type` field has.
    pub fn letter(self) -> char {
        match self {
            Self::Audio => 'A',
        }
    }
}

/// One end of a media path, version 1. Fields that are not known are ignored.
#[derive(Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionDescription {
    /// Version of this structure: 1.
    pub v: u32,
    /// The device that describes itself. The server overwrites it, so that the receiver can rely on it.
    pub party: Option<PartyId>,
    /// Counts the restarts of the path, from 0.
    pub generation: u32,
    /// ICE user name fragment (RFC 8839 §5.4).
    pub ufrag: String,
    /// ICE password (RFC 8839 §5.4).
    pub pwd: String,
    /// ICE options: `trickle`, `renomination`, `lite`.
    pub options: Vec<String>,
    /// Candidates known so far, as the value of RFC 8839 §5.1.
    pub candidates: Vec<String>,
    /// No candidate will follow.
    pub end_of_candidates: bool,
    /// Fingerprints of the DTLS certificate.
    pub fingerprints: Vec<Fingerprint>,
    /// DTLS role (RFC 8842 §5).
    pub setup: Setup,
    /// Caller: commitment to its fingerprint and nonce, for the verification code; lower-case hexadecimal.
    pub commit: Option<String>,
    /// Callee: its nonce for the verification code; lower-case hexadecimal.
    pub nonce: Option<String>,
    /// Payload formats, best first. An answer repeats payload types of the offer.
    pub codecs: Vec<Codec>,
    /// RTP header extensions (RFC 8285).
    pub extmap: Vec<HeaderExtension>,
    /// Identification tag of the stream (RFC 9143).
    pub mid: String,
    /// Synchronisation source of the sender.
    pub ssrc: u32,
    /// Canonical name of the sender (RFC 7022).
    pub cname: String,
    /// Who may send.
    pub direction: Direction,
    /// Length of a packet, in ms.
    pub ptime: u32,
}

/// A certificate's fingerprint, in the form of RFC 8122 §5.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Hash function: `sha-256` or a stronger one.
    pub algorithm: String,
    /// Upper-case hexadecimal bytes with colons between them.
    pub value: String,
}

/// DTLS role (RFC 8842 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Setup {
    /// Is the DTLS client.
    Active,
    /// Is the DTLS server.
    Passive,
    /// Offers to be either.
    #[default]
    ActPass,
}

/// Who may send, seen from the device that describes itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Both.
    #[default]
    SendRecv,
    /// Only this device.
    SendOnly,
    /// Only the other device.
    RecvOnly,
    /// Nobody.
    Inactive,
}

/// A payload format.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Codec {
    /// Encoding name: `opus`, `red`.
    pub name: String,
    /// RTP payload type.
    pub pt: u8,
    /// Clock rate in Hz.
    pub rate: u32,
    /// Channels on the wire (Opus always says 2, RFC 7587 §7).
    pub ch: u8,
    /// Format parameters, `name=value` separated by `;`.
    pub fmtp: String,
    /// RTCP feedback: `nack`, `transport-cc`.
    pub rtcp_fb: Vec<String>,
}

/// An RTP header extension.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HeaderExtension {
    /// Local identifier, 1 to 14.
    pub id: u8,
    /// What it means.
    pub uri: String,
}

impl fmt::Debug for SessionDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The password is a credential, candidates are addresses.
        f.debug_struct("SessionDescription")
            .field("party", &self.party)
            .field("generation", &self.generation)
            .field("ufrag", &self.ufrag)
            .field("candidates", &self.candidates.len())
            .field("setup", &self.setup)
            .field("codecs", &self.codecs)
            .finish_non_exhaustive()
    }
}

impl SessionDescription {
    /// Version of the structure that this crate writes.
    pub const VERSION: u32 = 1;

    /// Checks every length. Decoding calls it.
    pub fn validate(&self) -> Result<(), Invalid> {
        if self.v != Self::VERSION {
            return Err(Invalid::Description { field: "v" });
        }
        text("ufrag", &self.ufrag)?;
        text("pwd", &self.pwd)?;
        // RFC 8839 §5.4: at least 4 characters of name and 22 of password.
        if self.ufrag.len() < 4 {
            return Err(Invalid::Description { field: "ufrag" });
        }
        if self.pwd.len() < 22 {
            return Err(Invalid::Description { field: "pwd" });
        }
        if self.fingerprints.is_empty() {
            return Err(Invalid::Description { field: "fingerprints" });
        }
        candidates(&self.candidates)?;
        list("options", &self.options)?;
        list("fingerprints", &self.fingerprints)?;
        list("codecs", &self.codecs)?;
        list("extmap", &self.extmap)?;
        self.options.iter().try_for_each(|option| text("options", option))?;
        for fingerprint in &self.fingerprints {
            text("fingerprints", &fingerprint.algorithm)?;
            text("fingerprints", &fingerprint.value)?;
        }
        for codec in &self.codecs {
            text("codecs", &codec.name)?;
            text("codecs", &codec.fmtp)?;
            list("codecs", &codec.rtcp_fb)?;
            codec.rtcp_fb.iter().try_for_each(|feedback| text("codecs", feedback))?;
        }
        self.extmap
            .iter()
            .try_for_each(|extension| text("extmap", &extension.uri))?;
        text("mid", &self.mid)?;
        text("cname", &self.cname)?;
        [("commit", &self.commit), ("nonce", &self.nonce)]
            .into_iter()
            .try_for_each(|(field, value)| value.as_deref().map_or(Ok(()), |value| text(field, value)))
    }
}

/// Checks number and lengths of candidates.
pub(crate) fn candidates(candidates: &[String]) -> Result<(), Invalid> {
    if candidates.len() > limits::CANDIDATES {
        return Err(Invalid::TooMany {
            field: "candidates",
            limit: limits::CANDIDATES,
        });
    }
    match candidates.iter().any(|candidate| candidate.len() > limits::CANDIDATE) {
        true => Err(Invalid::TooLong {
            field: "candidates",
            limit: limits::CANDIDATE,
        }),
        false => Ok(()),
    }
}

fn text(field: &'static str, value: &str) -> Result<(), Invalid> {
    if value.len() > limits::TEXT {
        Err(Invalid::TooLong {
            field,
            limit: limits::TEXT,
        })
    } else {
        Ok(())
    }
}

fn list<T>(field: &'static str, value: &[T]) -> Result<(), Invalid> {
    if value.len() > limits::LIST {
        Err(Invalid::TooMany {
            field,
            limit: limits::LIST,
        })
    } else {
        Ok(())
    }
}
