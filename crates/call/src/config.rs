//! What a [`Client`](crate::Client) is told once, for all its calls.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Rewrites a candidate before the peer is told of it; `None` leaves it out.
#[doc(hidden)]
pub type CandidateMap = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Which of its addresses a client shows to the peer, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum IcePolicy {
    /// All of them: the shortest path is found.
    #[default]
    All,
    /// Only those on relays: the peer does not learn where this device is. Without a TURN server no call connects.
    RelayOnly,
    /// All of them, but none before the accept. The first words then wait for the path.
    NothingBeforeAccept,
}

/// How a client speaks to a TURN server (RFC 8656 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RelayProtocol {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
}

/// Settings of a [`Client`](crate::Client).
///
/// ```
/// use duologue_call::Config;
///
/// let config = Config::new("wss://calls.example.com/ws").pre_connect(false);
/// assert_eq!(config.server_url(), "wss://calls.example.com/ws");
/// ```
#[derive(Clone)]
pub struct Config {
    pub(crate) server_url: String,
    pub(crate) allow_insecure: bool,
    pub(crate) loopback: bool,
    pub(crate) pre_connect: bool,
    pub(crate) ice_policy: IcePolicy,
    pub(crate) relay_protocols: Vec<RelayProtocol>,
    pub(crate) mdns_hiding: bool,
    pub(crate) network_patience: Duration,
    pub(crate) extra_roots: Vec<Vec<u8>>,
    pub(crate) candidate_map: Option<CandidateMap>,
    pub(crate) statistics_interval: Duration,
}

impl Config {
    /// Settings for the call server at `server_url`: `wss://host[:port]`, path `/ws` when it names none.
    ///
    /// The URL is not looked at before a call is made: what is wrong with it ends that call with
    /// `SERVICE_HTTP_INVALID_URL`. A client never connects to a host that it was not given here.
    pub fn new(server_url: impl Into<String>) -> Self {
        Self {
            server_url: server_url.into(),
            allow_insecure: false,
            loopback: false,
            pre_connect: true,
            ice_policy: IcePolicy::All,
            relay_protocols: vec![RelayProtocol::Udp, RelayProtocol::Tcp, RelayProtocol::Tls],
            mdns_hiding: false,
            network_patience: Duration::from_secs(30),
            extra_roots: Vec::new(),
            candidate_map: None,
            statistics_interval: Duration::from_secs(1),
        }
    }

    /// The call server's URL, as given.
    pub fn server_url(&self) -> &str {
        &self.server_url
    }

    /// Allows `ws://` to hosts other than the loopback ones. Tokens and call texts then travel in the clear: for laboratories.
    #[must_use]
    pub fn allow_insecure(mut self, allow: bool) -> Self {
        self.allow_insecure = allow;
        self
    }

    /// Uses loopback addresses for media even when other interfaces are up. Without any other interface they are used anyway.
    #[must_use]
    pub fn loopback(mut self, loopback: bool) -> Self {
        self.loopback = loopback;
        self
    }

    /// Whether the media path may be built before the call is accepted (the default). With `false`, no address is told
    /// to the peer before the accept, and the first words wait for the path.
    #[must_use]
    pub fn pre_connect(mut self, pre_connect: bool) -> Self {
        self.pre_connect = pre_connect;
        self
    }

    /// Which addresses the peer may learn, and when; all by default.
    #[must_use]
    pub fn ice_policy(mut self, policy: IcePolicy) -> Self {
        self.ice_policy = policy;
        self
    }

    /// The protocols by which relays are reached; all of them by default, and then the best that works is taken. For networks where one
    /// of them is known to be bad.
    #[must_use]
    pub fn relay_protocols(mut self, protocols: &[RelayProtocol]) -> Self {
        self.relay_protocols = protocols.to_vec();
        self
    }

    /// Hides host candidates behind mDNS names, as browsers do: only a peer on the same link learns the addresses of the interfaces.
    /// Off by default.
    #[must_use]
    pub fn mdns_hiding(mut self, hide: bool) -> Self {
        self.mdns_hiding = hide;
        self
    }

    /// How long a connected call waits for a network that is gone, its own or the peer's, before it ends with UNAVAILABLE_NETWORK.
    /// Default 30 s, at least 20 s and at most 10 minutes. After half of it (15 to 30 s) at the latest, `evt_network_unavailable` tells how much
    /// is left.
    #[must_use]
    pub fn network_patience(mut self, patience: Duration) -> Self {
        self.network_patience = patience.clamp(Duration::from_secs(20), Duration::from_secs(600));
        self
    }

    /// Trusts one more root certificate (X.509, DER) for the call server and its TURN servers, beside those of the `webpki-roots` crate.
    #[must_use]
    pub fn extra_root_certificate(mut self, der: Vec<u8>) -> Self {
        self.extra_roots.push(der);
        self
    }

    /// Rewrites every local candidate (the attribute value of RFC 8839 §5.1) before the peer is told of it; `None` leaves it
    /// out. For test networks that put a relay between two clients. It runs on the media thread and should be quick.
    #[doc(hidden)]
    #[must_use]
    pub fn candidate_map(mut self, map: CandidateMap) -> Self {
        self.candidate_map = Some(map);
        self
    }

    /// How often statistics are taken and delivered while audio runs; default 1 s, at least 200 ms.
    #[must_use]
    pub fn interval_of_statistics(mut self, interval: Duration) -> Self {
        self.statistics_interval = interval.max(Duration::from_millis(200));
        self
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("server_url", &self.server_url)
            .field("allow_insecure", &self.allow_insecure)
            .field("loopback", &self.loopback)
            .field("pre_connect", &self.pre_connect)
            .field("ice_policy", &self.ice_policy)
            .field("relay_protocols", &self.relay_protocols)
            .field("mdns_hiding", &self.mdns_hiding)
            .field("network_patience", &self.network_patience)
            .field("extra_roots", &self.extra_roots.len())
            .field("statistics_interval", &self.statistics_interval)
            .finish_non_exhaustive()
    }
}
