//! Follows a growing file: reads what is new, from the end of a large file, through rotation and truncation.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::backend::kit::change_lines::{BadLine, BadLines, MAX_LINE, read};
use crate::config::files;
use crate::model::change::{Change, ChangeSnapshot};
use crate::model::source::SourceId;
use crate::model::warning::Warning;

/// The size of one read.
const CHUNK: usize = 64 * 1024;

pub(super) struct FollowedFile {
    path: PathBuf,
    source: SourceId,
    /// How much is read at once at most; before that, the file is skipped.
    max_bytes: u64,
    open: Option<OpenFile>,
    /// The newest lines, in the order of the file.
    pub(super) changes: VecDeque<Change>,
    pub(super) bad: BadLines,
    /// How many lines were read.
    pub(super) lines: usize,
    /// From when on the changes are complete, if older lines were skipped or dropped.
    pub(super) complete_since: Option<Timestamp>,
}

/// The file as it was opened: after a rotation it is still the old one.
struct OpenFile {
    file: File,
    identity: (u64, u64),
    offset: u64,
    /// The beginning of a line whose end is not written yet.
    line: Vec<u8>,
    /// Whether the rest of the current line is ignored: it is too long, or its beginning was skipped.
    is_ignored: bool,
}

impl FollowedFile {
    pub(super) fn new(path: PathBuf, source: SourceId, max_bytes: u64) -> Self {
        Self {
            path,
            source,
            max_bytes,
            open: None,
            changes: VecDeque::new(),
            bad: BadLines::default(),
            lines: 0,
            complete_since: None,
        }
    }

    /// Reads what was appended. Returns a warning if the file is gone after it was read.
    ///
    /// # Errors
    /// Why the file cannot be read, for a message.
    pub(super) fn update(&mut self, now: Timestamp) -> Result<Option<Warning>, String> {
        let words = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => "does not exist".to_owned(),
            io::ErrorKind::PermissionDenied => "cannot be read: permission denied".to_owned(),
            _ => error.to_string(),
        };
        // the rest of the old file comes before the new one
        if let Some(mut old) = self.open.take() {
            let size = old.file.metadata().map_err(words)?.len();
            if size >= old.offset {
                self.read(&mut old, size, now).map_err(words)?;
                self.open = Some(old);
            }
        }
        match files::open(&self.path).and_then(|file| Ok((identity(&file)?, file))) {
            Ok((identity, file)) => {
                if self.open.as_ref().is_none_or(|open| open.identity != identity) {
                    self.switch_to(file, identity, now).map_err(words)?;
                }
                Ok(None)
            }
            Err(error) if self.open.is_some() && error.kind() == io::ErrorKind::NotFound => {
                Ok(Some(Warning::missing("the file was removed: only what was read before is known")))
            }
            Err(error) => Err(words(error)),
        }
    }

    fn switch_to(&mut self, file: File, identity: (u64, u64), now: Timestamp) -> io::Result<()> {
        let size = file.metadata()?.len();
        let mut open = OpenFile { file, identity, offset: 0, line: Vec::new(), is_ignored: false };
        self.read(&mut open, size, now)?;
        self.open = Some(open);
        Ok(())
    }

    /// Reads up to `size`; if that is more than the limit, only the end.
    fn read(&mut self, open: &mut OpenFile, size: u64, now: Timestamp) -> io::Result<()> {
        let is_skipped = size - open.offset > self.max_bytes;
        if is_skipped {
            open.offset = size - self.max_bytes;
            open.line.clear();
            open.is_ignored = true;
        }
        open.file.seek(SeekFrom::Start(open.offset))?;
        let before = self.changes.len();
        let mut chunk = vec![0; CHUNK];
        while open.offset < size {
            let read = match open.file.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            open.offset += read as u64;
            for part in chunk.get(..read).unwrap_or_default().split_inclusive(|byte| *byte == b'\n') {
                self.part(open, part, now);
            }
        }
        if is_skipped {
            // what was skipped is older than the first line that was read
            self.complete_since = self.changes.get(before).map(|change| change.at).or(Some(now));
        }
        while self.changes.len() > ChangeSnapshot::MAX_CHANGES {
            if let Some(dropped) = self.changes.pop_front() {
                self.complete_since = self.complete_since.max(Some(dropped.at));
            }
        }
        Ok(())
    }

    /// Adds a part of a line, with the line break if it is the last part.
    fn part(&mut self, open: &mut OpenFile, part: &[u8], now: Timestamp) {
        let is_end = part.ends_with(b"\n");
        if !open.is_ignored {
            open.line.extend_from_slice(part);
            if open.line.len() > MAX_LINE {
                self.lines += 1;
                self.bad.add(BadLine::TooLong, &open.line);
                open.line = Vec::new();
                open.is_ignored = true;
            }
        }
        if !is_end {
            return;
        }
        let line = std::mem::take(&mut open.line);
        if std::mem::take(&mut open.is_ignored) || line.trim_ascii().is_empty() {
            return;
        }
        self.lines += 1;
        match read(line.trim_ascii(), &self.source, now) {
            Ok(change) => self.changes.push_back(change),
            Err(why) => self.bad.add(why, line.trim_ascii()),
        }
    }
}

/// The device and the number of a file.
fn identity(file: &File) -> io::Result<(u64, u64)> {
    let metadata = file.metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}
