//! Benchmarks of `duologue-jitter`.
fn main() {}
