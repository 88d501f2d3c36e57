//! Fuzz bodies of `duologue-ice`.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use duologue_ice::{Agent, Candidate, Config, Credentials, Output, Role, State, Transmit};

const OURS: [&str; 2] = ["192.0.2.1:5000", "[2001:db8::1]:5000"];
const THEIRS: &str = "203.0.113.1:6000";
const SERVER: &str = "198.51.100.1:3478";

fn addr(text: &str) -> SocketAddr {
    text.parse().expect("a literal address")
}

fn credentials(ufrag: &str) -> Credentials {
    Credentials {
        ufrag: ufrag.to_owned(),
        pwd: "VOkJxbRl1RmTxUk/WvJxBt".to_owned(),
    }
}

fn config(role: Role) -> Config {
    Config {
        role,
        // Known, so that the corpus can hold authenticated messages.
        local_credentials: Some(credentials("evtj")),
        stun_servers: vec![addr(SERVER)],
        ..Config::default()
    }
}

fn transmits(agent: &mut Agent) -> Vec<Transmit> {
    let mut sent = Vec::new();
    while let Some(output) = agent.poll_output() {
        match output {
            Output::Transmit(transmit) => {
                assert!(transmit.payload.len() >= 20 && transmit.payload[0] < 2, "STUN only");
                sent.push(transmit);
            }
            Output::Event(event) => drop(format!("{event:?}")),
            _ => {}
        }
    }
    sent
}

/// One datagram, as it is and as the answer to a request under way (its transaction id put in), and the same bytes as
/// a candidate attribute.
pub fn ice_stun(data: &[u8]) {
    let now = Instant::now();
    for role in [Role::Controlling, Role::Controlled] {
        let mut agent = Agent::new(config(role), [1; 32], now);
        agent.add_local_address(addr(OURS[0]), now).expect("a usable address");
        let candidate = format!("candidate:1 1 udp 1 {} typ host", THEIRS.replace(':', " "));
        let candidate = candidate.parse().expect("a literal candidate");
        agent.add_remote_candidate(candidate, now).expect("a usable candidate");
        agent.set_remote_credentials(credentials("h6vY"), now);
        // The question to the server took the first slot of the pacing.
        let now = now + Duration::from_millis(5);
        agent.handle_timeout(now);
        let request = transmits(&mut agent).pop().expect("the first check");
        assert_eq!(request.destination, addr(THEIRS));
        let _ = agent.accepts(addr(OURS[0]), addr(THEIRS), data);
        agent.handle_datagram(addr(OURS[0]), addr(THEIRS), data, now);
        let mut answer = data.to_vec();
        if answer.len() >= 20 {
            answer[8..20].copy_from_slice(&request.payload[8..20]);
            agent.handle_datagram(addr(OURS[0]), addr(THEIRS), &answer, now);
        }
        let stats = agent.stats();
        let seen = stats.malformed
            + stats.unauthenticated_requests
            + stats.unauthenticated_responses
            + stats.requests_received
            + stats.responses_received
            + stats.indications_received;
        assert_eq!(seen, 1 + u64::from(data.len() >= 20), "every datagram is counted once");
        if stats.requests_received + stats.responses_received == 0 {
            assert_eq!(agent.best_pair(), None);
            assert_eq!(agent.role(), role);
            assert!(!agent.is_validated(addr(OURS[0]), addr(THEIRS)));
        }
        // At most one answer to each authenticated request, and never a longer one to a stranger.
        let sent = transmits(&mut agent).len() as u64;
        assert!(sent <= 2 * stats.requests_received + stats.responses_received);
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(candidate) = text.parse::<Candidate>()
    {
        let again: Candidate = candidate.to_string().parse().expect("what is written can be read");
        assert_eq!(again.address, candidate.address);
        assert_eq!((again.kind, again.priority), (candidate.kind, candidate.priority));
    }
}

/// The bytes as a list of calls on two agents that talk to each other.
pub fn ice_agent(data: &[u8]) {
    let mut now = Instant::now();
    let mut agents = [
        Agent::new(config(Role::Controlling), [1; 32], now),
        Agent::new(
            Config {
                local_credentials: Some(credentials("h6vY")),
                ..config(Role::Controlled)
            },
            [2; 32],
            now,
        ),
    ];
    let mut network: Vec<(usize, Transmit)> = Vec::new();
    for step in data.chunks_exact(2).take(400) {
        let (side, call, value) = (usize::from(step[0] & 1), step[0] >> 1 & 15, step[1]);
        let local = SocketAddr::new(
            addr(OURS[usize::from(value & 1)]).ip(),
            5000 + 1000 * side as u16 + u16::from(value >> 1 & 3),
        );
        let theirs = agents[1 - side].local_credentials().clone();
        let agent = &mut agents[side];
        match call {
            0 => drop(agent.add_local_address(local, now)),
            1 => drop(agent.add_relayed_address(local, addr(SERVER), now)),
            2 => agent.remove_local_address(local, now),
            3 => {
                let (ip, port) = (local.ip(), local.port() ^ 1000);
                let text = format!("candidate:1 1 udp {value} {ip} {port} typ srflx");
                drop(agent.add_remote_candidate(text.parse().expect("a sound candidate"), now));
            }
            4 => agent.set_remote_credentials(theirs, now),
            5 => agent.end_of_local_addresses(now),
            6 => agent.end_of_remote_candidates(now),
            7 => agent.restart(None, now),
            8 => agent.set_check_payloads([vec![value; usize::from(value)]]),
            9 if value == 255 => agent.close(),
            10 | 11 if !network.is_empty() => {
                let (from, transmit) = network.swap_remove(usize::from(value) % network.len());
                agents[1 - from].handle_datagram(transmit.destination, transmit.source, &transmit.payload, now);
            }
            12 if !network.is_empty() => {
                let (from, mut transmit) = network[usize::from(value) % network.len()].clone();
                let at = usize::from(value) % transmit.payload.len();
                transmit.payload[at] ^= value | 1;
                agents[1 - from].handle_datagram(transmit.destination, transmit.source, &transmit.payload, now);
            }
            _ => {
                let end = now + Duration::from_millis(u64::from(value) * u64::from(value));
                for turn in 0.. {
                    assert!(turn < 50_000, "time stands still");
                    let next = agents.iter().filter_map(Agent::poll_timeout).min();
                    let Some(at) = next.filter(|at| *at <= end) else { break };
                    now = now.max(at);
                    for agent in &mut agents {
                        agent.handle_timeout(now);
                    }
                    collect(&mut agents, &mut network);
                }
                now = end;
            }
        }
        collect(&mut agents, &mut network);
        for agent in &agents {
            let usable = matches!(agent.state(), State::Connected | State::Completed);
            assert_eq!(agent.best_pair().is_some(), usable, "{:?}", agent.state());
        }
    }
}

/// The network holds the latest datagrams only.
fn collect(agents: &mut [Agent; 2], network: &mut Vec<(usize, Transmit)>) {
    for (side, agent) in agents.iter_mut().enumerate() {
        network.extend(transmits(agent).into_iter().map(|transmit| (side, transmit)));
    }
    let excess = network.len().saturating_sub(64);
    network.drain(..excess);
}

/// The bytes in pieces, each a datagram of a TURN server that gave an allocation, or a piece of a stream from one.
pub fn ice_turn(data: &[u8]) {
    use duologue_ice::{StreamId, TurnServer, TurnTransport};
    let mut now = Instant::now();
    let entry = |transport| TurnServer {
        address: addr(SERVER),
        transport,
        username: "user".to_owned(),
        credential: "password".to_owned(),
    };
    let turn_config = Config {
        turn_servers: vec![entry(TurnTransport::Udp), entry(TurnTransport::Tcp)],
        stun_servers: Vec::new(),
        ..config(Role::Controlling)
    };
    let mut agent = Agent::new(turn_config, [1; 32], now);
    agent.set_remote_credentials(credentials("h6vY"), now);
    agent.add_local_address(addr(OURS[0]), now).expect("a usable address");
    let mut streams = Vec::new();
    let mut requests = Vec::new();
    let mut outputs = |agent: &mut Agent, requests: &mut Vec<Vec<u8>>| {
        while let Some(output) = agent.poll_output() {
            match output {
                Output::Transmit(t) if t.destination == addr(SERVER) => requests.push(t.payload),
                Output::StreamOpen { id, .. } => streams.push(id),
                Output::StreamWrite { bytes, .. } => requests.push(bytes),
                Output::Data { local, .. } => assert_ne!(local, addr(OURS[0]), "only through the relay"),
                other => drop(format!("{other:?}")),
            }
        }
        let excess = requests.len().saturating_sub(16);
        requests.drain(..excess);
    };
    outputs(&mut agent, &mut requests);
    // A server that asks for no credentials: it need not sign, so that everything after it is within reach.
    let allocate = requests.pop().expect("an Allocate");
    let mut answer = vec![0x01, 0x03, 0, 24, 0x21, 0x12, 0xa4, 0x42];
    answer.extend(&allocate[8..20]);
    for kind in [0x16, 0x20] {
        // 198.51.100.9:50000, XORed.
        answer.extend([
            0,
            kind,
            0,
            8,
            0,
            1,
            0xc3 ^ 0x21,
            0x50 ^ 0x12,
            198 ^ 0x21,
            51 ^ 0x12,
            100 ^ 0xa4,
            9 ^ 0x42,
        ]);
    }
    agent.handle_datagram(addr(OURS[0]), addr(SERVER), &answer, now);
    agent.handle_stream_open(StreamId(1), now);
    let candidate = format!("candidate:1 1 udp 1 {} typ host", THEIRS.replace(':', " "));
    let candidate = candidate.parse().expect("a literal candidate");
    agent.add_remote_candidate(candidate, now).expect("a usable candidate");
    let mut rest = data;
    let mut steps = 0;
    while let Some((head, tail)) = rest.split_first_chunk::<2>().filter(|_| steps < 200) {
        steps += 1;
        let (piece, after) = tail.split_at(usize::from(head[1]).min(tail.len()));
        rest = after;
        outputs(&mut agent, &mut requests);
        let mut bytes = piece.to_vec();
        if head[0] & 1 != 0
            && bytes.len() >= 20
            && let Some(request) = requests.get(usize::from(head[0] >> 4)).filter(|r| r.len() >= 20)
        {
            bytes[8..20].copy_from_slice(&request[8..20]);
        }
        match head[0] >> 1 & 7 {
            0..=3 => agent.handle_datagram(addr(OURS[0]), addr(SERVER), &bytes, now),
            4 | 5 => agent.handle_stream_bytes(StreamId(1), &bytes, now),
            6 => agent.handle_stream_closed(StreamId(1), now),
            _ => {
                now += Duration::from_millis(u64::from(head[1]) * 100);
                agent.handle_timeout(now);
                agent.handle_stream_open(StreamId(1), now);
            }
        }
    }
    outputs(&mut agent, &mut requests);
    // Nothing here is signed by the peer.
    assert_eq!(agent.best_pair(), None);
    assert!(!agent.is_validated(addr(RELAYED), addr(THEIRS)));
}

const RELAYED: &str = "198.51.100.9:50000";

/// One datagram of the link, before a host that asks for a name and answers for one.
pub fn mdns_datagram(data: &[u8]) {
    use duologue_ice::mdns::{Mdns, MdnsMessage, MdnsOutput};
    let now = Instant::now();
    for port in [5353, 40_000] {
        let mut mdns = Mdns::new();
        mdns.publish("own.local", addr(OURS[0]).ip());
        mdns.resolve("their.local", now);
        while mdns.poll_output().is_some() {}
        let source = SocketAddr::new(addr(THEIRS).ip(), port);
        mdns.handle_datagram(source, data, now);
        let message = MdnsMessage::parse(data);
        assert_eq!(mdns.stats().malformed, u64::from(message.is_none()));
        let mut outputs = 0;
        while let Some(output) = mdns.poll_output() {
            outputs += 1;
            let message = message.as_ref().expect("an answer to nothing");
            match output {
                // One record for one question at least: no amplifier.
                MdnsOutput::Transmit { payload, .. } => {
                    assert!(!message.is_response && payload.len() <= data.len() + 40);
                }
                MdnsOutput::Resolved { address, .. } => {
                    assert!(port == 5353 && message.records.iter().any(|record| record.address == address));
                }
                _ => panic!("nothing else follows from a datagram"),
            }
        }
        assert!(outputs <= 2);
    }
}
