//! What a [`Client`](crate::Client) is told once, for all its calls.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Rewrites a candidate before the peer is told of it; `None` leaves it out.
#[doc(hidden)]
pub type CandidateMap = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

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

    /// Trusts one more root certificate (X.509, DER) for the call server, beside those of the `webpki-roots` crate.
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
            .field("extra_roots", &self.extra_roots.len())
            .field("statistics_interval", &self.statistics_interval)
            .finish_non_exhaustive()
    }
}
