#![cfg_attr(fuzzing, no_main)]
#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| duologue_fuzz::jitter::jitter_signal(data));
#[cfg(not(fuzzing))]
fn main() {}
