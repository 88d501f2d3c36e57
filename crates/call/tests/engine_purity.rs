//! The engine lives in a crate that may read clocks, and must not.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;

#[test]
fn the_engine_has_no_clock_socket_thread_or_randomness_of_its_own() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![source.join("engine.rs")];
    let mut folders = vec![source.join("engine")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { &mut folders } else { &mut files }.push(path);
        }
    }
    assert!(files.len() > 5);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for banned in [
            "Instant::now",
            "SystemTime",
            "std::thread",
            "tokio",
            "mio::",
            "UdpSocket",
            "getrandom",
            "crate::entropy",
        ] {
            assert!(!text.contains(banned), "{} uses {banned}", file.display());
        }
    }
}
