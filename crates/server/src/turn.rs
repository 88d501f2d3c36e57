//! STUN and TURN: the sockets, the thread and the secrets around `duologue-turn`.

mod batch;
mod credentials;
mod engine;
mod outgoing;
mod place;
mod relays;
mod stream;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::net::UdpSocket;
use tokio::sync::mpsc;

pub(crate) use credentials::Credentials;
pub use credentials::SecretError;
use engine::{Engine, Inbound};
pub(crate) use stream::{Writes, accept, serve};

/// Reads of streams that wait for the thread; who adds more waits.
const INBOX: usize = 1_024;

/// The thread that answers STUN and relays. It stops with this value.
pub(crate) struct Turn {
    streams: Streams,
    snapshot: Arc<Mutex<Snapshot>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    stop: Arc<AtomicBool>,
}

/// What the thread has counted.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Snapshot {
    pub(crate) stats: duologue_turn::Stats,
    pub(crate) allocations: usize,
    /// Datagrams that the socket would not take.
    pub(crate) unsent: u64,
}

/// The way of TCP and TLS connections to the thread.
#[derive(Clone)]
pub(crate) struct Streams {
    inbox: mpsc::Sender<Inbound>,
    waker: Arc<mio::Waker>,
    next: Arc<AtomicU64>,
}

impl Turn {
    /// Starts the thread on a bound socket.
    pub(crate) fn start(config: duologue_turn::Config, socket: UdpSocket) -> io::Result<Self> {
        let (inbox, receiver) = mpsc::channel(INBOX);
        let poll = mio::Poll::new()?;
        let waker = Arc::new(mio::Waker::new(poll.registry(), engine::WAKER)?);
        let snapshot = Arc::new(Mutex::new(Snapshot::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let socket = mio::net::UdpSocket::from_std(socket.into_std()?);
        let engine = Engine::new(config, poll, socket, receiver, snapshot.clone(), stop.clone())?;
        let thread = std::thread::Builder::new()
            .name("turn".into())
            .spawn(move || engine.run())?;
        Ok(Self {
            streams: Streams {
                inbox,
                waker,
                next: Arc::default(),
            },
            snapshot,
            thread: Mutex::new(Some(thread)),
            stop,
        })
    }

    pub(crate) fn streams(&self) -> &Streams {
        &self.streams
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops the thread, which closes every socket of it.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        // Without a waker the thread could not have started.
        let _ = self.streams.waker.wake();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It only fails when the thread panicked, and then it is as stopped as it can be.
            let _ = thread.join();
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.stop();
    }
}

impl std::fmt::Debug for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turn")
            .field("snapshot", &self.snapshot())
            .finish_non_exhaustive()
    }
}

/// What the core runs with, on a socket at this address.
pub(crate) fn core_config(
    config: &crate::Config,
    listening: SocketAddr,
    secrets: Vec<Vec<u8>>,
) -> duologue_turn::Config {
    let turn = &config.turn;
    let place = place::Place::of(config, listening);
    duologue_turn::Config {
        secrets,
        realm: turn.realm.clone(),
        time_of_day: crate::clock::unix(),
        relay_v4: place.v4,
        relay_v6: place.v6,
        relay_ports: turn.ports.0.clone(),
        allowed_peers: place.allowed,
        own_addresses: place.own,
        limits: duologue_turn::Limits {
            allocations: turn.allocations,
            user_allocations: turn.user_allocations,
            user_bytes_per_second: turn.user_bytes_per_second,
            user_burst: turn.user_bytes_per_second.saturating_mul(2),
            unauthenticated_per_second: turn.unauthenticated_per_second,
            ..duologue_turn::Limits::default()
        },
        ..duologue_turn::Config::default()
    }
}
