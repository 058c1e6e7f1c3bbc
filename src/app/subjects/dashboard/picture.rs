//! What a panel shows: values with their texts and roles, made of its data frames. How they are drawn is up to the screen.

pub mod axis_unit;
mod bars;
mod chart;
pub mod colours;
pub mod fields;
mod heat;
mod states;
mod stats;
mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::app::theme::Role;
use crate::app::widgets::chart::LineStyle;
use crate::app::widgets::unit::ValueUnit;
use crate::model::dashboard::display::FieldDisplay;
use crate::model::dashboard::field::{CellKind, ColumnAlign};
use crate::model::dashboard::panel::{AlertListOptions, Panel, PanelKind, StatColour, StatText};
use crate::model::frame::{DataFrame, FrameCell};
use crate::model::labels::Text;
use crate::model::log::LogLine;
use crate::model::series::TimeGrid;

/// A value as text, in the role of its colour.
#[derive(Debug, Clone, PartialEq)]
pub struct PaintedValue {
    pub text: String,
    pub number: Option<f64>,
    /// Where it is between the least and the greatest value, 0 to 1.
    pub share: Option<f64>,
    pub role: Role,
}

/// A value with its name: of a stat, a gauge, a bar.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedValue {
    pub name: String,
    pub value: PaintedValue,
    /// The values over time, for a sparkline.
    pub history: Vec<f64>,
    /// The least and the greatest value of a gauge, as text.
    pub bounds: Option<(String, String)>,
}

/// A series of a chart.
#[derive(Debug, Clone)]
pub struct ChartSeries {
    pub name: String,
    /// One value for each point of the grid, as the source gave it; NaN where there is none.
    pub values: Vec<f64>,
    /// The heights at which it is drawn, in the unit of the axis: stacked, negative or scaled.
    pub heights: Vec<f64>,
    pub role: Role,
    pub style: LineStyle,
    /// Whether it has the axis at the right.
    pub is_right: bool,
    pub in_legend: bool,
    /// The values of the legend: title and text.
    pub reduced: Vec<(String, String)>,
    pub display: Arc<FieldDisplay>,
}

/// Series over time.
#[derive(Debug, Clone)]
pub struct ChartPicture {
    pub span: TimeGrid,
    pub series: Vec<ChartSeries>,
    pub unit: ValueUnit,
    /// The unit of the axis at the right.
    pub right_unit: ValueUnit,
    /// Values with their labels, in the unit of the axis.
    pub thresholds: Vec<(f64, String)>,
    pub limits: Option<(f64, f64)>,
    pub is_zero_based: bool,
    pub is_logarithmic: bool,
    /// Whether the chart widget stacks the series; otherwise the heights are stacked already.
    pub stacking: crate::app::widgets::chart::Stacking,
    pub legend: crate::model::dashboard::panel::LegendOptions,
}

/// A row of bars: a bar chart, a bar gauge, shares, a histogram.
#[derive(Debug, Clone, PartialEq)]
pub struct BarRow {
    /// Empty for further bars of the same group.
    pub group: String,
    pub value: NamedValue,
    /// The length, 0 to 1; `None`: no value.
    pub length: Option<f64>,
    /// A remark behind the value: its share of the sum.
    pub note: Option<String>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableColumn {
    pub name: String,
    pub align: ColumnAlign,
    pub cell: CellKind,
    /// The width that the dashboard gives it, in cells.
    pub width: Option<u16>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TablePicture {
    pub columns: Vec<TableColumn>,
    pub rows: Vec<Vec<PaintedValue>>,
    /// All rows, also those that are not kept.
    pub total: usize,
    pub has_header: bool,
    pub footer: Vec<String>,
    /// The column by which the rows are sorted, and whether the highest value is first.
    pub sort: Option<(usize, bool)>,
    /// Which of several tables it is, if there are more.
    pub note: Option<String>,
}

/// A heat map: buckets over time.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatPicture {
    pub span: TimeGrid,
    pub labels: Vec<String>,
    /// One value per point for each bucket, the lowest bucket first.
    pub buckets: Vec<Vec<f64>>,
    pub highest: f64,
}

/// States over time.
#[derive(Debug, Clone, PartialEq)]
pub struct StatesPicture {
    pub span: TimeGrid,
    /// The states that occur: text and role.
    pub states: Vec<(String, Role)>,
    /// Name and, for each point, the index of the state.
    pub rows: Vec<(String, Vec<Option<u16>>)>,
    /// Whether each point is a box of its own.
    pub is_separate: bool,
}

/// What a panel shows.
#[derive(Debug, Clone)]
pub enum PanelPicture {
    Chart(Box<ChartPicture>),
    Stats {
        values: Vec<NamedValue>,
        colour: StatColour,
        text: StatText,
        has_sparkline: bool,
    },
    Gauges(Vec<NamedValue>),
    Bars(Vec<BarRow>),
    Table(TablePicture),
    Heat(HeatPicture),
    States(StatesPicture),
    Words {
        content: Text,
        is_markdown: bool,
    },
    Lines {
        lines: Vec<Arc<LogLine>>,
        newest_first: bool,
        shows_labels: bool,
        shows_time: bool,
    },
    Alerts(AlertListOptions),
    Dashboards,
    /// There are no data; `text` is what the panel says then.
    NoData(String),
    /// Why it cannot be drawn.
    Undrawable(String),
}

/// The data of a panel: its frames after the transformations.
pub struct PanelInput<'a> {
    pub panel: &'a Panel,
    pub frames: &'a [DataFrame],
    pub lines: &'a [Arc<LogLine>],
    pub window: TimeGrid,
    pub now: Timestamp,
    pub zone: &'a TimeZone,
}

/// The picture of a panel that needs no data; `None` if it needs some.
pub fn without_data(panel: &Panel) -> Option<PanelPicture> {
    match &panel.kind {
        PanelKind::Words { content, is_markdown } => {
            Some(PanelPicture::Words { content: content.clone(), is_markdown: *is_markdown })
        }
        PanelKind::AlertList { options } => Some(PanelPicture::Alerts(options.clone())),
        PanelKind::DashboardList => Some(PanelPicture::Dashboards),
        PanelKind::Unknown { plugin, reason } => {
            Some(PanelPicture::Undrawable(format!("{plugin}: {reason}")))
        }
        PanelKind::TimeSeries { .. }
        | PanelKind::BarChart { .. }
        | PanelKind::Stat { .. }
        | PanelKind::Gauge { .. }
        | PanelKind::BarGauge { .. }
        | PanelKind::PieChart { .. }
        | PanelKind::Table { .. }
        | PanelKind::Heatmap { .. }
        | PanelKind::Histogram { .. }
        | PanelKind::StateTimeline { .. }
        | PanelKind::StatusHistory { .. }
        | PanelKind::Logs { .. } => {
            let no_query = || PanelPicture::Undrawable("the panel has no query".to_owned());
            panel.queries.is_empty().then(no_query)
        }
    }
}

/// The picture of a panel with its data.
pub fn picture(input: &PanelInput<'_>) -> PanelPicture {
    if let Some(picture) = without_data(input.panel) {
        return picture;
    }
    let picture = match &input.panel.kind {
        PanelKind::TimeSeries { legend } => chart::picture(input, legend),
        PanelKind::BarChart { .. } => bars::chart(input),
        PanelKind::Stat { reduce, colour, has_sparkline, text } => {
            let values = stats::values(input, reduce);
            let (colour, text, has_sparkline) = (*colour, *text, *has_sparkline);
            (!values.is_empty()).then_some(PanelPicture::Stats { values, colour, text, has_sparkline })
        }
        PanelKind::Gauge { reduce } => {
            let values = stats::values(input, reduce);
            (!values.is_empty()).then_some(PanelPicture::Gauges(values))
        }
        PanelKind::BarGauge { reduce, .. } => bars::gauge(stats::values(input, reduce)),
        PanelKind::PieChart { reduce, .. } => bars::shares(stats::values(input, reduce)),
        PanelKind::Table { sort, footer, shows_header } => {
            table::picture(input, (sort.as_ref(), footer, *shows_header))
        }
        PanelKind::Heatmap { calculates } => heat::picture(input, *calculates),
        PanelKind::Histogram { buckets } => bars::histogram(input, *buckets),
        PanelKind::StateTimeline { .. } => states::picture(input, false),
        PanelKind::StatusHistory { .. } => states::picture(input, true),
        PanelKind::Logs { newest_first, shows_labels, shows_time } => {
            let lines =
                if input.lines.is_empty() { fields::log_lines(input.frames) } else { input.lines.to_vec() };
            let (newest_first, shows_labels, shows_time) = (*newest_first, *shows_labels, *shows_time);
            (!lines.is_empty()).then_some(PanelPicture::Lines {
                lines,
                newest_first,
                shows_labels,
                shows_time,
            })
        }
        PanelKind::Words { .. }
        | PanelKind::AlertList { .. }
        | PanelKind::DashboardList
        | PanelKind::Unknown { .. } => None,
    };
    picture.unwrap_or_else(|| PanelPicture::NoData(no_data(input)))
}

/// What a panel without data says: its own words, what the frames lack, or just that.
fn no_data(input: &PanelInput<'_>) -> String {
    if let Some(words) = input.panel.options.no_value.as_deref().filter(|words| !words.is_empty()) {
        return words.to_owned();
    }
    let has_rows = input.frames.iter().any(|frame| frame.rows() > 0);
    let needs_time = matches!(
        input.panel.kind,
        PanelKind::TimeSeries { .. }
            | PanelKind::StateTimeline { .. }
            | PanelKind::StatusHistory { .. }
            | PanelKind::Heatmap { .. }
    );
    if has_rows && needs_time && !input.frames.iter().any(fields::has_time) {
        return "The data have no time field".to_owned();
    }
    if has_rows { "The data have no number field".to_owned() } else { "No data".to_owned() }
}

/// A step of 1, 2 or 5 times a power of ten, for round bounds.
pub fn round_step(wanted: f64) -> f64 {
    bars::round_size(wanted)
}

/// A cell as its field shows it; `plain` is the role without a colour.
pub fn painted(display: &FieldDisplay, cell: &FrameCell, plain: Role) -> PaintedValue {
    let shown = display.cell(cell);
    let role = shown.colour.map_or(plain, colours::role_of);
    PaintedValue { text: shown.whole(), number: shown.number, share: shown.share, role }
}
