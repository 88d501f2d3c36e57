//! From the first valid pair to the checked certificate.

use std::time::{Duration, Instant};

use duologue_ice as ice;
use duologue_srtp as srtp;

use super::{Phase, Srtp, Transport, path_info};
use crate::{
    Event, FailReason, Setup,
    dtls::{Association, Defeat},
    fingerprint,
};

impl Transport {
    /// Moves everything on that the last input made possible.
    pub(super) fn collect(&mut self, now: Instant) {
        while let Some(output) = self.pending.pop_front().or_else(|| self.ice.poll_output()) {
            self.on_ice_output(output, now);
        }
        if self.is_closed() {
            return;
        }
        if let Some(path) = self.ice.best_pair() {
            let is_finished = self.dtls.as_ref().is_some_and(Association::is_finished);
            if self.setup != Setup::ActPass && !is_finished && self.is_starting() {
                // Either we begin, or the peer has to.
                self.deadline.get_or_insert(now + self.config.handshake_timeout);
            }
            if self.dtls.is_none() && self.setup == Setup::Active {
                self.begin_dtls(true, path.rtt, now);
            }
            self.use_path(path, now);
        }
        self.begin_carried(now);
        self.collect_dtls(now);
    }

    pub(super) fn use_path(&mut self, path: ice::PairInfo, now: Instant) {
        if self.path.is_none()
            && let (Some(dtls), Some(rtt)) = (&mut self.dtls, path.rtt)
        {
            dtls.set_rtt(rtt, now);
        }
        self.path = Some(path);
    }

    pub(super) fn begin_dtls(&mut self, is_client: bool, rtt: Option<Duration>, now: Instant) {
        tracing::debug!(is_client, ?rtt, "DTLS begins");
        match Association::new(&self.config, self.dtls_mtu(), is_client, rtt, now) {
            Ok(association) => self.dtls = Some(association),
            Err(_) => self.fail(FailReason::Dtls),
        }
    }

    /// Looks at what became of the association.
    pub(super) fn collect_dtls(&mut self, now: Instant) {
        let Some(dtls) = &mut self.dtls else { return };
        if let Some(secrets) = dtls.take_secrets() {
            self.unchecked = Some(secrets);
            // From here on only signalling can keep us waiting, which has its own limits.
            self.deadline = None;
        }
        self.check_certificate();
        // After the check: an impostor does not get the last flight of the handshake.
        self.carry_flight();
        self.send_dtls(now);
        let Some(dtls) = &self.dtls else { return };
        if dtls.peer_closed() {
            if self.srtp.is_some() {
                tracing::debug!("closed by the peer");
                self.end_with(Event::Closed);
            } else {
                self.fail(FailReason::Dtls);
            }
        } else if let Some(defeat) = dtls.defeat() {
            self.fail(match defeat {
                Defeat::Engine => FailReason::Dtls,
                Defeat::Timeout => FailReason::Timeout,
            });
        }
    }

    /// Sends what DTLS has to send, if there is a path by now. Else it waits in the association.
    fn send_dtls(&mut self, now: Instant) {
        let best = self.ice.best_pair().map(|pair| (pair.local, pair.remote));
        let is_carrying = self.is_carrying();
        while let Some(dtls) = &mut self.dtls {
            let Some(len) = dtls.next_len() else { break };
            let unproven = || self.unproven.as_mut().and_then(|client| client.take(len));
            let Some(path) = best.or_else(unproven) else {
                if is_carrying {
                    // The checks have it; by the time there is a path it may be out of date.
                    drop(dtls.poll_transmit());
                    continue;
                }
                break;
            };
            let Some(payload) = dtls.poll_transmit() else { break };
            self.send_datagram(path, payload, now);
        }
    }

    /// Compares the proven certificate with the signalled one (RFC 5763 §5). Only here SRTP contexts come into being.
    pub(super) fn check_certificate(&mut self) {
        let (Some(remote), Some(path)) = (&self.remote, self.path.clone()) else {
            return;
        };
        let Some(secrets) = self.unchecked.take() else { return };
        if !fingerprint::any_matches(&remote.fingerprints, &secrets.certificate) {
            tracing::debug!("the peer's certificate is not the signalled one");
            self.fail(FailReason::FingerprintMismatch);
            return;
        }
        let Some((profile, keys)) = secrets.srtp else {
            self.fail(FailReason::NoSrtpProfile);
            return;
        };
        let contexts = srtp::Sender::new(profile, &keys.local)
            .and_then(|sender| Ok((sender, srtp::Receiver::new(profile, &keys.remote)?)));
        let Ok((sender, receiver)) = contexts else {
            self.fail(FailReason::Dtls);
            return;
        };
        self.srtp = Some(Srtp {
            sender,
            receiver,
            scratch: Vec::with_capacity(self.config.mtu),
        });
        self.phase = Phase::Connected;
        self.deadline = None;
        tracing::debug!(%profile, version = secrets.version, "connected");
        self.reported = Some((path.local, path.remote));
        self.push_event(Event::Connected {
            profile: profile.name().to_owned(),
            dtls_version: secrets.version.to_owned(),
            path: path_info(path),
        });
        for packet in std::mem::take(&mut self.early) {
            self.handle_srtp(&packet);
        }
    }
}
