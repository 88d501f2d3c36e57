//! Test vectors for the other implementation of the client half, `web/src/signaling`: what the machines of this crate do,
//! step by step. `web/tests/unit/vectors.test.ts` replays them.
//!
//! The vectors are committed, and this test fails when they are not what the machines do any more. To write them anew:
//! `DUOLOGUE_WRITE_VECTORS=1 cargo test -p duologue-signaling --test vectors`

#![allow(clippy::unwrap_used, reason = "tests")]

mod checks;
mod decoding;
mod linking;
mod random;
mod record;
mod table;

use std::path::PathBuf;

use serde_json::Value;

/// One line for each entry, so that a change can be read.
fn compare(name: &str, entries: &[Value]) {
    let lines: Vec<String> = entries.iter().map(Value::to_string).collect();
    let text = format!("[\n{}\n]\n", lines.join(",\n"));
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../web/tests/vectors")
        .join(name);
    if std::env::var_os("DUOLOGUE_WRITE_VECTORS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    let line = committed.lines().zip(text.lines()).position(|(old, new)| old != new);
    assert!(
        committed == text,
        "{name} is not what the machines do (line {:?}). When the change is meant, write it anew:\n  \
         DUOLOGUE_WRITE_VECTORS=1 cargo test -p duologue-signaling --test vectors\nand run: node web/tests/unit.mjs vectors",
        line.map(|line| line + 1)
    );
}

#[test]
fn random_walks() {
    compare("walks.json", &random::walks());
}

#[test]
fn the_table_of_transitions() {
    compare("table.json", &table::rows());
}

#[test]
fn links() {
    compare("link.json", &linking::sequences());
}

#[test]
fn decoding_and_its_limits() {
    compare("decode.json", &decoding::cases());
}

#[test]
fn parameters_and_reasons() {
    compare("check.json", &checks::parameters());
    compare("reasons.json", &checks::reasons());
}
