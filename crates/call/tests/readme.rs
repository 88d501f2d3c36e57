//! The README's example is a program that is compiled.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;

#[test]
fn the_example_of_the_readme_is_the_program_in_examples() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let (_, rest) = readme.split_once("```rust,no_run\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let program = fs::read_to_string(root.join("../../examples/src/bin/first_call.rs")).unwrap();
    assert_eq!(example, program);
}
