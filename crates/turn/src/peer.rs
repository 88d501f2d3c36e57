//! Which addresses a client may reach through a relay.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A range of addresses, written `192.0.2.0/24`, `2001:db8::/32` or, for one address, without the slash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cidr {
    address: IpAddr,
    prefix: u8,
}

/// Text that is no range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CidrError {
    /// The part before the slash is no IP address.
    #[error("`{0}` is no IP address; write ranges as 192.0.2.0/24 or 2001:db8::/32")]
    Address(String),
    /// The part after the slash is no number that fits the family.
    #[error("`{0}` is no prefix length; IPv4 has 0 to 32, IPv6 0 to 128")]
    Prefix(String),
}

impl Cidr {
    const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
            prefix,
        }
    }

    const fn v6(first: u16, second: u16, third: u16, prefix: u8) -> Self {
        Self {
            address: IpAddr::V6(Ipv6Addr::new(first, second, third, 0, 0, 0, 0, 0)),
            prefix,
        }
    }

    /// Whether the address lies within; addresses of the other family never do.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differ = own.to_bits() ^ other.to_bits();
                differ.checked_shr(32 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differ = own.to_bits() ^ other.to_bits();
                differ.checked_shr(128 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl From<IpAddr> for Cidr {
    /// The range of this one address.
    fn from(address: IpAddr) -> Self {
        let prefix = if address.is_ipv4() { 32 } else { 128 };
        Self { address, prefix }
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let parsed: IpAddr = address.parse().map_err(|_| CidrError::Address(address.to_owned()))?;
        let mut range = Self::from(parsed);
        if let Some(prefix) = prefix {
            let digits = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
            let number = prefix.parse().ok().filter(|number| digits && *number <= range.prefix);
            range.prefix = number.ok_or_else(|| CidrError::Prefix(prefix.to_owned()))?;
        }
        Ok(range)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// Ranges that lead into somebody's inside, nowhere, or to everybody (IANA's special-purpose registries). IPv6 ranges that
/// carry an IPv4 address are among them: through a translator they would reach the IPv4 ranges around this list.
const DENIED: &[Cidr] = &[
    Cidr::v4(0, 0, 0, 0, 8),
    Cidr::v4(10, 0, 0, 0, 8),
    Cidr::v4(100, 64, 0, 0, 10),
    Cidr::v4(127, 0, 0, 0, 8),
    Cidr::v4(169, 254, 0, 0, 16),
    Cidr::v4(172, 16, 0, 0, 12),
    Cidr::v4(192, 0, 0, 0, 24),
    Cidr::v4(192, 0, 2, 0, 24),
    Cidr::v4(192, 88, 99, 0, 24),
    Cidr::v4(192, 168, 0, 0, 16),
    Cidr::v4(198, 18, 0, 0, 15),
    Cidr::v4(198, 51, 100, 0, 24),
    Cidr::v4(203, 0, 113, 0, 24),
    Cidr::v4(224, 0, 0, 0, 4),
    Cidr::v4(240, 0, 0, 0, 4),
    // Unspecified, loopback, IPv4-mapped and IPv4-compatible addresses.
    Cidr::v6(0, 0, 0, 64),
    // NAT64 (RFC 6052, RFC 8215).
    Cidr::v6(0x64, 0xff9b, 0, 96),
    Cidr::v6(0x64, 0xff9b, 1, 48),
    Cidr::v6(0x100, 0, 0, 64),
    // Teredo, ORCHID, benchmarking.
    Cidr::v6(0x2001, 0, 0, 23),
    Cidr::v6(0x2001, 0xdb8, 0, 32),
    // 6to4.
    Cidr::v6(0x2002, 0, 0, 16),
    Cidr::v6(0x3fff, 0, 0, 20),
    Cidr::v6(0x5f00, 0, 0, 16),
    Cidr::v6(0xfc00, 0, 0, 7),
    Cidr::v6(0xfe80, 0, 0, 10),
    Cidr::v6(0xfec0, 0, 0, 10),
    Cidr::v6(0xff00, 0, 0, 8),
];

/// Whether a relay may send to this address: not when it is special, unless an allowed range has it.
pub(crate) fn is_allowed(address: IpAddr, allowed: &[Cidr]) -> bool {
    allowed.iter().any(|range| range.contains(address)) || !DENIED.iter().any(|range| range.contains(address))
}

#[cfg(test)]
mod tests;
