//! The output of a verb as values: facts, lists and notes. The submodules format them as a table, JSON or Markdown.

pub(super) mod ansi;
pub(super) mod grid;
pub(super) mod json;
pub(super) mod markdown;
pub(super) mod svg;
pub(super) mod table;
pub(super) mod text;

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
    pub(super) key: String,
    /// The title in tables and Markdown; empty if only JSON has it.
    pub(super) title: String,
    pub(super) value: Cell,
}

impl Fact {
    pub(super) fn new(key: impl Into<String>, title: impl Into<String>, value: Cell) -> Self {
        Self { key: key.into(), title: title.into(), value }
    }

    /// How many there are; unknown, not zero, before a source has answered.
    pub(super) fn count(
        key: impl Into<String>,
        title: impl Into<String>,
        is_known: bool,
        count: usize,
    ) -> Self {
        Self::new(key, title, if is_known { Cell::count(count) } else { Cell::Nothing })
    }
}

/// A list of items of one kind.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ReportList {
    /// The key in JSON.
    pub(super) key: &'static str,
    /// The title in tables and Markdown.
    pub(super) title: String,
    pub(super) columns: Vec<ReportColumn>,
    /// Each row has a cell for each column.
    pub(super) rows: Vec<Vec<Cell>>,
    /// The text for a list without rows.
    pub(super) empty: &'static str,
    pub(super) layout: ListLayout,
}

impl ReportList {
    /// A row for each item, with the values of these columns.
    pub(super) fn of<'i, T: Listed>(
        (key, title, empty): (&'static str, impl Into<String>, &'static str),
        columns: &[ListColumn<T>],
        items: impl IntoIterator<Item = T::Item<'i>>,
    ) -> Self {
        let (columns, values): (Vec<_>, Vec<_>) =
            columns.iter().filter_map(|column| Some((ReportColumn::of(column), column.value?))).unzip();
        let row = |item| values.iter().map(|value| value(&item)).collect();
        let rows = items.into_iter().map(row).collect();
        Self { key, title: title.into(), columns, rows, empty, layout: ListLayout::Rows }
    }

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
    fn of<T: Listed>(column: &ListColumn<T>) -> Self {
        let ListColumn { key, heading, is_number, is_distinguishing, .. } = *column;
        Self { key, title: heading, is_number, is_distinguishing }
    }
}

#[cfg(test)]
pub(super) mod fixtures {
    use super::*;
    use crate::model::labels::Labels;

    pub(crate) fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    impl ReportColumn {
        pub(crate) const fn text(key: &'static str, title: &'static str) -> Self {
            Self { key, title, is_number: false, is_distinguishing: false }
        }

        const fn number(key: &'static str, title: &'static str) -> Self {
            Self { is_number: true, ..Self::text(key, title) }
        }

        pub(crate) const fn distinguishing(key: &'static str, title: &'static str) -> Self {
            Self { is_distinguishing: true, ..Self::text(key, title) }
        }
    }

    const COLUMNS: &[ReportColumn] = &[
        ReportColumn::text("name", "SERVICE"),
        ReportColumn::number("error_ratio", "ERRORS"),
        ReportColumn::number("p95_seconds", "P95"),
        ReportColumn::text("since", "FOR"),
        ReportColumn::text("labels", ""),
        ReportColumn::text("why", "WHY"),
    ];

    /// Two services; one has control characters in its name.
    pub(crate) fn document(layout: ListLayout) -> ReportDocument {
        let labels = |team| Cell::Labels(Labels::from_iter([("team", team)]));
        let since = Cell::Since(now() - jiff::SignedDuration::from_mins(3));
        ReportDocument {
            context: "prod".into(),
            as_of: now(),
            facts: vec![Fact::count("firing", "Firing", true, 2)],
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
