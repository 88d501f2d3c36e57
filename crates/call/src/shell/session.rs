//! Puts a call's thread and tasks together.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use duologue_signaling::StartFailReason;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::media_thread::{MediaThread, Plan};
use super::{Shared, dispatcher, websocket};
use crate::client::Claim;
use crate::engine;
use crate::error::StartFail;
use crate::event::EventQueue;
use crate::{AudioParams, Call, CallDelegate, Config};

/// Most messages that wait for the signalling connection: more than the protocol leaves unacknowledged, plus heartbeats.
const OUTGOING: usize = 512;

/// What a call is started with.
pub(crate) struct Start {
    pub(crate) config: Config,
    pub(crate) role: engine::Role,
    pub(crate) audio: AudioParams,
    pub(crate) delegate: Option<Box<dyn CallDelegate>>,
    pub(crate) claim: Claim,
    pub(crate) started: Instant,
}

/// A call that runs.
pub(crate) struct Session {
    pub(crate) call: Call,
    /// Resolves when the server knows how the call ended, or when telling it was given up.
    pub(crate) told: JoinHandle<()>,
}

impl Session {
    /// Starts a call; resolves when its audio is ready. Must be called within a tokio runtime.
    pub(crate) async fn start(start: Start) -> Result<Self, StartFail> {
        let shared = Arc::new(Shared::new(start.started));
        let queue = Arc::new(EventQueue::default());
        let (outgoing, incoming) = mpsc::channel(OUTGOING);
        let (network, network_changes) = watch::channel(Vec::new());
        let (ready, is_ready) = oneshot::channel();
        let plan = Plan {
            config: start.config.clone(),
            role: start.role,
            audio: start.audio,
            claim: start.claim,
            started: start.started,
            shared: shared.clone(),
            queue: queue.clone(),
            outgoing,
            runtime: tokio::runtime::Handle::current(),
            network,
        };
        let internal = |message: String| StartFail::new(StartFailReason::Internal, message);
        thread::Builder::new()
            .name("duologue-media".into())
            .spawn(move || match MediaThread::new(plan) {
                Ok((thread, commands)) => {
                    // A caller that no longer waits has dropped the call before it began.
                    if ready.send(Ok(commands)).is_ok() {
                        thread.run();
                    }
                }
                Err(fail) => {
                    let _ = ready.send(Err(fail));
                }
            })
            .map_err(|error| internal(format!("the media thread cannot be started: {error}")))?;
        let commands = is_ready
            .await
            .map_err(|_| internal("the media thread ended early".into()))??;
        let call = Call::new(commands.clone(), shared);
        // Only now: nothing can happen to a call before `make_call` or `verify_call` is about to return it.
        let told = tokio::spawn(websocket::run(start.config, incoming, commands, network_changes));
        tokio::spawn(dispatcher::run(queue, call.clone(), start.delegate));
        Ok(Self { call, told })
    }
}
