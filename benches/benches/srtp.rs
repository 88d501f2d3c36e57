//! Benchmarks of `duologue-srtp`.
fn main() {}
