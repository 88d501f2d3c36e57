//! Candidates and their priorities.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

mod text;

/// A candidate address of one side (RFC 8445 §5.1).
///
/// `Display` and `FromStr` are the value of the candidate attribute, RFC 8839 §5.1: `candidate:1 1 udp 2130706431
/// 192.0.2.1 5000 typ host`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// How the address was learned.
    pub kind: CandidateKind,
    /// The transport address, or an mDNS name that stands for one.
    pub address: CandidateAddress,
    /// The address it is sent from. Known for local candidates only.
    pub base: Option<SocketAddr>,
    /// The related address (`raddr`, `rport`): diagnostics only.
    pub related: Option<SocketAddr>,
    /// Priority, RFC 8445 §5.1.2.
    pub priority: u32,
    /// 1 to 32 characters, equal for candidates of the same kind, base and server.
    pub foundation: String,
    /// Always 1 in use: RTP and RTCP share one component.
    pub component: u16,
    /// The user name fragment it belongs to (extension `ufrag`), if signalled.
    pub ufrag: Option<String>,
}

impl Candidate {
    /// The transport address, unless it hides behind an mDNS name.
    #[must_use]
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        match self.address {
            CandidateAddress::Socket(address) => Some(address),
            CandidateAddress::Mdns { .. } => None,
        }
    }
}

/// How a candidate was learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CandidateKind {
    /// An address of the host itself.
    Host,
    /// The address that a STUN server saw.
    ServerReflexive,
    /// The address that the peer saw.
    PeerReflexive,
    /// An address on a TURN server.
    Relayed,
}

impl CandidateKind {
    /// The name in the candidate attribute and in W3C statistics: `host`, `srflx`, `prflx`, `relay`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relayed => "relay",
        }
    }

    /// Type preference, the values RFC 8445 §5.1.2.2 recommends.
    fn preference(self) -> u32 {
        match self {
            Self::Host => 126,
            Self::PeerReflexive => 110,
            Self::ServerReflexive => 100,
            Self::Relayed => 0,
        }
    }
}

/// Where a candidate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CandidateAddress {
    /// A transport address.
    Socket(SocketAddr),
    /// A name under `.local` that stands for an address (draft-ietf-mmusic-mdns-ice-candidates).
    Mdns {
        /// The whole name.
        name: String,
        /// The UDP port.
        port: u16,
    },
}

impl fmt::Display for CandidateAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(address) => write!(f, "{} {}", address.ip(), address.port()),
            Self::Mdns { name, port } => write!(f, "{name} {port}"),
        }
    }
}

/// Priority of a candidate of component 1 (RFC 8445 §5.1.2.1).
pub(crate) fn priority(kind: CandidateKind, local_preference: u16) -> u32 {
    kind.preference() << 24 | u32::from(local_preference) << 8 | (256 - 1)
}

/// Local preference of the `nth` address of its family: IPv6 and IPv4 alternate, IPv6 first, so that a broken family
/// costs one check, not all (RFC 8421 §4). Loopback comes last.
pub(crate) fn local_preference(ip: IpAddr, nth: usize) -> u16 {
    let steps = u16::try_from(nth.min(1000)).unwrap_or(1000) * 2 + u16::from(ip.is_ipv4());
    let top = if ip.is_loopback() { u16::MAX / 2 } else { u16::MAX };
    top - steps
}

/// Priority of a pair (RFC 8445 §6.1.2.3).
pub(crate) fn pair_priority(controlling: u32, controlled: u32) -> u64 {
    let (g, d) = (u64::from(controlling), u64::from(controlled));
    (g.min(d) << 32) + 2 * g.max(d) + u64::from(g > d)
}

/// Whether an address can be a candidate at all, apart from loopback: not unspecified, multicast or broadcast, no port
/// 0, and none of the IPv6 forms that RFC 8445 §5.1.1.1 excludes. Link-local IPv6 is left out too: it means nothing
/// without the zone, which is not signalled.
pub(crate) fn is_usable(address: SocketAddr) -> bool {
    if address.port() == 0 {
        return false;
    }
    match address.ip() {
        IpAddr::V4(ip) => !(ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast() || ip.octets()[0] == 0),
        IpAddr::V6(ip) => {
            let site_local = ip.segments()[0] & 0xffc0 == 0xfec0;
            // ::/96 holds the unspecified address, the deprecated IPv4-compatible ones and loopback.
            let compatible = ip.segments()[..6] == [0; 6] && !ip.is_loopback();
            !(ip.is_multicast()
                || ip.is_unicast_link_local()
                || ip.to_ipv4_mapped().is_some()
                || site_local
                || compatible)
        }
    }
}

#[cfg(test)]
mod tests;
