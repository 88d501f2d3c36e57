//! Where push messages may go. An endpoint is an address that a stranger gives us to send requests to, so it must not
//! reach what only this machine can reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Longest endpoint, in bytes; real ones have 100 to 500.
const LONGEST: usize = 2_048;

/// Which addresses push messages may be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointPolicy {
    /// Only `https`, only to public addresses.
    Public,
    /// Also this machine itself, also by plain `http`: for tests and development.
    PublicAndLoopback,
}

/// Why an endpoint may not be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// Longer than 2048 bytes.
    #[error("it has {length} bytes, more than {LONGEST}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// Not an absolute URL with a host.
    #[error("it is not a URL with a host")]
    Malformed,
    /// Not `https`.
    #[error("it must begin with https://")]
    Scheme,
    /// It names a user or a password.
    #[error("it must not name a user or a password")]
    Credentials,
    /// Its host is not on the public internet.
    #[error("its host is not on the public internet")]
    NotPublic,
}

impl EndpointPolicy {
    /// Looks at the text only; what a name stands for is looked at when it is resolved.
    pub(super) fn check(self, endpoint: &str) -> Result<Url, EndpointError> {
        if endpoint.len() > LONGEST {
            return Err(EndpointError::TooLong { length: endpoint.len() });
        }
        let url = Url::parse(endpoint).map_err(|_| EndpointError::Malformed)?;
        let host = url.host_str().ok_or(EndpointError::Malformed)?;
        // The parser has brought every notation of an address into one, such as `0x7f.1` into `127.0.0.1`.
        let address = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>()
            .ok();
        let own_machine = address.map_or_else(|| is_localhost(host), |address| address.is_loopback());
        let loopback = self == Self::PublicAndLoopback && own_machine;
        if url.scheme() != "https" && !(loopback && url.scheme() == "http") {
            return Err(EndpointError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::Credentials);
        }
        let public = match address {
            Some(address) => is_public(address),
            // A name without a dot is resolved by the search list of this machine's network.
            None => host.trim_end_matches('.').contains('.') && !is_localhost(host),
        };
        if public || loopback {
            Ok(url)
        } else {
            Err(EndpointError::NotPublic)
        }
    }

    fn allows(self, host: &str, address: IpAddr) -> bool {
        is_public(address) || (self == Self::PublicAndLoopback && is_localhost(host) && address.is_loopback())
    }
}

/// RFC 6761 §6.3.
fn is_localhost(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

/// Resolves names to those of their addresses that the policy allows. The check is made on the very addresses that are
/// connected to, so a name that changes its answer (DNS rebinding) gains nothing.
impl Resolve for EndpointPolicy {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = *self;
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|at| policy.allows(&host, at.ip())).collect();
            if allowed.is_empty() {
                return Err(EndpointError::NotPublic.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// The special-purpose registry of RFC 6890, as far as it is not globally reachable, and class E.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b))
        || a >= 240)
}

/// Global unicast (2000::/3) without Teredo, documentation and benchmarking; addresses that carry an IPv4 address count as
/// that one.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, _, _, g, h] = address.segments();
    let embedded = |high: u16, low: u16| is_public_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    match (a, b) {
        // NAT64, RFC 6052 §2.1.
        (0x64, 0xff9b) => c == 0 && d == 0 && embedded(g, h),
        // 6to4, RFC 3056 §2.
        (0x2002, _) => embedded(b, c),
        (0x2001, 0..=0x01ff | 0x0db8) => false,
        (0x3fff, 0..=0x0fff) => false,
        _ => a & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
#[path = "endpoint/tests.rs"]
mod tests;
