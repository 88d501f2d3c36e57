//! TURN over TCP and TLS: one task a connection, which reads and writes for the thread.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use duologue_turn::Client;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

use super::Streams;
use super::engine::Inbound;
use crate::http::network;
use crate::hub::Hub;

/// Messages that wait for one connection: 1.3 s of a call. What comes then is dropped, as a full network would.
const OUTBOX: usize = 64;
/// A client that says nothing so long after connecting is no client.
const FIRST: Duration = Duration::from_secs(10);
/// An allocation lives 10 minutes without a refresh, and a client that has none has no reason to stay.
const SILENCE: Duration = Duration::from_secs(11 * 60);
/// A network that takes nothing for so long has lost the connection.
const STUCK: Duration = Duration::from_secs(30);
/// After an accept failed, for instance for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);
const READ: usize = 8_192;

/// How messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writes {
    /// What waits goes out together: TCP has no borders, and each call costs.
    Together,
    /// One each, which over TLS is one record each. Borders of records mean nothing to RFC 8656, but there are clients that
    /// take a record for a message, as they would a datagram, and lose what follows in it (coturn's `turnutils_uclient`).
    Apart,
}

/// Accepts TURN over TCP for as long as the server runs.
pub(crate) async fn accept(hub: Arc<Hub>, listener: TcpListener, streams: Streams) {
    let permits = Arc::new(Semaphore::new(
        hub.config.limits.connections.min(Semaphore::MAX_PERMITS),
    ));
    loop {
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a TURN connection cannot be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let allowed = hub.addresses.take(network(address.ip().to_canonical()), Instant::now());
        let Some(permit) = permits.clone().try_acquire_owned().ok().filter(|_| allowed) else {
            hub.metrics.connections_refused.increment();
            continue;
        };
        let streams = streams.clone();
        hub.spawn(async move {
            // Media must not wait for acknowledgements.
            if stream.set_nodelay(true).is_ok() {
                serve(stream, address, streams, Writes::Together).await;
            }
            drop(permit);
        });
    }
}

/// Serves one connection to its end.
pub(crate) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    address: SocketAddr,
    streams: Streams,
    writes: Writes,
) {
    let client = Client::Stream {
        connection: streams.next.fetch_add(1, Ordering::Relaxed),
        address: SocketAddr::new(address.ip().to_canonical(), address.port()),
    };
    let (outbox, mut waiting) = mpsc::channel::<Vec<u8>>(OUTBOX);
    if !streams.tell(Inbound::Opened { client, outbox }).await {
        return;
    }
    let (mut reader, mut writer) = tokio::io::split(stream);
    let read = async {
        let mut buffer = vec![0; READ];
        let mut patience = FIRST;
        while let Ok(Ok(length)) = timeout(patience, reader.read(&mut buffer)).await {
            let bytes = buffer[..length].to_vec();
            if length == 0 || !streams.tell(Inbound::Read { client, bytes }).await {
                return;
            }
            patience = SILENCE;
        }
    };
    let write = async {
        while let Some(mut bytes) = waiting.recv().await {
            while writes == Writes::Together
                && bytes.len() < READ
                && let Ok(more) = waiting.try_recv()
            {
                bytes.extend(more);
            }
            if !matches!(timeout(STUCK, writer.write_all(&bytes)).await, Ok(Ok(()))) {
                return;
            }
            if writer.flush().await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = read => {}
        () = write => {}
    }
    streams.tell(Inbound::Closed { client }).await;
}

impl Streams {
    /// Whether the thread still listens.
    async fn tell(&self, inbound: Inbound) -> bool {
        self.inbox.send(inbound).await.is_ok() && self.waker.wake().is_ok()
    }
}
