//! What an agent hands to its owner.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::{Candidate, CandidateKind, RelayProtocol, StreamId};

/// One thing to do, from [`Agent::poll_output`](crate::Agent::poll_output).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Send this datagram.
    Transmit(Transmit),
    /// What the peer sent to a relayed address, unwrapped: anything but STUN.
    Data {
        /// The relayed address.
        local: SocketAddr,
        /// The peer's.
        source: SocketAddr,
        /// The UDP payload.
        payload: Vec<u8>,
    },
    /// Open a TCP connection to a TURN server, then say
    /// [`handle_stream_open`](crate::Agent::handle_stream_open), or
    /// [`handle_stream_closed`](crate::Agent::handle_stream_closed) if that fails.
    StreamOpen {
        /// Its name in all other calls. A stream that was closed may be opened again under the same name.
        id: StreamId,
        /// The local address to connect from, so that each network has its own.
        local: IpAddr,
        /// The server.
        remote: SocketAddr,
        /// TLS, with this name in the server's certificate; `None` is plain TCP.
        tls: Option<String>,
    },
    /// Write these bytes on a stream, all of them or none: each output is whole messages, so that an owner whose
    /// buffer is full may drop it.
    StreamWrite {
        /// Which stream.
        id: StreamId,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Close a stream, after what was written. It is not answered.
    StreamClose {
        /// Which stream.
        id: StreamId,
    },
    /// Find the address of this mDNS name and give it to
    /// [`handle_mdns_answer`](crate::Agent::handle_mdns_answer). [`mdns::Mdns`](crate::mdns::Mdns) can do that.
    MdnsQuery {
        /// The whole name, `.local` included.
        name: String,
    },
    /// Answer mDNS questions for this name with this address from now on.
    MdnsPublish {
        /// The whole name, `.local` included.
        name: String,
        /// One of our addresses.
        address: IpAddr,
    },
    /// Something happened.
    Event(Event),
}

/// A datagram to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// The local address to send from: one given to `add_local_address`, or to `add_relayed_address`, whose owner
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
    /// A better path than the selected one works, but the peer does not follow renominations: an
    /// [ICE restart](crate::Agent::restart) would move there.
    BetterPair(PairInfo),
    /// The path is lost to a change of the networks, and the peer cannot be asked to follow without an
    /// [ICE restart](crate::Agent::restart).
    RestartNeeded,
    /// A TURN server gives no allocation. Where waiting helps the agent tries again by itself.
    RelayFailed {
        /// The server, as configured.
        server: SocketAddr,
        /// How it was spoken to.
        protocol: RelayProtocol,
        /// Why.
        failure: RelayFailure,
    },
}

/// Why there is no relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RelayFailure {
    /// No answer, or no stream.
    Unreachable,
    /// The server answered with this error: 401 means wrong credentials, 437 that the socket is in use by another
    /// agent, 486 and 508 that it is full (RFC 8656 §19).
    Refused {
        /// The error code.
        code: u16,
    },
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
    /// How our relay is reached, if the path leads over one of ours.
    pub relay: Option<RelayProtocol>,
}
