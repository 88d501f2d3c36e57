//! What an agent is told when it is made.

use std::net::SocketAddr;
use std::time::Duration;

use crate::{CandidateKind, Credentials, TurnServer};

/// Settings of an [`Agent`](crate::Agent). `Default` is a controlled agent with the values each field states.
#[derive(Clone, Debug)]
pub struct Config {
    /// The role to start in; a conflict with the peer may reverse it (RFC 8445 §7.3.1.1). Default: controlled.
    pub role: Role,
    /// Whether loopback addresses may be candidates, local and remote. Default: no, so that a peer cannot make this
    /// host send to its own services.
    pub loopback: bool,
    /// STUN servers that tell the server-reflexive address of each local address of their family; at most 4 are used.
    pub stun_servers: Vec<SocketAddr>,
    /// TURN servers: an allocation is made on each from each local address of its family, all at once; at most 8
    /// servers and 16 allocations. They can be changed later: [`Agent::set_turn_servers`](crate::Agent::set_turn_servers).
    pub turn_servers: Vec<TurnServer>,
    /// Which of the own addresses the peer may learn. Default: all.
    pub policy: Policy,
    /// Whether host candidates hide behind mDNS names, which the owner then has to answer for
    /// (`Output::MdnsPublish`). Default: no.
    pub mdns_hiding: bool,
    /// Whether this side advertised that it renominates, and follows renominations (the ICE option `renomination`).
    /// It is done if the peer [advertised](crate::Agent::set_remote_renomination) it too. Default: yes.
    pub renomination: bool,
    /// Timing of consent freshness (RFC 7675).
    pub consent: ConsentConfig,
    /// Local ufrag and password; generated from the seed when `None` or longer than RFC 8839 §5.4 allows.
    pub local_credentials: Option<Credentials>,
    /// Ta: the least time between two checks of this agent (RFC 8445 §14.2), raised to 5 ms if below. Default 5 ms.
    pub pacing: Duration,
    /// First retransmission timeout of a check while no round trip is known, doubled each time. Default 50 ms, a tenth of
    /// what RFC 8445 §14.3 has: of a way of 300 ms that makes three datagrams where one would do, and where the way is short a
    /// lost one costs no more than that.
    pub initial_rto: Duration,
    /// How often a check is sent before its pair counts as failed. Default 15, about 15 s.
    pub max_transmissions: u8,
    /// Shortest time from the start of the checks until the agent may fail, because checks of the peer may still
    /// open a path that was never signalled (RFC 8863). Default 15 s.
    pub patience: Duration,
    /// The peer is an ICE-lite agent: it answers but never checks, so this agent is controlling (RFC 8445 §6.1.1).
    pub remote_lite: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            role: Role::Controlled,
            loopback: false,
            stun_servers: Vec::new(),
            turn_servers: Vec::new(),
            policy: Policy::All,
            mdns_hiding: false,
            renomination: true,
            consent: ConsentConfig::default(),
            local_credentials: None,
            pacing: Duration::from_millis(5),
            initial_rto: Duration::from_millis(50),
            max_transmissions: 15,
            patience: Duration::from_secs(15),
            remote_lite: false,
        }
    }
}

/// Which of the own addresses are signalled, checked from and answered on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// All.
    #[default]
    All,
    /// Those on relays only: the peer does not learn where this host is.
    Relay,
    /// None, until [`Agent::set_policy`](crate::Agent::set_policy) says otherwise. Gathering goes on meanwhile.
    Silent,
}

impl Policy {
    pub(crate) fn allows(self, kind: CandidateKind) -> bool {
        match self {
            Self::All => true,
            Self::Relay => kind == CandidateKind::Relayed,
            Self::Silent => false,
        }
    }
}

/// Consent freshness, RFC 7675 §5.1.
#[derive(Clone, Copy, Debug)]
pub struct ConsentConfig {
    /// Mean time between two consent checks; each one waits 0.8 to 1.2 of it. Default 5 s.
    pub interval: Duration,
    /// Time without an authenticated answer after which nothing more may be sent. Default 30 s.
    pub timeout: Duration,
}

impl Default for ConsentConfig {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
        }
    }
}

/// Who nominates (RFC 8445 §6.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Chooses the pair that is used.
    Controlling,
    /// Follows the choice.
    Controlled,
}

impl Role {
    /// The opposite role.
    pub(crate) fn reversed(self) -> Self {
        match self {
            Self::Controlling => Self::Controlled,
            Self::Controlled => Self::Controlling,
        }
    }
}
