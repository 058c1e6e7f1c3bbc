//! The file of saved views and the history of queries. Each change reads the file, writes a new one and replaces the old one at
//! once, under a lock: two burnwatch processes lose nothing, and a crash leaves the old or the new file.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::config::files;
use crate::model::saved_query::{QueryStore, StoreChange};

use super::private_files;

/// The largest file that is read, in bytes.
const MAX_SIZE: u64 = 8 * 1024 * 1024;

/// Reads the store; empty if the file does not exist.
///
/// # Errors
/// The system's error, or that of a file that is no such store.
pub(super) fn read(path: &Path) -> io::Result<QueryStore> {
    let file = match files::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(QueryStore::default()),
        opened => opened?,
    };
    let mut text = String::new();
    file.take(MAX_SIZE).read_to_string(&mut text)?;
    serde_json::from_str(&text).map_err(io::Error::from)
}

/// Applies a change to the file, and returns the new store. A file that cannot be read is not replaced.
///
/// # Errors
/// The system's error.
pub(super) fn change(path: &Path, change: StoreChange) -> io::Result<QueryStore> {
    private_files::make_folder(path.parent().unwrap_or(Path::new(".")))?;
    let lock = private_files::open(&beside(path, "lock"))?;
    lock.lock()?;
    let before = read(path)?;
    let mut store = before.clone();
    store.apply(change);
    if store != before {
        write(path, &store)?;
    }
    lock.unlock()?;
    Ok(store)
}

fn write(path: &Path, store: &QueryStore) -> io::Result<()> {
    let new = beside(path, "new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = private_files::open(&new)?;
    file.write_all(&serde_json::to_vec_pretty(store)?)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    // some file systems cannot sync a directory
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all().ok();
    Ok(())
}

/// The path with another ending.
fn beside(path: &Path, ending: &str) -> PathBuf {
    path.with_extension(ending)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::saved_query::StoreEdit;

    fn ran(query: &str) -> StoreChange {
        StoreChange { context: "prod".into(), what: StoreEdit::Ran(query.into(), None) }
    }

    #[test]
    fn changes_of_several_processes_are_all_kept() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("state/explore.json");
        assert_eq!(read(&path).unwrap(), QueryStore::default());
        std::thread::scope(|threads| {
            for thread in 0..4 {
                let path = &path;
                threads.spawn(move || {
                    for i in 0..10 {
                        change(path, ran(&format!("up + {thread} + {i}"))).unwrap();
                    }
                });
            }
        });
        assert_eq!(read(&path).unwrap().history("prod").len(), 40);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_replaced() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("explore.json");
        fs::write(&path, "{ \"contexts\": oops").unwrap();
        assert!(read(&path).is_err() && change(&path, ran("up")).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "{ \"contexts\": oops");
    }
}
