//! A whole call as one value: the three or four machines and everything that is under way between them.

use std::collections::VecDeque;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use duologue_signaling::client::{self, CallState, ClientCall, Event, PathEvent, PathFailure, Role};
use duologue_signaling::ids::{CallId, PartyId, User};
use duologue_signaling::message::{MakeCall, Welcome};
use duologue_signaling::server::{
    self, CallSetup, NotifyResult, ServerCall, WallClock, is_allowed_other_device, is_allowed_pair,
};
use duologue_signaling::{ClientMessage, DisconnectReason, MediaType, ServerMessage};

/// Time stands still, see the crate's first paragraph.
#[expect(clippy::disallowed_methods, reason = "one base instant; its value does not matter")]
static NOW: LazyLock<Instant> = LazyLock::new(Instant::now);

fn now() -> Instant {
    *NOW
}

fn clock() -> WallClock {
    WallClock {
        at: now(),
        unix: Duration::from_secs(1_800_000_000),
    }
}

fn user(id: &str) -> User {
    User {
        service_id: "s".parse().unwrap(),
        user_id: id.parse().unwrap(),
    }
}

/// How messages travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Mode {
    /// In order, and replayed after a break.
    Linked,
    /// In any order.
    Raw,
}

/// How often what may go wrong. Deadlines may pass whenever they are armed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Budget {
    /// Connections that break.
    pub(crate) breaks: u8,
    /// Restarts of the server.
    pub(crate) restarts: u8,
    /// Media paths that fail.
    pub(crate) failures: u8,
    /// Media paths lose the first audio, goodbyes and closes, as often as they like.
    pub(crate) lossy_media: bool,
    /// Messages that are lost for good ([`Mode::Raw`]).
    pub(crate) drops: u8,
    /// Messages that arrive twice ([`Mode::Raw`]).
    pub(crate) duplicates: u8,
}

/// What can happen next. Clients are numbered: 0 is the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Make,
    Verify(usize),
    Accept(usize),
    End(usize),
    Connect(usize),
    Refuse(usize),
    Break(usize),
    Resume(usize),
    Restart,
    Up(usize, usize),
    Down(usize, usize),
    DropUp(usize, usize),
    DropDown(usize, usize),
    DoubleUp(usize, usize),
    DoubleDown(usize, usize),
    Notified(NotifyResult),
    ClientTimer(usize, client::Timer),
    ServerTimer(server::Timer),
    PathUp(usize, bool),
    PathFails(usize, bool, PathFailure),
    Media(usize, bool),
    MediaLost(usize, bool),
}

impl Action {
    /// Left to a user: nothing makes it happen.
    pub(crate) fn is_choice(self) -> bool {
        matches!(self, Self::Make | Self::Verify(_) | Self::Accept(_) | Self::End(_))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Session {
    Never,
    Up,
    /// `true`: the server has lost its memory of it.
    Broken(bool),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Client {
    call: ClientCall,
    session: Session,
    /// Known to the server.
    party: Option<PartyId>,
    up: VecDeque<ClientMessage>,
    down: VecDeque<ServerMessage>,
    end: Option<DisconnectReason>,
    /// Bits of events that were seen, to check their order.
    seen: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum PathState {
    Down,
    Up,
    Gone,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Media {
    Audio,
    Bye(DisconnectReason),
    Closed,
}

/// The media path between the caller and one device.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Path {
    at_caller: PathState,
    at_device: PathState,
    /// The caller was told of the device.
    known: bool,
    to_caller: VecDeque<Media>,
    to_device: VecDeque<Media>,
    audio_sent: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct World {
    mode: Mode,
    budget: Budget,
    clients: Vec<Client>,
    /// Of each device, by client number minus one.
    paths: Vec<Path>,
    server: Option<ServerCall>,
    notifying: bool,
    pushed: bool,
    records: u8,
    cancels: u8,
    record: Option<DisconnectReason>,
    /// The device that the server took as the one that accepted.
    accepted: Option<PartyId>,
}

/// What the server ends a call with when nobody asked it to.
const DECIDED_BY_SERVER: [DisconnectReason; 5] = [
    DisconnectReason::PushError,
    DisconnectReason::NoAnswer,
    DisconnectReason::Cancel,
    DisconnectReason::UnavailableNetwork,
    DisconnectReason::MaxCallTimeExceeded,
];

const WAIT: u8 = 1;
const VERIFIED: u8 = 2;
const CONNECTED: u8 = 4;

impl World {
    pub(crate) fn new(devices: usize, mode: Mode, budget: Budget) -> Self {
        let client = |role| Client {
            call: ClientCall::new(role, client::Timers::default()),
            session: Session::Never,
            party: None,
            up: VecDeque::new(),
            down: VecDeque::new(),
            end: None,
            seen: 0,
        };
        let path = Path {
            at_caller: PathState::Down,
            at_device: PathState::Down,
            known: false,
            to_caller: VecDeque::new(),
            to_device: VecDeque::new(),
            audio_sent: false,
        };
        let mut clients = vec![client(Role::Caller)];
        clients.resize(devices + 1, client(Role::Callee));
        Self {
            mode,
            budget,
            clients,
            paths: vec![path; devices],
            server: None,
            notifying: false,
            pushed: false,
            records: 0,
            cancels: 0,
            record: None,
            accepted: None,
        }
    }

    fn is_running(&self, client: usize) -> bool {
        !matches!(
            self.clients[client].call.state(),
            CallState::Idle | CallState::Disconnected
        )
    }

    /// Everybody who took part knows that the call is over.
    pub(crate) fn is_over(&self) -> bool {
        self.clients[0].end.is_some() && (0..self.clients.len()).all(|client| !self.is_running(client))
    }

    /// Everything that can happen now.
    pub(crate) fn actions(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        for (number, client) in self.clients.iter().enumerate() {
            let running = self.is_running(number);
            match client.call.state() {
                CallState::Idle if number == 0 => actions.push(Action::Make),
                // Devices are alike: the second verifies after the first, which halves what there is to explore.
                CallState::Idle if self.may_verify(number) => actions.push(Action::Verify(number)),
                CallState::Verified if client.call.accepted().is_none() => actions.push(Action::Accept(number)),
                _ => {}
            }
            if running {
                actions.push(Action::End(number));
            }
            let has_to_tell = running || !client.up.is_empty();
            match client.session {
                Session::Never if running => actions.extend([Action::Connect(number), Action::Refuse(number)]),
                Session::Up => {
                    if self.budget.breaks > 0 && has_to_tell {
                        actions.push(Action::Break(number));
                    }
                    self.push_deliveries(number, client, &mut actions);
                }
                Session::Broken(_) if has_to_tell => actions.push(Action::Resume(number)),
                _ => {}
            }
            actions.extend(client.call.armed().map(|timer| Action::ClientTimer(number, timer)));
        }
        for (index, path) in self.paths.iter().enumerate() {
            self.push_path(index + 1, path, &mut actions);
        }
        if self.notifying {
            let results = [NotifyResult::Delivered, NotifyResult::Failed];
            actions.extend(results.map(Action::Notified));
        }
        if let Some(server) = &self.server {
            actions.extend(server.armed().map(Action::ServerTimer));
            if self.budget.restarts > 0 && !server.is_ended() {
                actions.push(Action::Restart);
            }
        }
        actions
    }

    fn may_verify(&self, number: usize) -> bool {
        self.pushed && (number == 1 || self.clients[number - 1].call.state() != CallState::Idle)
    }

    fn push_deliveries(&self, number: usize, client: &Client, actions: &mut Vec<Action>) {
        let raw = self.mode == Mode::Raw;
        let reach = |length: usize| if raw { length } else { length.min(1) };
        for at in 0..reach(client.up.len()) {
            actions.push(Action::Up(number, at));
            // The first message makes the call; without it there is none to test.
            let first = matches!(
                client.up[at],
                ClientMessage::MakeCall(_) | ClientMessage::VerifyCall { .. }
            );
            if raw && self.budget.drops > 0 && !first {
                actions.push(Action::DropUp(number, at));
            }
            if raw && self.budget.duplicates > 0 && !first {
                actions.push(Action::DoubleUp(number, at));
            }
        }
        for at in 0..reach(client.down.len()) {
            actions.push(Action::Down(number, at));
            if raw && self.budget.drops > 0 {
                actions.push(Action::DropDown(number, at));
            }
            if raw && self.budget.duplicates > 0 {
                actions.push(Action::DoubleDown(number, at));
            }
        }
    }

    fn push_path(&self, number: usize, path: &Path, actions: &mut Vec<Action>) {
        let possible = path.known && self.clients[number].call.sid().is_some();
        for (end, state, client) in [(true, path.at_caller, 0), (false, path.at_device, number)] {
            if !possible || !self.is_running(client) {
                continue;
            }
            if state == PathState::Down {
                actions.push(Action::PathUp(number, end));
            }
            if self.budget.failures > 0 && state != PathState::Gone {
                actions.push(Action::PathFails(number, end, PathFailure::Unreachable));
                if state == PathState::Down {
                    actions.push(Action::PathFails(number, end, PathFailure::Authentication));
                }
            }
        }
        for (end, queue) in [(true, &path.to_caller), (false, &path.to_device)] {
            if !queue.is_empty() {
                actions.push(Action::Media(number, end));
                if self.budget.lossy_media {
                    actions.push(Action::MediaLost(number, end));
                }
            }
        }
    }

    /// Lets one thing happen; the error is a broken invariant.
    pub(crate) fn perform(&mut self, action: Action) -> Result<(), String> {
        match action {
            Action::Make => {
                let make = MakeCall {
                    peer_id: "b".parse().unwrap(),
                    peer_service_id: "s".parse().unwrap(),
                    media_type: MediaType::Audio,
                    app_server_data: None,
                    call_start_message: None,
                    description: None,
                };
                self.clients[0].call.make_call(make, now()).unwrap();
                self.clients[0].party = Some(PartyId::CALLER);
            }
            Action::Verify(number) => self.clients[number].call.verify_call(String::new(), now()).unwrap(),
            Action::Accept(number) => self.clients[number].call.accept(None, now()).unwrap(),
            Action::End(number) => self.clients[number].call.end(None, None, now()).unwrap(),
            Action::Connect(number) => {
                self.clients[number].session = Session::Up;
                self.clients[number].call.handle_signal_up(&welcome(false));
            }
            Action::Refuse(number) => {
                let failure = Some(DisconnectReason::ServiceHttpConnectFail);
                self.clients[number].call.handle_signal_down(failure, now());
            }
            Action::Break(number) => {
                self.budget.breaks -= 1;
                self.break_session(number, false);
            }
            Action::Resume(number) => self.resume(number),
            Action::Restart => {
                self.budget.restarts -= 1;
                let snapshot = self.server.as_ref().unwrap().snapshot().unwrap();
                self.server = Some(ServerCall::restore(snapshot, clock(), now()));
                self.notifying = false;
                for number in 0..self.clients.len() {
                    // What the old process had not got through is lost with it.
                    self.clients[number].down.clear();
                    self.break_session(number, true);
                }
            }
            Action::Up(number, at) => {
                let message = self.clients[number].up.remove(at).unwrap();
                self.at_server(number, message);
            }
            Action::DoubleUp(number, at) => {
                self.budget.duplicates -= 1;
                let message = self.clients[number].up[at].clone();
                self.at_server(number, message);
            }
            Action::DropUp(number, at) => {
                self.budget.drops -= 1;
                self.clients[number].up.remove(at).unwrap();
            }
            Action::Down(number, at) => {
                let message = self.clients[number].down.remove(at).unwrap();
                self.at_client(number, message);
            }
            Action::DoubleDown(number, at) => {
                self.budget.duplicates -= 1;
                let message = self.clients[number].down[at].clone();
                self.at_client(number, message);
            }
            Action::DropDown(number, at) => {
                self.budget.drops -= 1;
                self.clients[number].down.remove(at).unwrap();
            }
            Action::Notified(result) => {
                self.notifying = false;
                self.server.as_mut().unwrap().handle_notify_result(result, now());
            }
            Action::ClientTimer(number, timer) => self.clients[number].call.expire(timer, now()),
            Action::ServerTimer(timer) => self.server.as_mut().unwrap().expire(timer, now()),
            Action::PathUp(number, at_caller) => {
                *self.path_state(number, at_caller) = PathState::Up;
                self.on_path(number, at_caller, PathEvent::Up);
            }
            Action::PathFails(number, at_caller, failure) => {
                self.budget.failures -= 1;
                *self.path_state(number, at_caller) = PathState::Gone;
                self.on_path(number, at_caller, PathEvent::Failed(failure));
            }
            Action::Media(number, to_caller) => {
                let media = self.media(number, to_caller).pop_front().unwrap();
                let event = match media {
                    Media::Audio => PathEvent::FirstAudio,
                    Media::Bye(reason) => PathEvent::Bye {
                        reason: Some(reason),
                        user_code: None,
                    },
                    Media::Closed => PathEvent::Closed,
                };
                // A path that is not up yet at this end carries nothing to it.
                if *self.path_state(number, to_caller) == PathState::Up {
                    self.on_path(number, to_caller, event);
                }
            }
            Action::MediaLost(number, to_caller) => {
                self.media(number, to_caller).pop_front();
            }
        }
        self.drain()?;
        self.forget();
        self.check_ends()
    }

    fn path_state(&mut self, number: usize, at_caller: bool) -> &mut PathState {
        let path = &mut self.paths[number - 1];
        if at_caller {
            &mut path.at_caller
        } else {
            &mut path.at_device
        }
    }

    fn media(&mut self, number: usize, to_caller: bool) -> &mut VecDeque<Media> {
        let path = &mut self.paths[number - 1];
        if to_caller {
            &mut path.to_caller
        } else {
            &mut path.to_device
        }
    }

    fn on_path(&mut self, number: usize, at_caller: bool, event: PathEvent) {
        let party = self.clients[number].party.unwrap();
        let client = if at_caller { 0 } else { number };
        self.clients[client].call.handle_path(party, event, now());
    }

    fn break_session(&mut self, number: usize, forgotten: bool) {
        let client = &mut self.clients[number];
        if client.session == Session::Never {
            return;
        }
        client.session = Session::Broken(forgotten);
        client.call.handle_signal_down(None, now());
        if let (Some(server), Some(party)) = (&mut self.server, client.party) {
            server.handle_session_lost(party, now());
        }
    }

    fn resume(&mut self, number: usize) {
        let client = &mut self.clients[number];
        let forgotten = client.session == Session::Broken(true);
        client.session = Session::Up;
        client.call.handle_signal_up(&welcome(!forgotten));
        if let (Some(server), Some(party)) = (&mut self.server, client.party) {
            server.handle_session_resumed(party, !forgotten, now());
        }
    }

    fn at_server(&mut self, number: usize, message: ClientMessage) {
        match message {
            ClientMessage::MakeCall(_) => {
                let setup = CallSetup {
                    sid: CallId::from_random([1; 16]),
                    caller: user("a"),
                    callee: user("b"),
                    media_type: MediaType::Audio,
                    app_server_data: None,
                    call_start_message: None,
                    description: None,
                    source_address: None,
                };
                let timers = server::Timers {
                    max_call: Some(Duration::from_secs(300)),
                    ..server::Timers::default()
                };
                self.server = Some(ServerCall::new(setup, timers, clock(), now()));
            }
            ClientMessage::VerifyCall { .. } => {
                let server = self.server.as_mut().unwrap();
                match server.verify(None, now()) {
                    Ok(party) => self.clients[number].party = Some(party),
                    Err(refusal) => self.clients[number].down.push_back(refusal.message()),
                }
            }
            message => {
                if let (Some(server), Some(party)) = (&mut self.server, self.clients[number].party) {
                    server.handle_message(party, message, now());
                }
            }
        }
    }

    fn at_client(&mut self, number: usize, message: ServerMessage) {
        if let ServerMessage::PeerVerified { party, .. } | ServerMessage::Accepted { party, .. } = &message
            && number == 0
        {
            let device = self
                .clients
                .iter()
                .position(|client| client.party == Some(*party))
                .unwrap();
            self.paths[device - 1].known = true;
        }
        self.clients[number].call.handle_message(message, now());
    }

    /// Carries out what the machines ask for.
    fn drain(&mut self) -> Result<(), String> {
        while let Some(output) = self.server.as_mut().and_then(ServerCall::poll_output) {
            self.on_server_output(output)?;
        }
        for number in 0..self.clients.len() {
            while let Some(output) = self.clients[number].call.poll_output() {
                self.on_client_output(number, output)?;
            }
        }
        // A device sends audio as soon as it has accepted and its path is up.
        for (client, path) in self.clients[1..].iter().zip(&mut self.paths) {
            let speaks = client.call.accepted().is_some() && client.call.state() == CallState::Connected;
            if speaks && path.at_device == PathState::Up && !path.audio_sent {
                path.audio_sent = true;
                path.to_caller.push_back(Media::Audio);
            }
        }
        Ok(())
    }

    fn on_server_output(&mut self, output: server::Output) -> Result<(), String> {
        match output {
            server::Output::Send { party, message } => {
                let rings = matches!(
                    message,
                    ServerMessage::WaitConnected | ServerMessage::Verified(_) | ServerMessage::PeerVerified { .. }
                );
                if rings && self.records > 0 {
                    return Err(format!("rings after the end: {message:?}"));
                }
                if let (0, ServerMessage::Ended { reason, .. }) = (party.0, &message)
                    && reason.is_multidev()
                {
                    return Err(format!("the caller is told {reason}"));
                }
                let number = self
                    .clients
                    .iter()
                    .position(|client| client.party == Some(party))
                    .unwrap();
                self.clients[number].down.push_back(message);
            }
            server::Output::Notify => {
                if self.pushed {
                    return Err("notified twice".into());
                }
                self.notifying = true;
                self.pushed = true;
            }
            server::Output::Accepted { party } => {
                if self.accepted.replace(party).is_some() {
                    return Err("accepted twice".into());
                }
            }
            server::Output::PushCancel => self.cancels += 1,
            server::Output::Record(record) => {
                self.records += 1;
                self.notifying = false;
                self.record = DisconnectReason::from_code(record.disconnect_reason);
            }
            other => return Err(format!("unexpected {other:?}")),
        }
        match (self.records, self.cancels) {
            (0 | 1, 0 | 1) => Ok(()),
            (records, cancels) => Err(format!("{records} records, {cancels} cancels")),
        }
    }

    fn on_client_output(&mut self, number: usize, output: client::Output) -> Result<(), String> {
        let ended = self.clients[number].end.is_some();
        match output {
            client::Output::Send(message) => self.clients[number].up.push_back(message),
            client::Output::Event(event) => {
                if ended {
                    return Err(format!("client {number} is told {event:?} after its end"));
                }
                self.on_event(number, &event)?;
            }
            client::Output::SendBye { reason, .. } => self.leave(number, None, Some(reason)),
            client::Output::CloseMedia => self.leave(number, None, None),
            client::Output::ClosePath { party } => self.leave(number, Some(party), None),
            client::Output::StartAudio { .. } if ended => return Err(format!("client {number} speaks after its end")),
            _ => {}
        }
        Ok(())
    }

    fn on_event(&mut self, number: usize, event: &Event) -> Result<(), String> {
        let client = &mut self.clients[number];
        let (bit, needs, role) = match event {
            Event::WaitConnected => (WAIT, 0, Some(Role::Caller)),
            Event::Verified { .. } => (VERIFIED, 0, Some(Role::Callee)),
            Event::Connected { .. } if number == 0 => (CONNECTED, WAIT, None),
            Event::Connected { .. } => (CONNECTED, VERIFIED, None),
            Event::Disconnected {
                reason,
                source,
                by_remote,
                ..
            } => {
                if *by_remote == (*source == client.call.role().source()) {
                    return Err(format!("client {number}: {source} and by_remote {by_remote}"));
                }
                client.end = Some(*reason);
                return Ok(());
            }
            _ => return Ok(()),
        };
        let wrong =
            client.seen & bit != 0 || client.seen & needs != needs || role.is_some_and(|it| it != client.call.role());
        client.seen |= bit;
        if wrong {
            Err(format!("client {number} is told {event:?} at the wrong time"))
        } else {
            Ok(())
        }
    }

    /// A client leaves its media paths, all or the one with `party`, with a goodbye or without.
    fn leave(&mut self, number: usize, party: Option<PartyId>, bye: Option<DisconnectReason>) {
        let parties: Vec<Option<PartyId>> = self.clients[1..].iter().map(|client| client.party).collect();
        for (index, path) in self.paths.iter_mut().enumerate() {
            let concerned = if number == 0 {
                party.is_none() || parties[index] == party
            } else {
                index + 1 == number
            };
            if !concerned {
                continue;
            }
            let (state, queue) = match number {
                0 => (&mut path.at_caller, &mut path.to_device),
                _ => (&mut path.at_device, &mut path.to_caller),
            };
            if *state == PathState::Up {
                queue.push_back(bye.map_or(Media::Closed, Media::Bye));
            }
            *state = PathState::Gone;
        }
    }

    /// Drops what would be ignored anyway, so that states that differ in nothing else are one.
    fn forget(&mut self) {
        let ended = self.server.as_ref().is_some_and(ServerCall::is_ended);
        for number in 0..self.clients.len() {
            let over = self.clients[number].end.is_some();
            let client = &mut self.clients[number];
            if over {
                client.down.clear();
            }
            if ended {
                client
                    .up
                    .retain(|message| matches!(message, ClientMessage::VerifyCall { .. }) && !over);
            }
            // It was never let in, so nothing of it gets anywhere.
            if over && client.session == Session::Never {
                client.up.clear();
            }
        }
        let caller_over = self.clients[0].end.is_some();
        for (client, path) in self.clients[1..].iter().zip(&mut self.paths) {
            if caller_over {
                path.to_caller.clear();
            }
            if client.end.is_some() {
                path.to_device.clear();
            }
            if caller_over && client.end.is_some() {
                path.at_caller = PathState::Gone;
                path.at_device = PathState::Gone;
            }
        }
    }

    /// Both sides' reasons suit each other, and nobody of the callee's devices shows in the caller's.
    fn check_ends(&self) -> Result<(), String> {
        let Some(caller) = self.clients[0].end else {
            return Ok(());
        };
        for (index, client) in self.clients[1..].iter().enumerate() {
            let Some(device) = client.end else { continue };
            // The device that accepted, for the server and for the caller alike; with one device there is no other.
            let accepted = self
                .accepted
                .filter(|accepted| self.clients[0].call.accepted() == Some(*accepted));
            let decides = self.clients.len() == 2 || (accepted.is_some() && client.party == accepted);
            let allowed = if decides {
                is_allowed_pair(caller, device)
            } else {
                is_allowed_other_device(caller, device)
            };
            let alone_and_multidev = self.clients.len() == 2 && device.is_multidev();
            if !allowed || alone_and_multidev {
                return Err(format!("caller {caller}, device {} {device}", index + 1));
            }
        }
        Ok(())
    }

    /// Nothing is under way and no deadline is armed: either a call runs with both sides connected, or it is over for all.
    pub(crate) fn check_quiet(&self) -> Result<(), String> {
        let running: Vec<usize> = (0..self.clients.len())
            .filter(|client| self.is_running(*client))
            .collect();
        let Some(server) = &self.server else {
            return if running.is_empty() {
                Ok(())
            } else {
                Err(format!("{running:?} wait for a call that is not"))
            };
        };
        if server.is_ended() {
            if self.records != 1 {
                return Err(format!("{} records", self.records));
            }
            // What the server decided may cross both sides' own ends, and then nobody was told what the record says.
            let told = self.clients.iter().any(|client| client.end == self.record);
            let alone = self.record.is_some_and(|reason| DECIDED_BY_SERVER.contains(&reason));
            if !told && !alone {
                return Err(format!("nobody was told {:?}, which the record says", self.record));
            }
            // Without a link, the news of the end may be lost.
            if !running.is_empty() && self.mode == Mode::Linked {
                return Err(format!("{running:?} run after the end"));
            }
            return Ok(());
        }
        if self.mode == Mode::Raw {
            return Ok(());
        }
        let connected = running
            .iter()
            .all(|client| self.clients[*client].call.state() == CallState::Connected);
        let both = running.len() == 2 && running[0] == 0 && self.clients[running[1]].party == server.accepted();
        if connected && both {
            Ok(())
        } else {
            Err(format!("{running:?} run, connected: {connected}"))
        }
    }
}

fn welcome(resumed: bool) -> Welcome {
    Welcome {
        session: String::new(),
        resume: String::new(),
        heartbeat_ms: 0,
        resumed,
        ice_servers: Vec::new(),
        policy: duologue_signaling::message::Policy::default(),
    }
}
