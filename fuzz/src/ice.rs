//! Fuzz bodies of `duologue-ice`.
