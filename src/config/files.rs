//! Opens files that the user named: other things than regular files are rejected at once, because reading them could block.

use std::fs::{self, File, FileType};
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

/// Opens a regular file for reading, or a pipe that the shell passed as a file descriptor.
///
/// # Errors
/// Errors of the operating system, and [`FileError`] for a FIFO, a device, a socket or a folder.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    if !is_given_pipe(path) {
        refuse_others(path)?;
    }
    File::open(path)
}

/// The first bytes of a file, at most `limit`.
///
/// # Errors
/// The errors of [`open`], and those of reading.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns an error for an existing path that is not a regular file.
///
/// # Errors
/// The errors of [`open`], also if nothing exists at the path.
pub(crate) fn refuse_others(path: &Path) -> io::Result<()> {
    let kind = fs::metadata(path)?.file_type();
    if kind.is_file() { Ok(()) } else { Err(io::Error::other(FileError(word(kind)))) }
}

/// Whether it is a pipe that the shell passed as a file descriptor, as `<(pass show x)` does: `/dev/fd/3`, `/proc/self/fd/3`,
/// `/dev/stdin`.
pub(crate) fn is_given_pipe(path: &Path) -> bool {
    let is_ours = ["/dev/fd", "/proc/self/fd", "/dev/stdin"].iter().any(|place| path.starts_with(place));
    is_ours && fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo())
}

/// The path is a folder, FIFO, socket or device, not a file.
#[derive(Debug, thiserror::Error)]
#[error("is {0}, not a file")]
pub(crate) struct FileError(&'static str);

fn word(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn only_a_regular_file_is_opened_and_everything_else_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(open(&file).is_ok());
        for (path, word) in [
            (fifo.as_path(), "is a FIFO, not a file"),
            (Path::new("/dev/zero"), "is a device, not a file"),
            (folder.path(), "is a folder, not a file"),
            (&socket, "is a socket, not a file"),
        ] {
            assert_eq!(open(path).unwrap_err().to_string(), word);
        }
        assert_eq!(open(Path::new("/no/such")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
