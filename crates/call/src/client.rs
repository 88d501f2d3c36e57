//! Makes and verifies calls.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use duologue_signaling::ids::User;
use tokio::task::JoinHandle;

use crate::checks;
use crate::error::StartFail;
use crate::shell::{Session, Start};
use crate::{Call, Config, MakeCallError, MakeCallParams, StartFailReason, VerifyCallError, VerifyCallParams};

/// How long [`Client::close`] waits at most; the calls themselves give up telling the server after the same time.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(60);

/// The way into calls. Cheap to clone; clones share what they know of unfinished calls.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: Config,
    unfinished: Arc<Mutex<HashSet<User>>>,
    /// Tasks that may still have something to tell the server.
    telling: Mutex<Vec<JoinHandle<()>>>,
}

impl Client {
    /// A client with these settings. It does nothing, and connects to nobody, before it is asked for a call.
    pub fn new(config: Config) -> Self {
        let inner = Inner {
            config,
            unfinished: Arc::default(),
            telling: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Makes a call. Resolves when the local checks pass and the audio is ready; it never waits for the server. What the
    /// server or the network says comes as events, `evt_wait_connected` or `evt_disconnected` first.
    ///
    /// Must be called within a tokio runtime, on which the events are then delivered.
    ///
    /// # Errors
    ///
    /// Local faults only: `INVALID_USER_ID`, `INVALID_SERVICE_ID`, `INVALID_PARAM` (no access token, a start message that is
    /// too long, a hold tone that is no WAV file), `ID_CONFLICT` (the callee is the caller), `TOO_LONG_APP_SERVER_DATA`, `ALREADY_EXIST` (this client has an
    /// unfinished call with the same user and service id), the two audio device faults, `INTERNAL`.
    pub async fn make_call(&self, params: MakeCallParams) -> Result<Call, MakeCallError> {
        let started = Instant::now();
        let (identity, role, audio, delegate) = checks::make_call(params)?;
        let claim = self.claim(identity)?;
        let start = Start {
            config: self.inner.config.clone(),
            role,
            audio,
            delegate,
            claim,
            started,
        };
        Ok(self.start(start).await?)
    }

    /// Answers the push: proves `cc_param` to the server and gets the call ready, silently. Resolves when the local checks
    /// pass and the audio is ready; `evt_verified` or `evt_disconnected` follows.
    ///
    /// Must be called within a tokio runtime, on which the events are then delivered.
    ///
    /// # Errors
    ///
    /// Local faults only: `DECODE_CALL_PARAM` (`cc_param` is not one), `ID_CONFLICT` (the call is one's own), and those of
    /// [`make_call`](Self::make_call).
    pub async fn verify_call(&self, params: VerifyCallParams) -> Result<Call, VerifyCallError> {
        let started = Instant::now();
        let (identity, role, audio, delegate) = checks::verify_call(params)?;
        let claim = self.claim(identity)?;
        let start = Start {
            config: self.inner.config.clone(),
            role,
            audio,
            delegate,
            claim,
            started,
        };
        Ok(self.start(start).await?)
    }

    /// Waits until the server knows the end of every call that is over, at most 60 s. Calls that are not over are waited for
    /// as well, so end them first. To be called before the runtime is shut down: a server that was away when a call ended
    /// is told here.
    pub async fn close(&self) {
        let telling = std::mem::take(&mut *self.inner.telling.lock().unwrap_or_else(PoisonError::into_inner));
        let all = async {
            for task in telling {
                // A task that panicked has nothing left to tell.
                let _ = task.await;
            }
        };
        if tokio::time::timeout(CLOSE_TIMEOUT, all).await.is_err() {
            tracing::warn!("the server could not be told the end of every call");
        }
    }

    async fn start(&self, start: Start) -> Result<Call, StartFail> {
        let session = Session::start(start).await?;
        let mut telling = self.inner.telling.lock().unwrap_or_else(PoisonError::into_inner);
        telling.retain(|task| !task.is_finished());
        telling.push(session.told);
        Ok(session.call)
    }

    fn claim(&self, identity: User) -> Result<Claim, StartFail> {
        let mut unfinished = self.inner.unfinished.lock().unwrap_or_else(PoisonError::into_inner);
        if !unfinished.insert(identity.clone()) {
            return Err(StartFail::new(
                StartFailReason::AlreadyExist,
                "an unfinished call with the same identifier exists",
            ));
        }
        Ok(Claim {
            unfinished: self.inner.unfinished.clone(),
            identity,
        })
    }
}

/// Keeps an identifier taken until it is dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    unfinished: Arc<Mutex<HashSet<User>>>,
    identity: User,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.unfinished
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.identity);
    }
}
