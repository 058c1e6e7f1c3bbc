//! Reports that a test is skipped. For `#[path = "support/skip.rs"] mod skip;`.

use std::fs::OpenOptions;
use std::io::Write;

/// Reports that the running test is skipped, and why; `tests/run` counts skipped tests.
pub(crate) fn skip(why: &str) {
    let thread = std::thread::current();
    let line = format!("skipped: {}: {why}\n", thread.name().unwrap_or("a test"));
    print!("{line}");
    if let Some(path) = std::env::var_os("BURNWATCH_TEST_SKIPS") {
        let file = OpenOptions::new().append(true).open(path);
        file.and_then(|mut file| file.write_all(line.as_bytes())).expect("tests/run made the file of skips");
    }
}
