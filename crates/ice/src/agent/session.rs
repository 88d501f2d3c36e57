//! The credentials of one generation.

use crate::Credentials;
use crate::stun::Key;

/// Local credentials, and the peer's once known, with their keys ready for use.
#[derive(Clone, Debug)]
pub(super) struct Session {
    local: Credentials,
    local_key: Key,
    remote: Option<Remote>,
}

#[derive(Clone, Debug)]
struct Remote {
    credentials: Credentials,
    key: Key,
    /// USERNAME of our requests: the receiver's fragment, then ours (RFC 8445 §7.2.2).
    username: String,
}

impl Session {
    pub(super) fn new(local: Credentials) -> Self {
        Self {
            local_key: Key::new(&local.pwd),
            local,
            remote: None,
        }
    }

    pub(super) fn local(&self) -> &Credentials {
        &self.local
    }

    /// The key of requests to us and of our answers.
    pub(super) fn local_key(&self) -> &Key {
        &self.local_key
    }

    pub(super) fn remote(&self) -> Option<&Credentials> {
        self.remote.as_ref().map(|remote| &remote.credentials)
    }

    /// USERNAME and key of our requests; the key is also that of the answers to them.
    pub(super) fn outgoing(&self) -> Option<(&str, &Key)> {
        self.remote
            .as_ref()
            .map(|remote| (remote.username.as_str(), &remote.key))
    }

    pub(super) fn set_remote(&mut self, credentials: Credentials) {
        self.remote = Some(Remote {
            key: Key::new(&credentials.pwd),
            username: format!("{}:{}", credentials.ufrag, self.local.ufrag),
            credentials,
        });
    }

    /// Whether a request with this USERNAME is for us: the first half is our fragment, and the second is the peer's
    /// if that is known already.
    pub(super) fn is_addressed_by(&self, username: &str) -> bool {
        username.split_once(':').is_some_and(|(ours, theirs)| {
            ours == self.local.ufrag && self.remote().is_none_or(|remote| remote.ufrag == theirs)
        })
    }
}
