//! A relay between parties that each know the other only by the relay's addresses.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::scheduler::{RelayStats, Scheduler, wake_reader};
use crate::{Link, LinkConfig};

/// The most addresses that a [`PairRelay`] stands for.
pub const MAX_ADDRESSES: usize = 64;

/// A relay between peers that look for a direct way: for each real address it opens a port that stands for it.
///
/// ```text
///            real A             stands for A     stands for B             real B
///   phone A  :4000 ───────────► :50002             :50001 ◄─────────────  :4001  phone B
///               sends to :50001                        sends to :50002
/// ```
///
/// A datagram from A that arrives at the port standing for B leaves from the port standing for A, towards B. If each
/// side offers only addresses of the relay, ICE checks, DTLS and media all go this way, and what a peer sees as the
/// other's address is always one of the relay's. A source that nobody has named (a socket bound to all interfaces, a
/// peer-reflexive address) gets a port of its own when its first datagram arrives.
///
/// Each ordered pair of addresses has a [`Link`] of its own. Dropping the relay ends its threads.
#[derive(Debug)]
pub struct PairRelay {
    shared: Arc<Shared>,
    sender: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    scheduler: Arc<Scheduler>,
    config: LinkConfig,
    seed: u64,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    ports: Vec<Port>,
    links: HashMap<(usize, usize), Link>,
}

#[derive(Debug)]
struct Port {
    real: SocketAddr,
    standing: SocketAddr,
    socket: Arc<UdpSocket>,
    reader: JoinHandle<()>,
}

impl PairRelay {
    /// Starts a relay; `link` is how each direction between two addresses behaves.
    ///
    /// # Errors
    /// What the system says when it refuses a thread.
    pub fn start(link: LinkConfig, seed: u64) -> io::Result<Self> {
        let (scheduler, sender) = Scheduler::start()?;
        let shared = Shared {
            scheduler,
            config: link,
            seed,
            table: Mutex::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
            sender: Some(sender),
        })
    }

    /// The address that stands for `real`: a port of the same IP address, opened now if there is none yet.
    ///
    /// # Errors
    /// What the system says when it refuses the socket, for instance because `real` is not on this machine; and
    /// [`io::ErrorKind::QuotaExceeded`] beyond [`MAX_ADDRESSES`].
    pub fn stand_for(&self, real: SocketAddr) -> io::Result<SocketAddr> {
        let mut table = self.shared.lock();
        let index = self.shared.port_for(&mut table, real)?;
        Ok(table.ports[index].standing)
    }

    /// Counters of all directions together.
    #[must_use]
    pub fn stats(&self) -> RelayStats {
        self.shared.scheduler.stats()
    }
}

impl Shared {
    /// The index of the port that stands for `real`.
    fn port_for(self: &Arc<Self>, table: &mut Table, real: SocketAddr) -> io::Result<usize> {
        // Scope and flow of IPv6 addresses are left out: candidates do not carry them.
        let same = |port: &Port| port.real.ip() == real.ip() && port.real.port() == real.port();
        if let Some(index) = table.ports.iter().position(same) {
            return Ok(index);
        }
        if table.ports.len() == MAX_ADDRESSES || self.scheduler.is_stopped() {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        let mut wanted = real;
        wanted.set_port(0);
        let socket = Arc::new(UdpSocket::bind(wanted)?);
        let standing = socket.local_addr()?;
        let index = table.ports.len();
        let shared = Arc::clone(self);
        let reader = self
            .scheduler
            .spawn_reader(Arc::clone(&socket), move |source, payload, now| {
                let mut table = shared.lock();
                let Ok(from) = shared.port_for(&mut table, source) else {
                    drop(table);
                    return shared.scheduler.count_unknown();
                };
                let seed = shared.seed ^ u64::try_from((from << 8) | index).expect("both are below 64");
                let link = table
                    .links
                    .entry((from, index))
                    .or_insert_with(|| Link::new(shared.config.clone(), seed));
                let arrivals = link.send(payload.len(), now);
                shared
                    .scheduler
                    .schedule(&arrivals, &table.ports[from].socket, table.ports[index].real, payload);
            })?;
        table.ports.push(Port {
            real,
            standing,
            socket,
            reader,
        });
        Ok(index)
    }

    /// Nothing panics between two changes of the table that belong together.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PairRelay {
    fn drop(&mut self) {
        self.shared.scheduler.stop();
        // No port is added after the stop, and readers need the table until they end.
        let ports = std::mem::take(&mut self.shared.lock().ports);
        for port in &ports {
            wake_reader(&port.socket);
        }
        for thread in ports.into_iter().map(|port| port.reader).chain(self.sender.take()) {
            // A thread that panicked has told so already.
            let _ = thread.join();
        }
    }
}
