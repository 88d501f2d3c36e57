//! What arrives.

use std::{net::SocketAddr, time::Instant};

use bytes::Bytes;

use super::{Phase, Transport, Unproven};
use crate::{
    Event, Setup,
    demux::{Kind, classify, is_client_hello},
};

/// SRTP datagrams kept while the keys are not ready: a third of a second of audio.
pub(super) const MAX_EARLY: usize = 16;
/// Greatest credit of a client before the answer, in bytes: a few flights.
const MAX_CREDIT: usize = 16 * 1024;
/// Longer ones are not kept.
const MAX_EARLY_LEN: usize = 1500;

impl Transport {
    /// Whether a datagram belongs to this transport, for a caller who serves several on one socket: STUN by its user
    /// name or transaction, everything else by the address it comes from, which a check must have proven.
    #[must_use]
    pub fn accepts(&self, local: SocketAddr, source: SocketAddr, payload: &[u8]) -> bool {
        if self.ice.is_relay(local, source) {
            return self.ice.accepts(local, source, payload);
        }
        match classify(payload) {
            Kind::Stun => self.ice.accepts(local, source, payload),
            Kind::Dtls | Kind::Srtp | Kind::Srtcp => self.ice.is_validated(local, source),
            Kind::Unknown => false,
        }
    }

    /// Takes in a datagram that arrived from `source` on the socket bound to `local`. Whatever does not belong here is
    /// counted and dropped.
    pub fn handle_datagram(&mut self, local: SocketAddr, source: SocketAddr, payload: &[u8], now: Instant) {
        self.stats.datagrams_received += 1;
        self.stats.bytes_received += payload.len() as u64;
        if self.is_closed() {
            self.stats.after_close_dropped += 1;
            return;
        }
        if self.ice.is_relay(local, source) {
            self.stats.relay_received += 1;
            self.ice.handle_datagram(local, source, payload, now);
        } else if classify(payload) == Kind::Stun {
            self.stats.stun_received += 1;
            self.ice.handle_datagram(local, source, payload, now);
        } else {
            self.handle_data((local, source), payload, now);
            if classify(payload) != Kind::Dtls {
                // Nothing else can have become possible.
                return;
            }
        }
        self.collect(now);
    }

    /// What is not STUN, straight or through our relay.
    pub(super) fn handle_data(&mut self, path: (SocketAddr, SocketAddr), payload: &[u8], now: Instant) {
        match classify(payload) {
            Kind::Stun | Kind::Unknown => self.stats.unknown_dropped += 1,
            _ if !self.ice.is_validated(path.0, path.1) => self.stats.unproven_dropped += 1,
            Kind::Dtls => self.handle_dtls(path, payload, now),
            Kind::Srtp | Kind::Srtcp => self.handle_srtp(payload),
        }
    }

    fn handle_dtls(&mut self, path: (SocketAddr, SocketAddr), payload: &[u8], now: Instant) {
        self.stats.dtls_received += 1;
        if self.ice.best_pair().is_none() {
            let unproven = self.unproven.get_or_insert(Unproven { path, credit: 0 });
            if unproven.path == path {
                unproven.credit = (unproven.credit + Unproven::FACTOR * payload.len()).min(MAX_CREDIT);
            }
        }
        // Before the answer is there, an offerer takes a ClientHello as the sign that the peer chose to be active.
        if self.dtls.is_none() && self.setup != Setup::Active && is_client_hello(payload) {
            self.begin_dtls(false, self.rtt(), now);
        }
        match &mut self.dtls {
            Some(dtls) => dtls.handle_datagram(payload, now),
            None => self.stats.dtls_rejected += 1,
        }
    }

    pub(super) fn handle_srtp(&mut self, payload: &[u8]) {
        let Some(srtp) = &mut self.srtp else {
            if matches!(self.phase, Phase::Starting) && self.early.len() < MAX_EARLY && payload.len() <= MAX_EARLY_LEN {
                self.early.push_back(payload.to_vec());
            } else {
                self.stats.early_dropped += 1;
            }
            return;
        };
        let is_rtcp = classify(payload) == Kind::Srtcp;
        let result = if is_rtcp {
            srtp.receiver.unprotect_rtcp(payload, &mut srtp.scratch)
        } else {
            srtp.receiver.unprotect_rtp(payload, &mut srtp.scratch)
        };
        if let Err(error) = result {
            tracing::trace!(%error, length = payload.len(), "SRTP refused");
            self.stats.srtp_rejected += 1;
            return;
        }
        let packet = Bytes::copy_from_slice(&srtp.scratch);
        if let Some(dtls) = &mut self.dtls {
            dtls.on_peer_finished();
        }
        if is_rtcp {
            self.stats.rtcp_received += 1;
            self.push_event(Event::Rtcp(packet));
        } else {
            self.stats.rtp_received += 1;
            self.push_event(Event::Rtp(packet));
        }
    }
}
