//! What a server runs with.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::peer::Cidr;

/// What a [`Server`](crate::Server) runs with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Secrets that credentials may be made with; several while one is replaced by another. None: nobody can allocate, and
    /// only Binding requests are answered.
    pub secrets: Vec<Vec<u8>>,
    /// The realm of the credentials. Part of every 401, so short; quotes and backslashes have no place in it.
    pub realm: String,
    /// What time it is at `now` of [`Server::new`](crate::Server::new), since 1970: credentials expire by it. See also
    /// [`Server::set_time_of_day`](crate::Server::set_time_of_day).
    pub time_of_day: Duration,
    /// Where IPv4 relays are. None: no IPv4 relays.
    pub relay_v4: Option<RelayAddress<Ipv4Addr>>,
    /// Where IPv6 relays are. None: no IPv6 relays.
    pub relay_v6: Option<RelayAddress<Ipv6Addr>>,
    /// Ports of relays.
    pub relay_ports: RangeInclusive<u16>,
    /// Whether the owner of the sockets can send with the DF bit. If not, DONT-FRAGMENT is answered as an unknown attribute
    /// (RFC 8656 §7.2).
    pub dont_fragment: bool,
    /// Ranges that peers may be in although they are private, loopback or otherwise special.
    pub allowed_peers: Vec<Cidr>,
    /// The machine's own addresses beside those of the relays. A client reaches relays there, and nothing else unless
    /// `allowed_peers` has the address: the services of this machine were not made for its neighbours' eyes.
    pub own_addresses: Vec<IpAddr>,
    /// How long a nonce is good.
    pub nonce_lifetime: Duration,
    /// Longest lifetime of an allocation without a refresh. The default of the protocol is 10 minutes, and the shortest.
    pub longest_lifetime: Duration,
    /// What there may be at a time.
    pub limits: Limits,
}

/// Where relays are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelayAddress<A> {
    /// What their sockets are bound to.
    pub bind: A,
    /// What clients and peers are told: the public address, when a NAT stands before the server.
    pub advertised: A,
}

impl<A: Copy> From<A> for RelayAddress<A> {
    fn from(address: A) -> Self {
        Self {
            bind: address,
            advertised: address,
        }
    }
}

/// What there may be at a time. Whatever is more is refused, or dropped and counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Allocations of all users.
    pub allocations: usize,
    /// Allocations of one user. A browser makes one for each server URL and network interface, and all of them again when
    /// it restarts ICE.
    pub user_allocations: usize,
    /// Relayed bytes a second of one user, both directions and all allocations together.
    pub user_bytes_per_second: u32,
    /// How many bytes of it a user may use at once.
    pub user_burst: u32,
    /// Permissions of one allocation.
    pub permissions: usize,
    /// Channels of one allocation.
    pub channels: usize,
    /// Answers in a second to requests of one network (IPv4 /24, IPv6 /56) that did not authenticate.
    pub unauthenticated_per_second: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            secrets: Vec::new(),
            realm: "duologue".into(),
            time_of_day: Duration::ZERO,
            relay_v4: None,
            relay_v6: None,
            relay_ports: 49_152..=65_535,
            dont_fragment: false,
            allowed_peers: Vec::new(),
            own_addresses: Vec::new(),
            nonce_lifetime: Duration::from_secs(3_600),
            longest_lifetime: Duration::from_secs(3_600),
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            allocations: 10_000,
            user_allocations: 32,
            user_bytes_per_second: 125_000,
            user_burst: 250_000,
            permissions: 128,
            channels: 64,
            unauthenticated_per_second: 100,
        }
    }
}
