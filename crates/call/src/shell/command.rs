//! The way to the media thread: a bounded queue and a waker.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use duologue_signaling::DisconnectReason;

use super::streams::StreamEvent;
use crate::engine;

/// Most commands that wait for the media thread, which takes all of them at each wake-up.
const CAPACITY: usize = 256;

/// What the media thread can be told.
#[derive(Debug)]
pub(crate) enum Command {
    /// The application wants something.
    Api(engine::Command),
    /// A signalling connection is up; what is sent on it carries `epoch`.
    SignalOpen {
        /// Counts the connections of a call.
        epoch: u64,
        /// The server's name, and its address now.
        server: (String, IpAddr),
    },
    /// A message of the server.
    Signal(String),
    /// No signalling connection is up. `failure` says why one could not be made; `None`: one that was up broke.
    SignalClosed {
        /// The documented reason, for a call that never reached the server.
        failure: Option<DisconnectReason>,
    },
    /// Something about a stream to a TURN server.
    Stream {
        /// Which stream.
        key: engine::StreamKey,
        /// Which connection under that name.
        serial: u64,
        /// What.
        event: StreamEvent,
    },
    /// The addresses of a name; none when there are none.
    Lookup {
        /// The name that was asked for.
        name: String,
        /// Its addresses.
        addresses: Vec<IpAddr>,
    },
}

/// Sends commands from any thread; never blocks.
#[derive(Debug, Clone)]
pub(crate) struct CommandSender {
    queue: SyncSender<Command>,
    waker: Arc<mio::Waker>,
}

/// Why a command was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The queue is full.
    Full,
    /// The media thread is gone.
    Gone,
}

/// A queue to the media thread that `waker` wakes.
pub(crate) fn channel(waker: Arc<mio::Waker>) -> (CommandSender, Receiver<Command>) {
    let (queue, receiver) = sync_channel(CAPACITY);
    (CommandSender { queue, waker }, receiver)
}

impl CommandSender {
    pub(crate) fn try_send(&self, command: Command) -> Result<(), (Refused, Command)> {
        self.queue.try_send(command).map_err(|error| match error {
            TrySendError::Full(command) => (Refused::Full, command),
            TrySendError::Disconnected(command) => (Refused::Gone, command),
        })?;
        if let Err(error) = self.waker.wake() {
            // It will see the command at its next deadline.
            tracing::warn!(%error, "the media thread could not be woken");
        }
        Ok(())
    }
}

impl CommandSender {
    /// Queues a command of the application.
    pub(crate) fn api(&self, command: engine::Command) -> Result<(), crate::CallError> {
        self.try_send(Command::Api(command))
            .map_err(|(refused, _)| match refused {
                Refused::Full => crate::CallError::TooManyCommands,
                Refused::Gone => crate::CallError::Ended,
            })
    }
}
