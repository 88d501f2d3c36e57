//! One call: a task that owns its state machine, the links of its devices and its timers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use duologue_signaling::ids::{CallId, PartyId};
use duologue_signaling::link::Link;
use duologue_signaling::message::Welcome;
use duologue_signaling::server::{CallRecord, NotifyResult, Output, Refusal, ServerCall, Snapshot};
use duologue_signaling::{ClientMessage, DisconnectReason, Envelope, ServerMessage, SessionDescription};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::connection::Outlet;
use crate::hub::Hub;
use crate::notify;
use crate::store::Journal;

/// How long a call that is over is kept for devices that come back and have to be told.
const AFTERLIFE: Duration = Duration::from_secs(60);

/// Most messages that are withheld until the accept; more are dropped. A client sends a handful.
const WITHHELD: usize = 64;

/// Something happened to a call.
#[derive(Debug)]
pub(crate) enum Input {
    /// A device of the callee presents a genuine `cc_param`; `entered` hears its number, unless it is refused.
    Verify {
        joining: Joining,
        entered: oneshot::Sender<PartyId>,
    },
    /// A message of a device.
    Message {
        party: PartyId,
        connection: u64,
        envelope: Envelope<ClientMessage>,
    },
    /// A device's connection is gone.
    Lost { party: PartyId, connection: u64 },
    /// A device is back with a new connection and wants to go on after the message number `ack`.
    Resume {
        party: PartyId,
        ack: u64,
        outlet: Outlet,
        welcome: Box<Welcome>,
    },
}

/// A session that becomes a device of a call.
#[derive(Debug)]
pub(crate) struct Joining {
    pub(crate) session: String,
    pub(crate) link: Link<ServerMessage>,
    pub(crate) outlet: Outlet,
    pub(crate) address: String,
}

/// A device's end of the signalling.
#[derive(Debug)]
struct Device {
    session: String,
    link: Link<ServerMessage>,
    outlet: Option<Outlet>,
    /// From the journal, and not back yet: whatever its other end remembers, this end does not.
    forgotten: bool,
}

/// The task.
#[derive(Debug)]
pub(crate) struct CallActor {
    hub: Arc<Hub>,
    sid: CallId,
    call: ServerCall,
    devices: BTreeMap<PartyId, Device>,
    inbox: mpsc::Receiver<Input>,
    notify: JoinSet<NotifyResult>,
    journaled: Option<Journal>,
    over_since: Option<Instant>,
    /// Without pre-connecting, what shows an address waits here for the accept, whatever a client sends when.
    withheld: Vec<(PartyId, ClientMessage)>,
}

impl CallActor {
    /// A new call has its caller, one from the journal the sessions of all its devices.
    pub(crate) fn new(
        hub: Arc<Hub>,
        call: ServerCall,
        caller: Option<Joining>,
        sessions: Vec<(PartyId, String)>,
        inbox: mpsc::Receiver<Input>,
    ) -> Self {
        let forgotten = sessions.into_iter().map(|(party, session)| {
            (
                party,
                Device {
                    session,
                    link: Link::new(),
                    outlet: None,
                    forgotten: true,
                },
            )
        });
        let caller = caller.map(|joining| (PartyId::CALLER, Device::from(joining)));
        Self {
            hub,
            sid: call.setup().sid,
            call,
            devices: forgotten.chain(caller).collect(),
            inbox,
            notify: JoinSet::new(),
            journaled: None,
            over_since: None,
            withheld: Vec::new(),
        }
    }

    /// With the caller's first description, when it must not be shown yet.
    pub(crate) fn withholding(mut self, description: Option<Box<SessionDescription>>) -> Self {
        let message = description.map(|description| ClientMessage::Description {
            party: None,
            description,
        });
        self.withheld.extend(message.map(|message| (PartyId::CALLER, message)));
        self
    }

    pub(crate) async fn run(mut self) {
        loop {
            self.flush().await;
            if self.is_over() {
                break;
            }
            let deadline = match (self.call.poll_timeout(), self.over_since) {
                (Some(at), _) => at,
                (None, Some(since)) => since + AFTERLIFE,
                // Nothing is armed in a call without a limit on its length.
                (None, None) => Instant::now() + AFTERLIFE,
            };
            tokio::select! {
                input = self.inbox.recv() => match input {
                    Some(input) => self.handle(input),
                    // The hub has a handle for as long as the call is known.
                    None => break,
                },
                Some(result) = self.notify.join_next() => {
                    // A task that panicked has not notified anybody.
                    self.call.handle_notify_result(result.unwrap_or(NotifyResult::Failed), Instant::now());
                }
                () = tokio::time::sleep_until(deadline.into()) => self.call.handle_timeout(Instant::now()),
            }
        }
        self.hub.forget(self.sid);
    }

    /// Over, and everybody knows, or has had the time to ask.
    fn is_over(&self) -> bool {
        let Some(since) = self.over_since else { return false };
        since.elapsed() >= AFTERLIFE
            || self.devices.values().all(|device| device.link.is_drained()) && !self.devices.is_empty()
    }

    fn handle(&mut self, input: Input) {
        let now = Instant::now();
        match input {
            Input::Verify { joining, entered } => match self.call.verify(Some(joining.address.clone()), now) {
                Ok(party) => {
                    self.hub.enter(&joining.session, self.sid, party);
                    self.devices.insert(party, joining.into());
                    if entered.send(party).is_err() {
                        // The connection broke at this very moment.
                        self.disconnect(party, now);
                    }
                }
                Err(refusal) => joining.refuse(&refusal),
            },
            Input::Message {
                party,
                connection,
                envelope,
            } => {
                let Some(device) = self.devices.get_mut(&party) else {
                    return;
                };
                // What an earlier connection still had in its pipe has been sent again on the new one.
                if device.outlet.as_ref().is_none_or(|outlet| outlet.id() != connection) {
                    return;
                }
                match device.link.handle(envelope) {
                    Some(ClientMessage::Ping) => {
                        let pong = device.link.wrap(ServerMessage::Pong);
                        if let Some(outlet) = &device.outlet {
                            outlet.send(&pong);
                        }
                    }
                    Some(message) => self.on_message(party, message, now),
                    None => {}
                }
            }
            Input::Lost { party, connection } => {
                let Some(device) = self.devices.get_mut(&party) else {
                    return;
                };
                if device.outlet.as_ref().is_some_and(|outlet| outlet.id() == connection) {
                    self.disconnect(party, now);
                }
            }
            Input::Resume {
                party,
                ack,
                outlet,
                mut welcome,
            } => {
                let Some(device) = self.devices.get_mut(&party) else {
                    return;
                };
                welcome.resumed = !device.forgotten && device.link.resume(ack).is_ok();
                if !welcome.resumed {
                    device.link.restart();
                    device.forgotten = false;
                }
                let resumed = welcome.resumed;
                outlet.send(&device.link.wrap(ServerMessage::Welcome(welcome)));
                // An older connection ends when its outlet is dropped.
                device.outlet = Some(outlet);
                self.hub.metrics.sessions_resumed.increment();
                tracing::debug!(sid = %self.sid, %party, resumed, "session is back");
                self.call.handle_session_resumed(party, resumed, now);
            }
        }
    }

    fn on_message(&mut self, party: PartyId, message: ClientMessage, now: Instant) {
        let shows_address = matches!(
            message,
            ClientMessage::Description { .. } | ClientMessage::Candidates { .. }
        );
        if shows_address && self.call.is_ringing() && !self.pre_connects() {
            if self.withheld.len() < WITHHELD {
                self.withheld.push((party, message));
            }
            return;
        }
        let accepts = match &message {
            ClientMessage::Accept { .. } => Some(party),
            ClientMessage::AcceptedByMedia { party: device } if party.is_caller() => Some(*device),
            _ => None,
        };
        if let Some(device) = accepts.filter(|device| !device.is_caller() && self.call.has_device(*device))
            && self.call.is_ringing()
            && let Err(refusal) = self.hub.accept(self.sid)
        {
            // The user talks on another device. This device is out; the call rings on for the others.
            self.send(device, refusal.message());
            let left = ClientMessage::End {
                reason: Some(DisconnectReason::UnavailableNetwork),
                user_code: None,
                by_remote: false,
            };
            return self.call.handle_message(device, left, now);
        }
        self.call.handle_message(party, message, now);
    }

    fn pre_connects(&self) -> bool {
        self.hub
            .config
            .policy(self.call.setup().callee.service_id.as_str())
            .pre_connect
    }

    fn disconnect(&mut self, party: PartyId, now: Instant) {
        let Some(device) = self.devices.get_mut(&party) else {
            return;
        };
        device.outlet = None;
        device.link.close();
        self.call.handle_session_lost(party, now);
    }

    fn send(&mut self, party: PartyId, message: ServerMessage) {
        let Some(device) = self.devices.get_mut(&party) else {
            return;
        };
        if let Err(error) = device.link.send(message) {
            // The device has taken nothing for too long; without its connection it is treated as lost.
            tracing::debug!(sid = %self.sid, %party, %error, "device does not keep up");
            self.disconnect(party, Instant::now());
        }
    }

    /// Does what the state machine wants. What a client hears, and what it is told to have arrived, is on disk before, so
    /// that a crash takes nothing back.
    async fn flush(&mut self) {
        let mut messages = Vec::new();
        let mut record = None;
        while let Some(output) = self.call.poll_output() {
            match output {
                Output::Send { party, message } => messages.push((party, message)),
                Output::Notify => {
                    self.notify
                        .spawn(notify::run(self.hub.clone(), self.call.setup().clone()));
                }
                Output::Accepted { party } => {
                    tracing::info!(sid = %self.sid, %party, "call accepted");
                    for (from, message) in std::mem::take(&mut self.withheld) {
                        // What other devices of the callee said goes the way of those devices.
                        self.call.handle_message(from, message, Instant::now());
                    }
                }
                Output::Record(ended) => record = Some(*ended),
                // The call event callback, which follows the record, is what makes an app server push a cancel.
                _ => {}
            }
        }
        if let Some(record) = record {
            self.finish(record).await;
        } else {
            self.journal().await;
        }
        for (party, message) in messages {
            self.send(party, message);
        }
        let mut stuck = Vec::new();
        for (party, device) in &mut self.devices {
            let Some(outlet) = &device.outlet else { continue };
            while let Some(envelope) = device.link.poll_transmit() {
                if !outlet.send(&envelope) {
                    stuck.push(*party);
                    break;
                }
            }
        }
        for party in stuck {
            tracing::debug!(sid = %self.sid, %party, "connection does not keep up");
            self.disconnect(party, Instant::now());
        }
    }

    async fn finish(&mut self, record: CallRecord) {
        tracing::info!(
            sid = %self.sid,
            reason = record.rel_code_str,
            source = record.releaser_type,
            seconds = record.duration,
            "call ended"
        );
        self.notify.abort_all();
        self.over_since = Some(Instant::now());
        self.hub.metrics.ended(record.disconnect_reason, &record.rel_code_str);
        if !self.hub.writer.record(record).await {
            // The journal still has the call: the next start writes its record.
            tracing::error!(sid = %self.sid, "the call record could not be written");
        }
        self.hub.release(self.sid);
        self.hub.outbox.notify_one();
    }

    async fn journal(&mut self) {
        let Some(snapshot): Option<Snapshot> = self.call.snapshot() else {
            return;
        };
        let sessions = self
            .devices
            .iter()
            .map(|(party, device)| (*party, device.session.clone()))
            .collect();
        let journal = Journal { snapshot, sessions };
        if self.journaled.as_ref() != Some(&journal) {
            if !self.hub.writer.live(self.sid, journal.clone()).await {
                tracing::error!(sid = %self.sid, "the journal could not be written: a crash now would forget this step");
            }
            self.journaled = Some(journal);
        }
    }
}

impl From<Joining> for Device {
    fn from(joining: Joining) -> Self {
        Self {
            session: joining.session,
            link: joining.link,
            outlet: Some(joining.outlet),
            forgotten: false,
        }
    }
}

impl Joining {
    /// Says why not, on the connection that asked.
    fn refuse(mut self, refusal: &Refusal) {
        // An empty queue takes one message.
        if self.link.send(refusal.message()).is_ok() {
            while let Some(envelope) = self.link.poll_transmit() {
                self.outlet.send(&envelope);
            }
        }
    }
}
