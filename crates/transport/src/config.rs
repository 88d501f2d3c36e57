use std::{net::SocketAddr, time::Duration};

use crate::{Certificate, Policy, Setup, TurnServer};

/// How a [`Transport`](crate::Transport) is set up. Made by [`Config::new`], every field may then be changed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Whether our ICE agent is the controlling one (RFC 8445 §6.1.1): yes for the side that offers.
    pub controlling: bool,
    /// Whether loopback addresses may be candidates. For two processes on one machine without a network.
    pub loopback: bool,
    /// STUN servers that tell us our server-reflexive addresses.
    pub stun_servers: Vec<SocketAddr>,
    /// TURN servers that relay for us, each over each transport that it is to be tried over: all at once, from every
    /// local address. [`Transport::set_turn_servers`](crate::Transport::set_turn_servers) changes them later.
    pub turn_servers: Vec<TurnServer>,
    /// Which of our addresses the peer may learn. Default: all.
    pub policy: Policy,
    /// Whether our host candidates hide behind mDNS names, for which the caller then answers. Default: no.
    pub mdns_hiding: bool,
    /// Whether we advertise the ICE option `renomination`. Default: yes. It is done when the peer advertises it too:
    /// [`Transport::set_remote_renomination`](crate::Transport::set_remote_renomination).
    pub renomination: bool,
    /// Whether we advertise that DTLS may be carried inside STUN checks, as the option
    /// [`OPTION_DTLS_IN_STUN`](crate::OPTION_DTLS_IN_STUN). Default: yes. It is done when the peer advertises it too:
    /// [`Transport::set_remote_dtls_in_stun`](crate::Transport::set_remote_dtls_in_stun).
    pub dtls_in_stun: bool,
    /// The peer is an ICE-lite agent. Default: no.
    pub remote_lite: bool,
    /// Our certificate; its fingerprint is what the peer must be told.
    pub certificate: Certificate,
    /// The ICE user name fragment and password to use; `None` draws them from the seed.
    pub ice_credentials: Option<(String, String)>,
    /// How long the peer may leave consent checks unanswered before the path counts as interrupted (RFC 7675 §5.1).
    /// Default 30 s.
    pub consent_timeout: Duration,
    /// Mean time between consent checks (RFC 7675 §5.1). Default 5 s.
    pub consent_interval: Duration,
    /// How long the DTLS handshake may take from its first datagram to the checked fingerprint. Default 15 s.
    pub handshake_timeout: Duration,
    /// Our answer when the peer leaves the DTLS role to us (`actpass`): [`Setup::Active`], the default, or
    /// [`Setup::Passive`]. RFC 8842 §5.3 recommends active: it saves half a round trip.
    pub answer_setup: Setup,
    /// Greatest UDP payload of a handshake datagram in bytes. Default 1150: passes every path that IPv6 passes, with
    /// room for tunnels.
    pub mtu: usize,
    /// Whether DTLS 1.3 may be negotiated. Default `true`; 1.2 is always possible.
    pub dtls13: bool,
}

impl Config {
    /// Defaults around `certificate`: controlled, no loopback, no STUN or TURN servers.
    #[must_use]
    pub fn new(certificate: Certificate) -> Self {
        Self {
            controlling: false,
            loopback: false,
            stun_servers: Vec::new(),
            turn_servers: Vec::new(),
            policy: Policy::All,
            mdns_hiding: false,
            renomination: true,
            dtls_in_stun: true,
            remote_lite: false,
            certificate,
            ice_credentials: None,
            consent_timeout: Duration::from_secs(30),
            consent_interval: Duration::from_secs(5),
            handshake_timeout: Duration::from_secs(15),
            answer_setup: Setup::Active,
            mtu: 1150,
            dtls13: true,
        }
    }
}
