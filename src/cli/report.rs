//! The output of a verb as values: facts, lists and notes. The submodules format them as a table, JSON or Markdown.

pub(super) mod ansi;
pub(super) mod grid;
pub(super) mod json;
pub(super) mod markdown;
pub(super) mod svg;
pub(super) mod table;
pub(super) mod text;

use std::borrow::Cow;

use jiff::Timestamp;

use crate::app::columns::{ListColumn, Listed};
pub(super) use crate::model::value::Value as Cell;
pub(super) use crate::model::value::elapsed;

/// The whole output of a verb.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ReportDocument {
    /// The name of the context.
    pub(super) context: String,
    /// The time of the report; ages are relative to it.
    pub(super) as_of: Timestamp,
    pub(super) facts: Vec<Fact>,
    /// Lists, each formatted as a table.
    pub(super) lists: Vec<ReportList>,
    /// Notes for the reader: missing or old data, and explanations.
    pub(super) notes: Vec<String>,
    /// Whether data are missing: then an empty list does not mean that nothing is wrong.
    pub(super) is_partial: bool,
}

/// A single value with its name, such as the number of firing alerts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fact {
    /// The key in JSON.
    pub(super) key: &'static str,
    /// The title in tables and Markdown.
    pub(super) title: &'static str,
    pub(super) value: Cell,
}

/// A list of items of one kind.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ReportList {
    /// The key in JSON.
    pub(super) key: &'static str,
    /// The title in tables and Markdown.
    pub(super) title: String,
    pub(super) columns: Cow<'static, [ReportColumn]>,
    /// Each row has a cell for each column.
    pub(super) rows: Vec<Vec<Cell>>,
    /// The text for a list without rows.
    pub(super) empty: &'static str,
    pub(super) layout: ListLayout,
}

impl ReportList {
    /// The columns that tables and Markdown show, each with its index in the rows.
    fn shown(&self) -> Vec<(usize, &ReportColumn)> {
        let differs = |place: usize| {
            let mut cells = self.rows.iter().map(|row| row.get(place));
            let first = cells.next();
            cells.any(|cell| Some(cell) != first)
        };
        let is_shown = |(place, column): &(usize, &ReportColumn)| {
            !column.title.is_empty() && (!column.is_distinguishing || differs(*place))
        };
        self.columns.iter().enumerate().filter(is_shown).collect()
    }
}

/// The layout of a list in the table format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListLayout {
    /// A row for each item.
    Rows,
    /// A block of lines for each item, with the first column as its heading.
    Blocks,
}

/// One property of the items in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReportColumn {
    /// The key in JSON; empty if JSON does not have the column.
    pub(super) key: &'static str,
    /// The title in tables and Markdown; empty if only JSON has the column.
    pub(super) title: &'static str,
    /// Numbers are aligned right.
    pub(super) is_number: bool,
    /// Tables and Markdown show the column only if the rows have different values.
    pub(super) is_distinguishing: bool,
}

impl ReportColumn {
    pub(super) const fn text(key: &'static str, title: &'static str) -> Self {
        Self { key, title, is_number: false, is_distinguishing: false }
    }

    pub(super) const fn number(key: &'static str, title: &'static str) -> Self {
        Self { key, title, is_number: true, is_distinguishing: false }
    }

    /// The columns of a list of the screen that verbs print, too.
    pub(super) fn of<T: Listed>(columns: &'static [ListColumn<T>]) -> Cow<'static, [Self]> {
        let reported = columns.iter().filter(|column| column.value.is_some());
        let column = |column: &ListColumn<T>| Self {
            key: column.key,
            title: column.heading,
            is_number: column.is_number,
            is_distinguishing: column.is_distinguishing,
        };
        reported.map(column).collect()
    }

    /// The values of a thing in these columns.
    pub(super) fn values<T: Listed>(columns: &[ListColumn<T>], item: &T::Item<'_>) -> Vec<Cell> {
        columns.iter().filter_map(|column| Some((column.value?)(item))).collect()
    }

    /// Only in JSON.
    pub(super) const fn hidden(key: &'static str) -> Self {
        Self { key, title: "", is_number: false, is_distinguishing: false }
    }

    /// A column that tables and Markdown show only if the rows have different values.
    #[cfg(test)]
    pub(super) const fn distinguishing(key: &'static str, title: &'static str) -> Self {
        Self { key, title, is_number: false, is_distinguishing: true }
    }
}

#[cfg(test)]
pub(super) mod fixtures {
    use super::*;
    use crate::model::labels::Labels;

    pub(crate) fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    const COLUMNS: &[ReportColumn] = &[
        ReportColumn::text("name", "SERVICE"),
        ReportColumn::number("error_ratio", "ERRORS"),
        ReportColumn::number("p95_seconds", "P95"),
        ReportColumn::text("since", "FOR"),
        ReportColumn::hidden("labels"),
        ReportColumn::text("why", "WHY"),
    ];

    /// Two services; one has control characters in its name.
    pub(crate) fn document(layout: ListLayout) -> ReportDocument {
        let labels = |team| Cell::Labels(Labels::from_iter([("team", team)]));
        let since = Cell::Since(now() - jiff::SignedDuration::from_mins(3));
        ReportDocument {
            context: "prod".into(),
            as_of: now(),
            facts: vec![Fact { key: "firing", title: "Firing", value: Cell::Count(2) }],
            lists: vec![ReportList {
                key: "services",
                title: "Services".into(),
                columns: COLUMNS.into(),
                rows: vec![
                    vec![
                        Cell::Text("決済-api".into()),
                        Cell::Ratio(0.123),
                        Cell::Seconds(1.5),
                        since,
                        labels("pay"),
                        Cell::Text("12% | of *requests* fail".into()),
                    ],
                    vec![
                        Cell::Text("x\u{1b}[31m".into()),
                        Cell::Nothing,
                        Cell::Seconds(0.012),
                        Cell::Nothing,
                        labels("\"a\""),
                        Cell::Nothing,
                    ],
                ],
                empty: "No services.",
                layout,
            }],
            notes: vec!["am: cannot connect".into()],
            is_partial: true,
        }
    }
}
