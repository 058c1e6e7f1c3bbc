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
