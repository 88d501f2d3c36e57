//! Relays: this server's own, or somebody else's.

use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use duologue_turn::Cidr;
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// Longest life of a credential: a browser cannot be given a fresh one during a call, and a stolen one should not be good
/// for days.
const LONGEST_CREDENTIAL: u64 = 12 * 60 * 60 * 1_000;

/// Relays for clients that cannot reach each other: this server's own TURN, on the STUN port over UDP and TCP and on the
/// HTTPS port over TLS, or other servers' by `urls`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TurnConfig {
    /// Whether this server relays. It needs `stun_listen`.
    pub enabled: bool,
    /// UDP ports of relays, as `first-last`. A firewall has to let them in.
    pub ports: Ports,
    /// Public addresses, one of each family at most, when this machine is behind a NAT that maps `ports` to it unchanged.
    pub external_ip: Vec<IpAddr>,
    /// This machine's addresses that relays are bound to, one of each family at most. None: the one that packets to the
    /// internet leave from.
    pub relay_ip: Vec<IpAddr>,
    /// Ranges that relays may reach although they are private or otherwise special, such as `10.1.0.0/16`.
    #[serde(with = "texts")]
    pub allow_peers: Vec<Cidr>,
    /// Realm of the credentials.
    pub realm: String,
    /// How long a credential is good, at most 12 hours.
    pub credential_ms: u64,
    /// TURN servers to hand out instead of this one, such as `turn:turn.example.org:3478?transport=udp`. They have to know
    /// the secret: coturn by `use-auth-secret` and `static-auth-secret`.
    pub urls: Vec<String>,
    /// Files with secrets, one each, the newest first: credentials are made with the first, and all are believed. None: the
    /// file `turn-secret` in the data folder, which is made.
    pub secrets: Vec<PathBuf>,
    /// Relays at a time.
    pub allocations: usize,
    /// Relays of one session at a time.
    pub user_allocations: usize,
    /// Bytes a second of one session, both directions together.
    pub user_bytes_per_second: u32,
    /// Unauthenticated requests of one network (IPv4 /24, IPv6 /56) that are answered in a second. Every client's first
    /// request is one.
    pub unauthenticated_per_second: u32,
}

/// A range of ports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ports(pub RangeInclusive<u16>);

impl Default for TurnConfig {
    fn default() -> Self {
        let limits = duologue_turn::Limits::default();
        Self {
            enabled: true,
            ports: Ports(49_152..=65_535),
            external_ip: Vec::new(),
            relay_ip: Vec::new(),
            allow_peers: Vec::new(),
            realm: "duologue".into(),
            credential_ms: LONGEST_CREDENTIAL,
            urls: Vec::new(),
            secrets: Vec::new(),
            allocations: limits.allocations,
            user_allocations: limits.user_allocations,
            user_bytes_per_second: limits.user_bytes_per_second,
            unauthenticated_per_second: limits.unauthenticated_per_second,
        }
    }
}

impl TurnConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |field: &str, problem| {
            Err(ConfigError::Value {
                field: format!("turn.{field}"),
                problem,
            })
        };
        if *self.ports.0.start() < 1_024 || self.ports.0.is_empty() {
            return wrong("ports", "must be first-last, from 1024 on");
        }
        for (field, addresses) in [("external_ip", &self.external_ip), ("relay_ip", &self.relay_ip)] {
            if addresses.iter().filter(|ip| ip.is_ipv4()).count() > 1
                || addresses.iter().filter(|ip| ip.is_ipv6()).count() > 1
            {
                return wrong(field, "must have one address of each family at most");
            }
        }
        let printable = self
            .realm
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\');
        if self.realm.is_empty() || self.realm.len() > 64 || !printable {
            return wrong(
                "realm",
                "must have 1 to 64 letters, digits or signs other than \" and \\",
            );
        }
        if !(60_000..=LONGEST_CREDENTIAL).contains(&self.credential_ms) {
            return wrong("credential_ms", "must be from 60000 to 43200000");
        }
        if self.urls.len() > 8
            || self
                .urls
                .iter()
                .any(|url| !(url.starts_with("turn:") || url.starts_with("turns:")) || url.len() > 512)
        {
            return wrong("urls", "must be at most 8 that begin with turn: or turns:");
        }
        if !self.urls.is_empty() && self.secrets.is_empty() {
            return wrong(
                "secrets",
                "must name the file with the secret that the servers of turn.urls share",
            );
        }
        if self.allocations == 0 || self.user_allocations == 0 || self.unauthenticated_per_second == 0 {
            return wrong("allocations", "no limit may be 0");
        }
        if self.user_bytes_per_second < 1_000 {
            return wrong("user_bytes_per_second", "must be 1000 or more");
        }
        Ok(())
    }

    pub(crate) fn credential_life(&self) -> Duration {
        Duration::from_millis(self.credential_ms)
    }
}

impl FromStr for Ports {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('-').and_then(|(first, last)| {
            let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            (first <= last).then_some(Self(first..=last))
        });
        parsed.ok_or_else(|| format!("{text:?} is no range of ports; write 49152-65535"))
    }
}

impl TryFrom<String> for Ports {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Ports> for String {
    fn from(ports: Ports) -> Self {
        ports.to_string()
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0.start(), self.0.end())
    }
}

/// Ranges as a list of texts.
mod texts {
    use duologue_turn::Cidr;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(ranges: &[Cidr], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(ranges.iter().map(ToString::to_string))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Cidr>, D::Error> {
        Vec::<String>::deserialize(deserializer)?
            .iter()
            .map(|text| text.parse().map_err(D::Error::custom))
            .collect()
    }
}
