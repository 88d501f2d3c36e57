//! One call between two phones in the lab.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use crate::gaps::Silences;
use crate::namespace::Namespace;
use crate::nat::Kind;
use crate::phone::{Part, Phone};
use crate::server::Server;
use crate::tap::Tap;
use crate::world::{Access, Line, World};

/// Beyond this a call that does not connect never will: 15 s after the accept the phones give up by themselves.
const PATIENCE: Duration = Duration::from_secs(60);
/// RTP packets on each side after which audio counts as flowing: a second.
const FLOWING: u64 = 50;

/// A phone's place: a host with one interface or more.
#[derive(Debug)]
pub struct Place {
    /// The lines by which it reaches the internet.
    pub accesses: Vec<Access>,
    /// Where the phone runs.
    pub host: Namespace,
    /// The audio that its lines delivered.
    pub tap: Arc<Tap>,
}

impl Place {
    /// A host with an interface for each of `kinds`; the first is `eth0`.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(world: &World, part: Part, kinds: &[Kind], line: &Line) -> anyhow::Result<Self> {
        let host = Namespace::new(part.name())?;
        let tap = Arc::new(Tap::default());
        let side = if part == Part::Caller { 0 } else { 100 };
        let mut accesses = Vec::new();
        for (index, kind) in (0..).zip(kinds) {
            let line = Line {
                profile: line.profile.clone(),
                seed: line.seed + side + index,
            };
            let tap = Some(Arc::clone(&tap));
            accesses.push(world.connect(&host, &format!("eth{index}"), *kind, line, tap)?);
        }
        Ok(Self { accesses, host, tap })
    }
}

/// How a call went over the network.
#[derive(Clone, Debug)]
pub struct Route {
    /// What each side says of its own candidate: `host`, `srflx`, `prflx` or `relay`.
    pub kinds: [String; 2],
    /// Milliseconds from the callee's accept to the caller's `evt_connected`.
    pub accept_to_connected: f64,
}

impl Route {
    /// Whether a relay is in it.
    #[must_use]
    pub fn relayed(&self) -> bool {
        self.kinds.iter().any(|kind| kind.contains("relay"))
    }
}

/// Two phones in a call.
#[derive(Debug)]
pub struct Session {
    /// Alice.
    pub caller: Phone,
    /// Bob.
    pub callee: Phone,
}

impl Session {
    /// Alice calls, Bob's phone rings.
    ///
    /// # Errors
    /// When it does not come to that.
    pub fn ring(server: &Server, caller: &Place, callee: &Place, folder: &Path) -> anyhow::Result<Self> {
        let mut bob = Phone::start(Part::Callee, &callee.host, server, folder)?;
        bob.wait_for("waiting", PATIENCE)?;
        let alice = Phone::start(Part::Caller, &caller.host, server, folder)?;
        let mut session = Self {
            caller: alice,
            callee: bob,
        };
        session.caller.wait_for("evt_wait_connected", PATIENCE)?;
        session.callee.wait_for("evt_verified", PATIENCE)?;
        Ok(session)
    }

    /// Bob accepts; returns once both are connected and have heard a second of each other.
    ///
    /// # Errors
    /// When it does not come to that.
    pub fn accept(&mut self) -> anyhow::Result<Route> {
        self.callee.say("accept")?;
        let accepted = wall_ms(&self.callee.wait_for("accept_call", PATIENCE)?);
        let connected = wall_ms(&self.caller.wait_for("evt_connected", PATIENCE)?);
        self.callee.wait_for("evt_connected", PATIENCE)?;
        let mut kinds = Vec::new();
        for phone in [&mut self.caller, &mut self.callee] {
            let statistics = phone.wait_until("a second of audio", PATIENCE, |phone| {
                let statistics = phone.statistics()?;
                let packets = statistics["inbound"]["packetsReceived"].as_u64()?;
                (packets >= FLOWING && statistics["candidatePair"]["localKind"].is_string()).then_some(statistics)
            })?;
            let pair = &statistics["candidatePair"];
            let own = pair["localKind"].as_str().unwrap_or("?");
            kinds.push(match (pair["remoteKind"].as_str(), pair["relayProtocol"].as_str()) {
                (_, Some(protocol)) => format!("{own} over {protocol}"),
                (Some("relay"), None) => format!("{own} to relay"),
                _ => own.to_owned(),
            });
        }
        Ok(Route {
            kinds: kinds.try_into().ok().context("there are two phones")?,
            accept_to_connected: connected - accepted,
        })
    }

    /// Alice hangs up; what each heard.
    ///
    /// # Errors
    /// When they do not end.
    pub fn hang_up(mut self) -> anyhow::Result<[Silences; 2]> {
        self.caller.say("end")?;
        self.heard()
    }

    /// Waits for the end of both, whoever ends it; what each heard.
    ///
    /// # Errors
    /// When they do not end.
    pub fn heard(&mut self) -> anyhow::Result<[Silences; 2]> {
        Ok([self.caller.finish(PATIENCE)?, self.callee.finish(PATIENCE)?])
    }
}

fn wall_ms(event: &Value) -> f64 {
    event["wall_ms"].as_f64().unwrap_or(f64::NAN)
}
