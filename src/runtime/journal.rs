//! The journal's file: a line of JSON for each step of each action, on the disk before anything else happens.

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

/// The longest line that is read; no action has so much to say.
const MAX_LINE: u64 = 1024 * 1024;
/// How long, and how often, an action waits while another burnwatch reads the journal for what was left open.
const LOCK_ATTEMPTS: (u32, Duration) = (20, Duration::from_millis(50));

/// The comment: why a step could not be written, and so nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// There is no place for it.
    #[error("this machine has no place for one (no home directory)")]
    NoPlace,
    /// The disk is full, or nothing may be written there.
    #[error("{}: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A part of burnwatch failed.
    #[error("burnwatch failed while writing it")]
    Internal,
}

/// Where and in whose name is written what is done.
#[derive(Debug, Clone)]
pub struct Journal {
    path: Option<Arc<Path>>,
    who: Text,
    /// Begins the names of this run's actions.
    run: Text,
    named: Arc<AtomicU64>,
}

/// What a journal's file says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JournalContents {
    /// The actions, in the order in which they began.
    pub records: Vec<ActionRecord>,
    /// Lines that could not be read; they are left where they are.
    pub unreadable: usize,
}

/// Says, while it lives, that this process is acting: what it has begun is not left open.
#[derive(Debug)]
pub(super) struct ActingMarker(Option<File>);

impl Journal {
    /// In this file, in the name of `who`. Nothing is made before the first action.
    pub fn new(path: Option<PathBuf>, who: &str, now: Timestamp) -> Self {
        // the process may be number 1 of a container each time: the random part tells runs of one second apart
        let run = format!("{}-{:08x}", now.strftime("%Y%m%dT%H%M%SZ"), fastrand::u32(..));
        Self { path: path.map(Arc::from), who: who.into(), run: run.into(), named: Arc::default() }
    }

    /// Who is written to have acted.
    pub fn who(&self) -> &Text {
        &self.who
    }

    /// A name for an action that no other one has.
    pub(super) fn name(&self) -> Text {
        format!("{}-{}", self.run, self.named.fetch_add(1, Ordering::Relaxed) + 1).into()
    }

    /// Writes these lines in one go; when this returns, they outlive a power cut.
    pub(super) async fn write(&self, entries: Vec<JournalEntry>) -> Result<(), JournalError> {
        let path = self.path.clone().ok_or(JournalError::NoPlace)?;
        self.run_blocking(move || {
            let mut lines = Vec::new();
            for entry in &entries {
                serde_json::to_writer(&mut lines, entry)?;
                lines.push(b'\n');
            }
            append(&path, &lines)
        })
        .await
    }

    /// Says from here on that this process is acting.
    pub(super) async fn acting_marker(&self) -> Result<ActingMarker, JournalError> {
        let path = self.path.clone().ok_or(JournalError::NoPlace)?;
        let (tries, pause) = LOCK_ATTEMPTS;
        for _ in 0..tries {
            let path = Arc::clone(&path);
            let locked = self.run_blocking(move || {
                let file = open(&path)?;
                Ok(file.try_lock_shared().is_ok().then_some(file))
            });
            if let Some(file) = locked.await? {
                return Ok(ActingMarker(Some(file)));
            }
            sleep(pause).await;
        }
        // a file system without locks, or one who holds it for ever: no reason not to acknowledge a page
        Ok(ActingMarker(None))
    }

    /// All that stands in it; nothing if there is no such file yet.
    ///
    /// # Errors
    /// [`JournalError`] if the file is there and cannot be read.
    pub async fn read(&self) -> Result<JournalContents, JournalError> {
        let path = self.path.clone().ok_or(JournalError::NoPlace)?;
        self.run_blocking(move || read(&path)).await
    }

    /// As [`Self::read`]; and whether a burnwatch is acting at this moment, as far as can be told: what it has begun is its
    /// own to end.
    pub(super) async fn read_with_lock_state(&self) -> Result<(JournalContents, bool), JournalError> {
        let path = self.path.clone().ok_or(JournalError::NoPlace)?;
        self.run_blocking(move || {
            let file = match files::open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok((JournalContents::default(), false));
                }
                Err(error) => return Err(error),
            };
            // nobody begins to act while this is held: what stands open then was left so
            let is_alone = file.try_lock().is_ok();
            let told = read(&path)?;
            if is_alone {
                file.unlock()?;
            }
            Ok((told, !is_alone))
        })
        .await
    }

    async fn run_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, JournalError> {
        let unwritable = |source| match &self.path {
            Some(path) => JournalError::Unwritable { path: path.to_path_buf(), source },
            None => JournalError::NoPlace,
        };
        let work = || {
            failpoint::at("blocking");
            work()
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(done) => done.map_err(unwritable),
            Err(_) => Err(JournalError::Internal),
        }
    }
}

/// Who sits at the keyboard, as this machine knows them: `ana@bastion-2`. `env` is the environment. May block.
pub fn who(env: impl Fn(&str) -> Option<String>) -> String {
    let named = |names: &[&str]| names.iter().filter_map(|name| env(name)).find(|name| !name.is_empty());
    let user = named(&["USER", "LOGNAME", "USERNAME"]).unwrap_or_else(|| "somebody".to_owned());
    let told = || {
        let output = Command::new("uname").arg("-n").output().ok()?;
        String::from_utf8(output.stdout).ok()
    };
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(told).unwrap_or_default();
    let host = if host.trim().is_empty() { "an unnamed machine" } else { host.trim() };
    clean(&format!("{user}@{host}")).into_owned()
}

impl Drop for ActingMarker {
    fn drop(&mut self) {
        if let Some(file) = self.0.take() {
            // closing it would do the same, were it not for copies that a child process may hold
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
        // the name must outlive a power cut too; some file systems have nothing to sync here
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

/// Whether the last line was cut off by a crash or a full disk.
fn ends_without_line_break(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

fn read(path: &Path) -> io::Result<JournalContents> {
    let file = match files::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(JournalContents::default()),
        Err(error) => return Err(error),
    };
    let mut lines = JournalLines { reader: BufReader::new(file), unreadable: 0, failed: None };
    let records = records(&mut lines);
    lines.failed.map_or(Ok(JournalContents { records, unreadable: lines.unreadable }), Err)
}

/// The entries of a file, one line in memory at a time.
struct JournalLines<R> {
    reader: R,
    unreadable: usize,
    failed: Option<io::Error>,
}

impl<R: BufRead> JournalLines<R> {
    /// The next line, without what is too long of it; none at the end.
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
