//! coturn's programs, and what the server counts.

use std::process::{Command, Stdio};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::common::Bench;

pub(crate) const SECRET: &str = "a secret that both programs have";

/// coturn's test client.
pub(crate) struct Uclient;

impl Uclient {
    /// Looks for it; whoever wants all tests to run is told when it is missing.
    pub(crate) fn find() -> Option<Self> {
        let found = Command::new("turnutils_uclient")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok();
        assert!(
            found || std::env::var_os("DUOLOGUE_REQUIRE_ALL").is_none(),
            "DUOLOGUE_REQUIRE_ALL is set, but there is no `turnutils_uclient` (Debian: coturn)"
        );
        if !found {
            eprintln!("skipped: no `turnutils_uclient` (Debian: coturn)");
        }
        found.then_some(Self)
    }

    /// Runs it to its end; how many packets it missed. Where it says nothing about packets, the run has failed.
    pub(crate) async fn run(&self, port: u16, arguments: &[&str]) -> u64 {
        let port = port.to_string();
        // The outer program ends one that hangs.
        let mut command = Command::new("timeout");
        command
            .args(["240", "turnutils_uclient"])
            .args(["-W", SECRET, "-u", "judge", "-l", "160", "-p", &port])
            .args(arguments)
            .arg("127.0.0.1")
            .stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output())
            .await
            .unwrap()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let lost = text.split("Total lost packets ").last().and_then(|rest| {
            let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
            number.parse().ok()
        });
        let received = text.rsplit("tot_recv_msgs=").next().unwrap_or_default();
        let received: String = received.chars().take_while(char::is_ascii_digit).collect();
        assert!(received.parse::<u64>().is_ok_and(|count| count > 0), "{text}");
        lost.unwrap_or_else(|| panic!("{text}"))
    }
}

/// A value of `GET /metrics`.
pub(crate) async fn metric(bench: &Bench, name: &str) -> f64 {
    let mut stream = TcpStream::connect(bench.server().addr()).await.unwrap();
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.unwrap_or_else(|| panic!("{name} is not in {text}"))
        .parse()
        .unwrap()
}
