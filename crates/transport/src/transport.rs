use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};

use duologue_ice as ice;
use duologue_srtp as srtp;

use crate::{
    CandidateError, Config, Event, FailReason, Output, PacketError, Parameters, ParametersError, PathInfo, SendError,
    Setup, Stats, Transmit,
    dtls::{Association, Secrets},
};

mod carried;
mod handshake;
mod network;
mod receive;

/// Outputs kept for a caller that does not drain them. Beyond that packets and datagrams are dropped, which both sides
/// see as loss; the rare other events have as much room again.
const MAX_OUTPUTS: usize = 1024;
/// When the close_notify is sent again, counted from the first: no acknowledgement will ever come.
const CLOSE_AGAIN: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(150)];

pub use carried::OPTION_DTLS_IN_STUN;

/// One encrypted media path to one peer. The crate's front page shows how to drive it.
#[derive(Debug)]
pub struct Transport {
    config: Config,
    ice: ice::Agent,
    /// What signalling said of the peer.
    remote: Option<Parameters>,
    /// Our DTLS role: `ActPass` until the peer's is known.
    setup: Setup,
    dtls: Option<Association>,
    /// What of DTLS is carried inside STUN.
    carried: carried::Carried,
    /// Where a client is that began before we have a pair of our own.
    unproven: Option<Unproven>,
    /// The handshake must be complete by then.
    deadline: Option<Instant>,
    /// Certificate and keys of a complete handshake, until the certificate is checked.
    unchecked: Option<Secrets>,
    /// Exists only after the certificate was checked.
    srtp: Option<Srtp>,
    /// SRTP that came before the keys: at most [`receive::MAX_EARLY`] datagrams.
    early: VecDeque<Vec<u8>>,
    phase: Phase,
    /// The last path that could be used.
    path: Option<ice::PairInfo>,
    /// Local and remote address of the path last told to the caller.
    reported: Option<(SocketAddr, SocketAddr)>,
    /// What the agent said while something was being sent: acted on with the next input.
    pending: VecDeque<ice::Output>,
    outputs: VecDeque<Output>,
    stats: Stats,
}

#[derive(Debug)]
struct Srtp {
    sender: srtp::Sender,
    receiver: srtp::Receiver,
    /// Reused for every packet.
    scratch: Vec<u8>,
}

/// A client whose own check has proven that it knows our credentials, while no check of ours has come back yet, perhaps
/// because the answer with its credentials is still under way. It may be answered, but not with much more than it
/// sent: its address may be another's.
#[derive(Debug)]
struct Unproven {
    /// Local address and the client's.
    path: (SocketAddr, SocketAddr),
    /// How many bytes may still be sent there.
    credit: usize,
}

impl Unproven {
    /// Three bytes for one, as RFC 9000 §8.1 has it.
    const FACTOR: usize = 3;

    /// The path, if there is credit for a datagram of this length.
    fn take(&mut self, len: usize) -> Option<(SocketAddr, SocketAddr)> {
        self.credit = self.credit.checked_sub(len)?;
        Some(self.path)
    }
}

#[derive(Debug)]
enum Phase {
    /// Until the certificate is checked.
    Starting,
    Connected,
    /// Connected, but the peer's consent is lost.
    Interrupted,
    /// We closed; these datagrams are still to be repeated on this path at these times, the next one last.
    Closing(Vec<(Instant, Vec<u8>)>, (SocketAddr, SocketAddr)),
    /// Closed by either side, or failed.
    Over,
}

impl Transport {
    /// A transport that knows neither its addresses nor its peer.
    ///
    /// `seed` must be unguessable: the ICE password comes from it. The same configuration, seed and inputs give the
    /// same outputs, but for what DTLS draws itself.
    #[must_use]
    pub fn new(config: Config, seed: [u8; 32], now: Instant) -> Self {
        let ice_config = ice::Config {
            role: if config.controlling {
                ice::Role::Controlling
            } else {
                ice::Role::Controlled
            },
            loopback: config.loopback,
            stun_servers: config.stun_servers.clone(),
            turn_servers: config.turn_servers.clone(),
            policy: config.policy,
            mdns_hiding: config.mdns_hiding,
            renomination: config.renomination,
            remote_lite: config.remote_lite,
            consent: ice::ConsentConfig {
                interval: config.consent_interval,
                timeout: config.consent_timeout,
            },
            local_credentials: config
                .ice_credentials
                .clone()
                .map(|(ufrag, pwd)| ice::Credentials { ufrag, pwd }),
            ..ice::Config::default()
        };
        Self {
            ice: ice::Agent::new(ice_config, seed, now),
            config,
            remote: None,
            setup: Setup::ActPass,
            dtls: None,
            carried: carried::Carried::default(),
            unproven: None,
            deadline: None,
            unchecked: None,
            srtp: None,
            early: VecDeque::new(),
            phase: Phase::Starting,
            path: None,
            reported: None,
            pending: VecDeque::new(),
            outputs: VecDeque::new(),
            stats: Stats::default(),
        }
    }

    /// What to signal to the peer: in an offer before, in an answer after the peer's own were
    /// [set](Self::set_remote_parameters).
    #[must_use]
    pub fn local_parameters(&self) -> Parameters {
        let credentials = self.ice.local_credentials();
        Parameters {
            ufrag: credentials.ufrag.clone(),
            pwd: credentials.pwd.clone(),
            fingerprints: vec![self.config.certificate.fingerprint()],
            setup: self.setup,
        }
    }

    /// Sets what the peer signalled, and starts. Setting the same again does nothing; new ICE credentials alone mean
    /// that the peer restarted ICE.
    ///
    /// # Errors
    /// [`ParametersError`]; then nothing has changed.
    pub fn set_remote_parameters(&mut self, parameters: Parameters, now: Instant) -> Result<(), ParametersError> {
        if self.is_closed() {
            return Err(ParametersError::Closed);
        }
        parameters.check()?;
        // RFC 8842 §5.3; an association that exists keeps its roles whatever a later offer leaves open (§5.5).
        let setup = match parameters.setup {
            Setup::ActPass if self.remote.is_some() => self.setup,
            Setup::Active => Setup::Passive,
            Setup::Passive => Setup::Active,
            Setup::ActPass if self.config.answer_setup == Setup::Passive => Setup::Passive,
            Setup::ActPass => Setup::Active,
        };
        if let Some(known) = &self.remote
            && (known.fingerprints != parameters.fingerprints || setup != self.setup)
        {
            return Err(ParametersError::Changed);
        }
        // A ClientHello that came before the answer made us the server.
        if let Some(dtls) = &self.dtls
            && dtls.is_client() != (setup == Setup::Active)
        {
            if dtls.is_finished() {
                return Err(ParametersError::SetupConflict {
                    setup: parameters.setup,
                });
            }
            self.dtls = None;
            self.forget_carried();
        }
        self.setup = setup;
        let credentials = ice::Credentials {
            ufrag: parameters.ufrag.clone(),
            pwd: parameters.pwd.clone(),
        };
        self.remote = Some(parameters);
        // Before the first check leaves, so that it carries the ClientHello.
        self.begin_carried(now);
        self.ice.set_remote_credentials(credentials, now);
        self.check_certificate();
        self.collect(now);
        Ok(())
    }

    /// Adds the address of a bound UDP socket.
    ///
    /// # Errors
    /// [`CandidateError`] if it cannot be a candidate; then it is not used.
    pub fn add_local_address(&mut self, address: SocketAddr, now: Instant) -> Result<(), CandidateError> {
        self.check_open()?;
        let result = self.ice.add_local_address(address, now).map_err(refused);
        self.collect(now);
        result
    }

    /// Forgets an address that is gone.
    pub fn remove_local_address(&mut self, address: SocketAddr, now: Instant) {
        self.ice.remove_local_address(address, now);
        self.collect(now);
    }

    /// No more local addresses follow: [`Event::GatheringComplete`] comes as soon as the STUN servers have answered.
    pub fn end_of_local_addresses(&mut self, now: Instant) {
        self.ice.end_of_local_addresses(now);
        self.collect(now);
    }

    /// Adds a candidate of the peer: the value of an RFC 8839 §5.1 `candidate` attribute, with or without the
    /// `candidate:` in front. TCP candidates are ignored.
    ///
    /// # Errors
    /// [`CandidateError`] if it cannot be read or used; the transport goes on without it.
    pub fn add_remote_candidate(&mut self, candidate: &str, now: Instant) -> Result<(), CandidateError> {
        self.check_open()?;
        let candidate = match candidate.parse::<ice::Candidate>() {
            Ok(candidate) => candidate,
            Err(ice::ParseError::Transport) => return Ok(()),
            Err(_) => {
                return Err(CandidateError::Malformed {
                    text: candidate.chars().take(80).collect(),
                });
            }
        };
        let result = self.ice.add_remote_candidate(candidate, now).map_err(refused);
        self.collect(now);
        result
    }

    /// No more candidates of the peer follow: from now on [`FailReason::Ice`] is possible.
    pub fn end_of_remote_candidates(&mut self, now: Instant) {
        self.ice.end_of_remote_candidates(now);
        self.collect(now);
    }

    /// Restarts ICE: [`Self::local_parameters`] has new credentials, which must be signalled. Media go on over the old
    /// path until a new one works.
    pub fn restart_ice(&mut self, now: Instant) {
        if !self.is_closed() {
            self.ice.restart(None, now);
            self.collect(now);
        }
    }

    /// Does what is due at `now`. Early or repeated calls do no harm.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let Phase::Closing(copies, path) = &mut self.phase {
            let (mut due, path) = (Vec::new(), *path);
            while copies.last().is_some_and(|(at, _)| *at <= now) {
                due.extend(copies.pop().map(|(_, payload)| payload));
            }
            let is_last = copies.is_empty();
            for payload in due {
                self.ice.send(path.0, path.1, &payload, now);
            }
            if is_last {
                self.flush_ice();
                self.phase = Phase::Over;
                self.ice.close();
            }
            self.flush_ice();
        }
        if self.is_closed() {
            return;
        }
        self.ice.handle_timeout(now);
        if let Some(dtls) = &mut self.dtls {
            dtls.handle_timeout(now);
        }
        self.collect(now);
        if self.deadline.is_some_and(|at| at <= now) {
            self.fail(FailReason::Timeout);
        }
    }

    /// When [`Self::handle_timeout`] is to be called next. Pure.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Closing(copies, _) => copies.last().map(|(at, _)| *at),
            Phase::Over => None,
            _ => [
                self.ice.poll_timeout(),
                self.dtls.as_ref().and_then(Association::poll_timeout),
                self.deadline,
            ]
            .into_iter()
            .flatten()
            .min(),
        }
    }

    /// The next thing for the caller to do; to be called until `None` after every other call.
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.outputs.pop_front();
        if let Some(Output::Transmit(transmit)) = &output {
            self.stats.datagrams_sent += 1;
            self.stats.bytes_sent += transmit.payload.len() as u64;
        }
        output
    }

    /// Protects an RTP packet and sends it.
    ///
    /// # Errors
    /// [`SendError`]; then nothing is sent.
    pub fn send_rtp(&mut self, packet: &[u8], now: Instant) -> Result<(), SendError> {
        self.send_media(packet, now, srtp::Sender::protect_rtp)?;
        self.stats.rtp_sent += 1;
        Ok(())
    }

    /// Protects a compound or reduced-size RTCP packet and sends it.
    ///
    /// # Errors
    /// [`SendError`]; then nothing is sent.
    pub fn send_rtcp(&mut self, packet: &[u8], now: Instant) -> Result<(), SendError> {
        self.send_media(packet, now, srtp::Sender::protect_rtcp)?;
        self.stats.rtcp_sent += 1;
        Ok(())
    }

    /// Ends the association: an authenticated close_notify goes out now and twice more within 150 ms, everything that
    /// still comes from the peer is dropped, and no more events come. Before [`Event::Connected`] there is nothing to
    /// tell the peer. What was sent before (an RTCP BYE, say) still leaves.
    pub fn close(&mut self, now: Instant) {
        if self.is_closed() {
            return;
        }
        self.outputs.retain(|output| !matches!(output, Output::Event(_)));
        let path = self.ice.best_pair().map(|pair| (pair.local, pair.remote));
        tracing::debug!("transport closed");
        let notify = match &mut self.dtls {
            Some(dtls) if self.srtp.is_some() => {
                dtls.close(now);
                std::iter::from_fn(|| dtls.poll_transmit()).collect()
            }
            _ => Vec::new(),
        };
        let Some(path) = path.filter(|_| !notify.is_empty()) else {
            self.forget();
            self.phase = Phase::Over;
            return;
        };
        let mut copies = Vec::new();
        for after in CLOSE_AGAIN.iter().rev() {
            copies.extend(notify.iter().map(|payload| (now + *after, payload.clone())));
        }
        for payload in notify {
            self.ice.send(path.0, path.1, &payload, now);
        }
        self.flush_ice();
        self.forget_keys();
        self.phase = Phase::Closing(copies, path);
    }

    /// Whether media can be sent: after [`Event::Connected`], until the end. An interruption does not count.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        matches!(self.phase, Phase::Connected | Phase::Interrupted)
    }

    /// Whether the transport was closed by either side or has failed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closing(..) | Phase::Over)
    }

    /// Round trip of the path in use, measured by ICE.
    #[must_use]
    pub fn rtt(&self) -> Option<Duration> {
        self.ice.best_pair().and_then(|pair| pair.rtt)
    }

    /// The path in use.
    #[must_use]
    pub fn path(&self) -> Option<PathInfo> {
        self.ice.best_pair().map(path_info)
    }

    /// Counters since the start.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.stats;
        if let Some(dtls) = &self.dtls {
            stats.dtls_rejected += dtls.rejected();
            stats.dtls_repeated += dtls.repeated();
        }
        stats
    }

    fn send_media(
        &mut self,
        packet: &[u8],
        now: Instant,
        protect: impl FnOnce(&mut srtp::Sender, &[u8], &mut Vec<u8>) -> Result<(), srtp::ProtectError>,
    ) -> Result<(), SendError> {
        match self.phase {
            Phase::Starting => return Err(SendError::NotConnected),
            Phase::Interrupted => return Err(SendError::Interrupted),
            Phase::Closing(..) | Phase::Over => return Err(SendError::Closed),
            Phase::Connected => {}
        }
        let path = self.ice.best_pair().ok_or(SendError::Interrupted)?;
        let srtp = self.srtp.as_mut().ok_or(SendError::NotConnected)?;
        protect(&mut srtp.sender, packet, &mut srtp.scratch).map_err(|error| PacketError::Unprotectable {
            reason: error.to_string(),
        })?;
        let payload = srtp.scratch.clone();
        self.send_datagram((path.local, path.remote), payload, now);
        Ok(())
    }

    fn on_ice_event(&mut self, event: ice::Event, now: Instant) {
        match event {
            ice::Event::LocalCandidate(candidate) => self.push_event(Event::LocalCandidate(candidate.to_string())),
            ice::Event::GatheringComplete => self.push_event(Event::GatheringComplete),
            ice::Event::StateChanged(ice::State::Failed) if matches!(self.phase, Phase::Starting) => {
                self.fail(FailReason::Ice);
            }
            ice::Event::SelectedPair(pair) if self.is_connected() => {
                let path = Some((pair.local, pair.remote));
                if self.reported != path {
                    self.reported = path;
                    self.push_event(Event::PathChanged(path_info(pair)));
                }
            }
            ice::Event::ConsentLost if matches!(self.phase, Phase::Connected) => {
                tracing::debug!("interrupted");
                self.phase = Phase::Interrupted;
                self.push_event(Event::Interrupted);
            }
            ice::Event::ConsentRestored if matches!(self.phase, Phase::Interrupted) => {
                tracing::debug!("resumed");
                self.phase = Phase::Connected;
                self.push_event(Event::Resumed);
            }
            ice::Event::CheckPayload(payload) => self.on_check_payload(&payload, now),
            ice::Event::BetterPair(pair) => self.push_event(Event::BetterPath(path_info(pair))),
            ice::Event::RestartNeeded if self.is_connected() => self.push_event(Event::RestartNeeded),
            ice::Event::RelayFailed {
                server,
                protocol,
                failure,
            } => self.push_event(Event::RelayFailed {
                server,
                protocol,
                failure,
            }),
            _ => {}
        }
    }

    fn fail(&mut self, reason: FailReason) {
        if !self.is_closed() {
            tracing::debug!(%reason, "transport failed");
            self.end_with(Event::Failed(reason));
        }
    }

    fn end_with(&mut self, event: Event) {
        self.forget();
        self.phase = Phase::Over;
        self.push_event(event);
    }

    /// Drops keys, association and path: nothing is answered or opened any more.
    fn forget(&mut self) {
        self.forget_keys();
        self.ice.close();
        self.flush_ice();
    }

    fn forget_keys(&mut self) {
        if let Some(dtls) = self.dtls.take() {
            self.stats.dtls_rejected += dtls.rejected();
            self.stats.dtls_repeated += dtls.repeated();
        }
        self.carry(None);
        self.srtp = None;
        self.unchecked = None;
        self.early.clear();
        self.deadline = None;
    }

    fn check_open(&self) -> Result<(), CandidateError> {
        if self.is_closed() {
            return Err(CandidateError::Closed);
        }
        Ok(())
    }

    fn push_transmit(&mut self, transmit: Transmit) {
        if self.outputs.len() >= MAX_OUTPUTS {
            self.stats.output_dropped += 1;
            return;
        }
        self.outputs.push_back(Output::Transmit(transmit));
    }

    fn push_event(&mut self, event: Event) {
        let room = match event {
            Event::Rtp(_) | Event::Rtcp(_) => MAX_OUTPUTS,
            _ => 2 * MAX_OUTPUTS,
        };
        if self.outputs.len() >= room {
            self.stats.output_dropped += 1;
            return;
        }
        self.outputs.push_back(Output::Event(event));
    }
}

fn path_info(pair: ice::PairInfo) -> PathInfo {
    PathInfo {
        local: pair.local,
        remote: pair.remote,
        local_kind: pair.local_kind.name(),
        remote_kind: pair.remote_kind.name(),
        relay: pair.relay.map(ice::RelayProtocol::name),
        rtt: pair.rtt,
    }
}

fn refused(error: ice::CandidateError) -> CandidateError {
    CandidateError::Refused {
        reason: error.to_string(),
    }
}
