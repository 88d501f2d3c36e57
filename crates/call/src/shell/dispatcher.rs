//! The one task of a call on which its handlers run.

use std::sync::Arc;

use crate::event::EventQueue;
use crate::{Call, CallDelegate, CallEventKind};

/// Delivers events in order, to the handlers and then to the streams, until the queue ends.
pub(super) async fn run(queue: Arc<EventQueue>, call: Call, delegate: Option<Box<dyn CallDelegate>>) {
    let mut delegate = delegate.unwrap_or_else(|| Box::new(Nobody));
    // Also when a handler panics: nobody may wait for events that never come.
    let closer = Closer(call.clone());
    while let Some(event) = queue.next().await {
        match &event.kind {
            CallEventKind::WaitConnected => delegate.evt_wait_connected(&call),
            CallEventKind::Verified(param) => delegate.evt_verified(&call, param),
            CallEventKind::Connected(param) => delegate.evt_connected(&call, param),
            CallEventKind::Disconnected(param) => delegate.evt_disconnected(&call, param),
            CallEventKind::PeerMicMuted => delegate.evt_peer_mic_muted(&call),
            CallEventKind::PeerMicUnmuted => delegate.evt_peer_mic_unmuted(&call),
            CallEventKind::PeerHold(param) => delegate.evt_peer_hold(&call, param),
            CallEventKind::PeerUnhold => delegate.evt_peer_unhold(&call),
            CallEventKind::NetworkUnavailable(param) => delegate.evt_network_unavailable(&call, param),
            CallEventKind::NetworkReavailable(param) => delegate.evt_network_reavailable(&call, param),
            CallEventKind::VerificationCode(code) => delegate.evt_verification_code(&call, code),
            CallEventKind::Statistics(statistics) => delegate.evt_statistics(&call, statistics),
            CallEventKind::FirstAudio | CallEventKind::FirstSampleIn | CallEventKind::FirstSampleOut => {}
        }
        call.shared().publish(&event);
    }
    drop(closer);
}

struct Nobody;

impl CallDelegate for Nobody {}

struct Closer(Call);

impl Drop for Closer {
    fn drop(&mut self) {
        self.0.shared().close();
    }
}
