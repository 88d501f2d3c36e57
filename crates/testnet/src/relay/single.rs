//! A relay in front of one address.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::scheduler::{RelayStats, Scheduler, loopback_like, wake_reader};
use crate::{Link, LinkConfig};

/// Stands in front of one address: whatever is sent to [`local_addr`](Self::local_addr) goes to the target, and what the
/// target answers goes to the client, that is to whoever wrote last.
///
/// Dropping it ends its three threads.
#[derive(Debug)]
pub struct Relay {
    scheduler: Arc<Scheduler>,
    sockets: [Arc<UdpSocket>; 2],
    local: SocketAddr,
    threads: Vec<JoinHandle<()>>,
}

impl Relay {
    /// Starts a relay to `target`: `up` is the way there, `down` the way back. It listens on a port of the loopback
    /// interface if the target is there, else on one of all interfaces.
    ///
    /// # Errors
    /// What the system says when it refuses sockets or threads.
    pub fn start(target: SocketAddr, up: LinkConfig, down: LinkConfig, seed: u64) -> io::Result<Self> {
        let ip = match target {
            _ if target.ip().is_loopback() => loopback_like(target),
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let front = Arc::new(UdpSocket::bind((ip, 0))?);
        let back = Arc::new(UdpSocket::bind((ip, 0))?);
        let local = front.local_addr()?;

        let (scheduler, sender) = Scheduler::start()?;
        // From here on, dropping `relay` on an error ends the threads that run already.
        let mut relay = Self {
            scheduler,
            sockets: [front, back],
            local,
            threads: vec![sender],
        };
        let client = Arc::new(Mutex::new(None));
        let [front, back] = relay.sockets.clone();

        let mut link = Link::new(up, seed);
        let (scheduler, out, last) = (Arc::clone(&relay.scheduler), Arc::clone(&back), Arc::clone(&client));
        relay.threads.push(
            relay
                .scheduler
                .spawn_reader(Arc::clone(&front), move |source, payload, now| {
                    *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(source);
                    scheduler.schedule(&link.send(payload.len(), now), &out, target, payload);
                })?,
        );

        let mut link = Link::new(down, seed ^ DOWN);
        let scheduler = Arc::clone(&relay.scheduler);
        relay
            .threads
            .push(relay.scheduler.spawn_reader(back, move |source, payload, now| {
                let client = *client.lock().unwrap_or_else(PoisonError::into_inner);
                match client {
                    Some(client) if source == target => {
                        scheduler.schedule(&link.send(payload.len(), now), &front, client, payload);
                    }
                    _ => scheduler.count_unknown(),
                }
            })?);
        Ok(relay)
    }

    /// Where to send to.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Counters of both directions together.
    #[must_use]
    pub fn stats(&self) -> RelayStats {
        self.scheduler.stats()
    }
}

/// Keeps the two directions' choices apart.
const DOWN: u64 = 0x6a09_e667_f3bc_c908;

impl Drop for Relay {
    fn drop(&mut self) {
        self.scheduler.stop();
        for socket in &self.sockets {
            wake_reader(socket);
        }
        for thread in self.threads.drain(..) {
            // A thread that panicked has told so already.
            let _ = thread.join();
        }
    }
}
