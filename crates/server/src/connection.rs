//! A client's connection: who it is, and which call it belongs to.

mod admission;

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::ws::WebSocket;
use duologue_signaling::ids::{CallId, PartyId};
use duologue_signaling::link::Link;
use duologue_signaling::message::{IceServer, MakeCall, Welcome};
use duologue_signaling::server::Refusal;
use duologue_signaling::{CcParamError, ClientMessage, DisconnectReason, Envelope, ServerMessage};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

use crate::call::{Input, Joining};
use crate::clock::unix_seconds;
use crate::hub::{CallHandle, Hub, NewCall};
use crate::seal::Resume;
pub(crate) use crate::wire::Outlet;
use crate::wire::{Closed, Wire};
use admission::Identity;

/// How long a resume token is good, from the last time that its session had a connection.
const RESUME_AGE: u64 = 12 * 60 * 60;

/// Where a connection comes from.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    /// What a browser says about the page that connects.
    pub(crate) origin: Option<String>,
    /// The host by which the client knows this server, without the port.
    pub(crate) host: Option<String>,
}

/// Serves one connection to its end.
pub(crate) async fn run(hub: Arc<Hub>, socket: WebSocket, peer: Peer) {
    hub.metrics.connections.add(1);
    let (mut wire, outlet) = Wire::new(hub.clone(), socket);
    // However it ends, it is over.
    let _ = serve(&hub, &mut wire, outlet, peer).await;
    hub.metrics.connections.add(-1);
}

async fn serve(hub: &Arc<Hub>, wire: &mut Wire, outlet: Outlet, peer: Peer) -> Result<(), Closed> {
    let Ok(first) = timeout(hub.config.limits.first_message(), wire.next()).await else {
        wire.refuse(DisconnectReason::ServiceAccessTokenError, "hello did not come in time")
            .await;
        return Err(Closed);
    };
    let first = first?;
    let ClientMessage::Hello(hello) = first.msg else {
        wire.refuse(
            DisconnectReason::ServiceAccessTokenError,
            "the first message must be hello",
        )
        .await;
        return Err(Closed);
    };
    let identity = match admission::admit(hub, &hello, &peer).await {
        Ok(identity) => identity,
        Err(refused) => {
            hub.metrics.sessions_refused.increment();
            tracing::debug!(reason = refused.reason.str_code(), refused.message, "client not let in");
            wire.refuse(refused.reason, refused.message).await;
            return Err(Closed);
        }
    };
    let welcome = welcome(hub, &identity, &peer);
    if identity.resumes
        && let Some((call, party)) = hub.session(&identity.session)
    {
        let connection = outlet.id();
        let resume = Input::Resume {
            party,
            ack: first.ack,
            outlet,
            welcome: Box::new(welcome),
        };
        call.send(resume).await.map_err(|_| Closed)?;
        return forward(wire, &call, party, connection).await;
    }
    hub.metrics.sessions_started.increment();
    let mut link = Link::new();
    link.restart();
    outlet.send(&link.wrap(ServerMessage::Welcome(Box::new(welcome))));
    Lobby {
        hub,
        identity,
        peer,
        link,
        outlet: Some(outlet),
    }
    .run(wire)
    .await
}

fn welcome(hub: &Hub, identity: &Identity, peer: &Peer) -> Welcome {
    let resume = Resume {
        session: identity.session.clone(),
        user: identity.user.clone(),
        may_call: identity.may_call,
        expires: unix_seconds() + RESUME_AGE,
    };
    let stun = hub
        .config
        .public_host
        .clone()
        .or_else(|| peer.host.clone())
        .filter(|_| hub.stun_port != 0);
    let host = stun.map(|host| {
        if host.contains(':') && !host.starts_with('[') {
            format!("[{host}]")
        } else {
            host
        }
    });
    let stun = host.as_ref().map(|host| IceServer {
        urls: vec![format!("stun:{host}:{}", hub.stun_port)],
        username: None,
        credential: None,
    });
    // One credential a session: its quota of relays is the session's.
    let relays = hub.relays.as_ref();
    let turn = relays.and_then(|relays| relays.ice_server(host.as_deref(), &identity.session, unix_seconds()));
    Welcome {
        session: identity.session.clone(),
        resume: hub.keys.seal_resume(&resume),
        heartbeat_ms: hub.config.limits.heartbeat_ms,
        resumed: false,
        ice_servers: stun.into_iter().chain(turn).collect(),
        policy: hub.config.policy(identity.user.service_id.as_str()).for_clients(),
    }
}

/// From now on the call decides what the client hears.
async fn forward(wire: &mut Wire, call: &CallHandle, party: PartyId, connection: u64) -> Result<(), Closed> {
    while let Ok(envelope) = wire.next().await {
        call.send(Input::Message {
            party,
            connection,
            envelope,
        })
        .await
        .map_err(|_| Closed)?;
    }
    call.send(Input::Lost { party, connection }).await.map_err(|_| Closed)
}

/// The outlet is gone: the connection closes after what was sent, whatever the client goes on saying.
async fn farewell(wire: &mut Wire) -> Result<(), Closed> {
    loop {
        wire.next().await?;
    }
}

/// A session before it belongs to a call.
struct Lobby<'a> {
    hub: &'a Arc<Hub>,
    identity: Identity,
    peer: Peer,
    link: Link<ServerMessage>,
    /// None: the client was told that there is no call, and only has to go.
    outlet: Option<Outlet>,
}

impl Lobby<'_> {
    async fn run(mut self, wire: &mut Wire) -> Result<(), Closed> {
        // A client that takes up a session which is forgotten has a call that is over, unless it asks for one again.
        let limits = &self.hub.config.limits;
        let patience = if self.identity.resumes {
            limits.first_message()
        } else {
            limits.idle()
        };
        // One deadline, so that pings do not keep a place that no call needs.
        let deadline = Instant::now() + patience;
        loop {
            let Ok(envelope) = timeout_at(deadline, wire.next()).await else {
                self.end(&Refusal::new(DisconnectReason::ReleasedCall));
                break;
            };
            let message = self.link.handle(envelope?);
            match message {
                Some(ClientMessage::MakeCall(make)) => {
                    let Some(outlet) = self.outlet.take() else { break };
                    let connection = outlet.id();
                    let call = self.make_call(*make, outlet);
                    return forward(wire, &call, PartyId::CALLER, connection).await;
                }
                Some(ClientMessage::VerifyCall { cc_param }) => {
                    let Some(outlet) = self.outlet.take() else { break };
                    let connection = outlet.id();
                    return match self.verify_call(&cc_param, outlet).await {
                        Some((call, party)) => forward(wire, &call, party, connection).await,
                        None => farewell(wire).await,
                    };
                }
                Some(ClientMessage::Ping) => {
                    self.say(&self.link.wrap(ServerMessage::Pong));
                }
                Some(_) if self.identity.resumes => {
                    self.end(&Refusal::new(DisconnectReason::ReleasedCall));
                    break;
                }
                _ => {}
            }
            while let Some(envelope) = self.link.poll_transmit() {
                self.say(&envelope);
            }
        }
        drop(self);
        farewell(wire).await
    }

    fn make_call(self, make: MakeCall, outlet: Outlet) -> CallHandle {
        let setup = Hub::new_setup(new_sid(), self.identity.user.clone(), make, self.peer.address);
        // Calls stay within a service: its app server is the only one that may be asked to push to its users.
        let reason = if !self.identity.may_call {
            Some(DisconnectReason::ServiceAccessTokenError)
        } else if setup.callee.service_id != setup.caller.service_id || setup.callee == setup.caller {
            Some(DisconnectReason::ServiceInvalidId)
        } else {
            None
        };
        let new = NewCall {
            setup,
            refusal: reason.map(Refusal::new),
        };
        self.hub.start_call(new, self.joining(outlet))
    }

    /// `None`: refused, and the client was told.
    async fn verify_call(mut self, cc_param: &str, outlet: Outlet) -> Option<(CallHandle, PartyId)> {
        let opened = self
            .hub
            .keys
            .open_cc_param(cc_param, &self.identity.user, unix_seconds());
        let call = opened
            .map_err(|error| refused_cc_param(&error))
            .and_then(|info| self.hub.call(info.sid).ok_or(DisconnectReason::ReleasedCall));
        let call = match call {
            Ok(call) => call,
            Err(reason) => {
                self.outlet = Some(outlet);
                self.end(&Refusal::new(reason));
                return None;
            }
        };
        let (entered, party) = oneshot::channel();
        let verify = Input::Verify {
            joining: self.joining(outlet),
            entered,
        };
        call.send(verify).await.ok()?;
        Some((call, party.await.ok()?))
    }

    fn joining(self, outlet: Outlet) -> Joining {
        Joining {
            session: self.identity.session,
            link: self.link,
            outlet,
            address: self.peer.address.to_string(),
        }
    }

    /// Tells that there is no call.
    fn end(&mut self, refusal: &Refusal) {
        // The queue of a session that was told nothing yet takes one message.
        if self.link.send(refusal.message()).is_ok() {
            while let Some(envelope) = self.link.poll_transmit() {
                self.say(&envelope);
            }
        }
    }

    fn say(&self, envelope: &Envelope<ServerMessage>) {
        if let Some(outlet) = &self.outlet {
            outlet.send(envelope);
        }
    }
}

/// What a client with this `cc_param` hears. One that cannot be read at all is told at once by the client itself; from
/// here it looks like a forgery.
fn refused_cc_param(error: &CcParamError) -> DisconnectReason {
    match error {
        CcParamError::Expired { .. } => DisconnectReason::ReleasedCall,
        _ => DisconnectReason::AuthError,
    }
}

fn new_sid() -> CallId {
    CallId::from_random(random())
}

/// Random bytes of the operating system.
fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system gave random numbers when the server started");
    bytes
}
