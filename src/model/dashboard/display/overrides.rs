//! The options of a field: those of the panel, and the overrides that match it in their order.

use super::kind_of;
use super::mapping::compiled;
use super::naming::default_name;
use crate::model::dashboard::field::{
    ColourThresholds, DrawOptions, FieldColour, FieldKind, FieldMatcher, FieldOptions, FieldOverride,
    GrafanaColour, ThresholdStep,
};
use crate::model::dashboard::panel::{Panel, PanelKind};
use crate::model::dashboard::reduce::reduce;
use crate::model::frame::{DataFrame, FrameField};

/// The options of a field of these frames, with the defaults of the panel's kind where it has none.
pub fn options_of(panel: &Panel, frames: &[DataFrame], frame: usize, field: usize) -> FieldOptions {
    let mut out = with_overrides(&panel.options, &panel.overrides, frames, frame, field);
    out.colour = out.colour.or_else(|| Some(default_colour(&panel.kind)));
    out.thresholds = out.thresholds.or_else(|| Some(default_thresholds()));
    out
}

/// Grafana's default: series have colours of their own, values those of the thresholds.
fn default_colour(kind: &PanelKind) -> FieldColour {
    match kind {
        PanelKind::TimeSeries { .. }
        | PanelKind::BarChart { .. }
        | PanelKind::PieChart { .. }
        | PanelKind::Histogram { .. } => FieldColour::PaletteByOrder,
        PanelKind::Stat { .. }
        | PanelKind::Gauge { .. }
        | PanelKind::BarGauge { .. }
        | PanelKind::Table { .. }
        | PanelKind::Heatmap { .. }
        | PanelKind::StateTimeline { .. }
        | PanelKind::StatusHistory { .. }
        | PanelKind::Words { .. }
        | PanelKind::Logs { .. }
        | PanelKind::AlertList { .. }
        | PanelKind::DashboardList
        | PanelKind::Unknown { .. } => FieldColour::Thresholds,
    }
}

/// Grafana's default: green, and red from 80.
fn default_thresholds() -> ColourThresholds {
    let step = |from, colour| ThresholdStep { from, colour };
    let steps = vec![step(None, GrafanaColour::Green), step(Some(80.0), GrafanaColour::Red)];
    ColourThresholds { steps, is_percent: false }
}

/// The options of a field: `options`, the unit of the data source where they have none, and the overrides that match.
pub fn with_overrides(
    options: &FieldOptions,
    overrides: &[FieldOverride],
    frames: &[DataFrame],
    frame: usize,
    field: usize,
) -> FieldOptions {
    let mut out = options.clone();
    let Some(place) = FieldPlace::of(frames, frame, field) else { return out };
    if out.unit.is_none() {
        out.unit.clone_from(&place.field.unit);
    }
    for one in overrides.iter().filter(|one| place.is_matched(&one.of)) {
        apply(&mut out, &one.options);
    }
    out
}

/// A field and where it is.
struct FieldPlace<'a> {
    frames: &'a [DataFrame],
    frame: &'a DataFrame,
    field: &'a FrameField,
    at: (usize, usize),
}

impl<'a> FieldPlace<'a> {
    fn of(frames: &'a [DataFrame], frame: usize, field: usize) -> Option<Self> {
        let of_frame = frames.get(frame)?;
        Some(Self { frames, frame: of_frame, field: of_frame.fields.get(field)?, at: (frame, field) })
    }

    fn is_matched(&self, matcher: &FieldMatcher) -> bool {
        match matcher {
            FieldMatcher::Name(name) => self.has_name(|shown| shown == &**name),
            FieldMatcher::Names { names, is_excluded } => {
                self.has_name(|shown| names.iter().any(|name| **name == *shown)) != *is_excluded
            }
            FieldMatcher::Pattern(pattern) => {
                compiled(pattern).is_some_and(|pattern| self.has_name(|shown| pattern.is_match(shown)))
            }
            FieldMatcher::RefId(id) => self.frame.ref_id == *id,
            FieldMatcher::Kind(kind) => kind_of(&self.field.values) == *kind,
            FieldMatcher::Value { reducer, op, value } => {
                let reduced = reduce(&self.field.values, *reducer).number();
                compares(reduced, op, value.trim().parse().ok())
            }
            FieldMatcher::First => self.at == (0, 0),
            FieldMatcher::FirstTime => {
                let is_time = |field: &FrameField| kind_of(&field.values) == FieldKind::Time;
                self.frame.fields.iter().position(is_time) == Some(self.at.1)
            }
            FieldMatcher::Numeric => kind_of(&self.field.values) == FieldKind::Number,
            FieldMatcher::Unknown(_) => false,
        }
    }

    /// Whether the name in the frame or the name that is shown does.
    fn has_name(&self, is: impl Fn(&str) -> bool) -> bool {
        is(&self.field.name) || is(&default_name(self.frames, self.frame, self.field))
    }
}

/// Whether a field with this place in the frames matches; for filters of transformations.
pub fn matches(matcher: &FieldMatcher, frames: &[DataFrame], frame: usize, field: usize) -> bool {
    FieldPlace::of(frames, frame, field).is_some_and(|place| place.is_matched(matcher))
}

#[expect(clippy::float_cmp, reason = "Grafana compares exactly, too")]
fn compares(left: Option<f64>, op: &str, right: Option<f64>) -> bool {
    let (Some(left), Some(right)) = (left, right) else {
        // a missing value is equal to no number
        return matches!(op, "!=" | "neq" | "notEqual");
    };
    match op {
        ">" | "gt" | "greater" => left > right,
        ">=" | "gte" | "greaterOrEqual" => left >= right,
        "<" | "lt" | "lower" => left < right,
        "<=" | "lte" | "lowerOrEqual" => left <= right,
        "!=" | "neq" | "notEqual" => left != right,
        _ => left == right,
    }
}

/// Sets what `over` has.
fn apply(out: &mut FieldOptions, over: &FieldOptions) {
    macro_rules! set {
        ($into:ident, $from:ident: $($name:ident),+) => {
            $(if $from.$name.is_some() { $into.$name.clone_from(&$from.$name); })+
        };
    }
    set!(out, over: unit, decimals, min, max, display_name, no_value, thresholds, colour, is_hidden, hidden_from, width,
        align, cell);
    if !over.mappings.is_empty() {
        out.mappings.clone_from(&over.mappings);
    }
    if !over.links.is_empty() {
        out.links.clone_from(&over.links);
    }
    let (draw, over): (&mut DrawOptions, &DrawOptions) = (&mut out.draw, &over.draw);
    set!(draw, over: style, fill, line_width, stacking, is_negative, is_right, log_base, spans_nulls, threshold_style,
        soft_min, soft_max, axis_label);
}
