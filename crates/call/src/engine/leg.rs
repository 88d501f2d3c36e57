//! The media path to one device of the peer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use duologue_media::Formats;
use duologue_signaling::ids::PartyId;
use duologue_transport::{PathInfo, Transport};

use super::formats::FormatList;

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
    pub(super) generation: u32,
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
            transport,
            path: None,
            protection: None,
            formats: FormatList::offer(),
            agreed: None,
            remote_ufrag: String::new(),
            described: false,
            offered: false,
            candidates: Vec::new(),
            unsent: Vec::new(),
            gathered: false,
            end_sent: false,
            goodbye: None,
            remote_candidates: Vec::new(),
            remote_end: false,
        }
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
