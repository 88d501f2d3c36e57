//! Who is subscribed, in memory and in one file.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::endpoint::EndpointPolicy;
use super::error::WebPushError;
use super::subscription::{PushSubscription, SubscriptionJson};
use super::vapid::VapidKey;
use crate::push::Address;

/// Most subscriptions of one user; the oldest makes room.
const DEVICES: usize = 8;
/// Most subscriptions of all users.
const SUBSCRIPTIONS: usize = 10_000;
const FILE: &str = "web-push.json";
/// Longest file that is read, in bytes: so many subscriptions with the longest endpoints, and room.
const LONGEST: u64 = 64 << 20;

/// The file with the VAPID key and the subscriptions cannot be used. Nothing in it has been changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PushStoreError {
    /// It cannot be read or written.
    #[error("{path}: {source}; the app server needs to read and write it")]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// It is not what the app server wrote.
    #[error("{path} is damaged: {problem}; restore it, or delete it, which ends every push subscription")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// There is no sender of push messages.
    #[error(transparent)]
    Sender(#[from] WebPushError),
}

#[derive(Serialize, Deserialize)]
struct Kept {
    vapid_private_key: String,
    subscriptions: Vec<KeptSubscription>,
}

#[derive(Serialize, Deserialize)]
struct KeptSubscription {
    service_id: String,
    user_id: String,
    subscription: SubscriptionJson,
}

#[derive(Debug)]
pub(super) struct Store {
    file: Option<PathBuf>,
    key: String,
    state: Mutex<State>,
    /// The revision that stands in the file. Held while it is written.
    written: tokio::sync::Mutex<u64>,
}

#[derive(Debug, Default)]
struct State {
    users: HashMap<Address, Vec<Arc<PushSubscription>>>,
    /// Whose an endpoint is. A browser has one endpoint, whoever is signed in.
    owners: HashMap<String, Address>,
    revision: u64,
}

impl Store {
    /// Opens the store in the folder `data`, or one in memory only, with its key.
    pub(super) fn open(data: Option<&Path>, policy: EndpointPolicy) -> Result<(Self, VapidKey), PushStoreError> {
        let file = data.map(|data| data.join(FILE));
        let kept = file.as_deref().map(read).transpose()?.flatten();
        let (key, subscriptions) = match kept {
            Some(kept) => {
                let key = VapidKey::from_text(&kept.vapid_private_key).map_err(|error| PushStoreError::Damaged {
                    path: file.clone().unwrap_or_default(),
                    problem: error.to_string(),
                })?;
                (key, kept.subscriptions)
            }
            None => (VapidKey::generate()?, Vec::new()),
        };
        let mut state = State::default();
        for kept in subscriptions {
            // Expired ones fall away here, and loopback ones when development is over.
            if let Ok(subscription) = PushSubscription::from_json(&kept.subscription, policy) {
                state.add((kept.service_id, kept.user_id), subscription);
            }
        }
        let store = Self {
            key: key.to_text()?,
            state: Mutex::new(state),
            written: tokio::sync::Mutex::default(),
            file,
        };
        // The key is in the file before a browser subscribes with it.
        if let Some(path) = &store.file {
            write(path, &store.snapshot().1).map_err(|source| failed(path, source))?;
        }
        Ok((store, key))
    }

    /// False: there are too many subscriptions.
    pub(super) fn add(&self, user: Address, subscription: PushSubscription) -> bool {
        self.lock().add(user, subscription)
    }

    /// Forgets an endpoint; only the user's, if one is given.
    pub(super) fn remove(&self, endpoint: &str, user: Option<&Address>) {
        self.lock().remove(endpoint, user);
    }

    pub(super) fn of(&self, user: &Address) -> Vec<Arc<PushSubscription>> {
        let mut state = self.lock();
        let all = state.users.get(user).cloned().unwrap_or_default();
        let (over, good): (Vec<_>, Vec<_>) = all.into_iter().partition(|subscription| subscription.is_expired());
        for subscription in over {
            state.remove(&subscription.endpoint, None);
        }
        good
    }

    /// Brings the file up to date. Those who come while it is being written share the next writing.
    pub(super) async fn save(&self) {
        let Some(path) = self.file.clone() else { return };
        let wanted = self.lock().revision;
        let mut written = self.written.lock().await;
        if *written >= wanted {
            return;
        }
        let (revision, text) = self.snapshot();
        let target = path.clone();
        match tokio::task::spawn_blocking(move || write(&target, &text)).await {
            Ok(Ok(())) => *written = revision,
            Ok(Err(error)) => {
                tracing::warn!(path = %path.display(), %error, "push subscriptions are not kept over a restart");
            }
            Err(error) => tracing::warn!(%error, "push subscriptions have not been written"),
        }
    }

    fn snapshot(&self) -> (u64, Vec<u8>) {
        let state = self.lock();
        let subscriptions = state.users.iter().flat_map(|((service_id, user_id), subscriptions)| {
            subscriptions.iter().map(|subscription| KeptSubscription {
                service_id: service_id.clone(),
                user_id: user_id.clone(),
                subscription: subscription.to_json(),
            })
        });
        let kept = Kept {
            vapid_private_key: self.key.clone(),
            subscriptions: subscriptions.collect(),
        };
        // Strings and finite numbers always serialise.
        (state.revision, serde_json::to_vec_pretty(&kept).unwrap_or_default())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is complete before anything that could panic, so a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, user: Address, subscription: PushSubscription) -> bool {
        self.remove(&subscription.endpoint, None);
        let full = self.users.get(&user).is_some_and(|own| own.len() >= DEVICES);
        if full {
            let oldest = self.users.get(&user).and_then(|own| own.first()).cloned();
            if let Some(oldest) = oldest {
                self.remove(&oldest.endpoint, None);
            }
        } else if self.owners.len() >= SUBSCRIPTIONS {
            return false;
        }
        self.owners.insert(subscription.endpoint.clone(), user.clone());
        self.users.entry(user).or_default().push(Arc::new(subscription));
        self.revision += 1;
        true
    }

    fn remove(&mut self, endpoint: &str, user: Option<&Address>) {
        let Some(owner) = self.owners.get(endpoint) else { return };
        if user.is_some_and(|user| user != owner) {
            return;
        }
        let Some(owner) = self.owners.remove(endpoint) else {
            return;
        };
        if let Some(own) = self.users.get_mut(&owner) {
            own.retain(|subscription| subscription.endpoint != endpoint);
            if own.is_empty() {
                self.users.remove(&owner);
            }
        }
        self.revision += 1;
    }
}

fn failed(path: &Path, source: io::Error) -> PushStoreError {
    PushStoreError::File {
        path: path.to_owned(),
        source,
    }
}

fn read(path: &Path) -> Result<Option<Kept>, PushStoreError> {
    let damaged = |problem: String| PushStoreError::Damaged {
        path: path.to_owned(),
        problem,
    };
    match std::fs::metadata(path) {
        Ok(about) if about.len() > LONGEST => return Err(damaged(format!("it has {} bytes", about.len()))),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path, error)),
    }
    let text = std::fs::read(path).map_err(|source| failed(path, source))?;
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| damaged(error.to_string()))
}

/// Writes the whole file beside the old one and puts it in its place, so that a crash leaves one of the two.
fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("json.new");
    let mut file = private(&beside)?;
    file.write_all(text)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

/// The file holds a private key and lets whoever reads it ring every browser: it is for the server alone.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
#[path = "store/tests.rs"]
mod tests;
