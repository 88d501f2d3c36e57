use std::{collections::HashMap, fmt};

use crate::{
    KeyError, MAX_PACKET, MAX_SOURCES, MasterKey, Profile, UnprotectError,
    cipher::Cipher,
    header::{RtpHeader, rtcp_ssrc},
    keys::Protocol,
    replay::{ReplayWindow, Verdict, estimate_index},
};

/// Checks and decrypts the peer's packets: one SRTP and one SRTCP context (RFC 3711 §3.2).
///
/// Every source has its own rollover counter and replay window of 128 packets. A packet that is not accepted, for
/// whatever reason, changes nothing but a counter. After the first packet of a source nothing is allocated as long as
/// `out` has the capacity.
pub struct Receiver {
    profile: Profile,
    rtp: Cipher,
    rtcp: Cipher,
    rtp_sources: HashMap<u32, ReplayWindow>,
    rtcp_sources: HashMap<u32, ReplayWindow>,
    stats: ReceiverStats,
}

/// What a [`Receiver`] has seen. Every packet counts in exactly one field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceiverStats {
    /// RTP packets accepted.
    pub rtp_accepted: u64,
    /// RTCP packets accepted.
    pub rtcp_accepted: u64,
    /// Refused as [`UnprotectError::Malformed`].
    pub malformed: u64,
    /// Refused as [`UnprotectError::Replayed`].
    pub replayed: u64,
    /// Refused as [`UnprotectError::TooOld`].
    pub too_old: u64,
    /// Refused as [`UnprotectError::Unauthentic`].
    pub unauthentic: u64,
    /// Refused as [`UnprotectError::TooManySources`].
    pub too_many_sources: u64,
}

impl Receiver {
    /// Derives the session keys of `profile` from the peer's master key.
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
            stats: ReceiverStats::default(),
        })
    }

    /// The profile in use.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Counters since the start.
    #[must_use]
    pub fn stats(&self) -> ReceiverStats {
        self.stats
    }

    /// Replaces `out` by the RTP packet that the SRTP packet `packet` protects.
    ///
    /// A packet's index is estimated from the newest of its source (RFC 3711 §3.3.1). A source that is new starts with
    /// a rollover counter of zero, so a sender should start below 2^15, as RFC 3711 §3.3.1 asks.
    ///
    /// # Errors
    /// [`UnprotectError`]; then `out` is empty.
    pub fn unprotect_rtp(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<(), UnprotectError> {
        out.clear();
        let result = self.open_rtp(packet, out);
        if result.is_err() {
            out.clear();
        }
        self.count(result, |stats| &mut stats.rtp_accepted)
    }

    /// Replaces `out` by the RTCP packet that the SRTCP packet `packet` protects.
    ///
    /// # Errors
    /// [`UnprotectError`]; then `out` is empty.
    pub fn unprotect_rtcp(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<(), UnprotectError> {
        out.clear();
        let result = self.open_rtcp(packet, out);
        if result.is_err() {
            out.clear();
        }
        self.count(result, |stats| &mut stats.rtcp_accepted)
    }

    fn open_rtp(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<(), UnprotectError> {
        let malformed = UnprotectError::Malformed { length: packet.len() };
        let body = packet.len().checked_sub(self.profile.tag_len()).ok_or(malformed)?;
        if packet.len() > MAX_PACKET {
            return Err(malformed);
        }
        let header = RtpHeader::parse(&packet[..body]).ok_or(malformed)?;
        let window = self.rtp_sources.get(&header.ssrc).copied().unwrap_or_default();
        // An index before the first packet can only be a forgery or a very old packet.
        let index = estimate_index(window.newest(), header.sequence).ok_or(UnprotectError::TooOld {
            index: u64::from(header.sequence),
        })?;
        check(&window, index)?;
        self.rtp
            .open_rtp(packet, header.len, header.ssrc, index, out)
            .map_err(|_| UnprotectError::Unauthentic)?;
        accept(&mut self.rtp_sources, header.ssrc, window, index)
    }

    fn open_rtcp(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<(), UnprotectError> {
        let malformed = UnprotectError::Malformed { length: packet.len() };
        if packet.len() > MAX_PACKET {
            return Err(malformed);
        }
        let ssrc = rtcp_ssrc(packet).ok_or(malformed)?;
        let index = u64::from(self.rtcp.rtcp_index(packet).ok_or(malformed)?);
        let window = self.rtcp_sources.get(&ssrc).copied().unwrap_or_default();
        check(&window, index)?;
        self.rtcp
            .open_rtcp(packet, ssrc, out)
            .map_err(|_| UnprotectError::Unauthentic)?;
        accept(&mut self.rtcp_sources, ssrc, window, index)
    }

    fn count(
        &mut self,
        result: Result<(), UnprotectError>,
        accepted: impl FnOnce(&mut ReceiverStats) -> &mut u64,
    ) -> Result<(), UnprotectError> {
        let stats = &mut self.stats;
        *match result {
            Ok(()) => accepted(stats),
            Err(UnprotectError::Malformed { .. }) => &mut stats.malformed,
            Err(UnprotectError::Replayed { .. }) => &mut stats.replayed,
            Err(UnprotectError::TooOld { .. }) => &mut stats.too_old,
            Err(UnprotectError::Unauthentic) => &mut stats.unauthentic,
            Err(UnprotectError::TooManySources { .. }) => &mut stats.too_many_sources,
        } += 1;
        result
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("profile", &self.profile)
            .field("rtp_sources", &self.rtp_sources.len())
            .field("rtcp_sources", &self.rtcp_sources.len())
            .field("stats", &self.stats)
            .finish()
    }
}

fn check(window: &ReplayWindow, index: u64) -> Result<(), UnprotectError> {
    match window.check(index) {
        Verdict::Fresh => Ok(()),
        Verdict::Replayed => Err(UnprotectError::Replayed { index }),
        Verdict::TooOld => Err(UnprotectError::TooOld { index }),
    }
}

/// Remembers an authentic packet. RFC 3711 §3.3: state changes only after authentication.
fn accept(
    sources: &mut HashMap<u32, ReplayWindow>,
    ssrc: u32,
    mut window: ReplayWindow,
    index: u64,
) -> Result<(), UnprotectError> {
    if sources.len() >= MAX_SOURCES && !sources.contains_key(&ssrc) {
        return Err(UnprotectError::TooManySources { ssrc });
    }
    window.accept(index);
    sources.insert(ssrc, window);
    Ok(())
}

#[cfg(test)]
mod tests;
