//! DTLS carried inside STUN checks and their answers: the idea of draft-hancke-webrtc-sped.
//!
//! Every check and every answer carries the flight that the peer is to have next, for as long as it may need it. So the
//! ClientHello leaves with the first check, its answer comes with that check's answer, and every repetition of ICE is one of
//! DTLS. STUN's integrity says that it comes from whoever signalling named; DTLS believes no more of it than of any other
//! datagram.

use std::time::Instant;

use duologue_ice as ice;

use super::{Phase, Transport};
use crate::{
    Setup,
    demux::{Kind, classify, is_client_hello},
    fingerprint,
};

/// The ICE option with which a description advertises that DTLS may come inside STUN.
pub const OPTION_DTLS_IN_STUN: &str = "dtls-in-stun";

/// What of DTLS is carried inside STUN.
#[derive(Debug, Default)]
pub(super) struct Carried {
    /// The peer advertised it, or does it.
    by_peer: bool,
    /// Which flight the checks carry.
    flight: Option<u64>,
    /// The latest datagram received, so that repetitions cost nothing.
    latest: Vec<u8>,
}

impl Transport {
    /// Whether the peer advertised [`OPTION_DTLS_IN_STUN`]. To be said before
    /// [`set_remote_parameters`](Self::set_remote_parameters), so that the first check carries DTLS already.
    pub fn set_remote_dtls_in_stun(&mut self, advertised: bool) {
        self.carried.by_peer |= advertised;
    }

    pub(super) fn is_carrying(&self) -> bool {
        self.config.dtls_in_stun && self.carried.by_peer
    }

    /// Greatest handshake datagram: so much that STUN can carry it.
    pub(super) fn dtls_mtu(&self) -> usize {
        match self.is_carrying() {
            true => self.config.mtu.min(ice::MAX_CHECK_PAYLOAD),
            false => self.config.mtu,
        }
    }

    pub(super) fn is_starting(&self) -> bool {
        matches!(self.phase, Phase::Starting)
    }

    /// As client we begin without waiting for a path.
    pub(super) fn begin_carried(&mut self, now: Instant) {
        let is_ready = self.is_carrying() && self.is_starting() && self.remote.is_some();
        if is_ready && self.dtls.is_none() && self.setup == Setup::Active {
            self.begin_dtls(true, None, now);
            self.carry_flight();
        }
    }

    /// What an authenticated check or answer of the peer carried.
    pub(super) fn on_check_payload(&mut self, payload: &[u8], now: Instant) {
        let is_settled = self.dtls.as_ref().is_some_and(|dtls| dtls.is_settled());
        let is_usable = classify(payload) == Kind::Dtls && payload.len() <= ice::MAX_CHECK_PAYLOAD;
        if !self.config.dtls_in_stun || self.is_closed() || is_settled || !is_usable || self.carried.latest == payload {
            self.stats.dtls_in_stun_dropped += 1;
            return;
        }
        let begins = self.dtls.is_none() && self.setup != Setup::Active && is_client_hello(payload);
        if self.dtls.is_none() && !begins {
            self.stats.dtls_in_stun_dropped += 1;
            return;
        }
        // Whoever sends it has read that we take it.
        self.carried.by_peer = true;
        self.carried.latest.clear();
        self.carried.latest.extend_from_slice(payload);
        self.stats.dtls_in_stun_received += 1;
        if begins {
            self.begin_dtls(false, None, now);
        }
        if let Some(dtls) = &mut self.dtls {
            dtls.handle_datagram(payload, now);
        }
        if let Some(path) = self.ice.best_pair() {
            self.use_path(path, now);
        }
        self.collect_dtls(now);
    }

    /// The association that the latest datagram was for is gone.
    pub(super) fn forget_carried(&mut self) {
        self.carried.latest.clear();
        self.carry(None);
    }

    /// Lets checks and answers carry the flight that the peer is to have next.
    pub(super) fn carry_flight(&mut self) {
        if !self.is_carrying() || self.dtls.is_none() && self.carried.flight.is_none() {
            return;
        }
        let Some(dtls) = &self.dtls else {
            self.carry(None);
            return;
        };
        // An impostor does not get the last flight of the handshake.
        let proven = || match (&self.unchecked, &self.remote) {
            (Some(secrets), Some(remote)) => fingerprint::any_matches(&remote.fingerprints, &secrets.certificate),
            _ => self.srtp.is_some(),
        };
        let (number, flight) = dtls.flight();
        if flight.is_empty() || dtls.is_finished() && !proven() {
            self.carry(None);
        } else if self.carried.flight != Some(number) {
            let flight = flight.to_vec();
            self.carry(Some((number, flight)));
        }
    }

    pub(super) fn carry(&mut self, flight: Option<(u64, Vec<Vec<u8>>)>) {
        let (number, datagrams) = flight.unzip();
        if number.is_some() || self.carried.flight.is_some() {
            self.carried.flight = number;
            self.ice.set_check_payloads(datagrams.unwrap_or_default());
        }
    }
}
