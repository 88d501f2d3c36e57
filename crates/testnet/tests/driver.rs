//! The driver: order of events, determinism, livelock.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use duologue_testnet::{
    Clock, Driver, Endpoint, EndpointId, LinkConfig, Network, Rng, Transmit, seed_from_env, with_seed,
};

const MS: Duration = Duration::from_millis(1);

/// Sends a datagram of random size each 20 ms and notes all that happens to it.
struct Chatter {
    own: SocketAddr,
    peer: SocketAddr,
    rng: Rng,
    next: Option<Instant>,
    start: Instant,
    out: VecDeque<Transmit>,
    messages: VecDeque<(EndpointId, Vec<u8>)>,
    log: Vec<String>,
}

impl Chatter {
    fn new(own: &str, peer: &str, seed: u64, start: Instant) -> Self {
        Self {
            own: own.parse().unwrap(),
            peer: peer.parse().unwrap(),
            rng: Rng::new(seed),
            next: Some(start),
            start,
            out: VecDeque::new(),
            messages: VecDeque::new(),
            log: Vec::new(),
        }
    }

    fn note(&mut self, now: Instant, what: &str) {
        self.log.push(format!("{} {what}", (now - self.start).as_millis()));
    }
}

impl Endpoint for Chatter {
    fn handle_datagram(&mut self, _: SocketAddr, source: SocketAddr, payload: &[u8], now: Instant) {
        assert_eq!(source, self.peer);
        self.note(now, &format!("datagram {}", payload.len()));
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.note(now, "timeout");
        self.next = Some(now + 20 * MS);
        let len = self.rng.range(1..1200);
        let payload = self.rng.bytes::<1200>()[..usize::try_from(len).unwrap()].to_vec();
        self.out.push_back(Transmit {
            source: self.own,
            destination: self.peer,
            payload,
        });
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.out.pop_front()
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        self.next
    }

    fn handle_message(&mut self, from: EndpointId, message: &[u8], now: Instant) {
        self.note(now, &format!("message {from} {}", String::from_utf8_lossy(message)));
    }

    fn poll_message(&mut self) -> Option<(EndpointId, Vec<u8>)> {
        self.messages.pop_front()
    }
}

fn world(link: LinkConfig, seed: u64) -> Driver<Chatter> {
    let mut network = Network::new(seed);
    let a = network.add_host(&["192.0.2.1".parse().unwrap()], link.clone());
    let b = network.add_host(&["192.0.2.2".parse().unwrap()], link);
    let clock = Clock::new();
    let mut driver = Driver::new(network, clock);
    driver.add(a, Chatter::new("192.0.2.1:1", "192.0.2.2:1", seed, clock.now()));
    driver.add(b, Chatter::new("192.0.2.2:1", "192.0.2.1:1", seed ^ 1, clock.now()));
    driver
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_one_another() {
    let run = |seed| {
        let mut driver = world(
            LinkConfig {
                reorder: 0.05,
                duplicate: 0.02,
                ..LinkConfig::lte()
            },
            seed,
        );
        driver.trace_mut().hash_payloads(true);
        driver.run_for(Duration::from_secs(5)).unwrap();
        assert_eq!(driver.elapsed(), Duration::from_secs(5));
        let logs: Vec<_> = driver.endpoints().map(|e| e.log.clone()).collect();
        (
            driver.trace().hash(),
            driver.trace().total_sent(),
            driver.trace().to_string(),
            logs,
        )
    };
    with_seed(11, |seed| {
        assert_eq!(run(seed), run(seed));
        assert_ne!(run(seed).0, run(seed ^ 0xff).0);
        assert_eq!(run(seed).1.datagrams, 2 * 251);
    });
}

#[test]
fn events_come_in_the_order_of_their_times_and_ties_in_the_documented_order() {
    let mut driver = world(
        LinkConfig {
            delay: 10 * MS,
            ..LinkConfig::default()
        },
        seed_from_env(1),
    );
    driver.set_message_delay(20 * MS);
    driver.endpoint_mut(0).messages.push_back((1, b"hi".to_vec()));
    driver.run_for(20 * MS).unwrap();
    let log: Vec<&str> = driver
        .endpoint(1)
        .log
        .iter()
        .map(|l| l.rsplit_once(' ').map_or(&**l, |(head, _)| head))
        .collect();
    // At 20 ms: the message, then the datagram of time 0 (two links of 10 ms), then the timer.
    assert_eq!(log, ["0", "20 message 0", "20 datagram", "20"]);
    assert!(driver.endpoint(1).log[3].ends_with("timeout"));
    assert_eq!(driver.trace().total_delivered().datagrams, 2);
}

#[test]
fn run_until_stops_at_once_when_done() {
    let mut driver = world(LinkConfig::lan(), 1);
    assert!(
        driver
            .run_until(Duration::from_secs(1), |d| d.endpoint(0).log.len() >= 5)
            .unwrap()
    );
    assert!(driver.elapsed() < 100 * MS);
    assert!(!driver.run_until(Duration::from_secs(1), |_| false).unwrap());
}

#[test]
fn the_network_can_be_changed_on_the_way() {
    let mut driver = world(LinkConfig::lan(), 1);
    let heard = |driver: &Driver<Chatter>| driver.endpoint(1).log.iter().filter(|l| l.contains("datagram")).count();
    driver.run_for(Duration::from_millis(990)).unwrap();
    assert_eq!(heard(&driver), 50);
    let host = driver.host(0);
    driver.network_mut().set_link(host, &LinkConfig::lossy(1.0));
    driver.run_for(Duration::from_secs(1)).unwrap();
    assert_eq!(heard(&driver), 50);
    driver.network_mut().set_link(host, &LinkConfig::lan());
    driver.run_for(Duration::from_secs(1)).unwrap();
    assert_eq!(heard(&driver), 100);
}

/// An endpoint whose timer never advances, or that sends for ever.
struct Stuck {
    storm: bool,
    now: Instant,
}

impl Endpoint for Stuck {
    fn handle_datagram(&mut self, _: SocketAddr, _: SocketAddr, _: &[u8], _: Instant) {}
    fn handle_timeout(&mut self, _: Instant) {}
    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.storm.then(|| Transmit {
            source: "192.0.2.1:1".parse().unwrap(),
            destination: "192.0.2.2:1".parse().unwrap(),
            payload: Vec::new(),
        })
    }
    fn poll_timeout(&mut self) -> Option<Instant> {
        Some(self.now)
    }
}

#[test]
fn a_livelock_is_reported_with_what_happened_last() {
    for storm in [false, true] {
        let mut network = Network::new(1);
        let host = network.add_host(&["192.0.2.1".parse().unwrap()], LinkConfig::lan());
        let clock = Clock::new();
        let mut driver = Driver::new(network, clock);
        driver.set_step_limit(50);
        driver.add(
            host,
            Stuck {
                storm,
                now: clock.now(),
            },
        );
        let livelock = driver.run_for(MS).unwrap_err();
        assert_eq!((livelock.at, livelock.steps), (Duration::ZERO, 51));
        assert_eq!(livelock.latest.is_empty(), !storm);
        assert!(livelock.to_string().contains("51 steps"));
    }
}

#[test]
fn a_clock_never_goes_back() {
    let mut clock = Clock::default();
    clock.advance(5 * MS);
    clock.advance_to(clock.start());
    assert_eq!(clock.elapsed(), 5 * MS);
}

/// What happened at other instants does not count, however little moves the clock.
#[test]
fn a_long_run_without_events_is_no_livelock() {
    let mut network = Network::new(1);
    let host = network.add_host(&["192.0.2.1".parse().unwrap()], LinkConfig::default());
    let clock = Clock::new();
    let mut endpoint = Chatter::new("192.0.2.1:1", "192.0.2.9:1", 1, clock.now());
    endpoint.next = None;
    let mut driver = Driver::new(network, clock);
    let id = driver.add(host, endpoint);
    driver.set_step_limit(10);
    for _ in 0..100 {
        let endpoint = driver.endpoint_mut(id);
        let (source, destination) = (endpoint.own, endpoint.peer);
        endpoint.out.push_back(Transmit {
            source,
            destination,
            payload: vec![0],
        });
        driver.run_for(20 * MS).unwrap();
    }
    assert_eq!(driver.elapsed(), 2000 * MS);
}
