//! The legs of an engine: making them, and what comes out of them.

use std::time::{Duration, Instant};

use bytes::Bytes;
use duologue_signaling::client::{PathEvent, PathFailure};
use duologue_signaling::ids::PartyId;
use duologue_signaling::{Direction, Fingerprint, SessionDescription, Setup, limits};
use duologue_transport::{
    Event, FailReason, OPTION_DTLS_IN_STUN, Output as TransportOutput, Parameters, Policy, Transport,
};

use super::formats::FormatList;
use super::leg::Leg;
use super::network::StreamKey;
use super::verify::PeerIdentity;
use super::{Engine, Output, Role};
use crate::IcePolicy;

/// Most legs of a call: the service's limit of devices that may ring at once.
pub(super) const MAX_LEGS: usize = limits::DEVICES;

/// Consent lasts half of the patience with a silent peer, then the application is told. RFC 7675 §5.1 allows no more than 30 s; in less than
/// 15 s its checks, which it spaces by 5 s, would not survive losses.
const TOLD_AFTER: u32 = 2;
const CONSENT: [Duration; 2] = [Duration::from_secs(15), Duration::from_secs(30)];

impl Engine {
    /// Makes a leg over all local addresses; `None` when there are too many.
    pub(super) fn add_leg(&mut self, party: Option<PartyId>, now: Instant) -> Option<usize> {
        if self.legs.len() >= MAX_LEGS {
            return None;
        }
        let index = self.legs.len();
        let own_sockets = index > 0 && !self.turn_servers.is_empty();
        let transport = self.make_transport(None, own_sockets, now);
        self.legs.push(Leg {
            has_own_sockets: own_sockets,
            ..Leg::new(party, transport)
        });
        if own_sockets {
            self.outputs.push_back(Output::NeedSockets { leg: index });
        } else {
            self.end_gathering(now);
        }
        Some(index)
    }

    /// The server named servers: the first leg is made again to ask them, under the credentials that it already has. It has
    /// shown no candidate yet.
    pub(super) fn renew_first_leg(&mut self, now: Instant) {
        let Some(first) = self.legs.first() else { return };
        let Parameters { ufrag, pwd, .. } = first.transport.local_parameters();
        let transport = self.make_transport(Some((ufrag, pwd)), false, now);
        let offered = self.legs[0].offered;
        self.legs[0] = Leg {
            offered,
            ..Leg::new(None, transport)
        };
        self.end_gathering(now);
    }

    fn make_transport(&mut self, credentials: Option<(String, String)>, own_sockets: bool, now: Instant) -> Transport {
        let mut config = duologue_transport::Config::new(self.certificate.clone());
        config.controlling = self.is_caller();
        config.loopback = self.config.loopback;
        config.stun_servers.clone_from(&self.stun_servers);
        config.turn_servers.clone_from(&self.turn_servers);
        config.policy = match self.config.ice_policy {
            IcePolicy::RelayOnly => Policy::Relay,
            IcePolicy::All | IcePolicy::NothingBeforeAccept => Policy::All,
        };
        config.mdns_hiding = self.config.mdns_hiding;
        config.dtls_in_stun = self.config.dtls_in_stun;
        config.consent_timeout = (self.config.patience / TOLD_AFTER).clamp(CONSENT[0], CONSENT[1]);
        config.ice_credentials = credentials;
        let mut transport = Transport::new(config, self.seeds.draw(), now);
        if !self.nat64.is_empty() {
            transport.set_nat64_records(&self.nat64, now);
        }
        for address in self.local_addresses.iter().filter(|_| !own_sockets) {
            // One that the agent refuses is of no use and harms nothing.
            let _ = transport.add_local_address(*address, now);
        }
        transport
    }

    pub(super) fn leg_of(&self, party: PartyId) -> Option<usize> {
        self.legs.iter().position(|leg| leg.party == Some(party))
    }

    pub(super) fn pump_legs(&mut self, now: Instant) -> bool {
        let mut busy = false;
        for index in 0..self.legs.len() {
            busy |= self.collect(index, now);
        }
        busy
    }

    /// Takes what one leg has to say.
    fn collect(&mut self, index: usize, now: Instant) -> bool {
        let mut busy = false;
        while let Some(output) = self.legs[index].transport.poll_output() {
            busy = true;
            match output {
                TransportOutput::Transmit(transmit) => self.outputs.push_back(Output::Transmit {
                    source: transmit.source,
                    destination: transmit.destination,
                    payload: transmit.payload,
                }),
                TransportOutput::Event(event) => self.on_transport_event(index, event, now),
                TransportOutput::StreamOpen { id, local, remote, tls } => {
                    let key = StreamKey { leg: index, id: id.0 };
                    self.outputs.push_back(Output::StreamOpen {
                        key,
                        local,
                        remote,
                        tls,
                    });
                }
                TransportOutput::StreamWrite { id, bytes } => {
                    let key = StreamKey { leg: index, id: id.0 };
                    self.outputs.push_back(Output::StreamWrite { key, bytes });
                }
                TransportOutput::StreamClose { id } => {
                    let key = StreamKey { leg: index, id: id.0 };
                    self.outputs.push_back(Output::StreamClose { key });
                }
                TransportOutput::MdnsQuery { name } => self.outputs.push_back(Output::MdnsQuery { name }),
                TransportOutput::MdnsPublish { name, address } => {
                    self.outputs.push_back(Output::MdnsPublish { name, address });
                }
                _ => {}
            }
        }
        busy
    }

    fn on_transport_event(&mut self, index: usize, event: Event, now: Instant) {
        match event {
            Event::LocalCandidate(candidate) => {
                let candidate = match &self.config.candidate_map {
                    Some(map) => map(&candidate),
                    None => Some(candidate),
                };
                let leg = &mut self.legs[index];
                if let Some(candidate) = candidate
                    && leg.candidates.len() < limits::CANDIDATES
                {
                    leg.candidates.push(candidate.clone());
                    leg.unsent.push(candidate);
                }
            }
            Event::GatheringComplete => self.legs[index].gathered = true,
            Event::Connected {
                profile,
                dtls_version,
                path,
            } => {
                let leg = &mut self.legs[index];
                tracing::debug!(party = ?leg.party, %profile, %dtls_version, "media path is up");
                leg.heard_at = Some(now);
                leg.path = Some(path);
                leg.protection = Some((dtls_version, profile));
                self.phases.path_ready.get_or_insert(now);
                self.on_path(index, PathEvent::Up, now);
                self.verify(now);
            }
            Event::PathChanged(path) => self.legs[index].path = Some(path),
            Event::Rtp(packet) => self.on_audio(index, packet, now),
            Event::Rtcp(packet) => {
                self.legs[index].heard_at = Some(now);
                // Before the accept a BYE may come, and only from the one device that there is.
                let only = self.legs.iter().filter(|leg| leg.is_connected()).count() == 1;
                if self.active == Some(index) || (self.active.is_none() && only) {
                    self.media.handle_rtcp(&packet, now);
                }
            }
            Event::Closed => self.on_path(index, PathEvent::Closed, now),
            Event::Failed(reason) => {
                tracing::debug!(%reason, "a media path failed");
                let failure = match reason {
                    FailReason::FingerprintMismatch => PathFailure::Authentication,
                    _ => PathFailure::Unreachable,
                };
                self.on_path(index, PathEvent::Failed(failure), now);
            }
            Event::RestartNeeded | Event::BetterPath(_) => self.restart(index, now),
            Event::RelayFailed {
                server,
                protocol,
                failure,
            } => {
                tracing::debug!(%server, ?protocol, ?failure, "no relay");
            }
            Event::Interrupted if self.active == Some(index) => self.on_interrupted(index, now),
            Event::Resumed if self.active == Some(index) => self.on_resumed(now),
            _ => {}
        }
    }

    /// Audio from the only device there is counts as its accept; otherwise only that of the device which accepted is for our ears.
    fn on_audio(&mut self, index: usize, packet: Bytes, now: Instant) {
        self.legs[index].heard_at = Some(now);
        if self.active.is_none() {
            self.on_path(index, PathEvent::FirstAudio, now);
            self.pump_call(now);
        }
        if self.talking && self.active == Some(index) {
            self.media.handle_rtp(packet, now);
        }
    }

    /// Our end of this leg, as it is now. Candidates are left out as long as none may be shown.
    pub(super) fn describe(&mut self, index: usize) -> SessionDescription {
        let show = self.may_show_addresses();
        let leg = &mut self.legs[index];
        leg.offered = true;
        if show {
            leg.unsent.clear();
            leg.end_sent = leg.gathered;
        }
        let parameters = leg.transport.local_parameters();
        let mut options = vec!["trickle".to_owned(), "renomination".to_owned()];
        options.extend(self.config.dtls_in_stun.then(|| OPTION_DTLS_IN_STUN.to_owned()));
        let (commit, nonce) = match self.config.role {
            Role::Caller(_) => (self.verification.commit(), None),
            Role::Callee(_) => (None, Some(self.verification.nonce())),
        };
        SessionDescription {
            v: SessionDescription::VERSION,
            party: leg.party,
            generation: leg.generation,
            ufrag: parameters.ufrag,
            pwd: parameters.pwd,
            options,
            candidates: if show { leg.candidates.clone() } else { Vec::new() },
            end_of_candidates: show && leg.gathered,
            fingerprints: parameters.fingerprints.iter().map(fingerprint_to_text).collect(),
            setup: match parameters.setup {
                duologue_transport::Setup::Active => Setup::Active,
                duologue_transport::Setup::Passive => Setup::Passive,
                duologue_transport::Setup::ActPass => Setup::ActPass,
            },
            codecs: leg.formats.codecs.clone(),
            extmap: leg.formats.extmap.clone(),
            mid: "0".into(),
            ssrc: self.ssrc,
            cname: self.cname.clone(),
            direction: Direction::SendRecv,
            ptime: 20,
            commit,
            nonce,
        }
    }

    /// The peer's end of a leg. One that cannot be used makes the leg fail.
    pub(super) fn set_remote(&mut self, index: usize, description: &SessionDescription, now: Instant) {
        let parameters = parameters_of(description);
        let answers = !self.is_caller();
        let leg = &mut self.legs[index];
        if answers {
            leg.formats = FormatList::answer(description);
        }
        leg.agreed = FormatList::agree(&leg.formats, description);
        if leg.agreed.is_none() {
            tracing::debug!(codecs = ?description.codecs, "the peer's description has no Opus");
            self.on_path(index, PathEvent::Failed(PathFailure::Unreachable), now);
            return;
        }
        leg.remote_fingerprints.clone_from(&parameters.fingerprints);
        leg.set_options(&description.options);
        match leg.transport.set_remote_parameters(parameters, now) {
            Ok(()) => {
                leg.described = true;
                leg.remote_generation = description.generation;
                leg.generation = leg.generation.max(description.generation);
                leg.remote_ufrag.clone_from(&description.ufrag);
                leg.identity = PeerIdentity::of(description);
                self.add_remote_candidates(index, &description.candidates, description.end_of_candidates, now);
                self.use_remote_candidates(index, now);
            }
            Err(error) => {
                tracing::debug!(%error, "the peer's description cannot be used");
                self.on_path(index, PathEvent::Failed(PathFailure::Unreachable), now);
            }
        }
    }

    /// More candidates of the peer, at most 64 in all. They are kept until they may be checked: a check shows our address.
    pub(super) fn add_remote_candidates(&mut self, index: usize, candidates: &[String], end: bool, now: Instant) {
        let leg = &mut self.legs[index];
        let room = limits::CANDIDATES.saturating_sub(leg.remote_candidates.len());
        leg.remote_candidates.extend(candidates.iter().take(room).cloned());
        leg.remote_end |= end;
        self.use_remote_candidates(index, now);
    }

    /// Hands the peer's candidates to the transport as soon as that may be. Those that cannot be used are left out: others may do.
    pub(super) fn use_remote_candidates(&mut self, index: usize, now: Instant) {
        let may = self.may_show_addresses();
        let leg = &mut self.legs[index];
        if !may || !leg.described {
            return;
        }
        for candidate in std::mem::take(&mut leg.remote_candidates) {
            if ufrag_of(&candidate).is_some_and(|ufrag| ufrag != leg.remote_ufrag) {
                tracing::debug!("a candidate of another path is left out");
                continue;
            }
            if let Err(error) = leg.transport.add_remote_candidate(&candidate, now) {
                tracing::debug!(%error, "a candidate of the peer is left out");
            }
        }
        if std::mem::take(&mut leg.remote_end) {
            leg.transport.end_of_remote_candidates(now);
        }
    }

    /// Tells the server what the legs have gathered since it was last told; false when that is nothing.
    pub(super) fn send_candidates(&mut self) -> bool {
        if !self.may_show_addresses() || self.ended {
            return false;
        }
        let mut busy = false;
        let caller = self.is_caller();
        for leg in &mut self.legs {
            let end = leg.gathered && !leg.end_sent;
            if !leg.offered || (leg.unsent.is_empty() && !end) {
                continue;
            }
            leg.end_sent |= end;
            let candidates = std::mem::take(&mut leg.unsent);
            // A callee has one path, so it need not name it.
            let (party, generation) = (leg.party.filter(|_| caller), leg.generation);
            self.call.add_candidates(party, generation, candidates, end);
            busy = true;
        }
        busy
    }
}

/// What a description says to a transport.
pub(super) fn parameters_of(description: &SessionDescription) -> Parameters {
    Parameters {
        ufrag: description.ufrag.clone(),
        pwd: description.pwd.clone(),
        fingerprints: { &description.fingerprints }
            .iter()
            .filter_map(fingerprint_from_text)
            .collect(),
        setup: match description.setup {
            Setup::Active => duologue_transport::Setup::Active,
            Setup::Passive => duologue_transport::Setup::Passive,
            Setup::ActPass => duologue_transport::Setup::ActPass,
        },
    }
}

/// The path that a candidate says it belongs to (RFC 8839 §5.1 allows extensions; this one is every browser's).
fn ufrag_of(candidate: &str) -> Option<&str> {
    let mut words = candidate.split_ascii_whitespace();
    words.find(|word| *word == "ufrag")?;
    words.next()
}

fn fingerprint_to_text(fingerprint: &duologue_transport::Fingerprint) -> Fingerprint {
    let value = fingerprint
        .value
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect::<Vec<_>>()
        .join(":");
    Fingerprint {
        algorithm: fingerprint.algorithm.clone(),
        value,
    }
}

fn fingerprint_from_text(fingerprint: &Fingerprint) -> Option<duologue_transport::Fingerprint> {
    format!("{} {}", fingerprint.algorithm, fingerprint.value).parse().ok()
}
