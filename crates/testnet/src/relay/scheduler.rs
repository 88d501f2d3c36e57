//! The threads of a relay: readers that ask when, and one sender that waits.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What a relay did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RelayStats {
    /// Datagrams read.
    pub received: u64,
    /// Datagrams sent on; with duplication there may be more of these.
    pub forwarded: u64,
    /// Lost on a link, as configured.
    pub lost: u64,
    /// Dropped because 16,384 were waiting.
    pub overflow: u64,
    /// From or to an address that nobody knows and that there is no room for.
    pub unknown: u64,
    /// Refused by the system when they were to be sent.
    pub send_errors: u64,
    /// Sent more than 1 ms after their time.
    pub late: u64,
}

/// The queue that readers fill and the sender empties. Shared by all threads of a relay.
#[derive(Debug, Default)]
pub(super) struct Scheduler {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    queue: BinaryHeap<Reverse<Entry>>,
    sequence: u64,
    stopped: bool,
    stats: RelayStats,
}

#[derive(Debug)]
struct Entry {
    at: Instant,
    sequence: u64,
    socket: Arc<UdpSocket>,
    destination: SocketAddr,
    payload: Vec<u8>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.sequence == other.sequence
    }
}

impl Eq for Entry {}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

const WAITING: usize = 16_384;
const LATE: Duration = Duration::from_millis(1);
const STACK: usize = 256 * 1024;
/// Readers are woken when a relay stops; this is for the case that the wake-up gets lost.
const READ_TIMEOUT: Duration = Duration::from_millis(250);

impl Scheduler {
    /// A scheduler and its sending thread.
    pub(super) fn start() -> io::Result<(Arc<Self>, JoinHandle<()>)> {
        let scheduler = Arc::new(Self::default());
        let own = Arc::clone(&scheduler);
        let thread = thread::Builder::new()
            .name("relay-send".into())
            .stack_size(STACK)
            .spawn(move || own.run())?;
        Ok((scheduler, thread))
    }

    /// Notes what a link decided about a datagram, and queues it once for each arrival.
    pub(super) fn schedule(&self, arrivals: &[Instant], socket: &Arc<UdpSocket>, to: SocketAddr, payload: &[u8]) {
        let mut state = self.lock();
        if arrivals.is_empty() {
            state.stats.lost += 1;
        }
        for at in arrivals {
            if state.queue.len() == WAITING {
                state.stats.overflow += 1;
                continue;
            }
            state.sequence += 1;
            let sequence = state.sequence;
            let socket = Arc::clone(socket);
            state.queue.push(Reverse(Entry {
                at: *at,
                sequence,
                socket,
                destination: to,
                payload: payload.to_vec(),
            }));
        }
        drop(state);
        self.wake.notify_one();
    }

    /// Notes a datagram that cannot be sent on.
    pub(super) fn count_unknown(&self) {
        self.lock().stats.unknown += 1;
    }

    pub(super) fn stats(&self) -> RelayStats {
        self.lock().stats
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    /// Ends the sender now and each reader as soon as it wakes up.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.wake.notify_all();
    }

    /// A thread that reads `socket` and gives each datagram to `handle`, with its source and the time of reading.
    pub(super) fn spawn_reader(
        self: &Arc<Self>,
        socket: Arc<UdpSocket>,
        mut handle: impl FnMut(SocketAddr, &[u8], Instant) + Send + 'static,
    ) -> io::Result<JoinHandle<()>> {
        socket.set_read_timeout(Some(READ_TIMEOUT))?;
        let scheduler = Arc::clone(self);
        thread::Builder::new()
            .name("relay-read".into())
            .stack_size(STACK)
            .spawn(move || {
                let mut buffer = vec![0; 65_536];
                let mut failures = 0;
                // A socket that fails again and again is given up: better a silent port than a busy loop.
                while failures < 16 {
                    let read = socket.recv_from(&mut buffer);
                    if scheduler.is_stopped() {
                        return;
                    }
                    match read {
                        Ok((len, source)) => {
                            failures = 0;
                            #[expect(clippy::disallowed_methods, reason = "a relay works in real time")]
                            let now = Instant::now();
                            scheduler.lock().stats.received += 1;
                            handle(source, &buffer[..len], now);
                        }
                        Err(error)
                            if matches!(
                                error.kind(),
                                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                            ) => {}
                        Err(_) => failures += 1,
                    }
                }
            })
    }

    fn run(&self) {
        let mut state = self.lock();
        while !state.stopped {
            #[expect(clippy::disallowed_methods, reason = "a relay works in real time")]
            let now = Instant::now();
            let Some(Reverse(earliest)) = state.queue.peek() else {
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            if earliest.at > now {
                let rest = earliest.at - now;
                state = self
                    .wake
                    .wait_timeout(state, rest)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
                continue;
            }
            let Some(Reverse(entry)) = state.queue.pop() else {
                continue;
            };
            // Not while sending: readers would wait.
            drop(state);
            let sent = entry.socket.send_to(&entry.payload, entry.destination);
            state = self.lock();
            match sent {
                Ok(_) => state.stats.forwarded += 1,
                Err(_) => state.stats.send_errors += 1,
            }
            if now - entry.at > LATE {
                state.stats.late += 1;
            }
        }
    }

    /// No code panics while it holds this lock, and counters are worth having even if it did.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a reader of `socket` look up, by an empty datagram.
pub(super) fn wake_reader(socket: &UdpSocket) {
    if let Ok(mut own) = socket.local_addr() {
        if own.ip().is_unspecified() {
            own.set_ip(loopback_like(own));
        }
        // If this fails, the read timeout does the same a little later.
        let _ = socket.send_to(&[], own);
    }
}

/// The loopback address of the same family.
pub(super) fn loopback_like(address: SocketAddr) -> IpAddr {
    if address.is_ipv4() {
        Ipv4Addr::LOCALHOST.into()
    } else {
        Ipv6Addr::LOCALHOST.into()
    }
}
