//! One side of a call as a value: signalling, one transport for each device of the peer, media.
//!
//! Sans-IO like the crates below: it is told bytes, time and a seed, and answers with datagrams, signalling text, events and the
//! next deadline. It owns no clock, socket or thread; the shell around it does, and the tests put two of them on a virtual
//! network. Hidden from the documentation because it is not a stable interface.
//!
//! Its output is to be drained after each call that takes `now`; everything queued in between is bounded by what one input
//! can cause.

mod config;
mod control;
mod formats;
mod leg;
mod legs;
mod network;
mod restart;
mod seeds;
mod server_link;
mod servers;
mod statistics;
mod verify;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use duologue_media::Media;
use duologue_signaling::client::{ClientCall, Timers};
use duologue_signaling::message::Verified;
use duologue_signaling::{ClientMessage, DisconnectReason};
use duologue_transport::{Certificate, TurnServer};

pub use self::config::{Command, Config, EngineError, Role};
use self::leg::Leg;
pub use self::network::{NAT64_NAME, StreamKey};
use self::seeds::Seeds;
use self::server_link::ServerLink;
use self::servers::Servers;
use self::verify::Verification;
use crate::{CallEvent, CallEventKind, IcePolicy, SetupPhases};

/// A pull of audio that takes longer is slow.
pub const SLOW_PULL: Duration = duologue_media::CONCEALMENT_BUDGET;

/// What an engine wants done.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Output {
    /// A datagram to be sent now.
    Transmit {
        /// The local address whose socket sends it.
        source: SocketAddr,
        /// Where to.
        destination: SocketAddr,
        /// The UDP payload.
        payload: Vec<u8>,
    },
    /// A message for the server, on the connection that is open.
    Signal(String),
    /// Close the connection to the server and make another: nobody answers on it.
    SignalReset,
    /// Open a TCP connection to a TURN server, then say [`handle_stream_open`](Engine::handle_stream_open), or
    /// [`handle_stream_closed`](Engine::handle_stream_closed) if that fails.
    StreamOpen {
        /// Its name in all other calls.
        key: StreamKey,
        /// The local address to connect from.
        local: IpAddr,
        /// The server.
        remote: SocketAddr,
        /// TLS, with this name in the server's certificate; `None` is plain TCP.
        tls: Option<String>,
    },
    /// Write these bytes on a stream, all of them or none.
    StreamWrite {
        /// Which stream.
        key: StreamKey,
        /// Whole messages.
        bytes: Vec<u8>,
    },
    /// Close a stream, after what was written.
    StreamClose {
        /// Which stream.
        key: StreamKey,
    },
    /// Bind sockets for one leg alone, on every local address, and hand them in by
    /// [`add_leg_address`](Engine::add_leg_address): a TURN server gives one allocation a socket (RFC 8656 §3).
    NeedSockets {
        /// The leg.
        leg: usize,
    },
    /// Find the addresses of this name and give them to [`handle_lookup`](Engine::handle_lookup).
    Lookup {
        /// A name of DNS.
        name: String,
    },
    /// Find the address of this mDNS name and give it to [`handle_mdns_answer`](Engine::handle_mdns_answer).
    MdnsQuery {
        /// The whole name, `.local` included.
        name: String,
    },
    /// Answer mDNS questions for this name with this address from now on.
    MdnsPublish {
        /// The whole name, `.local` included.
        name: String,
        /// One of our addresses.
        address: IpAddr,
    },
    /// Something for the application.
    Event(CallEvent),
}

/// One side of a call.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    certificate: Certificate,
    seeds: Seeds,
    server: ServerLink,
    call: ClientCall,
    started: bool,
    /// Callee: another device verified before this one.
    further: bool,
    /// Callee: what the server confirmed.
    verified: Option<Box<Verified>>,
    /// The last words about microphone and hold that the server could not yet be told.
    untold_mute: Option<ClientMessage>,
    untold_hold: Option<ClientMessage>,
    /// One for each device of the peer that has verified; the caller's first is made before anybody has. Never removed, at most
    /// [`legs::MAX_LEGS`].
    legs: Vec<Leg>,
    /// The leg that carries the call: decided by the accept.
    active: Option<usize>,
    media: Media,
    ssrc: u32,
    cname: String,
    local_addresses: Vec<SocketAddr>,
    addresses_complete: bool,
    servers: Servers,
    stun_servers: Vec<SocketAddr>,
    turn_servers: Vec<TurnServer>,
    nat64: Vec<Ipv6Addr>,
    nat64_asked: bool,
    verification: Verification,
    phases: SetupPhases,
    outputs: VecDeque<Output>,
    /// Both may speak: set by the accept, cleared by the end.
    talking: bool,
    /// On hold at this side: nothing is sent or played.
    holding: bool,
    /// On hold at the peer.
    peer_holds: bool,
    ended: bool,
    /// After the end: until when the server is tried.
    tell_until: Option<Instant>,
    /// The server knows of the end, need not know, or was given up.
    told: bool,
    /// When the active leg counts as lost, because the peer has stopped answering.
    lost_at: Option<Instant>,
    /// The application was told that the network is unavailable: the peer's (`true`) or ours.
    unavailable: Option<bool>,
    datagrams_ignored: u64,
    goodbyes_ignored: u64,
    descriptions_ignored: u64,
    restarts: u64,
}

impl Engine {
    /// One side of a call. Nothing is sent before [`handle_signal_open`](Self::handle_signal_open).
    ///
    /// # Errors
    ///
    /// When no certificate or no codec can be made.
    pub fn new(config: Config, seed: [u8; 32], now: Instant) -> Result<Self, EngineError> {
        let certificate = Certificate::generate()?;
        Self::with_certificate(config, certificate, seed, now)
    }

    /// The same with a certificate that was made before.
    ///
    /// # Errors
    ///
    /// When no codec can be made.
    pub fn with_certificate(
        config: Config,
        certificate: Certificate,
        seed: [u8; 32],
        now: Instant,
    ) -> Result<Self, EngineError> {
        let mut seeds = Seeds::new(seed);
        let ssrc = seeds.draw_u32();
        // RFC 7022 §4.2: a short-term CNAME, so that calls of one user cannot be linked.
        let cname = format!(
            "{:08x}{:08x}{:08x}",
            seeds.draw_u32(),
            seeds.draw_u32(),
            seeds.draw_u32()
        );
        let mut media_config = config.media.clone();
        media_config.ssrc = ssrc;
        media_config.cname.clone_from(&cname);
        let media = Media::new(media_config, seeds.draw(), now)?;
        let timers = Timers {
            pre_connect: config.pre_connect && config.ice_policy != IcePolicy::NothingBeforeAccept,
            ..Timers::default()
        };
        let call = ClientCall::new(config.role.kind(), timers);
        let server = ServerLink::new(config.role.hello());
        let verification = Verification::new(seeds.draw(), &certificate);
        let mut engine = Self {
            config,
            certificate,
            seeds,
            server,
            call,
            started: false,
            further: false,
            verified: None,
            untold_mute: None,
            untold_hold: None,
            legs: Vec::new(),
            active: None,
            media,
            ssrc,
            cname,
            local_addresses: Vec::new(),
            addresses_complete: false,
            servers: Servers::default(),
            stun_servers: Vec::new(),
            turn_servers: Vec::new(),
            nat64: Vec::new(),
            nat64_asked: false,
            verification,
            phases: SetupPhases::new(now),
            outputs: VecDeque::new(),
            talking: false,
            holding: false,
            peer_holds: false,
            ended: false,
            tell_until: None,
            told: false,
            lost_at: None,
            unavailable: None,
            datagrams_ignored: 0,
            goodbyes_ignored: 0,
            descriptions_ignored: 0,
            restarts: 0,
        };
        engine.add_leg(None, now);
        Ok(engine)
    }

    /// The application wants something.
    pub fn handle_command(&mut self, command: Command, now: Instant) {
        self.on_command(command, now);
        self.pump(now);
    }

    /// The server's name and its address on the connection that is about to be told of: STUN and TURN servers under that name need
    /// no look-up.
    pub fn set_server_address(&mut self, (name, address): (String, IpAddr)) {
        self.servers.know(&name, vec![address]);
    }

    /// A connection to the server is open, the first or a further one.
    pub fn handle_signal_open(&mut self, now: Instant) {
        self.server.open(now);
        self.pump(now);
    }

    /// A message of the server. What cannot be read is counted and dropped.
    pub fn handle_signal(&mut self, text: &str, now: Instant) {
        if let Some(incoming) = self.server.handle(text, now) {
            self.on_server(incoming, now);
        }
        self.pump(now);
    }

    /// No connection to the server is open; `failure` says why one could not be made. That ends a call which has not reached
    /// the server before; any other goes on.
    pub fn handle_signal_closed(&mut self, failure: Option<DisconnectReason>, now: Instant) {
        self.server.close();
        self.call.handle_signal_down(failure, now);
        self.pump(now);
    }

    /// The application is gone without a word: the peer is told, nobody else can be.
    pub fn abandon(&mut self, now: Instant) {
        let _ = self.call.end(Some(DisconnectReason::AppDestroy), None, now);
        self.server.close();
        self.pump(now);
        self.tell_until = Some(now);
        self.pump(now);
    }

    /// A datagram, with the time at which it was read. One that belongs to no leg is counted and dropped.
    pub fn handle_datagram(&mut self, local: SocketAddr, source: SocketAddr, payload: &[u8], now: Instant) {
        match self.legs.iter_mut().find(|leg| leg.accepts(local, source, payload)) {
            Some(leg) => leg.transport.handle_datagram(local, source, payload, now),
            None => self.datagrams_ignored += 1,
        }
        self.pump(now);
    }

    /// A deadline has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        for leg in &mut self.legs {
            leg.handle_timeout(now);
        }
        if !self.ended && self.media.poll_timeout().is_some_and(|due| due <= now) {
            self.media.handle_timeout(now);
        }
        self.call.handle_timeout(now);
        self.server.handle_timeout(now);
        self.on_lost(now);
        self.pump(now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) is next due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let legs = self.legs.iter().filter_map(Leg::poll_timeout).min();
        let media = if self.ended { None } else { self.media.poll_timeout() };
        let server = [
            self.server.poll_timeout(),
            self.tell_until.filter(|_| !self.is_finished()),
        ];
        let call = [legs, media, self.call.poll_timeout(), self.lost_at];
        server.into_iter().chain(call).flatten().min()
    }

    /// What is to be done next, until `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether captured samples would be sent.
    pub fn wants_capture(&self) -> bool {
        self.talking && self.active_leg().is_some_and(Leg::is_connected)
    }

    /// Whether samples may be played.
    pub fn wants_playout(&self) -> bool {
        self.wants_capture()
    }

    /// Captured samples, mono at 48 kHz, any number.
    pub fn push_capture(&mut self, pcm: &[f32], now: Instant) {
        self.media.push_capture(pcm, now);
        self.pump(now);
    }

    /// Fills `out` with what is to be played now, mono at 48 kHz.
    pub fn pull_playout(&mut self, now: Instant, out: &mut [f32]) {
        self.media.pull_playout(now, out);
        if self.holding {
            // Pulled all the same, lest the buffer keep what was said in the meantime.
            out.fill(0.0);
        }
    }

    /// Whether the hold tone is to be played in place of what was pulled.
    pub fn wants_hold_tone(&self) -> bool {
        self.peer_holds && !self.holding
    }

    /// How long the last [`pull_playout`](Self::pull_playout) took: a loss whose concealment takes more than [`SLOW_PULL`] goes on
    /// in the cheap way.
    pub fn report_pull_time(&mut self, took: Duration) {
        self.media.report_pull_time(took);
    }

    /// When the phases of the set-up were reached.
    pub fn phases(&self) -> &SetupPhases {
        &self.phases
    }

    /// The same, for what only the shell knows.
    pub fn phases_mut(&mut self) -> &mut SetupPhases {
        &mut self.phases
    }

    /// True when the call is over, everybody who could be told was told, and nothing more will be done.
    pub fn is_finished(&self) -> bool {
        self.ended && self.told && self.legs.iter().all(|leg| leg.goodbye.is_none())
    }

    /// The call's id, once the server told it.
    pub fn sid(&self) -> Option<String> {
        self.call.sid().map(String::from)
    }

    fn is_caller(&self) -> bool {
        matches!(self.config.role, Role::Caller(_))
    }

    fn active_leg(&self) -> Option<&Leg> {
        self.active.and_then(|index| self.legs.get(index))
    }

    fn emit(&mut self, kind: CallEventKind, at: Instant) {
        self.outputs.push_back(Output::Event(CallEvent { at, kind }));
    }

    /// Carries what one part says to the others until all are quiet.
    fn pump(&mut self, now: Instant) {
        // Candidates last: what one input makes known travels in one message.
        while self.pump_legs(now) | self.pump_media(now) | self.pump_call(now) || self.send_candidates() {}
        self.pump_server(now);
    }

    fn pump_media(&mut self, now: Instant) -> bool {
        let mut busy = false;
        while let Some(output) = self.media.poll_output() {
            busy = true;
            match output {
                duologue_media::Output::Rtp(packet) => {
                    self.send(&packet, |leg, packet| leg.transport.send_rtp(packet, now))
                }
                duologue_media::Output::Rtcp(packet) => {
                    self.send(&packet, |leg, packet| leg.transport.send_rtcp(packet, now))
                }
                duologue_media::Output::Event(event) => self.on_media_event(event, now),
                _ => {}
            }
        }
        busy
    }

    /// Sends over the active leg. A packet that finds no path is lost like any other.
    fn send(&mut self, packet: &Bytes, how: impl FnOnce(&mut Leg, &[u8]) -> Result<(), duologue_transport::SendError>) {
        if let Some(leg) = self.active.and_then(|index| self.legs.get_mut(index))
            && let Err(error) = how(leg, packet)
        {
            tracing::trace!(%error, "a packet found no path");
        }
    }
}
