//! A whole call as one value: the three or four machines and everything that is under way between them.

mod check;
mod next;
mod perform;

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
    /// Times that somebody puts the call on hold or takes it up again.
    pub(crate) holds: u8,
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
    Hold(usize),
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
    /// Nothing makes it happen soon: it is left to a user, or the longest call time passes.
    pub(crate) fn is_choice(self) -> bool {
        matches!(
            self,
            Self::Make
                | Self::Verify(_)
                | Self::Accept(_)
                | Self::End(_)
                | Self::Hold(_)
                | Self::ServerTimer(server::Timer::MaxCall)
        )
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
    /// It put the call on hold.
    holds: bool,
    /// Its application was told that the peer did.
    peer_holds: bool,
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

impl World {
    pub(crate) fn new(devices: usize, mode: Mode, budget: Budget) -> Self {
        let client = |role| Client {
            call: ClientCall::new(role, client::Timers::default()),
            session: Session::Never,
            party: None,
            up: VecDeque::new(),
            down: VecDeque::new(),
            end: None,
            holds: false,
            peer_holds: false,
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
}
