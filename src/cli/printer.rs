//! The only place where verbs write to standard output and standard error. Control characters are removed here once more,
//! because a verb's text may contain names of files, arguments and error messages that a terminal would interpret.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::model::text::{ascii, clean_output};
use crate::runtime::{size, takes_utf8};

/// The result of a verb, with the exit codes of the help text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExitOutcome {
    Fine,
    /// Exit code 1: a source failed, or the output could not be written.
    Failure,
    /// Exit code 2: wrong usage or configuration.
    UsageError,
    /// Exit code 3: data are missing.
    Partial,
    /// `check`, exit code 1: WARNING.
    Warning,
    /// `check`, exit code 2: CRITICAL.
    Critical,
    /// `check`, exit code 3: UNKNOWN.
    Unknown,
    /// Exit code 101: burnwatch panicked.
    Crashed,
}

impl From<ExitOutcome> for ExitCode {
    fn from(outcome: ExitOutcome) -> Self {
        Self::from(match outcome {
            ExitOutcome::Fine => 0,
            ExitOutcome::Failure | ExitOutcome::Warning => 1,
            ExitOutcome::UsageError | ExitOutcome::Critical => 2,
            ExitOutcome::Partial | ExitOutcome::Unknown => 3,
            // the exit code of a Rust program whose main thread panics
            ExitOutcome::Crashed => 101,
        })
    }
}

/// Writes to standard output, without control characters, and returns `outcome`. A reader that closes the pipe early
/// (`| head`) is no error.
pub(super) fn print(text: &str, outcome: ExitOutcome) -> ExitOutcome {
    print_as_is(&clean_output(text), outcome)
}

/// As [`print()`], but keeps control characters: for the colours of a snapshot, and scripts.
pub(super) fn print_as_is(text: &str, outcome: ExitOutcome) -> ExitOutcome {
    match write(&mut io::stdout().lock(), &for_encoding(text, accepts_unicode(&io::stdout()))) {
        Ok(()) => outcome,
        Err(error) => {
            print_error(&format!("the output could not be written: {error}"));
            ExitOutcome::Failure
        }
    }
}

/// Writes bytes as they came from outside: unchanged to a pipe or a file, without control characters to a terminal.
pub(super) fn print_bytes(bytes: &[u8], outcome: ExitOutcome) -> ExitOutcome {
    let mut out = io::stdout().lock();
    if out.is_terminal() {
        drop(out);
        return print(&String::from_utf8_lossy(bytes), outcome);
    }
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            READER_GONE.store(true, Ordering::Relaxed);
            outcome
        }
        Err(error) => {
            print_error(&format!("the output could not be written: {error}"));
            ExitOutcome::Failure
        }
        Ok(()) => outcome,
    }
}

/// Whether the reader of standard output has closed its pipe.
static READER_GONE: AtomicBool = AtomicBool::new(false);

/// Whether [`print_bytes`] has found that nobody reads any more.
pub(super) fn is_reader_gone() -> bool {
    READER_GONE.load(Ordering::Relaxed)
}

/// Writes an error message to standard error, after `burnwatch: `. Failures to write are ignored.
pub(super) fn print_error(text: &str) {
    print_stderr_plain(&format!("burnwatch: {}\n", text.trim_end()));
}

/// Complains of each gap in the data; how a verb ends that has these.
pub(super) fn print_gaps(gaps: &[String]) -> ExitOutcome {
    for gap in gaps {
        print_error(gap);
    }
    if gaps.is_empty() { ExitOutcome::Fine } else { ExitOutcome::Partial }
}

/// Writes text to standard error, without a prefix.
pub(super) fn print_stderr_plain(text: &str) {
    drop(write(&mut io::stderr().lock(), &for_encoding(&clean_output(text), accepts_unicode(&io::stderr()))));
}

/// Whether `out` accepts UTF-8: files and pipes always do, a terminal only in a UTF-8 locale.
pub(super) fn accepts_unicode(out: &impl IsTerminal) -> bool {
    !out.is_terminal() || takes_utf8(|name| std::env::var(name).ok())
}

/// The terminal's width in cells; None if standard output is a pipe or a file, whose lines are not cut.
pub(super) fn width() -> Option<u16> {
    io::stdout().is_terminal().then(|| size().0)
}

fn for_encoding(text: &str, accepts_unicode: bool) -> Cow<'_, str> {
    if accepts_unicode { text.into() } else { ascii(text) }
}

fn write(out: &mut impl Write, text: &str) -> io::Result<()> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_left_is_no_failure_but_a_full_disk_is() {
        assert!(write(&mut Broken(io::ErrorKind::BrokenPipe), "x").is_ok());
        assert!(write(&mut Broken(io::ErrorKind::StorageFull), "x").is_err());
    }
}
