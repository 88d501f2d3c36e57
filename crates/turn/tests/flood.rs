//! Whatever strangers and an insider with a good credential send, memory stays bounded, and is given back.
//!
//! `TURN_FLOOD=1000000 cargo test -p duologue-turn --test flood` sends a million; without it there are fewer.
#![expect(unsafe_code, reason = "an allocator that counts, around the system's")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicIsize, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use duologue_turn::{Client, Config, Credential, Limits, Output, Server};
use md5::{Digest as _, Md5};

/// Messages where `TURN_FLOOD` does not say how many.
const COUNT: u64 = 50_000;
const SECRET: &[u8] = b"the north wind and the sun";
const EPOCH: u64 = 1_800_000_000;
/// What the heap may differ by when everything is over: tables keep the room that they once needed.
const SLACK: isize = 64 * 1024;
/// What the insider may make the server hold: 32 allocations with 16 permissions and 8 channels each, and their users.
const MOST: isize = 256 * 1024;

/// Bytes allocated and not yet freed, by Rust code: what libcrypto takes for itself does not pass here.
static LIVE: AtomicIsize = AtomicIsize::new(0);

/// The system's allocator, counting.
struct Counting;

// SAFETY: every call goes to `System` as it came, and the counter touches no memory it hands out.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller upholds the contract of `GlobalAlloc::alloc`, which is the system's.
        let pointer = unsafe { System.alloc(layout) };
        if !pointer.is_null() {
            LIVE.fetch_add(layout.size().cast_signed(), Ordering::Relaxed);
        }
        pointer
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size().cast_signed(), Ordering::Relaxed);
        // SAFETY: `pointer` came from `System` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// SplitMix64: the same flood for the same seed.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = [kind.to_be_bytes(), (value.len() as u16).to_be_bytes()].concat();
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn message(kind: u16, transaction: u64, body: &[u8], more: usize) -> Vec<u8> {
    let mut bytes = kind.to_be_bytes().to_vec();
    bytes.extend(((body.len() + more) as u16).to_be_bytes());
    bytes.extend([0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0]);
    bytes.extend(transaction.to_be_bytes());
    bytes.extend(body);
    bytes
}

/// XOR-PEER-ADDRESS of some IPv4 address, special ones among them.
fn peer(rng: &mut Rng) -> Vec<u8> {
    let mut value = vec![0, 1];
    value.extend((rng.next() as u16).to_be_bytes());
    value.extend((rng.next() as u32).to_be_bytes());
    attribute(0x0012, &value)
}

/// Someone with a credential, good or not.
struct Insider {
    credential: Credential,
    nonces: Vec<Vec<u8>>,
}

impl Insider {
    fn client(number: usize) -> Client {
        let address = SocketAddr::from(([198, 7, 6, 5], 10_000 + number as u16));
        Client::Datagram { listener: 0, address }
    }

    fn request(&self, rng: &mut Rng, number: usize, kind: u16, mut body: Vec<u8>) -> Vec<u8> {
        let Credential { username, password } = &self.credential;
        body.extend(attribute(0x0006, username.as_bytes()));
        body.extend(attribute(0x0014, b"duologue"));
        body.extend(attribute(0x0015, &self.nonces[number]));
        let key = Md5::digest(format!("{username}:duologue:{password}"));
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
        let mut bytes = message(kind, rng.next(), &body, 24);
        let tag = hmac::sign(&key, &bytes);
        bytes.extend(attribute(0x0008, tag.as_ref()));
        bytes
    }

    /// Anything that a client with a credential can think of.
    fn think(&self, rng: &mut Rng, number: usize) -> Vec<u8> {
        let udp = attribute(0x0019, &[17, 0, 0, 0]);
        match rng.below(10) {
            0 | 1 => self.request(rng, number, 0x0003, udp),
            2 => {
                let both = [udp, attribute(0x8000, &[2, 0, 0, 0])].concat();
                self.request(rng, number, 0x0003, both)
            }
            3 => {
                let seconds = if rng.below(8) == 0 { 0_u32 } else { rng.next() as u32 };
                self.request(rng, number, 0x0004, attribute(0x000d, &seconds.to_be_bytes()))
            }
            4 | 5 => {
                let peers = (0..=rng.below(20)).flat_map(|_| peer(rng)).collect();
                self.request(rng, number, 0x0008, peers)
            }
            6 | 7 => {
                let mut body = attribute(0x000c, &[0x40, rng.next() as u8, 0, 0]);
                body.extend(peer(rng));
                self.request(rng, number, 0x0009, body)
            }
            8 => {
                let mut body = peer(rng);
                body.extend(attribute(0x0013, &[7; 160]));
                message(0x0016, rng.next(), &body, 0)
            }
            _ => [&[0x40, rng.next() as u8, 0, 160][..], &[7; 160]].concat(),
        }
    }
}

/// Anything that a stranger can.
fn noise(rng: &mut Rng, insider: &Insider) -> Vec<u8> {
    match rng.below(6) {
        0 => message(0x0003, rng.next(), &attribute(0x0019, &[17, 0, 0, 0]), 0),
        1 => message(0x0001, rng.next(), &[], 0),
        // The insider's nonce, from elsewhere; and a forged tag.
        2 => insider.request(rng, 0, 0x0004, attribute(0x000d, &[0; 4])),
        3 => {
            let mut forged = insider.request(rng, 0, 0x0008, Vec::new());
            let last = forged.len() - 1;
            forged[last] ^= 1;
            forged
        }
        4 => {
            let length = rng.below(200);
            (0..length).map(|_| rng.next() as u8).collect()
        }
        _ => [&[0x40, 0, 0, 160][..], &[7; 160]].concat(),
    }
}

/// Does what the server wants; the last answer.
fn pump(server: &mut Server, rng: &mut Rng, now: Instant) -> Vec<u8> {
    let mut answer = Vec::new();
    while let Some(output) = server.poll_output() {
        match output {
            Output::Transmit { payload, .. } => answer = payload,
            // Now and then a port is taken by another program.
            Output::OpenRelay { relay, .. } if rng.below(8) == 0 => server.relay_failed(relay, now),
            Output::OpenRelay { relay, .. } => server.relay_opened(relay, now),
            _ => {}
        }
    }
    answer
}

#[test]
fn memory_is_bounded_and_given_back() {
    let count = std::env::var("TURN_FLOOD").map_or(COUNT, |count| count.parse().unwrap());
    let mut rng = Rng(0x7u64);
    let mut now = Instant::now();
    let config = Config {
        secrets: vec![SECRET.to_vec()],
        time_of_day: Duration::from_secs(EPOCH),
        relay_v4: Some(std::net::Ipv4Addr::new(45, 9, 8, 7).into()),
        relay_v6: Some(std::net::Ipv6Addr::new(0x2a01, 0x4f8, 0, 0, 0, 0, 0, 7).into()),
        nonce_lifetime: Duration::from_secs(100_000),
        limits: Limits {
            permissions: 16,
            channels: 8,
            ..Limits::default()
        },
        ..Config::default()
    };
    let mut server = Server::new(config, [7; 32], now);
    let mut insider = Insider {
        credential: Credential::mint(SECRET, "insider", EPOCH + 1_000_000),
        nonces: Vec::new(),
    };
    for number in 0..100 {
        let bare = message(0x0003, rng.next(), &attribute(0x0019, &[17, 0, 0, 0]), 0);
        assert!(server.handle_client(Insider::client(number), &bare, now).is_none());
        let challenge = pump(&mut server, &mut rng, now);
        // The nonce is the last of ERROR-CODE, REALM and NONCE.
        insider.nonces.push(challenge[challenge.len() - 12..].to_vec());
    }
    let before = LIVE.load(Ordering::Relaxed);
    let (mut peak, mut held) = (0, 0);
    for _ in 0..count {
        // About three hours for a million.
        now += Duration::from_millis(10);
        let (client, bytes) = if rng.below(2) == 0 {
            let number = rng.below(100) as usize;
            (Insider::client(number), insider.think(&mut rng, number))
        } else {
            let address = SocketAddr::from((rng.next().to_be_bytes()[..4].try_into().unwrap_or([9; 4]), 5_000));
            (Client::Datagram { listener: 0, address }, noise(&mut rng, &insider))
        };
        let forward = server.handle_client(client, &bytes, now);
        assert!(forward.is_none_or(|forward| forward.payload.len() <= bytes.len()));
        pump(&mut server, &mut rng, now);
        held = held.max(server.allocations());
        drop(bytes);
        peak = peak.max(LIVE.load(Ordering::Relaxed) - before);
    }
    // A quota that was never reached would prove nothing.
    assert_eq!(held, 32, "allocations of one user at a time");
    assert!(peak < MOST, "{peak} bytes at a time");
    server.handle_timeout(now + Duration::from_secs(4_000));
    pump(&mut server, &mut rng, now);
    assert_eq!((server.allocations(), server.poll_timeout()), (0, None));
    let left = LIVE.load(Ordering::Relaxed) - before;
    assert!(left < SLACK, "{left} bytes are left of {count} messages");
    println!(
        "{count} messages: {peak} bytes at most, {left} left; {:?}",
        server.stats()
    );
}
