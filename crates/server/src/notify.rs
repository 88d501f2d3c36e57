//! Tells the callee's app server that somebody is calling.

use std::sync::Arc;
use std::time::Instant;

use duologue_signaling::CcParamInfo;
use duologue_signaling::server::{CallSetup, NotifyResult};

use crate::callback;
use crate::clock::unix_ms;
use crate::hub::Hub;

/// Mints the `cc_param` and sends the notify callback, once.
pub(crate) async fn run(hub: Arc<Hub>, setup: CallSetup) -> NotifyResult {
    let began = Instant::now();
    let delivered = send(&hub, &setup).await;
    hub.metrics.notify_seconds.observe(began.elapsed());
    match delivered {
        Ok(()) => NotifyResult::Delivered,
        Err(why) => {
            hub.metrics.notify_failures.increment();
            tracing::warn!(sid = %setup.sid, service = %setup.callee.service_id, why, "notify callback failed");
            NotifyResult::Failed
        }
    }
}

async fn send(hub: &Hub, setup: &CallSetup) -> Result<(), String> {
    let service_id = setup.callee.service_id.as_str();
    let service = hub.store.service(service_id).await.map_err(|error| error.to_string())?;
    let base = service
        .and_then(|service| service.notify_callback)
        .ok_or("the service has no notify callback")?;
    let keys = hub.store.keys(service_id).await.map_err(|error| error.to_string())?;
    // Good for as long as it rings, rounded up to the whole seconds that a cc_param knows.
    let expires = (unix_ms() + hub.config.policy(service_id).ring_ms).div_ceil(1_000);
    let param = hub.keys.seal_cc_param(&CcParamInfo {
        sid: setup.sid,
        caller_id: setup.caller.user_id.clone(),
        caller_service_id: setup.caller.service_id.clone(),
        callee_id: setup.callee.user_id.clone(),
        callee_service_id: setup.callee.service_id.clone(),
        media_type: setup.media_type,
        expires,
    });
    hub.callbacks
        .send(&callback::notify(&base, setup, &param), &keys)
        .await
        .map_err(|error| error.to_string())
}
