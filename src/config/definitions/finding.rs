//! What reading definitions has to say, each thing with its file and line.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::path::{Path, PathBuf};

use crate::model::text::clean;
use crate::model::words::words;

words! {
    /// How bad a [`Finding`] is; the worse, the greater.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Level: word {
        /// Nothing is wrong: why something was passed over.
        Note = "note",
        /// What was read runs, but may not be what was meant.
        Warning = "warning",
        /// What stands there is not run.
        Error = "error",
    }
}

/// One thing about a definition file. Ordered by file, then by line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file or folder, as it was named or found.
    pub path: PathBuf,
    /// Its line, from 1; none if the file as a whole is meant.
    pub line: Option<usize>,
    pub level: Level,
    /// What is wrong, and what would be right as far as it can be guessed; one line.
    pub message: String,
}

/// `slos/cart.yaml:12: message`, without the level.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", clean(&self.path.to_string_lossy()))?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}", self.message)
    }
}

#[derive(Debug, Default)]
pub(super) struct Findings {
    list: RefCell<Vec<Finding>>,
    errors: Cell<usize>,
}

impl Findings {
    /// Adds one; the message becomes one line that a terminal may show.
    pub(super) fn say(&self, path: &Path, line: Option<usize>, level: Level, message: &str) {
        if level == Level::Error {
            self.errors.set(self.errors.get() + 1);
        }
        let message = clean(message).into_owned();
        self.list.borrow_mut().push(Finding { path: path.to_owned(), line, level, message });
    }

    /// How many errors were said until now: what is read in between without a new one is sound.
    pub(super) fn errors(&self) -> usize {
        self.errors.get()
    }

    /// In the order of files and lines, each once: what several SLOs refer to is read for each of them.
    pub(super) fn into_list(self) -> Vec<Finding> {
        let mut list = self.list.into_inner();
        list.sort();
        list.dedup();
        list
    }
}

/// A file of a load, and whom to tell about it.
#[derive(Clone, Copy)]
pub(super) struct FileOrigin<'l> {
    pub(super) path: &'l Path,
    pub(super) findings: &'l Findings,
}

impl FileOrigin<'_> {
    pub(super) fn say(&self, line: usize, level: Level, message: &str) {
        self.findings.say(self.path, Some(line), level, message);
    }

    pub(super) fn report_file(&self, level: Level, message: &str) {
        self.findings.say(self.path, None, level, message);
    }
}
