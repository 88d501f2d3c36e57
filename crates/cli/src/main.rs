//! The `duologue` command.
mod demo { pub(crate) mod analysis; }
fn main() {}
