//! Prefixes of NAT64 (RFC 6052), found as RFC 7050 says.

use std::net::{Ipv4Addr, Ipv6Addr};

/// An IPv6 prefix under which a network translates to IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Nat64Prefix {
    bytes: [u8; 16],
    length: u8,
}

/// RFC 6052 §2.2, the longest first: it is by far the most used.
const LENGTHS: [u8; 6] = [96, 64, 56, 48, 40, 32];

impl Nat64Prefix {
    /// The name whose AAAA records are to be looked up (RFC 7050 §3): it has IPv4 addresses only, so every answer is a
    /// translation.
    pub const NAME: &'static str = "ipv4only.arpa";

    /// The well-known addresses of that name (RFC 7050 §8.2).
    const WELL_KNOWN: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 0, 170), Ipv4Addr::new(192, 0, 0, 171)];

    /// A prefix of one of the lengths of RFC 6052 §2.2 (32, 40, 48, 56, 64 or 96 bits); the other bits of `prefix` are
    /// ignored. `None` for another length, or where bits 64 to 71 are not zero (§2.2).
    #[must_use]
    pub fn new(prefix: Ipv6Addr, length: u8) -> Option<Self> {
        if !LENGTHS.contains(&length) {
            return None;
        }
        let mut bytes = prefix.octets();
        bytes[usize::from(length / 8)..].fill(0);
        (bytes[8] == 0).then_some(Self { bytes, length })
    }

    /// The prefixes that these AAAA records of [`NAME`](Self::NAME) show (RFC 7050 §3), in the order of the records,
    /// each once. Records that are no translation give none; of more than 16 the rest is not looked at.
    #[must_use]
    pub fn discover(records: &[Ipv6Addr]) -> Vec<Self> {
        let mut prefixes = Vec::new();
        for record in records.iter().take(16) {
            // What follows the four octets is zero (RFC 6052 §2.2), so that a record fits one length only.
            let fits = |prefix: &Self| Self::WELL_KNOWN.iter().any(|known| prefix.embed(*known) == *record);
            let prefix = LENGTHS
                .iter()
                .filter_map(|length| Self::new(*record, *length))
                .find(fits);
            prefixes.extend(prefix.filter(|prefix| !prefixes.contains(prefix)));
        }
        prefixes
    }

    /// The IPv6 address that stands for `ip` (RFC 6052 §2.2).
    #[must_use]
    pub fn embed(&self, ip: Ipv4Addr) -> Ipv6Addr {
        let mut bytes = self.bytes;
        for (place, octet) in self.places().zip(ip.octets()) {
            bytes[place] = octet;
        }
        bytes.into()
    }

    /// The IPv4 address that `ip` stands for, if it has this prefix.
    #[must_use]
    pub fn extract(&self, ip: Ipv6Addr) -> Option<Ipv4Addr> {
        let bytes = ip.octets();
        let mut octets = [0; 4];
        for (octet, place) in octets.iter_mut().zip(self.places()) {
            *octet = bytes[place];
        }
        let octets = Ipv4Addr::from(octets);
        (self.embed(octets) == ip).then_some(octets)
    }

    /// Where the four octets go: after the prefix, around octet 8, which stays zero.
    fn places(&self) -> impl Iterator<Item = usize> + use<> {
        let start = usize::from(self.length / 8);
        (start..16).filter(|place| *place != 8).take(4)
    }
}

#[cfg(test)]
mod tests;
