//! Creates and opens burnwatch's own files and folders: readable by the owner only from their creation, and never through a
//! symbolic link.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use crate::config::files;

/// Creates a folder and its missing parents, with mode 0700.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Opens a file for reading and appending, and creates it with mode 0600 if it does not exist. Anything but a regular file is
/// refused.
///
/// # Errors
/// The system's error; or an error if the path is a link or no regular file.
pub(super) fn open(path: &Path) -> io::Result<File> {
    match files::refuse_others(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = OpenOptions::new();
    options.create(true).read(true).append(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
    options.open(path).map_err(|error| match error.raw_os_error() {
        Some(libc::ELOOP) => io::Error::other("it is a symbolic link, which burnwatch does not follow"),
        _ => error,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_made_is_its_owners_alone_and_gone_on_with() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".local/state/burnwatch");
        make_folder(&folder).unwrap();
        for made in [".local", ".local/state", ".local/state/burnwatch"] {
            assert_eq!(mode(&home.path().join(made)), 0o700, "{made}");
        }
        let path = folder.join("journal.jsonl");
        for _ in 0..2 {
            open(&path).unwrap().write_all(b"once\n").unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "once\nonce\n");
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn a_link_leads_nowhere() {
        let home = tempfile::tempdir().unwrap();
        let (link, target) = (home.path().join("burnwatch.log"), home.path().join("target"));
        symlink(&target, &link).unwrap();
        assert!(open(&link).is_err() && !target.exists());
        fs::write(&target, "theirs").unwrap();
        assert_eq!(
            open(&link).unwrap_err().to_string(),
            "it is a symbolic link, which burnwatch does not follow"
        );
        assert_eq!(fs::read_to_string(&target).unwrap(), "theirs");
        assert!(open(home.path()).is_err());
    }
}
