//! The one place from which verbs write to standard output and standard error. Whatever was cleaned before, and whatever a
//! verb has put together of files, arguments and errors: nothing that a terminal obeys leaves by this door.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use crate::model::text::{ascii, clean_output};
use crate::runtime::{size, takes_utf8};

/// How a verb ended; the numbers are those of the help text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExitOutcome {
    Fine,
    /// A source is unwell, or the output could not be written.
    Failure,
    UsageError,
    /// Data are missing.
    Partial,
    /// Of a check: something is not as it should be.
    Warning,
    /// Of a check: something is bad.
    Critical,
    /// Of a check: nobody knows.
    Unknown,
    Crashed,
}

impl From<ExitOutcome> for ExitCode {
    fn from(outcome: ExitOutcome) -> Self {
        Self::from(match outcome {
            ExitOutcome::Fine => 0,
            ExitOutcome::Failure | ExitOutcome::Warning => 1,
            ExitOutcome::UsageError | ExitOutcome::Critical => 2,
            ExitOutcome::Partial | ExitOutcome::Unknown => 3,
            // as when the thread that began it panics
            ExitOutcome::Crashed => 101,
        })
    }
}

/// Writes to standard output. A reader that has had enough (`| head`) is no failure.
pub(super) fn print(text: &str, outcome: ExitOutcome) -> ExitOutcome {
    print_as_is(&clean_output(text), outcome)
}

/// As [`print()`], for what burnwatch has made itself to be obeyed: colours of a picture, a script.
pub(super) fn print_as_is(text: &str, outcome: ExitOutcome) -> ExitOutcome {
    match write(&mut io::stdout().lock(), &for_encoding(text, accepts_unicode(&io::stdout()))) {
        Ok(()) => outcome,
        Err(error) => {
            print_error(&format!("the output could not be written: {error}"));
            ExitOutcome::Failure
        }
    }
}

/// Writes a complaint to standard error; where nobody listens there, there is nobody to tell.
pub(super) fn print_error(text: &str) {
    print_stderr_plain(&format!("burnwatch: {}\n", text.trim_end()));
}

/// Complains of each gap in the data; how a verb ends that has these.
pub(super) fn complain_of(gaps: &[String]) -> ExitOutcome {
    for gap in gaps {
        print_error(gap);
    }
    if gaps.is_empty() { ExitOutcome::Fine } else { ExitOutcome::Partial }
}

/// Writes text to standard error, with nothing in front of it.
pub(super) fn print_stderr_plain(text: &str) {
    drop(write(&mut io::stderr().lock(), &for_encoding(&clean_output(text), accepts_unicode(&io::stderr()))));
}

/// Whether every character can be written there: files and pipes always get UTF-8, a terminal only if it takes that.
pub(super) fn accepts_unicode(out: &impl IsTerminal) -> bool {
    !out.is_terminal() || takes_utf8(|name| std::env::var(name).ok())
}

/// Cells of a line, where standard output is a terminal; a pipe and a file have room for all.
pub(super) fn width() -> Option<usize> {
    io::stdout().is_terminal().then(|| usize::from(size().0))
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
