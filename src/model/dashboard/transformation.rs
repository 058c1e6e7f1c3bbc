//! Transformations of frames before they are drawn.

use super::field::{FieldMatcher, Reducer};
use super::panel::SortDirection;
use crate::model::labels::Text;

/// A step between queries and picture. Steps are applied in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Transformation {
    pub step: TransformationStep,
    /// Only frames of these queries; `None`: all.
    pub only: Option<FieldMatcher>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum TransformationStep {
    /// `organize`: renames, orders and hides fields.
    Organise {
        renames: Vec<(Text, Text)>,
        order: Vec<(Text, u32)>,
        excluded: Vec<Text>,
        included: Vec<Text>,
    },
    /// `reduce`: a row for each field with its reduced values, or the fields reduced to one row.
    Reduce {
        reducers: Vec<Reducer>,
        in_fields: bool,
        labels_to_fields: bool,
    },
    /// `joinByField`, `seriesToColumns`.
    Join {
        by: Option<Text>,
        is_inner: bool,
    },
    /// `merge`: all frames as one table, rows with equal values of common fields as one.
    Merge,
    /// `seriesToRows`: time, name and value of all series as rows; `append`: the rows of all frames below each other.
    Append,
    /// `concatenate`: the fields of all frames beside each other.
    Concatenate,
    /// `filterFieldsByName`.
    FilterFields {
        names: Vec<Text>,
        pattern: Option<Text>,
        is_exclude: bool,
    },
    /// `filterByRefId`.
    FilterRefIds {
        ids: Vec<Text>,
        is_exclude: bool,
    },
    /// `filterByValue`.
    FilterRows {
        conditions: Vec<RowCondition>,
        needs_all: bool,
        is_exclude: bool,
    },
    Sort {
        field: Text,
        direction: SortDirection,
    },
    Limit {
        rows: u32,
    },
    Group {
        fields: Vec<(Text, GroupUse)>,
    },
    /// `calculateField` of two operands, or of a reducer over each row.
    Calculate {
        calculation: Calculation,
        alias: Option<Text>,
        replaces: bool,
    },
    /// `labelsToFields`.
    LabelsToFields {
        keep: Vec<Text>,
        as_rows: bool,
        value_label: Option<Text>,
    },
    /// `timeSeriesTable`: a row for each series, with a sparkline.
    TimeSeriesTable {
        reducer: Reducer,
    },
    /// `renameByRegex`.
    Rename {
        pattern: Text,
        replacement: Text,
    },
    /// `convertFieldType`.
    Convert {
        fields: Vec<(Text, super::field::FieldKind)>,
    },
    /// `formatTime`: a time as text, in the words of moment.js.
    FormatTime {
        field: Text,
        format: Text,
    },
    /// `rowsToFields`, `partitionByValues`, `groupingToMatrix`: the field of names, of rows and of values.
    Matrix {
        columns: Text,
        rows: Option<Text>,
        values: Text,
    },
    /// `histogram`.
    Histogram {
        size: Option<f64>,
    },
    /// One that is not known: the data stay as they are, and the panel says so.
    Unknown {
        id: Text,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct RowCondition {
    pub field: Text,
    /// Grafana's id: `greater`, `equal`, `regex`, `isNull`, `range`, ...
    pub op: Text,
    /// One or two operands.
    pub operands: Vec<Text>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupUse {
    Key,
    Values(Vec<Reducer>),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Calculation {
    /// Two fields or numbers, and `+`, `-`, `*`, `/`, `%`, `**`.
    Binary { left: Text, op: Text, right: Text },
    /// One value for each row of these fields; none: all numbers.
    RowReduce { fields: Vec<Text>, reducer: Reducer },
    /// The index of the row.
    Index,
    /// `abs`, `exp`, `ln`, `floor`, `ceil`.
    Unary { op: Text, field: Text },
}
