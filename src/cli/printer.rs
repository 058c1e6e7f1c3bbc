//! The one place from which verbs write to standard output and standard error. Whatever was cleaned before, and whatever a
//! verb has put together of files, arguments and errors: nothing that a terminal obeys leaves by this door.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use crate::model::text::{ascii, clean_output};
use crate::runtime::{size, takes_utf8};

/// How a verb ended; the numbers are those of the help text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Fine,
    /// A source is unwell, or the output could not be written.
    Unwell,
    Misused,
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

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Fine => 0,
            Outcome::Unwell | Outcome::Warning => 1,
            Outcome::Misused | Outcome::Critical => 2,
            Outcome::Partial | Outcome::Unknown => 3,
            // as when the thread that began it panics
            Outcome::Crashed => 101,
        })
    }
}

/// Writes to standard output. A reader that has had enough (`| head`) is no failure.
pub(super) fn print(text: &str, outcome: Outcome) -> Outcome {
    print_as_is(&clean_output(text), outcome)
}

/// As [`print()`], for what burnwatch has made itself to be obeyed: colours of a picture, a script.
pub(super) fn print_as_is(text: &str, outcome: Outcome) -> Outcome {
    match write(&mut io::stdout().lock(), &fitting(text, takes_all(&io::stdout()))) {
        Ok(()) => outcome,
        Err(error) => {
            complain(&format!("the output could not be written: {error}"));
            Outcome::Unwell
        }
    }
}

/// Writes a complaint to standard error; where nobody listens there, there is nobody to tell.
pub(super) fn complain(text: &str) {
    complain_plainly(&format!("burnwatch: {}\n", text.trim_end()));
}

/// Complains of each gap in the data; how a verb ends that has these.
pub(super) fn complain_of(gaps: &[String]) -> Outcome {
    for gap in gaps {
        complain(gap);
    }
    if gaps.is_empty() { Outcome::Fine } else { Outcome::Partial }
}

/// Writes text to standard error, with nothing in front of it.
pub(super) fn complain_plainly(text: &str) {
    drop(write(&mut io::stderr().lock(), &fitting(&clean_output(text), takes_all(&io::stderr()))));
}

/// Whether every character can be written there: files and pipes always get UTF-8, a terminal only if it takes that.
pub(super) fn takes_all(out: &impl IsTerminal) -> bool {
    !out.is_terminal() || takes_utf8(|name| std::env::var(name).ok())
}

/// Cells of a line, where standard output is a terminal; a pipe and a file have room for all.
pub(super) fn width() -> Option<usize> {
    io::stdout().is_terminal().then(|| usize::from(size().0))
}

fn fitting(text: &str, takes_all: bool) -> Cow<'_, str> {
    if takes_all { text.into() } else { ascii(text) }
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
