//! Panics on demand, for the tests of what a bug leaves behind: only in builds with debug assertions, and only at the place
//! that is named by the file that `BURNWATCH_TEST_PANIC` names. A release has none of it.

/// Panics if this is the place.
#[cfg(debug_assertions)]
pub(super) fn at(place: &str) {
    let named = std::env::var_os("BURNWATCH_TEST_PANIC").and_then(|path| std::fs::read_to_string(path).ok());
    assert!(named.is_none_or(|named| named != place), "a drill: {place}");
}

#[cfg(not(debug_assertions))]
pub(super) fn at(_: &str) {}
