//! What the handles of a call can see of it without asking the media thread.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::event::EventQueue;
use crate::{CallEvent, CallEventKind, CallState, HoldStatus, SetupPhases, Statistics, VerificationCode};

/// A view of a call, refreshed by the media thread and read by the handles. The lock is held for copies only.
#[derive(Debug)]
pub(crate) struct Shared {
    view: Mutex<View>,
    subscribers: Mutex<Subscribers>,
}

/// What there is to see.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) state: CallState,
    pub(crate) sid: Option<String>,
    pub(crate) phases: SetupPhases,
    pub(crate) ended_at: Option<Instant>,
    pub(crate) statistics: Statistics,
    pub(crate) verification_code: Option<VerificationCode>,
    pub(crate) muted: bool,
    pub(crate) hold: HoldStatus,
    pub(crate) accepted: bool,
}

#[derive(Debug)]
struct Subscribers {
    queues: Vec<Arc<EventQueue>>,
    /// The queue that has everything since the start, until somebody takes it.
    first: Option<Arc<EventQueue>>,
    ended: bool,
}

impl Shared {
    pub(crate) fn new(started: Instant) -> Self {
        let first = Arc::new(EventQueue::default());
        Self {
            view: Mutex::new(View {
                state: CallState::default(),
                sid: None,
                phases: SetupPhases::new(started),
                ended_at: None,
                statistics: Statistics::default(),
                verification_code: None,
                muted: false,
                hold: HoldStatus::default(),
                accepted: false,
            }),
            subscribers: Mutex::new(Subscribers {
                queues: vec![first.clone()],
                first: Some(first),
                ended: false,
            }),
        }
    }

    /// Reads or changes the view.
    pub(crate) fn with<R>(&self, change: impl FnOnce(&mut View) -> R) -> R {
        change(&mut self.view.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A queue of events: the first one taken has everything since the start, a later one what comes from now on.
    pub(crate) fn subscribe(&self) -> Arc<EventQueue> {
        let mut subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(first) = subscribers.first.take() {
            return first;
        }
        let queue = Arc::new(EventQueue::default());
        if subscribers.ended {
            queue.close();
        } else {
            subscribers.queues.push(queue.clone());
        }
        queue
    }

    /// Hands an event to every stream.
    pub(crate) fn publish(&self, event: &CallEvent) {
        let mut subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        subscribers.queues.retain(|queue| queue.push(event.clone()));
        subscribers.ended |= matches!(event.kind, CallEventKind::Disconnected(_));
    }

    /// Nothing more will be published, whatever the streams have seen.
    pub(crate) fn close(&self) {
        let mut subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        subscribers.ended = true;
        for queue in subscribers.queues.drain(..) {
            queue.close();
        }
    }
}
