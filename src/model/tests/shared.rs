//! Files of others that tests compare with and that are not in this repository: vendors' descriptions of their APIs, published
//! definitions and rules, recorded answers. Tests beside `src` read this file, too, by its path.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder of them: `BURNWATCH_SHARED`, or `../shared`. Without it the test proves nothing, and the caller returns;
/// `tests/run` is told so, and does not count it.
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
