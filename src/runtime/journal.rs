//! The file of the action journal: one line of JSON for each step of an action, synced to disk before the next step.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;

use super::{failpoint, private_files};
use crate::config::files;
use crate::model::journal::{ActionRecord, JournalEntry, records};
use crate::model::labels::Text;
use crate::model::text::clean;

/// The longest line that is read, in bytes; no entry is that long.
const MAX_LINE: u64 = 1024 * 1024;
/// How often, and with which pause, an action tries to lock the journal while another burnwatch reads it for open actions.
const LOCK_ATTEMPTS: (u32, Duration) = (20, Duration::from_millis(50));

/// Why the journal cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// There is no path for the journal.
    #[error("there is no home directory for the journal")]
    NoPlace,
    /// The file cannot be read or written, for instance because the disk is full.
    #[error("{}: {source}", path.display())]
    Unwritable {
        /// The path of the journal.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The thread that read or wrote the file panicked.
    #[error("burnwatch failed while reading or writing the journal (a bug)")]
    Internal,
}

/// The journal: its path, the user who acts, and the names of this run's actions.
#[derive(Debug, Clone)]
pub struct Journal {
    path: Option<Arc<Path>>,
    who: Text,
    /// The prefix of the names of this run's actions.
    run: Text,
    named: Arc<AtomicU64>,
}

/// The contents of the journal's file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JournalContents {
    /// The actions, in the order in which they began.
    pub records: Vec<ActionRecord>,
    /// The number of lines that could not be parsed; they stay in the file.
    pub unreadable: usize,
}

/// A shared lock on the journal while this process runs actions: other processes do not treat these as left open. None if the
/// file system has no locks.
#[derive(Debug)]
pub(super) struct ActingMarker(Option<File>);

impl Journal {
    /// A journal in this file, with `who` as the acting user. The file is created with the first action.
    pub fn new(path: Option<PathBuf>, who: &str, now: Timestamp) -> Self {
        // a process id is not enough: in a container it is always 1; the random part distinguishes runs within a second
        let run = format!("{}-{:08x}", now.strftime("%Y%m%dT%H%M%SZ"), fastrand::u32(..));
        Self { path: path.map(Arc::from), who: who.into(), run: run.into(), named: Arc::default() }
    }

    /// The acting user, such as `ana@bastion-2`.
    pub fn who(&self) -> &Text {
        &self.who
    }

    /// A unique id for an action.
    pub(super) fn name(&self) -> Text {
        format!("{}-{}", self.run, self.named.fetch_add(1, Ordering::Relaxed) + 1).into()
    }

    /// Appends these entries with one write; they are synced to disk when this returns.
    pub(super) async fn write(&self, entries: Vec<JournalEntry>) -> Result<(), JournalError> {
        self.run_blocking(move |path| {
            let mut lines = Vec::new();
            for entry in &entries {
                serde_json::to_writer(&mut lines, entry)?;
                lines.push(b'\n');
            }
            append(path, &lines)
        })
        .await
    }

    /// Marks this process as running actions until the marker is dropped.
    pub(super) async fn acting_marker(&self) -> Result<ActingMarker, JournalError> {
        let (tries, pause) = LOCK_ATTEMPTS;
        for _ in 0..tries {
            let locked = self.run_blocking(|path| {
                let file = open(path)?;
                Ok(file.try_lock_shared().is_ok().then_some(file))
            });
            if let Some(file) = locked.await? {
                return Ok(ActingMarker(Some(file)));
            }
            sleep(pause).await;
        }
        // a file system without locks, or a lock that is never released, must not prevent an action
        Ok(ActingMarker(None))
    }

    /// Reads the whole journal; empty if the file does not exist.
    ///
    /// # Errors
    /// [`JournalError`] if the file exists and cannot be read.
    pub async fn read(&self) -> Result<JournalContents, JournalError> {
        self.run_blocking(read).await
    }

    /// As [`Self::read`]; also returns whether another burnwatch is running actions now. Its open actions are its own to finish.
    pub(super) async fn read_with_lock_state(&self) -> Result<(JournalContents, bool), JournalError> {
        self.run_blocking(|path| {
            let Some(file) = open_existing(path)? else { return Ok((JournalContents::default(), false)) };
            // no process starts actions while this exclusive lock is held, so open actions are from earlier runs
            let is_alone = file.try_lock().is_ok();
            let contents = read(path)?;
            if is_alone {
                file.unlock()?;
            }
            Ok((contents, !is_alone))
        })
        .await
    }

    /// Runs `work` with the path of the journal on a blocking thread.
    async fn run_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, JournalError> {
        let path = self.path.clone().ok_or(JournalError::NoPlace)?;
        let given = Arc::clone(&path);
        let work = move || {
            failpoint::at("blocking");
            work(&given)
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(done) => done.map_err(|source| JournalError::Unwritable { path: path.to_path_buf(), source }),
            Err(_) => Err(JournalError::Internal),
        }
    }
}

/// The user and the machine, such as `ana@bastion-2`. `env` returns the value of a variable. May block.
pub fn who(env: impl Fn(&str) -> Option<String>) -> String {
    let named = |names: &[&str]| names.iter().filter_map(|name| env(name)).find(|name| !name.is_empty());
    let user = named(&["USER", "LOGNAME", "USERNAME"]).unwrap_or_else(|| "somebody".to_owned());
    let reported = || {
        let output = Command::new("uname").arg("-n").output().ok()?;
        String::from_utf8(output.stdout).ok()
    };
    let host =
        std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(reported).unwrap_or_default();
    let host = if host.trim().is_empty() { "unknown-host" } else { host.trim() };
    clean(&format!("{user}@{host}")).into_owned()
}

impl Drop for ActingMarker {
    fn drop(&mut self) {
        if let Some(file) = self.0.take() {
            // closing the file is not enough: a child process may hold a copy of the descriptor
            file.unlock().ok();
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let is_new = !path.exists();
    if is_new {
        private_files::make_folder(folder)?;
    }
    let file = private_files::open(path)?;
    if is_new {
        // the directory entry must be synced, too; some file systems do not support it
        File::open(folder)?.sync_all().ok();
    }
    Ok(file)
}

fn append(path: &Path, lines: &[u8]) -> io::Result<()> {
    let mut file = open(path)?;
    if ends_without_line_break(&mut file)? {
        file.write_all(&[b"\n", lines].concat())?;
    } else {
        file.write_all(lines)?;
    }
    file.sync_data()
}

/// Whether the last line has no line break, because of a crash or a full disk.
fn ends_without_line_break(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// The file for reading; None if it does not exist.
fn open_existing(path: &Path) -> io::Result<Option<File>> {
    match files::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some),
    }
}

fn read(path: &Path) -> io::Result<JournalContents> {
    let Some(file) = open_existing(path)? else { return Ok(JournalContents::default()) };
    let mut lines = JournalLines { reader: BufReader::new(file), unreadable: 0, failed: None };
    let records = records(&mut lines);
    lines.failed.map_or(Ok(JournalContents { records, unreadable: lines.unreadable }), Err)
}

/// Iterates over the entries of a file with one line in memory at a time.
struct JournalLines<R> {
    reader: R,
    unreadable: usize,
    failed: Option<io::Error>,
}

impl<R: BufRead> JournalLines<R> {
    /// The next line, cut after 1 MiB; None at the end.
    fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        if self.reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if line.last() != Some(&b'\n') && line.len() as u64 == MAX_LINE {
            self.reader.skip_until(b'\n')?;
        }
        Ok(Some(line))
    }
}

impl<R: BufRead> Iterator for &mut JournalLines<R> {
    type Item = JournalEntry;

    fn next(&mut self) -> Option<JournalEntry> {
        loop {
            let line = match self.line() {
                Ok(line) => line?,
                Err(error) => {
                    self.failed = Some(error);
                    return None;
                }
            };
            match JournalEntry::read(&line) {
                Some(entry) => return Some(entry),
                None if line.trim_ascii().is_empty() => {}
                None => self.unreadable += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests;
