//! Fuzz bodies of `duologue-transport`.
