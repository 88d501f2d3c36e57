//! Connections and routes.

mod held;
mod rewound;

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Extension, State};
use axum::handler::Handler as _;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use crate::connection::{self, Peer};
use crate::hub::Hub;
use crate::turn::{self, Streams, Turn};
use crate::web::{self, Web};
use crate::wire::LONGEST;
use held::Held;
use rewound::Rewound;

/// A client that is slower at TLS, or at the head of a request, is not a phone.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// After an accept failed, for instance for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// Read and write buffer of a WebSocket. The library's own sizes make 138 kB of every idle connection.
const BUFFER: usize = 4_096;

/// The address at the other end of a connection.
#[derive(Debug, Clone, Copy)]
struct PeerAddress(IpAddr);

/// Accepts connections for as long as the server runs.
pub(crate) async fn accept(hub: Arc<Hub>, listener: TcpListener, tls: Option<TlsAcceptor>, extra: Option<Router>) {
    let router = routes(hub.clone(), extra);
    let permits = Arc::new(Semaphore::new(
        hub.config.limits.connections.min(Semaphore::MAX_PERMITS),
    ));
    loop {
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let Ok(permit) = permits.clone().try_acquire_owned() else {
            hub.metrics.connections_refused.increment();
            continue;
        };
        let (router, tls) = (router.clone(), tls.clone());
        let streams = hub.turn.as_ref().map(|turn| turn.streams().clone());
        hub.spawn(async move {
            // Without it the small messages of a call set-up wait for each other's acknowledgements, 40 ms at a time.
            let connected = match stream.set_nodelay(true) {
                Ok(()) => connect(Held::new(stream, permit), address, tls, router, streams).await,
                Err(error) => Err(error.to_string()),
            };
            if let Err(error) = connected {
                tracing::trace!(error, "connection failed");
            }
        });
    }
}

async fn connect(
    stream: Held<TcpStream>,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    streams: Option<Streams>,
) -> Result<(), String> {
    let router = router.layer(Extension(PeerAddress(address.ip().to_canonical())));
    match tls {
        None => speak(stream, router).await,
        Some(tls) => {
            let stream = tokio::time::timeout(HANDSHAKE, tls.accept(stream))
                .await
                .map_err(|_| "TLS took too long")?;
            let stream = stream.map_err(|error| error.to_string())?;
            let Some(streams) = streams else {
                return speak(stream, router).await;
            };
            let stream = tokio::time::timeout(HANDSHAKE, Rewound::look(stream))
                .await
                .map_err(|_| "nothing was said")?
                .map_err(|error| error.to_string())?;
            // STUN begins with two zero bits (RFC 8489 §5), a method of HTTP with a letter.
            if stream.first() < 0x40 {
                turn::serve(stream, address, streams, turn::Writes::Apart).await;
                return Ok(());
            }
            speak(stream, router).await
        }
    }
}

async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router) -> Result<(), String> {
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HANDSHAKE)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades()
        .await
        .map_err(|error| error.to_string())
}

fn routes(hub: Arc<Hub>, extra: Option<Router>) -> Router {
    let web = Web {
        page: hub.config.dev,
        folder: hub.config.web_folder.clone().map(Arc::new),
    };
    let own = Router::new()
        .route("/ws", get(upgrade))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(hub);
    let all = match extra {
        Some(extra) => own.merge(extra),
        None => own,
    };
    all.fallback_service(web::serve.with_state(web))
}

async fn ready(State(hub): State<Arc<Hub>>) -> Response {
    if hub.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n").into_response();
    }
    match hub.store.next_due().await {
        Ok(_) => "ready\n".into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response(),
    }
}

async fn metrics(State(hub): State<Arc<Hub>>) -> Response {
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4")],
        hub.metrics.render(hub.turn.as_ref().map(Turn::snapshot)),
    )
        .into_response()
}

async fn upgrade(
    State(hub): State<Arc<Hub>>,
    Extension(PeerAddress(address)): Extension<PeerAddress>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !hub.addresses.take(network(address), Instant::now()) {
        hub.metrics.connections_refused.increment();
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let peer = Peer {
        address,
        origin: text(header::ORIGIN).map(str::to_owned),
        host: text(header::HOST).map(without_port).map(str::to_owned),
    };
    upgrade
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_message_size(LONGEST)
        .max_frame_size(LONGEST)
        .on_upgrade(async move |socket| {
            let task = connection::run(hub.clone(), socket, peer);
            hub.spawn(task);
        })
}

/// What one customer of a network provider has: an IPv4 address or an IPv6 /64.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

/// The host of a `Host` header (RFC 9110 §7.2).
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty() => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_not_part_of_the_host() {
        for (header, host) in [
            ("example.org", "example.org"),
            ("example.org:8080", "example.org"),
            ("[2001:db8::1]:8080", "[2001:db8::1]"),
            ("[2001:db8::1]", "[2001:db8::1]"),
            ("127.0.0.1:1", "127.0.0.1"),
        ] {
            assert_eq!(without_port(header), host);
        }
    }

    #[test]
    fn an_ipv6_customer_is_one_customer() {
        let parse = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(network(parse("2001:db8:1:2:3:4:5:6")), parse("2001:db8:1:2::"));
        assert_eq!(network(parse("192.0.2.1")), parse("192.0.2.1"));
    }
}
