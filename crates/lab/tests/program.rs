//! The program: exit codes, what a command finds, and an end by a signal.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod common;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::skipped;
use duologue_lab::system;

/// Generous: only a broken lab reaches it.
const PATIENCE: Duration = Duration::from_secs(30);

fn lab(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duologue-lab"));
    command.args(arguments);
    command
}

fn namespaces_of(process: &Child) -> Vec<String> {
    let list = system::output(Command::new("ip").args(["netns", "list"])).unwrap();
    let prefix = format!("duo-{}-", process.id());
    list.lines()
        .filter(|line| line.starts_with(&prefix))
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_command_gets_a_network_of_its_own_and_its_exit_code_is_kept() {
    if skipped() {
        return;
    }
    let script = "ip -brief address show dev eth0; echo $DUO_LAB_FAR; exit 7";
    let output = lab(&["run", "--profile", "rtt20", "--", "sh", "-c", script])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("11.0.0.2/24") && said.contains("fd11::2/64"), "{said}");
    assert_eq!(said.lines().last(), Some("11.0.0.1"));
    assert_eq!(output.status.code(), Some(7));
}

#[test]
fn mistakes_are_named() {
    if skipped() {
        return;
    }
    for (arguments, word) in [
        (&["run", "--profile", "wlan", "--", "true"] as &[&str], "wlan"),
        (&["run", "--", "no-such-program"], "no-such-program"),
        (&["matrix", "--only", "open"], "CALLER:CALLEE"),
        (&["matrix", "--only", "open:cone"], "full-cone"),
    ] {
        let output = lab(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(word), "{arguments:?}: {said}");
    }
}

#[test]
fn a_signal_ends_it_and_leaves_nothing() {
    if skipped() {
        return;
    }
    let mut child = lab(&["run", "--profile", "lan", "--", "sh", "-c", "echo inside; sleep 1000"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = [0; 6];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut said).unwrap();
    assert_eq!(&said, b"inside");
    assert_eq!(namespaces_of(&child).len(), 2);
    let killed = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < deadline, "it does not end");
        std::thread::park_timeout(Duration::from_millis(20));
    };
    assert_eq!(status.code(), Some(128 + 15));
    assert_eq!(namespaces_of(&child), Vec::<String>::new());
}
