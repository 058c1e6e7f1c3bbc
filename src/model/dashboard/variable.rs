//! Variables of a dashboard: definitions and current values. Their replacement in texts is in `app`.

use super::DataSourceRef;
use crate::model::labels::Text;

/// The text for a variable with all values.
pub const ALL: &str = "$__all";

/// A variable of a dashboard.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    pub name: Text,
    pub label: Option<Text>,
    pub kind: VariableKind,
    /// Values of the definition: `$__all` is all values.
    pub current: Vec<Text>,
    pub is_multi: bool,
    pub includes_all: bool,
    /// What "all" stands for, if it is not all values: `.*`.
    pub all_value: Option<Text>,
    pub visibility: VariableVisibility,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VariableVisibility {
    Shown,
    WithoutLabel,
    Hidden,
}

#[derive(Debug, Clone, PartialEq)]
pub enum VariableKind {
    /// Values from a data source.
    Query {
        data_source: DataSourceRef,
        /// The query as text, `label_values(up, job)`; for data sources with queries as objects, JSON.
        query: Text,
        /// Keeps the values that match, or the group `value` (and `text`).
        regex: Option<Text>,
        sort: VariableSort,
        /// Whether values depend on the time range.
        follows_time: bool,
    },
    /// Fixed values: text and value.
    Custom {
        values: Vec<(Text, Text)>,
    },
    Interval {
        values: Vec<Text>,
        has_auto: bool,
        auto_count: u32,
        auto_min: Text,
    },
    /// The data sources of a plug-in.
    DataSource {
        plugin: Text,
        regex: Option<Text>,
    },
    Constant {
        value: Text,
    },
    TextBox,
    /// Filters that are added to each query of a data source.
    AdHoc {
        data_source: DataSourceRef,
        filters: Vec<AdHocFilter>,
    },
    /// `groupby`, `system`, `snapshot` and others: their current values are used as they are.
    Other {
        kind: Text,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VariableSort {
    #[default]
    None,
    Alphabetical {
        is_descending: bool,
    },
    Numerical {
        is_descending: bool,
    },
    CaseInsensitive {
        is_descending: bool,
    },
    Natural {
        is_descending: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdHocFilter {
    pub key: Text,
    /// `=`, `!=`, `=~`, `!~`.
    pub op: Text,
    pub value: Text,
}

/// The question for the values of a variable, with all other variables replaced.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VariableQuery {
    pub data_source: DataSourceRef,
    pub query: Text,
}

/// The values that a query of a variable gave.
#[derive(Debug, Clone, Default)]
pub struct VariableValues {
    /// Text and value, in the order of the server, each once.
    pub values: Vec<(Text, Text)>,
    /// How many there were, if only some are kept.
    pub total: usize,
}
