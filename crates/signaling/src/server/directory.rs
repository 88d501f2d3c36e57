//! Who is in a call: busy, glare and the rules for several devices of one user.

use std::collections::HashMap;

use super::Refusal;
use crate::ids::{CallId, User};
use crate::{DisconnectReason, DisconnectSource};

/// The users of all calls that are not over. It holds two entries for each call; the number of calls is the server's to
/// limit.
#[derive(Debug, Default)]
pub struct Directory {
    calls: HashMap<CallId, Entry>,
    users: HashMap<User, Vec<CallId>>,
}

#[derive(Debug)]
struct Entry {
    caller: User,
    callee: User,
    accepted: bool,
}

/// A call cannot be entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// The caller is to be told this, and the callee nothing.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is a call of this id.
    #[error("call {sid} exists")]
    Exists {
        /// The id.
        sid: CallId,
    },
}

impl Directory {
    /// Nobody is in a call.
    pub fn new() -> Self {
        Self::default()
    }

    /// Enters a new call.
    ///
    /// # Errors
    /// - ALREADY_GOT_A_CALL: the callee is just calling the caller, and that call survives;
    /// - MULTIDEV_IN_USE: the caller is in a call, or makes one, on another device;
    /// - BUSY: the callee is in a call, or makes one to somebody else.
    pub fn begin(&mut self, sid: CallId, caller: &User, callee: &User) -> Result<(), DirectoryError> {
        if self.calls.contains_key(&sid) {
            return Err(DirectoryError::Exists { sid });
        }
        let glare = self
            .calls_of(callee)
            .any(|call| call.caller == *callee && call.callee == *caller && !call.accepted);
        if glare {
            return Err(Refusal::new(DisconnectReason::AlreadyGotACall).into());
        }
        if self.is_engaged(caller, None) {
            return Err(Refusal::new(DisconnectReason::MultidevInUse).into());
        }
        if self.is_engaged(callee, None) {
            return Err(Refusal {
                reason: DisconnectReason::Busy,
                source: DisconnectSource::Callee,
            }
            .into());
        }
        for user in [caller, callee] {
            self.users.entry(user.clone()).or_default().push(sid);
        }
        self.calls.insert(
            sid,
            Entry {
                caller: caller.clone(),
                callee: callee.clone(),
                accepted: false,
            },
        );
        Ok(())
    }

    /// A device of the callee wants to accept. Ask before the accept is handed to the [`ServerCall`](super::ServerCall).
    /// True for a call that is not entered, or already accepted: those are not for the directory to judge.
    ///
    /// # Errors
    /// MULTIDEV_IN_USE: the callee is in another call on another device.
    pub fn accept(&mut self, sid: CallId) -> Result<(), Refusal> {
        let Some(callee) = self.calls.get(&sid).map(|call| call.callee.clone()) else {
            return Ok(());
        };
        if self.is_engaged(&callee, Some(sid)) {
            return Err(Refusal::new(DisconnectReason::MultidevInUse));
        }
        if let Some(call) = self.calls.get_mut(&sid) {
            call.accepted = true;
        }
        Ok(())
    }

    /// Takes a call up from the journal, without judging it.
    pub fn restore(&mut self, sid: CallId, caller: &User, callee: &User, accepted: bool) {
        self.end(sid);
        for user in [caller, callee] {
            self.users.entry(user.clone()).or_default().push(sid);
        }
        self.calls.insert(
            sid,
            Entry {
                caller: caller.clone(),
                callee: callee.clone(),
                accepted,
            },
        );
    }

    /// The call is over.
    pub fn end(&mut self, sid: CallId) {
        let Some(call) = self.calls.remove(&sid) else { return };
        for user in [call.caller, call.callee] {
            if let Some(calls) = self.users.get_mut(&user) {
                calls.retain(|other| *other != sid);
                if calls.is_empty() {
                    self.users.remove(&user);
                }
            }
        }
    }

    /// Calls that are not over.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// True when nobody is in a call.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    fn calls_of(&self, user: &User) -> impl Iterator<Item = &Entry> {
        self.users
            .get(user)
            .into_iter()
            .flatten()
            .filter_map(|sid| self.calls.get(sid))
    }

    /// In a call, or making one. Being called is not enough: the other calls may ring too.
    fn is_engaged(&self, user: &User, except: Option<CallId>) -> bool {
        let calls = self
            .users
            .get(user)
            .into_iter()
            .flatten()
            .filter(|sid| Some(**sid) != except);
        calls
            .filter_map(|sid| self.calls.get(sid))
            .any(|call| call.accepted || call.caller == *user)
    }
}

#[cfg(test)]
mod tests;
