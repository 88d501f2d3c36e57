//! Where relays are, and which of this machine's surroundings they may reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use duologue_turn::{Cidr, RelayAddress};

use crate::Config;

/// Addresses that have to do with relays.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) v4: Option<RelayAddress<Ipv4Addr>>,
    pub(super) v6: Option<RelayAddress<Ipv6Addr>>,
    pub(super) allowed: Vec<Cidr>,
    pub(super) own: Vec<IpAddr>,
}

impl Place {
    pub(super) fn of(config: &Config, listening: SocketAddr) -> Self {
        let turn = &config.turn;
        let own: Vec<IpAddr> = if_addrs::get_if_addrs()
            .map(|interfaces| interfaces.iter().map(if_addrs::Interface::ip).collect())
            .unwrap_or_default();
        let mut allowed = turn.allow_peers.clone();
        // Development on this machine alone: caller, callee and server are here, their addresses loopback or the machine's
        // own, and only local programs can be reached by local programs. Nobody else can connect.
        if config.dev && config.listen.ip().is_loopback() {
            allowed.extend(own.iter().copied().map(Cidr::from));
            allowed.extend([
                Cidr::from(IpAddr::from(Ipv4Addr::LOCALHOST)),
                IpAddr::from(Ipv6Addr::LOCALHOST).into(),
            ]);
        }
        let v4 = pick(&turn.relay_ip, listening, "192.0.2.1:9").or_else(|| loopback(listening));
        let v6 = pick(&turn.relay_ip, listening, "[2001:db8::1]:9");
        Self {
            v4: with_external(v4, &turn.external_ip),
            v6: with_external(v6, &turn.external_ip),
            allowed,
            own,
        }
    }
}

/// One family's: what is configured, what the port is bound to, or what packets to the internet leave from.
fn pick<A: Family>(configured: &[IpAddr], listening: SocketAddr, outside: &str) -> Option<A> {
    let configured = configured.iter().copied().find_map(A::from_ip);
    let bound = || A::from_ip(listening.ip().to_canonical()).filter(|_| !listening.ip().is_unspecified());
    let routed = || {
        // A port bound to one address is this server's place: no relay elsewhere.
        if !listening.ip().is_unspecified() {
            return None;
        }
        let outside: SocketAddr = outside.parse().ok()?;
        let socket = UdpSocket::bind((A::UNSPECIFIED, 0)).ok()?;
        // Only chooses the route: nothing is sent.
        socket.connect(outside).ok()?;
        A::from_ip(socket.local_addr().ok()?.ip())
    };
    configured.or_else(bound).or_else(routed)
}

/// A machine without a network still has itself.
fn loopback(listening: SocketAddr) -> Option<Ipv4Addr> {
    listening.ip().is_unspecified().then_some(Ipv4Addr::LOCALHOST)
}

fn with_external<A: Family>(bind: Option<A>, external: &[IpAddr]) -> Option<RelayAddress<A>> {
    let advertised = external.iter().copied().find_map(A::from_ip);
    match (bind, advertised) {
        (Some(bind), Some(advertised)) => Some(RelayAddress { bind, advertised }),
        (Some(bind), None) => Some(bind.into()),
        (None, _) => None,
    }
}

trait Family: Copy {
    const UNSPECIFIED: IpAddr;
    fn from_ip(ip: IpAddr) -> Option<Self>;
}

impl Family for Ipv4Addr {
    const UNSPECIFIED: IpAddr = IpAddr::V4(Self::UNSPECIFIED);

    fn from_ip(ip: IpAddr) -> Option<Self> {
        match ip {
            IpAddr::V4(ip) => Some(ip),
            IpAddr::V6(_) => None,
        }
    }
}

impl Family for Ipv6Addr {
    const UNSPECIFIED: IpAddr = IpAddr::V6(Self::UNSPECIFIED);

    fn from_ip(ip: IpAddr) -> Option<Self> {
        match ip {
            IpAddr::V6(ip) => Some(ip),
            IpAddr::V4(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(dev: bool, listen: &str, stun: &str, change: impl FnOnce(&mut Config)) -> Place {
        let mut config = Config::dev(listen.parse().unwrap(), "unused");
        config.dev = dev;
        change(&mut config);
        Place::of(&config, stun.parse().unwrap())
    }

    #[test]
    fn loopback_is_reached_in_local_development_only() {
        let loopback: IpAddr = Ipv4Addr::LOCALHOST.into();
        let opens = |place: &Place| place.allowed.iter().any(|range| range.contains(loopback));
        assert!(opens(&place(true, "127.0.0.1:0", "127.0.0.1:3478", |_| {})));
        assert!(
            !opens(&place(true, "0.0.0.0:0", "0.0.0.0:3478", |_| {})),
            "others can connect"
        );
        assert!(
            !opens(&place(false, "127.0.0.1:0", "127.0.0.1:3478", |_| {})),
            "behind a proxy"
        );
    }

    #[test]
    fn relays_are_where_the_port_is_unless_told_otherwise() {
        let local = place(true, "127.0.0.1:0", "127.0.0.1:3478", |_| {});
        assert_eq!(local.v4, Some(Ipv4Addr::LOCALHOST.into()));
        assert_eq!(local.v6, None);
        let behind_nat = place(false, "0.0.0.0:0", "0.0.0.0:3478", |config| {
            config.turn.relay_ip = vec!["10.0.0.5".parse().unwrap()];
            config.turn.external_ip = vec!["45.9.8.7".parse().unwrap()];
        });
        let expected = RelayAddress {
            bind: Ipv4Addr::new(10, 0, 0, 5),
            advertised: Ipv4Addr::new(45, 9, 8, 7),
        };
        assert_eq!(behind_nat.v4, Some(expected));
    }
}
