//! NATs and firewalls by kind, as nftables rules.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// How long a NAT of ours remembers whom a phone has written to (RFC 4787 REQ-5: at least two minutes).
const MEMORY: &str = "2m";

/// What is between a phone and the internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing: the phone has a public address.
    Open,
    /// Anybody may write to a port that was opened.
    FullCone,
    /// Hosts that were written to may write back, from any port.
    AddressRestricted,
    /// Endpoints that were written to may write back.
    PortRestricted,
    /// Each destination sees another port.
    Symmetric,
    /// The same, and what is sent to its own outside address is dropped without a word.
    SymmetricNoHairpin,
    /// Two port-restricted ones in a row.
    Double,
    /// A port-restricted one at home behind the carrier's, which filters nothing (RFC 6888 REQ-7).
    CarrierGrade,
    /// Port-restricted for TCP, and no UDP at all.
    UdpBlocked,
    /// Nothing gets out but TCP to port 443.
    OnlyTcp443,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Open,
        Self::FullCone,
        Self::AddressRestricted,
        Self::PortRestricted,
        Self::Symmetric,
        Self::SymmetricNoHairpin,
        Self::Double,
        Self::CarrierGrade,
        Self::UdpBlocked,
        Self::OnlyTcp443,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::FullCone => "full-cone",
            Self::AddressRestricted => "address-restricted",
            Self::PortRestricted => "port-restricted",
            Self::Symmetric => "symmetric",
            Self::SymmetricNoHairpin => "symmetric-no-hairpin",
            Self::Double => "double",
            Self::CarrierGrade => "cgn",
            Self::UdpBlocked => "udp-blocked",
            Self::OnlyTcp443 => "tcp-443",
        }
    }

    /// The routers from the phone's side outwards.
    #[must_use]
    pub const fn routers(self) -> &'static [Router] {
        match self {
            Self::Open => &[],
            Self::FullCone => &[Router::FullCone],
            Self::AddressRestricted => &[Router::AddressRestricted],
            Self::PortRestricted => &[Router::PortRestricted],
            Self::Symmetric => &[Router::Symmetric { silent: false }],
            Self::SymmetricNoHairpin => &[Router::Symmetric { silent: true }],
            Self::Double => &[Router::PortRestricted, Router::PortRestricted],
            Self::CarrierGrade => &[Router::PortRestricted, Router::FullCone],
            Self::UdpBlocked => &[Router::UdpBlocked],
            Self::OnlyTcp443 => &[Router::OnlyTcp443],
        }
    }

    /// Whether two phones behind these find a direct path: RFC 5128 §3.3 on what hole punching gets through.
    #[must_use]
    pub fn direct(self, other: Self) -> bool {
        let blocked = |kind| matches!(kind, Self::UdpBlocked | Self::OnlyTcp443);
        let symmetric = |kind| matches!(kind, Self::Symmetric | Self::SymmetricNoHairpin);
        // Those that let nobody in whose very port was not written to.
        let strict = |kind| symmetric(kind) || matches!(kind, Self::PortRestricted | Self::Double | Self::CarrierGrade);
        let relay =
            blocked(self) || blocked(other) || (symmetric(self) && strict(other)) || (strict(self) && symmetric(other));
        !relay
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|kind| kind.name()).collect();
            format!("`{text}` is no kind of network; there are {}", names.join(", "))
        })
    }
}

/// One router: `lan0` towards the phone, `wan0` towards the internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Router {
    /// Endpoint-independent mapping and filtering.
    FullCone,
    /// Endpoint-independent mapping, address-dependent filtering.
    AddressRestricted,
    /// Endpoint-independent mapping, address- and port-dependent filtering.
    PortRestricted,
    /// Address- and port-dependent mapping and filtering.
    Symmetric {
        /// Whether packets to its own outside address vanish, instead of being refused.
        silent: bool,
    },
    /// Port-restricted, without UDP.
    UdpBlocked,
    /// Only TCP to port 443.
    OnlyTcp443,
}

impl Router {
    /// Its rules. There is one host inside, `inside`, so that the kernel keeps the ports of what it masquerades: that makes
    /// the mapping endpoint-independent (RFC 4787 §4.1) unless ports are drawn at random.
    #[must_use]
    pub fn rules(self, inside: Ipv4Addr) -> String {
        let (mut open, mut note, mut let_in) = (String::new(), String::new(), String::new());
        let set =
            |key: &str| format!("set open {{ type {key}; flags dynamic,timeout; timeout {MEMORY}; size 65535; }}");
        match self {
            Self::FullCone => {
                open = set("inet_service");
                note = "iifname lan0 meta l4proto udp update @open { udp sport }".into();
                let_in = format!("iifname wan0 udp dport @open dnat to {inside}");
            }
            Self::AddressRestricted => {
                open = set("inet_service . ipv4_addr");
                note = "iifname lan0 meta l4proto udp update @open { udp sport . ip daddr }".into();
                let_in = format!("iifname wan0 udp dport . ip saddr @open dnat to {inside}");
            }
            Self::PortRestricted | Self::Symmetric { .. } | Self::UdpBlocked | Self::OnlyTcp443 => {}
        }
        let out = match self {
            Self::UdpBlocked => "iifname lan0 meta l4proto udp drop",
            Self::OnlyTcp443 => "iifname lan0 tcp dport != 443 drop\n    iifname lan0 meta l4proto != tcp drop",
            _ => "",
        };
        let own = match self {
            Self::Symmetric { silent: true } => "",
            _ => "iifname lan0 accept",
        };
        let ports = match self {
            Self::Symmetric { .. } => " fully-random",
            _ => "",
        };
        // What nobody asked for is dropped before the kernel remembers it: a remembered one would take the port that the
        // phone's own packet to the same peer needs, and turn a cone into a symmetric NAT.
        format!(
            "table ip duo {{
  {open}
  chain input {{
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    {own}
  }}
  chain forward {{
    type filter hook forward priority filter; policy drop;
    {out}
    {note}
    ct state established,related accept
    iifname lan0 accept
    ct status dnat accept
  }}
  chain prerouting {{
    type nat hook prerouting priority dstnat;
    {let_in}
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat;
    oifname wan0 masquerade{ports}
  }}
}}
"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for kind in Kind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert!(
            "cone"
                .parse::<Kind>()
                .unwrap_err()
                .contains("full-cone, address-restricted")
        );
    }

    #[test]
    fn hole_punching_gets_through_what_rfc_5128_says() {
        use Kind::*;
        for (a, b) in [
            (Open, Symmetric),
            (FullCone, Symmetric),
            (AddressRestricted, Symmetric),
            (PortRestricted, CarrierGrade),
        ] {
            assert!(a.direct(b) && b.direct(a), "{a} {b}");
        }
        for (a, b) in [
            (PortRestricted, Symmetric),
            (Symmetric, SymmetricNoHairpin),
            (Double, Symmetric),
            (UdpBlocked, Open),
        ] {
            assert!(!a.direct(b) && !b.direct(a), "{a} {b}");
        }
        // 8 × 8 without the two that block UDP; two symmetric kinds against the five strict ones, both ways round.
        let direct = Kind::ALL
            .iter()
            .flat_map(|a| Kind::ALL.map(|b| a.direct(b)))
            .filter(|direct| *direct);
        assert_eq!(direct.count(), 64 - 2 * 2 * 5 + 2 * 2);
    }
}
