//! Benchmarks of `duologue-turn`: what one payload costs on its way through the core.

#[path = "turn/wire.rs"]
mod wire;

use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use duologue_turn::{Client, Config, Credential, Limits, Output, RelayId, Server};
use wire::Identity;

const SECRET: &[u8] = b"a secret of thirty-two bytes, no";
const PEER: &str = "91.2.3.4:5000";
const EXPIRY: u64 = 1_800_036_000;
/// A packet of a call: 40 ms of Opus at 24 kbit/s with RTP and SRTP around it.
const PAYLOAD: usize = 160;

/// A client that is known to the server by its address.
struct Phone {
    client: Client,
    identity: Identity,
}

impl Phone {
    fn new(port: u16, server: &mut Server, now: Instant) -> Self {
        let address = SocketAddr::from(([198, 7, 6, 5], port));
        let mut phone = Self {
            client: Client::Datagram { listener: 0, address },
            identity: Identity {
                credential: Credential::mint(SECRET, "bench", EXPIRY),
                realm: Vec::new(),
                nonce: Vec::new(),
            },
        };
        let challenge = phone.ask(server, &wire::bare_allocate(), now);
        let value = |kind| wire::value_of(&challenge, kind).expect("a challenge has it").to_vec();
        (phone.identity.realm, phone.identity.nonce) = (value(wire::REALM), value(wire::NONCE));
        phone
    }

    /// The one answer.
    fn ask(&self, server: &mut Server, request: &[u8], now: Instant) -> Vec<u8> {
        assert!(server.handle_client(self.client, request, now).is_none());
        let mut answer = Vec::new();
        while let Some(output) = server.poll_output() {
            match output {
                Output::Transmit { payload, .. } => answer = payload,
                Output::OpenRelay { relay, .. } => server.relay_opened(relay, now),
                _ => {}
            }
        }
        answer
    }
}

/// A server with this many clients, each with a channel to the peer; the relay of the first one too.
fn served(clients: u16, now: Instant) -> (Server, Vec<Phone>, Option<RelayId>) {
    let config = Config {
        secrets: vec![SECRET.to_vec()],
        time_of_day: Duration::from_secs(EXPIRY - 36_000),
        relay_v4: Some(Ipv4Addr::new(45, 9, 8, 7).into()),
        limits: Limits {
            user_allocations: usize::from(clients),
            user_bytes_per_second: u32::MAX,
            user_burst: u32::MAX,
            unauthenticated_per_second: u32::MAX,
            ..Limits::default()
        },
        ..Config::default()
    };
    let mut server = Server::new(config, [7; 32], now);
    let mut first = None;
    let phones: Vec<Phone> = (0..clients)
        .map(|n| {
            let phone = Phone::new(10_000 + n, &mut server, now);
            let allocate = phone
                .identity
                .request(wire::ALLOCATE, wire::attribute(wire::REQUESTED_TRANSPORT, &wire::UDP));
            assert!(server.handle_client(phone.client, &allocate, now).is_none());
            while let Some(output) = server.poll_output() {
                if let Output::OpenRelay { relay, .. } = output {
                    server.relay_opened(relay, now);
                    first.get_or_insert(relay);
                }
            }
            let peer: SocketAddr = PEER.parse().expect("an address");
            let bind = phone.identity.request(wire::CHANNEL_BIND, wire::channel_to(peer));
            let answer = phone.ask(&mut server, &bind, now);
            assert_eq!(answer[..2], [0x01, 0x09], "the channel is bound");
            phone
        })
        .collect();
    (server, phones, first)
}

fn relaying(c: &mut Criterion) {
    let now = Instant::now();
    let mut group = c.benchmark_group("turn");
    group.throughput(Throughput::Elements(1));
    for clients in [1, 1_000] {
        let (mut server, phones, relay) = served(clients, now);
        let relay = relay.expect("there is a relay");
        let peer: SocketAddr = PEER.parse().expect("an address");
        let mut data = vec![0x40, 0, 0, PAYLOAD as u8];
        data.extend([0x55; PAYLOAD]);
        let mut next = phones.iter().cycle();
        group.bench_function(format!("channel_data_to_peer/{clients}_clients"), |b| {
            b.iter(|| {
                let client = next.next().expect("a cycle has no end").client;
                let forward = server.handle_client(client, black_box(&data), now);
                assert!(black_box(forward).is_some());
            });
        });
        group.bench_function(format!("channel_data_to_client/{clients}_clients"), |b| {
            b.iter(|| {
                let forward = server.handle_relayed(relay, peer, black_box(&data[4..]), now);
                assert!(black_box(forward).is_some());
            });
        });
        let mut phones = phones.iter().cycle();
        group.bench_function(format!("refresh/{clients}_clients"), |b| {
            let phone = phones.next().expect("a cycle has no end");
            let refresh = phone
                .identity
                .request(wire::REFRESH, wire::attribute(wire::LIFETIME, &600_u32.to_be_bytes()));
            b.iter(|| black_box(phone.ask(&mut server, &refresh, now)));
        });
    }
    group.finish();
}

criterion_group!(benches, relaying);
criterion_main!(benches);
