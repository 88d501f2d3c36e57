//! The TCP and TLS connections to TURN servers: a task each, on the runtime that made the call. The media thread never waits for them.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::command::{Command, CommandSender};
use super::websocket;
use crate::Config;
use crate::engine::StreamKey;

/// From the first SYN to the end of the TLS handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Writes that wait for a stream: 1.3 s of audio. What is beyond is lost, as on a full network.
const MOST_WRITES: usize = 64;
/// Read at once.
const BUFFER: usize = 4096;

/// All streams of a call.
pub(super) struct Streams {
    runtime: Handle,
    media: CommandSender,
    /// `None`: TLS cannot be set up, so that streams that need it fail.
    tls: Option<TlsConnector>,
    open: HashMap<StreamKey, Open>,
    /// Tells a stream from an earlier one of the same name, whose last words may still be under way.
    serial: u64,
    dropped: u64,
}

struct Open {
    serial: u64,
    writer: mpsc::Sender<Vec<u8>>,
}

/// What happened to a stream.
#[derive(Debug)]
pub(crate) enum StreamEvent {
    /// It is open, TLS included.
    Open,
    /// Bytes, cut anywhere.
    Bytes(Vec<u8>),
    /// It broke, was closed, or could not be opened.
    Closed,
}

impl Streams {
    pub(super) fn new(runtime: Handle, config: &Config, media: CommandSender) -> Self {
        Self {
            runtime,
            media,
            tls: websocket::tls_connector(config).ok(),
            open: HashMap::new(),
            serial: 0,
            dropped: 0,
        }
    }

    /// Begins to connect. What comes of it arrives as [`Command::Stream`].
    pub(super) fn open(&mut self, key: StreamKey, local: IpAddr, remote: SocketAddr, tls: Option<String>) {
        self.serial += 1;
        let (writer, writes) = mpsc::channel(MOST_WRITES);
        let serial = self.serial;
        self.open.insert(key, Open { serial, writer });
        let name = tls.map(|name| (self.tls.clone(), name));
        let reporter = Reporter {
            media: self.media.clone(),
            key,
            serial,
        };
        self.runtime.spawn(async move {
            if let Err(error) = run(local, remote, name, writes, &reporter).await {
                tracing::debug!(%error, "a stream to a relay is gone");
            }
            reporter.tell(StreamEvent::Closed).await;
        });
    }

    /// Queues bytes, all of them or none.
    pub(super) fn write(&mut self, key: StreamKey, bytes: Vec<u8>) {
        let taken = self.open.get(&key).map(|open| open.writer.try_send(bytes));
        self.dropped += u64::from(!matches!(taken, Some(Ok(()))));
    }

    /// Closes a stream after what was queued.
    pub(super) fn close(&mut self, key: StreamKey) {
        self.open.remove(&key);
    }

    /// Whether something that a stream said is of its present connection; a last word forgets it.
    pub(super) fn is_current(&mut self, key: StreamKey, serial: u64, event: &StreamEvent) -> bool {
        let current = self.open.get(&key).is_some_and(|open| open.serial == serial);
        if current && matches!(event, StreamEvent::Closed) {
            self.open.remove(&key);
        }
        current
    }

    /// Writes that found no room.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}

struct Reporter {
    media: CommandSender,
    key: StreamKey,
    serial: u64,
}

impl Reporter {
    /// False when nobody listens any more.
    async fn tell(&self, event: StreamEvent) -> bool {
        let (key, serial) = (self.key, self.serial);
        websocket::tell(&self.media, Command::Stream { key, serial, event }).await
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Carries bytes both ways until either side is done.
async fn run(
    local: IpAddr,
    remote: SocketAddr,
    tls: Option<(Option<TlsConnector>, String)>,
    mut writes: mpsc::Receiver<Vec<u8>>,
    reporter: &Reporter,
) -> io::Result<()> {
    let connecting = timeout(CONNECT_TIMEOUT, connect(local, remote, tls));
    let stream = connecting.await.map_err(|_| io::ErrorKind::TimedOut)??;
    if !reporter.tell(StreamEvent::Open).await {
        return Ok(());
    }
    let (mut reader, mut writer) = tokio::io::split(stream);
    let reading = async {
        let mut buffer = vec![0; BUFFER];
        loop {
            let length = reader.read(&mut buffer).await?;
            if length == 0 || !reporter.tell(StreamEvent::Bytes(buffer[..length].to_vec())).await {
                return Ok::<(), io::Error>(());
            }
        }
    };
    let writing = async {
        while let Some(bytes) = writes.recv().await {
            writer.write_all(&bytes).await?;
            writer.flush().await?;
        }
        writer.shutdown().await
    };
    tokio::select! {
        result = reading => result,
        result = writing => result,
    }
}

async fn connect(
    local: IpAddr,
    remote: SocketAddr,
    tls: Option<(Option<TlsConnector>, String)>,
) -> io::Result<Box<dyn Stream>> {
    let socket = if local.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // Each network has its own way to the server, so that losing one leaves the others.
    socket.bind(SocketAddr::new(local, 0))?;
    let stream = socket.connect(remote).await?;
    stream.set_nodelay(true)?;
    let Some((connector, name)) = tls else {
        return Ok(Box::new(stream));
    };
    let connector = connector.ok_or_else(|| io::Error::other("TLS cannot be set up"))?;
    let name = rustls::pki_types::ServerName::try_from(name).map_err(io::Error::other)?;
    Ok(Box::new(connector.connect(name, stream).await?))
}
