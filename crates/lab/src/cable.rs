//! A line between two namespaces: a TUN device in each, and a [`Wire`] between them on a thread of its own.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use duologue_testnet::wire::{End, Profile, Wire, WireStats};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tun_rs::{DeviceBuilder, SyncDevice};

use crate::namespace::Namespace;
use crate::system;
use crate::tap::Tap;

/// Packets read from one device before the other has its turn.
const BATCH: usize = 64;
/// How long a cable sleeps at most: the time that it may take to notice its end.
const NAP: Duration = Duration::from_millis(100);
/// A packet delivered later than this after its time is counted.
const LATE: Duration = Duration::from_millis(5);

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A cable that is plugged in; pulled out with the value.
#[derive(Debug)]
pub struct Cable {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    wire: Mutex<Wire>,
    stopped: AtomicBool,
    late: AtomicU32,
    refused: AtomicU32,
}

impl Cable {
    /// Makes interface `left.1` in namespace `left.0` and `right.1` in `right.0`, both up and without address, and carries
    /// packets between them as `profile` says. `tap` sees what comes out on the left.
    ///
    /// # Errors
    /// What the system says.
    pub fn plug(
        left: (&Namespace, &str),
        right: (&Namespace, &str),
        profile: Profile,
        seed: u64,
        tap: Option<Arc<Tap>>,
    ) -> anyhow::Result<Self> {
        let devices = [device(left)?, device(right)?];
        let shared = Arc::new(Shared {
            wire: Mutex::new(Wire::new(profile, seed, Instant::now())),
            stopped: AtomicBool::new(false),
            late: AtomicU32::new(0),
            refused: AtomicU32::new(0),
        });
        let own = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("cable".into())
            .spawn(move || own.carry(&devices, tap.as_deref()))?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Cuts it or mends it.
    pub fn set_cut(&self, cut: bool) {
        self.shared.lock().set_cut(cut);
    }

    /// Counters of what was put in at this end.
    #[must_use]
    pub fn stats(&self, from: End) -> WireStats {
        self.shared.lock().stats(from)
    }

    /// Packets delivered more than 5 ms after their time: a sign that the machine is too busy to measure on.
    #[must_use]
    pub fn late(&self) -> u32 {
        self.shared.late.load(Ordering::Relaxed)
    }

    /// Packets that the other end's interface did not take, such as one that is down.
    #[must_use]
    pub fn refused(&self) -> u32 {
        self.shared.refused.load(Ordering::Relaxed)
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn carry(&self, devices: &[SyncDevice; 2], tap: Option<&Tap>) {
        let mut buffer = vec![0; 65_536];
        while !self.stopped.load(Ordering::Relaxed) {
            let next = {
                let mut wire = self.lock();
                let now = Instant::now();
                for (from, device) in [End::Left, End::Right].into_iter().zip(devices) {
                    for _ in 0..BATCH {
                        match device.recv(&mut buffer) {
                            Ok(len) => wire.handle_packet(from, &buffer[..len], now),
                            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                            Err(error) if error.kind() == ErrorKind::Interrupted => {}
                            // The namespace went, and the device with it.
                            Err(_) => return,
                        }
                    }
                }
                self.deliver(&mut wire, devices, tap, now);
                wire.poll_timeout()
            };
            let rest = next.map_or(NAP, |at| at.saturating_duration_since(Instant::now()).min(NAP));
            let timeout = Timespec {
                tv_sec: 0,
                tv_nsec: rest.subsec_nanos().into(),
            };
            let mut waiting = devices.each_ref().map(|device| PollFd::new(device, PollFlags::IN));
            // An interrupted wait is a short one.
            let _ = poll(&mut waiting, Some(&timeout));
        }
    }

    fn deliver(&self, wire: &mut Wire, devices: &[SyncDevice; 2], tap: Option<&Tap>, now: Instant) {
        loop {
            let due = wire.poll_timeout();
            let Some((to, packet)) = wire.poll_output(now) else {
                return;
            };
            if due.is_some_and(|due| now.saturating_duration_since(due) > LATE) {
                self.late.fetch_add(1, Ordering::Relaxed);
            }
            let device = match to {
                End::Left => &devices[0],
                End::Right => &devices[1],
            };
            if device.send(&packet).is_err() {
                self.refused.fetch_add(1, Ordering::Relaxed);
            } else if to == End::Left
                && let Some(tap) = tap
            {
                tap.see(&packet, now);
            }
        }
    }

    /// No code panics while it holds this lock.
    fn lock(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A TUN device that is interface `name` in `namespace`.
fn device((namespace, name): (&Namespace, &str)) -> anyhow::Result<SyncDevice> {
    // Made here under a name that no other lab takes, and then moved: the file stays with us. At most 15 characters.
    let number = NEXT.fetch_add(1, Ordering::Relaxed) % 10_000;
    let passing = format!("duo{}x{number}", std::process::id());
    let device = DeviceBuilder::new()
        .name(&passing)
        .build_sync()
        .with_context(|| format!("cannot make a TUN device for {name}"))?;
    device.set_nonblocking(true)?;
    system::ip(&format!(
        "link set dev {passing} netns {} name {name}",
        namespace.name()
    ))?;
    namespace.ip(&format!("link set dev {name} mtu 1500 txqueuelen 1000 up"))?;
    Ok(device)
}
