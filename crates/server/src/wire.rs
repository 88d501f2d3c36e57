//! One WebSocket connection: messages in, messages out, and patience with neither garbage nor floods.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use duologue_signaling::ids::{ServiceId, UserId};
use duologue_signaling::{
    ClientMessage, DecodeError, DisconnectReason, Envelope, ServerMessage, VERSION, decode, encode,
};
use futures_util::SinkExt as _;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::buckets::{Bucket, Rate};
use crate::hub::Hub;

/// Most messages that wait for one connection: more than a session leaves unacknowledged, with room for heartbeats.
const QUEUE: usize = 320;
/// A client that takes nothing for this long is gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection that is closed goes on reading, so that the reason reaches the client before the reset that
/// unread data would cause.
const FAREWELL: Duration = Duration::from_secs(1);
/// WebSocket messages above this end the connection at once; below it they are counted like other bad ones.
pub(crate) const LONGEST: usize = 256 * 1024;

/// Close codes of RFC 6455 §7.4.1.
const NORMAL: u16 = 1000;
const POLICY: u16 = 1008;

/// The way to a connection. The connection closes, after what was sent, when its outlet is dropped.
#[derive(Debug)]
pub(crate) struct Outlet {
    id: u64,
    queue: mpsc::Sender<String>,
}

/// The connection.
#[derive(Debug)]
pub(crate) struct Wire {
    hub: Arc<Hub>,
    socket: WebSocket,
    outgoing: mpsc::Receiver<String>,
    rate: Rate,
    bucket: Bucket,
    bad: u32,
    heard: Instant,
}

/// The connection is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed;

impl Outlet {
    /// Names the connection, for as long as the server runs.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// False when the connection is gone or takes no more.
    pub(crate) fn send(&self, envelope: &Envelope<ServerMessage>) -> bool {
        self.queue.try_send(encode(envelope)).is_ok()
    }
}

impl Wire {
    pub(crate) fn new(hub: Arc<Hub>, socket: WebSocket) -> (Self, Outlet) {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let (queue, outgoing) = mpsc::channel(QUEUE);
        let limits = &hub.config.limits;
        let rate = Rate {
            burst: limits.message_burst,
            per_second: limits.messages_per_second,
        };
        let now = Instant::now();
        let wire = Self {
            hub,
            socket,
            outgoing,
            rate,
            bucket: Bucket::full(rate, now),
            bad: 0,
            heard: now,
        };
        (
            wire,
            Outlet {
                id: NEXT.fetch_add(1, Ordering::Relaxed),
                queue,
            },
        )
    }

    /// The client's next good message. Meanwhile it is told what waits for it.
    pub(crate) async fn next(&mut self) -> Result<Envelope<ClientMessage>, Closed> {
        loop {
            let silent_at = self.heard + self.hub.config.limits.silence();
            tokio::select! {
                received = self.socket.recv() => {
                    let message = received.and_then(Result::ok).ok_or(Closed)?;
                    self.heard = Instant::now();
                    if let Some(envelope) = self.read(message).await? {
                        return Ok(envelope);
                    }
                }
                text = self.outgoing.recv() => match text {
                    Some(text) => self.write(text).await?,
                    None => {
                        self.close(NORMAL, "the call is over").await;
                        return Err(Closed);
                    }
                },
                () = tokio::time::sleep_until(silent_at.into()) => return Err(Closed),
            }
        }
    }

    /// Says why the client is not, or no longer, wanted, and ends the connection.
    pub(crate) async fn refuse(&mut self, reason: DisconnectReason, message: &str) {
        let error = ServerMessage::Error {
            reason,
            message: message.to_owned(),
        };
        let text = encode(&Envelope::unnumbered(error, 0));
        if self.write(text).await.is_ok() {
            self.close(POLICY, message).await;
        }
    }

    async fn read(&mut self, message: Message) -> Result<Option<Envelope<ClientMessage>>, Closed> {
        if !self.bucket.take(self.rate, self.heard) {
            self.hub.metrics.sessions_closed_for_rate.increment();
            self.refuse(DisconnectReason::ServiceTooManyRequests, "too many messages")
                .await;
            return Err(Closed);
        }
        let text = match &message {
            Message::Text(text) => text.as_str(),
            // The protocol is text; a binary message is as good as garbage.
            Message::Binary(_) => "",
            Message::Ping(_) | Message::Pong(_) => return Ok(None),
            Message::Close(_) => return Err(Closed),
        };
        let error = match decode::<ClientMessage>(text) {
            Ok(envelope) => {
                self.hub.metrics.messages.increment();
                return Ok(Some(envelope));
            }
            Err(error) => error,
        };
        self.hub.metrics.bad_messages.increment();
        self.bad += 1;
        tracing::debug!(bad = self.bad, %error, "a message cannot be read");
        if let Some((reason, message)) = verdict(text, &error) {
            self.refuse(reason, message).await;
            return Err(Closed);
        }
        if self.bad >= self.hub.config.limits.bad_messages {
            self.hub.metrics.sessions_closed_for_bad_messages.increment();
            self.refuse(
                DisconnectReason::ServiceTooManyRequests,
                "too many messages that cannot be read",
            )
            .await;
            return Err(Closed);
        }
        Ok(None)
    }

    /// Writes this and whatever else waits, then flushes once: with TCP_NODELAY each flush is a packet.
    async fn write(&mut self, first: String) -> Result<(), Closed> {
        let written = async {
            self.socket.feed(Message::text(first)).await?;
            while let Ok(text) = self.outgoing.try_recv() {
                self.socket.feed(Message::text(text)).await?;
            }
            self.socket.flush().await
        };
        match tokio::time::timeout(SEND_TIMEOUT, written).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Closed),
        }
    }

    async fn close(&mut self, code: u16, reason: &str) {
        let farewell = async {
            let frame = CloseFrame {
                code,
                reason: reason.into(),
            };
            if self.socket.send(Message::Close(Some(frame))).await.is_ok() {
                while let Some(Ok(_)) = self.socket.recv().await {}
            }
        };
        // The client may be gone, or never stop.
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
    }
}

/// A message of another version, or one that fails to parse because of what an id looks like, deserves its own answer.
fn verdict(text: &str, error: &DecodeError) -> Option<(DisconnectReason, &'static str)> {
    let version = (
        DisconnectReason::ServiceIncompatiblePlanetkitVer,
        "another version of the protocol",
    );
    if matches!(error, DecodeError::Version { .. }) {
        return Some(version);
    }
    let Ok(Value::Object(fields)) = serde_json::from_str(text) else {
        return None;
    };
    if fields
        .get("v")
        .and_then(Value::as_u64)
        .is_some_and(|v| v != u64::from(VERSION))
    {
        return Some(version);
    }
    let wrong = |names: [&str; 2], valid: fn(&str) -> bool| {
        names
            .iter()
            .any(|name| fields.get(*name).and_then(Value::as_str).is_some_and(|id| !valid(id)))
    };
    let has_ids = matches!(fields.get("type").and_then(Value::as_str), Some("hello" | "make_call"));
    let wrong = wrong(["user_id", "peer_id"], |id| id.parse::<UserId>().is_ok())
        || wrong(["service_id", "peer_service_id"], |id| id.parse::<ServiceId>().is_ok());
    let message = "an id has a length or characters that ids cannot have";
    (has_ids && wrong).then_some((DisconnectReason::ServiceInvalidId, message))
}
