//! Benchmarks of `duologue-ice`.
fn main() {}
