//! Benchmarks of `duologue-ice`.

use std::hint::black_box;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use duologue_ice::{Agent, Config, Event, Output, Role, Transmit};

const ADDRESSES: [&str; 2] = ["192.0.2.1:5000", "192.0.2.2:5000"];

fn address(side: usize) -> SocketAddr {
    ADDRESSES[side].parse().expect("a literal address")
}

/// Two agents that know each other and have sent nothing yet that arrived.
fn introduced(now: Instant) -> [Agent; 2] {
    let mut agents = [Role::Controlling, Role::Controlled].map(|role| {
        let config = Config {
            role,
            ..Config::default()
        };
        Agent::new(config, [1 + role as u8; 32], now)
    });
    for side in [0, 1] {
        let credentials = agents[1 - side].local_credentials().clone();
        let candidate = format!(
            "candidate:1 1 udp 2130706431 {} typ host",
            ADDRESSES[1 - side].replace(':', " ")
        );
        let candidate = candidate.parse().expect("a literal candidate");
        let agent = &mut agents[side];
        agent.set_remote_credentials(credentials, now);
        agent.add_local_address(address(side), now).expect("a usable address");
        agent.add_remote_candidate(candidate, now).expect("a usable candidate");
    }
    agents
}

fn first_check(agent: &mut Agent) -> Transmit {
    loop {
        match agent.poll_output().expect("a check was sent") {
            Output::Transmit(transmit) => return transmit,
            _ => continue,
        }
    }
}

/// Hands datagrams over without delay until both sides have selected a pair.
fn connect(agents: &mut [Agent; 2], mut now: Instant) {
    let mut selected = 0;
    while selected < 2 {
        for side in [0, 1] {
            while let Some(output) = agents[side].poll_output() {
                match output {
                    Output::Transmit(t) => agents[1 - side].handle_datagram(t.destination, t.source, &t.payload, now),
                    Output::Event(Event::SelectedPair(_)) => selected += 1,
                    _ => {}
                }
            }
        }
        now += Duration::from_millis(5);
        agents.iter_mut().for_each(|agent| agent.handle_timeout(now));
    }
}

fn benches(c: &mut Criterion) {
    let now = Instant::now();
    let mut group = c.benchmark_group("ice");

    // Parsing with the checksum, without the integrity: what every datagram of a stranger costs.
    let [mut caller, callee] = introduced(now);
    let check = first_check(&mut caller);
    group.throughput(Throughput::Bytes(check.payload.len() as u64));
    group.bench_function("stun_parse", |b| {
        b.iter(|| callee.accepts(check.destination, check.source, black_box(&check.payload)));
    });

    // An authenticated check on a pair that works: verify, answer, sign.
    let mut agents = introduced(now);
    let check = first_check(&mut agents[0]);
    agents[1].handle_datagram(address(1), address(0), &check.payload, now);
    connect(&mut agents, now);
    let now_later = now + Duration::from_secs(1);
    group.throughput(Throughput::Elements(1));
    group.bench_function("handle_check", |b| {
        b.iter(|| {
            agents[1].handle_datagram(address(1), address(0), black_box(&check.payload), now_later);
            while agents[1].poll_output().is_some() {}
        });
    });

    let stats = agents[1].stats();
    assert_eq!(stats.requests_received, stats.responses_sent);
    assert_eq!(stats.unauthenticated_requests, 0);

    group.bench_function("connect", |b| {
        b.iter_batched(
            || introduced(now),
            |mut agents| {
                connect(&mut agents, now);
                agents
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(ice, benches);
criterion_main!(ice);
