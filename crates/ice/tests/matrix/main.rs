//! Every kind of NAT against every other, in both families, over links that lose: what RFC 4787 says can go direct goes
//! direct, everything else goes by relay, and everything connects.
//!
//! 2,000 calls: every pair of kinds in every family over every loss, with two seeds and a part with a third.
//! `DUOLOGUE_MATRIX=full` makes 100,000 of them, with ever new seeds; a number makes as many.
#![allow(clippy::unwrap_used, reason = "tests")]

mod relays;
mod turn;
mod world;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use duologue_ice::{CandidateKind, PairInfo, Role};
use duologue_testnet::{Behaviour, HostId, LinkConfig, Loss, NatConfig, NatId, Network, seed_from_env};
use world::{A, B, World, config, ip};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    None,
    FullCone,
    AddressRestricted,
    PortRestricted,
    Symmetric,
    SymmetricWithoutHairpin,
    TwoInARow,
    /// A home's NAT behind a carrier's (RFC 6888), which all homes share.
    Carrier,
    UdpBlocked,
    OnlyTcp443,
}

use Kind::{
    AddressRestricted, Carrier, FullCone, None as Open, OnlyTcp443, PortRestricted, Symmetric, SymmetricWithoutHairpin,
    TwoInARow, UdpBlocked,
};

const KINDS: [Kind; 10] = [
    Open,
    FullCone,
    AddressRestricted,
    PortRestricted,
    Symmetric,
    SymmetricWithoutHairpin,
    TwoInARow,
    Carrier,
    UdpBlocked,
    OnlyTcp443,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
    Dual,
}

impl Family {
    fn has(self) -> [bool; 2] {
        [self != Self::V6, self != Self::V4]
    }
}

impl Kind {
    /// The NATs from the host outwards.
    fn nats(self) -> Vec<NatConfig> {
        let mut hairpin = NatConfig::symmetric();
        hairpin.hairpin = true;
        match self {
            Open => Vec::new(),
            FullCone => vec![NatConfig::full_cone()],
            AddressRestricted => vec![NatConfig::restricted()],
            PortRestricted => vec![NatConfig::port_restricted()],
            Symmetric => vec![hairpin],
            SymmetricWithoutHairpin => vec![NatConfig::symmetric()],
            TwoInARow => vec![NatConfig::port_restricted(), NatConfig::restricted()],
            Carrier => vec![NatConfig::port_restricted(), NatConfig::restricted()],
            UdpBlocked => vec![NatConfig::udp_blocked()],
            OnlyTcp443 => vec![NatConfig::only_tcp_443()],
        }
    }

    fn udp(self) -> bool {
        self.nats().iter().all(|nat| nat.udp)
    }

    /// Whether the address that the STUN server sees is good for everybody (RFC 4787 §4.1).
    fn keeps_its_port(self) -> bool {
        let same = |nat: &NatConfig| nat.mapping == Behaviour::EndpointIndependent;
        self.nats().iter().all(same)
    }

    /// Whether it lets in a host that was written to, from a port that was not (RFC 4787 §5).
    fn lets_in_other_ports(self) -> bool {
        let strict = |nat: &NatConfig| nat.filtering == Behaviour::AddressAndPortDependent;
        !self.nats().iter().any(strict)
    }
}

/// RFC 5128 §3.3, §3.4: two endpoint-independent mappings can be punched; a mapping that nobody can foresee needs a
/// filter on the other side that does not look at ports.
fn can_go_direct(a: Kind, b: Kind) -> bool {
    if !a.udp() || !b.udp() {
        return false;
    }
    match (a.keeps_its_port(), b.keeps_its_port()) {
        (true, true) => true,
        (false, true) => b.lets_in_other_ports(),
        (true, false) => a.lets_in_other_ports(),
        (false, false) => false,
    }
}

pub(crate) fn link(loss: f64) -> LinkConfig {
    LinkConfig {
        delay: Duration::from_millis(10),
        loss: if loss > 0.0 { Loss::Bernoulli(loss) } else { Loss::None },
        ..LinkConfig::default()
    }
}

/// A host behind the NATs of its kind in each family, and the addresses it binds.
fn place(
    network: &mut Network,
    side: usize,
    kind: Kind,
    family: Family,
    loss: f64,
    carrier: &mut [Option<NatId>; 2],
) -> (HostId, Vec<SocketAddr>) {
    let mut host = None;
    let mut addresses = Vec::new();
    for (v6, _) in family.has().into_iter().enumerate().filter(|(_, has)| *has) {
        let texts = if v6 == 0 {
            [
                ["192.0.2.7", "203.0.113.7"][side],
                ["100.64.0.2", "100.64.0.3"][side],
                ["10.0.0.2", "10.1.0.2"][side],
            ]
        } else {
            [
                ["2001:db8:1::7", "2001:db8:2::7"][side],
                ["fd64::2", "fd64::3"][side],
                ["fd00::2", "fd01::2"][side],
            ]
        };
        let [public, middle, private] = texts.map(ip);
        let mut nats = kind.nats();
        let outer = nats.pop();
        let nat = match outer {
            None => None,
            Some(outer) if kind == Carrier => {
                let shared = ["198.51.100.200", "2001:db8:c::1"][v6];
                let shared = *carrier[v6].get_or_insert_with(|| network.add_nat(ip(shared), outer, link(0.0)));
                let inner = nats.pop().unwrap();
                Some(network.add_nat_behind(shared, middle, inner, link(0.0)))
            }
            Some(outer) => {
                let outer = network.add_nat(public, outer, link(0.0));
                let inner = nats.pop();
                Some(inner.map_or(outer, |inner| network.add_nat_behind(outer, middle, inner, link(0.0))))
            }
        };
        let address = if nat.is_some() { private } else { public };
        match (host, nat) {
            (None, Some(nat)) => host = Some(network.add_host_behind(nat, &[address], link(loss))),
            (None, None) => host = Some(network.add_host(&[address], link(loss))),
            (Some(host), nat) => network.add_interface(host, nat, &[address], link(loss)),
        }
        addresses.push(SocketAddr::new(address, 5000 + 1000 * side as u16));
    }
    (host.unwrap(), addresses)
}

pub(crate) fn world(kinds: [Kind; 2], family: Family, loss: f64, seed: u64) -> World {
    let mut network = Network::new(seed);
    let mut carrier = [None; 2];
    let mut hosts = Vec::new();
    let mut addresses = Vec::new();
    for side in [A, B] {
        let (host, bound) = place(&mut network, side, kinds[side], family, loss, &mut carrier);
        hosts.push(host);
        addresses.push(bound);
    }
    let [v4, v6] = family.has();
    let configs = [Role::Controlling, Role::Controlled].map(|role| config(role, v4, v6));
    let addresses = [addresses[A].clone(), addresses[B].clone()];
    World::new(network, [hosts[A], hosts[B]], addresses, configs, link(0.0), seed)
}

pub(crate) fn is_direct(pair: &PairInfo) -> bool {
    pair.local_kind != CandidateKind::Relayed && pair.remote_kind != CandidateKind::Relayed
}

fn call(kinds: [Kind; 2], family: Family, loss: f64, seed: u64) {
    let name = format!(
        "{:?} and {:?}, {family:?}, loss {loss}, seed {seed}",
        kinds[A], kinds[B]
    );
    let direct = can_go_direct(kinds[A], kinds[B]);
    let mut world = world(kinds, family, loss, seed);
    let connected = world.run_until(Duration::from_secs(60), |peers| {
        let pairs = peers.map(|peer| peer.selected());
        match pairs {
            [Some(a), Some(b)] => is_direct(&a) == direct && is_direct(&b) == direct,
            _ => false,
        }
    });
    let pairs = [A, B].map(|side| world.peer(side).agent.best_pair());
    assert!(connected, "{name}: {pairs:?}");
    assert!(world.talk(), "{name}: no data");
    assert!(direct || world.server().relayed > 0, "{name}");
}

/// How many calls to make.
fn count() -> usize {
    match std::env::var("DUOLOGUE_MATRIX") {
        Ok(text) if text == "full" => 100_000,
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("DUOLOGUE_MATRIX={text} is neither full nor a number")),
        Err(_) => 2000,
    }
}

#[test]
fn every_pair_of_kinds_connects_the_best_way_it_can() {
    let seed = seed_from_env(1);
    let losses = [0.0, 0.1, 0.3];
    let families = [Family::V4, Family::V6, Family::Dual];
    let mut cells = Vec::new();
    for a in KINDS {
        for b in KINDS {
            for family in families {
                cells.extend(losses.map(|loss| ([a, b], family, loss)));
            }
        }
    }
    // A prime to the number of cells: a part of them is one of every sort.
    let cell = |n: usize| cells[n * 7 % cells.len()];
    let (next, total) = (AtomicUsize::new(0), count());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= total {
                        return;
                    }
                    let (kinds, family, loss) = cell(n);
                    call(kinds, family, loss, seed + (n / cells.len()) as u64);
                }
            });
        }
    });
}
