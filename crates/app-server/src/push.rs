//! The push channel of the reference app server: who is connected, and what is on its way to them.

pub(crate) mod web;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, mpsc};

/// Most users with a connected device.
const USERS: usize = 10_000;
/// Most devices of one user; the oldest makes room.
const DEVICES: usize = 8;
/// Most messages that wait for one device; a device that falls behind further is dropped and comes back by itself.
const QUEUE: usize = 32;
/// Most calls that are ringing (the oldest makes room), and for how long each is pushed to devices that connect late.
const RINGING: usize = 4_096;
const RING_TIME: Duration = Duration::from_secs(60);

/// What a device is told. Serialised, this is one text message on the push channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum PushMessage {
    /// Somebody is calling.
    Call {
        /// The call.
        sid: String,
        /// The callee: whoever gets this message.
        app_callee_uid: String,
        /// The callee's service.
        app_callee_sid: String,
        /// `audio` or `video`.
        app_call_type: String,
        /// What the callee hands to `verify_call`.
        cc_param: String,
        /// The caller.
        app_caller_uid: String,
        /// The caller's service.
        app_caller_sid: String,
        /// The caller's data for the app server, which may pass it on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        app_svr_data: Option<String>,
    },
    /// The call is over: stop ringing.
    Cancel {
        /// The call.
        sid: String,
    },
}

/// A user as the push channel knows them: service and user.
pub(crate) type Address = (String, String);

/// Everybody who is connected.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    state: Mutex<State>,
    /// Tells that some device has connected.
    arrived: Notify,
}

#[derive(Debug, Default)]
struct State {
    devices: HashMap<Address, Vec<Device>>,
    ringing: HashMap<String, Ringing>,
    next: u64,
}

#[derive(Debug)]
struct Device {
    id: u64,
    queue: mpsc::Sender<PushMessage>,
}

#[derive(Debug)]
struct Ringing {
    callee: Address,
    message: PushMessage,
    since: Instant,
}

/// A connected device, until it is dropped.
#[derive(Debug)]
pub(crate) struct Subscription<'a> {
    hub: &'a Hub,
    user: Address,
    id: u64,
    queue: mpsc::Receiver<PushMessage>,
}

impl Hub {
    /// Connects a device; it is told at once of the calls that are ringing. `None`: too many users are connected.
    pub(crate) fn subscribe(&self, user: Address) -> Option<Subscription<'_>> {
        let (sender, queue) = mpsc::channel(QUEUE);
        let mut state = self.lock();
        if state.devices.len() >= USERS && !state.devices.contains_key(&user) {
            return None;
        }
        state.expire();
        for ringing in state
            .ringing
            .values()
            .filter(|ringing| ringing.callee == user)
            .take(QUEUE)
        {
            // The queue is new and takes as many as it is long.
            let _ = sender.try_send(ringing.message.clone());
        }
        state.next += 1;
        let id = state.next;
        let devices = state.devices.entry(user.clone()).or_default();
        if devices.len() >= DEVICES {
            devices.remove(0);
        }
        devices.push(Device { id, queue: sender });
        drop(state);
        self.arrived.notify_waiters();
        Some(Subscription {
            hub: self,
            user,
            id,
            queue,
        })
    }

    /// Pushes a call to every device of the callee, waiting up to `patience` for a first one to connect. False: nobody
    /// is there. Devices that connect later are told as well, until the call is cancelled.
    pub(crate) async fn ring(&self, sid: &str, callee: Address, message: PushMessage, patience: Duration) -> bool {
        if self.lock().start(sid, &callee, message) {
            return true;
        }
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let arrived = self.arrived.notified();
            tokio::pin!(arrived);
            // From here on an arrival wakes this task, also one between the look and the wait.
            arrived.as_mut().enable();
            if self.lock().has_told(sid, &callee) {
                return true;
            }
            if tokio::time::timeout_at(deadline, arrived).await.is_err() {
                return false;
            }
        }
    }

    /// Tells every device of the callee that the call is over.
    pub(crate) fn cancel(&self, sid: &str, callee: &Address) {
        let mut state = self.lock();
        state.ringing.remove(sid);
        state.send(callee, &PushMessage::Cancel { sid: sid.to_owned() });
    }

    /// Devices that connect from now on are not told of the call: nobody took it.
    pub(crate) fn forget(&self, sid: &str) {
        self.lock().ringing.remove(sid);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is complete before anything that could panic, so a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// True when at least one device took the message; devices that did not are gone.
    fn send(&mut self, user: &Address, message: &PushMessage) -> bool {
        let Some(devices) = self.devices.get_mut(user) else {
            return false;
        };
        devices.retain(|device| device.queue.try_send(message.clone()).is_ok());
        let reached = !devices.is_empty();
        if !reached {
            self.devices.remove(user);
        }
        reached
    }

    /// Tells those who are there, and remembers the call for those who come. True: at least one device took it.
    fn start(&mut self, sid: &str, callee: &Address, message: PushMessage) -> bool {
        self.expire();
        if self.ringing.len() >= RINGING {
            let oldest = self.ringing.iter().min_by_key(|(_, ringing)| ringing.since);
            if let Some(oldest) = oldest.map(|(sid, _)| sid.clone()) {
                self.ringing.remove(&oldest);
            }
        }
        let reached = self.send(callee, &message);
        let ringing = Ringing {
            callee: callee.clone(),
            message,
            since: Instant::now(),
        };
        self.ringing.insert(sid.to_owned(), ringing);
        reached
    }

    /// A device that has come since the call started to ring was told of it when it connected.
    fn has_told(&self, sid: &str, callee: &Address) -> bool {
        self.ringing.contains_key(sid) && self.devices.contains_key(callee)
    }

    fn expire(&mut self) {
        self.ringing.retain(|_, ringing| ringing.since.elapsed() < RING_TIME);
    }
}

impl Subscription<'_> {
    /// The next message; `None` when this device has been replaced or has fallen behind.
    pub(crate) async fn next(&mut self) -> Option<PushMessage> {
        self.queue.recv().await
    }
}

impl Drop for Subscription<'_> {
    fn drop(&mut self) {
        let mut state = self.hub.lock();
        if let Some(devices) = state.devices.get_mut(&self.user) {
            devices.retain(|device| device.id != self.id);
            if devices.is_empty() {
                state.devices.remove(&self.user);
            }
        }
    }
}
