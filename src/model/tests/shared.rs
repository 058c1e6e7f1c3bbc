//! Third-party files for tests that are not in this repository: vendors' API descriptions, published
//! definitions and rules, recorded answers. Tests outside `src` include this file by its path.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder of these files: `BURNWATCH_SHARED`, or `../shared`. If it is missing, the calling test must return early, and
/// `tests/run` does not count it.
pub(crate) fn shared() -> Option<PathBuf> {
    let named = std::env::var_os("BURNWATCH_SHARED").filter(|folder| !folder.is_empty());
    let beside = || {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
        folder.join("corpus").is_dir().then_some(folder)
    };
    let folder = named.map(PathBuf::from).or_else(beside);
    if let (None, Some(skips)) = (&folder, std::env::var_os("BURNWATCH_TEST_SKIPS")) {
        let name = std::thread::current().name().unwrap_or("a test").to_owned();
        let mut skips =
            OpenOptions::new().append(true).open(skips).expect("tests/run made the file of skips");
        writeln!(skips, "skipped: {name}: BURNWATCH_SHARED is not set").expect("a line more");
    }
    folder
}
