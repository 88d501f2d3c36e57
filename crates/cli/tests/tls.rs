//! A call over TLS, with the certificate that the development server makes for itself.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod common;

use common::{Folder, Process, phone, urls};

#[test]
fn a_call_over_tls_with_the_servers_own_certificate() {
    let folder = Folder::new("tls");
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
    let start = |name: &str, command: &[&str], user: &str, trust: &[&str]| {
        let arguments = [command, &phone(user, &app, &ws, "tone", "null"), &["--loopback"], trust].concat();
        Process::start(name, None, &arguments, Some(folder.path(&format!("{name}.jsonl"))))
    };
    // Without its certificate the server is a stranger.
    let mut stranger = start("stranger", &["call", "bob"], "mallory", &[]);
    assert_eq!(stranger.exit_code(), 1);

    let trust = ["--root-certificate", certificate.as_str()];
    let mut callee = start("callee", &["answer", "--auto"], "bob", &trust);
    callee.wait_for_event("waiting");
    let mut caller = start("caller", &["call", "bob", "--seconds", "1"], "alice", &trust);
    callee.wait_for_event("evt_connected");
    assert_eq!((caller.exit_code(), callee.exit_code()), (0, 0));
}
