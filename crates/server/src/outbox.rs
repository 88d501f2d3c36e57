//! Sends call event callbacks until they are answered: at least once each, with growing pauses, eight times by default.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use crate::callback;
use crate::clock::unix_ms;
use crate::hub::Hub;
use crate::store::{Due, StoreError};

/// Callbacks under way at a time.
const PARALLEL: u32 = 16;
/// Longest pause between two attempts.
const LONGEST_PAUSE: u64 = 10 * 60 * 1_000;
/// The outbox is looked at this often even if nobody says that something is in it.
const LOOK: Duration = Duration::from_secs(60);
/// After the database refused.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs for as long as the server does.
pub(crate) async fn run(hub: Arc<Hub>) {
    loop {
        if let Err(error) = work(&hub).await {
            tracing::error!(%error, "the outbox cannot be read");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Sends what is due, then waits for more.
async fn work(hub: &Hub) -> Result<(), StoreError> {
    let due = hub.store.due(unix_ms(), PARALLEL).await?;
    if !due.is_empty() {
        for result in join_all(due.into_iter().map(|due| attempt(hub, due))).await {
            result?;
        }
        return Ok(());
    }
    let pause = match hub.store.next_due().await? {
        Some(at) => Duration::from_millis(at.saturating_sub(unix_ms()).max(1)).min(LOOK),
        None => LOOK,
    };
    // A permit is kept when the news came between the look and here.
    let _ = tokio::time::timeout(pause, hub.outbox.notified()).await;
    Ok(())
}

async fn attempt(hub: &Hub, due: Due) -> Result<(), StoreError> {
    let sid = &due.record.sid;
    let service = hub.store.service(&due.service_id).await?;
    let Some(base) = service.and_then(|service| service.call_event_callback) else {
        // The callback was taken away: there is nobody left to tell.
        return hub.store.delivered(sid).await;
    };
    let keys = hub.store.keys(&due.service_id).await?;
    let url = callback::call_event(&base, &due.record);
    match hub.callbacks.send(&url, &keys).await {
        Ok(()) => {
            hub.metrics.call_events_delivered.increment();
            hub.store.delivered(sid).await
        }
        Err(error) => {
            let attempts = due.attempts + 1;
            hub.metrics.call_event_failures.increment();
            let given_up = attempts >= hub.config.callbacks.attempts;
            tracing::warn!(sid, service = due.service_id, attempts, given_up, %error, "call event callback failed");
            let pause = hub
                .config
                .callbacks
                .retry_ms
                .saturating_mul(1 << due.attempts.min(20))
                .min(LONGEST_PAUSE);
            hub.store
                .postpone(sid, attempts, (!given_up).then(|| unix_ms() + pause))
                .await
        }
    }
}
