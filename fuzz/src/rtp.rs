//! Fuzz bodies of `duologue-rtp`.
