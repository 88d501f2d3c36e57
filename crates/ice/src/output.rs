//! What an agent hands to its owner.

use std::net::SocketAddr;
use std::time::Duration;

use crate::{Candidate, CandidateKind};

/// One thing to do, from [`Agent::poll_output`](crate::Agent::poll_output).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Send this datagram.
    Transmit(Transmit),
    /// Something happened.
    Event(Event),
}

/// A datagram to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// The local address to send from: one given to `add_local_address`, or a relayed address, whose owner
    /// encapsulates the datagram.
    pub source: SocketAddr,
    /// Where it goes.
    pub destination: SocketAddr,
    /// The UDP payload.
    pub payload: Vec<u8>,
}

/// What happened in an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A local candidate to signal to the peer.
    LocalCandidate(Candidate),
    /// The local addresses have ended and every server has answered or was given up.
    GatheringComplete,
    /// The state changed.
    StateChanged(State),
    /// The nominated pair is this one from now on.
    SelectedPair(PairInfo),
    /// The first usable pair: data may flow although nothing is nominated yet.
    ValidPair(PairInfo),
    /// Nobody answered for the consent timeout: nothing may be sent until `ConsentRestored`.
    ConsentLost,
    /// The peer answers again.
    ConsentRestored,
    /// The opaque payload of an authenticated check or answer of the peer.
    CheckPayload(Vec<u8>),
    /// The peer signalled a candidate under an mDNS name. Resolve it, then give it again with its socket address.
    RemoteMdns(Candidate),
}

/// The state of an agent, as the W3C `RTCIceTransportState` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// The credentials of the peer are not known yet.
    New,
    /// Checks are under way.
    Checking,
    /// A pair is usable, others are still possible.
    Connected,
    /// A pair is nominated and no more candidates come from either side.
    Completed,
    /// Consent was lost; the agent keeps trying.
    Disconnected,
    /// No pair works. A late check of the peer may still end this state.
    Failed,
    /// Closed by its owner.
    Closed,
}

/// A pair of addresses that works.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PairInfo {
    /// The address to send from (the base of the local candidate).
    pub local: SocketAddr,
    /// The address to send to.
    pub remote: SocketAddr,
    /// Smoothed round-trip time of its checks.
    pub rtt: Option<Duration>,
    /// Whether the pair is nominated.
    pub nominated: bool,
    /// How the peer sees our side: a NAT in between makes it server- or peer-reflexive.
    pub local_kind: CandidateKind,
    /// Kind of the peer's candidate.
    pub remote_kind: CandidateKind,
}
