//! `ice` against `is` in both roles, on virtual time, with and without loss.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use duologue_ice::{Agent, Candidate, Config, Credentials, Output, Role, State};
use duologue_testnet::Rng;
use is::stun::StunMessage;
use is::{IceAgent, IceAgentEvent, IceCreds};

const ONE_WAY: Duration = Duration::from_millis(50);
const LIMIT: Duration = Duration::from_secs(30);

/// Both agents and the datagrams between them: (arrival, to us, sender, receiver, payload).
struct Pair {
    ours: Agent,
    theirs: IceAgent,
    in_flight: Vec<(Instant, bool, SocketAddr, SocketAddr, Vec<u8>)>,
    random: Rng,
    loss: f64,
    now: Instant,
    begin: Instant,
    our_pair: Option<(SocketAddr, Duration)>,
    their_pair: Option<(SocketAddr, Duration)>,
}

impl Pair {
    fn new(role: Role, loss: f64, seed: u64) -> Self {
        let begin = Instant::now();
        let (here, there): (SocketAddr, SocketAddr) =
            ("192.0.2.1:5000".parse().unwrap(), "192.0.2.2:6000".parse().unwrap());
        let mut ours = Agent::new(
            Config {
                role,
                ..Config::default()
            },
            [seed as u8; 32],
            begin,
        );
        let creds = IceCreds {
            ufrag: format!("theirs{seed}"),
            pass: "aPasswordOfTheirsLongEnough".into(),
        };
        let mut theirs = IceAgent::new(creds.clone());
        theirs.set_controlling(role == Role::Controlled);

        ours.add_local_address(here, begin).unwrap();
        ours.end_of_local_addresses(begin);
        let candidate = is::Candidate::host(there, "udp").unwrap();
        // Each side gets the other's candidate in the form that signalling carries.
        let line = candidate.to_sdp_string();
        ours.add_remote_candidate(line.parse::<Candidate>().unwrap(), begin)
            .unwrap();
        ours.end_of_remote_candidates(begin);
        theirs.add_local_candidate(candidate);
        let mut local = None;
        while let Some(output) = ours.poll_output() {
            if let Output::Event(duologue_ice::Event::LocalCandidate(candidate)) = output {
                local = Some(candidate.to_string());
            }
        }
        theirs.add_remote_candidate(is::Candidate::from_sdp_string(&local.unwrap()).unwrap());

        let mine = ours.local_credentials().clone();
        theirs.set_remote_credentials(IceCreds {
            ufrag: mine.ufrag,
            pass: mine.pwd,
        });
        ours.set_remote_credentials(
            Credentials {
                ufrag: creds.ufrag,
                pwd: creds.pass,
            },
            begin,
        );
        Self {
            ours,
            theirs,
            in_flight: Vec::new(),
            random: Rng::new(seed),
            loss,
            now: begin,
            begin,
            our_pair: None,
            their_pair: None,
        }
    }

    fn send(&mut self, to_us: bool, source: SocketAddr, destination: SocketAddr, payload: Vec<u8>) {
        if !self.random.chance(self.loss) {
            self.in_flight
                .push((self.now + ONE_WAY, to_us, source, destination, payload));
        }
    }

    fn drain(&mut self) {
        let since = self.now - self.begin;
        while let Some(output) = self.ours.poll_output() {
            match output {
                Output::Transmit(sent) => self.send(false, sent.source, sent.destination, sent.payload),
                Output::Event(duologue_ice::Event::SelectedPair(pair)) => {
                    self.our_pair.get_or_insert((pair.remote, since));
                }
                _ => {}
            }
        }
        while let Some(sent) = self.theirs.poll_transmit() {
            self.send(true, sent.source, sent.destination, sent.contents.to_vec());
        }
        while let Some(event) = self.theirs.poll_event() {
            if let IceAgentEvent::NominatedSend { destination, .. } = event {
                self.their_pair.get_or_insert((destination, since));
            }
        }
    }

    /// Advances to the next arrival or deadline.
    fn step(&mut self) {
        self.drain();
        let arrivals = self.in_flight.iter().map(|datagram| datagram.0);
        let next = arrivals
            .chain(self.ours.poll_timeout())
            .chain(self.theirs.poll_timeout())
            .min();
        // Some deadlines lie in the past; a step is never empty.
        self.now = next.unwrap_or(self.now).max(self.now + Duration::from_millis(1));
        self.ours.handle_timeout(self.now);
        self.theirs.handle_timeout(self.now);
        let (due, later) = std::mem::take(&mut self.in_flight)
            .into_iter()
            .partition(|datagram| datagram.0 <= self.now);
        self.in_flight = later;
        for (_, to_us, source, destination, payload) in due {
            if to_us {
                self.ours.handle_datagram(destination, source, &payload, self.now);
            } else {
                let message = StunMessage::parse(&payload).unwrap();
                let packet = is::stun::StunPacket {
                    proto: is::Protocol::Udp,
                    source,
                    destination,
                    message,
                };
                assert!(
                    self.theirs.handle_packet(self.now, packet),
                    "the oracle has no use for what we sent"
                );
            }
        }
        self.drain();
    }

    /// Runs until both have nominated; answers after how long each had.
    fn connect(mut self) -> (Duration, Duration, Self) {
        while self.our_pair.is_none() || self.their_pair.is_none() {
            assert!(
                self.now - self.begin < LIMIT,
                "not connected: {:?} {:?}",
                self.our_pair,
                self.their_pair
            );
            self.step();
        }
        let (ours, theirs) = (self.our_pair.unwrap(), self.their_pair.unwrap());
        assert_eq!(ours.0, "192.0.2.2:6000".parse().unwrap());
        assert_eq!(theirs.0, "192.0.2.1:5000".parse().unwrap());
        (ours.1, theirs.1, self)
    }
}

#[test]
fn both_roles_connect_within_two_round_trips() {
    for role in [Role::Controlling, Role::Controlled] {
        let (ours, theirs, _) = Pair::new(role, 0.0, 1).connect();
        // RFC 8445 §8.1.1: one check, and one more for a regular nomination.
        assert!(
            ours <= 5 * ONE_WAY && theirs <= 5 * ONE_WAY,
            "{role:?}: ours {ours:?}, theirs {theirs:?}"
        );
    }
}

#[test]
fn both_roles_connect_over_a_lossy_path() {
    for role in [Role::Controlling, Role::Controlled] {
        for seed in 1..=40 {
            // Panics with both states, the seed being in the test's loop, when one of them never connects.
            Pair::new(role, 0.2, seed).connect();
        }
    }
}

#[test]
fn the_connection_lasts() {
    for role in [Role::Controlling, Role::Controlled] {
        let (_, _, mut pair) = Pair::new(role, 0.0, 3).connect();
        // Consent (RFC 7675) is asked and given for longer than it takes to expire.
        while pair.now - pair.begin < Duration::from_secs(90) {
            pair.step();
        }
        assert!(
            matches!(pair.ours.state(), State::Connected | State::Completed),
            "{:?}",
            pair.ours.state()
        );
        assert!(pair.theirs.state().is_connected());
    }
}
