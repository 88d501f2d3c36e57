use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use bytes::Bytes;

use crate::{RelayFailure, RelayProtocol, StreamId};

/// What [`Transport::poll_output`](crate::Transport::poll_output) hands out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// A datagram to send now.
    Transmit(Transmit),
    /// Open a TCP connection to a TURN server, then say
    /// [`handle_stream_open`](crate::Transport::handle_stream_open), or
    /// [`handle_stream_closed`](crate::Transport::handle_stream_closed) if that fails.
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
    /// Write these bytes on a stream, all of them or none: each output is whole messages, so that a caller whose
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
    /// [`handle_mdns_answer`](crate::Transport::handle_mdns_answer). [`mdns::Mdns`](crate::mdns::Mdns) can do that.
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// The local address, one of those given to
    /// [`Transport::add_local_address`](crate::Transport::add_local_address), whose socket is to send it.
    pub source: SocketAddr,
    /// Where to.
    pub destination: SocketAddr,
    /// The UDP payload.
    pub payload: Vec<u8>,
}

/// What happened to a transport.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A candidate to signal to the peer, as the value of an RFC 8839 §5.1 `candidate` attribute.
    LocalCandidate(String),
    /// There will be no further local candidates: signal the end.
    GatheringComplete,
    /// DTLS is up and the peer's certificate is the one that was signalled. Once per transport. From here on packets
    /// can be sent, and [`Event::Rtp`] and [`Event::Rtcp`] come.
    Connected {
        /// Name of the SRTP profile in the IANA registry, for example `SRTP_AEAD_AES_128_GCM`.
        profile: String,
        /// `DTLS 1.2` or `DTLS 1.3`.
        dtls_version: String,
        /// Which way the packets go.
        path: PathInfo,
    },
    /// ICE moved to another pair after [`Event::Connected`].
    PathChanged(PathInfo),
    /// A better path than the one in use works, but the peer follows no renominations:
    /// [`Transport::restart_ice`](crate::Transport::restart_ice) would move there. Once per ICE generation.
    BetterPath(PathInfo),
    /// The path is lost to a change of our networks and the peer cannot be told within ICE:
    /// [`Transport::restart_ice`](crate::Transport::restart_ice), and signal the new parameters.
    RestartNeeded,
    /// A TURN server gives us no relay. Where waiting helps, it is tried again without being asked.
    RelayFailed {
        /// The server, as configured.
        server: SocketAddr,
        /// How it was spoken to.
        protocol: RelayProtocol,
        /// Why.
        failure: RelayFailure,
    },
    /// An authentic RTP packet of the peer, decrypted.
    Rtp(Bytes),
    /// An authentic compound or reduced-size RTCP packet of the peer, decrypted.
    Rtcp(Bytes),
    /// The peer closed the association (an authenticated close_notify). Nothing follows.
    Closed,
    /// The transport cannot work. Nothing follows.
    Failed(FailReason),
    /// The peer does not answer checks any more: nothing is sent until [`Event::Resumed`].
    Interrupted,
    /// The peer answers again.
    Resumed,
}

/// Why a transport failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FailReason {
    /// ICE found no path.
    #[error("ICE found no path to the peer")]
    Ice,
    /// The DTLS handshake broke down.
    #[error("the DTLS handshake failed")]
    Dtls,
    /// The peer proved a certificate other than the signalled one: somebody is in between.
    #[error("the peer's certificate is not the signalled one")]
    FingerprintMismatch,
    /// The handshake did not complete within [`Config::handshake_timeout`](crate::Config::handshake_timeout).
    #[error("the DTLS handshake took too long")]
    Timeout,
    /// The handshake completed without an SRTP profile that both sides know (RFC 5764 §4.1).
    #[error("no SRTP profile was negotiated")]
    NoSrtpProfile,
}

/// The candidate pair that packets take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathInfo {
    /// The local address (base) packets leave from.
    pub local: SocketAddr,
    /// The peer's address packets go to.
    pub remote: SocketAddr,
    /// `host`, `srflx`, `prflx` or `relay` (RFC 8445 §5.1.1).
    pub local_kind: &'static str,
    /// The same for the peer's candidate.
    pub remote_kind: &'static str,
    /// How our relay is reached, `udp`, `tcp` or `tls`, if the path leads over one of ours.
    pub relay: Option<&'static str>,
    /// Round trip of the last check on this pair.
    pub rtt: Option<Duration>,
}
