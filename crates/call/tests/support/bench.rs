//! One engine among browser-like peers and a server that says what a test wants, on virtual time and a perfect network.
//!
//! A peer is a transport and a media session that do what a browser does where that differs from an engine: its own payload
//! types, no reason in a goodbye, either DTLS role and version.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use duologue_call::CallEventKind;
use duologue_call::engine::{Command, Config, Engine, Output, Role};
use duologue_media::{Config as MediaConfig, Event as MediaEvent, Formats, Media, Output as MediaOutput};
use duologue_signaling::client::{MakeCallParams, VerifyCallParams};
use duologue_signaling::ids::{CallId, PartyId};
use duologue_signaling::link::Link;
use duologue_signaling::message::{Caller, Policy, Verified, Welcome};
use duologue_signaling::{
    CcParam, CcParamInfo, ClientMessage, Codec, Envelope, Fingerprint, HeaderExtension, MediaType, ServerMessage,
    SessionDescription, Setup, decode, encode,
};
use duologue_testnet::Clock;
use duologue_transport::{Certificate, Event, Output as TransportOutput, Parameters, Transport};

const TICK: Duration = Duration::from_millis(10);
const BLOCK: usize = 480;
/// Longer than any rule that a test waits for.
const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) const SID: &str = "123e4567-e89b-12d3-a456-426614174000";

/// The engine under test and everybody around it.
pub(crate) struct Bench {
    pub(crate) clock: Clock,
    pub(crate) engine: Engine,
    pub(crate) peers: Vec<Browser>,
    /// What the application was told.
    pub(crate) events: Vec<CallEventKind>,
    /// What the server was told.
    pub(crate) told: Vec<ClientMessage>,
    /// The loudest sample of the last tick that was played.
    pub(crate) played: f32,
    link: Link<ServerMessage>,
    /// Where the engine is.
    address: SocketAddr,
    server_up: bool,
    samples: u64,
}

/// A peer's settings.
#[derive(Clone)]
pub(crate) struct Habits {
    pub(crate) formats: Formats,
    pub(crate) setup: Setup,
    pub(crate) dtls13: bool,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            formats: Formats::default(),
            setup: Setup::ActPass,
            dtls13: true,
        }
    }
}

/// What a test makes of a description.
pub(crate) type Change = Box<dyn FnOnce(&mut SessionDescription)>;

/// A device that is no engine.
pub(crate) struct Browser {
    pub(crate) transport: Transport,
    pub(crate) media: Media,
    pub(crate) party: PartyId,
    /// Decrypted packets of the engine.
    pub(crate) rtp: Vec<Vec<u8>>,
    pub(crate) rtcp: Vec<Vec<u8>>,
    pub(crate) goodbyes: Vec<String>,
    pub(crate) transport_events: Vec<Event>,
    /// Nothing leaves it and nothing reaches it.
    pub(crate) cut_off: bool,
    address: SocketAddr,
    setup: Setup,
    /// Changes the next description.
    pub(crate) identity: Option<Change>,
}

fn engine_address() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 40_000))
}

impl Bench {
    pub(crate) fn caller() -> Self {
        let params = MakeCallParams {
            my_id: "alice".into(),
            my_service_id: "service".into(),
            peer_id: "bob".into(),
            peer_service_id: "service".into(),
            access_token: "token".into(),
            ..MakeCallParams::default()
        };
        let mut bench = Self::new(Role::Caller(params.check().unwrap()));
        bench.say(ServerMessage::CallCreated {
            sid: SID.parse().unwrap(),
        });
        bench.say(ServerMessage::WaitConnected);
        bench
    }

    pub(crate) fn callee() -> Self {
        let user = |id: &str| id.parse().unwrap();
        let info = CcParamInfo {
            sid: SID.parse().unwrap(),
            caller_id: user("alice"),
            caller_service_id: "service".parse().unwrap(),
            callee_id: user("bob"),
            callee_service_id: "service".parse().unwrap(),
            media_type: MediaType::Audio,
            expires: u64::MAX,
        };
        let params = VerifyCallParams {
            my_id: "bob".into(),
            my_service_id: "service".into(),
            cc_param: CcParam::seal(&info, 1, |_| vec![0; 32]),
            access_token: None,
        };
        Self::new(Role::Callee(params.check().unwrap()))
    }

    fn new(role: Role) -> Self {
        let clock = Clock::new();
        let now = clock.now();
        let mut config = Config::new(role);
        config.media.encoder_complexity = 0;
        config.media.decoder_complexity = 0;
        let mut engine = Engine::new(config, [7; 32], now).unwrap();
        engine.add_local_address(engine_address(), now);
        engine.end_of_local_addresses(now);
        let mut bench = Self {
            clock,
            engine,
            peers: Vec::new(),
            events: Vec::new(),
            told: Vec::new(),
            played: 0.0,
            link: Link::new(),
            address: engine_address(),
            server_up: true,
            samples: 0,
        };
        bench.engine.handle_signal_open(now);
        bench.pump();
        bench
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The server says something.
    pub(crate) fn say(&mut self, message: ServerMessage) {
        self.link.send(message).unwrap();
        self.pump();
    }

    pub(crate) fn command(&mut self, command: Command) {
        let now = self.now();
        self.engine.handle_command(command, now);
        self.pump();
    }

    /// The engine's network is another from now on.
    pub(crate) fn move_engine(&mut self, address: SocketAddr) {
        let now = self.now();
        self.engine.add_local_address(address, now);
        self.pump();
        self.engine
            .remove_local_address(std::mem::replace(&mut self.address, address), now);
        self.pump();
    }

    /// The engine has no network any more.
    pub(crate) fn lose_address(&mut self) {
        let now = self.now();
        self.engine.remove_local_address(self.address, now);
        self.pump();
    }

    /// It has the same one as before.
    pub(crate) fn regain_address(&mut self) {
        let now = self.now();
        self.engine.add_local_address(self.address, now);
        self.pump();
    }

    /// The server is gone for good.
    pub(crate) fn lose_server(&mut self) {
        let now = self.now();
        self.server_up = false;
        self.link.close();
        self.engine.handle_signal_closed(None, now);
        self.pump();
    }

    /// One more device; its number is one more than its place among the peers.
    pub(crate) fn add_peer(&mut self, habits: &Habits) -> usize {
        let index = self.peers.len();
        let browser = Browser::new(index, habits, matches!(self.role(), Side::Callee), self.now());
        self.peers.push(browser);
        index
    }

    fn role(&self) -> Side {
        match self
            .told
            .iter()
            .any(|message| matches!(message, ClientMessage::MakeCall(_)))
        {
            true => Side::Caller,
            false => Side::Callee,
        }
    }

    /// The description that the engine gave for this device, or for the first one.
    pub(crate) fn description(&self, party: Option<PartyId>) -> Option<SessionDescription> {
        self.told.iter().rev().find_map(|message| match message {
            ClientMessage::MakeCall(make) if party.is_none() => make.description.as_deref().cloned(),
            ClientMessage::Description { party: of, description } if *of == party => Some((**description).clone()),
            _ => None,
        })
    }

    /// The engine calls: this device of the callee verifies, and answers what it was offered.
    pub(crate) fn verify(&mut self, index: usize, codecs: Vec<Codec>, extmap: Vec<HeaderExtension>) {
        let (now, party) = (self.now(), self.peers[index].party);
        self.say(ServerMessage::PeerVerified {
            party,
            describe: index > 0,
        });
        let offer = self.description((index > 0).then_some(party)).expect("an offer");
        let peer = &mut self.peers[index];
        peer.learn(&offer, now);
        let mut description = Box::new(peer.describe(codecs, extmap));
        if let Some(change) = peer.identity.take() {
            change(&mut description);
        }
        self.say(ServerMessage::Description { party, description });
        // Candidates that the offer did not have yet are for the device that the engine names, or for the first.
        let candidates: Vec<String> = { self.told.iter() }
            .filter_map(|message| match message {
                ClientMessage::Candidates { candidates, .. } => Some(candidates.clone()),
                _ => None,
            })
            .flatten()
            .collect();
        for candidate in candidates {
            let _ = self.peers[index].transport.add_remote_candidate(&candidate, now);
        }
        self.run_until("the path is up", |bench| bench.peers[index].transport.is_connected());
    }

    /// The device accepts.
    pub(crate) fn accepted(&mut self, index: usize) {
        let party = self.peers[index].party;
        self.peers[index].media.set_sending(true);
        self.say(ServerMessage::Accepted {
            party,
            call_start_message: None,
        });
        assert!(self.has("evt_connected"), "{:?}", self.names());
    }

    /// The engine is called: by peer 0, which offers this. `later`: the offer follows the confirmation, as for a further device.
    pub(crate) fn offer(&mut self, codecs: Vec<Codec>, extmap: Vec<HeaderExtension>, later: bool) {
        let (now, party) = (self.now(), PartyId(1));
        let mut description = self.peers[0].describe(codecs, extmap);
        if let Some(change) = self.peers[0].identity.take() {
            change(&mut description);
        }
        let mut description = Some(Box::new(description));
        let first = if later { None } else { description.take() };
        self.say(ServerMessage::Verified(Box::new(Verified {
            sid: SID.parse::<CallId>().unwrap(),
            party,
            caller: Caller {
                user_id: "alice".parse().unwrap(),
                service_id: "service".parse().unwrap(),
            },
            media_type: MediaType::Audio,
            call_start_message: None,
            description: first,
            // The server keeps what the caller gathered for the first device, and tells it to all.
            candidates: vec!["candidate:9 1 udp 2130706431 192.0.2.99 9 typ host ufrag other".into()],
            end_of_candidates: later,
        })));
        if let Some(description) = description {
            self.say(ServerMessage::Description { party, description });
        }
        let answer = self.description(None).expect("an answer");
        self.peers[0].learn(&answer, now);
        self.run_until("the path is up", |bench| bench.peers[0].transport.is_connected());
        self.run_until("it is verified", |bench| bench.has("evt_verified"));
    }

    /// The engine accepts the call of peer 0.
    pub(crate) fn accept(&mut self) {
        self.command(Command::Accept {
            call_start_message: None,
        });
        self.say(ServerMessage::Accepted {
            party: PartyId(1),
            call_start_message: None,
        });
        self.peers[0].media.set_sending(true);
        assert!(self.has("evt_connected"), "{:?}", self.names());
    }

    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.events.iter().map(CallEventKind::name).collect()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.names().contains(&name)
    }

    /// Lets virtual time pass until something is so.
    pub(crate) fn run_until(&mut self, what: &str, done: impl Fn(&Self) -> bool) -> Duration {
        let begin = self.clock.elapsed();
        while !done(self) {
            assert!(
                self.clock.elapsed() - begin < PATIENCE,
                "{what}: never; {:?}",
                self.names()
            );
            self.tick();
        }
        self.clock.elapsed() - begin
    }

    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.clock.elapsed() + time;
        while self.clock.elapsed() < end {
            self.tick();
        }
    }

    fn tick(&mut self) {
        self.clock.advance(TICK);
        let now = self.now();
        if self.engine.poll_timeout().is_some_and(|due| due <= now) {
            self.engine.handle_timeout(now);
        }
        let mut block = [0.0; BLOCK];
        for sample in &mut block {
            *sample = 0.5 * (self.samples as f32 * 0.0576).sin();
            self.samples += 1;
        }
        for peer in &mut self.peers {
            peer.tick(&block, now);
        }
        if self.engine.wants_capture() {
            self.engine.push_capture(&block, now);
            self.engine.pull_playout(now, &mut block);
            self.played = block.iter().fold(0.0, |peak, sample| peak.max(sample.abs()));
        }
        self.pump();
    }

    /// Carries what everybody has to say until all are quiet.
    pub(crate) fn pump(&mut self) {
        let now = self.now();
        let mut busy = true;
        while busy {
            busy = false;
            while let Some(output) = self.engine.poll_output() {
                busy = true;
                match output {
                    Output::Transmit {
                        source,
                        destination,
                        payload,
                    } if source == self.address => {
                        if let Some(peer) = self.peers.iter_mut().find(|peer| peer.address == destination) {
                            peer.hear(self.address, &payload, now);
                        }
                    }
                    Output::Signal(text) if self.server_up => self.on_signal(&text),
                    Output::Event(event) => self.events.push(event.kind),
                    _ => {}
                }
            }
            for peer in &mut self.peers {
                for (source, payload) in peer.drain(self.address, now) {
                    busy = true;
                    self.engine.handle_datagram(self.address, source, &payload, now);
                }
            }
            while let Some(envelope) = self.link.poll_transmit() {
                busy = true;
                self.engine.handle_signal(&encode(&envelope), now);
            }
        }
    }

    fn on_signal(&mut self, text: &str) {
        let now = self.now();
        let envelope: Envelope<ClientMessage> = decode(text).unwrap();
        if matches!(envelope.msg, ClientMessage::Hello(_)) {
            self.link.restart();
            let welcome = self.link.wrap(ServerMessage::Welcome(Box::new(Welcome {
                session: "test".into(),
                resume: "resume".into(),
                heartbeat_ms: 10_000,
                resumed: false,
                ice_servers: Vec::new(),
                policy: Policy::default(),
            })));
            self.engine.handle_signal(&encode(&welcome), now);
            return;
        }
        match self.link.handle(envelope) {
            Some(ClientMessage::Ping) => {
                let pong = self.link.wrap(ServerMessage::Pong);
                self.engine.handle_signal(&encode(&pong), now);
            }
            Some(message) => self.told.push(message),
            None => {}
        }
    }
}

enum Side {
    Caller,
    Callee,
}

impl Browser {
    fn new(index: usize, habits: &Habits, calls: bool, now: Instant) -> Self {
        let mut config = duologue_transport::Config::new(Certificate::generate().unwrap());
        config.controlling = calls;
        config.dtls13 = habits.dtls13;
        if habits.setup == Setup::Passive {
            config.answer_setup = duologue_transport::Setup::Passive;
        }
        let mut transport = Transport::new(config, [index as u8 + 1; 32], now);
        let address = SocketAddr::from(([192, 0, 2, 10 + index as u8], 50_000));
        transport.add_local_address(address, now).unwrap();
        transport.end_of_local_addresses(now);
        let media = MediaConfig {
            ssrc: 0x1000 + index as u32,
            cname: "browser".into(),
            formats: habits.formats.clone(),
            encoder_complexity: 0,
            decoder_complexity: 0,
            ..MediaConfig::default()
        };
        Self {
            transport,
            media: Media::new(media, [index as u8 + 1; 32], now).unwrap(),
            party: if calls {
                PartyId::CALLER
            } else {
                PartyId(index as u32 + 1)
            },
            rtp: Vec::new(),
            rtcp: Vec::new(),
            goodbyes: Vec::new(),
            transport_events: Vec::new(),
            cut_off: false,
            address,
            // RFC 8842 §5.3: an answer decides.
            setup: match habits.setup {
                Setup::ActPass if !calls => Setup::Active,
                setup => setup,
            },
            identity: None,
        }
    }

    /// Its network is another from now on.
    pub(crate) fn move_to(&mut self, address: SocketAddr, now: Instant) {
        self.transport.add_local_address(address, now).unwrap();
        self.transport.remove_local_address(self.address, now);
        self.address = address;
    }

    pub(crate) fn describe(&self, codecs: Vec<Codec>, extmap: Vec<HeaderExtension>) -> SessionDescription {
        let parameters = self.transport.local_parameters();
        let candidate = format!(
            "candidate:1 1 udp 2130706431 {} {} typ host",
            self.address.ip(),
            self.address.port()
        );
        SessionDescription {
            v: SessionDescription::VERSION,
            party: Some(self.party),
            ufrag: parameters.ufrag,
            pwd: parameters.pwd,
            options: vec!["trickle".into()],
            candidates: vec![candidate],
            end_of_candidates: true,
            fingerprints: { parameters.fingerprints.iter() }
                .map(|fingerprint| Fingerprint {
                    algorithm: fingerprint.algorithm.clone(),
                    value: { fingerprint.value.iter() }
                        .map(|byte| format!("{byte:02X}"))
                        .collect::<Vec<_>>()
                        .join(":"),
                })
                .collect(),
            setup: self.setup,
            codecs,
            extmap,
            mid: "0".into(),
            ..SessionDescription::default()
        }
    }

    /// Takes an offer and describes its own end with these formats.
    pub(crate) fn describe_as(
        &mut self,
        offer: &SessionDescription,
        codecs: Vec<Codec>,
        now: Instant,
    ) -> SessionDescription {
        self.learn(offer, now);
        self.describe(codecs, Vec::new())
    }

    /// What a browser makes of the engine's description.
    pub(crate) fn learn(&mut self, description: &SessionDescription, now: Instant) {
        let setup = match description.setup {
            Setup::Active => duologue_transport::Setup::Active,
            Setup::Passive => duologue_transport::Setup::Passive,
            Setup::ActPass => duologue_transport::Setup::ActPass,
        };
        let fingerprints = { description.fingerprints.iter() }
            .map(|fingerprint| {
                format!("{} {}", fingerprint.algorithm, fingerprint.value)
                    .parse()
                    .unwrap()
            })
            .collect();
        let parameters = Parameters {
            ufrag: description.ufrag.clone(),
            pwd: description.pwd.clone(),
            fingerprints,
            setup,
        };
        self.transport.set_remote_parameters(parameters, now).unwrap();
        for candidate in &description.candidates {
            let _ = self.transport.add_remote_candidate(candidate, now);
        }
    }

    fn hear(&mut self, engine: SocketAddr, payload: &[u8], now: Instant) {
        if !self.cut_off {
            self.transport.handle_datagram(self.address, engine, payload, now);
        }
    }

    fn tick(&mut self, block: &[f32], now: Instant) {
        if self.transport.poll_timeout().is_some_and(|due| due <= now) {
            self.transport.handle_timeout(now);
        }
        if self.media.poll_timeout().is_some_and(|due| due <= now) {
            self.media.handle_timeout(now);
        }
        self.media.push_capture(block, now);
        self.media.pull_playout(now, &mut [0.0; BLOCK]);
    }

    /// What it sends to where the engine is now; the rest is lost.
    fn drain(&mut self, engine: SocketAddr, now: Instant) -> Vec<(SocketAddr, Vec<u8>)> {
        while let Some(output) = self.media.poll_output() {
            match output {
                MediaOutput::Rtp(packet) => drop(self.transport.send_rtp(&packet, now)),
                MediaOutput::Rtcp(packet) => drop(self.transport.send_rtcp(&packet, now)),
                MediaOutput::Event(MediaEvent::Bye { reason }) => self.goodbyes.push(reason),
                _ => {}
            }
        }
        let mut datagrams = Vec::new();
        while let Some(output) = self.transport.poll_output() {
            match output {
                TransportOutput::Transmit(transmit)
                    if !self.cut_off && transmit.destination == engine && transmit.source == self.address =>
                {
                    datagrams.push((transmit.source, transmit.payload));
                }
                TransportOutput::Event(Event::Rtp(packet)) => {
                    self.rtp.push(packet.to_vec());
                    self.media.handle_rtp(packet, now);
                }
                TransportOutput::Event(Event::Rtcp(packet)) => {
                    self.rtcp.push(packet.to_vec());
                    self.media.handle_rtcp(&packet, now);
                }
                TransportOutput::Event(event) => self.transport_events.push(event),
                _ => {}
            }
        }
        datagrams
    }

    /// Payload types that the engine used since the last time, each once.
    pub(crate) fn payload_types(&mut self) -> Vec<u8> {
        let mut types: Vec<u8> = self.rtp.drain(..).map(|packet| packet[1] & 0x7f).collect();
        types.sort_unstable();
        types.dedup();
        types
    }
}

pub(crate) fn codec(name: &str, pt: u8, fmtp: &str) -> Codec {
    Codec {
        name: name.into(),
        pt,
        rate: 48_000,
        ch: 2,
        fmtp: fmtp.into(),
        rtcp_fb: if name == "opus" {
            vec!["transport-cc".into()]
        } else {
            Vec::new()
        },
    }
}
