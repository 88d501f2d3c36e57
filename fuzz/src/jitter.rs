//! Fuzz bodies of `duologue-jitter`.
