//! The real servers that `tests/run` starts: where they are, and what happens without them.
//!
//! Used by a test's root through `#[path = "support/real.rs"] mod real;`, with `skip.rs` beside it in the same way.

use super::skip::skip;

/// The value of one of the variables of `tests/run`: `BURNWATCH_TEST_PROMETHEUS`, `BURNWATCH_TEST_ALERTMANAGER` (their
/// addresses). Without it the test is skipped, and the caller returns.
///
/// With `CI=true` the servers must be there.
pub(crate) fn real(variable: &str) -> Option<String> {
    let value = std::env::var(variable).ok().filter(|value| !value.is_empty());
    if value.is_none() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{variable} is not set: start with tests/run");
        skip(&format!("{variable} is not set, tests/run without --quick sets it"));
    }
    value
}
