//! Benchmarks of `duologue-codec`.
fn main() {}
