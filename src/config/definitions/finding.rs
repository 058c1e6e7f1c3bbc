//! Errors, warnings and notes about definition files, each with file and line.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::path::{Path, PathBuf};

use crate::model::text::clean;
use crate::model::words::words;

words! {
    /// The severity of a [`Finding`]; the worse, the greater.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum FindingLevel: word {
        /// Not a fault, such as why a document was ignored.
        Note = "note",
        /// The definition is used, but may not be what its author meant.
        Warning = "warning",
        /// The definition is not used.
        Error = "error",
    }
}

/// One error, warning or note about a definition file. Ordered by file, then by line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file or folder, as it was given or found.
    pub path: PathBuf,
    /// The line, from 1; `None` if the finding is about the whole file.
    pub line: Option<usize>,
    pub level: FindingLevel,
    /// What is wrong, and a correction if one can be guessed; one line.
    pub message: String,
}

/// Formats as `slos/cart.yaml:12: message`, without the level.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", clean(&self.path.to_string_lossy()))?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}", self.message)
    }
}

/// Collects the findings of one load.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: RefCell<Vec<Finding>>,
    errors: Cell<usize>,
}

impl Findings {
    /// Adds a finding; line breaks and control characters in the message are removed.
    pub(super) fn say(&self, path: &Path, line: Option<usize>, level: FindingLevel, message: &str) {
        if level == FindingLevel::Error {
            self.errors.set(self.errors.get() + 1);
        }
        let message = clean(message).into_owned();
        self.list.borrow_mut().push(Finding { path: path.to_owned(), line, level, message });
    }

    /// The number of errors so far; the caller compares two counts to see whether a step succeeded.
    pub(super) fn errors(&self) -> usize {
        self.errors.get()
    }

    /// All findings, sorted by file and line, without duplicates: an object that several SLOs refer to is read once for each of
    /// them.
    pub(super) fn into_list(self) -> Vec<Finding> {
        let mut list = self.list.into_inner();
        list.sort();
        list.dedup();
        list
    }
}

/// A file of a load, and where findings about it go.
#[derive(Clone, Copy)]
pub(super) struct FileOrigin<'l> {
    pub(super) path: &'l Path,
    /// Where findings are reported.
    pub(super) findings: &'l Findings,
}

impl FileOrigin<'_> {
    pub(super) fn say(&self, line: usize, level: FindingLevel, message: &str) {
        self.findings.say(self.path, Some(line), level, message);
    }
}
