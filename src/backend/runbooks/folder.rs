//! Runbook files: found by name below a folder, never outside of that folder, and read up to a maximum size.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::config::files;

const DEPTH: usize = 4;
/// The maximum number of directory entries that are visited.
const ENTRIES: usize = 5000;

const NO_FILE: &str = "no file of that name";
const LINK_OUTSIDE: &str = "a link leads out of the folder";

/// The first existing file of these names. If no name is a path below the folder, the files of all subfolders are searched by
/// file name, ignoring upper and lower case.
///
/// # Errors
/// The reason why there is none.
pub(super) fn find(folder: &Path, names: &[String]) -> Result<PathBuf, String> {
    let unreadable = |error: std::io::Error| format!("the folder cannot be read ({error})");
    let root = folder.canonicalize().map_err(unreadable)?;
    let direct = |name: &String| Some(root.join(name)).filter(|path| path.is_file());
    let found = names.iter().find_map(direct).or_else(|| {
        let all = files(&root);
        names.iter().find_map(|name| {
            let is_it = |path: &&PathBuf| {
                path.file_name()
                    .and_then(|own| own.to_str())
                    .is_some_and(|own| own.eq_ignore_ascii_case(name))
            };
            all.iter().find(is_it).cloned()
        })
    });
    let path = found.ok_or(NO_FILE)?.canonicalize().map_err(unreadable)?;
    if path.starts_with(&root) { Ok(path) } else { Err(LINK_OUTSIDE.to_owned()) }
}

/// All files below a folder, sorted by path; symbolic links to folders are not followed.
fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![(root.to_owned(), 0)];
    let mut seen = 0;
    while let Some((folder, depth)) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            seen += 1;
            if seen > ENTRIES {
                break;
            }
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && depth < DEPTH {
                folders.push((entry.path(), depth + 1));
            } else if !kind.is_dir() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

/// Reads a file of at most `limit` bytes; returns the path and the content.
pub(super) fn read(path: &Path, limit: u64) -> Result<(PathBuf, Vec<u8>), String> {
    let mut bytes = Vec::new();
    let file = files::open(path).map_err(|error| error.to_string())?;
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > limit {
        return Err(format!("the file is larger than {} MiB", limit / (1024 * 1024)));
    }
    Ok((path.to_owned(), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_by_name_in_folders_below_and_never_outside() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("books");
        fs::create_dir_all(root.join("node")).unwrap();
        fs::write(root.join("node/HighLoad.md"), "# High load").unwrap();
        fs::write(dir.path().join("Secret.md"), "no").unwrap();
        let find = |name: &str| super::find(&root, &[name.to_owned()]);
        assert!(find("highload.md").unwrap().ends_with("node/HighLoad.md"));
        assert!(find("node/HighLoad.md").is_ok());
        assert_eq!(find("Secret.md"), Err(NO_FILE.to_owned()));
        assert_eq!(find("../Secret.md"), Err(LINK_OUTSIDE.to_owned()));
        std::os::unix::fs::symlink(dir.path().join("Secret.md"), root.join("Way.md")).unwrap();
        assert_eq!(find("Way.md"), Err(LINK_OUTSIDE.to_owned()));
        let path = root.join("node/HighLoad.md");
        assert_eq!(read(&path, 100).unwrap().1, b"# High load");
        assert!(read(&path, 5).unwrap_err().contains("larger"));
        assert!(read(&root, 5).unwrap_err().contains("not a file"));
    }
}
