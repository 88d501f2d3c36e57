//! The `duologue` command.
fn main() {}
