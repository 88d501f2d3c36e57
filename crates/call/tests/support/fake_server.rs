//! A call server that says what a test wants, over a real WebSocket on the loopback interface.

use std::net::SocketAddr;

use duologue_signaling::link::Link;
use duologue_signaling::message::{Policy, Welcome};
use duologue_signaling::{ClientMessage, Envelope, ServerMessage, decode, encode};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// Listens on a free port.
pub(crate) struct FakeServer {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
}

/// One connection, greeted.
pub(crate) struct Connection {
    stream: WebSocketStream<TcpStream>,
    link: Link<ServerMessage>,
}

impl FakeServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener, address }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/ws", self.address)
    }

    /// The next connection, let in.
    pub(crate) async fn accept(&self) -> Connection {
        let (stream, _) = self.listener.accept().await.unwrap();
        let stream = tokio_tungstenite::accept_async(stream).await.unwrap();
        let mut connection = Connection {
            stream,
            link: Link::new(),
        };
        let hello = connection.next_envelope().await.expect("a hello");
        assert!(matches!(hello.msg, ClientMessage::Hello(_)), "{hello:?}");
        connection.link.restart();
        let welcome = ServerMessage::Welcome(Box::new(Welcome {
            session: "test".into(),
            resume: "resume".into(),
            heartbeat_ms: 10_000,
            resumed: false,
            ice_servers: Vec::new(),
            policy: Policy::default(),
        }));
        let welcome = connection.link.wrap(welcome);
        connection.write(&welcome).await;
        connection
    }
}

impl Connection {
    pub(crate) async fn say(&mut self, message: ServerMessage) {
        self.link.send(message).unwrap();
        self.flush().await;
    }

    /// The next message that is about the call; `None` when the client is gone.
    pub(crate) async fn next(&mut self) -> Option<ClientMessage> {
        loop {
            let envelope = self.next_envelope().await?;
            let message = self.link.handle(envelope);
            self.flush().await;
            match message {
                Some(ClientMessage::Ping) => {
                    let pong = self.link.wrap(ServerMessage::Pong);
                    self.write(&pong).await;
                }
                Some(ClientMessage::Ack) | None => {}
                Some(message) => return Some(message),
            }
        }
    }

    async fn next_envelope(&mut self) -> Option<Envelope<ClientMessage>> {
        loop {
            match self.stream.next().await? {
                Ok(Message::Text(text)) => return Some(decode(text.as_str()).unwrap()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    async fn flush(&mut self) {
        while let Some(envelope) = self.link.poll_transmit() {
            self.write(&envelope).await;
        }
    }

    async fn write(&mut self, envelope: &Envelope<ServerMessage>) {
        // A client that is gone is noticed by reading.
        let _ = self.stream.send(Message::text(encode(envelope))).await;
    }
}
