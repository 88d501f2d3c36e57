//! Handing messages to push services: RFC 8030 §5.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{StatusCode, Url};
use serde::Serialize;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout_at};

use super::encrypt::{LONGEST, encrypt};
use super::endpoint::EndpointPolicy;
use super::error::WebPushError;
use super::subscription::PushSubscription;
use super::vapid::VapidKey;
use crate::PushMessage;

/// How long a push service keeps a message for a browser that is away, in seconds: as long as a call rings.
const TTL: u32 = 60;
/// RFC 8030 §5.4: a topic has at most this many characters.
const TOPIC: usize = 32;
/// Most requests under way at once.
const CONCURRENT: usize = 64;
const CONNECT: Duration = Duration::from_millis(1_500);
/// One attempt, so that a second one has a chance within the whole time.
const ATTEMPT: Duration = Duration::from_secs(2);
/// Between two attempts, when the push service does not say how long.
const PAUSE: Duration = Duration::from_millis(250);

/// Sends push messages to browsers.
pub struct WebPushSender {
    http: reqwest::Client,
    key: VapidKey,
    contact: Option<String>,
    policy: EndpointPolicy,
    slots: Semaphore,
}

impl fmt::Debug for WebPushSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebPushSender")
            .field("key", &self.key)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// A failed attempt, and how long to wait before the next; `None`: another one is of no use.
struct Failure {
    error: WebPushError,
    again: Option<Duration>,
}

impl From<WebPushError> for Failure {
    fn from(error: WebPushError) -> Self {
        Self { error, again: None }
    }
}

impl WebPushSender {
    /// A sender that signs with `key`. `contact` is a `mailto:` or `https:` address that a push service's operator can
    /// complain to; some services (Apple's) take nothing without one.
    ///
    /// # Errors
    ///
    /// [`WebPushError::Client`] when there is no TLS.
    pub fn new(key: VapidKey, contact: Option<String>, policy: EndpointPolicy) -> Result<Self, WebPushError> {
        let roots = rustls::RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        // The crypto provider is named: the process may have none, or another.
        let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| WebPushError::Client(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .connect_timeout(CONNECT)
            // A redirect would be a way around the endpoint's check, and so would a proxy.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .dns_resolver(policy)
            .pool_max_idle_per_host(8)
            .user_agent(concat!("duologue/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| WebPushError::Client(error.to_string()))?;
        Ok(Self {
            http,
            key,
            contact,
            policy,
            slots: Semaphore::new(CONCURRENT),
        })
    }

    /// The key that messages are signed with.
    pub fn key(&self) -> &VapidKey {
        &self.key
    }

    /// Hands one message to the push service of one browser and waits until it has taken it, at most `patience`. Refused
    /// for the moment (429, 5xx) or not reached, it is tried once more, after as long as the service asks for.
    ///
    /// The data for the app server is left out of a call that does not fit otherwise.
    ///
    /// # Errors
    ///
    /// [`WebPushError`]; on [`WebPushError::Gone`] forget the subscription.
    pub async fn send(
        &self,
        subscription: &PushSubscription,
        message: &PushMessage,
        patience: Duration,
    ) -> Result<(), WebPushError> {
        let (_keep, never) = watch::channel(false);
        let outgoing = Outgoing { message, missed: None };
        self.send_until(subscription, outgoing, Instant::now() + patience, never)
            .await
    }

    /// As [`send`](Self::send); once `stop` is true no attempt is begun. One that is under way is waited for, so that
    /// whoever sends something newer afterwards knows that it comes second.
    pub(super) async fn send_until(
        &self,
        subscription: &PushSubscription,
        outgoing: Outgoing<'_>,
        deadline: Instant,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), WebPushError> {
        let url = self.policy.check(&subscription.endpoint)?;
        let body = encrypt(subscription, &payload(outgoing))?;
        let topic = topic(outgoing.message);
        let mut pause = Duration::ZERO;
        let mut first = None;
        loop {
            let attempt = async {
                tokio::time::sleep(pause).await;
                self.slots.acquire().await
            };
            let slot = tokio::select! {
                biased;
                () = stopped(&mut stop) => return Err(first.unwrap_or(WebPushError::Superseded)),
                slot = timeout_at(deadline, attempt) => slot,
            };
            // The semaphore is never closed.
            let Ok(Ok(_slot)) = slot else {
                return Err(first.unwrap_or(WebPushError::Timeout));
            };
            let failure = match self.attempt(&url, body.clone(), topic.as_deref(), deadline).await {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            };
            match failure.again {
                Some(wait) if first.is_none() && Instant::now() + wait < deadline => pause = wait,
                _ => return Err(failure.error),
            }
            first = Some(failure.error);
        }
    }

    async fn attempt(&self, url: &Url, body: Vec<u8>, topic: Option<&str>, deadline: Instant) -> Result<(), Failure> {
        let left = deadline.saturating_duration_since(Instant::now()).min(ATTEMPT);
        // RFC 8292 §2: the audience is the origin of the push resource.
        let audience = url.origin().ascii_serialization();
        let authorization = self.key.authorization(&audience, self.contact.as_deref(), unix_now())?;
        let mut request = self
            .http
            .post(url.clone())
            .timeout(left)
            .header(AUTHORIZATION, authorization)
            .header(CONTENT_ENCODING, "aes128gcm")
            .header(CONTENT_TYPE, "application/octet-stream")
            .header("ttl", TTL)
            .header("urgency", "high");
        if let Some(topic) = topic {
            request = request.header("topic", topic);
        }
        // The answer's body is of no interest and is not read.
        match request.body(body).send().await {
            Ok(answer) => judge(&answer),
            Err(error) => {
                let again = Some(PAUSE);
                let error = if error.is_timeout() {
                    WebPushError::Timeout
                } else if error.is_connect() {
                    WebPushError::Connect
                } else {
                    WebPushError::Transfer
                };
                Err(Failure { error, again })
            }
        }
    }
}

fn judge(answer: &reqwest::Response) -> Result<(), Failure> {
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    // RFC 8030 §7.3 has 404 for a subscription that is over; services also say 410.
    if status == StatusCode::NOT_FOUND || status == StatusCode::GONE {
        return Err(WebPushError::Gone.into());
    }
    let passing = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
    let again = match answer.headers().get(RETRY_AFTER) {
        // RFC 9110 §10.2.3; a date lies at least seconds ahead, which is too long to wait here.
        Some(after) => after
            .to_str()
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .map(Duration::from_secs),
        None => Some(PAUSE),
    };
    Err(Failure {
        error: WebPushError::Status {
            status: status.as_u16(),
        },
        again: again.filter(|_| passing),
    })
}

/// Waits until `stop` is true; for ever if nobody can make it true any more.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending().await
    }
}

/// A message, and what only browsers are told.
#[derive(Clone, Copy)]
pub(super) struct Outgoing<'a> {
    pub(super) message: &'a PushMessage,
    /// Of an end: whether nobody took the call, so that a notice may stay.
    pub(super) missed: Option<bool>,
}

/// The message as on the WebSocket, and when it was sent: a browser that was asleep must not ring for a call long gone.
#[derive(Serialize)]
struct Payload<'a> {
    #[serde(flatten)]
    message: &'a PushMessage,
    /// Unix time in seconds.
    pushed_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    missed: Option<bool>,
}

fn payload(Outgoing { message, missed }: Outgoing<'_>) -> Vec<u8> {
    let pushed_at = unix_now();
    let text = |message: &PushMessage| {
        let payload = Payload {
            message,
            pushed_at,
            missed,
        };
        // Strings, numbers and truths always serialise.
        serde_json::to_vec(&payload).unwrap_or_default()
    };
    let whole = text(message);
    match message {
        PushMessage::Call { .. } if whole.len() > LONGEST => {
            let mut shorter = message.clone();
            if let PushMessage::Call { app_svr_data, .. } = &mut shorter {
                *app_svr_data = None;
            }
            text(&shorter)
        }
        _ => whole,
    }
}

/// What makes the end of a call replace its ring at the push service: the call, in the alphabet of RFC 8030 §5.4. A UUID
/// without its hyphens has just as many characters as are allowed.
fn topic(message: &PushMessage) -> Option<String> {
    let (PushMessage::Call { sid, .. } | PushMessage::Cancel { sid }) = message;
    let topic: String = sid.chars().filter(|&c| c != '-').collect();
    let fits = (1..=TOPIC).contains(&topic.len()) && topic.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_');
    fits.then_some(topic)
}

fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
