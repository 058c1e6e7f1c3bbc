//! An answer that is put together from several, and what is missing of it.

use super::cost::Cost;
use super::paging::PagedList;
use crate::model::ask::{Answer, Reply};
use crate::model::source::{ErrorKind, SourceError};
use crate::model::warning::Warning;

/// The parts of an answer so far. Each may be missing, and then is told as such.
#[derive(Default)]
pub(crate) struct AnswerParts {
    pub(crate) cost: Cost,
    pub(crate) warnings: Vec<Warning>,
    succeeded_parts: usize,
    /// The comment: why the first that did not come is missing.
    first_error: Option<SourceError>,
}

impl AnswerParts {
    /// A part that may be missing: where it failed, `what` "cannot be had", and one request was spent on it.
    ///
    /// # Errors
    /// The failure, if it is one of the whole source: then nothing else would come either.
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
                if error.trouble.is_source_wide() && !matches!(error.trouble, ErrorKind::TimedOut { .. }) =>
            {
                Err(error)
            }
            Err(error) => {
                self.cost.add(Cost::REFUSED);
                self.warnings.push(Warning::missing(format!("{what} cannot be had: {}", error.trouble)));
                self.first_error.get_or_insert(error);
                Ok(None)
            }
        }
    }

    /// The same of a part that comes with what it cost.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub(crate) fn take_priced<T>(
        &mut self,
        what: &str,
        part: Result<(T, Cost), SourceError>,
    ) -> Result<Option<T>, SourceError> {
        let (part, cost) =
            self.take(what, part)?.map_or((None, Cost::default()), |(part, cost)| (Some(part), cost));
        self.cost.add(cost);
        Ok(part)
    }

    /// Takes note of a list's cost and of what is missing of it: `cut` says that there are more than came, and what cannot be read
    /// is called `items`.
    pub(crate) fn add_list<T>(&mut self, pages: &PagedList<T>, items: &str, cut: &str) {
        self.cost.add(pages.cost);
        self.warnings.extend(pages.cut(cut).into_iter().chain(pages.unreadable_warning(items)));
    }

    /// The items of a list, of which note is taken.
    pub(crate) fn items<T>(&mut self, pages: PagedList<T>, items: &str, cut: &str) -> Vec<T> {
        self.add_list(&pages, items, cut);
        pages.items
    }

    /// That at least one part came.
    ///
    /// # Errors
    /// The comment: why the first did not, if none did.
    pub(crate) fn require_any(&mut self) -> Result<(), SourceError> {
        let error = self.first_error.take().filter(|_| self.succeeded_parts == 0);
        error.map_or(Ok(()), Err)
    }

    pub(crate) fn reply(self, answer: Answer) -> Reply {
        Reply { warnings: self.warnings, ..self.cost.reply(answer) }
    }

    /// The whole, unless the asker has it already.
    pub(crate) fn reply_if_new(self, answer: Answer, digest: u64, known: Option<u64>) -> Reply {
        Reply { warnings: self.warnings, ..self.cost.reply_if_new(answer, digest, known) }
    }
}
