//! Which local addresses media may use.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Most local addresses that a call uses: each is a socket, a candidate, and checks against each remote candidate.
pub(crate) const MAX_ADDRESSES: usize = 8;

/// The addresses of all interfaces at one moment.
#[derive(Debug)]
pub(crate) struct Listing {
    running: Vec<IpAddr>,
    idle: Vec<IpAddr>,
}

/// Lists the interfaces.
pub(crate) fn listing() -> io::Result<Listing> {
    let found = if_addrs::get_if_addrs()?;
    let (running, idle): (Vec<_>, Vec<_>) = found.into_iter().partition(if_addrs::Interface::is_oper_up);
    let addresses = |list: Vec<if_addrs::Interface>| list.iter().map(if_addrs::Interface::ip).collect();
    Ok(Listing {
        running: addresses(running),
        idle: addresses(idle),
    })
}

impl Listing {
    /// The addresses to bind at first: those of every interface that runs; the loopback ones when `loopback` asks for them, or when
    /// there are no others.
    pub(crate) fn prefer(&self, loopback: bool) -> Vec<IpAddr> {
        prefer(self.running.clone(), self.idle.iter().copied(), loopback)
    }

    /// The same during a call: nothing takes the place of interfaces that do not run.
    pub(crate) fn choose(&self, loopback: bool) -> Vec<IpAddr> {
        let mut chosen = choose(self.running.iter().copied(), loopback);
        chosen.retain(|address| loopback || !address.is_loopback());
        chosen
    }

    /// Whether the address is on an interface that runs.
    pub(crate) fn runs(&self, address: IpAddr) -> bool {
        self.running.contains(&address)
    }

    /// Whether the address is one of this machine's, running or not.
    pub(crate) fn has(&self, address: IpAddr) -> bool {
        self.running.contains(&address) || self.idle.contains(&address)
    }
}

/// Every running interface's addresses that are no loopback ones, with the interface's number: where multicast reaches neighbours.
pub(crate) fn links() -> Vec<(IpAddr, u32)> {
    let found = if_addrs::get_if_addrs().unwrap_or_default();
    found
        .iter()
        .filter(|interface| interface.is_oper_up() && !interface.is_loopback())
        .filter_map(|interface| Some((interface.ip(), interface.index?)))
        .collect()
}

/// The state of an interface that has just come up lags behind by up to a second: when nothing but the loopback seems to run,
/// the others are worth a try too.
fn prefer(mut running: Vec<IpAddr>, idle: impl Iterator<Item = IpAddr>, loopback: bool) -> Vec<IpAddr> {
    if !running
        .iter()
        .any(|address| is_usable(address) && !address.is_loopback())
    {
        running.extend(idle);
    }
    choose(running.into_iter(), loopback)
}

fn choose(found: impl Iterator<Item = IpAddr>, loopback: bool) -> Vec<IpAddr> {
    let mut global: Vec<IpAddr> = Vec::new();
    let mut local: Vec<IpAddr> = Vec::new();
    for address in found.filter(is_usable) {
        let list = if address.is_loopback() { &mut local } else { &mut global };
        if !list.contains(&address) {
            list.push(address);
        }
    }
    if loopback || global.is_empty() {
        // A container may bring up `lo` without ::1, and a test network may have no `lo` up at all: 127.0.0.1 is tried then.
        if local.is_empty() {
            local.push(Ipv4Addr::LOCALHOST.into());
        }
        global.extend(local);
    }
    global.truncate(MAX_ADDRESSES);
    global
}

/// RFC 8445 §5.1.1.1: no link-local IPv6 addresses (they mean nothing without a zone), none that cannot be a source.
fn is_usable(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !v4.is_unspecified() && !v4.is_multicast() && !v4.is_broadcast(),
        IpAddr::V6(v6) => {
            !v6.is_unspecified()
                && !v6.is_multicast()
                && !v6.is_unicast_link_local()
                && v6.to_ipv4_mapped().is_none()
                && !is_site_local(v6)
        }
    }
}

/// fec0::/10, which RFC 8445 §5.1.1.1 forbids.
fn is_site_local(address: &Ipv6Addr) -> bool {
    address.segments()[0] & 0xffc0 == 0xfec0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn loopback_is_the_last_resort_or_asked_for() {
        let all = addresses(&["127.0.0.1", "::1", "192.0.2.7", "2001:db8::7", "192.0.2.7"]);
        assert_eq!(
            choose(all.clone().into_iter(), false),
            addresses(&["192.0.2.7", "2001:db8::7"])
        );
        assert_eq!(
            choose(all.into_iter(), true),
            addresses(&["192.0.2.7", "2001:db8::7", "127.0.0.1", "::1"])
        );
        assert_eq!(
            choose(addresses(&["127.0.0.1"]).into_iter(), false),
            addresses(&["127.0.0.1"])
        );
        assert_eq!(choose(std::iter::empty(), false), addresses(&["127.0.0.1"]));
    }

    #[test]
    fn interfaces_that_do_not_run_yet_are_used_when_no_other_does() {
        let idle = addresses(&["10.77.0.1"]);
        let one = |running: &[&str]| prefer(addresses(running), idle.clone().into_iter(), false);
        assert_eq!(one(&["127.0.0.1"]), idle);
        assert_eq!(one(&["127.0.0.1", "fe80::1"]), idle);
        assert_eq!(one(&["127.0.0.1", "192.0.2.7"]), addresses(&["192.0.2.7"]));
    }

    #[test]
    fn addresses_that_cannot_carry_media_are_left_out() {
        let odd = addresses(&[
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "::",
            "0.0.0.0",
            "255.255.255.255",
            "::ffff:192.0.2.1",
            "192.0.2.1",
        ]);
        assert_eq!(choose(odd.into_iter(), false), addresses(&["192.0.2.1"]));
    }

    #[test]
    fn their_number_is_bounded() {
        let many = (0..=255u8).map(|last| IpAddr::from([10, 0, 0, last]));
        assert_eq!(choose(many, true).len(), MAX_ADDRESSES);
    }
}
