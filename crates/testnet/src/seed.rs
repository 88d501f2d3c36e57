//! Which seed a test runs with, and how it tells when it fails.

use std::thread;

/// The seed in the environment variable `SIM_SEED` (decimal, or hexadecimal after `0x`), or else `default`.
///
/// # Panics
/// When `SIM_SEED` is set but is no number: to run with another seed than the one asked for would mislead.
#[must_use]
pub fn seed_from_env(default: u64) -> u64 {
    match std::env::var("SIM_SEED") {
        Ok(text) => parse(&text).unwrap_or_else(|| panic!("SIM_SEED={text} is not a number")),
        Err(_) => default,
    }
}

/// Runs `body` with [`seed_from_env`]`(default)` and, if it panics, prints the seed that does it again.
pub fn with_seed<T>(default: u64, body: impl FnOnce(u64) -> T) -> T {
    let told = OnFailure(seed_from_env(default));
    body(told.0)
}

struct OnFailure(u64);

impl Drop for OnFailure {
    #[expect(clippy::print_stderr, reason = "a failing test's last words")]
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the failing seed: SIM_SEED={}", self.0);
        }
    }
}

fn parse(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn seeds_are_decimal_or_hexadecimal() {
        assert_eq!(parse("42"), Some(42));
        assert_eq!(parse("0xff"), Some(255));
        assert_eq!(parse("ff"), None);
        assert_eq!(parse(""), None);
    }
}
