use std::{
    collections::HashMap,
    fmt,
    hash::{DefaultHasher, Hasher},
};

use crate::{
    KeyError, MAX_PACKET, MAX_SOURCES, MasterKey, Profile, ProtectError,
    cipher::{Cipher, MAX_RTCP_INDEX},
    header::{RtpHeader, rtcp_ssrc},
    keys::Protocol,
    replay::estimate_index,
};

/// Protects the packets we send: one SRTP and one SRTCP context (RFC 3711 §3.2).
///
/// Sequence numbers may wrap and packets may be given out of order; the rollover counter follows. Giving the very same
/// packet again, as a retransmission does, gives the very same bytes. After the first packet of a source nothing is
/// allocated as long as `out` has the capacity.
pub struct Sender {
    profile: Profile,
    rtp: Cipher,
    rtcp: Cipher,
    rtp_sources: HashMap<u32, RtpSource>,
    /// The last SRTCP index used, by SSRC.
    rtcp_sources: HashMap<u32, u32>,
}

impl Sender {
    /// Derives the session keys of `profile` from our master key.
    ///
    /// # Errors
    /// [`KeyError`] when key or salt do not have the profile's length.
    pub fn new(profile: Profile, master: &MasterKey) -> Result<Self, KeyError> {
        Ok(Self {
            profile,
            rtp: Cipher::new(profile, master, Protocol::Rtp)?,
            rtcp: Cipher::new(profile, master, Protocol::Rtcp)?,
            rtp_sources: HashMap::with_capacity(MAX_SOURCES),
            rtcp_sources: HashMap::with_capacity(MAX_SOURCES),
        })
    }

    /// The profile in use.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Replaces `out` by the SRTP form of the RTP packet `packet`, [`Profile::rtp_overhead`] bytes longer.
    ///
    /// # Errors
    /// [`ProtectError`]; then `out` is empty and nothing has changed.
    pub fn protect_rtp(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<(), ProtectError> {
        out.clear();
        let header = RtpHeader::parse(packet).ok_or(ProtectError::Malformed { length: packet.len() })?;
        self.check_length(packet, self.profile.rtp_overhead())?;
        let known = self.rtp_sources.get(&header.ssrc);
        if known.is_none() && self.rtp_sources.len() >= MAX_SOURCES {
            return Err(ProtectError::TooManySources { ssrc: header.ssrc });
        }
        let index =
            estimate_index(known.map(|source| source.newest), header.sequence).ok_or(ProtectError::KeyExhausted)?;
        let digest = digest(packet);
        if known.is_some_and(|source| !source.allows(index, digest)) {
            return Err(ProtectError::IndexReused {
                sequence: header.sequence,
            });
        }
        if self.rtp.seal_rtp(packet, header.len, header.ssrc, index, out).is_err() {
            out.clear();
            return Err(ProtectError::Crypto);
        }
        self.rtp_sources
            .entry(header.ssrc)
            .or_insert_with(|| RtpSource::new(index))
            .sent(index, digest);
        Ok(())
    }

    /// Replaces `out` by the SRTCP form of the compound or reduced-size RTCP packet `packet`,
    /// [`Profile::rtcp_overhead`] bytes longer. Every call uses the next index, also for the same packet.
    ///
    /// # Errors
    /// [`ProtectError`]; then `out` is empty and nothing has changed.
    pub fn protect_rtcp(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<(), ProtectError> {
        out.clear();
        let malformed = ProtectError::Malformed { length: packet.len() };
        let ssrc = rtcp_ssrc(packet).ok_or(malformed)?;
        self.check_length(packet, self.profile.rtcp_overhead())?;
        let last = self.rtcp_sources.get(&ssrc).copied();
        if last.is_none() && self.rtcp_sources.len() >= MAX_SOURCES {
            return Err(ProtectError::TooManySources { ssrc });
        }
        // RFC 3711 §3.4: the index is incremented before each packet, so that the first has index 1.
        let index = last.unwrap_or(0) + 1;
        if index > MAX_RTCP_INDEX {
            return Err(ProtectError::KeyExhausted);
        }
        if self.rtcp.seal_rtcp(packet, ssrc, index, out).is_err() {
            out.clear();
            return Err(ProtectError::Crypto);
        }
        self.rtcp_sources.insert(ssrc, index);
        Ok(())
    }

    fn check_length(&self, packet: &[u8], overhead: usize) -> Result<(), ProtectError> {
        if packet.len() + overhead > MAX_PACKET {
            return Err(ProtectError::TooLong { length: packet.len() });
        }
        Ok(())
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("profile", &self.profile)
            .field("rtp_sources", &self.rtp_sources.len())
            .field("rtcp_sources", &self.rtcp_sources.len())
            .finish()
    }
}

/// How many packets back a retransmission is still allowed.
const HISTORY: usize = 128;

/// One of our own sources.
struct RtpSource {
    newest: u64,
    /// Digest of each of the last packets, at its index modulo [`HISTORY`]; `None` where none was sent.
    sent: [Option<u64>; HISTORY],
}

impl RtpSource {
    fn new(index: u64) -> Self {
        Self {
            newest: index,
            sent: [None; HISTORY],
        }
    }

    /// Whether a packet may be protected under `index`.
    ///
    /// RFC 3711 §9.1: two packets under one index give away the XOR of their payloads, and with GCM the authentication
    /// key. The same packet twice gives away nothing.
    fn allows(&self, index: u64, digest: u64) -> bool {
        if index > self.newest {
            return true;
        }
        self.newest - index < HISTORY as u64 && self.sent[slot(index)].is_none_or(|sent| sent == digest)
    }

    fn sent(&mut self, index: u64, digest: u64) {
        if index > self.newest {
            let skipped = (index - self.newest - 1).min(HISTORY as u64);
            for back in 1..=skipped {
                self.sent[slot(index - back)] = None;
            }
            self.newest = index;
        }
        self.sent[slot(index)] = Some(digest);
    }
}

fn slot(index: u64) -> usize {
    (index % HISTORY as u64) as usize
}

/// Tells packets of our own apart. Nobody hostile chooses them, so 64 bits are plenty.
fn digest(packet: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(packet);
    hasher.finish()
}

#[cfg(test)]
mod tests;
