//! A push service and a browser's half of the encryption, written from the RFCs' receiving side.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::{aead, hmac};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use duologue_app_server::PushMessage;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::common::{PATIENCE, serve};

/// A request that has come in.
pub(crate) struct Delivery {
    pub(crate) browser: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Delivery {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

/// What the service answers instead of 201: a status and a further header.
pub(crate) type Answer = (u16, Option<(&'static str, String)>);

#[derive(Clone)]
struct Shared {
    answers: Arc<Mutex<HashMap<String, VecDeque<Answer>>>>,
    deliveries: mpsc::UnboundedSender<Delivery>,
}

pub(crate) struct PushService {
    pub(crate) address: SocketAddr,
    shared: Shared,
    deliveries: mpsc::UnboundedReceiver<Delivery>,
}

impl PushService {
    pub(crate) async fn start() -> Self {
        let (sender, deliveries) = mpsc::unbounded_channel();
        let shared = Shared {
            answers: Arc::default(),
            deliveries: sender,
        };
        let router = axum::Router::new()
            .route("/push/{browser}", post(take))
            .with_state(shared.clone());
        Self {
            address: serve(router).await,
            shared,
            deliveries,
        }
    }

    /// The next requests of this browser are answered so, in this order.
    pub(crate) fn answer(&self, browser: &str, answers: &[Answer]) {
        let mut all = self.shared.answers.lock().unwrap();
        all.insert(browser.into(), answers.iter().cloned().collect());
    }

    pub(crate) async fn next(&mut self) -> Delivery {
        tokio::time::timeout(PATIENCE, self.deliveries.recv())
            .await
            .expect("nothing is delivered")
            .unwrap()
    }

    /// True when nothing has come in that has not been looked at.
    pub(crate) fn is_quiet(&mut self) -> bool {
        self.deliveries.try_recv().is_err()
    }
}

async fn take(
    State(shared): State<Shared>,
    Path(browser): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<String> {
    let answer = shared
        .answers
        .lock()
        .unwrap()
        .get_mut(&browser)
        .and_then(VecDeque::pop_front);
    let (status, header) = answer.unwrap_or((201, None));
    let _ = shared.deliveries.send(Delivery { browser, headers, body });
    let mut response = Response::new(String::new());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    if let Some((name, value)) = header {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

/// A browser: its keys, and where its push service is.
pub(crate) struct Browser {
    pub(crate) endpoint: String,
    key: PrivateKey,
    public: Vec<u8>,
    auth: [u8; 16],
}

impl Browser {
    pub(crate) fn new(service: SocketAddr, name: &str) -> Self {
        let key = PrivateKey::generate(&ECDH_P256).unwrap();
        let public = key.compute_public_key().unwrap().as_ref().to_vec();
        let mut auth = [0; 16];
        aws_lc_rs::rand::fill(&mut auth).unwrap();
        Self {
            endpoint: format!("http://{service}/push/{name}"),
            key,
            public,
            auth,
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "endpoint": self.endpoint,
            "expirationTime": null,
            "keys": { "p256dh": URL_SAFE_NO_PAD.encode(&self.public), "auth": URL_SAFE_NO_PAD.encode(self.auth) },
        })
    }

    pub(crate) fn open(&self, body: &[u8]) -> PushMessage {
        serde_json::from_value(self.read(body)).unwrap()
    }

    /// RFC 8188 §2.1 and RFC 8291 §3.4, with HKDF (RFC 5869) spelled out as HMAC.
    pub(crate) fn read(&self, body: &[u8]) -> Value {
        let (salt, rest) = body.split_at(16);
        let (record, rest) = rest.split_at(4);
        assert!(u32::from_be_bytes(record.try_into().unwrap()) as usize >= rest.len());
        let (theirs, content) = rest[1..].split_at(usize::from(rest[0]));
        let peer = UnparsedPublicKey::new(&ECDH_P256, theirs);
        let prk = agree(&self.key, peer, (), |secret| Ok(mac(&self.auth, secret))).unwrap();
        let info = [b"WebPush: info\0".as_slice(), &self.public, theirs, &[1]].concat();
        let prk = mac(salt, &mac(&prk, &info));
        let cek = mac(&prk, b"Content-Encoding: aes128gcm\0\x01");
        let nonce = mac(&prk, b"Content-Encoding: nonce\0\x01");
        let key = aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_128_GCM, &cek[..16]).unwrap());
        let nonce = aead::Nonce::try_assume_unique_for_key(&nonce[..12]).unwrap();
        let mut content = content.to_vec();
        let plain = key.open_in_place(nonce, aead::Aad::empty(), &mut content).unwrap();
        let (last, text) = plain.split_last().unwrap();
        assert_eq!(*last, 2, "the delimiter of the last record");
        serde_json::from_slice(text).unwrap()
    }
}

fn mac(key: &[u8], data: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data)
        .as_ref()
        .to_vec()
}
