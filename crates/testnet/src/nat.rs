//! A network address translator with the behaviours that RFC 4787 names.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::Rng;

/// How much of the destination a NAT looks at (RFC 4787 §4.1 for mapping, §5 for filtering).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Nothing of it.
    EndpointIndependent,
    /// Its address.
    AddressDependent,
    /// Its address and port.
    AddressAndPortDependent,
}

impl Behaviour {
    /// Whether two remote endpoints are the same one in this NAT's eyes.
    fn same(self, a: SocketAddr, b: SocketAddr) -> bool {
        match self {
            Self::EndpointIndependent => true,
            Self::AddressDependent => a.ip() == b.ip(),
            Self::AddressAndPortDependent => a == b,
        }
    }
}

/// Which TCP connections a NAT or firewall lets out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TcpPolicy {
    /// All.
    #[default]
    All,
    /// Those to this port.
    Only(u16),
    /// None.
    Nothing,
}

impl TcpPolicy {
    /// Whether a connection to this port gets out.
    #[must_use]
    pub fn lets_out(self, port: u16) -> bool {
        match self {
            Self::All => true,
            Self::Only(open) => open == port,
            Self::Nothing => false,
        }
    }
}

/// A NAT's behaviour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatConfig {
    /// When an inside endpoint keeps its outside port (RFC 4787 §4.1).
    pub mapping: Behaviour,
    /// Who may write to a mapping from outside (RFC 4787 §5).
    pub filtering: Behaviour,
    /// Whether inside hosts reach one another by their outside addresses (RFC 4787 §6).
    pub hairpin: bool,
    /// A mapping, and a filter's permission, end this long after the last datagram from inside (RFC 4787 §4.3;
    /// REQ-5 asks for at least two minutes, and many NATs give 30 s).
    pub expiry: Duration,
    /// Whether datagrams from outside keep a mapping too (RFC 4787 REQ-6 leaves it open).
    pub inbound_refresh: bool,
    /// The most mappings at once; a new one is refused beyond that and its datagram dropped.
    pub capacity: usize,
    /// Whether UDP passes at all; if not, this is a firewall.
    pub udp: bool,
    /// Which TCP connections pass, from inside to outside.
    pub tcp: TcpPolicy,
}

impl NatConfig {
    const fn of(mapping: Behaviour, filtering: Behaviour) -> Self {
        Self {
            mapping,
            filtering,
            hairpin: true,
            expiry: Duration::from_secs(120),
            inbound_refresh: false,
            capacity: 1024,
            udp: true,
            tcp: TcpPolicy::All,
        }
    }

    /// Anybody may write to a mapping.
    #[must_use]
    pub const fn full_cone() -> Self {
        Self::of(Behaviour::EndpointIndependent, Behaviour::EndpointIndependent)
    }

    /// Hosts that were written to may write back, from any port.
    #[must_use]
    pub const fn restricted() -> Self {
        Self::of(Behaviour::EndpointIndependent, Behaviour::AddressDependent)
    }

    /// Endpoints that were written to may write back.
    #[must_use]
    pub const fn port_restricted() -> Self {
        Self::of(Behaviour::EndpointIndependent, Behaviour::AddressAndPortDependent)
    }

    /// Each remote endpoint sees another outside port; no hairpin.
    #[must_use]
    pub const fn symmetric() -> Self {
        let mut config = Self::of(Behaviour::AddressAndPortDependent, Behaviour::AddressAndPortDependent);
        config.hairpin = false;
        config
    }

    /// No UDP at all.
    #[must_use]
    pub const fn udp_blocked() -> Self {
        let mut config = Self::port_restricted();
        config.udp = false;
        config
    }

    /// Nothing but TCP to port 443.
    #[must_use]
    pub const fn only_tcp_443() -> Self {
        let mut config = Self::udp_blocked();
        config.tcp = TcpPolicy::Only(443);
        config
    }
}

/// What a NAT did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NatStats {
    /// Mappings made.
    pub mapped: u64,
    /// Datagrams from outside for no mapping.
    pub unmapped: u64,
    /// Datagrams from outside that the filter kept out.
    pub filtered: u64,
    /// Datagrams from inside refused because the table is full.
    pub full: u64,
    /// Datagrams from inside refused because UDP is blocked.
    pub blocked: u64,
}

/// A NAT at work: a table of mappings, and nothing about packets in flight.
///
/// Ports are never preserved and never overloaded (RFC 4787 §4.2.1): each mapping gets a random free port, so that a
/// test cannot pass by guessing. At most [`NatConfig::capacity`] mappings, each with at most 64 permissions, the oldest
/// of which goes first.
#[derive(Clone, Debug)]
pub struct Nat {
    public: IpAddr,
    config: NatConfig,
    rng: Rng,
    mappings: Vec<Mapping>,
    stats: NatStats,
}

#[derive(Clone, Debug)]
struct Mapping {
    inside: SocketAddr,
    /// The first destination; later ones share the mapping when the mapping behaviour says that they are the same.
    destination: SocketAddr,
    port: u16,
    used: Instant,
    permissions: Vec<(SocketAddr, Instant)>,
}

const PORTS: std::ops::Range<u64> = 20_000..65_536;
const PERMISSIONS: usize = 64;

impl Nat {
    /// A NAT with one outside address.
    #[must_use]
    pub fn new(public: IpAddr, config: NatConfig, seed: u64) -> Self {
        Self {
            public,
            config,
            rng: Rng::new(seed),
            mappings: Vec::new(),
            stats: NatStats::default(),
        }
    }

    /// Its outside address.
    #[must_use]
    pub fn public(&self) -> IpAddr {
        self.public
    }

    /// Its behaviour.
    #[must_use]
    pub fn config(&self) -> &NatConfig {
        &self.config
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> NatStats {
        self.stats
    }

    /// Forgets all mappings, as after a power cut.
    pub fn reboot(&mut self) {
        self.mappings.clear();
    }

    /// A datagram from `inside` to `destination` leaves: the source that the outside sees. `None` if the families
    /// differ, the table is full or UDP is blocked.
    pub fn outbound(&mut self, inside: SocketAddr, destination: SocketAddr, now: Instant) -> Option<SocketAddr> {
        if inside.is_ipv4() != self.public.is_ipv4() || destination.is_ipv4() != self.public.is_ipv4() {
            return None;
        }
        if !self.config.udp {
            self.stats.blocked += 1;
            return None;
        }
        self.expire(now);
        let behaviour = self.config.mapping;
        let found = self
            .mappings
            .iter()
            .position(|m| m.inside == inside && behaviour.same(m.destination, destination));
        let index = match found {
            Some(index) => index,
            None => self.map(inside, destination, now)?,
        };
        let mapping = &mut self.mappings[index];
        mapping.used = now;
        match mapping
            .permissions
            .iter_mut()
            .find(|(remote, _)| *remote == destination)
        {
            Some(permission) => permission.1 = now,
            None => {
                if mapping.permissions.len() == PERMISSIONS {
                    mapping.permissions.remove(0);
                }
                mapping.permissions.push((destination, now));
            }
        }
        Some(SocketAddr::new(self.public, mapping.port))
    }

    /// A datagram from `source` arrives at the outside `port`: the inside endpoint that it goes to, if the filter lets
    /// it pass.
    pub fn inbound(&mut self, port: u16, source: SocketAddr, now: Instant) -> Option<SocketAddr> {
        self.expire(now);
        let Some(mapping) = self.mappings.iter_mut().find(|m| m.port == port) else {
            self.stats.unmapped += 1;
            return None;
        };
        let behaviour = self.config.filtering;
        // With endpoint-independent filtering any permission will do, and a mapping is made together with its first.
        if !mapping
            .permissions
            .iter()
            .any(|(remote, _)| behaviour.same(*remote, source))
        {
            self.stats.filtered += 1;
            return None;
        }
        if self.config.inbound_refresh {
            mapping.used = now;
            for permission in mapping
                .permissions
                .iter_mut()
                .filter(|(remote, _)| behaviour.same(*remote, source))
            {
                permission.1 = now;
            }
        }
        Some(mapping.inside)
    }

    fn map(&mut self, inside: SocketAddr, destination: SocketAddr, now: Instant) -> Option<usize> {
        if self.mappings.len() >= self.config.capacity.min(32_768) {
            self.stats.full += 1;
            return None;
        }
        // Fewer mappings than ports are in use, so this ends, and soon.
        let port = loop {
            let port = u16::try_from(self.rng.range(PORTS)).expect("the range is one of ports");
            if port != inside.port() && self.mappings.iter().all(|m| m.port != port) {
                break port;
            }
        };
        self.stats.mapped += 1;
        self.mappings.push(Mapping {
            inside,
            destination,
            port,
            used: now,
            permissions: Vec::new(),
        });
        Some(self.mappings.len() - 1)
    }

    fn expire(&mut self, now: Instant) {
        let alive = |used: Instant| now.saturating_duration_since(used) < self.config.expiry;
        self.mappings.retain_mut(|mapping| {
            mapping.permissions.retain(|(_, used)| alive(*used));
            alive(mapping.used)
        });
    }
}
