//! The events of a call as a stream, and the queue behind it.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use futures_util::Stream;

use crate::{
    CallConnectedParam, CallVerifiedParam, DisconnectedParam, NetworkReavailableParam, NetworkUnavailableParam,
    PeerHoldParam, Statistics, VerificationCode,
};

/// Most events that wait for a slow reader. Statistics and what may come again and again (microphone, hold, network) then make room,
/// the oldest first; the others come at most once in a call and are never lost.
const CAPACITY: usize = 256;

/// One event of a call.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CallEvent {
    /// When it happened, as far as this side can tell.
    pub at: Instant,
    /// What happened.
    pub kind: CallEventKind,
}

/// What happened to a call.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum CallEventKind {
    /// See [`CallDelegate::evt_wait_connected`](crate::CallDelegate::evt_wait_connected).
    WaitConnected,
    /// See [`CallDelegate::evt_verified`](crate::CallDelegate::evt_verified).
    Verified(CallVerifiedParam),
    /// See [`CallDelegate::evt_connected`](crate::CallDelegate::evt_connected).
    Connected(CallConnectedParam),
    /// See [`CallDelegate::evt_disconnected`](crate::CallDelegate::evt_disconnected). The last event.
    Disconnected(DisconnectedParam),
    /// See [`CallDelegate::evt_peer_mic_muted`](crate::CallDelegate::evt_peer_mic_muted).
    PeerMicMuted,
    /// See [`CallDelegate::evt_peer_mic_unmuted`](crate::CallDelegate::evt_peer_mic_unmuted).
    PeerMicUnmuted,
    /// See [`CallDelegate::evt_peer_hold`](crate::CallDelegate::evt_peer_hold).
    PeerHold(PeerHoldParam),
    /// See [`CallDelegate::evt_peer_unhold`](crate::CallDelegate::evt_peer_unhold).
    PeerUnhold,
    /// See [`CallDelegate::evt_network_unavailable`](crate::CallDelegate::evt_network_unavailable).
    NetworkUnavailable(NetworkUnavailableParam),
    /// See [`CallDelegate::evt_network_reavailable`](crate::CallDelegate::evt_network_reavailable).
    NetworkReavailable(NetworkReavailableParam),
    /// See [`CallDelegate::evt_verification_code`](crate::CallDelegate::evt_verification_code).
    VerificationCode(VerificationCode),
    /// The peer's first packet of audio arrived at [`CallEvent::at`].
    FirstAudio,
    /// The first sample that is sent was captured at [`CallEvent::at`] (a source's: was read then).
    FirstSampleIn,
    /// Sample 0 of the output was handed over at [`CallEvent::at`].
    FirstSampleOut,
    /// See [`CallDelegate::evt_statistics`](crate::CallDelegate::evt_statistics).
    Statistics(Box<Statistics>),
}

impl CallEventKind {
    /// The documented name in snake case, e.g. `evt_connected`; `first_audio`, `first_sample_in`, `first_sample_out`
    /// and `stats` for the others.
    pub fn name(&self) -> &'static str {
        match self {
            Self::WaitConnected => "evt_wait_connected",
            Self::Verified(_) => "evt_verified",
            Self::Connected(_) => "evt_connected",
            Self::Disconnected(_) => "evt_disconnected",
            Self::PeerMicMuted => "evt_peer_mic_muted",
            Self::PeerMicUnmuted => "evt_peer_mic_unmuted",
            Self::PeerHold(_) => "evt_peer_hold",
            Self::PeerUnhold => "evt_peer_unhold",
            Self::NetworkUnavailable(_) => "evt_network_unavailable",
            Self::NetworkReavailable(_) => "evt_network_reavailable",
            Self::VerificationCode(_) => "evt_verification_code",
            Self::FirstAudio => "first_audio",
            Self::FirstSampleIn => "first_sample_in",
            Self::FirstSampleOut => "first_sample_out",
            Self::Statistics(_) => "stats",
        }
    }

    fn is_expendable(&self) -> bool {
        matches!(
            self,
            Self::Statistics(_)
                | Self::PeerMicMuted
                | Self::PeerMicUnmuted
                | Self::PeerHold(_)
                | Self::PeerUnhold
                | Self::NetworkUnavailable(_)
                | Self::NetworkReavailable(_)
        )
    }
}

/// A call's events in order; ends after [`CallEventKind::Disconnected`]. From [`Call::events`](crate::Call::events).
///
/// At most 256 events wait for a slow reader (about four minutes of statistics): then those, and microphone, hold and network
/// events, are dropped, the oldest first.
pub struct Events {
    queue: Arc<EventQueue>,
}

impl Events {
    pub(crate) fn new(queue: Arc<EventQueue>) -> Self {
        Self { queue }
    }

    /// The next event; `None` after the last.
    pub async fn next(&mut self) -> Option<CallEvent> {
        poll_fn(|context| self.queue.poll(context)).await
    }
}

impl Stream for Events {
    type Item = CallEvent;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<CallEvent>> {
        self.queue.poll(context)
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

/// A bounded queue with one reader. Writers never wait.
#[derive(Debug, Default)]
pub(crate) struct EventQueue {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    events: VecDeque<CallEvent>,
    closed: bool,
    reader: Option<Waker>,
}

impl EventQueue {
    /// Adds an event; false when nobody will read it.
    pub(crate) fn push(&self, event: CallEvent) -> bool {
        let mut inner = self.lock();
        if inner.closed {
            return false;
        }
        if inner.events.len() >= CAPACITY
            && let Some(index) = inner.events.iter().position(|event| event.kind.is_expendable())
        {
            inner.events.remove(index);
        }
        let last = matches!(event.kind, CallEventKind::Disconnected(_));
        inner.events.push_back(event);
        inner.closed = last;
        if let Some(reader) = inner.reader.take() {
            drop(inner);
            reader.wake();
        }
        true
    }

    /// No more events will be added, or read.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        if let Some(reader) = inner.reader.take() {
            drop(inner);
            reader.wake();
        }
    }

    pub(crate) async fn next(&self) -> Option<CallEvent> {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&self, context: &Context<'_>) -> Poll<Option<CallEvent>> {
        let mut inner = self.lock();
        match inner.events.pop_front() {
            Some(event) => Poll::Ready(Some(event)),
            None if inner.closed => Poll::Ready(None),
            None => {
                inner.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while holding it; were it poisoned all the same, the queue is still whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
