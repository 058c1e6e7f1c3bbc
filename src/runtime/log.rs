//! The log file (nothing is logged to the screen), and the panic hook, which writes its report to the same file.

use std::backtrace::Backtrace;
use std::fs::{self, File};
use std::io::{self, Write};
use std::panic::PanicHookInfo;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;

use super::{input, private_files, screen, terminal};
use crate::backend::Clock;
use crate::model::text::clean_output;

/// The environment variable for the log level: `off`, `error`, `warn`, `info`, `debug` or `trace`.
pub const LEVEL_VARIABLE: &str = "BURNWATCH_LOG";

/// The size in bytes at which the file is renamed to `.log.old` (only one is kept) and a new file is started.
const MAX_SIZE: u64 = 5 * 1024 * 1024;

/// Sends the log to this file for the rest of the process. `level` is the value of [`LEVEL_VARIABLE`]; `info` if it is missing
/// or unknown. Libraries are not logged, because they would log requests with their tokens.
///
/// # Errors
/// The system's error if the file cannot be opened, or an error if a logger is already set.
pub fn open(path: &Path, level: Option<&str>) -> io::Result<()> {
    let level = level.and_then(|level| level.trim().parse().ok()).unwrap_or(LevelFilter::INFO);
    let file = Mutex::new(CappedLogFile::open(path, MAX_SIZE)?);
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(file);
    let own = Targets::new().with_target(env!("CARGO_CRATE_NAME"), level);
    let subscriber = tracing_subscriber::registry().with(lines).with(own);
    tracing::subscriber::set_global_default(subscriber).map_err(io::Error::other)
}

/// The log file, which is rotated when it is larger than `cap` bytes.
struct CappedLogFile {
    path: PathBuf,
    file: File,
    size: u64,
    cap: u64,
}

impl CappedLogFile {
    fn open(path: &Path, cap: u64) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            private_files::make_folder(folder)?;
        }
        if fs::metadata(path).is_ok_and(|found| found.len() >= cap) {
            fs::rename(path, path.with_extension("log.old"))?;
        }
        let file = private_files::open(path)?;
        let size = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, size, cap })
    }
}

impl Write for CappedLogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.size >= self.cap {
            *self = Self::open(&self.path, self.cap)?;
        }
        // the file may be shown in a terminal, so control characters are removed
        let text = String::from_utf8_lossy(bytes);
        let clean = clean_output(&text);
        self.file.write_all(clean.as_bytes())?;
        self.size += clean.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// How many panic reports have a backtrace: a source that panics at every question must not fill the disk.
const MAX_BACKTRACES: usize = 10;

static REPORTS: AtomicUsize = AtomicUsize::new(0);
static CRASHED: AtomicBool = AtomicBool::new(false);

/// Whether a panic is ending burnwatch.
pub(super) fn has_crashed() -> bool {
    CRASHED.load(Ordering::SeqCst)
}

/// Installs the panic hook, which writes a report to the log file. A panic of the calling thread, the input thread or the writer
/// thread ends burnwatch: the hook restores the terminal and prints where the report is. A panic of any other thread is a task
/// of a source, whose caller receives an error.
pub fn catch_panics(path: Option<PathBuf>, clock: Clock) {
    let owner = thread::current().id();
    std::panic::set_hook(Box::new(move |panic| {
        let thread = thread::current();
        let is_end =
            thread.id() == owner || [screen::THREAD, input::THREAD].map(Some).contains(&thread.name());
        if is_end {
            // first, because everything else may fail
            terminal::restore();
        }
        let written = path.as_deref().map(|path| report(path, panic, clock));
        if !is_end || CRASHED.swap(true, Ordering::SeqCst) {
            return;
        }
        let place = match (&path, written) {
            (Some(path), Some(Ok(()))) => format!("The report is in {}", path.display()),
            _ => format!("No report could be written: {panic}"),
        };
        let line = format!("burnwatch crashed (a bug). {place}\n");
        // a failure to print cannot be reported
        io::stderr().write_all(clean_output(&line).as_bytes()).ok();
    }));
}

/// Writes the report directly to the file, because the panic may be in the logger.
fn report(path: &Path, panic: &PanicHookInfo<'_>, clock: Clock) -> io::Result<()> {
    let thread = thread::current();
    let name = thread.name().unwrap_or("unnamed");
    let way = match REPORTS.fetch_add(1, Ordering::Relaxed) {
        count if count < MAX_BACKTRACES => Backtrace::force_capture().to_string(),
        _ => "no backtrace: see the first reports\n".to_owned(),
    };
    let version = env!("BURNWATCH_VERSION");
    let now = clock.now();
    let text = format!("{now} PANIC burnwatch {version}, thread {name}: {panic}\n{way}\n");
    private_files::open(path)?.write_all(clean_output(&text).as_bytes())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_log_that_has_grown_too_large_is_put_aside_and_one_old_one_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/burnwatch.log");
        let mut log = CappedLogFile::open(&path, 100).unwrap();
        for line in 0..30 {
            log.write_all(format!("line {line:02} of many\n").as_bytes()).unwrap();
        }
        let mut names: Vec<_> =
            fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["burnwatch.log", "burnwatch.log.old"]);
        assert!(fs::read_to_string(&path).unwrap().ends_with("line 29 of many\n"));
        assert!(fs::metadata(&path).unwrap().len() < 130);
    }

    #[test]
    fn nothing_that_a_terminal_obeys_is_logged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("burnwatch.log");
        CappedLogFile::open(&path, MAX_SIZE)
            .unwrap()
            .write_all("a\x1b[2J\u{9b}b\u{202e}\n".as_bytes())
            .unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "a\\x1b[2J\\x9bb\\u{202e}\n");
    }

    #[test]
    fn a_log_goes_on_where_it_ended_and_is_its_owners_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("burnwatch.log");
        for _ in 0..2 {
            CappedLogFile::open(&path, MAX_SIZE).unwrap().write_all(b"once\n").unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "once\nonce\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
