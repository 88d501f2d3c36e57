//! What the tests share: a server, an app server that can misbehave, and clients that speak the protocol.
#![allow(dead_code, reason = "every test binary uses a part of it")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_lc_rs::hmac;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use duologue_server::{ApiKey, CallRecord, Config, Server};
use duologue_signaling::link::Link;
use duologue_signaling::message::{Hello, MakeCall, Verified, Welcome};
use duologue_signaling::{
    ClientMessage, DisconnectReason, DisconnectSource, Envelope, Fingerprint, MediaType, ServerMessage,
    SessionDescription, VERSION, decode, encode,
};
use futures_util::{SinkExt as _, StreamExt as _};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{WebSocketStream, client_async};

/// Generous: only a broken server reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const SERVICE: &str = "shop";

pub(crate) type Fields = HashMap<String, String>;

/// A folder that goes with the test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let unique = format!(
            "duologue-server-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        Self(std::env::temp_dir().join(unique))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// How the app server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Success,
    Failure,
    Hang,
    Redirect,
}

/// The app server of the service.
pub(crate) struct App {
    pub(crate) address: SocketAddr,
    pub(crate) notifies: mpsc::UnboundedReceiver<Fields>,
    pub(crate) events: mpsc::UnboundedReceiver<Fields>,
    answers: Arc<Answers>,
}

struct Answers {
    notify: Mutex<Answer>,
    /// Answers to the next call events; success when there is none.
    events: Mutex<Vec<Answer>>,
    keys: Mutex<Vec<ApiKey>>,
    notifies: mpsc::UnboundedSender<Fields>,
    received: mpsc::UnboundedSender<Fields>,
}

impl App {
    pub(crate) async fn start() -> Self {
        let (notifies, notify_queue) = mpsc::unbounded_channel();
        let (received, event_queue) = mpsc::unbounded_channel();
        let answers = Arc::new(Answers {
            notify: Mutex::new(Answer::Success),
            events: Mutex::default(),
            keys: Mutex::default(),
            notifies,
            received,
        });
        let router = axum::Router::new()
            .route("/notify", get(notify))
            .route("/event", get(event))
            .with_state(answers.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            notifies: notify_queue,
            events: event_queue,
            answers,
        }
    }

    pub(crate) fn answer_notify(&self, answer: Answer) {
        *self.answers.notify.lock().unwrap() = answer;
    }

    pub(crate) fn answer_events(&self, answers: &[Answer]) {
        *self.answers.events.lock().unwrap() = answers.iter().rev().copied().collect();
    }

    pub(crate) async fn notified(&mut self) -> Fields {
        timeout(PATIENCE, self.notifies.recv())
            .await
            .expect("a notify callback")
            .unwrap()
    }

    pub(crate) async fn event(&mut self) -> Fields {
        timeout(PATIENCE, self.events.recv())
            .await
            .expect("a call event callback")
            .unwrap()
    }
}

async fn notify(
    State(answers): State<Arc<Answers>>,
    uri: Uri,
    headers: HeaderMap,
    Query(fields): Query<Fields>,
) -> Response {
    check_signature(&answers, &uri, &headers);
    let answer = *answers.notify.lock().unwrap();
    let _ = answers.notifies.send(fields);
    respond(answer).await
}

async fn event(
    State(answers): State<Arc<Answers>>,
    uri: Uri,
    headers: HeaderMap,
    Query(fields): Query<Fields>,
) -> Response {
    check_signature(&answers, &uri, &headers);
    let answer = answers.events.lock().unwrap().pop().unwrap_or(Answer::Success);
    let _ = answers.received.send(fields);
    respond(answer).await
}

async fn respond(answer: Answer) -> Response {
    match answer {
        Answer::Success => StatusCode::OK.into_response(),
        Answer::Failure => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Answer::Redirect => (StatusCode::FOUND, [(header::LOCATION, "/notify?redirected=1")]).into_response(),
        Answer::Hang => std::future::pending().await,
    }
}

/// Every callback is signed with every valid key.
fn check_signature(answers: &Answers, uri: &Uri, headers: &HeaderMap) {
    let value = headers["duologue-signature"].to_str().unwrap().to_owned();
    let time = value.split(',').next().unwrap().strip_prefix("t=").unwrap().to_owned();
    assert!(time.parse::<u64>().unwrap().abs_diff(now()) < 60);
    for key in answers.keys.lock().unwrap().iter() {
        let mac_key = hmac::Key::new(hmac::HMAC_SHA256, key.secret.as_bytes());
        let tag = hmac::sign(&mac_key, format!("{time}.{}", uri.path_and_query().unwrap()).as_bytes());
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(value.contains(&format!("v1={hex}")), "{value}");
    }
}

/// A server with a service and its app server.
pub(crate) struct Bench {
    pub(crate) server: Option<Server>,
    pub(crate) app: App,
    pub(crate) key: ApiKey,
    pub(crate) config: Config,
    _folder: Folder,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = Folder::new();
        let mut config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            stun_listen: Some("127.0.0.1:0".parse().unwrap()),
            data: folder.0.clone(),
            ..Config::default()
        };
        config.callbacks.retry_ms = 1;
        // No test waits for a call to end by itself.
        config.limits.drain_ms = 1;
        change(&mut config);
        let app = App::start().await;
        let server = Server::start(config.clone()).await.unwrap();
        let notify = format!("http://{}/notify", app.address);
        let event = format!("http://{}/event", app.address);
        let key = server.store().add(SERVICE, Some(&notify), Some(&event)).await.unwrap();
        app.answers.keys.lock().unwrap().push(key.clone());
        Self {
            server: Some(server),
            app,
            key,
            config,
            _folder: folder,
        }
    }

    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    /// Stops the server as a crash would, and starts it again on the same data and, mostly, another port.
    pub(crate) async fn crash_and_restart(&mut self) {
        drop(self.server.take());
        self.server = Some(Server::start(self.config.clone()).await.unwrap());
    }

    pub(crate) fn expect_signature_of(&self, key: ApiKey) {
        self.app.answers.keys.lock().unwrap().push(key);
    }

    pub(crate) fn token(&self, user: &str) -> String {
        token(&self.key, user, now())
    }

    /// A connection that has said nothing.
    pub(crate) async fn raw(&self) -> Client {
        Client::connect(self.server().addr(), None).await.unwrap()
    }

    /// A client that was let in with a token.
    pub(crate) async fn client(&self, user: &str) -> Client {
        let mut client = self.raw().await;
        client
            .hello(Hello {
                access_token: Some(self.token(user)),
                ..hello(user)
            })
            .await
            .unwrap();
        client
    }

    /// A callee that was let in with a `cc_param`.
    pub(crate) async fn callee(&self, user: &str, cc_param: &str) -> Client {
        let mut client = self.raw().await;
        client
            .hello(Hello {
                cc_param: Some(cc_param.into()),
                ..hello(user)
            })
            .await
            .unwrap();
        client
    }

    /// A call from `from` to `to` that rings: caller, and the `cc_param`.
    pub(crate) async fn ring(&mut self, from: &str, to: &str) -> (Client, String) {
        let mut caller = self.client(from).await;
        caller.make_call(to).await;
        caller
            .expect("call_created", |message| {
                matches!(message, ServerMessage::CallCreated { .. })
            })
            .await;
        let param = self.app.notified().await.remove("param").unwrap();
        caller
            .expect("wait_connected", |message| {
                matches!(message, ServerMessage::WaitConnected)
            })
            .await;
        (caller, param)
    }

    /// A call in which both are told that it is accepted: caller and callee.
    pub(crate) async fn talk(&mut self, from: &str, to: &str) -> (Client, Client) {
        let (mut caller, param) = self.ring(from, to).await;
        let mut callee = self.callee(to, &param).await;
        callee.verify(&param).await;
        callee
            .send(ClientMessage::Accept {
                call_start_message: None,
            })
            .await;
        for client in [&mut caller, &mut callee] {
            client
                .expect("accepted", |message| matches!(message, ServerMessage::Accepted { .. }))
                .await;
        }
        (caller, callee)
    }

    pub(crate) async fn records(&self) -> Vec<CallRecord> {
        self.server().store().records(1_000).await.unwrap()
    }
}

pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

pub(crate) fn token(key: &ApiKey, user: &str, iat: u64) -> String {
    token_with(Algorithm::HS256, key, SERVICE, user, iat)
}

pub(crate) fn token_with(algorithm: Algorithm, key: &ApiKey, service: &str, user: &str, iat: u64) -> String {
    let claims = json!({ "sub": service, "uid": user, "iss": key.key, "iat": iat });
    jsonwebtoken::encode(
        &Header::new(algorithm),
        &claims,
        &EncodingKey::from_secret(key.secret.as_bytes()),
    )
    .unwrap()
}

/// A hello without any proof.
pub(crate) fn hello(user: &str) -> Hello {
    Hello {
        version: VERSION,
        service_id: SERVICE.parse().unwrap(),
        user_id: user.parse().unwrap(),
        access_token: None,
        cc_param: None,
        sdk: "test".into(),
        resume: None,
        device_key: None,
    }
}

pub(crate) type Ended = (DisconnectReason, DisconnectSource);

/// A client of the protocol.
pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<TcpStream>,
    pub(crate) link: Link<ClientMessage>,
    pub(crate) welcome: Option<Welcome>,
}

impl Client {
    /// `Err`: the HTTP status that the server answered instead.
    pub(crate) async fn connect(address: SocketAddr, origin: Option<&str>) -> Result<Self, u16> {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(Self {
                socket,
                link: Link::new(),
                welcome: None,
            }),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Introduces itself; `Err` is what it was refused with.
    pub(crate) async fn hello(&mut self, hello: Hello) -> Result<Welcome, DisconnectReason> {
        let envelope = Envelope::unnumbered(ClientMessage::Hello(Box::new(hello)), self.link.received());
        self.text(encode(&envelope)).await;
        let envelope = self.envelope().await.expect("an answer to hello");
        match envelope.msg {
            ServerMessage::Welcome(welcome) => {
                if welcome.resumed {
                    self.link.resume(envelope.ack).unwrap();
                } else {
                    self.link.restart();
                }
                self.transmit().await;
                self.welcome = Some((*welcome).clone());
                Ok(*welcome)
            }
            ServerMessage::Error { reason, .. } => Err(reason),
            other => panic!("{other:?} instead of an answer to hello"),
        }
    }

    pub(crate) async fn text(&mut self, text: impl Into<String>) {
        self.socket.send(Message::text(text.into())).await.unwrap();
    }

    pub(crate) async fn send(&mut self, message: ClientMessage) {
        self.link.send(message).unwrap();
        self.transmit().await;
    }

    /// Makes a call with a description of its end of the media path.
    pub(crate) async fn make_described_call(&mut self, peer: &str) {
        let make = MakeCall {
            peer_id: peer.parse().unwrap(),
            peer_service_id: SERVICE.parse().unwrap(),
            media_type: MediaType::Audio,
            app_server_data: None,
            call_start_message: None,
            description: Some(Box::new(description())),
        };
        self.send(ClientMessage::MakeCall(Box::new(make))).await;
    }

    pub(crate) async fn make_call(&mut self, peer: &str) {
        self.make_call_with(peer, None).await;
    }

    pub(crate) async fn make_call_with(&mut self, peer: &str, app_server_data: Option<String>) {
        let make = MakeCall {
            peer_id: peer.parse().unwrap(),
            peer_service_id: SERVICE.parse().unwrap(),
            media_type: MediaType::Audio,
            app_server_data,
            call_start_message: Some("hi".into()),
            description: None,
        };
        self.send(ClientMessage::MakeCall(Box::new(make))).await;
    }

    pub(crate) async fn try_verify(&mut self, cc_param: &str) -> Result<Verified, Ended> {
        self.send(ClientMessage::VerifyCall {
            cc_param: cc_param.into(),
        })
        .await;
        match self.next().await.expect("an answer to verify_call") {
            ServerMessage::Verified(verified) => Ok(*verified),
            ServerMessage::Ended { reason, source, .. } => Err((reason, source)),
            other => panic!("{other:?} instead of an answer to verify_call"),
        }
    }

    pub(crate) async fn verify(&mut self, cc_param: &str) -> Verified {
        self.try_verify(cc_param).await.unwrap()
    }

    pub(crate) async fn end(&mut self) {
        self.send(ClientMessage::End {
            reason: None,
            user_code: None,
            by_remote: false,
        })
        .await;
    }

    /// The next message about the call; `None` when the connection is closed.
    pub(crate) async fn next(&mut self) -> Option<ServerMessage> {
        loop {
            let envelope = self.envelope().await?;
            let message = self.link.handle(envelope);
            self.transmit().await;
            match message {
                None | Some(ServerMessage::Ack | ServerMessage::Pong) => {}
                Some(message) => return Some(message),
            }
        }
    }

    /// Reads until a message is as wanted.
    pub(crate) async fn expect(&mut self, what: &str, wanted: impl Fn(&ServerMessage) -> bool) -> ServerMessage {
        let mut seen = Vec::new();
        loop {
            match self.next().await {
                Some(message) if wanted(&message) => return message,
                Some(message) => seen.push(message),
                None => panic!("the connection was closed before {what}; it said {seen:?}"),
            }
        }
    }

    pub(crate) async fn ended(&mut self) -> Ended {
        match self
            .expect("ended", |message| matches!(message, ServerMessage::Ended { .. }))
            .await
        {
            ServerMessage::Ended { reason, source, .. } => (reason, source),
            _ => unreachable!(),
        }
    }

    /// Reads until everything that was sent is acknowledged.
    pub(crate) async fn drained(&mut self) {
        while !self.link.is_drained() {
            let envelope = self.envelope().await.expect("an acknowledgement");
            self.link.handle(envelope);
        }
    }

    /// Reads until the connection is closed; what it was refused with, if it was.
    pub(crate) async fn refused(&mut self) -> Option<DisconnectReason> {
        let mut reason = None;
        while let Some(envelope) = self.envelope().await {
            if let ServerMessage::Error { reason: why, .. } = envelope.msg {
                reason = Some(why);
            }
        }
        reason
    }

    /// Breaks the connection without a word and comes back to `address`.
    pub(crate) async fn come_back(&mut self, address: SocketAddr, hello: Hello) -> Welcome {
        let resume = self.welcome.as_ref().unwrap().resume.clone();
        let fresh = Self::connect(address, None).await.unwrap();
        self.socket = fresh.socket;
        self.link.close();
        self.hello(Hello {
            resume: Some(resume),
            ..hello
        })
        .await
        .unwrap()
    }

    async fn transmit(&mut self) {
        while let Some(envelope) = self.link.poll_transmit() {
            // The server may have closed already; what it said before is still to be read.
            let _ = self.socket.send(Message::text(encode(&envelope))).await;
        }
    }

    async fn envelope(&mut self) -> Option<Envelope<ServerMessage>> {
        loop {
            match timeout(PATIENCE, self.socket.next())
                .await
                .expect("the server is silent")?
            {
                Ok(Message::Text(text)) => return Some(decode(text.as_str()).unwrap()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }
}

/// One end of a media path, good enough for the server, which only passes it on.
pub(crate) fn description() -> SessionDescription {
    SessionDescription {
        v: 1,
        ufrag: "ufrag".into(),
        pwd: "a password of 22 chars".into(),
        fingerprints: vec![Fingerprint {
            algorithm: "sha-256".into(),
            value: "00".into(),
        }],
        ..SessionDescription::default()
    }
}

/// Candidates for the peer, or for every peer.
pub(crate) fn candidates(candidate: &str) -> ClientMessage {
    ClientMessage::Candidates {
        party: None,
        generation: 0,
        candidates: vec![candidate.into()],
        end: false,
    }
}

/// A client for plain HTTP.
pub(crate) fn http() -> reqwest::Client {
    http_with(rustls::RootCertStore::empty())
}

pub(crate) fn http_with(roots: rustls::RootCertStore) -> reqwest::Client {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .build()
        .unwrap()
}

/// The value of a metric.
pub(crate) async fn metric(address: SocketAddr, name: &str) -> f64 {
    let text = http()
        .get(format!("http://{address}/metrics"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        .map(str::to_owned);
    value
        .unwrap_or_else(|| panic!("no metric {name} in\n{text}"))
        .parse()
        .unwrap()
}

pub(crate) fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}
