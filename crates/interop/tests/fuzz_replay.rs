//! Every fuzz body, on stable, with its committed corpus and with every prefix and some mutations of it.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

type Body = fn(&[u8]);

/// The targets by name, as `fuzz/fuzz_targets` and `fuzz/corpus` spell it.
const TARGETS: &[(&str, Body)] = &[
    ("cc_param", duologue_fuzz::signaling::cc_param),
    ("dtls_in_stun", duologue_fuzz::carried::dtls_in_stun),
    ("ice_agent", duologue_fuzz::ice::ice_agent),
    ("ice_stun", duologue_fuzz::ice::ice_stun),
    ("ice_turn", duologue_fuzz::ice::ice_turn),
    ("jitter_ops", duologue_fuzz::jitter::jitter_ops),
    ("jitter_signal", duologue_fuzz::jitter::jitter_signal),
    ("mdns_datagram", duologue_fuzz::ice::mdns_datagram),
    ("red_payload", duologue_fuzz::rtp::red_payload),
    ("rtcp_packet", duologue_fuzz::rtp::rtcp_packet),
    ("rtp_packet", duologue_fuzz::rtp::rtp_packet),
    ("rtp_session", duologue_fuzz::rtp::rtp_session),
    ("signaling_message", duologue_fuzz::signaling::signaling_message),
    ("srtp_unprotect", duologue_fuzz::srtp::srtp_unprotect),
    ("transport_datagram", duologue_fuzz::transport::transport_datagram),
    ("turn_server", duologue_fuzz::turn::turn_server),
    ("turn_stream", duologue_fuzz::turn::turn_stream),
];

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let mut inputs: Vec<(PathBuf, Vec<u8>)> = fs::read_dir(fuzz().join("corpus").join(target))
        .unwrap_or_else(|error| panic!("{target} has no corpus: {error}"))
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    inputs.sort();
    inputs
}

/// Names the input whose body panics.
struct Named<'a>(&'a str, &'a Path);

impl Drop for Named<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}: {}", self.0, self.1.display());
        }
    }
}

#[test]
fn every_target_is_replayed() {
    let mut files: Vec<String> = fs::read_dir(fuzz().join("fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    files.sort();
    let listed: Vec<&str> = TARGETS.iter().map(|target| target.0).collect();
    assert_eq!(files, listed);
}

#[test]
fn the_corpora_pass() {
    for (name, body) in TARGETS {
        let inputs = corpus(name);
        assert!(!inputs.is_empty(), "{name} has an empty corpus");
        for (path, input) in &inputs {
            let _named = Named(name, path);
            body(input);
        }
    }
}

#[test]
fn truncated_and_mutated_inputs_pass() {
    for (name, body) in TARGETS {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for (path, input) in &corpus(name) {
            let _named = Named(name, path);
            for length in 0..input.len().min(200) {
                body(&input[..length]);
            }
            for _ in 0..100 {
                let mut mutated = input.clone();
                for _ in 0..1 + random() % 4 {
                    if !mutated.is_empty() {
                        let index = random() as usize % mutated.len();
                        mutated[index] = random() as u8;
                    }
                }
                body(&mutated);
            }
        }
    }
}
