//! Criterion benchmarks of the public APIs, one file per crate in `benches/`.
