//! The addresses of the real servers that `tests/run` starts; without them tests are skipped.
//!
//! Used in the root of a test with `#[path = "support/real.rs"] mod real;`, together with `skip.rs` in the same way.

use super::skip::skip;

/// The value of a variable of `tests/run` with the address of a server: `BURNWATCH_TEST_PROMETHEUS`,
/// `BURNWATCH_TEST_ALERTMANAGER`. None if it is not set: then the test is counted as skipped, and the caller returns.
///
/// With `CI=true` the servers are required.
pub(crate) fn real(variable: &str) -> Option<String> {
    let value = std::env::var(variable).ok().filter(|value| !value.is_empty());
    if value.is_none() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{variable} is not set: start with tests/run");
        skip(&format!("{variable} is not set, tests/run without --quick sets it"));
    }
    value
}
