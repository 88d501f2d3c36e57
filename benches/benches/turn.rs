//! Benchmarks of `duologue-turn`: what one payload costs on its way through the core.

use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use duologue_turn::{Client, Config, Credential, Limits, Output, RelayId, Server};
use md5::{Digest as _, Md5};

const SECRET: &[u8] = b"a secret of thirty-two bytes, no";
const REALM: &str = "duologue";
const PEER: &str = "91.2.3.4:5000";
const EXPIRY: u64 = 1_800_036_000;
/// A packet of a call: 40 ms of Opus at 24 kbit/s with RTP and SRTP around it.
const PAYLOAD: usize = 160;

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = [kind.to_be_bytes(), (value.len() as u16).to_be_bytes()].concat();
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn message(kind: u16, body: &[u8], more: usize) -> Vec<u8> {
    let mut bytes = kind.to_be_bytes().to_vec();
    bytes.extend(((body.len() + more) as u16).to_be_bytes());
    bytes.extend([0x21, 0x12, 0xa4, 0x42]);
    bytes.extend([kind as u8; 12]);
    bytes.extend(body);
    bytes
}

/// A client that is known to the server by its address.
struct Phone {
    client: Client,
    nonce: Vec<u8>,
}

impl Phone {
    fn new(port: u16, server: &mut Server, now: Instant) -> Self {
        let address = SocketAddr::from(([198, 7, 6, 5], port));
        let client = Client::Datagram { listener: 0, address };
        let mut phone = Self {
            client,
            nonce: Vec::new(),
        };
        let challenge = phone.ask(server, &message(0x0003, &attribute(0x0019, &[17, 0, 0, 0]), 0), now);
        // The nonce is the last of ERROR-CODE, REALM and NONCE.
        phone.nonce = challenge[challenge.len() - 12..].to_vec();
        phone
    }

    fn request(&self, kind: u16, mut body: Vec<u8>) -> Vec<u8> {
        let Credential { username, password } = Credential::mint(SECRET, "bench", EXPIRY);
        body.extend(attribute(0x0006, username.as_bytes()));
        body.extend(attribute(0x0014, REALM.as_bytes()));
        body.extend(attribute(0x0015, &self.nonce));
        let key = Md5::digest(format!("{username}:{REALM}:{password}"));
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
        let mut bytes = message(kind, &body, 24);
        let tag = hmac::sign(&key, &bytes);
        bytes.extend(attribute(0x0008, tag.as_ref()));
        bytes
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
            let allocate = phone.request(0x0003, attribute(0x0019, &[17, 0, 0, 0]));
            assert!(server.handle_client(phone.client, &allocate, now).is_none());
            while let Some(output) = server.poll_output() {
                if let Output::OpenRelay { relay, .. } = output {
                    server.relay_opened(relay, now);
                    first.get_or_insert(relay);
                }
            }
            let peer: SocketAddr = PEER.parse().expect("an address");
            let mut value = vec![0, 1];
            value.extend((peer.port() ^ 0x2112).to_be_bytes());
            value.extend([91 ^ 0x21, 2 ^ 0x12, 3 ^ 0xa4, 4 ^ 0x42]);
            let mut body = attribute(0x000c, &[0x40, 0, 0, 0]);
            body.extend(attribute(0x0012, &value));
            let answer = phone.ask(&mut server, &phone.request(0x0009, body), now);
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
            let refresh = phone.request(0x0004, attribute(0x000d, &600_u32.to_be_bytes()));
            b.iter(|| black_box(phone.ask(&mut server, &refresh, now)));
        });
    }
    group.finish();
}

criterion_group!(benches, relaying);
criterion_main!(benches);
