//! Web Push: calls ring in browsers that have no page open.

mod encrypt;
mod endpoint;
mod error;
mod sender;
mod store;
mod subscription;
mod vapid;

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{Address, PushMessage};
use sender::Outgoing;
use store::Store;

pub use endpoint::{EndpointError, EndpointPolicy};
pub use error::WebPushError;
pub use sender::WebPushSender;
pub use store::PushStoreError;
pub(crate) use subscription::SubscriptionJson;
pub use subscription::{PushSubscription, SubscriptionError};
pub use vapid::{VapidKey, VapidKeyError};

/// How long one message may take to reach all browsers of a user, second attempts and all; well within the 5 s that a
/// call server waits for the answer to its notify callback.
const PATIENCE: Duration = Duration::from_millis(3_500);
/// Most calls whose end is still to be pushed; the oldest makes room.
const CALLS: usize = 4_096;

/// The Web Push half of the push channel.
#[derive(Debug)]
pub(crate) struct WebPush {
    sender: Arc<WebPushSender>,
    store: Arc<Store>,
    policy: EndpointPolicy,
    calls: Mutex<Calls>,
}

#[derive(Debug, Default)]
struct Calls {
    rung: HashMap<String, Rung>,
    /// Oldest first; also calls that are over.
    order: VecDeque<String>,
}

/// A call that browsers have been told of.
#[derive(Debug)]
struct Rung {
    stop: watch::Sender<bool>,
    /// Ends with those that may have got it.
    ringing: JoinHandle<Vec<Arc<PushSubscription>>>,
}

impl WebPush {
    pub(crate) fn open(data: Option<&Path>, contact: Option<String>, dev: bool) -> Result<Self, PushStoreError> {
        let policy = if dev {
            EndpointPolicy::PublicAndLoopback
        } else {
            EndpointPolicy::Public
        };
        let (store, key) = Store::open(data, policy)?;
        Ok(Self {
            sender: Arc::new(WebPushSender::new(key, contact, policy)?),
            store: Arc::new(store),
            policy,
            calls: Mutex::default(),
        })
    }

    pub(crate) fn public_key(&self) -> String {
        self.sender.key().public_key()
    }

    /// False: there are too many subscriptions.
    pub(crate) async fn subscribe(&self, user: Address, json: &SubscriptionJson) -> Result<bool, SubscriptionError> {
        let subscription = PushSubscription::from_json(json, self.policy)?;
        let taken = self.store.add(user, subscription);
        self.store.save().await;
        Ok(taken)
    }

    pub(crate) async fn unsubscribe(&self, endpoint: &str, user: Option<&Address>) {
        self.store.remove(endpoint, user);
        self.store.save().await;
    }

    /// Rings every browser of the callee, in the background. The receiver hears when a first push service has taken it,
    /// and is closed when none has. `None`: the callee has no subscription.
    pub(crate) fn ring(&self, sid: &str, callee: &Address, message: PushMessage) -> Option<oneshot::Receiver<()>> {
        let subscriptions = self.store.of(callee);
        if subscriptions.is_empty() {
            return None;
        }
        let (stop, stopped) = watch::channel(false);
        let (reached, first) = oneshot::channel();
        let (sender, store) = (self.sender.clone(), self.store.clone());
        let ringing = tokio::spawn(async move {
            let ring = Outgoing {
                message: &message,
                missed: None,
            };
            let may_ring = send_all(&sender, &store, subscriptions, ring, stopped, Some(reached)).await;
            store.save().await;
            may_ring
        });
        self.lock().insert(sid, Rung { stop, ringing });
        Some(first)
    }

    /// Tells those browsers that the call is over, in the background and only after the ring has ended one way or the
    /// other: under one topic the push service keeps what comes last. `missed`: nobody took the call.
    pub(crate) fn cancel(&self, sid: &str, missed: bool) {
        let Some(rung) = self.lock().rung.remove(sid) else {
            return;
        };
        rung.stop.send_replace(true);
        let message = PushMessage::Cancel { sid: sid.to_owned() };
        let (sender, store) = (self.sender.clone(), self.store.clone());
        tokio::spawn(async move {
            let Ok(may_ring) = rung.ringing.await else { return };
            let (_keep, never) = watch::channel(false);
            let end = Outgoing {
                message: &message,
                missed: Some(missed),
            };
            send_all(&sender, &store, may_ring, end, never, None).await;
            store.save().await;
        });
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        // Every change is complete before anything that could panic, so a poisoned state is still whole.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Calls {
    fn insert(&mut self, sid: &str, rung: Rung) {
        if self.order.len() >= CALLS
            && let Some(oldest) = self.order.pop_front()
        {
            self.rung.remove(&oldest);
        }
        self.order.push_back(sid.to_owned());
        self.rung.insert(sid.to_owned(), rung);
    }
}

/// Sends to all at once; returns those that may have got it.
async fn send_all(
    sender: &WebPushSender,
    store: &Store,
    subscriptions: Vec<Arc<PushSubscription>>,
    outgoing: Outgoing<'_>,
    stop: watch::Receiver<bool>,
    mut reached: Option<oneshot::Sender<()>>,
) -> Vec<Arc<PushSubscription>> {
    let deadline = Instant::now() + PATIENCE;
    let mut sending: FuturesUnordered<_> = subscriptions
        .into_iter()
        .map(|subscription| {
            let stop = stop.clone();
            async move {
                let result = sender.send_until(&subscription, outgoing, deadline, stop).await;
                (subscription, result)
            }
        })
        .collect();
    let mut may_have_it = Vec::new();
    while let Some((subscription, result)) = sending.next().await {
        match result {
            Ok(()) => {
                if let Some(reached) = reached.take() {
                    // Nobody waits any more when a WebSocket device was faster.
                    let _ = reached.send(());
                }
                may_have_it.push(subscription);
            }
            Err(WebPushError::Gone) => store.remove(&subscription.endpoint, None),
            Err(error) => {
                tracing::debug!(%error, "a push message was not taken");
                if matches!(error, WebPushError::Timeout | WebPushError::Transfer) {
                    may_have_it.push(subscription);
                }
            }
        }
    }
    may_have_it
}
