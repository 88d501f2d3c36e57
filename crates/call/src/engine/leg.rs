//! The media path to one device of the peer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use duologue_media::Formats;
use duologue_signaling::ids::PartyId;
use duologue_transport::{Fingerprint, OPTION_DTLS_IN_STUN, PathInfo, Transport};

use super::formats::FormatList;
use super::verify::PeerIdentity;

/// When the goodbye is said again after the first time, and when it is given up: each packet of it may be lost.
const GOODBYES: [Duration; 3] = [
    Duration::from_millis(60),
    Duration::from_millis(150),
    Duration::from_millis(300),
];

/// One transport and what is known about the device behind it.
#[derive(Debug)]
pub(super) struct Leg {
    /// The peer's device. The caller does not know it before the first device has verified.
    pub(super) party: Option<PartyId>,
    /// Counts the restarts of ICE, whoever began them.
    pub(super) generation: u32,
    /// Of the peer's latest description.
    pub(super) remote_generation: u32,
    /// We began the generation, and the peer has not answered it.
    pub(super) restarting: bool,
    pub(super) transport: Transport,
    pub(super) path: Option<PathInfo>,
    /// Names of the DTLS version and SRTP profile, once connected.
    pub(super) protection: Option<(String, String)>,
    /// Our formats on this leg: an offer, or the answer to one.
    pub(super) formats: FormatList,
    /// What both ends agree on.
    pub(super) agreed: Option<Formats>,
    /// The peer's user name fragment, which tells its candidates from those of other paths.
    pub(super) remote_ufrag: String,
    /// What the peer's certificate is checked against, from its first description.
    pub(super) remote_fingerprints: Vec<Fingerprint>,
    pub(super) identity: PeerIdentity,
    /// The peer's description is known.
    pub(super) described: bool,
    /// The server was given our description.
    pub(super) offered: bool,
    /// Our candidates, all of them, and those that were not yet sent.
    pub(super) candidates: Vec<String>,
    pub(super) unsent: Vec<String>,
    pub(super) gathered: bool,
    /// The end of candidates was sent.
    pub(super) end_sent: bool,
    pub(super) goodbye: Option<Goodbye>,
    /// Candidates of the peer that may not be checked yet, at most 64, and whether they are all.
    pub(super) remote_candidates: Vec<String>,
    pub(super) remote_end: bool,
    /// Its sockets are its own, and whether it has all of them.
    pub(super) has_own_sockets: bool,
    pub(super) own_complete: bool,
    /// When the peer was last heard: authentic packets only.
    pub(super) heard_at: Option<Instant>,
}

/// The end of a leg that is being told over it.
#[derive(Debug)]
pub(super) struct Goodbye {
    packet: Bytes,
    since: Instant,
    said: usize,
}

impl Leg {
    /// A leg over the given local addresses.
    pub(super) fn new(party: Option<PartyId>, transport: Transport) -> Self {
        Self {
            party,
            generation: 0,
            remote_generation: 0,
            restarting: false,
            transport,
            path: None,
            protection: None,
            formats: FormatList::offer(),
            agreed: None,
            remote_ufrag: String::new(),
            remote_fingerprints: Vec::new(),
            identity: PeerIdentity::default(),
            described: false,
            offered: false,
            candidates: Vec::new(),
            unsent: Vec::new(),
            gathered: false,
            end_sent: false,
            goodbye: None,
            remote_candidates: Vec::new(),
            remote_end: false,
            has_own_sockets: false,
            own_complete: false,
            heard_at: None,
        }
    }

    /// What the peer says that it can do; before its parameters are set, so that the first check already makes use of it.
    pub(super) fn set_options(&mut self, options: &[String]) {
        let renominates = options.iter().any(|option| option == "renomination");
        self.transport.set_remote_renomination(renominates);
        let carries = options.iter().any(|option| option == OPTION_DTLS_IN_STUN);
        self.transport.set_remote_dtls_in_stun(carries);
    }

    pub(super) fn is_connected(&self) -> bool {
        self.protection.is_some()
    }

    pub(super) fn accepts(&self, local: SocketAddr, source: SocketAddr, payload: &[u8]) -> bool {
        self.transport.accepts(local, source, payload)
    }

    /// Says goodbye with this RTCP packet (RFC 3550 §6.6), a few times because it may be lost, and then closes.
    pub(super) fn start_goodbye(&mut self, packet: Bytes, now: Instant) {
        if !self.is_connected() {
            self.transport.close(now);
            return;
        }
        // A path that cannot carry it now may be back for a repetition.
        let _ = self.transport.send_rtcp(&packet, now);
        self.goodbye = Some(Goodbye {
            packet,
            since: now,
            said: 0,
        });
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let goodbye = self.goodbye.as_ref().and_then(Goodbye::due);
        [goodbye, self.transport.poll_timeout()].into_iter().flatten().min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.transport.poll_timeout().is_some_and(|due| due <= now) {
            self.transport.handle_timeout(now);
        }
        while let Some(goodbye) = &mut self.goodbye
            && goodbye.due().is_some_and(|due| due <= now)
        {
            goodbye.said += 1;
            if goodbye.said < GOODBYES.len() {
                let packet = goodbye.packet.clone();
                let _ = self.transport.send_rtcp(&packet, now);
            } else {
                // An authenticated close_notify, so that also a peer that knows no BYE sees the end.
                self.goodbye = None;
                self.transport.close(now);
            }
        }
    }
}

impl Goodbye {
    fn due(&self) -> Option<Instant> {
        GOODBYES.get(self.said).map(|after| self.since + *after)
    }
}
