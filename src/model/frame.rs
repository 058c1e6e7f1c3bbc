//! Data frames: tables of equally long, typed columns, as Grafana's panels are made of
//! (<https://grafana.com/developers/dataplane/>).

use std::sync::Arc;

use super::labels::{Labels, Text};
use super::log::LogLine;

/// A table of columns that have the same length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DataFrame {
    /// The id of the query that it answers: `A`.
    pub ref_id: Text,
    /// Its name, if the data source gives one.
    pub name: Option<Text>,
    pub fields: Vec<FrameField>,
    /// What the data source says about the data: warnings, that there is more.
    pub notices: Vec<Text>,
}

/// A column of a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameField {
    /// The name in the frame: `Time`, `Value`, or the name of the column.
    pub name: Text,
    /// The labels of the series; empty for columns of a table.
    pub labels: Labels,
    pub values: FieldValues,
    /// The name that the data source gives it, such as that of a legend format; shown unless the panel has another one.
    pub display_name: Option<Text>,
    /// The unit that the data source gives it; used unless the panel has another one.
    pub unit: Option<Text>,
}

/// The values of a column; `None` is a missing value.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldValues {
    /// Milliseconds since 1970.
    Times(Vec<Option<i64>>),
    Numbers(Vec<Option<f64>>),
    Texts(Vec<Option<Text>>),
    Bools(Vec<Option<bool>>),
}

/// One value of a column.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum FrameCell {
    /// A missing value.
    #[default]
    Nothing,
    /// Milliseconds since 1970.
    Time(i64),
    Number(f64),
    Text(Text),
    Bool(bool),
}

impl FrameCell {
    /// The value as a number: times in milliseconds, true as 1, texts if they are numbers.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Nothing => None,
            Self::Time(ms) => Some(*ms as f64),
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Bool(is) => Some(f64::from(u8::from(*is))),
        }
    }

    /// The value as JavaScript writes it; empty for a missing value.
    pub fn plain(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Time(ms) => ms.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.to_string(),
            Self::Bool(is) => is.to_string(),
        }
    }
}

impl FieldValues {
    pub fn count(&self) -> usize {
        match self {
            Self::Times(values) => values.len(),
            Self::Numbers(values) => values.len(),
            Self::Texts(values) => values.len(),
            Self::Bools(values) => values.len(),
        }
    }

    /// The value of a row; [`FrameCell::Nothing`] if it is missing or there is no such row.
    pub fn cell(&self, row: usize) -> FrameCell {
        match self {
            Self::Times(values) => {
                values.get(row).copied().flatten().map_or(FrameCell::Nothing, FrameCell::Time)
            }
            Self::Numbers(values) => {
                values.get(row).copied().flatten().map_or(FrameCell::Nothing, FrameCell::Number)
            }
            Self::Texts(values) => {
                values.get(row).cloned().flatten().map_or(FrameCell::Nothing, FrameCell::Text)
            }
            Self::Bools(values) => {
                values.get(row).copied().flatten().map_or(FrameCell::Nothing, FrameCell::Bool)
            }
        }
    }

    /// All values in their order.
    pub fn cells(&self) -> impl Iterator<Item = FrameCell> {
        (0..self.count()).map(|row| self.cell(row))
    }
}

impl FrameField {
    /// A column without labels, display name and unit.
    pub fn named(name: impl Into<Text>, values: FieldValues) -> Self {
        Self { name: name.into(), labels: Labels::default(), values, display_name: None, unit: None }
    }
}

impl DataFrame {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.fields.iter().map(|field| field.values.count()).max().unwrap_or(0)
    }
}

/// The answer to the queries of one panel.
#[derive(Debug, Clone, Default)]
pub struct PanelFrames {
    /// The frames of all queries, in the order of the queries.
    pub frames: Vec<DataFrame>,
    /// The lines of queries of logs, oldest first.
    pub lines: Vec<Arc<LogLine>>,
    /// The queries that failed, and why, in the server's own words.
    pub failures: Vec<QueryFailure>,
    /// Whether a limit cut the answer: there are more series or lines.
    pub is_cut: bool,
}

/// A query of a panel that failed while others may have succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryFailure {
    /// The id of the query.
    pub ref_id: Text,
    /// The server's own words.
    pub message: Text,
}
