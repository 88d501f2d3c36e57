//! Two whole clients and the server's side of their call, on virtual time.
//!
//! Media takes two [`Link`]s, one for each direction; signalling takes ordered connections of fixed delay that a script may
//! break. Nothing here reads a clock after the one base instant, and everything random comes from the seed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::f32::consts::TAU;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use duologue_call::engine::{Command, Config, Engine, Output, Role};
use duologue_call::{CallEventKind, DisconnectedParam};
use duologue_signaling::client::{MakeCallParams, VerifyCallParams};
use duologue_signaling::ids::{CallId, PartyId, User};
use duologue_signaling::link::Link as SignalLink;
use duologue_signaling::message::{Policy, Welcome};
use duologue_signaling::server::{self, CallRecord, CallSetup, NotifyResult, ServerCall, WallClock};
use duologue_signaling::{CcParam, CcParamInfo, ClientMessage, Envelope, MediaType, ServerMessage, decode, encode};
use duologue_testnet::{Clock, Link, LinkConfig, Rng};
use duologue_transport::Certificate;

const CALLER: usize = 0;
const CALLEE: usize = 1;
const TICK: Duration = Duration::from_millis(10);
const BLOCK: usize = 480;
/// Louder than what a decoder makes of nothing.
const AUDIBLE: f32 = 0.02;
/// A call that needs more steps than this goes in circles.
const MOST_STEPS: u64 = 2_000_000;

/// What happens in a call, and on what network.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) seed: u64,
    pub(crate) links: [LinkConfig; 2],
    /// Between a client and the server.
    pub(crate) signal_delay: Duration,
    /// From the callback to the callee's `verify_call`.
    pub(crate) push_delay: Duration,
    /// Whether each client builds the path before the accept.
    pub(crate) pre_connect: [bool; 2],
    /// DTLS has its own, perfect network: its library draws timers and signatures from no seed.
    pub(crate) dtls_apart: bool,
    /// From `evt_verified` to the accept.
    pub(crate) ring: Duration,
    /// From the moment that both are connected to the end.
    pub(crate) talk: Duration,
    /// Who ends the call.
    pub(crate) ends: usize,
    pub(crate) phrase: Option<String>,
    /// Connections to the server that break: when, whose, for how long.
    pub(crate) breaks: Vec<(Duration, usize, Duration)>,
    /// A connection that breaks for 50 ms at one message.
    pub(crate) cut: Option<Cut>,
    /// What the users do after both are connected, and when.
    pub(crate) acts: Vec<(Duration, usize, Command)>,
    /// When the call has not come to its end by then, it is given up as stuck.
    pub(crate) limit: Duration,
}

impl Script {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            links: [LinkConfig::default(), LinkConfig::default()],
            signal_delay: Duration::from_millis(10),
            push_delay: Duration::from_millis(30),
            pre_connect: [true, true],
            dtls_apart: false,
            ring: Duration::from_millis(500),
            talk: Duration::from_millis(300),
            ends: CALLER,
            phrase: None,
            breaks: Vec::new(),
            cut: None,
            acts: Vec::new(),
            limit: Duration::from_secs(120),
        }
    }
}

/// Where the connection of one client breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) who: usize,
    /// At a message of the server, or of the client.
    pub(crate) to_client: bool,
    /// Which one of them, from 0.
    pub(crate) number: usize,
    /// It still arrives.
    pub(crate) arrives: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// When, who, what.
    pub(crate) events: Vec<(Duration, usize, CallEventKind)>,
    /// Each media datagram that was sent: when, by whom, its class, its size.
    pub(crate) sends: Vec<(Duration, usize, Class, usize)>,
    /// When each side's loudspeaker first gave something to hear.
    pub(crate) heard: [Option<Duration>; 2],
    /// When the accept left.
    pub(crate) accepted: Option<Duration>,
    pub(crate) records: Vec<CallRecord>,
    /// Messages between each client and the server: of the client, of the server.
    pub(crate) signals: [[usize; 2]; 2],
    /// Both clients were done before the limit.
    pub(crate) finished: bool,
    /// When the simulation ended.
    pub(crate) took: Duration,
}

/// What a datagram is (RFC 7983 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Stun,
    Dtls,
    Media,
}

impl Outcome {
    pub(crate) fn event(&self, who: usize, name: &str) -> Option<Duration> {
        self.events
            .iter()
            .find(|(_, whose, kind)| *whose == who && kind.name() == name)
            .map(|(at, _, _)| *at)
    }

    #[allow(dead_code, reason = "not every test that has this module looks at ends")]
    pub(crate) fn ends(&self, who: usize) -> Vec<&DisconnectedParam> {
        let of = self.events.iter().filter(|(_, whose, _)| *whose == who);
        of.filter_map(|(_, _, kind)| {
            if let CallEventKind::Disconnected(param) = kind {
                Some(param)
            } else {
                None
            }
        })
        .collect()
    }

    pub(crate) fn connected(&self) -> bool {
        [CALLER, CALLEE]
            .iter()
            .all(|who| self.event(*who, "evt_connected").is_some())
    }
}

enum Item {
    Datagram { to: usize, payload: Vec<u8> },
    ToServer { from: usize, connection: u64, text: String },
    ToClient { to: usize, connection: u64, text: String },
    Push,
    Accept,
    End,
    Act { who: usize, command: Command },
    Break { who: usize, lasts: Duration },
    Open { who: usize },
}

struct Scheduled {
    at: Instant,
    order: u64,
    item: Item,
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Scheduled {}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// The server's end of one client's session.
struct Session {
    link: SignalLink<ServerMessage>,
    party: Option<PartyId>,
    open: bool,
    greeted: bool,
    /// Counts connections; what was sent on an earlier one is lost.
    connection: u64,
}

struct Phone {
    engine: Engine,
    address: SocketAddr,
    next_tick: Instant,
    ticking: bool,
    sample: u64,
}

pub(crate) struct World {
    script: Script,
    clock: Clock,
    rng: Rng,
    items: BinaryHeap<Reverse<Scheduled>>,
    order: u64,
    links: [Link; 2],
    phones: [Option<Phone>; 2],
    sessions: [Session; 2],
    server: Option<ServerCall>,
    outcome: Outcome,
    end_planned: bool,
}

/// Runs a script to its end.
pub(crate) fn run(script: Script) -> Outcome {
    World::new(script).run()
}

fn user(name: &str) -> User {
    User {
        service_id: "service".parse().unwrap(),
        user_id: name.parse().unwrap(),
    }
}

/// Keys cost time and are none of this test's business: two for all calls.
fn certificate(who: usize) -> Certificate {
    static CERTIFICATES: OnceLock<[Certificate; 2]> = OnceLock::new();
    CERTIFICATES.get_or_init(|| [Certificate::generate().unwrap(), Certificate::generate().unwrap()])[who].clone()
}

impl World {
    fn new(script: Script) -> Self {
        let clock = Clock::new();
        let mut rng = Rng::new(script.seed);
        let links = [0, 1].map(|who| Link::new(script.links[who].clone(), rng.next_u64()));
        let session = || Session {
            link: SignalLink::new(),
            party: None,
            open: false,
            greeted: false,
            connection: 0,
        };
        let mut world = Self {
            clock,
            items: BinaryHeap::new(),
            order: 0,
            links,
            phones: [None, None],
            sessions: [session(), session()],
            server: None,
            outcome: Outcome::default(),
            end_planned: false,
            rng,
            script,
        };
        let params = MakeCallParams {
            my_id: "alice".into(),
            my_service_id: "service".into(),
            peer_id: "bob".into(),
            peer_service_id: "service".into(),
            access_token: "token".into(),
            ..MakeCallParams::default()
        };
        world.add_phone(CALLER, Role::Caller(params.check().unwrap()));
        for (at, who, lasts) in world.script.breaks.clone() {
            world.schedule(at, Item::Break { who, lasts });
        }
        world
    }

    fn run(mut self) -> Outcome {
        let limit = self.clock.start() + self.script.limit;
        for _ in 0..MOST_STEPS {
            if self.is_over() {
                self.outcome.finished = true;
                break;
            }
            let Some(next) = self.next_instant() else { break };
            if next > limit {
                break;
            }
            self.clock.advance_to(next);
            self.step();
        }
        self.outcome.took = self.clock.elapsed();
        self.outcome
    }

    fn is_over(&self) -> bool {
        self.phones
            .iter()
            .all(|phone| phone.as_ref().is_some_and(|phone| phone.engine.is_finished()))
    }

    fn next_instant(&self) -> Option<Instant> {
        let item = self.items.peek().map(|Reverse(scheduled)| scheduled.at);
        let server = self.server.as_ref().and_then(ServerCall::poll_timeout);
        let phones = self.phones.iter().flatten().flat_map(|phone| {
            let tick = phone.ticking.then_some(phone.next_tick);
            [tick, phone.engine.poll_timeout()]
        });
        phones.chain([item, server]).flatten().min()
    }

    /// Does everything that is due, in a fixed order.
    fn step(&mut self) {
        let now = self.clock.now();
        while self.items.peek().is_some_and(|Reverse(scheduled)| scheduled.at <= now) {
            let Some(Reverse(scheduled)) = self.items.pop() else {
                break;
            };
            self.perform(scheduled.item);
        }
        if let Some(server) = &mut self.server
            && server.poll_timeout().is_some_and(|at| at <= now)
        {
            server.handle_timeout(now);
        }
        self.pump_server();
        for who in [CALLER, CALLEE] {
            if let Some(phone) = &mut self.phones[who] {
                if phone.engine.poll_timeout().is_some_and(|at| at <= now) {
                    phone.engine.handle_timeout(now);
                }
                self.tick(who);
            }
            self.pump(who);
        }
    }

    fn perform(&mut self, item: Item) {
        let now = self.clock.now();
        match item {
            Item::Datagram { to, payload } => {
                let source = address(1 - to);
                if let Some(phone) = &mut self.phones[to] {
                    phone.engine.handle_datagram(phone.address, source, &payload, now);
                }
                self.pump(to);
            }
            Item::ToServer { from, connection, text } => {
                if self.sessions[from].open && self.sessions[from].connection == connection {
                    let cut = self.cut(from, false);
                    if cut.is_none_or(|cut| cut.arrives) {
                        self.on_client_text(from, &text);
                        self.pump_server();
                    }
                    self.carry_out(cut);
                }
            }
            Item::ToClient { to, connection, text } => {
                let open = self.sessions[to].open && self.sessions[to].connection == connection;
                if open && self.phones[to].is_some() {
                    let cut = self.cut(to, true);
                    if let Some(phone) = &mut self.phones[to]
                        && cut.is_none_or(|cut| cut.arrives)
                    {
                        phone.engine.handle_signal(&text, now);
                    }
                    self.carry_out(cut);
                }
                self.pump(to);
            }
            Item::Push => self.push(),
            Item::Accept => {
                self.outcome.accepted = Some(self.clock.elapsed());
                self.command(
                    CALLEE,
                    Command::Accept {
                        call_start_message: None,
                    },
                );
            }
            Item::End => {
                let phrase = self.script.phrase.clone();
                self.command(self.script.ends, Command::End { phrase, error: false });
            }
            Item::Act { who, command } => self.command(who, command),
            Item::Break { who, lasts } => {
                self.sessions[who].open = false;
                self.sessions[who].link.close();
                if let (Some(server), Some(party)) = (&mut self.server, self.sessions[who].party) {
                    server.handle_session_lost(party, now);
                }
                if let Some(phone) = &mut self.phones[who] {
                    phone.engine.handle_signal_closed(None, now);
                }
                self.schedule(lasts, Item::Open { who });
                self.pump(who);
            }
            Item::Open { who } => {
                if let Some(phone) = &mut self.phones[who]
                    && !self.sessions[who].open
                {
                    self.sessions[who].open = true;
                    self.sessions[who].connection += 1;
                    phone.engine.handle_signal_open(now);
                }
                self.pump(who);
            }
        }
    }

    /// Counts a message; the script's cut when it is the one.
    fn cut(&mut self, who: usize, to_client: bool) -> Option<Cut> {
        let count = &mut self.outcome.signals[who][usize::from(to_client)];
        let number = *count;
        *count += 1;
        let here = |cut: &Cut| (cut.who, cut.to_client, cut.number) == (who, to_client, number);
        self.script.cut.filter(here)
    }

    fn carry_out(&mut self, cut: Option<Cut>) {
        if let Some(Cut { who, .. }) = cut {
            self.perform(Item::Break {
                who,
                lasts: Duration::from_millis(50),
            });
        }
    }

    fn command(&mut self, who: usize, command: Command) {
        let now = self.clock.now();
        if let Some(phone) = &mut self.phones[who] {
            phone.engine.handle_command(command, now);
        }
        self.pump(who);
    }

    fn add_phone(&mut self, who: usize, role: Role) {
        let now = self.clock.now();
        let mut seed = [0; 32];
        for part in seed.chunks_mut(8) {
            part.copy_from_slice(&self.rng.next_u64().to_be_bytes());
        }
        let mut config = Config {
            pre_connect: self.script.pre_connect[who],
            dtls_in_stun: !self.script.dtls_apart,
            ..Config::new(role)
        };
        // What is said is not judged here, and concealment by a neural network is dear.
        config.media.encoder_complexity = 0;
        config.media.decoder_complexity = 0;
        let mut engine = Engine::with_certificate(config, certificate(who), seed, now).unwrap();
        engine.add_local_address(address(who), now);
        engine.end_of_local_addresses(now);
        self.phones[who] = Some(Phone {
            engine,
            address: address(who),
            next_tick: now,
            ticking: false,
            sample: 0,
        });
        self.schedule(Duration::ZERO, Item::Open { who });
        self.pump(who);
    }

    /// The notify callback worked, and its push brings the callee to life.
    fn push(&mut self) {
        let now = self.clock.now();
        let Some(server) = &mut self.server else { return };
        server.handle_notify_result(NotifyResult::Delivered, now);
        let setup = server.setup();
        let info = CcParamInfo {
            sid: setup.sid,
            caller_id: setup.caller.user_id.clone(),
            caller_service_id: setup.caller.service_id.clone(),
            callee_id: setup.callee.user_id.clone(),
            callee_service_id: setup.callee.service_id.clone(),
            media_type: MediaType::Audio,
            expires: u64::MAX,
        };
        let params = VerifyCallParams {
            my_id: "bob".into(),
            my_service_id: "service".into(),
            cc_param: CcParam::seal(&info, 1, |_| vec![0; 32]),
            access_token: None,
        };
        self.add_phone(CALLEE, Role::Callee(params.check().unwrap()));
        self.pump_server();
    }

    fn on_client_text(&mut self, from: usize, text: &str) {
        let now = self.clock.now();
        let envelope: Envelope<ClientMessage> = decode(text).expect("a client sends what its protocol allows");
        if let ClientMessage::Hello(hello) = &envelope.msg {
            let session = &mut self.sessions[from];
            let resumed = hello.resume.is_some() && session.greeted && session.link.resume(envelope.ack).is_ok();
            if !resumed {
                session.link.restart();
            }
            session.greeted = true;
            let welcome = session.link.wrap(ServerMessage::Welcome(Box::new(Welcome {
                session: format!("session {from}"),
                resume: format!("resume {from}"),
                heartbeat_ms: 15_000,
                resumed,
                ice_servers: Vec::new(),
                policy: Policy::default(),
            })));
            if let (Some(server), Some(party)) = (&mut self.server, session.party) {
                server.handle_session_resumed(party, resumed, now);
            }
            self.say_to(from, encode(&welcome));
            return;
        }
        let Some(message) = self.sessions[from].link.handle(envelope) else {
            return;
        };
        match (message, &mut self.server) {
            (ClientMessage::MakeCall(make), server @ None) => {
                let setup = CallSetup {
                    sid: CallId::from_random([1; 16]),
                    caller: user("alice"),
                    callee: User {
                        service_id: make.peer_service_id,
                        user_id: make.peer_id,
                    },
                    media_type: make.media_type,
                    app_server_data: make.app_server_data,
                    call_start_message: make.call_start_message,
                    description: make.description,
                    source_address: None,
                };
                let wall = WallClock {
                    at: self.clock.start(),
                    unix: Duration::from_secs(1_700_000_000),
                };
                *server = Some(ServerCall::new(setup, server::Timers::default(), wall, now));
                self.sessions[from].party = Some(PartyId::CALLER);
            }
            (ClientMessage::VerifyCall { .. }, Some(server)) => match server.verify(None, now) {
                Ok(party) => self.sessions[from].party = Some(party),
                Err(refusal) => {
                    let _ = self.sessions[from].link.send(refusal.message());
                }
            },
            (ClientMessage::Ping, _) => {
                let pong = self.sessions[from].link.wrap(ServerMessage::Pong);
                self.say_to(from, encode(&pong));
            }
            (message, Some(server)) => {
                if let Some(party) = self.sessions[from].party {
                    server.handle_message(party, message, now);
                }
            }
            (_, None) => {}
        }
    }

    fn pump_server(&mut self) {
        while let Some(output) = self.server.as_mut().and_then(ServerCall::poll_output) {
            match output {
                server::Output::Send { party, message } => {
                    if let Some(session) = self.sessions.iter_mut().find(|session| session.party == Some(party)) {
                        session.link.send(message).expect("a call has few messages");
                    } else {
                        // `verify` speaks to the device before it returns its number.
                        self.sessions[CALLEE].party = Some(party);
                        self.sessions[CALLEE]
                            .link
                            .send(message)
                            .expect("a call has few messages");
                    }
                }
                server::Output::Notify => self.schedule(self.script.push_delay, Item::Push),
                server::Output::Record(record) => self.outcome.records.push(*record),
                _ => {}
            }
        }
        for who in [CALLER, CALLEE] {
            while let Some(envelope) = self.sessions[who].link.poll_transmit() {
                self.say_to(who, encode(&envelope));
            }
        }
    }

    fn say_to(&mut self, to: usize, text: String) {
        let connection = self.sessions[to].connection;
        self.schedule(self.script.signal_delay, Item::ToClient { to, connection, text });
    }

    fn tick(&mut self, who: usize) {
        let now = self.clock.now();
        let start = self.clock.start();
        let Some(phone) = &mut self.phones[who] else { return };
        if !phone.engine.wants_capture() {
            phone.ticking = false;
            return;
        }
        if !phone.ticking {
            phone.ticking = true;
            phone.next_tick = now;
        }
        while phone.next_tick <= now {
            let mut block = [0.0; BLOCK];
            for sample in &mut block {
                *sample = 0.5 * (TAU * 440.0 * phone.sample as f32 / 48_000.0).sin();
                phone.sample += 1;
            }
            phone.engine.push_capture(&block, now);
            block.fill(0.0);
            phone.engine.pull_playout(now, &mut block);
            if self.outcome.heard[who].is_none() && block.iter().any(|sample| sample.abs() > AUDIBLE) {
                self.outcome.heard[who] = Some(now - start);
            }
            phone.next_tick += TICK;
        }
    }

    /// Carries out what a client wants.
    fn pump(&mut self, who: usize) {
        let now = self.clock.now();
        let at = self.clock.elapsed();
        while let Some(output) = self.phones[who].as_mut().and_then(|phone| phone.engine.poll_output()) {
            match output {
                Output::Transmit {
                    destination, payload, ..
                } => {
                    let class = match payload.first() {
                        Some(0..=3) => Class::Stun,
                        Some(20..=63) => Class::Dtls,
                        _ => Class::Media,
                    };
                    self.outcome.sends.push((at, who, class, payload.len()));
                    if class == Class::Dtls && self.script.dtls_apart {
                        self.schedule(self.script.links[who].delay, Item::Datagram { to: 1 - who, payload });
                    } else if destination == address(1 - who) {
                        for arrival in self.links[who].send(payload.len(), now) {
                            self.schedule_at(
                                arrival,
                                Item::Datagram {
                                    to: 1 - who,
                                    payload: payload.clone(),
                                },
                            );
                        }
                    }
                }
                Output::Signal(text) => {
                    let connection = self.sessions[who].connection;
                    self.schedule(
                        self.script.signal_delay,
                        Item::ToServer {
                            from: who,
                            connection,
                            text,
                        },
                    );
                }
                Output::SignalReset => self.schedule(
                    Duration::ZERO,
                    Item::Break {
                        who,
                        lasts: Duration::from_millis(100),
                    },
                ),
                Output::Event(event) => self.on_event(who, event.kind),
                other => panic!("what to do with {other:?}?"),
            }
        }
    }

    fn on_event(&mut self, who: usize, kind: CallEventKind) {
        let name = kind.name();
        self.outcome.events.push((self.clock.elapsed(), who, kind));
        if name == "evt_verified" {
            self.schedule(self.script.ring, Item::Accept);
        }
        if self.outcome.connected() && !self.end_planned {
            self.end_planned = true;
            self.schedule(self.script.talk, Item::End);
            for (after, who, command) in self.script.acts.clone() {
                self.schedule(after, Item::Act { who, command });
            }
        }
    }

    fn schedule(&mut self, after: Duration, item: Item) {
        self.schedule_at(self.clock.now() + after, item);
    }

    fn schedule_at(&mut self, at: Instant, item: Item) {
        self.order += 1;
        self.items.push(Reverse(Scheduled {
            at,
            order: self.order,
            item,
        }));
    }
}

fn address(who: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1 + who as u8], 40_000))
}
