//! Relaying through the server's own TURN, with coturn's client as the judge: over UDP, TCP and TLS. Without the program
//! `turnutils_uclient` (Debian: coturn) these tests say so and pass, unless `DUOLOGUE_REQUIRE_ALL=1`.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod common;
#[path = "turn/tools.rs"]
mod tools;

use std::path::Path;
use std::time::Duration;

use common::{Bench, PATIENCE};
use duologue_server::{Config, TlsConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;
use tools::{SECRET, Uclient, metric};

/// A bare Allocate request for UDP.
const ALLOCATE: [u8; 28] = [
    0, 3, 0, 8, 0x21, 0x12, 0xa4, 0x42, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 0, 0x19, 0, 4, 17, 0, 0, 0,
];

async fn bench(change: impl FnOnce(&mut Config)) -> Bench {
    Bench::start_with(|config| {
        std::fs::create_dir_all(&config.data).unwrap();
        let secret = config.data.join("secret");
        std::fs::write(&secret, SECRET).unwrap();
        config.turn.secrets = vec![secret];
        config.turn.user_bytes_per_second = 100_000_000;
        config.turn.unauthenticated_per_second = 10_000;
        change(config);
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn coturns_client_is_served_over_udp_and_tcp() {
    let Some(uclient) = Uclient::find() else { return };
    let bench = bench(|_| {}).await;
    let port = bench.server().stun_addr().unwrap().port();
    for arguments in [&[][..], &["-s"], &["-t"], &["-t", "-s"]] {
        let lost = uclient
            .run(
                port,
                &[&["-y", "-c", "-m", "4", "-n", "50", "-z", "5"], arguments].concat(),
            )
            .await;
        assert_eq!(lost, 0, "{arguments:?}");
    }
    // Client to client: every payload went from relay to relay inside.
    let switched = metric(&bench, "duologue_turn_switched_total").await;
    assert!(switched >= 4.0 * 200.0, "{switched}");
    assert_eq!(
        metric(&bench, "duologue_turn_dropped_total{reason=\"no_permission\"}").await,
        0.0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn coturns_client_is_served_over_tls_on_the_https_port() {
    let Some(uclient) = Uclient::find() else { return };
    let data = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let bench = bench(|config| {
        config.tls = Some(TlsConfig {
            certificate: data("certificate.pem"),
            key: data("key.pem"),
        });
    })
    .await;
    let port = bench.server().addr().port();
    for arguments in [&["-S", "-t"][..], &["-S", "-t", "-s"]] {
        let load = ["-y", "-c", "-m", "4", "-n", "50", "-z", "5"];
        let lost = uclient.run(port, &[&load, arguments].concat()).await;
        assert_eq!(lost, 0, "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_outside_are_reached_and_answer() {
    let Some(uclient) = Uclient::find() else { return };
    let bench = bench(|config| config.turn.allow_peers = vec!["127.0.0.0/8".parse().unwrap()]).await;
    let port = bench.server().stun_addr().unwrap().port();
    let echo = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let peer = echo.local_addr().unwrap().port().to_string();
    tokio::spawn(async move {
        let mut buffer = [0; 2_048];
        while let Ok((length, from)) = echo.recv_from(&mut buffer).await {
            let _ = echo.send_to(&buffer[..length], from).await;
        }
    });
    for arguments in [&[][..], &["-t"]] {
        let all = ["-e", "127.0.0.1", "-r", &peer, "-c", "-m", "4", "-n", "50", "-z", "5"];
        assert_eq!(uclient.run(port, &[&all, arguments].concat()).await, 0, "{arguments:?}");
    }
    assert_eq!(metric(&bench, "duologue_turn_switched_total").await, 0.0);
    assert!(metric(&bench, "duologue_turn_packets_total{to=\"peers\"}").await >= 400.0);
}

#[tokio::test]
async fn a_session_is_told_where_to_find_relays() {
    let bench = Bench::start().await;
    let mut alice = bench.client("alice").await;
    let mut bob = bench.client("bob").await;
    let port = bench.server().stun_addr().unwrap().port();
    let (alice, bob) = (alice.welcome.take().unwrap(), bob.welcome.take().unwrap());
    let relay = &alice.ice_servers[1];
    assert_eq!(relay.urls[0], format!("turn:127.0.0.1:{port}?transport=udp"));
    let expiry = |username: &str| username.split_once(':').unwrap().0.parse::<u64>().unwrap();
    let username = relay.username.as_deref().unwrap();
    assert!(expiry(username) <= common::now() + 12 * 60 * 60);
    assert!(!username.contains("alice"), "who it is crosses the network in clear");
    assert_ne!(relay.credential, bob.ice_servers[1].credential);
}

#[tokio::test]
async fn without_relays_nobody_is_told_of_any() {
    let bench = Bench::start_with(|config| config.turn.enabled = false).await;
    let mut alice = bench.client("alice").await;
    assert_eq!(alice.welcome.take().unwrap().ice_servers.len(), 1);
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let stun = bench.server().stun_addr().unwrap();
    client.send_to(&ALLOCATE, stun).await.unwrap();
    client
        .send_to(&[&[0, 1, 0, 0][..], &ALLOCATE[4..20]].concat(), stun)
        .await
        .unwrap();
    let mut answer = [0; 100];
    timeout(PATIENCE, client.recv(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer[..2], [1, 1], "Binding is answered, Allocate is not");
    assert!(TcpStream::connect(stun).await.is_err(), "no TURN over TCP either");
}

#[tokio::test]
async fn garbage_closes_a_connection_and_nothing_else() {
    let bench = bench(|_| {}).await;
    let stun = bench.server().stun_addr().unwrap();
    let mut good = TcpStream::connect(stun).await.unwrap();
    for garbage in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0x40, 0, 0, 4, 1, 2, 3, 4],
        &[0xff; 3_000],
        &[0, 3, 0, 7, 0, 0, 0, 0],
    ] {
        let mut bad = TcpStream::connect(stun).await.unwrap();
        bad.write_all(garbage).await.unwrap();
        let mut rest = Vec::new();
        // Closed, or reset because not all of it was read: either way it ends, without a word.
        let _ = timeout(PATIENCE, bad.read_to_end(&mut rest)).await.unwrap();
        assert!(rest.is_empty());
    }
    // In two pieces, as a network may deliver it.
    good.write_all(&ALLOCATE[..11]).await.unwrap();
    good.flush().await.unwrap();
    tokio::time::sleep(Duration::from_millis(1)).await;
    good.write_all(&ALLOCATE[11..]).await.unwrap();
    let mut answer = [0; 56];
    timeout(PATIENCE, good.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer[..2], [1, 0x13]);
    assert_eq!(answer[20..28], [0, 9, 0, 4, 0, 0, 4, 1], "401");
}
