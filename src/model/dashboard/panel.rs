//! Panels: what is drawn, where, from which queries.

use super::DataSourceRef;
use super::field::{FieldOptions, FieldOverride, Reducer};
pub use super::field::{PanelLink, SortDirection};
use super::transformation::Transformation;
use crate::model::labels::Text;

/// A panel of a dashboard.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Unique in its dashboard.
    pub id: u32,
    /// With variables.
    pub title: Text,
    pub description: Option<Text>,
    pub place: GridPlace,
    pub kind: PanelKind,
    /// The data source of queries that name none.
    pub data_source: DataSourceRef,
    pub queries: Vec<PanelQueryDefinition>,
    /// The most points of a series; `None`: as many as the width takes.
    pub max_points: Option<u32>,
    /// The least interval between points, with variables: `1m`, `$interval`.
    pub min_interval: Option<Text>,
    /// A range of its own that ends now: `1h`.
    pub relative_from: Option<Text>,
    /// Shows the range this long ago: `1d`.
    pub time_shift: Option<Text>,
    pub transformations: Vec<Transformation>,
    pub options: FieldOptions,
    pub overrides: Vec<FieldOverride>,
    pub repeat: Option<PanelRepeat>,
    pub links: Vec<PanelLink>,
    /// The name and uid of the library panel that it is; its content is filled in by the source.
    pub library: Option<LibraryPanel>,
    /// Parts that cannot be drawn, and why: plug-ins, options.
    pub notes: Vec<Text>,
}

/// The place of a panel on the grid: columns of [`super::GRID_COLUMNS`], rows of about 38 pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GridPlace {
    pub x: u16,
    pub y: u16,
    pub width: u16,
    pub height: u16,
}

/// A query of a panel as the dashboard defines it.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelQueryDefinition {
    /// `A`, `B`, ...
    pub ref_id: Text,
    pub data_source: DataSourceRef,
    /// Whether it is only used by other queries, and its own result is not shown.
    pub is_hidden: bool,
    /// The whole query as JSON text, with variables: what `/api/ds/query` takes.
    pub json: Text,
    /// `expr` or `query`, if the data source has one: for Explore and for errors.
    pub expression: Option<Text>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PanelRepeat {
    /// The variable for whose values it is repeated.
    pub variable: Text,
    /// Below each other instead of beside.
    pub is_vertical: bool,
    /// The most beside each other.
    pub per_row: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibraryPanel {
    pub uid: Text,
    pub name: Text,
}

/// What is drawn, with the options of that kind.
#[derive(Debug, Clone, PartialEq)]
pub enum PanelKind {
    TimeSeries {
        legend: LegendOptions,
    },
    /// Bars over a text or number column.
    BarChart {
        legend: LegendOptions,
        is_horizontal: bool,
    },
    Stat {
        reduce: ReduceOptions,
        colour: StatColour,
        has_sparkline: bool,
        text: StatText,
    },
    Gauge {
        reduce: ReduceOptions,
    },
    BarGauge {
        reduce: ReduceOptions,
        is_horizontal: bool,
    },
    PieChart {
        reduce: ReduceOptions,
        legend: LegendOptions,
    },
    Table {
        sort: Option<(Text, SortDirection)>,
        footer: Vec<Reducer>,
        shows_header: bool,
    },
    Heatmap {
        calculates: bool,
    },
    Histogram {
        buckets: Option<f64>,
    },
    StateTimeline {
        legend: LegendOptions,
        merges_equal: bool,
    },
    StatusHistory {
        legend: LegendOptions,
    },
    /// Markdown or plain text with variables; HTML is reduced to text when it is read.
    Words {
        content: Text,
        is_markdown: bool,
    },
    Logs {
        newest_first: bool,
        shows_labels: bool,
        shows_time: bool,
    },
    AlertList {
        options: AlertListOptions,
    },
    DashboardList,
    /// A plug-in that cannot be drawn here: its id, and why.
    Unknown {
        plugin: Text,
        reason: Text,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegendOptions {
    pub is_shown: bool,
    /// As a table with a row for each series.
    pub is_table: bool,
    pub is_right: bool,
    /// The values beside each name.
    pub values: Vec<Reducer>,
    /// The column by which a table is sorted.
    pub sort: Option<(Reducer, SortDirection)>,
}

/// How many values are made of the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReduceOptions {
    /// A value for each row instead of one for each series.
    pub all_values: bool,
    /// The most rows.
    pub limit: Option<u32>,
    /// One value; Grafana uses the first of the list.
    pub reducer: Reducer,
    /// The fields that are used: a name, or a regular expression between `/`; `None`: all numbers.
    pub fields: Option<Text>,
}

/// What is coloured in a stat panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatColour {
    None,
    Value,
    Background,
}

/// What a stat panel shows beside the sparkline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatText {
    Automatic,
    Value,
    ValueAndName,
    Name,
    None,
}

/// Which alerts an alert list shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the panel")]
pub struct AlertListOptions {
    /// A part of the alert's name, with variables.
    pub name: Option<Text>,
    /// Matchers of labels in `{}`, with variables.
    pub matchers: Option<Text>,
    pub folder: Option<Text>,
    /// Only those linked with this dashboard.
    pub of_this_dashboard: bool,
    pub firing: bool,
    pub pending: bool,
    pub no_data: bool,
    pub normal: bool,
    pub error: bool,
}
