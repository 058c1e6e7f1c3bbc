//! Files and folders of burnwatch's own: for the owner's eyes only from the moment they are made, and never somewhere else by
//! way of a link.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use crate::config::files;

/// Somebody else may put it aside between two looks at it.
const MAX_ATTEMPTS: u32 = 3;

/// Makes a folder, and those above it, where they are missing.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Opens a file to be read and added to; makes it where it is missing. What is there and no regular file is refused.
///
/// # Errors
/// What the system says; or that it is a link.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let mut tried = 0;
    loop {
        tried += 1;
        // to make one anew follows no link, not even one that leads nowhere
        let made = OpenOptions::new().create_new(true).read(true).append(true).mode(0o600).open(path);
        match made {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made,
        }
        match files::refuse_others(path).and_then(|()| OpenOptions::new().read(true).append(true).open(path))
        {
            Err(error)
                if error.kind() == io::ErrorKind::NotFound && tried < MAX_ATTEMPTS && !is_link(path) => {}
            opened => return refuse_link(path, opened?),
        }
    }
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink())
}

/// Whoever can put a link here could have our words written into another file.
fn refuse_link(path: &Path, file: File) -> io::Result<File> {
    let (named, opened) = (fs::symlink_metadata(path)?, file.metadata()?);
    if (named.dev(), named.ino()) == (opened.dev(), opened.ino()) {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a link, which may lead anywhere"))
    }
}

#[cfg(test)]
mod tests {
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
        assert_eq!(open(&link).unwrap_err().to_string(), "it is a link, which may lead anywhere");
        assert_eq!(fs::read_to_string(&target).unwrap(), "theirs");
        assert!(open(home.path()).is_err());
    }
}
