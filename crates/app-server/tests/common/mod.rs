//! What the tests of the reference app server share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lc_rs::hmac;
use duologue_app_server::{AppServerConfig, SIGNATURE_HEADER};
use tokio::net::TcpListener;

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn config(dev: bool) -> AppServerConfig {
    AppServerConfig {
        service_id: "dev".into(),
        api_key: "key".into(),
        api_secret: SECRET.into(),
        dev,
        data: None,
        contact: None,
    }
}

pub(crate) async fn serve(router: axum::Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

/// A client for plain HTTP; the TLS configuration is given because there is no process-wide crypto provider.
pub(crate) fn http() -> reqwest::Client {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .build()
        .unwrap()
}

pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

/// Sends a signed callback, as the call server does.
pub(crate) async fn callback(address: SocketAddr, target: &str, secret: &str) -> u16 {
    let time = now();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("{time}.{target}").as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let request = http()
        .get(format!("http://{address}{target}"))
        .header(SIGNATURE_HEADER, format!("t={time},v1={hex}"));
    request.send().await.unwrap().status().as_u16()
}

pub(crate) fn notify_target(sid: &str, callee: &str) -> String {
    format!(
        "/app/notify?sid={sid}&from_service_id=dev&from_user_id=alice&to_service_id=dev&to_user_id={callee}&type=A&param=cGFyYW0%3D&app_svr_data=a%26b"
    )
}

pub(crate) fn event_target(sid: &str, callee: &str) -> String {
    format!(
        "/app/call-event?sid={sid}&from_service_id=dev&from_user_id=alice&to_service_id=dev&to_user_id={callee}&type=A&setup_time=1&start_time=0&end_time=2&duration=0&srcip=192.0.2.1&dstip=&terminate=77&rel_code=2&rel_code_str=CANCEL&billing_sec=0&disconnect_reason=1201&releaser_type=2"
    )
}
