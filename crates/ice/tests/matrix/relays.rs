//! Relays in a long call, what the policies show, and networks that come and go.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use duologue_ice::{CandidateKind, Event, Policy, RelayProtocol, Role};
use duologue_testnet::{HostId, Network};

use crate::world::{A, B, SERVER_V4, World, config, ip};
use crate::{Family, Kind, is_direct, link, world};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn connected(world: &mut World) -> bool {
    world.run_until(ms(20_000), |peers| peers.iter().all(|peer| peer.selected().is_some()))
}

/// Twenty minutes, then the allocations are given back.
#[test]
fn a_relay_lasts_as_long_as_the_call() {
    for (kinds, protocol) in [
        ([Kind::Symmetric, Kind::Symmetric], RelayProtocol::Udp),
        ([Kind::OnlyTcp443, Kind::OnlyTcp443], RelayProtocol::Tls),
    ] {
        let mut world = world(kinds, Family::V4, 0.0, 1);
        assert!(connected(&mut world));
        let mut sent = 0_u64;
        for _ in 0..1200 {
            for side in [A, B] {
                world.with(side, |peer, now| peer.send(&[0x80, 1, 2, 3], now));
            }
            sent += 1;
            world.0.run_for(ms(1000)).unwrap();
        }
        for side in [A, B] {
            let peer = world.peer(side);
            assert!(!peer.events.iter().any(|(_, event)| *event == Event::ConsentLost));
            assert_eq!(peer.heard.len() as u64, sent, "{kinds:?}");
            // Either may be the one whose relay is used: the other then sees the peer's.
            let pair = peer.selected().unwrap();
            assert!(pair.relay.is_none_or(|used| used == protocol), "{pair:?}");
        }
        let server = world.server();
        assert!(server.on_channels * 10 > server.relayed * 9, "{server:?}");
        assert!(server.allocations() > 0);
        for side in [A, B] {
            world.with(side, |peer, _| peer.agent.close());
        }
        world.0.run_for(ms(1000)).unwrap();
        assert_eq!(world.server().allocations(), 0);
    }
}

/// With relays only, the peer learns no address of this host: not by signalling, and not by asking for it.
#[test]
fn relay_only_shows_relays_only() {
    let mut network = Network::new(1);
    let hosts = ["192.0.2.7", "203.0.113.7"].map(|address| network.add_host(&[ip(address)], link(0.0)));
    let addresses = ["192.0.2.7:5000", "203.0.113.7:6000"].map(|text| text.parse::<SocketAddr>().unwrap());
    let mut configs = [Role::Controlling, Role::Controlled].map(|role| config(role, true, false));
    configs[A].policy = Policy::Relay;
    let mut world = World::new(
        network,
        hosts,
        addresses.map(|address| vec![address]),
        configs,
        link(0.0),
        1,
    );
    // The peer guesses the address and asks it.
    let guess = "candidate:1 1 udp 2130706431 192.0.2.7 5000 typ host".parse().unwrap();
    world.with(B, |peer, now| peer.agent.add_remote_candidate(guess, now).unwrap());
    assert!(connected(&mut world));
    world.0.run_for(ms(20_000)).unwrap();
    assert!(world.peer(A).agent.stats().hidden > 0, "it was asked");
    for text in &world.peer(A).told {
        assert!(text.contains(" typ relay ") && !text.contains("192.0.2.7"), "{text}");
    }
    let pair = world.peer(B).selected().unwrap();
    assert_eq!(
        (pair.remote_kind, pair.remote.ip()),
        (CandidateKind::Relayed, ip(SERVER_V4))
    );
    assert!(!is_direct(&world.peer(A).selected().unwrap()));
    assert!(world.talk());

    // Shown at last, the direct way is found.
    world.with(A, |peer, now| peer.agent.set_policy(Policy::All, now));
    let direct = world.run_until(ms(20_000), |peers| {
        peers
            .iter()
            .all(|peer| peer.selected().is_some_and(|pair| is_direct(&pair)))
    });
    assert!(direct);
}

#[test]
fn silence_is_kept_until_the_accept() {
    let mut network = Network::new(2);
    let hosts = ["192.0.2.7", "203.0.113.7"].map(|address| network.add_host(&[ip(address)], link(0.0)));
    let addresses = ["192.0.2.7:5000", "203.0.113.7:6000"].map(|text| text.parse::<SocketAddr>().unwrap());
    let mut configs = [Role::Controlling, Role::Controlled].map(|role| config(role, true, false));
    configs[B].policy = Policy::Silent;
    let mut world = World::new(
        network,
        hosts,
        addresses.map(|address| vec![address]),
        configs,
        link(0.0),
        1,
    );
    world.0.run_for(ms(5000)).unwrap();
    assert_eq!(world.peer(B).told, [""; 0]);
    assert_eq!(world.peer(B).agent.stats().requests_sent, 0);
    assert_eq!(world.peer(A).agent.best_pair(), None);
    let before = world.0.elapsed();
    world.with(B, |peer, now| peer.agent.set_policy(Policy::All, now));
    assert!(connected(&mut world));
    // The candidates were gathered meanwhile: signalling, a check, and the nomination.
    assert!(world.0.elapsed() - before < ms(30 + 3 * 40 + 20));
}

/// Two open hosts, 20 ms from each other, that talk all the time.
struct Talk {
    world: World,
    hosts: [HostId; 2],
}

const RTT: Duration = Duration::from_millis(40);
const FIRST: [&str; 2] = ["192.0.2.7", "203.0.113.7"];
const SECOND: [&str; 2] = ["192.0.2.99", "203.0.113.99"];

fn socket(text: &str) -> SocketAddr {
    SocketAddr::new(ip(text), 5000)
}

impl Talk {
    fn new(seed: u64) -> Self {
        let mut network = Network::new(seed);
        let hosts = FIRST.map(|address| network.add_host(&[ip(address)], link(0.0)));
        let configs = [Role::Controlling, Role::Controlled].map(|role| config(role, true, false));
        let addresses = FIRST.map(|text| vec![socket(text)]);
        let mut world = World::new(network, hosts, addresses, configs, link(0.0), seed);
        assert!(connected(&mut world));
        let mut talk = Self { world, hosts };
        talk.run(ms(2000));
        talk
    }

    /// Both send every 5 ms.
    fn run(&mut self, time: Duration) {
        let end = self.world.0.now() + time;
        while self.world.0.now() < end {
            for side in [A, B] {
                self.world.with(side, |peer, now| peer.send(&[0x80, 0, 0, 0], now));
            }
            self.world.0.run_for(ms(5)).unwrap();
        }
    }

    /// The longest silence that each side heard since then, less what sending every 5 ms makes anyway.
    fn gaps(&self, since: Instant) -> [Duration; 2] {
        [A, B].map(|side| {
            let heard = self.world.peer(side).heard.iter().map(|(at, _)| *at);
            let times: Vec<Instant> = heard.filter(|at| *at + RTT >= since).collect();
            let longest = times.windows(2).map(|pair| pair[1] - pair[0]).max();
            longest.expect("heard again").saturating_sub(ms(5))
        })
    }

    fn plug_in(&mut self, side: usize) {
        let host = self.hosts[side];
        let network = self.world.0.network_mut();
        network.add_interface(host, None, &[ip(SECOND[side])], link(0.0));
        self.world.with(side, |peer, now| {
            peer.agent.add_local_address(socket(SECOND[side]), now).unwrap();
        });
    }

    fn pull_out(&mut self, side: usize) {
        let host = self.hosts[side];
        self.world.0.network_mut().set_up(host, ip(FIRST[side]), false);
        self.world.with(side, |peer, now| {
            peer.agent.remove_local_address(socket(FIRST[side]), now);
        });
    }

    fn assert_moved(&self, side: usize) {
        let pairs = [A, B].map(|side| self.world.peer(side).selected().unwrap());
        assert_eq!(pairs[side].local, socket(SECOND[side]));
        assert_eq!((pairs[A].local, pairs[A].remote), (pairs[B].remote, pairs[B].local));
    }
}

/// The other network was up before: its path was checked meanwhile, so that audio pauses for one round trip, in which the
/// peer learns of it, and one check at most.
#[test]
fn a_network_that_is_ready_takes_over() {
    for side in [A, B] {
        let mut talk = Talk::new(3);
        talk.plug_in(side);
        talk.run(ms(3000));
        assert_eq!(
            talk.world.peer(side).selected().unwrap().local,
            socket(FIRST[side]),
            "it stays"
        );
        let since = talk.world.0.now();
        talk.pull_out(side);
        talk.run(ms(3000));
        let gaps = talk.gaps(since);
        assert!(gaps.iter().all(|gap| *gap <= RTT + ms(10)), "side {side}: {gaps:?}");
        talk.assert_moved(side);
    }
}

/// One network goes at the moment when the other comes: one check more.
#[test]
fn a_network_that_is_swapped_is_found_by_a_check() {
    for side in [A, B] {
        let mut talk = Talk::new(4);
        let since = talk.world.0.now();
        talk.plug_in(side);
        talk.pull_out(side);
        talk.run(ms(3000));
        let gaps = talk.gaps(since);
        assert!(gaps.iter().all(|gap| *gap <= 2 * RTT + ms(20)), "side {side}: {gaps:?}");
        talk.assert_moved(side);
    }
}

/// Without renomination the owner is told that a restart is needed, and it brings the path back.
#[test]
fn without_renomination_a_restart_moves_the_path() {
    for side in [A, B] {
        let mut talk = Talk::new(5);
        for side in [A, B] {
            talk.world
                .with(side, |peer, _| peer.agent.set_remote_renomination(false));
        }
        talk.plug_in(side);
        let since = talk.world.0.now();
        talk.pull_out(side);
        let events = &talk.world.peer(side).events;
        assert!(events.iter().any(|(_, event)| *event == Event::RestartNeeded));
        talk.world.with(side, |peer, now| peer.restart(now));
        talk.run(ms(3000));
        talk.assert_moved(side);
        let gaps = talk.gaps(since);
        assert!(gaps.iter().all(|gap| *gap < ms(500)), "side {side}: {gaps:?}");
    }
}

/// A restart by either side does not interrupt anything.
#[test]
fn a_restart_is_not_heard() {
    for side in [A, B] {
        let mut talk = Talk::new(6);
        let since = talk.world.0.now();
        let selected = |talk: &Talk| {
            let events = &talk.world.peer(A).events;
            events
                .iter()
                .filter(|(_, e)| matches!(e, Event::SelectedPair(_)))
                .count()
        };
        let before = selected(&talk);
        talk.world.with(side, |peer, now| peer.restart(now));
        talk.run(ms(3000));
        assert_eq!(talk.gaps(since), [Duration::ZERO; 2]);
        assert!(selected(&talk) > before, "selected anew");
    }
}
