//! Calls between processes on loopback, with every common ending, by exit code and events.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod common;

use std::path::PathBuf;

use common::{Folder, Process, dev_server, records, urls};
use serde_json::Value;

/// A development server and the places of a test.
struct Bench {
    folder: Folder,
    _server: Process,
    app: String,
    ws: String,
    data: PathBuf,
    next: u32,
}

impl Bench {
    fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let data = folder.path("data");
        let (server, url) = dev_server(None, "127.0.0.1:0", &data);
        let (app, ws) = urls(&url);
        Self {
            folder,
            _server: server,
            app,
            ws,
            data,
            next: 0,
        }
    }

    fn start(&mut self, name: &str, command: &[&str], user: &str) -> Process {
        self.next += 1;
        let mut arguments = command.to_vec();
        arguments.extend([
            "--as",
            user,
            "--loopback",
            "--app-server",
            &self.app,
            "--server",
            &self.ws,
        ]);
        for (option, default) in [("--input", "tone"), ("--output", "null")] {
            if !command.contains(&option) {
                arguments.extend([option, default]);
            }
        }
        Process::start(
            name,
            None,
            &arguments,
            Some(self.folder.path(&format!("{name}-{}.jsonl", self.next))),
        )
    }

    fn answer(&mut self, user: &str) -> Process {
        let mut callee = self.start("callee", &["answer", "--auto"], user);
        callee.wait_for_event("waiting");
        callee
    }

    fn call(&mut self, peer: &str, user: &str) -> Process {
        self.start("caller", &["call", peer], user)
    }

    /// The one record of the one call.
    fn record(&self) -> Value {
        let deadline = std::time::Instant::now() + common::PATIENCE;
        loop {
            let records = records(&self.data);
            if let [record] = &records[..] {
                return record.clone();
            }
            assert!(records.is_empty(), "more than one record: {records:?}");
            assert!(std::time::Instant::now() < deadline, "no record");
            std::thread::park_timeout(std::time::Duration::from_millis(50));
        }
    }
}

fn end_of(process: &mut Process) -> (u64, String, bool) {
    let end = process.wait_for_event("evt_disconnected");
    (
        end["reason"]["code"].as_u64().unwrap(),
        end["source"].as_str().unwrap().to_owned(),
        end["by_remote"].as_bool().unwrap(),
    )
}

#[test]
fn a_call_is_ended_by_its_caller() {
    let mut bench = Bench::new("normal");
    let mut callee = bench.answer("bob");
    let mut caller = bench.start(
        "caller",
        &["call", "bob", "--seconds", "2", "--message", "hello"],
        "alice",
    );
    assert_eq!(
        callee.wait_for_event("evt_verified")["call_start_message"].as_str(),
        Some("hello")
    );
    assert_eq!(end_of(&mut caller), (1001, "caller".into(), false));
    assert_eq!(end_of(&mut callee), (1001, "caller".into(), true));
    assert_eq!((caller.exit_code(), callee.exit_code()), (0, 0));
    let names = |process: &Process| -> Vec<String> {
        let events = process.events();
        let names = events.iter().map(|event| event["event"].as_str().unwrap().to_owned());
        // The verification code comes once both have said what it is made of, before or after the call connects.
        names
            .filter(|name| name.starts_with("evt_") && name != "evt_verification_code")
            .collect()
    };
    assert_eq!(
        names(&caller),
        ["evt_wait_connected", "evt_connected", "evt_disconnected"]
    );
    assert_eq!(names(&callee), ["evt_verified", "evt_connected", "evt_disconnected"]);
    for process in [&caller, &callee] {
        let events = process.events();
        let codes = events.iter().filter(|event| event["event"] == "evt_verification_code");
        assert_eq!(codes.count(), 1, "each side shows one verification code");
    }
    let record = bench.record();
    assert_eq!(
        (record["disconnect_reason"].as_u64(), record["releaser_type"].as_u64()),
        (Some(1001), Some(2))
    );
    assert_eq!(record["terminate"].as_u64(), Some(16));
}

#[test]
fn ctrl_c_of_the_callee_ends_the_call_cleanly() {
    let mut bench = Bench::new("interrupt");
    let mut callee = bench.answer("bob");
    let mut caller = bench.call("bob", "alice");
    caller.wait_for_event("evt_connected");
    callee.wait_for_event("evt_connected");
    callee.signal("INT");
    assert_eq!(end_of(&mut caller), (1001, "callee".into(), true));
    assert_eq!((caller.exit_code(), callee.exit_code()), (0, 0));
}

#[test]
fn a_callee_without_a_device_is_a_push_error() {
    let mut bench = Bench::new("nobody");
    let mut caller = bench.call("bob", "alice");
    assert_eq!(end_of(&mut caller).0, 1302);
    assert_eq!(caller.exit_code(), 8);
    assert_eq!(bench.record()["disconnect_reason"].as_u64(), Some(1302));
}

#[test]
fn a_callee_that_says_no_declines() {
    let mut bench = Bench::new("decline");
    let mut callee = bench.start("callee", &["answer"], "bob");
    callee.wait_for_event("waiting");
    let mut caller = bench.call("bob", "alice");
    // Its standard input is closed, so the question is answered with no: the call is declined.
    assert_eq!(end_of(&mut caller), (1002, "callee".into(), true));
    assert_eq!(caller.exit_code(), 4);
    assert_eq!(end_of(&mut callee).0, 1002);
    assert_eq!(bench.record()["terminate"].as_u64(), Some(21));
}

#[test]
fn a_script_drives_both_phones() {
    let mut bench = Bench::new("control");
    let mut callee = bench.start("callee", &["answer", "--control"], "bob");
    callee.wait_for_event("waiting");
    let mut caller = bench.start("caller", &["call", "bob", "--control"], "alice");
    callee.wait_for_event("evt_verified");
    // Nothing is accepted unless the script says so, and nonsense is refused, not obeyed.
    callee.say("accept_call()");
    let refused = callee.wait_for_event("control_refused");
    assert!(
        refused["error"].as_str().unwrap().contains("accept_call()"),
        "{refused}"
    );
    callee.say("accept good evening");
    let connected = caller.wait_for_event("evt_connected");
    // The first audio may overtake the server, which carries the message, and connects the call without it.
    let message = connected["call_start_message"].as_str();
    assert!(matches!(message, None | Some("good evening")), "{connected}");
    callee.wait_for_event("evt_connected");
    caller.wait_for_event("first_audio");
    callee.wait_for_event("first_audio");
    caller.say("mute");
    callee.wait_for_event("evt_peer_mic_muted");
    caller.say("unmute");
    callee.wait_for_event("evt_peer_mic_unmuted");
    // The holder falls silent and its peer is told why, at most 256 bytes of it; then both go on.
    caller.say(&format!("hold {}é", "x".repeat(255)));
    let hold = callee.wait_for_event("evt_peer_hold");
    assert_eq!(hold["reason"].as_str(), Some("x".repeat(255).as_str()));
    caller.say("unhold");
    callee.wait_for_event("evt_peer_unhold");
    callee.say("end good night");
    let end = caller.wait_for_event("evt_disconnected");
    assert_eq!(
        (end["reason"]["str_code"].as_str(), end["user_code"].as_str()),
        (Some("NORMAL"), Some("good night"))
    );
    assert_eq!((caller.exit_code(), callee.exit_code()), (0, 0));
}

#[test]
fn who_is_held_hears_a_soft_tone() {
    let mut bench = Bench::new("hold-tone");
    let heard = bench.folder.path("heard.wav");
    let output = heard.to_str().unwrap();
    let mut callee = bench.start("callee", &["answer", "--auto", "--output", output], "bob");
    callee.wait_for_event("waiting");
    // The caller says nothing, so that whatever is heard is the tone.
    let mut caller = bench.start("caller", &["call", "bob", "--control", "--input", "silence"], "alice");
    callee.wait_for_event("evt_connected");
    caller.wait_for_event("evt_connected");
    caller.say("hold");
    let hold = callee.wait_for_event("evt_peer_hold");
    assert_eq!(hold["reason"], Value::Null);
    // Its statistics tell that the callee has played more than a round of the tone since.
    let from = hold["wall_ms"].as_f64().unwrap();
    callee.wait_for("four seconds of hold", |event| {
        event["event"] == "stats" && event["wall_ms"].as_f64().unwrap() > from + 4_000.0
    });
    caller.say("end");
    callee.wait_for_event("evt_disconnected");
    assert_eq!((caller.exit_code(), callee.exit_code()), (0, 0));
    let samples: Vec<f32> = hound::WavReader::open(heard)
        .unwrap()
        .into_samples::<i16>()
        .map(|sample| f32::from(sample.unwrap()) / 32_768.0)
        .collect();
    let loudest = samples
        .iter()
        .fold(0.0, |loudest: f32, sample| loudest.max(sample.abs()));
    assert!((0.05..0.2).contains(&loudest), "{loudest}");
}

#[test]
fn a_script_declines() {
    let mut bench = Bench::new("control-decline");
    let mut callee = bench.start("callee", &["answer", "--control"], "bob");
    callee.wait_for_event("waiting");
    let mut caller = bench.call("bob", "alice");
    callee.wait_for_event("evt_verified");
    callee.say("decline");
    assert_eq!(end_of(&mut caller), (1002, "callee".into(), true));
    assert_eq!(caller.exit_code(), 4);
}

#[test]
fn a_user_in_a_call_is_busy() {
    let mut bench = Bench::new("busy");
    let mut callee = bench.answer("bob");
    let mut caller = bench.call("bob", "alice");
    caller.wait_for_event("evt_connected");
    callee.wait_for_event("evt_connected");
    let mut third = bench.call("bob", "carol");
    assert_eq!(end_of(&mut third).0, 1202);
    assert_eq!(third.exit_code(), 5);
    // The first call is none the worse for it.
    assert!(
        caller
            .events()
            .iter()
            .chain(&callee.events())
            .all(|event| event["event"] != "evt_disconnected")
    );
}

#[test]
fn a_forged_token_is_refused() {
    let mut bench = Bench::new("token");
    let forged = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJkZXYiLCJ1aWQiOiJhbGljZSIsImlzcyI6ImsiLCJpYXQiOjB9.";
    let mut caller = bench.start("caller", &["call", "bob", "--token", forged], "alice");
    assert_eq!(end_of(&mut caller).0, 1501);
    assert_eq!(caller.exit_code(), 6);
}

#[test]
fn a_server_that_is_not_there_is_a_network_fault() {
    let mut bench = Bench::new("no-server");
    bench.ws = "ws://127.0.0.1:9/ws".into();
    let mut caller = bench.start("caller", &["call", "bob", "--token", "t"], "alice");
    assert_eq!(end_of(&mut caller).0, 1509);
    assert_eq!(caller.exit_code(), 7);
}

#[test]
fn local_faults_are_told_at_once_and_name_the_reason() {
    let mut bench = Bench::new("local");
    for (command, user, reason) in [
        (["call", "alice"], "alice", "id_conflict"),
        (["call", "bob"], "not a user id!", "invalid_user_id"),
        (["call", "bo b"], "alice", "invalid_user_id"),
    ] {
        let mut arguments = command.to_vec();
        arguments.extend(["--token", "t"]);
        let mut caller = bench.start("caller", &arguments, user);
        let code = caller.exit_code();
        let failed = caller
            .events()
            .into_iter()
            .find(|event| event["event"] == "make_call_failed")
            .unwrap();
        assert_eq!((failed["reason"].as_str(), code), (Some(reason), 1));
    }
    let mut callee = bench.start("callee", &["answer", "--auto", "--cc-param", "nonsense"], "bob");
    assert_eq!(callee.exit_code(), 1);
    let failed = callee
        .events()
        .into_iter()
        .find(|event| event["event"] == "verify_call_failed")
        .unwrap();
    assert_eq!(failed["reason"].as_str(), Some("decode_call_param"));
}
