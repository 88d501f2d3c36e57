//! Benchmarks of `duologue-rtp`.
fn main() {}
