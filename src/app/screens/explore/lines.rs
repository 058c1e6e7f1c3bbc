//! Log lines as the result of a query.

use super::Explore;
use crate::app::log_filter::LogFilter;
use crate::app::log_subject::LogSubject;
use crate::app::prelude::*;
use crate::model::log::LogQuery;

/// The longest title of the screen of logs, in characters.
const TITLE: usize = 40;

impl Explore {
    /// Lists the lines that the filter passes; without lines nothing.
    pub(super) fn arrange_lines(&mut self) {
        let shown = self.shown.as_ref().and_then(|shown| shown.evaluation.result.lines());
        let filter = LogFilter::parse(self.rows.found.text(), None);
        let lines = shown.unwrap_or_default().iter().filter(|line| filter.passes(line)).cloned().collect();
        self.lines.filter = filter;
        self.lines.set(lines);
    }

    /// Puts the newest or the oldest line first.
    pub(super) fn reverse_lines(&mut self, shared: &mut Shared, now: Timestamp) {
        self.lines.reverse();
        let first = if self.lines.is_newest_first { "newest" } else { "oldest" };
        shared.messages.note(format!("The {first} line comes first"), now);
    }

    /// The marked lines, else the one under the cursor, as they came.
    pub(super) fn copied_lines(&self) -> Option<String> {
        let lines: Vec<String> = self.lines.chosen().iter().map(|line| line.text().into_owned()).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// The lines of the query for the screen of logs, which follows them.
    pub(super) fn log_subject(&self) -> Option<LogSubject> {
        let query = self.query.clone().filter(|_| self.has_lines())?;
        let title: String = query.chars().take(TITLE).collect();
        Some(LogSubject::new(
            title.as_str().into(),
            LogQuery { written: Some(query), ..LogQuery::default() },
            None,
        ))
    }
}
