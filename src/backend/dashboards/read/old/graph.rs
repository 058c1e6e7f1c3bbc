//! The `graph` panel as a time series, as Grafana's migration of it (`graphToTimeseriesOptions`).

use serde_json::Value;

use super::super::colours::colour;
use super::super::fields::decimals;
use super::super::json::{at, flag, list, number, text, word};
use super::super::kinds::direction;
use super::series;
use crate::model::dashboard::field::{
    ColourThresholds, DrawOptions, DrawStyle, FieldColour, GrafanaColour, Reducer, SeriesStacking,
    ThresholdStep, ThresholdStyle,
};
use crate::model::dashboard::panel::{LegendOptions, Panel, PanelKind, ReduceOptions};

pub(in super::super) fn migrate(panel: &mut Panel, json: &Value) {
    let axes = list(at(json, "yaxes"));
    let left = axes.first().unwrap_or(&Value::Null);
    // one axis for both before schema version 7
    let old_units = list(at(json, "y_formats"));
    let unit = text(at(left, "format")).or_else(|| old_units.first().and_then(text));
    let options = &mut panel.options;
    options.unit = options.unit.take().or(unit.filter(|unit| **unit != *"none"));
    options.decimals = options.decimals.or(decimals(at(left, "decimals"))).or(decimals(at(json, "decimals")));
    let grid = at(json, "grid");
    options.min = options.min.or(number(at(left, "min"))).or(number(at(grid, "leftMin")));
    options.max = options.max.or(number(at(left, "max"))).or(number(at(grid, "leftMax")));
    options.colour = options.colour.take().or(Some(FieldColour::PaletteByOrder));
    options.draw = draw(json, left);
    if let Some((thresholds, style)) = thresholds(list(at(json, "thresholds"))) {
        options.thresholds = Some(thresholds);
        options.draw.threshold_style = Some(style);
    }
    panel.overrides.extend(series::overrides(json, axes.get(1).unwrap_or(&Value::Null)));
    panel.kind = kind(json);
}

fn kind(json: &Value) -> PanelKind {
    let legend = legend(json);
    let axis = at(json, "xaxis");
    match word(at(axis, "mode")) {
        "histogram" => PanelKind::Histogram { buckets: None },
        "series" => {
            let named = list(at(axis, "values")).first().map_or("", word);
            let reducer = Reducer::from_id(named).unwrap_or(Reducer::Sum);
            let reduce = ReduceOptions { all_values: false, limit: None, reducer, fields: None };
            PanelKind::BarGauge { reduce, is_horizontal: false }
        }
        _ => PanelKind::TimeSeries { legend },
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of the type"
)]
fn draw(json: &Value, left: &Value) -> DrawOptions {
    let is = |key: &str| flag(at(json, key));
    let (has_lines, has_bars) = (is("lines").unwrap_or(true), is("bars").unwrap_or(false));
    let style = match (has_bars, has_lines, is("points").unwrap_or(false)) {
        (true, _, _) => DrawStyle::Bars,
        (false, false, true) => DrawStyle::Points,
        (false, _, _) => DrawStyle::Line,
    };
    let tenths = |value: &Value| number(value).map(|fill| (fill * 10.0).clamp(0.0, 100.0) as u8);
    let is_percent = is("percentage").unwrap_or(false);
    let stacking = is("stack").unwrap_or(false).then(|| {
        let group = "A".into();
        if is_percent { SeriesStacking::Percent { group } } else { SeriesStacking::Normal { group } }
    });
    let width = number(at(json, "linewidth")).map(|width| width.clamp(0.0, 20.0) as u8);
    DrawOptions {
        style: Some(style),
        fill: Some(if has_bars { 100 } else { tenths(at(json, "fill")).unwrap_or(10) }),
        line_width: if has_lines || has_bars { width.or(Some(1)) } else { Some(0) },
        stacking,
        log_base: number(at(left, "logBase")).filter(|base| *base > 1.0),
        spans_nulls: match word(at(json, "nullPointMode")) {
            "connected" => Some(true),
            "null" | "null as zero" => Some(false),
            _ => None,
        },
        axis_label: text(at(left, "label")),
        ..DrawOptions::default()
    }
}

fn legend(json: &Value) -> LegendOptions {
    let legend = at(json, "legend");
    let is = |key: &str| flag(at(legend, key)).unwrap_or(false);
    let columns = [
        ("min", Reducer::Min),
        ("max", Reducer::Max),
        ("avg", Reducer::Mean),
        ("current", Reducer::LastNotNull),
        ("total", Reducer::Sum),
    ];
    let shows_values = flag(at(legend, "values")).unwrap_or(true);
    let values =
        columns.iter().filter(|(key, _)| shows_values && is(key)).map(|(_, reducer)| *reducer).collect();
    LegendOptions {
        is_shown: flag(at(legend, "show")).unwrap_or(true),
        is_table: is("alignAsTable"),
        is_right: is("rightSide"),
        values,
        sort: Reducer::from_id(word(at(legend, "sort"))).map(|reducer| (reducer, direction(is("sortDesc")))),
    }
}

/// The thresholds of a graph: each colours the values above (`gt`) or below (`lt`) it.
fn thresholds(list: &[Value]) -> Option<(ColourThresholds, ThresholdStyle)> {
    let mut steps = vec![ThresholdStep { from: None, colour: GrafanaColour::Transparent }];
    let (mut has_area, mut has_line) = (false, false);
    let mut sorted: Vec<(f64, &Value)> =
        list.iter().filter_map(|one| Some((number(at(one, "value"))?, one))).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (index, (value, one)) in sorted.iter().enumerate() {
        let colour = match word(at(one, "colorMode")) {
            "critical" => GrafanaColour::Red,
            "warning" => GrafanaColour::Orange,
            "ok" => GrafanaColour::Green,
            _ => {
                let named = ["fillColor", "lineColor"].iter().find_map(|key| colour(word(at(one, key))));
                named.unwrap_or(GrafanaColour::Red)
            }
        };
        has_area |= flag(at(one, "fill")).unwrap_or(false);
        has_line |= flag(at(one, "line")).unwrap_or(false);
        if word(at(one, "op")) == "lt" {
            if let Some(below) = steps.last_mut() {
                below.colour = colour;
            }
            let next = sorted.get(index + 1).is_some_and(|(_, next)| word(at(next, "op")) == "lt");
            let above = if next { colour } else { GrafanaColour::Transparent };
            steps.push(ThresholdStep { from: Some(*value), colour: above });
        } else {
            steps.push(ThresholdStep { from: Some(*value), colour });
        }
    }
    let style = match (has_area, has_line) {
        (true, true) => ThresholdStyle::LineAndArea,
        (true, false) => ThresholdStyle::Area,
        (false, true) => ThresholdStyle::Line,
        (false, false) => ThresholdStyle::Off,
    };
    (steps.len() > 1).then_some((ColourThresholds { steps, is_percent: false }, style))
}
