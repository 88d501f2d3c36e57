//! Calls over TLS, with the certificate that the development server makes for itself; and calls over its relays alone.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod common;

use common::{Folder, Process, phone, urls};
use serde_json::Value;

/// A development server with a certificate of its own.
struct Bench {
    folder: Folder,
    certificate: String,
    _server: Process,
    app: String,
    ws: String,
}

impl Bench {
    fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let data = folder.path("data");
        let certificate = data.join("tls-certificate.pem").display().to_string();
        let arguments = [
            "server",
            "--dev",
            "--tls-self-signed",
            "--listen",
            "127.0.0.1:0",
            "--stun-listen",
            "127.0.0.1:0",
            "--data",
            data.to_str().unwrap(),
        ];
        let mut server = Process::start("server", None, &arguments, None);
        let url = server.announced("listening on ");
        assert!(url.starts_with("https://"), "{url}");
        let (app, ws) = urls(&url);
        Self {
            folder,
            certificate,
            _server: server,
            app,
            ws,
        }
    }

    /// A phone; its events go to a file of this name.
    fn start(&self, name: &str, command: &[&str], user: &str, more: &[&str]) -> Process {
        let phone = phone(user, &self.app, &self.ws, "tone", "null");
        let arguments = [command, &phone, &["--loopback"], more].concat();
        Process::start(name, None, &arguments, Some(self.folder.path(&format!("{name}.jsonl"))))
    }
}

#[test]
fn a_call_over_tls_with_the_servers_own_certificate() {
    let bench = Bench::new("tls");
    // Without its certificate the server is a stranger.
    let mut stranger = bench.start("stranger", &["call", "bob"], "mallory", &[]);
    assert_eq!(stranger.exit_code(), 1);

    let trust = ["--root-certificate", bench.certificate.as_str()];
    let mut callee = bench.start("callee", &["answer", "--auto"], "bob", &trust);
    callee.wait_for_event("waiting");
    let mut caller = bench.start("caller", &["call", "bob", "--seconds", "1"], "alice", &trust);
    callee.wait_for_event("evt_connected");
    // Both show the same code.
    let code = callee.wait_for_event("evt_verification_code")["english"].clone();
    assert_eq!(caller.wait_for_event("evt_verification_code")["english"], code);
    assert_eq!(code.as_str().unwrap().split(' ').count(), 5, "{code}");
    assert_eq!((caller.exit_code(), callee.exit_code()), (0, 0));
}

/// Statistics of a path that leads over relays at both ends, with the peer's tone coming out of it.
fn is_heard_over(event: &Value, protocol: &str) -> bool {
    let text = |pointer| event.pointer(pointer).and_then(Value::as_str);
    let number = |pointer| event.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
    event["event"] == "stats"
        && text("/candidatePair/localKind") == Some("relay")
        && text("/candidatePair/remoteKind") == Some("relay")
        && text("/candidatePair/relayProtocol") == Some(protocol)
        && number("/inbound/packetsReceived") > 50
        && number("/levels/peer") > 5
}

#[test]
fn calls_over_relays_alone_by_every_protocol() {
    let bench = Bench::new("relays");
    for protocol in ["udp", "tcp", "tls"] {
        let relayed = [
            "--root-certificate",
            bench.certificate.as_str(),
            "--ice-policy",
            "relay-only",
            "--relay-protocols",
            protocol,
        ];
        let name = |who: &str| format!("{who}-{protocol}");
        let mut callee = bench.start(&name("callee"), &["answer", "--auto"], "bob", &relayed);
        callee.wait_for_event("waiting");
        let mut caller = bench.start(&name("caller"), &["call", "bob"], "alice", &relayed);
        for phone in [&mut caller, &mut callee] {
            phone.wait_for_event("evt_connected");
            phone.wait_for(&format!("audio over {protocol}"), |event| {
                is_heard_over(event, protocol)
            });
        }
        caller.signal("INT");
        assert_eq!((caller.exit_code(), callee.exit_code()), (0, 0), "{protocol}");
    }
}
