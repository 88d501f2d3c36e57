//! Caller and callee in two network namespaces joined by a veth pair, the server in one of them.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod common;

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use common::{Folder, Process, clip, dev_server, records, skipped, urls};
use serde_json::Value;

/// Two namespaces joined by a veth pair; gone with the value.
struct Pair {
    /// Tells the pairs of all tests on this machine apart.
    id: String,
    names: [String; 2],
}

impl Pair {
    const ADDRESSES: [&'static str; 2] = ["10.77.0.1", "10.77.0.2"];

    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let id = format!("{}-{number}", std::process::id());
        let pair = Self {
            names: [format!("duo-a-{id}"), format!("duo-b-{id}")],
            id: id.clone(),
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

impl Pair {
    /// A second pair of links, `10.78.0.0/24`, over which the first side's first address is reached too when the first link is gone.
    fn add_network(&self) {
        let id = &self.id;
        let [a, b] = &self.names;
        let (left, right) = (format!("vc{id}"), format!("vd{id}"));
        ip(&[
            "link", "add", &left, "netns", a, "type", "veth", "peer", "name", &right, "netns", b,
        ]);
        for (name, link, address) in [(a, &left, "10.78.0.1/24"), (b, &right, "10.78.0.2/24")] {
            ip(&["-n", name, "address", "add", address, "dev", link]);
            ip(&["-n", name, "link", "set", link, "up"]);
        }
        ip(&[
            "-n",
            b,
            "route",
            "add",
            "10.77.0.0/24",
            "via",
            "10.78.0.1",
            "metric",
            "500",
        ]);
    }

    /// The first link is gone, as seen from the second side.
    fn cut_network(&self) {
        ip(&["-n", &self.names[1], "link", "set", &format!("vb{}", self.id), "down"]);
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

#[test]
fn a_call_moves_to_the_network_that_is_left() {
    if may_not_run() {
        return;
    }
    let folder = Folder::new("moves");
    let pair = Pair::new();
    let [here, there] = [pair.names[0].as_str(), pair.names[1].as_str()];
    let (_server, url) = dev_server(Some(here), "10.77.0.1:8080", &folder.path("data"));
    let (app, ws) = urls(&url);
    let phone = |user: &'static str| {
        let mut arguments = vec!["--as", user, "--app-server", &app, "--server", &ws];
        arguments.extend(["--input", "tone", "--output", "null"]);
        arguments
    };
    let answer = [vec!["answer", "--auto", "--control"], phone("bob")].concat();
    let mut callee = Process::start("callee", Some(there), &answer, Some(folder.path("callee.jsonl")));
    callee.wait_for_event("waiting");
    let call = [vec!["call", "bob"], phone("alice")].concat();
    let mut caller = Process::start("caller", Some(here), &call, Some(folder.path("caller.jsonl")));
    let on = |event: &Value, network: &str, more_than: u64| {
        let local = event.pointer("/candidatePair/local").and_then(Value::as_str);
        event["event"] == "stats"
            && local.is_some_and(|local| local.starts_with(network))
            && packets_received(event) > more_than
    };
    let before = packets_received(&callee.wait_for("audio", |event| on(event, "10.77.0.2:", 50)));

    pair.add_network();
    pair.cut_network();
    callee.wait_for("audio on the other network", |event| {
        on(event, "10.78.0.2:", before + 100)
    });
    caller.wait_for("audio from there", |event| {
        let remote = event.pointer("/candidatePair/remote").and_then(Value::as_str);
        remote.is_some_and(|remote| remote.starts_with("10.78.0.2:")) && packets_received(event) > before + 100
    });
    // The way to the server has moved as well.
    callee.say("mute");
    caller.wait_for_event("evt_peer_mic_muted");
    for phone in [&caller, &callee] {
        assert!(phone.events().iter().all(|event| event["event"] != "evt_disconnected"));
    }
    caller.signal("INT");
    assert_eq!((caller.exit_code(), callee.exit_code()), (0, 0));
}

/// Without STUN and relays, hidden addresses are found by multicast DNS or not at all.
#[test]
fn names_that_hide_addresses_are_resolved_on_the_link() {
    if may_not_run() {
        return;
    }
    let folder = Folder::new("names");
    let pair = Pair::new();
    let [here, there] = [pair.names[0].as_str(), pair.names[1].as_str()];
    let data = folder.path("data").display().to_string();
    let mut server = vec!["server", "--dev", "--listen", "10.77.0.1:8080", "--data", &data];
    // The address that clients are told has no STUN server.
    server.extend(["--stun-listen", "127.0.0.1:0", "--no-turn"]);
    let mut server = Process::start("server", Some(here), &server, None);
    let (app, ws) = urls(&server.announced("listening on "));
    let phone = |user: &'static str| {
        let mut arguments = vec!["--as", user, "--app-server", &app, "--server", &ws, "--mdns-hiding"];
        arguments.extend(["--input", "tone", "--output", "null"]);
        arguments
    };
    let answer = [vec!["answer", "--auto"], phone("bob")].concat();
    let mut callee = Process::start("callee", Some(there), &answer, Some(folder.path("callee.jsonl")));
    callee.wait_for_event("waiting");
    let call = [vec!["call", "bob"], phone("alice")].concat();
    let mut caller = Process::start("caller", Some(here), &call, Some(folder.path("caller.jsonl")));
    for phone in [&mut caller, &mut callee] {
        phone.wait_for("audio", |event| {
            event["event"] == "stats" && packets_received(event) > 50
        });
    }
    caller.signal("INT");
    assert_eq!((caller.exit_code(), callee.exit_code()), (0, 0));
}
