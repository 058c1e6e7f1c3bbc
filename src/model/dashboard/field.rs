//! How the values of a field are written and coloured: unit, decimals, thresholds, value mappings, and overrides for some fields.

use crate::model::labels::Text;

/// The options of a field; a missing option has the default of its panel.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FieldOptions {
    /// Grafana's id of a unit (`percentunit`, `bytes`, `s`), or a text that is written after the value, `suffix:`, `prefix:`, `time:`,
    /// `si:`, `count:` or `currency:` with its argument.
    pub unit: Option<Text>,
    pub decimals: Option<u8>,
    pub min: Option<f64>,
    pub max: Option<f64>,
    /// With variables, `${__field.labels.NAME}` and `${__series.name}`.
    pub display_name: Option<Text>,
    /// Shown where there is no value.
    pub no_value: Option<Text>,
    pub thresholds: Option<ColourThresholds>,
    pub mappings: Vec<ValueMapping>,
    pub colour: Option<FieldColour>,
    pub draw: DrawOptions,
    pub links: Vec<PanelLink>,
    /// Hidden in tables (`custom.hidden`).
    pub is_hidden: Option<bool>,
    /// Hidden in the picture, the legend, the tool tip (`custom.hideFrom`).
    pub hidden_from: Option<HiddenFrom>,
    /// The width of a table's column, in pixels.
    pub width: Option<u16>,
    pub align: Option<ColumnAlign>,
    pub cell: Option<CellKind>,
}

/// A link, with variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PanelLink {
    pub title: Text,
    pub url: Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortDirection {
    Ascending,
    Descending,
}

/// How a series is drawn.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DrawOptions {
    pub style: Option<DrawStyle>,
    /// 0 to 100: how much of the area below a line is filled.
    pub fill: Option<u8>,
    /// 0: only the area.
    pub line_width: Option<u8>,
    pub stacking: Option<SeriesStacking>,
    /// Below the zero line (`negative-Y`).
    pub is_negative: Option<bool>,
    /// On an axis of its own at the right.
    pub is_right: Option<bool>,
    /// Base of a logarithmic scale; `None`: linear.
    pub log_base: Option<f64>,
    /// Whether gaps are bridged.
    pub spans_nulls: Option<bool>,
    /// How thresholds are shown in a chart.
    pub threshold_style: Option<ThresholdStyle>,
    pub soft_min: Option<f64>,
    pub soft_max: Option<f64>,
    pub axis_label: Option<Text>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrawStyle {
    Line,
    Bars,
    Points,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeriesStacking {
    None,
    /// Series of the same group are on top of each other.
    Normal {
        group: Text,
    },
    /// As shares of 100 %.
    Percent {
        group: Text,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThresholdStyle {
    Off,
    Line,
    Area,
    LineAndArea,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HiddenFrom {
    pub picture: bool,
    pub legend: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnAlign {
    Left,
    Centre,
    Right,
}

/// How a table's cell is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellKind {
    Automatic,
    ColouredText,
    ColouredBackground,
    Gauge,
    Sparkline,
    Json,
    /// Images, data links and other kinds that are shown as text.
    Other,
}

/// A threshold colours the values from it up to the next one.
#[derive(Debug, Clone, PartialEq)]
pub struct ColourThresholds {
    /// Sorted; the first is the base and has no value.
    pub steps: Vec<ThresholdStep>,
    /// The values are per cent of the range from `min` to `max`.
    pub is_percent: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdStep {
    /// `None` for the base.
    pub from: Option<f64>,
    pub colour: GrafanaColour,
}

/// A colour as a dashboard writes it: `red`, `semi-dark-green`, `#3274d9`, `rgba(1, 2, 3, 0.5)`, `text`, `transparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GrafanaColour {
    Red,
    Orange,
    Yellow,
    Green,
    Blue,
    Purple,
    /// The text's colour.
    Plain,
    Transparent,
    Rgb(u8, u8, u8),
}

/// How a field gets its colour.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldColour {
    Fixed(GrafanaColour),
    Thresholds,
    /// By the order of the series.
    PaletteByOrder,
    /// By the name of the series.
    PaletteByName,
    /// A gradient from the first to the last colour, from `min` to `max`.
    Gradient(Vec<GrafanaColour>),
}

/// Writes a text, a colour or both instead of a value.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueMapping {
    pub of: MappedValue,
    pub text: Option<Text>,
    pub colour: Option<GrafanaColour>,
    /// Its order in the legend and among several that match.
    pub index: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub enum MappedValue {
    /// A number or a text, as text.
    Exactly(Text),
    /// From and to, inclusive; `None` is unbounded.
    Range {
        from: Option<f64>,
        to: Option<f64>,
    },
    /// A regular expression; the text may hold `$1`.
    Pattern(Text),
    Special(SpecialValue),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpecialValue {
    Null,
    NotANumber,
    NullOrNotANumber,
    True,
    False,
    Empty,
}

/// Options for the fields that match. The order counts: a later one wins.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldOverride {
    pub of: FieldMatcher,
    pub options: FieldOptions,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldMatcher {
    Name(Text),
    Names {
        names: Vec<Text>,
        is_excluded: bool,
    },
    /// A regular expression without its `/`.
    Pattern(Text),
    RefId(Text),
    Kind(FieldKind),
    /// Fields whose reduced value compares so with a number; both as text.
    Value {
        reducer: Reducer,
        op: Text,
        value: Text,
    },
    First,
    FirstTime,
    Numeric,
    /// A matcher that is not known: it matches nothing.
    Unknown(Text),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    Time,
    Number,
    Text,
    Bool,
}

/// Makes one value of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reducer {
    Last,
    LastNotNull,
    First,
    FirstNotNull,
    Min,
    Max,
    Mean,
    Median,
    Sum,
    Count,
    Range,
    Delta,
    Step,
    Diff,
    DiffPercent,
    MinAboveZero,
    StandardDeviation,
    Variance,
    AllIsZero,
    AllIsNull,
    ChangeCount,
    DistinctCount,
    /// `p95`.
    Percentile(u8),
}
