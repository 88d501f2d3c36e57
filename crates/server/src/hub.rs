//! What all connections and calls share.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use duologue_signaling::ids::{CallId, PartyId, User};
use duologue_signaling::server::{CallSetup, Directory, Refusal, ServerCall};
use duologue_signaling::{DisconnectReason, MediaType, SessionDescription};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use crate::buckets::{Buckets, Rate};
use crate::call::{CallActor, Input, Joining};
use crate::callback::CallbackClient;
use crate::clock::wall_clock;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::seal::Keys;
use crate::store::{Journal, ServiceStore, Writer};
use crate::turn::{Credentials, Turn};

/// Messages and events that wait for one call; who adds more waits.
const CALL_QUEUE: usize = 256;

/// What all connections and calls share.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) config: Config,
    pub(crate) store: ServiceStore,
    pub(crate) writer: Writer,
    pub(crate) keys: Keys,
    pub(crate) callbacks: CallbackClient,
    pub(crate) metrics: Metrics,
    /// Rung when something may be in the outbox.
    pub(crate) outbox: Notify,
    /// Rung when a call is over, and again when it is forgotten.
    pub(crate) call_over: Notify,
    pub(crate) addresses: Buckets<IpAddr>,
    pub(crate) users: Buckets<User>,
    /// Port of STUN as it is bound; 0: none.
    pub(crate) stun_port: u16,
    /// What answers there.
    pub(crate) turn: Option<Turn>,
    /// What sessions are told about relays; none: there are none.
    pub(crate) relays: Option<Credentials>,
    draining: AtomicBool,
    state: Mutex<State>,
    tasks: Mutex<Option<JoinSet<()>>>,
}

#[derive(Debug, Default)]
struct State {
    directory: Directory,
    calls: HashMap<CallId, CallHandle>,
    /// Which call and device a session is.
    sessions: HashMap<String, (CallId, PartyId)>,
}

/// The way to a call.
pub(crate) type CallHandle = mpsc::Sender<Input>;

/// What is needed to make a [`Hub`].
#[derive(Debug)]
pub(crate) struct HubParts {
    pub(crate) config: Config,
    pub(crate) store: ServiceStore,
    pub(crate) writer: Writer,
    pub(crate) keys: Keys,
    pub(crate) callbacks: CallbackClient,
    pub(crate) stun_port: u16,
    pub(crate) turn: Option<Turn>,
    pub(crate) relays: Option<Credentials>,
}

/// What a caller asks for, checked.
#[derive(Debug)]
pub(crate) struct NewCall {
    pub(crate) setup: CallSetup,
    /// Why it is refused before the callee hears of it, if it is.
    pub(crate) refusal: Option<Refusal>,
}

impl Hub {
    pub(crate) fn new(parts: HubParts) -> Self {
        let limits = &parts.config.limits;
        let addresses = Rate {
            burst: limits.address_burst,
            per_second: limits.address_per_second,
        };
        let users = Rate {
            burst: limits.user_burst,
            per_second: limits.user_per_second,
        };
        Self {
            addresses: Buckets::new(addresses),
            users: Buckets::new(users),
            config: parts.config,
            store: parts.store,
            writer: parts.writer,
            keys: parts.keys,
            callbacks: parts.callbacks,
            stun_port: parts.stun_port,
            turn: parts.turn,
            relays: parts.relays,
            metrics: Metrics::default(),
            outbox: Notify::new(),
            call_over: Notify::new(),
            draining: AtomicBool::new(false),
            state: Mutex::default(),
            tasks: Mutex::new(Some(JoinSet::new())),
        }
    }

    /// Runs a task that ends with the server at the latest. Their number is bounded by that of connections and calls.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tasks) = tasks.as_mut() {
            // Tasks that are over would otherwise be kept.
            while tasks.try_join_next().is_some() {}
            tasks.spawn(task);
        }
    }

    /// Stops every task where it stands.
    pub(crate) fn abort(&self) {
        drop(self.tasks.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(turn) = &self.turn {
            turn.stop();
        }
    }

    /// No new call from now on.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Calls that are not over, and those that also linger because not all of their devices know.
    pub(crate) fn calls(&self) -> (usize, usize) {
        let state = self.lock();
        (state.directory.len(), state.calls.len())
    }

    /// Starts a call, or what tells its caller why there is none.
    pub(crate) fn start_call(self: &Arc<Self>, mut new: NewCall, caller: Joining) -> CallHandle {
        let sid = new.setup.sid;
        let now = std::time::Instant::now();
        let refusal = new.refusal.or_else(|| self.refuse(&new.setup));
        let pre_connect = self.config.policy(new.setup.callee.service_id.as_str()).pre_connect;
        let withheld = if pre_connect {
            None
        } else {
            new.setup.description.take()
        };
        let call = match refusal {
            Some(refusal) => ServerCall::refused(new.setup, refusal, wall_clock(), now),
            None => {
                let timers = self.config.policy(new.setup.callee.service_id.as_str()).timers();
                ServerCall::new(new.setup, timers, wall_clock(), now)
            }
        };
        self.run_call(sid, call, Some(caller), Vec::new(), withheld)
    }

    fn refuse(&self, setup: &CallSetup) -> Option<Refusal> {
        if self.is_draining() {
            return Some(Refusal::new(DisconnectReason::ServiceMaintenance));
        }
        let mut state = self.lock();
        // Calls that are over linger for a while; they count once there are many.
        let limit = self.config.limits.calls;
        if state.directory.len() >= limit || state.calls.len() >= limit.saturating_mul(4) {
            return Some(Refusal::new(DisconnectReason::ServiceBusy));
        }
        match state.directory.begin(setup.sid, &setup.caller, &setup.callee) {
            Ok(()) => None,
            Err(duologue_signaling::server::DirectoryError::Refused(refusal)) => Some(refusal),
            // A random 122-bit id that exists: something is wrong with the randomness.
            Err(_) => Some(Refusal::new(DisconnectReason::ServerInternalError)),
        }
    }

    /// Takes a call up from the journal.
    pub(crate) fn restore(self: &Arc<Self>, journal: Journal) {
        let setup = journal.snapshot.setup();
        let sid = setup.sid;
        self.lock()
            .directory
            .restore(sid, &setup.caller, &setup.callee, journal.snapshot.is_accepted());
        let call = ServerCall::restore(journal.snapshot, wall_clock(), std::time::Instant::now());
        self.run_call(sid, call, None, journal.sessions, None);
    }

    fn run_call(
        self: &Arc<Self>,
        sid: CallId,
        call: ServerCall,
        caller: Option<Joining>,
        sessions: Vec<(PartyId, String)>,
        withheld: Option<Box<SessionDescription>>,
    ) -> CallHandle {
        let (handle, inbox) = mpsc::channel(CALL_QUEUE);
        {
            let mut state = self.lock();
            state.calls.insert(sid, handle.clone());
            for (party, session) in &sessions {
                state.sessions.insert(session.clone(), (sid, *party));
            }
            if let Some(caller) = &caller {
                state.sessions.insert(caller.session.clone(), (sid, PartyId::CALLER));
            }
        }
        self.metrics.calls.add(1);
        let actor = CallActor::new(self.clone(), call, caller, sessions, inbox).withholding(withheld);
        self.spawn(actor.run());
        handle
    }

    /// The way to a call that is going on, or has just ended.
    pub(crate) fn call(&self, sid: CallId) -> Option<CallHandle> {
        self.lock().calls.get(&sid).cloned()
    }

    /// The call and the device of a session.
    pub(crate) fn session(&self, session: &str) -> Option<(CallHandle, PartyId)> {
        let state = self.lock();
        let (sid, party) = state.sessions.get(session)?;
        Some((state.calls.get(sid)?.clone(), *party))
    }

    /// A session is now a device of a call.
    pub(crate) fn enter(&self, session: &str, sid: CallId, party: PartyId) {
        self.lock().sessions.insert(session.to_owned(), (sid, party));
    }

    /// May the callee accept this call?
    pub(crate) fn accept(&self, sid: CallId) -> Result<(), Refusal> {
        self.lock().directory.accept(sid)
    }

    /// The users of a call are free again.
    pub(crate) fn release(&self, sid: CallId) {
        self.lock().directory.end(sid);
        self.call_over.notify_waiters();
    }

    /// A call and its sessions are forgotten.
    pub(crate) fn forget(&self, sid: CallId) {
        let mut state = self.lock();
        state.calls.remove(&sid);
        state.sessions.retain(|_, (of, _)| *of != sid);
        drop(state);
        self.metrics.calls.add(-1);
        self.call_over.notify_waiters();
    }

    /// What a caller asks for, as a call of this id.
    pub(crate) fn new_setup(
        sid: CallId,
        caller: User,
        make: duologue_signaling::message::MakeCall,
        address: IpAddr,
    ) -> CallSetup {
        let media_type: MediaType = make.media_type;
        CallSetup {
            sid,
            caller,
            callee: User {
                service_id: make.peer_service_id,
                user_id: make.peer_id,
            },
            media_type,
            app_server_data: make.app_server_data,
            call_start_message: make.call_start_message,
            description: make.description,
            source_address: Some(address.to_string()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change is complete before anything that could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
