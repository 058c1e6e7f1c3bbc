//! An answer that is put together from several, and what is missing of it.

use super::paging::PagedList;
use crate::model::ask::{Answer, Reply};
use crate::model::source::{ErrorKind, SourceError};
use crate::model::warning::Warning;

/// Collects the parts of an answer. A part that fails leads to a warning, not to an error.
#[derive(Default)]
pub(crate) struct AnswerParts {
    pub(crate) warnings: Vec<Warning>,
    succeeded_parts: usize,
    first_error: Option<SourceError>,
}

impl AnswerParts {
    /// Takes one part. If it failed: adds the warning that `what` is not available, and returns `None`.
    ///
    /// # Errors
    /// The error of the part, if the whole source is affected (see [`ErrorKind::is_source_wide`]; not for time-outs), because
    /// the other parts would fail too.
    pub(crate) fn take<T>(
        &mut self,
        what: &str,
        part: Result<T, SourceError>,
    ) -> Result<Option<T>, SourceError> {
        match part {
            Ok(part) => {
                self.succeeded_parts += 1;
                Ok(Some(part))
            }
            Err(error)
                if error.kind.is_source_wide() && !matches!(error.kind, ErrorKind::TimedOut { .. }) =>
            {
                Err(error)
            }
            Err(error) => {
                self.warnings.push(Warning::missing(format!("{what} not available: {}", error.kind)));
                self.first_error.get_or_insert(error);
                Ok(None)
            }
        }
    }

    /// Adds the warnings of a list: `cut` is the warning for a truncated list, `items` the name of its elements
    /// in the warning for unreadable ones.
    pub(crate) fn add_list<T>(&mut self, pages: &PagedList<T>, items: &str, cut: &str) {
        self.warnings.extend(pages.cut(cut).into_iter().chain(pages.unreadable_warning(items)));
    }

    /// Adds the warnings of a list as [`Self::add_list`] does, and returns its items.
    pub(crate) fn items<T>(&mut self, pages: PagedList<T>, items: &str, cut: &str) -> Vec<T> {
        self.add_list(&pages, items, cut);
        pages.items
    }

    /// Checks that at least one part succeeded.
    ///
    /// # Errors
    /// The error of the first part, if every part failed.
    pub(crate) fn require_any(&mut self) -> Result<(), SourceError> {
        let error = self.first_error.take().filter(|_| self.succeeded_parts == 0);
        error.map_or(Ok(()), Err)
    }

    pub(crate) fn reply(self, answer: Answer) -> Reply {
        Reply { warnings: self.warnings, ..Reply::free(answer) }
    }

    /// The reply with the collected warnings; [`Answer::Unchanged`] if the caller already has the answer with this
    /// digest.
    pub(crate) fn reply_if_new(self, answer: Answer, digest: u64, known: Option<u64>) -> Reply {
        let answer = if known == Some(digest) { Answer::Unchanged } else { answer };
        Reply { digest: Some(digest), ..self.reply(answer) }
    }
}
