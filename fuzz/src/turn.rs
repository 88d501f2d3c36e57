//! Fuzz bodies of `duologue-turn`.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use duologue_turn::{Client, Config, Framing, Output, RelayId, Server, Target};

const LISTENING: Ipv4Addr = Ipv4Addr::new(45, 9, 8, 7);

fn server(now: Instant) -> Server {
    let config = Config {
        secrets: vec![b"a secret of sixteen".to_vec()],
        time_of_day: Duration::from_secs(1_800_000_000),
        relay_v4: Some(LISTENING.into()),
        ..Config::default()
    };
    Server::new(config, [3; 32], now)
}

fn client(number: u8) -> Client {
    let address = SocketAddr::from(([198, 7, 6, 5], 40_000 + u16::from(number % 4)));
    match number % 2 {
        0 => Client::Datagram { listener: 0, address },
        _ => Client::Stream {
            connection: u64::from(number % 4),
            address,
        },
    }
}

/// Records of a kind, a length and bytes: messages of clients, datagrams of peers, time. Nobody here knows the secret, so
/// nothing is ever relayed or opened, and what is answered is never worth forging a source for.
pub fn turn_server(data: &[u8]) {
    let mut now = Instant::now();
    let mut server = server(now);
    let mut sockets: HashMap<usize, RelayId> = HashMap::new();
    let mut rest = data;
    while let Some((&[kind, length], after)) = rest.split_first_chunk() {
        let (bytes, after) = after.split_at(usize::from(length).min(after.len()));
        rest = after;
        let asker = client(kind >> 4);
        match kind & 0x0f {
            0..10 => assert_eq!(server.handle_client(asker, bytes, now), None),
            10 => {
                let source = SocketAddr::from(([91, 2, 3, 4], 5_000));
                for relay in sockets.values() {
                    let forward = server.handle_relayed(*relay, source, bytes, now);
                    assert!(forward.is_none_or(|forward| matches!(forward.to, Target::Client(_))));
                }
            }
            11 => server.handle_disconnected(asker, now),
            _ => {
                now += Duration::from_secs(u64::from(length) * 8);
                server.handle_timeout(now);
            }
        }
        let mut answers = 0;
        while let Some(output) = server.poll_output() {
            match output {
                Output::Transmit { to, payload } => {
                    answers += 1;
                    assert_eq!(to, asker, "answers go to whoever asked");
                    // With the headers of IPv4 and UDP on both.
                    assert!((payload.len() + 28) * 10 <= (bytes.len() + 28) * 18, "no amplifier");
                }
                Output::OpenRelay { relay, .. } => {
                    sockets.insert(relay.index(), relay);
                    server.relay_opened(relay, now);
                }
                Output::CloseRelay { relay } => drop(sockets.remove(&relay.index())),
                other => drop(format!("{other:?}")),
            }
        }
        assert!(answers <= 1);
    }
    assert_eq!(server.allocations(), 0, "no secret, no relay");
    assert_eq!(server.stats().to_peers, 0);
}

/// One stream, cut at every byte and not at all: the same messages.
pub fn turn_stream(data: &[u8]) {
    let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut framing = Framing::new();
        let mut messages = Vec::new();
        for piece in pieces {
            framing.push(piece);
            loop {
                match framing.next_message() {
                    Ok(Some(message)) => messages.push(message.to_vec()),
                    Ok(None) => break,
                    Err(_) => return (messages, true),
                }
            }
        }
        (messages, false)
    };
    let whole = read(&mut std::iter::once(data));
    let cut = read(&mut data.chunks(1));
    assert_eq!(whole, cut);
    let now = Instant::now();
    let mut server = server(now);
    for message in &whole.0 {
        assert_eq!(server.handle_client(client(1), message, now), None);
    }
}
