//! Relayed packets per CPU-second, next to coturn in the same run.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::UdpSocket;

use crate::bench;
use crate::tools::{SECRET, Uclient};

/// Sessions, and packets each.
const LOAD: (u32, u32) = (100, 500);

/// CPU time of a `stat` file of proc(5), user and system, in seconds.
fn cpu(stat: &str) -> f64 {
    let text = fs::read_to_string(stat).unwrap();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
    // utime and stime are fields 14 and 15; two come before the name's end. 100 ticks a second on every Linux.
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

/// Every thread of the relay in this process.
fn own_cpu() -> f64 {
    fs::read_dir("/proc/self/task")
        .unwrap()
        .map(|task| task.unwrap().path())
        .filter(|task| fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim() == "turn"))
        .map(|task| cpu(task.join("stat").to_str().unwrap()))
        .sum()
}

struct Coturn(Child);

impl Coturn {
    fn start(port: u16) -> Self {
        let port = port.to_string();
        let child = Command::new("turnserver")
            .args([
                "-n",
                "--listening-ip=127.0.0.1",
                "--relay-ip=127.0.0.1",
                "--allow-loopback-peers",
            ])
            .args([
                "--use-auth-secret",
                "--static-auth-secret",
                SECRET,
                "--realm=duologue",
                "--no-cli",
            ])
            .args([
                "--no-tls",
                "--no-dtls",
                "--no-stdout-log",
                "--log-file=/dev/null",
                "--pidfile=/dev/null",
            ])
            .args(["-p", &port])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    fn cpu(&self) -> f64 {
        cpu(&format!("/proc/{}/stat", self.0.id()))
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that is free now.
async fn free_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.local_addr().unwrap().port()
}

async fn answers(port: u16) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let request = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[5; 12]].concat();
    let mut answer = [0; 200];
    loop {
        let _ = socket.send_to(&request, ("127.0.0.1", port)).await;
        let waited = tokio::time::timeout(Duration::from_millis(100), socket.recv(&mut answer)).await;
        if matches!(waited, Ok(Ok(_))) {
            return;
        }
    }
}

/// Not a test of anything: it prints the table of the README.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement of a minute; run it with --ignored --nocapture"]
async fn packets_per_cpu_second_next_to_coturn() {
    let Some(uclient) = Uclient::find() else { return };
    let (sessions, packets) = (LOAD.0.to_string(), LOAD.1.to_string());
    let load = ["-c", "-m", &sessions, "-n", &packets, "-z", "20"];
    let echo = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let peer = echo.local_addr().unwrap().port().to_string();
    tokio::spawn(async move {
        let mut buffer = [0; 2_048];
        while let Ok((length, from)) = echo.recv_from(&mut buffer).await {
            let _ = echo.send_to(&buffer[..length], from).await;
        }
    });
    let to_peer = [&load[..], &["-e", "127.0.0.1", "-r", &peer]].concat();
    let to_each_other = [&load[..], &["-y"]].concat();
    let own = bench(|config| config.turn.allow_peers = vec!["127.0.0.0/8".parse().unwrap()]).await;
    let own_port = own.server().stun_addr().unwrap().port();
    let port = free_port().await;
    let coturn = Coturn::start(port);
    answers(port).await;
    eprintln!("| path | server | packets in | lost | CPU s | packets per CPU-second |");
    eprintln!("|---|---|---:|---:|---:|---:|");
    for (path, arguments) in [
        ("client, relay, peer and back", to_peer),
        ("client, relay, relay, client", to_each_other),
    ] {
        let arguments: Vec<&str> = arguments.clone();
        for name in ["duologue", "coturn"] {
            let before = if name == "coturn" { coturn.cpu() } else { own_cpu() };
            let port = if name == "coturn" { port } else { own_port };
            let lost = uclient.run(port, &arguments).await;
            let used = if name == "coturn" { coturn.cpu() } else { own_cpu() } - before;
            // Every packet is relayed twice: there and back, or out of one relay and into the other.
            let relayed = 2.0 * f64::from(LOAD.0) * f64::from(LOAD.1) - lost as f64;
            eprintln!(
                "| {path} | {name} | {relayed} | {lost} | {used:.2} | {:.0} |",
                relayed / used
            );
        }
    }
}
