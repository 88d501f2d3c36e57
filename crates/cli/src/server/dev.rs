//! The development server: call server and reference app server on one port, with nothing to configure.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use duologue_app_server::{AppServerConfig, router};
use duologue_server::{Config, Server, ServiceStore};
use serde_json::Value;

use super::certificate;

/// A running development server.
#[derive(Debug)]
pub(crate) struct DevServer {
    server: Server,
    service_id: String,
    api_key: String,
    data: PathBuf,
    tls: Option<PathBuf>,
}

impl DevServer {
    /// Starts one with its data in `data`; STUN on a free port.
    pub(crate) async fn start(listen: SocketAddr, data: &Path) -> anyhow::Result<Self> {
        let mut config = Config::dev(listen, data);
        config.stun_listen = Some(SocketAddr::new(listen.ip(), 0));
        Self::with_config(config).await
    }

    /// Starts one with these settings.
    pub(crate) async fn with_config(mut config: Config) -> anyhow::Result<Self> {
        // The app server needs the key before the call server starts, so the database is opened once by itself.
        let store = ServiceStore::open(&config.data).await?;
        let (service, key) = store.ensure_dev().await?;
        store.close().await;
        let app_server = AppServerConfig {
            service_id: service.id.clone(),
            api_key: key.key.clone(),
            api_secret: key.secret,
            dev: true,
            data: Some(config.data.clone()),
            contact: None,
        };
        config.extra = Some(router(app_server)?);
        let (listen, data) = (config.listen, config.data.clone());
        let tls = config.tls.as_ref().map(|tls| tls.certificate.clone());
        let server = Server::start(config)
            .await
            .with_context(|| format!("the server cannot start on {listen}"))?;
        Ok(Self {
            server,
            service_id: service.id,
            api_key: key.key,
            data,
            tls,
        })
    }

    pub(crate) fn http_url(&self) -> String {
        self.server.http_url()
    }

    pub(crate) fn ws_url(&self) -> String {
        self.server.ws_url()
    }

    pub(crate) fn app_url(&self) -> String {
        format!("{}/app", self.server.http_url())
    }

    pub(crate) fn service_id(&self) -> &str {
        &self.service_id
    }

    /// The newest call record as JSON, if there is one.
    pub(crate) async fn newest_record(&self) -> Option<Value> {
        let records = self.server.store().records(1).await.ok()?;
        serde_json::to_value(records.first()?).ok()
    }

    pub(crate) async fn stop(self) {
        self.server.shutdown().await;
    }

    /// Says what can be done next.
    pub(crate) fn explain(&self) {
        let (app, ws) = (self.app_url(), self.ws_url());
        let http = self.http_url();
        let trust = match &self.tls {
            Some(certificate) => format!(" --root-certificate {}", certificate.display()),
            None => String::new(),
        };
        println!(
            "\nDevelopment server: anybody may sign in as anybody. Do not expose it.\n\
             service {}, API key {}…\n\n\
             Call from a browser: open {http} in two tabs, sign in as two people, and call one from the other.",
            self.service_id,
            &self.api_key[..12.min(self.api_key.len())],
        );
        let elsewhere = self.elsewhere();
        if self.tls.is_some() && !elsewhere.is_empty() {
            println!("From a phone or another machine (accept the warning about the certificate once):");
            for url in elsewhere {
                println!("  {url}");
            }
        }
        println!(
            "Or from two more terminals:\n  \
             duologue answer --as bob --auto --app-server {app} --server {ws}{trust}\n  \
             duologue call bob --as alice --app-server {app} --server {ws}{trust}\n\n\
             Without a microphone add --input tone and --output null, or WAV files.\n\
             Records: duologue records --data {}. Health: {http}/healthz. Metrics: {http}/metrics.",
            self.data.display(),
        );
        if let Some(stun) = self.server.stun_addr() {
            println!("STUN answers on {stun}.");
        }
    }

    /// URLs for other machines of the network, when the server listens for them.
    fn elsewhere(&self) -> Vec<String> {
        let address = self.server.addr();
        if !address.ip().is_unspecified() {
            return Vec::new();
        }
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        certificate::local_addresses()
            .into_iter()
            .filter(|ip| ip.is_ipv4() || address.is_ipv6())
            .map(|ip| format!("{scheme}://{}", SocketAddr::new(ip, address.port())))
            .collect()
    }
}
