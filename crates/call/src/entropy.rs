//! Randomness from the operating system. Below this crate it is handed on as seeds.

/// 32 random bytes, or why the system gave none.
pub(crate) fn seed() -> Result<[u8; 32], getrandom::Error> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    Ok(seed)
}

/// One random byte for spreading load; a middling one when the system gives none.
pub(crate) fn byte() -> u8 {
    let mut byte = [128];
    match getrandom::fill(&mut byte) {
        Ok(()) => byte[0],
        Err(_) => 128,
    }
}
