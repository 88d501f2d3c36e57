//! The thread that owns a call: sockets, protocol, audio.

mod network;

use std::collections::HashSet;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use duologue_signaling::StartFailReason;
use mio::{Poll, Token};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

use super::audio_io::AudioIo;
use super::command::{self, Command, CommandSender};
use super::interfaces;
use super::mdns::MdnsSockets;
use super::network_watch::NetworkWatch;
use super::shared::Shared;
use super::sockets::{MAX_DATAGRAM, Sockets};
use super::streams::{StreamEvent, Streams};
use super::websocket::Outgoing;
use crate::client::Claim;
use crate::engine::{self, Engine, Output};
use crate::error::StartFail;
use crate::event::EventQueue;
use crate::{AudioParams, CallEvent, CallEventKind, CallState, Config, Statistics};

/// The rhythm of audio.
const TICK: Duration = Duration::from_millis(10);
/// A tick that begins later than this is counted.
const LATE: Duration = Duration::from_millis(5);
/// Ticks that are made up for after the thread was kept from running; what is beyond is left out.
const MOST_CAUGHT_UP: u32 = 10;
/// How often the handles' view of the statistics is refreshed.
const REFRESH: Duration = Duration::from_millis(200);
/// The token of the waker; sockets count from 0.
const WAKER: Token = Token(usize::MAX);
/// The token of the watch on the network.
const NETWORK: Token = Token(usize::MAX - 1);
/// Where the tokens of multicast DNS begin.
const MDNS: usize = usize::MAX / 2;

/// What the thread starts with.
pub(super) struct Plan {
    pub(super) config: Config,
    pub(super) role: engine::Role,
    pub(super) audio: AudioParams,
    pub(super) claim: Claim,
    pub(super) started: Instant,
    pub(super) shared: Arc<Shared>,
    pub(super) queue: Arc<EventQueue>,
    pub(super) outgoing: mpsc::Sender<Outgoing>,
    pub(super) runtime: Handle,
    /// Tells the signalling task which addresses there are, after each change.
    pub(super) network: watch::Sender<Vec<IpAddr>>,
}

/// The state of the thread.
pub(super) struct MediaThread {
    poll: Poll,
    commands: Receiver<Command>,
    engine: Engine,
    sockets: Sockets,
    streams: Streams,
    mdns: MdnsSockets,
    network_watch: NetworkWatch,
    /// Addresses that were seen on a running interface.
    running: HashSet<IpAddr>,
    /// Loopback addresses are in use.
    loopback: bool,
    runtime: Handle,
    sender: CommandSender,
    network: watch::Sender<Vec<IpAddr>>,
    /// Until the call ends.
    audio: Option<AudioIo>,
    /// Keeps the call's identifier taken until the call ends.
    claim: Option<Claim>,
    shared: Arc<Shared>,
    queue: Arc<EventQueue>,
    outgoing: mpsc::Sender<Outgoing>,
    epoch: u64,
    next_tick: Instant,
    next_refresh: Instant,
    next_statistics: Instant,
    statistics_interval: Duration,
    ticks: u64,
    late_ticks: u64,
    captured: bool,
    played: bool,
}

impl MediaThread {
    /// Opens audio, binds sockets and sets the protocol up; on failure nothing is left behind.
    pub(super) fn new(plan: Plan) -> Result<(Self, CommandSender), StartFail> {
        let internal =
            |error: io::Error| StartFail::new(StartFailReason::Internal, format!("the system refused: {error}"));
        let audio = AudioIo::open(plan.audio)?;
        let seed = crate::entropy::seed().map_err(|error| {
            StartFail::new(
                StartFailReason::Internal,
                format!("the system gives no randomness: {error}"),
            )
        })?;
        let poll = Poll::new().map_err(internal)?;
        let waker = Arc::new(mio::Waker::new(poll.registry(), WAKER).map_err(internal)?);
        let (sender, commands) = command::channel(waker);
        let now = Instant::now();
        let mut sockets = Sockets::default();
        let mut bound = Vec::new();
        let network_watch = NetworkWatch::new(poll.registry(), NETWORK, now);
        let listed = interfaces::listing().map_err(internal)?;
        for address in listed.prefer(plan.config.loopback) {
            bound.extend(sockets.bind(address, None, poll.registry()));
        }
        let loopback = bound.iter().any(|local| local.ip().is_loopback());
        let engine_config = engine::Config {
            // A peer's loopback candidate is our own machine: of use only where that is where the peer is.
            loopback,
            pre_connect: plan.config.pre_connect,
            ice_policy: plan.config.ice_policy,
            relay_protocols: plan.config.relay_protocols.clone(),
            mdns_hiding: plan.config.mdns_hiding,
            patience: plan.config.network_patience,
            candidate_map: plan.config.candidate_map.clone(),
            ..engine::Config::new(plan.role)
        };
        let mut engine = Engine::new(engine_config, seed, plan.started)
            .map_err(|error| StartFail::new(StartFailReason::Internal, error.to_string()))?;
        for local in bound {
            engine.add_local_address(local, now);
        }
        engine.end_of_local_addresses(now);
        let thread = Self {
            poll,
            commands,
            engine,
            sockets,
            streams: Streams::new(plan.runtime.clone(), &plan.config, sender.clone()),
            mdns: MdnsSockets::new(MDNS),
            network_watch,
            running: listed.choose(loopback).into_iter().collect(),
            loopback,
            runtime: plan.runtime,
            sender: sender.clone(),
            network: plan.network,
            audio: Some(audio),
            claim: Some(plan.claim),
            shared: plan.shared,
            queue: plan.queue,
            outgoing: plan.outgoing,
            epoch: 0,
            next_tick: now,
            next_refresh: now,
            next_statistics: now + plan.config.statistics_interval,
            statistics_interval: plan.config.statistics_interval,
            ticks: 0,
            late_ticks: 0,
            captured: false,
            played: false,
        };
        Ok((thread, sender))
    }

    /// Runs until the call is over and the server knows it, or telling it was given up.
    pub(super) fn run(mut self) {
        let mut events = mio::Events::with_capacity(64);
        let mut buffer = vec![0; MAX_DATAGRAM];
        loop {
            let now = Instant::now();
            self.drain(now);
            if self.engine.is_finished() {
                break;
            }
            let wait = if self.sockets.has_pending() || self.mdns.has_pending() {
                Duration::ZERO
            } else {
                self.deadline(now).saturating_duration_since(now)
            };
            if let Err(error) = self.poll.poll(&mut events, Some(wait))
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::warn!(%error, "waiting for the media sockets failed");
            }
            for event in &events {
                match event.token() {
                    WAKER => {}
                    NETWORK => self.network_watch.on_readable(Instant::now()),
                    Token(MDNS..) => self.mdns.on_readable(event.token()),
                    token => self.sockets.on_readable(token),
                }
            }
            self.receive(&mut buffer);
            self.take_commands();
            let now = Instant::now();
            self.serve_mdns(now);
            self.watch_network(now);
            if self.engine.poll_timeout().is_some_and(|deadline| deadline <= now) {
                self.engine.handle_timeout(now);
            }
            self.drain(now);
            self.tick(now);
        }
        self.end_audio();
        tracing::debug!(ticks = self.ticks, late = self.late_ticks, "the media thread is done");
    }

    /// When to wake up without being woken.
    fn deadline(&self, now: Instant) -> Instant {
        let tick = self.audio.is_some().then_some(self.next_tick);
        let timers = [
            self.engine.poll_timeout(),
            self.network_watch.poll_timeout(),
            self.mdns.poll_timeout(),
        ];
        [tick]
            .into_iter()
            .chain(timers)
            .flatten()
            .min()
            .unwrap_or(now + Duration::from_secs(1))
    }

    /// Each datagram carries the time at which it was read, and its answers leave before the next is read.
    fn receive(&mut self, buffer: &mut [u8]) {
        let Self { sockets, engine, .. } = self;
        sockets.receive(buffer, |local, source, payload| {
            engine.handle_datagram(local, source, payload, Instant::now())
        });
        self.drain(Instant::now());
    }

    fn take_commands(&mut self) {
        while let Ok(command) = self.commands.try_recv() {
            let now = Instant::now();
            match command {
                Command::Api(command) => self.engine.handle_command(command, now),
                Command::SignalOpen { epoch, server } => {
                    self.epoch = epoch;
                    self.engine.set_server_address(server);
                    self.engine.handle_signal_open(now);
                }
                Command::Signal(text) => self.engine.handle_signal(&text, now),
                Command::SignalClosed { failure } => self.engine.handle_signal_closed(failure, now),
                Command::Lookup { name, addresses } => self.engine.handle_lookup(&name, addresses, now),
                Command::Stream { key, serial, event } => {
                    if self.streams.is_current(key, serial, &event) {
                        match event {
                            StreamEvent::Open => self.engine.handle_stream_open(key, now),
                            StreamEvent::Bytes(bytes) => self.engine.handle_stream_bytes(key, &bytes, now),
                            StreamEvent::Closed => self.engine.handle_stream_closed(key, now),
                        }
                    }
                }
            }
            self.drain(now);
        }
    }

    /// Carries out what the protocol asks for.
    fn drain(&mut self, now: Instant) {
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Transmit {
                    source,
                    destination,
                    payload,
                } => self.sockets.send(source, destination, &payload),
                Output::Signal(text) => self.signal(Some(text), now),
                Output::SignalReset => self.signal(None, now),
                Output::StreamOpen {
                    key,
                    local,
                    remote,
                    tls,
                } => self.streams.open(key, local, remote, tls),
                Output::StreamWrite { key, bytes } => self.streams.write(key, bytes),
                Output::StreamClose { key } => self.streams.close(key),
                Output::NeedSockets { leg } => self.bind_leg(leg, now),
                Output::Lookup { name } => self.look_up(name),
                Output::MdnsQuery { name } => self.mdns.resolve(&name, self.poll.registry(), now),
                Output::MdnsPublish { name, address } => self.mdns.publish(&name, address, self.poll.registry()),
                Output::Event(event) => self.publish(event),
            }
        }
    }

    fn signal(&mut self, text: Option<String>, now: Instant) {
        match self.outgoing.try_send(Outgoing {
            epoch: self.epoch,
            text,
        }) {
            Ok(()) => {}
            // The network takes nothing for so long that the connection is of no use; the protocol resumes on the next.
            Err(mpsc::error::TrySendError::Full(_)) => self.engine.handle_signal_closed(None, now),
            // The runtime that made the call was shut down: no handler and no server will ever be reached again.
            Err(mpsc::error::TrySendError::Closed(_)) => self.engine.abandon(now),
        }
    }

    fn publish(&mut self, event: CallEvent) {
        let over = matches!(event.kind, CallEventKind::Disconnected(_));
        let (phases, sid) = (*self.engine.phases(), self.engine.sid());
        let verification_code = self.engine.verification_code();
        self.shared.with(|view| {
            view.phases = phases;
            view.sid = sid;
            view.verification_code = verification_code;
            match &event.kind {
                CallEventKind::WaitConnected => view.state = CallState::WaitAnswer,
                CallEventKind::Verified(_) => view.state = CallState::Verified,
                CallEventKind::Connected(_) => view.state = CallState::Connected,
                CallEventKind::Disconnected(_) => {
                    view.state = CallState::Disconnected;
                    view.ended_at = Some(event.at);
                }
                _ => {}
            }
        });
        if over {
            let statistics = self.statistics(event.at);
            self.shared.with(|view| view.statistics = statistics);
            // Before the event is seen: a handler may start the next call at once.
            self.claim = None;
            self.end_audio();
        }
        self.queue.push(event);
    }

    fn tick(&mut self, now: Instant) {
        let Some(audio) = &mut self.audio else { return };
        if now < self.next_tick {
            return;
        }
        let behind = now.saturating_duration_since(self.next_tick);
        self.late_ticks += u64::from(behind > LATE && self.ticks > 0);
        let mut due = 1 + (behind.as_millis() / TICK.as_millis()) as u32;
        if due > MOST_CAUGHT_UP {
            self.next_tick = now;
            due = 1;
        }
        let mut first_in = None;
        let mut first_out = None;
        for _ in 0..due {
            let ticked = audio.tick(&mut self.engine, now, Instant::now);
            first_in = first_in.or(ticked.captured_at);
            first_out = first_out.or(ticked.played_at);
            self.ticks += 1;
            self.next_tick += TICK;
        }
        self.drain(now);
        if let (Some(at), false) = (first_in, self.captured) {
            self.captured = true;
            self.engine.phases_mut().first_sample_in = Some(at);
            self.publish(CallEvent {
                at,
                kind: CallEventKind::FirstSampleIn,
            });
        }
        if let (Some(at), false) = (first_out, self.played) {
            self.played = true;
            self.engine.phases_mut().first_sample_out = Some(at);
            self.publish(CallEvent {
                at,
                kind: CallEventKind::FirstSampleOut,
            });
        }
        self.refresh(now);
    }

    /// Refreshes the handles' view, and tells the statistics when it is time.
    fn refresh(&mut self, now: Instant) {
        if now < self.next_refresh || self.audio.is_none() {
            return;
        }
        self.next_refresh = now + REFRESH;
        let statistics = self.statistics(now);
        let phases = *self.engine.phases();
        self.shared.with(|view| {
            view.statistics = statistics.clone();
            view.phases = phases;
        });
        if now >= self.next_statistics {
            self.next_statistics = now + self.statistics_interval;
            if self.captured || self.played {
                self.queue.push(CallEvent {
                    at: now,
                    kind: CallEventKind::Statistics(Box::new(statistics)),
                });
            }
        }
    }

    fn statistics(&self, now: Instant) -> Statistics {
        let mut statistics = self.engine.statistics(now);
        let shell = &mut statistics.shell;
        shell.ticks = self.ticks;
        shell.late_ticks = self.late_ticks;
        shell.send_errors = self.sockets.send_errors() + self.streams.dropped();
        if let Some(audio) = &self.audio {
            shell.slow_pulls = audio.slow_pulls();
            shell.capture_overruns = audio.capture_overruns();
            shell.playout_underruns = audio.playout_underruns();
        }
        statistics
    }

    fn end_audio(&mut self) {
        if let Some(audio) = self.audio.take() {
            audio.finish();
        }
        if self.engine.is_finished() {
            self.sockets.close(self.poll.registry());
            self.mdns.close(self.poll.registry());
        }
    }
}
