//! The phone's side of the reference app server: a token, and the push of incoming calls.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use duologue_app_server::PushMessage;
use futures_util::StreamExt as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};

use crate::args::PhoneArgs;

/// How long the app server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// An incoming call, as the app server pushed it.
#[derive(Debug)]
pub(crate) struct Push {
    pub(crate) user: String,
    pub(crate) service: String,
    pub(crate) cc_param: String,
}

/// A connected push channel.
#[derive(Debug)]
pub(crate) struct AppServer {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl AppServer {
    /// Connects to the push channel of `user` at the app server `address`, such as `http://127.0.0.1:8080/app`.
    pub(crate) async fn listen(address: &str, user: &str, roots: &[CertificateDer<'static>]) -> anyhow::Result<Self> {
        let channel = match address.split_once("://") {
            Some(("http", rest)) => format!("ws://{rest}"),
            Some(("https", rest)) => format!("wss://{rest}"),
            _ => bail!("--app-server {address}: give a URL that begins with http:// or https://"),
        };
        let url = format!("{}/push?user={user}", channel.trim_end_matches('/'));
        let connect = connect_async_tls_with_config(url, None, true, Some(Connector::Rustls(Arc::new(tls(roots)?))));
        let (stream, _) = tokio::time::timeout(PATIENCE, connect)
            .await
            .map_err(anyhow::Error::from)
            .and_then(|connected| Ok(connected?))
            .map_err(|error| unreachable(address, error))?;
        Ok(Self { stream })
    }

    /// Waits for the next call.
    pub(crate) async fn next_call(&mut self) -> anyhow::Result<Push> {
        loop {
            let message = self
                .stream
                .next()
                .await
                .context("the app server closed the push channel")??;
            let Message::Text(text) = message else { continue };
            match serde_json::from_str(&text) {
                Ok(PushMessage::Call {
                    app_callee_uid,
                    app_callee_sid,
                    cc_param,
                    ..
                }) => {
                    return Ok(Push {
                        user: app_callee_uid,
                        service: app_callee_sid,
                        cc_param,
                    });
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "the app server pushed something else than a call"),
            }
        }
    }
}

/// An access token for `user` from the app server at `address`.
pub(crate) async fn issue_token(
    address: &str,
    user: &str,
    roots: &[CertificateDer<'static>],
) -> anyhow::Result<String> {
    let url = format!("{}/token", address.trim_end_matches('/'));
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls(roots)?)
        .timeout(PATIENCE)
        .build()?;
    let response = client
        .post(&url)
        .json(&json!({ "user_id": user }))
        .send()
        .await
        .map_err(|error| unreachable(address, error.into()))?;
    let status = response.status();
    let body: Value = response.json().await.unwrap_or_default();
    match body["access_token"].as_str() {
        Some(token) => Ok(token.to_owned()),
        None => bail!(
            "the app server gave no token ({status}): {}",
            body["error"].as_str().unwrap_or("no reason")
        ),
    }
}

/// Says what to do about an app server that does not answer.
fn unreachable(address: &str, error: anyhow::Error) -> anyhow::Error {
    let advice = match error.chain().any(|cause| cause.to_string().contains("certificate")) {
        true => "if its certificate is your own, name it with --root-certificate FILE",
        false => "is the call server running with --dev?",
    };
    error.context(format!("cannot reach the app server at {address}; {advice}"))
}

/// The certificates to trust beside the public ones.
pub(crate) fn roots(phone: &PhoneArgs) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let Some(file) = &phone.root_certificate else {
        return Ok(Vec::new());
    };
    CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .with_context(|| format!("--root-certificate {} cannot be used", file.display()))
}

fn tls(extra: &[CertificateDer<'static>]) -> anyhow::Result<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    for certificate in extra {
        roots.add(certificate.clone())?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
