use proptest::prelude::*;

use super::*;
use crate::CandidateKind;
use crate::stun::{Check, Key, RoleAttribute};

mod moves;

#[expect(clippy::disallowed_methods, reason = "one base for virtual time")]
fn base() -> Instant {
    Instant::now()
}

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

const OURS: &str = "192.0.2.1:5000";
const THEIRS: &str = "203.0.113.1:6000";

fn peer() -> Credentials {
    Credentials {
        ufrag: "peer".to_owned(),
        pwd: "the password of the peer".replace(' ', "+"),
    }
}

/// An agent that checks one pair, and the request it sent.
fn checking(role: Role, now: Instant) -> (Agent, Transmit) {
    let config = Config {
        role,
        ..Config::default()
    };
    let mut agent = Agent::new(config, [3; 32], now);
    agent.add_local_address(addr(OURS), now).unwrap();
    let candidate = format!("candidate:1 1 udp 2130706431 {} typ host", THEIRS.replace(':', " "));
    agent.add_remote_candidate(candidate.parse().unwrap(), now).unwrap();
    agent.set_remote_credentials(peer(), now);
    let request = transmits(&mut agent).remove(0);
    (agent, request)
}

fn transmits(agent: &mut Agent) -> Vec<Transmit> {
    std::iter::from_fn(|| agent.poll_output())
        .filter_map(|output| match output {
            Output::Transmit(transmit) => Some(transmit),
            _ => None,
        })
        .collect()
}

/// Everything of the agent but its counters.
fn state_of(agent: &Agent) -> String {
    let text = format!("{agent:?}");
    let (before, after) = text.split_once("stats: Stats").unwrap();
    format!("{before}{}", after.split_once('}').unwrap().1)
}

fn request_to(agent: &Agent, use_candidate: bool, role: RoleAttribute, key: &str) -> Vec<u8> {
    let username = format!("{}:peer", agent.local_credentials().ufrag);
    let check = Check {
        username: &username,
        priority: 1_845_501_695,
        use_candidate,
        nomination: None,
        asks: None,
        role,
        payload: None,
    };
    stun::check(77, &check, &Key::new(key))
}

/// Who does not know the password changes nothing, whatever is sent from wherever.
#[test]
fn forged_messages_leave_the_agent_as_it_is() {
    let now = base();
    for role in [Role::Controlling, Role::Controlled] {
        let (mut agent, request) = checking(role, now);
        let id = Message::parse(&request.payload).unwrap().transaction;
        let before = state_of(&agent);
        let conflict = match role {
            Role::Controlling => RoleAttribute::Controlling(u64::MAX),
            Role::Controlled => RoleAttribute::Controlled(0),
        };
        let wrong = Key::new("wrong password wrong password");
        let mut forged = vec![
            request_to(&agent, true, conflict, "wrong password wrong password"),
            request_to(&agent, true, conflict, &peer().pwd),
            stun::success(id, addr(OURS), Some(b"payload"), Some(&wrong)),
            stun::success(id, addr(OURS), None, None),
            stun::success(id, addr(OURS), None, Some(&Key::new(&agent.local_credentials().pwd))),
            stun::role_conflict(id, &wrong),
            stun::unknown_attributes(id, &[1], &wrong),
            // The right key, but for no request of ours.
            stun::success(id ^ 1, addr(OURS), None, Some(&Key::new(&peer().pwd))),
            stun::server_request(id),
            b"\x80\x6f not STUN".to_vec(),
            Vec::new(),
        ];
        // Somebody else's user name under our password: one who shares the socket.
        let other = Check {
            username: "other:peer",
            priority: 1,
            use_candidate: true,
            nomination: None,
            asks: None,
            role: conflict,
            payload: None,
        };
        forged.push(stun::check(5, &other, &Key::new(&agent.local_credentials().pwd)));
        let count = forged.len() as u64;
        for payload in &forged {
            agent.handle_datagram(addr(OURS), addr(THEIRS), payload, now);
        }
        assert_eq!(state_of(&agent), before, "{role:?}");
        let stats = agent.stats();
        assert_eq!(
            stats.malformed + stats.unauthenticated_requests + stats.unauthenticated_responses,
            count,
            "{stats:?}"
        );
    }
}

/// RFC 8445 §7.2.5.2.1: an answer counts only on the way back of its request.
#[test]
fn an_answer_from_another_address_does_not_count() {
    let now = base();
    let (mut agent, request) = checking(Role::Controlling, now);
    agent.add_local_address(addr("192.0.2.1:5001"), now).unwrap();
    transmits(&mut agent);
    let id = Message::parse(&request.payload).unwrap().transaction;
    let answer = stun::success(id, addr(OURS), None, Some(&Key::new(&peer().pwd)));
    let before = state_of(&agent);
    agent.handle_datagram(addr(OURS), addr("203.0.113.1:6001"), &answer, now);
    agent.handle_datagram(addr("192.0.2.1:5001"), addr(THEIRS), &answer, now);
    assert_eq!(state_of(&agent), before);
    assert_eq!(agent.stats().asymmetric_responses, 2);
    agent.handle_datagram(addr(OURS), addr(THEIRS), &answer, now);
    assert_eq!(agent.best_pair().map(|pair| pair.remote), Some(addr(THEIRS)));
    let before = state_of(&agent);
    agent.handle_datagram(addr(OURS), addr(THEIRS), &answer, now);
    assert_eq!(state_of(&agent), before, "an answer counts once");
}

#[test]
fn the_larger_tie_breaker_keeps_its_role() {
    let now = base();
    for (role, theirs, switches) in [
        (Role::Controlling, RoleAttribute::Controlling(0), false),
        (Role::Controlling, RoleAttribute::Controlling(u64::MAX), true),
        (Role::Controlled, RoleAttribute::Controlled(0), true),
        (Role::Controlled, RoleAttribute::Controlled(u64::MAX), false),
    ] {
        let (mut agent, _) = checking(role, now);
        let pwd = agent.local_credentials().pwd.clone();
        let request = request_to(&agent, false, theirs, &pwd);
        agent.handle_datagram(addr(OURS), addr(THEIRS), &request, now);
        assert_eq!(agent.role() != role, switches, "{role:?} against {theirs:?}");
        let answers = transmits(&mut agent);
        let answer = Message::parse(&answers[0].payload).unwrap();
        assert!(answer.is_signed_by(&Key::new(&pwd)));
        assert_eq!(answer.error, (!switches).then_some(487));
    }
}

/// As controlled, each nomination counts, also after the first.
#[test]
fn later_nominations_are_followed() {
    let now = base();
    let (mut agent, _) = checking(Role::Controlled, now);
    let pwd = agent.local_credentials().pwd.clone();
    let sources = [
        addr(THEIRS),
        addr("203.0.113.1:6001"),
        addr("203.0.113.1:6002"),
        addr(THEIRS),
    ];
    for (step, source) in sources.into_iter().enumerate() {
        let now = now + Duration::from_millis(100) * (u32::try_from(step).unwrap() + 1);
        let nomination = request_to(&agent, true, RoleAttribute::Controlling(1), &pwd);
        agent.handle_datagram(addr(OURS), source, &nomination, now);
        for transmit in transmits(&mut agent) {
            let message = Message::parse(&transmit.payload).unwrap();
            if message.class == Class::Request {
                let answer = stun::success(message.transaction, addr(OURS), None, Some(&Key::new(&peer().pwd)));
                agent.handle_datagram(addr(OURS), transmit.destination, &answer, now);
            }
        }
        let pair = agent.best_pair().unwrap();
        assert_eq!((pair.remote, pair.nominated), (source, true), "step {step}");
        transmits(&mut agent);
    }
}

#[test]
fn unknown_required_attributes_are_refused_by_name() {
    let now = base();
    let (mut agent, _) = checking(Role::Controlled, now);
    let pwd = agent.local_credentials().pwd.clone();
    let username = format!("{}:peer", agent.local_credentials().ufrag);
    let data = stun::tests::request_with(&username, 0x7f00, &Key::new(&pwd));
    agent.handle_datagram(addr(OURS), addr(THEIRS), &data, now);
    let answer = transmits(&mut agent).remove(0);
    assert_eq!(Message::parse(&answer.payload).unwrap().error, Some(420));
    assert!(!agent.is_validated(addr(OURS), addr(THEIRS)));
}

#[test]
fn every_table_has_an_end() {
    let now = base();
    let (mut agent, _) = checking(Role::Controlled, now);
    for port in 2000..2100 {
        let _ = agent.add_local_address(SocketAddr::new(addr(OURS).ip(), port), now);
        let candidate = format!("candidate:1 1 udp {port} 203.0.113.9 {port} typ host");
        let _ = agent.add_remote_candidate(candidate.parse().unwrap(), now);
    }
    let full = agent.add_local_address(addr("192.0.2.1:9"), now);
    assert_eq!(
        full,
        Err(CandidateError::TooMany {
            limit: crate::MAX_CANDIDATES
        })
    );
    let pwd = agent.local_credentials().pwd.clone();
    let request = request_to(&agent, true, RoleAttribute::Controlling(1), &pwd);
    for port in 1..5000 {
        agent.handle_datagram(
            addr(OURS),
            SocketAddr::new(addr("198.51.100.9:1").ip(), port),
            &request,
            now,
        );
    }
    assert_eq!(agent.pairs.iter().count(), crate::MAX_PAIRS);
    assert_eq!(agent.remotes.list.len(), crate::MAX_CANDIDATES);
    assert!(agent.outputs.len() <= 2 * MAX_OUTPUTS);
    assert!(agent.stats().outputs_dropped > 0 && agent.stats().table_full > 0);
}

/// Whoever overhears one check can send it again from any source address: that must not keep out the candidates which
/// the peer signals.
#[test]
fn repeated_checks_from_anywhere_leave_room_for_signalled_candidates() {
    let now = base();
    let (mut agent, _) = checking(Role::Controlled, now);
    let pwd = agent.local_credentials().pwd.clone();
    let overheard = request_to(&agent, false, RoleAttribute::Controlling(1), &pwd);
    for port in 1..200 {
        agent.handle_datagram(addr(OURS), SocketAddr::from(([198, 51, 100, 9], port)), &overheard, now);
    }
    assert_eq!(agent.remotes.list.len(), crate::MAX_CANDIDATES);
    transmits(&mut agent);
    let candidate = "candidate:2 1 udp 2130706430 203.0.113.2 6000 typ host"
        .parse()
        .unwrap();
    agent.add_remote_candidate(candidate, now).unwrap();
    assert_eq!(agent.remotes.list.len(), crate::MAX_CANDIDATES);
    let mut sent = Vec::new();
    for step in 1..600 {
        agent.handle_timeout(now + Duration::from_millis(5 * step));
        sent.extend(transmits(&mut agent));
    }
    assert!(
        sent.iter()
            .any(|transmit| transmit.destination == addr("203.0.113.2:6000"))
    );
}

#[test]
fn loopback_is_for_those_who_ask() {
    let now = base();
    for loopback in [false, true] {
        let mut agent = Agent::new(
            Config {
                loopback,
                ..Config::default()
            },
            [1; 32],
            now,
        );
        assert_eq!(agent.add_local_address(addr("127.0.0.1:5"), now).is_ok(), loopback);
        let candidate: Candidate = "candidate:1 1 udp 1 127.0.0.1 22 typ host".parse().unwrap();
        assert_eq!(agent.add_remote_candidate(candidate, now).is_ok(), loopback);
        let candidate: Candidate = "candidate:1 2 udp 1 192.0.2.1 22 typ host".parse().unwrap();
        assert_eq!(
            agent.add_remote_candidate(candidate, now),
            Err(CandidateError::Component { component: 2 })
        );
    }
}

#[test]
fn a_name_is_asked_for_once_and_its_address_is_taken() {
    let now = base();
    let (mut agent, _) = checking(Role::Controlled, now);
    let mut candidate: Candidate = "candidate:1 1 udp 1 aa-bb.local 22 typ host".parse().unwrap();
    agent.add_remote_candidate(candidate.clone(), now).unwrap();
    agent.add_remote_candidate(candidate.clone(), now).unwrap();
    let events: Vec<_> = std::iter::from_fn(|| agent.poll_output()).collect();
    let asked = events
        .iter()
        .filter(|o| matches!(o, Output::MdnsQuery { name } if name == "aa-bb.local"));
    assert_eq!(asked.count(), 1);
    candidate.address = crate::CandidateAddress::Mdns {
        name: "AA-bb.local".to_owned(),
        port: 23,
    };
    agent.add_remote_candidate(candidate, now).unwrap();
    assert_eq!(agent.poll_output(), None, "one question for both ports");
    agent.handle_mdns_answer("other.local", "192.0.2.78".parse().unwrap(), now);
    agent.handle_mdns_answer("aa-bb.local", "127.0.0.1".parse().unwrap(), now);
    agent.handle_mdns_answer("aa-bb.local", "192.0.2.77".parse().unwrap(), now);
    agent.handle_timeout(now + Duration::from_millis(5));
    agent.handle_timeout(now + Duration::from_millis(10));
    let mut asked: Vec<SocketAddr> = transmits(&mut agent).iter().map(|t| t.destination).collect();
    asked.sort();
    assert_eq!(asked, [addr("192.0.2.77:22"), addr("192.0.2.77:23")]);
}

/// A relayed pair gives way to a direct one that turns out to work.
#[test]
fn a_relay_is_left_for_a_direct_pair() {
    let start = base();
    let config = Config {
        role: Role::Controlling,
        ..Config::default()
    };
    let mut agent = Agent::new(config, [3; 32], start);
    agent.set_remote_renomination(true);
    agent
        .add_relayed_address(addr("198.51.100.2:7000"), addr("192.0.2.1:5000"), start)
        .unwrap();
    agent.add_local_address(addr(OURS), start).unwrap();
    let candidate = format!("candidate:1 1 udp 2130706431 {} typ host", THEIRS.replace(':', " "));
    agent.add_remote_candidate(candidate.parse().unwrap(), start).unwrap();
    agent.set_remote_credentials(peer(), start);
    let mut answered = Vec::new();
    for direct in [false, true] {
        for step in 0..8 {
            let now = start + Duration::from_secs(u64::from(direct)) + Duration::from_millis(50) * step;
            agent.handle_timeout(now);
            for transmit in transmits(&mut agent) {
                let message = Message::parse(&transmit.payload).unwrap();
                if direct || transmit.source != addr(OURS) {
                    let answer =
                        stun::success(message.transaction, transmit.source, None, Some(&Key::new(&peer().pwd)));
                    agent.handle_datagram(transmit.source, transmit.destination, &answer, now);
                }
            }
        }
        answered.push(agent.best_pair().map(|pair| (pair.nominated, pair.local_kind)));
    }
    assert_eq!(
        answered,
        [Some((true, CandidateKind::Relayed)), Some((true, CandidateKind::Host))]
    );
}

#[test]
fn secrets_are_not_shown() {
    let (agent, _) = checking(Role::Controlled, base());
    let shown = format!("{agent:?}");
    assert!(!shown.contains(&agent.local_credentials().pwd));
    assert!(!shown.contains(&peer().pwd));
    assert!(agent.local_credentials().is_valid());
}

/// After [`Event::ConsentLost`] the owner waits for [`Event::ConsentRestored`], also if it restarts ICE meanwhile.
#[test]
fn a_restart_while_consent_is_lost_restores_it() {
    let now = base();
    let (mut agent, request) = checking(Role::Controlling, now);
    let key = Key::new(&peer().pwd);
    let id = Message::parse(&request.payload).unwrap().transaction;
    let answer = stun::success(id, addr(OURS), None, Some(&key));
    agent.handle_datagram(addr(OURS), addr(THEIRS), &answer, now);
    let now = now + Duration::from_secs(31);
    agent.handle_timeout(now);
    assert!(std::iter::from_fn(|| agent.poll_output()).any(|o| o == Output::Event(Event::ConsentLost)));

    agent.restart(None, now);
    agent.set_remote_credentials(peer(), now);
    let candidate = format!("candidate:1 1 udp 2130706431 {} typ host", THEIRS.replace(':', " "));
    agent.add_remote_candidate(candidate.parse().unwrap(), now).unwrap();
    assert_eq!(agent.best_pair(), None, "nothing is proven yet");
    let now = now + Duration::from_millis(100);
    agent.handle_timeout(now);
    let request = transmits(&mut agent).pop().unwrap();
    let id = Message::parse(&request.payload).unwrap().transaction;
    let answer = stun::success(id, addr(OURS), None, Some(&key));
    agent.handle_datagram(addr(OURS), addr(THEIRS), &answer, now);
    assert!(agent.best_pair().is_some());
    assert!(std::iter::from_fn(|| agent.poll_output()).any(|o| o == Output::Event(Event::ConsentRestored)));
}

/// RFC 8839 §5.4: at most 256 characters. A user name that fits no message must not come to be written into one.
#[test]
fn credentials_that_fit_no_message_are_not_used() {
    let now = base();
    let endless = Credentials {
        ufrag: "a".repeat(70_000),
        pwd: peer().pwd,
    };
    let config = Config {
        local_credentials: Some(endless.clone()),
        ..Config::default()
    };
    let mut agent = Agent::new(config, [1; 32], now);
    assert!(agent.local_credentials().is_valid());
    agent.restart(Some(endless.clone()), now);
    assert!(agent.local_credentials().is_valid());
    agent.add_local_address(addr(OURS), now).unwrap();
    let candidate = format!("candidate:1 1 udp 2130706431 {} typ host", THEIRS.replace(':', " "));
    agent.add_remote_candidate(candidate.parse().unwrap(), now).unwrap();
    agent.set_remote_credentials(endless, now);
    assert_eq!(agent.remote_credentials(), None);
    assert!(transmits(&mut agent).is_empty());
    agent.set_remote_credentials(peer(), now);
    assert_eq!(transmits(&mut agent).len(), 1);
}

/// RFC 8489 §6.3.3: an answer with an attribute that must be understood and is not is discarded.
#[test]
fn an_answer_that_is_not_understood_does_not_count() {
    let now = base();
    let (mut agent, request) = checking(Role::Controlling, now);
    let id = Message::parse(&request.payload).unwrap().transaction;
    let before = state_of(&agent);
    let answer = stun::tests::success_with(id, 0x7f00, &Key::new(&peer().pwd));
    agent.handle_datagram(addr(OURS), addr(THEIRS), &answer, now);
    assert_eq!(state_of(&agent), before);
    assert_eq!(agent.best_pair(), None);
}

/// RFC 8445 §5.1.2.1 and §5.1.1.3, also when an address has gone and another has come.
#[test]
fn priorities_and_foundations_stay_distinct_after_a_removal() {
    let now = base();
    let mut agent = Agent::new(Config::default(), [1; 32], now);
    for last in 1..4 {
        agent
            .add_local_address(SocketAddr::from(([192, 0, 2, last], 5000)), now)
            .unwrap();
    }
    agent.remove_local_address(addr("192.0.2.1:5000"), now);
    agent.add_local_address(addr("192.0.2.9:5000"), now).unwrap();
    for last in 1..3 {
        let relayed = SocketAddr::from(([198, 51, 100, last], 7000));
        agent.add_relayed_address(relayed, addr("192.0.2.9:5000"), now).unwrap();
    }
    let mut candidates: Vec<Candidate> = std::iter::from_fn(|| agent.poll_output())
        .filter_map(|output| match output {
            Output::Event(Event::LocalCandidate(candidate)) => Some(candidate),
            _ => None,
        })
        .collect();
    assert_eq!(candidates.remove(0).base, Some(addr("192.0.2.1:5000")), "it is gone");
    assert_eq!(candidates.len(), 5);
    let distinct = |of: fn(&Candidate) -> String| {
        candidates
            .iter()
            .map(of)
            .collect::<std::collections::BTreeSet<_>>()
            .len()
    };
    assert_eq!(distinct(|candidate| candidate.priority.to_string()), 5);
    assert_eq!(distinct(|candidate| candidate.foundation.clone()), 5);
}

/// A server out on the network has no business to name an address of this host's own.
#[test]
fn a_server_cannot_make_loopback_a_candidate() {
    let now = base();
    let server = addr("198.51.100.1:3478");
    let config = Config {
        stun_servers: vec![server],
        ..Config::default()
    };
    let mut agent = Agent::new(config, [1; 32], now);
    agent.add_local_address(addr(OURS), now).unwrap();
    let request = transmits(&mut agent).remove(0);
    let id = Message::parse(&request.payload).unwrap().transaction;
    let answer = stun::success(id, addr("127.0.0.1:22"), None, None);
    agent.handle_datagram(addr(OURS), server, &answer, now);
    assert!(!std::iter::from_fn(|| agent.poll_output()).any(|o| matches!(o, Output::Event(Event::LocalCandidate(_)))));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 300, ..ProptestConfig::default() })]

    /// Any mixture of calls: nothing panics, the tables stay bounded, and time never stands still.
    #[test]
    fn any_calls_are_survived(steps in prop::collection::vec((0u8..14, any::<u16>()), 0..120), seed: u8) {
        let mut now = base();
        let config = Config {
            role: if seed & 1 == 0 { Role::Controlling } else { Role::Controlled },
            stun_servers: vec![addr("198.51.100.1:3478")],
            ..Config::default()
        };
        let mut agent = Agent::new(config, [seed; 32], now);
        let mut sent: Vec<Transmit> = Vec::new();
        for (step, value) in steps {
            let ours = SocketAddr::new(addr(OURS).ip(), 1 + value % 4);
            let theirs = SocketAddr::new(addr(THEIRS).ip(), 1 + value / 4 % 6);
            match step {
                0 => drop(agent.add_local_address(ours, now)),
                1 => {
                    let text = format!("candidate:1 1 udp {value} {} {} typ relay", theirs.ip(), theirs.port());
                    drop(agent.add_remote_candidate(text.parse().unwrap(), now));
                }
                2 => agent.set_remote_credentials(peer(), now),
                3 => agent.end_of_local_addresses(now),
                4 => agent.end_of_remote_candidates(now),
                5 | 6 => {
                    let role = if value & 1 == 0 { RoleAttribute::Controlling(value.into()) } else { RoleAttribute::Controlled(u64::MAX) };
                    let pwd = agent.local_credentials().pwd.clone();
                    let request = request_to(&agent, value & 2 == 0, role, &pwd);
                    agent.handle_datagram(ours, theirs, &request, now);
                }
                7..=9 => {
                    if let Some(transmit) = sent.get(usize::from(value) % sent.len().max(1)).cloned()
                        && let Some(request) = Message::parse(&transmit.payload)
                    {
                        let key = Key::new(&peer().pwd);
                        let answer = match value % 8 {
                            0 => stun::role_conflict(request.transaction, &key),
                            1 => stun::unknown_attributes(request.transaction, &[1], &key),
                            _ => stun::success(request.transaction, transmit.source, None, Some(&key)),
                        };
                        agent.handle_datagram(transmit.source, transmit.destination, &answer, now);
                    }
                }
                10 => agent.restart(None, now),
                11 => agent.remove_local_address(ours, now),
                _ => {
                    // To the end of this time, as a driver would.
                    let end = now + Duration::from_millis(u64::from(value));
                    let mut turns = 0;
                    while let Some(at) = agent.poll_timeout().filter(|at| *at <= end) {
                        now = now.max(at);
                        agent.handle_timeout(now);
                        sent.extend(transmits(&mut agent));
                        turns += 1;
                        prop_assert!(turns < 30_000, "time stands still");
                    }
                    now = end;
                }
            }
            sent.extend(transmits(&mut agent));
            prop_assert!(agent.pairs.iter().count() <= crate::MAX_PAIRS);
            if let Some(id) = agent.selected {
                prop_assert!(agent.pairs.find(id).is_some_and(|pair| pair.valid_since.is_some()));
            }
        }
    }
}
