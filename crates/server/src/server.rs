//! Starts and stops everything.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::callback::{CallbackClient, CallbackError};
use crate::config::{Config, ConfigError, TlsConfig};
use crate::hub::{Hub, HubParts};
use crate::seal::Keys;
use crate::store::{ServiceStore, StoreError, Writer};
use crate::turn::{self, Credentials, SecretError, Turn};
use crate::{http, outbox, stun};

/// When stopping, how long devices whose call has just ended are given to hear of it.
const FAREWELL: Duration = Duration::from_secs(1);

/// A running call server. Dropping it stops it where it stands, as a crash would; calls are taken up at the next start.
#[derive(Debug)]
pub struct Server {
    hub: Arc<Hub>,
    address: SocketAddr,
    stun_address: Option<SocketAddr>,
    tls: bool,
    stopped: watch::Receiver<bool>,
}

/// The server cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration makes no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An address cannot be listened on.
    #[error("cannot listen on {what} {address}: {source}")]
    Listen {
        /// `TCP`, `UDP (STUN)` or `TCP (TURN)`.
        what: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("TLS, {path}: {problem}")]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A secret of TURN cannot be used.
    #[error(transparent)]
    TurnSecret(#[from] SecretError),
    /// Callbacks cannot be sent.
    #[error("callbacks: {0}")]
    Callbacks(#[from] CallbackError),
}

impl Server {
    /// Starts a server within the current tokio runtime. It listens when this resolves.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    pub async fn start(mut config: Config) -> Result<Self, StartError> {
        config.check()?;
        let tls = config.tls.as_ref().map(acceptor).transpose()?;
        let callbacks = CallbackClient::new(&config.callbacks)?;
        let store = ServiceStore::open(&config.data).await?;
        let keys = Keys::new(store.server_keys().await?);
        let failed = |what, address| move |source| StartError::Listen { what, address, source };
        let listener = TcpListener::bind(config.listen)
            .await
            .map_err(failed("TCP", config.listen))?;
        let address = listener.local_addr().map_err(failed("TCP", config.listen))?;
        let stun = match config.stun_listen {
            None => None,
            Some(wanted) => {
                let failed = || failed("UDP (STUN)", wanted);
                let socket = stun::bind(wanted, config.dev).await.map_err(failed())?;
                let bound = socket.local_addr().map_err(failed())?;
                Some((socket, bound))
            }
        };
        let any_port = config.dev || config.stun_listen.is_some_and(|wanted| wanted.port() == 0);
        let relaying = config.turn.enabled && config.turn.urls.is_empty() && stun.is_some();
        let mut relays = (relaying || !config.turn.urls.is_empty())
            .then(|| Credentials::open(&config.turn, &config.data))
            .transpose()?;
        let stun_address = stun.as_ref().map(|(_, address)| *address);
        let mut turn_listener = None;
        let turn = match stun {
            None => None,
            Some((socket, bound)) => {
                let own = relays.as_mut().filter(|_| relaying);
                let secrets = own.as_ref().map(|own| own.secrets()).unwrap_or_default();
                let failed = || failed("UDP (STUN)", bound);
                let running = Turn::start(turn::core_config(&config, bound, secrets), socket).map_err(failed())?;
                if let Some(own) = own {
                    turn_listener = stream_listener(bound, any_port).await?;
                    let tcp = turn_listener.as_ref().map_or(0, |_| bound.port());
                    let tls_port = tls.as_ref().map_or(0, |_| address.port());
                    own.set_own([bound.port(), tcp, tls_port]);
                }
                Some(running)
            }
        };
        if config.dev {
            tracing::warn!("development mode: anybody may sign in as anybody");
            own_callbacks(&store, address, tls.is_some()).await?;
        }
        let extra = config.extra.take();
        let (writer, writing) = Writer::new(store.clone());
        let stun_port = stun_address.map_or(0, |address| address.port());
        let hub = Arc::new(Hub::new(HubParts {
            config,
            store,
            writer,
            keys,
            callbacks,
            stun_port,
            turn,
            relays,
        }));
        hub.spawn(writing);
        let live = hub.store.live_calls().await?;
        if !live.is_empty() {
            tracing::info!(calls = live.len(), "calls of the last run are taken up");
        }
        for journal in live {
            hub.restore(journal);
        }
        hub.spawn(outbox::run(hub.clone()));
        if let Some((listener, turn)) = turn_listener.zip(hub.turn.as_ref()) {
            hub.spawn(turn::accept(hub.clone(), listener, turn.streams().clone()));
        }
        let (stop, stopped) = watch::channel(false);
        let (accepting, is_tls) = (http::accept(hub.clone(), listener, tls, extra), stop);
        let tls = hub.config.tls.is_some();
        hub.spawn(async move {
            // Dropped with the task, which tells whoever waits.
            let _stop = is_tls;
            accepting.await;
        });
        tracing::info!(%address, tls, "call server listens");
        Ok(Self {
            hub,
            address,
            stun_address,
            tls,
            stopped,
        })
    }

    /// Where HTTP and WebSocket listen.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Where STUN listens, if it does.
    pub fn stun_addr(&self) -> Option<SocketAddr> {
        self.stun_address
    }

    /// The URL of HTTP, for a client on this machine when the server listens everywhere.
    pub fn http_url(&self) -> String {
        format!(
            "{}://{}",
            if self.tls { "https" } else { "http" },
            reachable(self.address)
        )
    }

    /// The URL of the signalling, likewise.
    pub fn ws_url(&self) -> String {
        format!(
            "{}://{}/ws",
            if self.tls { "wss" } else { "ws" },
            reachable(self.address)
        )
    }

    /// The database.
    pub fn store(&self) -> &ServiceStore {
        &self.hub.store
    }

    /// Takes no new calls, waits for those that are going on (`limits.drain_ms`), and stops. What still goes on then is
    /// taken up at the next start; media between the devices is not touched.
    pub async fn shutdown(self) {
        self.hub.drain();
        let drain = Duration::from_millis(self.hub.config.limits.drain_ms);
        self.wait_for_calls(drain, |(running, _)| running == 0).await;
        self.wait_for_calls(FAREWELL.min(drain), |(_, known)| known == 0).await;
        self.hub.writer.flush().await;
        self.hub.abort();
        self.hub.store.close().await;
    }

    async fn wait_for_calls(&self, patience: Duration, enough: impl Fn((usize, usize)) -> bool) {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let over = self.hub.call_over.notified();
            tokio::pin!(over);
            // From here on a call's end wakes this task, also one between the look and the wait.
            over.as_mut().enable();
            if enough(self.hub.calls()) || tokio::time::timeout_at(deadline, over).await.is_err() {
                return;
            }
        }
    }

    /// Resolves when the server no longer accepts connections, which only a fault makes it do.
    pub async fn wait(&self) {
        let mut stopped = self.stopped.clone();
        // The sender never says `true`: it is dropped.
        while stopped.changed().await.is_ok() {}
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.hub.abort();
    }
}

/// TURN over TCP, on the port number of UDP. Where that may be any free one, TCP is left out when its twin is busy.
async fn stream_listener(bound: SocketAddr, any_port: bool) -> Result<Option<TcpListener>, StartError> {
    match TcpListener::bind(bound).await {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if any_port => {
            tracing::warn!(%bound, %error, "no TURN over TCP");
            Ok(None)
        }
        Err(source) => Err(StartError::Listen {
            what: "TCP (TURN)",
            address: bound,
            source,
        }),
    }
}

/// In development the callbacks come to this very server, where the reference app server is.
async fn own_callbacks(store: &ServiceStore, address: SocketAddr, tls: bool) -> Result<(), StoreError> {
    let (service, _) = store.ensure_dev().await?;
    let base = format!("{}://{}/app", if tls { "https" } else { "http" }, reachable(address));
    store
        .set_callbacks(
            &service.id,
            Some(&format!("{base}/notify")),
            Some(&format!("{base}/call-event")),
        )
        .await
}

/// An address to connect to, from this machine, for an address to listen on.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        // Linux takes IPv4 on `[::]` too, and loopback has it even where IPv6 is switched off.
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn acceptor(config: &TlsConfig) -> Result<TlsAcceptor, StartError> {
    let failed = |path: &PathBuf, problem: String| StartError::Tls {
        path: path.clone(),
        problem,
    };
    let certificates = CertificateDer::pem_file_iter(&config.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| failed(&config.certificate, error.to_string()))?;
    let key = PrivateKeyDer::from_pem_file(&config.key).map_err(|error| failed(&config.key, error.to_string()))?;
    // The provider is named: the process may have none as its default, or another.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&config.certificate, error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(|error| failed(&config.certificate, error.to_string()))?;
    // RFC 7443: TURN may say what it is; it is told by its first byte in any case.
    tls.alpn_protocols = vec![b"http/1.1".to_vec(), b"stun.turn".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(tls)))
}
