//! Finds and reads definition files: opens given files and walks folders, with limits on size, number and depth.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::finding::{FindingLevel, Findings};
use crate::config::files;

/// Far larger than real definition files; a protection against a wrong path.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// The limit for all files of a load together.
const MAX_TOTAL_BYTES: usize = 64 * 1024 * 1024;

/// The limit for the number of files of a load.
const MAX_FILES: usize = 5_000;

/// The limit for folders within folders.
const MAX_FOLDER_DEPTH: usize = 16;

/// The path and text of a file.
pub(super) struct OpenedFile {
    /// As it was given, or found below a given folder.
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// Whether the user named this very file, instead of a folder that contains it.
    pub(super) named: bool,
}

/// Reads all given files, and `*.yaml`, `*.yml` and `*.toml` in given folders, sorted by name.
///
/// A file that is reached twice is read once. Within folders, names that begin with a dot are skipped.
pub(super) fn open(paths: &[PathBuf], findings: &Findings) -> Vec<OpenedFile> {
    let mut walk = FolderWalk { findings, seen: BTreeSet::new(), opened: Vec::new(), bytes: 0, full: false };
    for path in paths {
        walk.enter(path, true, 0);
    }
    walk.opened
}

struct FolderWalk<'l> {
    findings: &'l Findings,
    /// The canonical paths of all visited files and folders.
    seen: BTreeSet<PathBuf>,
    opened: Vec<OpenedFile>,
    bytes: usize,
    full: bool,
}

impl FolderWalk<'_> {
    fn error(&self, path: &Path, message: &str) {
        self.findings.say(path, None, FindingLevel::Error, message);
    }

    fn enter(&mut self, path: &Path, named: bool, deep: usize) {
        if self.full {
            return;
        }
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            // a dangling symbolic link in a folder defines nothing
            Err(error) if error.kind() == io::ErrorKind::NotFound && !named => return,
            Err(error) => return self.error(path, &reason(&error)),
        };
        if metadata.is_file() && !named && !is_definition(path) {
            return;
        }
        match fs::canonicalize(path) {
            Ok(real) => {
                if !self.seen.insert(real) {
                    return;
                }
            }
            Err(error) => return self.error(path, &reason(&error)),
        }
        if metadata.is_dir() {
            self.folder(path, deep);
        } else if metadata.is_file() {
            self.file(path, named);
        } else if named {
            self.error(path, "is neither a file nor a folder");
        }
    }

    fn folder(&mut self, path: &Path, deep: usize) {
        if deep >= MAX_FOLDER_DEPTH {
            return self.error(path, &format!("not read: nested more than {MAX_FOLDER_DEPTH} folders deep"));
        }
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) => return self.error(path, &reason(&error)),
        };
        let mut inner = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) if entry.file_name().to_string_lossy().starts_with('.') => {}
                Ok(entry) => inner.push(entry.path()),
                Err(error) => self.error(path, &reason(&error)),
            }
        }
        inner.sort();
        for path in inner {
            self.enter(&path, false, deep + 1);
        }
    }

    fn file(&mut self, path: &Path, named: bool) {
        if self.opened.len() >= MAX_FILES || self.bytes > MAX_TOTAL_BYTES {
            self.full = true;
            let (files, mib) = (self.opened.len(), MAX_TOTAL_BYTES / 1024 / 1024);
            return self.error(
                path,
                &format!("not read, like all later files: {files} files were read; the limit is {MAX_FILES} files or {mib} MiB"),
            );
        }
        match read(path) {
            Ok(text) => {
                self.bytes += text.len();
                self.opened.push(OpenedFile { path: path.to_owned(), text, named });
            }
            Err(message) => self.error(path, &message),
        }
    }
}

fn is_definition(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| {
        ["yaml", "yml", "toml"].iter().any(|one| extension.eq_ignore_ascii_case(one))
    })
}

fn read(path: &Path) -> Result<String, String> {
    let bytes = files::read(path, MAX_FILE_BYTES + 1).map_err(|error| reason(&error))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(format!("not read: larger than the limit of {} MiB", MAX_FILE_BYTES / 1024 / 1024));
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        let line = before.filter(|byte| **byte == b'\n').count() + 1;
        format!("not UTF-8: line {line} has invalid bytes")
    })
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "cannot be read: permission denied".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(paths: &[PathBuf]) -> (Vec<String>, Vec<String>) {
        let findings = Findings::default();
        let name = |file: &OpenedFile| file.path.file_name().unwrap().to_string_lossy().into_owned();
        let files = open(paths, &findings).iter().map(name).collect();
        (files, findings.into_list().iter().map(|finding| finding.message.clone()).collect())
    }

    #[test]
    fn folders_are_walked_in_order_and_each_file_is_read_once() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("b/deep")).unwrap();
        for name in ["z.yaml", "b/deep/x.toml", "a.YML", "notes.md", ".hidden.yaml", "b/y.yml"] {
            fs::write(at(name), "a: 1\n").unwrap();
        }
        let expected = ["a.YML", "x.toml", "y.yml", "z.yaml"].map(str::to_owned).to_vec();
        assert_eq!(opened(&[dir.path().to_owned(), at("z.yaml")]), (expected, vec![]));
        assert_eq!(opened(&[at("notes.md")]), (vec!["notes.md".to_owned()], vec![]));
    }

    #[cfg(unix)]
    #[test]
    fn links_in_a_circle_end_and_links_to_nothing_are_passed_over() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("..data")).unwrap();
        fs::write(at("..data/slo.yaml"), "a: 1\n").unwrap();
        symlink("..data/slo.yaml", at("slo.yaml")).unwrap();
        symlink("slo.yaml", at("same.yaml")).unwrap();
        symlink(".", at("round")).unwrap();
        symlink("self.yaml", at("self.yaml")).unwrap();
        symlink("nowhere", at("gone.yaml")).unwrap();
        let (files, said) = opened(&[dir.path().to_owned()]);
        assert_eq!(files, ["same.yaml"]);
        assert_eq!(said.len(), 1, "the link to itself: {said:?}");
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("big.yaml"), vec![b'#'; 4 * 1024 * 1024 + 1]).unwrap();
        fs::write(at("latin.yaml"), b"a: 1\nb: \xe9\n").unwrap();
        let (files, said) = opened(&[at("big.yaml"), at("gone.yaml"), at("latin.yaml")]);
        assert_eq!(files, Vec::<String>::new());
        assert_eq!(
            said,
            [
                "not read: larger than the limit of 4 MiB",
                "no such file or folder",
                "not UTF-8: line 2 has invalid bytes",
            ]
        );
    }
}
