//! Caller and callee in two network namespaces joined by a veth pair, the server in one of them.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod common;

use std::process::Command;

use common::{Folder, Process, clip, dev_server, records, skipped, urls};
use serde_json::Value;

/// Two namespaces joined by a veth pair; gone with the value.
struct Pair {
    names: [String; 2],
}

impl Pair {
    const ADDRESSES: [&'static str; 2] = ["10.77.0.1", "10.77.0.2"];

    fn new() -> Self {
        let id = std::process::id();
        let pair = Self {
            names: [format!("duo-a-{id}"), format!("duo-b-{id}")],
        };
        let [a, b] = &pair.names;
        // Interface names are at most 15 characters.
        let (left, right) = (format!("va{id}"), format!("vb{id}"));
        for name in [a, b] {
            ip(&["netns", "add", name]);
        }
        ip(&[
            "link", "add", &left, "netns", a, "type", "veth", "peer", "name", &right, "netns", b,
        ]);
        for ((name, link), address) in [(a, &left), (b, &right)].into_iter().zip(Self::ADDRESSES) {
            ip(&["-n", name, "address", "add", &format!("{address}/24"), "dev", link]);
            ip(&["-n", name, "link", "set", link, "up"]);
            ip(&["-n", name, "link", "set", "lo", "up"]);
        }
        pair
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = Command::new("ip").args(["netns", "delete", name]).status();
        }
    }
}

fn ip(arguments: &[&str]) {
    let output = Command::new("ip").args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "ip {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn may_not_run() -> bool {
    let root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout == b"0\n");
    if !root {
        return skipped("making network namespaces needs root");
    }
    if Command::new("ip").arg("-V").output().is_err() {
        return skipped("the program `ip` (package iproute2) is missing");
    }
    false
}

fn packets_received(event: &Value) -> u64 {
    event
        .pointer("/inbound/packetsReceived")
        .and_then(Value::as_u64)
        .unwrap_or_default()
}

#[test]
fn a_call_between_namespaces_outlives_its_server() {
    if may_not_run() {
        return;
    }
    let folder = Folder::new("namespaces");
    let pair = Pair::new();
    let [here, there] = [pair.names[0].as_str(), pair.names[1].as_str()];
    let data = folder.path("data");
    let (mut server, url) = dev_server(Some(here), "10.77.0.1:8080", &data);
    let (app, ws) = urls(&url);

    let (said_there, said_here) = (clip("speech-callee"), clip("speech-caller"));
    let phone = |user: &'static str| vec!["--as", user, "--app-server", &app, "--server", &ws];
    let mut answer = vec!["answer", "--auto", "--input", &said_there, "--output", "null"];
    answer.extend(phone("bob"));
    let mut callee = Process::start("callee", Some(there), &answer, Some(folder.path("callee.jsonl")));
    callee.wait_for_event("waiting");
    let mut call = vec!["call", "bob", "--input", &said_here, "--output", "null"];
    call.extend(phone("alice"));
    let mut caller = Process::start("caller", Some(here), &call, Some(folder.path("caller.jsonl")));
    caller.wait_for_event("evt_connected");
    callee.wait_for_event("evt_connected");

    let heard = |event: &Value, more_than: u64| event["event"] == "stats" && packets_received(event) > more_than;
    let before = packets_received(&callee.wait_for("audio", |event| heard(event, 50)));
    server.signal("KILL");
    server.wait();
    // Without the server the audio goes on, both ways.
    callee.wait_for("audio without the server", |event| heard(event, before + 150));
    caller.wait_for("audio without the server", |event| heard(event, before + 150));
    assert!(callee.events().iter().all(|event| event["event"] != "evt_disconnected"));

    // The end reaches the other side over the media path alone.
    caller.signal("INT");
    let end = callee.wait_for_event("evt_disconnected");
    assert_eq!(
        (
            end["reason"]["code"].as_u64(),
            end["source"].as_str(),
            end["by_remote"].as_bool()
        ),
        (Some(1001), Some("caller"), Some(true))
    );
    let own = caller.wait_for_event("evt_disconnected");
    assert_eq!(
        (own["reason"]["code"].as_u64(), own["by_remote"].as_bool()),
        (Some(1001), Some(false))
    );

    // The server learns of it, or gives the call up, once it is back; either way there is exactly one record.
    let (mut again, _) = dev_server(Some(here), "10.77.0.1:8080", &data);
    let deadline = std::time::Instant::now() + common::PATIENCE;
    while records(&data).is_empty() {
        assert!(
            std::time::Instant::now() < deadline,
            "no record after the server's restart"
        );
        std::thread::park_timeout(std::time::Duration::from_millis(200));
    }
    assert_eq!((caller.exit_code(), callee.exit_code()), (0, 0));
    let written = records(&data);
    assert_eq!(written.len(), 1, "{written:?}");
    assert_eq!(written[0]["disconnect_reason"].as_u64(), Some(1001), "{written:?}");
    assert!(
        written[0]["duration"].as_u64().is_some_and(|seconds| seconds >= 1),
        "{written:?}"
    );
    again.signal("TERM");
    again.wait();
}
