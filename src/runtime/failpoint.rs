//! Failpoints: panics on demand, for tests of burnwatch's behaviour after a bug. Only in builds with debug assertions. The
//! variable `BURNWATCH_TEST_PANIC` names a file, and the file names the place that panics.

/// Panics if the file names this place.
#[cfg(debug_assertions)]
pub(super) fn at(place: &str) {
    let named = std::env::var_os("BURNWATCH_TEST_PANIC").and_then(|path| std::fs::read_to_string(path).ok());
    assert!(named.is_none_or(|named| named != place), "a failpoint: {place}");
}

#[cfg(not(debug_assertions))]
pub(super) fn at(_: &str) {}
