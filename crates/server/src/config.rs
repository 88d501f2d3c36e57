//! What the server runs with: a TOML file, then environment variables, which win.

mod service;
mod turn;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use service::ServicePolicy;
pub use turn::{Ports, TurnConfig};

/// Everything that can be set. Unknown names in the file are an error, so that a slip of the pen does not go unnoticed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address and port for HTTP and WebSocket.
    pub listen: SocketAddr,
    /// Folder of the database, made if missing, readable by its owner only.
    pub data: PathBuf,
    /// Development: the service `dev` exists and its callbacks go to this very server; a busy STUN port is not fatal.
    #[serde(skip)]
    pub dev: bool,
    /// UDP address and port that answers STUN; none (in the file: `"off"`): no STUN.
    #[serde(with = "or_off")]
    pub stun_listen: Option<SocketAddr>,
    /// Host name or address under which clients find this server's STUN. None: the host that the client connected to.
    pub public_host: Option<String>,
    /// TLS for HTTP and WebSocket. None: plain, for development or behind a proxy.
    pub tls: Option<TlsConfig>,
    /// Relays for clients that cannot reach each other.
    pub turn: TurnConfig,
    /// Callbacks to app servers.
    pub callbacks: CallbackConfig,
    /// Protection against too much of everything.
    pub limits: Limits,
    /// What holds for every service.
    pub defaults: ServicePolicy,
    /// What holds for single services instead, by their id.
    pub services: BTreeMap<String, ServicePolicy>,
    /// Folder whose `sdk/` and `page/` are served instead of the embedded files, for work on the page itself.
    #[serde(skip)]
    pub web_folder: Option<PathBuf>,
    /// Routes to serve beside the server's own, such as the reference app server's.
    #[serde(skip)]
    pub extra: Option<axum::Router>,
}

/// Files for TLS, PEM.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate chain, the server's own first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// Callbacks to app servers. Times in milliseconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallbackConfig {
    /// Longest time for the connection.
    pub connect_timeout_ms: u64,
    /// Longest time from beginning to answer, at most 5,000: the contract promises the caller PUSH_ERROR within 5 s.
    pub total_timeout_ms: u64,
    /// Pause before the first repetition of a call event; doubled each time.
    pub retry_ms: u64,
    /// How often a call event is tried in all.
    pub attempts: u32,
    /// PEM file of root certificates to trust beside the public ones.
    pub extra_roots: Option<PathBuf>,
}

/// Protection against too much of everything.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// Calls at a time.
    pub calls: usize,
    /// New connections of one address: how many at once.
    pub address_burst: u32,
    /// New connections of one address: how many a second in the long run.
    pub address_per_second: f64,
    /// Sessions of one user (a session is one call at one device): how many at once.
    pub user_burst: u32,
    /// Sessions of one user: how many a second in the long run.
    pub user_per_second: f64,
    /// Messages of one connection: how many at once.
    pub message_burst: u32,
    /// Messages of one connection: how many a second in the long run.
    pub messages_per_second: f64,
    /// Messages that cannot be read before a connection is closed.
    pub bad_messages: u32,
    /// Longest time to a first message, in ms.
    pub first_message_ms: u64,
    /// Longest time from the welcome of a session to its call, in ms, whatever the client says meanwhile.
    pub idle_ms: u64,
    /// How long a shutdown waits for calls to end, in ms. Those that do not are taken up at the next start.
    pub drain_ms: u64,
    /// How often clients say `ping`, in ms; one that is silent three times as long is disconnected.
    pub heartbeat_ms: u32,
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not the TOML that it should be.
    #[error("{path}: {message}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// What and where.
        message: String,
    },
    /// An environment variable has an impossible value.
    #[error("{name} has an impossible value: {message}")]
    Environment {
        /// The variable.
        name: &'static str,
        /// What is wrong.
        message: String,
    },
    /// A value makes no sense.
    #[error("{field}: {problem}")]
    Value {
        /// Name in the file.
        field: String,
        /// What is wrong.
        problem: &'static str,
    },
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::UNSPECIFIED, 8080).into(),
            data: "duologue-data".into(),
            dev: false,
            stun_listen: Some((std::net::Ipv6Addr::UNSPECIFIED, 3478).into()),
            public_host: None,
            tls: None,
            turn: TurnConfig::default(),
            callbacks: CallbackConfig::default(),
            limits: Limits::default(),
            defaults: ServicePolicy::default(),
            services: BTreeMap::new(),
            web_folder: None,
            extra: None,
        }
    }
}

impl Default for CallbackConfig {
    fn default() -> Self {
        Self {
            connect_timeout_ms: 3_000,
            total_timeout_ms: 4_500,
            retry_ms: 1_000,
            attempts: 8,
            extra_roots: None,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            calls: 10_000,
            address_burst: 200,
            address_per_second: 50.0,
            user_burst: 30,
            user_per_second: 2.0,
            message_burst: 400,
            messages_per_second: 50.0,
            bad_messages: 5,
            first_message_ms: 5_000,
            idle_ms: 60_000,
            drain_ms: 10_000,
            heartbeat_ms: 10_000,
        }
    }
}

impl Config {
    /// For development: everything in `data`, nothing to configure.
    pub fn dev(listen: SocketAddr, data: impl Into<PathBuf>) -> Self {
        Self {
            listen,
            data: data.into(),
            dev: true,
            ..Self::default()
        }
    }

    /// Reads `file`, if any, and then the environment: `DUOLOGUE_LISTEN`, `DUOLOGUE_DATA`, `DUOLOGUE_STUN_LISTEN` (an
    /// address, or `off`), `DUOLOGUE_TURN_EXTERNAL_IP` (commas between several), `DUOLOGUE_PUBLIC_HOST`, `DUOLOGUE_TLS_CERTIFICATE` and `DUOLOGUE_TLS_KEY`.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is not valid, or a variable has an impossible value. See also [`check`](Self::check).
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        Self::load_with(file, |name| std::env::var(name).ok())
    }

    /// [`load`](Self::load) with an environment of the caller's.
    ///
    /// # Errors
    ///
    /// See [`load`](Self::load).
    pub fn load_with(file: Option<&Path>, env: impl Fn(&'static str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut config = match file {
            None => Self::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
                    path: path.to_owned(),
                    source,
                })?;
                toml::from_str(&text).map_err(|error| ConfigError::Parse {
                    path: path.to_owned(),
                    message: error.to_string(),
                })?
            }
        };
        fn parse<T: std::str::FromStr<Err: fmt::Display>>(name: &'static str, value: &str) -> Result<T, ConfigError> {
            value.parse().map_err(|error: T::Err| ConfigError::Environment {
                name,
                message: error.to_string(),
            })
        }
        if let Some(value) = env("DUOLOGUE_LISTEN") {
            config.listen = parse("DUOLOGUE_LISTEN", &value)?;
        }
        if let Some(value) = env("DUOLOGUE_DATA") {
            config.data = value.into();
        }
        if let Some(value) = env("DUOLOGUE_STUN_LISTEN") {
            config.stun_listen = if value == "off" {
                None
            } else {
                Some(parse("DUOLOGUE_STUN_LISTEN", &value)?)
            };
        }
        if let Some(value) = env("DUOLOGUE_TURN_EXTERNAL_IP") {
            config.turn.external_ip = value
                .split(',')
                .map(|address| parse("DUOLOGUE_TURN_EXTERNAL_IP", address.trim()))
                .collect::<Result<_, _>>()?;
        }
        if let Some(value) = env("DUOLOGUE_PUBLIC_HOST") {
            config.public_host = Some(value);
        }
        match (env("DUOLOGUE_TLS_CERTIFICATE"), env("DUOLOGUE_TLS_KEY")) {
            (Some(certificate), Some(key)) => {
                config.tls = Some(TlsConfig {
                    certificate: certificate.into(),
                    key: key.into(),
                });
            }
            (None, None) => {}
            _ => {
                return Err(ConfigError::Environment {
                    name: "DUOLOGUE_TLS_CERTIFICATE",
                    message: "it goes together with DUOLOGUE_TLS_KEY".into(),
                });
            }
        }
        Ok(config)
    }

    /// Looks for values that make no sense.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Value`] for the first one.
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong = |field: &str, problem| {
            Err(ConfigError::Value {
                field: field.to_owned(),
                problem,
            })
        };
        let callbacks = &self.callbacks;
        if callbacks.total_timeout_ms == 0 || callbacks.total_timeout_ms > 5_000 {
            return wrong("callbacks.total_timeout_ms", "must be from 1 to 5000");
        }
        if callbacks.connect_timeout_ms == 0 || callbacks.connect_timeout_ms > callbacks.total_timeout_ms {
            return wrong(
                "callbacks.connect_timeout_ms",
                "must be from 1 to callbacks.total_timeout_ms",
            );
        }
        if callbacks.attempts == 0 || callbacks.attempts > 20 {
            return wrong("callbacks.attempts", "must be from 1 to 20");
        }
        let limits = &self.limits;
        for (name, value) in [
            ("limits.address_per_second", limits.address_per_second),
            ("limits.user_per_second", limits.user_per_second),
            ("limits.messages_per_second", limits.messages_per_second),
        ] {
            if !value.is_finite() || value <= 0.0 {
                return wrong(name, "must be more than 0");
            }
        }
        let counts = [
            limits.address_burst,
            limits.user_burst,
            limits.message_burst,
            limits.bad_messages,
        ];
        if counts.contains(&0) || limits.connections == 0 || limits.calls == 0 {
            return wrong("limits", "no limit may be 0");
        }
        for (name, value) in [
            ("limits.first_message_ms", limits.first_message_ms),
            ("limits.idle_ms", limits.idle_ms),
        ] {
            if value == 0 || value > u64::from(u32::MAX) {
                return wrong(name, "must be from 1 to 4294967295");
            }
        }
        if limits.heartbeat_ms < 100 {
            return wrong("limits.heartbeat_ms", "must be 100 or more");
        }
        if self
            .public_host
            .as_ref()
            .is_some_and(|host| host.is_empty() || host.len() > 253)
        {
            return wrong("public_host", "must have 1 to 253 characters");
        }
        self.turn.check()?;
        self.defaults.check("defaults")?;
        for (id, policy) in &self.services {
            policy.check(&format!("services.{id}"))?;
        }
        Ok(())
    }

    /// The configuration in force, as TOML. It holds no secret: keys live in the database.
    pub fn effective(&self) -> String {
        toml::to_string(self).unwrap_or_else(|error| format!("# cannot be shown: {error}\n"))
    }

    /// What holds for a service.
    pub(crate) fn policy(&self, service_id: &str) -> &ServicePolicy {
        self.services.get(service_id).unwrap_or(&self.defaults)
    }
}

impl Limits {
    pub(crate) fn first_message(&self) -> Duration {
        Duration::from_millis(self.first_message_ms)
    }

    /// How long a session may be without a call.
    pub(crate) fn idle(&self) -> Duration {
        Duration::from_millis(self.idle_ms)
    }

    /// How long a client may be silent.
    pub(crate) fn silence(&self) -> Duration {
        Duration::from_millis(u64::from(self.heartbeat_ms)) * 3
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("listen", &self.listen)
            .field("data", &self.data)
            .field("dev", &self.dev)
            .field("stun_listen", &self.stun_listen)
            .field("tls", &self.tls.is_some())
            .finish_non_exhaustive()
    }
}

/// The text for "none" where an address could stand: TOML has no such value of its own.
const OFF: &str = "off";

/// An address, or `"off"`.
mod or_off {
    use std::net::SocketAddr;

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use super::OFF;

    pub(super) fn serialize<S: Serializer>(value: &Option<SocketAddr>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(address) => address.serialize(serializer),
            None => OFF.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == OFF {
            return Ok(None);
        }
        text.parse()
            .map(Some)
            .map_err(|error| D::Error::custom(format!("{text:?}: {error}, nor \"off\"")))
    }
}

#[cfg(test)]
mod tests;
