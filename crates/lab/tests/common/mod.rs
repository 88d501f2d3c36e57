//! What the tests share.

use duologue_lab::system;

/// Whether there can be no lab here; says why.
pub(crate) fn skipped() -> bool {
    let Some(why) = system::missing() else { return false };
    assert!(
        std::env::var_os("DUOLOGUE_REQUIRE_ALL").is_none(),
        "this test must run here, but {why}"
    );
    eprintln!("skipped: {why}");
    true
}
