//! STUN and TURN servers: what the call server named, and their addresses.

use std::net::{IpAddr, SocketAddr};

use duologue_signaling::message::IceServer;
use duologue_transport::{TurnServer, TurnTransport};

use crate::RelayProtocol;

/// RFC 8489 §18.6, RFC 8656 §3.1: the same ports for STUN and TURN, others for TLS.
const PORT: u16 = 3478;
const TLS_PORT: u16 = 5349;
/// More of them only repeat what the first ones say.
const MOST_STUN_SERVERS: usize = 4;
/// As many as an ICE agent takes.
const MOST_TURN_SERVERS: usize = 8;
/// Names that are looked up for a call.
const MOST_NAMES: usize = 8;
/// Addresses of a name that are used.
const MOST_ADDRESSES: usize = 2;

/// What the call server named, and which addresses its names have.
#[derive(Debug, Default)]
pub(super) struct Servers {
    named: Vec<IceServer>,
    known: Vec<(String, Vec<IpAddr>)>,
    /// Names that are being looked up.
    pending: Vec<String>,
}

/// A URL of RFC 7064 or RFC 7065.
#[derive(Debug, PartialEq, Eq)]
struct Url<'a> {
    host: &'a str,
    port: u16,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Stun,
    TurnUdp,
    TurnTcp,
    TurnTls,
}

impl Servers {
    /// The name of the call server needs no look-up: we are connected to it.
    pub(super) fn know(&mut self, name: &str, addresses: Vec<IpAddr>) {
        self.pending.retain(|pending| !pending.eq_ignore_ascii_case(name));
        self.known.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.known.push((name.to_owned(), addresses));
    }

    /// Takes what a welcome says; the names that are to be looked up now.
    pub(super) fn set(&mut self, named: Vec<IceServer>) -> Vec<String> {
        self.named = named;
        let mut names: Vec<String> = Vec::new();
        let urls = self.named.iter().flat_map(|server| &server.urls);
        for url in urls
            .filter_map(|url| Url::parse(url))
            .filter(|url| url.kind != Kind::Stun)
        {
            let same = |name: &String| name.eq_ignore_ascii_case(url.host);
            let known = url.host.parse::<IpAddr>().is_ok()
                || self.known.iter().any(|(name, _)| same(name))
                || self.pending.iter().any(same)
                || names.iter().any(same);
            if !known && self.pending.len() + names.len() < MOST_NAMES {
                names.push(url.host.to_owned());
            }
        }
        self.pending.extend(names.iter().cloned());
        names
    }

    /// Whether an answer about a name is awaited.
    pub(super) fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Those whose address is known. STUN servers under foreign names are not looked up: that of the call server says the same.
    pub(super) fn stun(&self) -> Vec<SocketAddr> {
        let urls = self.named.iter().flat_map(|server| &server.urls);
        urls.filter_map(|url| Url::parse(url))
            .filter(|url| url.kind == Kind::Stun)
            .flat_map(|url| self.addresses(&url))
            .take(MOST_STUN_SERVERS)
            .collect()
    }

    /// Those whose address is known and that are spoken to by one of these protocols, with their credentials.
    pub(super) fn turn(&self, protocols: &[RelayProtocol]) -> Vec<TurnServer> {
        let mut found = Vec::new();
        for server in &self.named {
            let (Some(username), Some(credential)) = (&server.username, &server.credential) else {
                continue;
            };
            for url in server.urls.iter().filter_map(|url| Url::parse(url)) {
                let tls = TurnTransport::Tls {
                    server_name: url.host.to_owned(),
                };
                let (protocol, transport) = match url.kind {
                    Kind::Stun => continue,
                    Kind::TurnUdp => (RelayProtocol::Udp, TurnTransport::Udp),
                    Kind::TurnTcp => (RelayProtocol::Tcp, TurnTransport::Tcp),
                    Kind::TurnTls => (RelayProtocol::Tls, tls),
                };
                if !protocols.contains(&protocol) {
                    continue;
                }
                found.extend(self.addresses(&url).into_iter().map(|address| TurnServer {
                    address,
                    transport: transport.clone(),
                    username: username.clone(),
                    credential: credential.clone(),
                }));
            }
        }
        found.truncate(MOST_TURN_SERVERS);
        found
    }

    fn addresses(&self, url: &Url<'_>) -> Vec<SocketAddr> {
        if let Ok(ip) = url.host.parse() {
            return vec![SocketAddr::new(ip, url.port)];
        }
        let known = self.known.iter().find(|(name, _)| name.eq_ignore_ascii_case(url.host));
        let ips = known.map_or(&[][..], |(_, ips)| ips);
        let addresses = ips.iter().map(|ip| SocketAddr::new(*ip, url.port));
        addresses.take(MOST_ADDRESSES).collect()
    }
}

impl<'a> Url<'a> {
    fn parse(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once(':')?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let is_tcp = query.split('&').any(|part| part.eq_ignore_ascii_case("transport=tcp"));
        let kind = match scheme {
            "stun" => Kind::Stun,
            "turn" if is_tcp => Kind::TurnTcp,
            "turn" => Kind::TurnUdp,
            // TURN over DTLS is not spoken here; RFC 7065 §3.1 makes TLS the meaning of `turns` with TCP.
            "turns" if is_tcp => Kind::TurnTls,
            _ => return None,
        };
        let default = if kind == Kind::TurnTls { TLS_PORT } else { PORT };
        let (host, port) = split_port(rest, default)?;
        (!host.is_empty()).then_some(Self { host, port, kind })
    }
}

/// `host`, `host:port`, `[address]`, `[address]:port`; an IPv6 address without brackets and port is understood too.
fn split_port(text: &str, default: u16) -> Option<(&str, u16)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, port.parse().ok()?)),
            None => rest.is_empty().then_some((host, default)),
        };
    }
    match text.split_once(':') {
        Some((_, rest)) if rest.contains(':') => Some((text, default)),
        Some((host, port)) => Some((host, port.parse().ok()?)),
        None => Some((text, default)),
    }
}

#[cfg(test)]
mod tests;
