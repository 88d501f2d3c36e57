//! The signalling connection: a task that connects, carries text both ways, and connects again.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use duologue_signaling::DisconnectReason;
use duologue_signaling::limits;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::Uri;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::command::{Command, CommandSender, Refused};
use crate::Config;

/// From the name look-up to the WebSocket's first byte.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A message that the network does not take in this time: the connection is as good as gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause before connecting again, doubled at each failure.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long to wait when the media thread takes no more commands.
const FULL_PAUSE: Duration = Duration::from_millis(5);
/// Longest URL (the contract's limit).
const MAX_URL: usize = 2048;

/// Something for the server.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// The connection that it is meant for; on any other it is dropped, because the protocol sends again what matters.
    pub(crate) epoch: u64,
    /// One text message; `None` closes the connection, because nobody answers on it.
    pub(crate) text: Option<String>,
}

/// Where to connect, checked.
#[derive(Clone)]
struct Target {
    host: String,
    port: u16,
    url: String,
    tls: Option<(TlsConnector, rustls::pki_types::ServerName<'static>)>,
}

/// Connects until `outgoing` is closed, which is the media thread's way to say that nothing is left to tell.
pub(crate) async fn run(
    config: Config,
    mut outgoing: mpsc::Receiver<Outgoing>,
    media: CommandSender,
    mut network: watch::Receiver<Vec<IpAddr>>,
) {
    let target = match Target::new(&config) {
        Ok(target) => target,
        Err(reason) => {
            // Nothing will ever come of it, so the call is told once and the task is over.
            tell(&media, Command::SignalClosed { failure: Some(reason) }).await;
            while outgoing.recv().await.is_some() {}
            return;
        }
    };
    let mut pause = FIRST_PAUSE;
    for epoch in 1.. {
        let began = Instant::now();
        let connection = tokio::select! {
            connection = timeout(CONNECT_TIMEOUT, target.connect()) => connection,
            () = changed(&mut network) => {
                // The way that this connection was taking may be gone: another is tried at once.
                pause = FIRST_PAUSE;
                continue;
            }
            () = until_closed(&mut outgoing) => return,
        };
        let failure = match connection.unwrap_or(Err(DisconnectReason::ServiceHttpConnectionTimeOut)) {
            Ok(Connected { stream, address, local }) => {
                tracing::debug!(epoch, "signalling connection is up");
                if !tell(
                    &media,
                    Command::SignalOpen {
                        epoch,
                        server: (target.host.clone(), address),
                    },
                )
                .await
                {
                    return;
                }
                match carry(stream, epoch, &mut outgoing, &media, local, &mut network).await {
                    Carried::Done => return,
                    Carried::Broken => {}
                    Carried::Moved => {
                        tracing::debug!(epoch, "the address of the signalling connection is gone");
                        if !tell(&media, Command::SignalClosed { failure: None }).await {
                            return;
                        }
                        pause = FIRST_PAUSE;
                        continue;
                    }
                }
                tracing::debug!(epoch, "signalling connection is gone");
                None
            }
            Err(reason) => {
                tracing::debug!(epoch, reason = reason.str_code(), "no signalling connection");
                Some(reason)
            }
        };
        if !tell(&media, Command::SignalClosed { failure }).await {
            return;
        }
        if began.elapsed() > LONGEST_PAUSE {
            pause = FIRST_PAUSE;
        }
        // Half of the pause is random, so that the clients of a server that comes back do not come all at once.
        let part = f64::from(crate::entropy::byte()) / 255.0;
        tokio::select! {
            () = sleep(pause.mul_f64(0.5 + 0.5 * part)) => {}
            () = changed(&mut network) => {
                pause = FIRST_PAUSE;
                continue;
            }
            () = until_closed(&mut outgoing) => return,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Drops what was meant for a connection that is gone; resolves when the media thread has nothing left to tell.
async fn until_closed(outgoing: &mut mpsc::Receiver<Outgoing>) {
    while outgoing.recv().await.is_some() {}
}

/// Resolves at the next change of the network.
async fn changed(network: &mut watch::Receiver<Vec<IpAddr>>) {
    if network.changed().await.is_err() {
        // The media thread is gone: whoever waits has another reason to stop.
        std::future::pending::<()>().await;
    }
}

#[derive(PartialEq, Eq)]
enum Carried {
    /// The connection broke or was closed by the server.
    Broken,
    /// The address that it was made from is gone.
    Moved,
    /// There is nothing left to tell.
    Done,
}

/// Carries messages until the connection breaks or nothing is left to tell.
async fn carry(
    stream: WebSocketStream<Box<dyn Stream>>,
    epoch: u64,
    outgoing: &mut mpsc::Receiver<Outgoing>,
    media: &CommandSender,
    local: IpAddr,
    network: &mut watch::Receiver<Vec<IpAddr>>,
) -> Carried {
    let (mut sink, mut stream) = stream.split();
    loop {
        tokio::select! {
            message = outgoing.recv() => {
                let Some(message) = message else {
                    // Politeness with a limit: the server may be gone.
                    let _ = timeout(Duration::from_secs(1), sink.close()).await;
                    return Carried::Done;
                };
                if message.epoch != epoch {
                    continue;
                }
                let Some(text) = message.text else { return Carried::Broken };
                match timeout(SEND_TIMEOUT, sink.send(Message::text(text))).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) | Err(_) => return Carried::Broken,
                }
            }
            () = changed(network) => {
                if !local.is_loopback() && !network.borrow_and_update().contains(&local) {
                    return Carried::Moved;
                }
            }
            message = stream.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    if !tell(media, Command::Signal(text.as_str().to_owned())).await {
                        return Carried::Done;
                    }
                }
                // Pings are answered by the library; binary messages are not part of the protocol.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Carried::Broken,
            }
        }
    }
}

/// Hands a command to the media thread, waiting while it is busy; false when the thread is gone.
pub(super) async fn tell(media: &CommandSender, mut command: Command) -> bool {
    loop {
        match media.try_send(command) {
            Ok(()) => return true,
            Err((Refused::Gone, _)) => return false,
            Err((Refused::Full, returned)) => {
                command = returned;
                sleep(FULL_PAUSE).await;
            }
        }
    }
}

impl Target {
    /// Reads the URL and prepares TLS.
    fn new(config: &Config) -> Result<Self, DisconnectReason> {
        let invalid = DisconnectReason::ServiceHttpInvalidUrl;
        if config.server_url.len() > MAX_URL {
            return Err(invalid);
        }
        let uri: Uri = config.server_url.parse().map_err(|_| invalid)?;
        let host = uri.host().ok_or(invalid)?.trim_matches(['[', ']']).to_owned();
        let secure = match uri.scheme_str() {
            Some("wss") => true,
            Some("ws") => false,
            _ => return Err(invalid),
        };
        if !secure && !config.allow_insecure && !is_loopback(&host) {
            return Err(invalid);
        }
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let authority = uri.authority().ok_or(invalid)?;
        let path = match uri.path_and_query().map_or("/", |path| path.as_str()) {
            "/" => "/ws",
            path => path,
        };
        let scheme = if secure { "wss" } else { "ws" };
        let url = format!("{scheme}://{authority}{path}");
        let tls = if secure {
            let name = rustls::pki_types::ServerName::try_from(host.clone()).map_err(|_| invalid)?;
            Some((tls_connector(config)?, name))
        } else {
            None
        };
        Ok(Self { host, port, url, tls })
    }

    async fn connect(&self) -> Result<Connected, DisconnectReason> {
        let addresses = tokio::net::lookup_host((self.host.as_str(), self.port))
            .await
            .map_err(|_| DisconnectReason::ServiceHttpInvalidUrl)?;
        let mut failure = DisconnectReason::ServiceHttpInvalidUrl;
        let mut connected = None;
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    connected = Some((stream, address.ip()));
                    break;
                }
                Err(error) => failure = tcp_failure(&error),
            }
        }
        let (stream, address) = connected.ok_or(failure)?;
        let local = stream.local_addr().map_err(|error| tcp_failure(&error))?.ip();
        // Messages are small and each is waited for.
        stream.set_nodelay(true).map_err(|error| tcp_failure(&error))?;
        let stream: Box<dyn Stream> = match &self.tls {
            Some((connector, name)) => Box::new(
                connector
                    .connect(name.clone(), stream)
                    .await
                    .map_err(|error| tls_failure(&error))?,
            ),
            None => Box::new(stream),
        };
        let request = self
            .url
            .as_str()
            .into_client_request()
            .map_err(|_| DisconnectReason::ServiceHttpInvalidUrl)?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(limits::MESSAGE))
            .max_frame_size(Some(limits::MESSAGE))
            .read_buffer_size(16 * 1024);
        let (stream, _) = client_async_with_config(request, stream, Some(config))
            .await
            .map_err(|error| ws_failure(&error))?;
        Ok(Connected { stream, address, local })
    }
}

/// A connection that stands: the server's address, and the one that it is spoken to from.
struct Connected {
    stream: WebSocketStream<Box<dyn Stream>>,
    address: IpAddr,
    local: IpAddr,
}

/// What a WebSocket can run on.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// TLS with the crypto provider named: a process-wide default may be missing, or be another's.
pub(super) fn tls_connector(config: &Config) -> Result<TlsConnector, DisconnectReason> {
    let mut roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    for root in &config.extra_roots {
        roots
            .add(rustls::pki_types::CertificateDer::from(root.clone()))
            .map_err(|_| DisconnectReason::ServiceHttpInvalidPeerCert)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| DisconnectReason::InternalKitError)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(tls)))
}

fn tcp_failure(error: &io::Error) -> DisconnectReason {
    match error.kind() {
        io::ErrorKind::TimedOut => DisconnectReason::ServiceHttpConnectionTimeOut,
        _ => DisconnectReason::ServiceHttpConnectFail,
    }
}

fn tls_failure(error: &io::Error) -> DisconnectReason {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::InvalidCertificate(_)) => DisconnectReason::ServiceHttpInvalidPeerCert,
        Some(_) => DisconnectReason::ServiceHttpError,
        None => tcp_failure(error),
    }
}

fn ws_failure(error: &WsError) -> DisconnectReason {
    match error {
        WsError::Http(response) => match response.status().as_u16() {
            429 => DisconnectReason::ServiceTooManyRequests,
            503 => DisconnectReason::ServiceMaintenance,
            _ => DisconnectReason::ServiceHttpError,
        },
        WsError::Io(error) => tcp_failure(error),
        WsError::Url(_) => DisconnectReason::ServiceHttpInvalidUrl,
        _ => DisconnectReason::ServiceHttpError,
    }
}

#[cfg(test)]
mod tests;
