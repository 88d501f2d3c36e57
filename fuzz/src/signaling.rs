//! Fuzz bodies of `duologue-signaling`.
