//! Fuzz bodies of `duologue-srtp`.
