#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| duologue_fuzz::ice::ice_turn(data));

#[cfg(not(fuzzing))]
fn main() {}
