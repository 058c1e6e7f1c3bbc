//! Options of fields (`fieldConfig`): units, thresholds, colours, how series are drawn, and overrides.

use serde_json::{Map, Value};

use super::colours::colour;
use super::json::{at, below, flag, list, number, text, whole, without_slashes, word};
use super::links::links;
use super::mappings::mappings;
use crate::model::dashboard::field::{
    CellKind, ColourThresholds, ColumnAlign, DrawOptions, DrawStyle, FieldColour, FieldKind, FieldMatcher,
    FieldOptions, FieldOverride, GrafanaColour, HiddenFrom, Reducer, SeriesStacking, ThresholdStep,
    ThresholdStyle,
};
use crate::model::labels::Text;

/// The options of `fieldConfig.defaults`, or those that the properties of an override make.
pub(super) fn options(defaults: &Value) -> FieldOptions {
    let custom = at(defaults, "custom");
    FieldOptions {
        unit: text(at(defaults, "unit")),
        decimals: decimals(at(defaults, "decimals")),
        min: number(at(defaults, "min")),
        max: number(at(defaults, "max")),
        display_name: text(at(defaults, "displayName")).or_else(|| text(at(defaults, "title"))),
        no_value: text(at(defaults, "noValue")),
        thresholds: thresholds(at(defaults, "thresholds")),
        mappings: mappings(at(defaults, "mappings")),
        colour: field_colour(at(defaults, "color")),
        draw: draw(custom),
        links: links(at(defaults, "links")),
        is_hidden: flag(at(custom, "hidden")).or_else(|| flag(below(custom, &["hideFrom", "viz"]))),
        hidden_from: hidden_from(at(custom, "hideFrom")),
        width: whole(at(custom, "width")).filter(|width| *width > 0),
        align: match word(at(custom, "align")) {
            "left" => Some(ColumnAlign::Left),
            "center" => Some(ColumnAlign::Centre),
            "right" => Some(ColumnAlign::Right),
            _ => None,
        },
        cell: cell(custom),
    }
}

/// Up to 20 decimals; negative numbers are none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of the type"
)]
pub(super) fn decimals(value: &Value) -> Option<u8> {
    number(value).map(|decimals| decimals.clamp(0.0, 20.0) as u8)
}

fn hidden_from(value: &Value) -> Option<HiddenFrom> {
    let is = |key: &str| flag(at(value, key)).unwrap_or(false);
    // `graph` is the name of Grafana 7
    value.is_object().then(|| HiddenFrom { picture: is("viz") || is("graph"), legend: is("legend") })
}

fn cell(custom: &Value) -> Option<CellKind> {
    let named =
        below(custom, &["cellOptions", "type"]).as_str().or_else(|| at(custom, "displayMode").as_str());
    Some(match named? {
        "auto" => CellKind::Automatic,
        "color-text" => CellKind::ColouredText,
        "color-background" | "color-background-solid" => CellKind::ColouredBackground,
        "gauge" | "gradient-gauge" | "lcd-gauge" | "basic" => CellKind::Gauge,
        "sparkline" => CellKind::Sparkline,
        "json-view" => CellKind::Json,
        _ => CellKind::Other,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of the type"
)]
fn draw(custom: &Value) -> DrawOptions {
    let percent = |value: &Value| number(value).map(|number| number.clamp(0.0, 100.0) as u8);
    let scale = at(custom, "scaleDistribution");
    let is_log = matches!(word(at(scale, "type")), "log" | "symlog");
    DrawOptions {
        style: match word(at(custom, "drawStyle")) {
            "line" => Some(DrawStyle::Line),
            "bars" => Some(DrawStyle::Bars),
            "points" => Some(DrawStyle::Points),
            _ => None,
        },
        fill: percent(at(custom, "fillOpacity")),
        line_width: percent(at(custom, "lineWidth")),
        stacking: stacking(at(custom, "stacking")),
        is_negative: (word(at(custom, "transform")) == "negative-Y").then_some(true),
        is_right: match word(at(custom, "axisPlacement")) {
            "right" => Some(true),
            "left" => Some(false),
            _ => None,
        },
        log_base: is_log.then(|| number(at(scale, "log")).filter(|base| *base > 1.0).unwrap_or(10.0)),
        spans_nulls: match at(custom, "spanNulls") {
            // a number is the longest gap in milliseconds
            Value::Number(_) => Some(true),
            other => flag(other),
        },
        threshold_style: match word(below(custom, &["thresholdsStyle", "mode"])) {
            "off" | "series" => Some(ThresholdStyle::Off),
            "line" | "dashed" => Some(ThresholdStyle::Line),
            "area" => Some(ThresholdStyle::Area),
            "line+area" | "dashed+area" => Some(ThresholdStyle::LineAndArea),
            _ => None,
        },
        soft_min: number(at(custom, "axisSoftMin")),
        soft_max: number(at(custom, "axisSoftMax")),
        axis_label: text(at(custom, "axisLabel")),
    }
}

fn stacking(value: &Value) -> Option<SeriesStacking> {
    let group = text(at(value, "group")).unwrap_or_else(|| "A".into());
    match value {
        Value::Bool(true) => Some(SeriesStacking::Normal { group }),
        _ => match word(at(value, "mode")) {
            "normal" => Some(SeriesStacking::Normal { group }),
            "percent" => Some(SeriesStacking::Percent { group }),
            "none" => Some(SeriesStacking::None),
            _ => None,
        },
    }
}

/// `{mode, steps}`, or the list of steps of Grafana 6.
pub(super) fn thresholds(value: &Value) -> Option<ColourThresholds> {
    let steps = if value.is_array() { value } else { at(value, "steps") };
    let step = |step: &Value| {
        Some(ThresholdStep { from: number(at(step, "value")), colour: colour(word(at(step, "color")))? })
    };
    let mut steps: Vec<ThresholdStep> = list(steps).iter().filter_map(step).collect();
    if steps.is_empty() {
        return None;
    }
    steps.sort_by(|a, b| a.from.unwrap_or(f64::NEG_INFINITY).total_cmp(&b.from.unwrap_or(f64::NEG_INFINITY)));
    // values below the first step have its colour
    if let Some(first) = steps.first_mut() {
        first.from = None;
    }
    Some(ColourThresholds { steps, is_percent: word(at(value, "mode")) == "percentage" })
}

fn field_colour(value: &Value) -> Option<FieldColour> {
    use GrafanaColour::{Blue, Green, Orange, Purple, Red, Yellow};
    let fixed = || colour(word(at(value, "fixedColor"))).unwrap_or(GrafanaColour::Plain);
    let mode = word(at(value, "mode"));
    Some(match mode {
        "fixed" | "shades" => FieldColour::Fixed(fixed()),
        "thresholds" => FieldColour::Thresholds,
        "palette-classic" => FieldColour::PaletteByOrder,
        "palette-classic-by-name" => FieldColour::PaletteByName,
        "continuous-GrYlRd" => FieldColour::Gradient(vec![Green, Yellow, Red]),
        "continuous-RdYlGr" => FieldColour::Gradient(vec![Red, Yellow, Green]),
        "continuous-BlYlRd" => FieldColour::Gradient(vec![Blue, Yellow, Red]),
        "continuous-YlRd" => FieldColour::Gradient(vec![Yellow, Red]),
        "continuous-BlPu" => FieldColour::Gradient(vec![Blue, Purple]),
        "continuous-YlBl" => FieldColour::Gradient(vec![Yellow, Blue]),
        "continuous-blues" => FieldColour::Gradient(vec![GrafanaColour::Rgb(0x1f, 0x29, 0x3b), Blue]),
        "continuous-reds" => FieldColour::Gradient(vec![GrafanaColour::Rgb(0x36, 0x1d, 0x22), Red]),
        "continuous-greens" => FieldColour::Gradient(vec![GrafanaColour::Rgb(0x20, 0x30, 0x22), Green]),
        "continuous-purples" => FieldColour::Gradient(vec![GrafanaColour::Rgb(0x2b, 0x22, 0x38), Purple]),
        _ if mode.starts_with("continuous-") => FieldColour::Gradient(vec![Green, Yellow, Orange, Red]),
        _ => return None,
    })
}

/// `fieldConfig.overrides`, in their order.
pub(super) fn overrides(value: &Value) -> Vec<FieldOverride> {
    let one = |over: &Value| {
        let options = options(&properties(at(over, "properties")));
        FieldOverride { of: matcher(at(over, "matcher")), options }
    };
    list(value).iter().filter(|over| over.is_object()).map(one).collect()
}

/// The properties of an override as the object of defaults that they change.
fn properties(value: &Value) -> Value {
    let mut defaults = Map::new();
    let mut custom = Map::new();
    for property in list(value) {
        // `path` and `prop` are of Grafana 6 and 7.0
        let id = ["id", "path", "prop"].iter().find_map(|key| at(property, key).as_str()).unwrap_or("");
        let value = at(property, "value").clone();
        match id.strip_prefix("custom.") {
            Some(rest) => insert(&mut custom, rest, value),
            None => insert(&mut defaults, id, value),
        }
    }
    if !custom.is_empty() {
        defaults.insert("custom".to_owned(), Value::Object(custom));
    }
    Value::Object(defaults)
}

/// Sets a key; `a.b` is `b` inside `a`.
fn insert(object: &mut Map<String, Value>, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            object.insert(key.to_owned(), value);
        }
        Some((outer, inner)) => {
            let nested = object.entry(outer).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(nested) = nested {
                nested.insert(inner.to_owned(), value);
            }
        }
    }
}

/// Which fields an override or a filter is for.
pub(super) fn matcher(value: &Value) -> FieldMatcher {
    let options = at(value, "options");
    let named = || text(options).unwrap_or_else(|| "".into());
    match word(at(value, "id")) {
        "byName" => FieldMatcher::Name(named()),
        "byNames" => FieldMatcher::Names {
            names: texts(if options.is_array() { options } else { at(options, "names") }),
            is_excluded: word(at(options, "mode")) == "exclude",
        },
        "byRegexp" => FieldMatcher::Pattern(without_slashes(&named())),
        "byRegexpOrNames" => FieldMatcher::Names { names: texts(at(options, "names")), is_excluded: false },
        "byFrameRefID" | "byRefId" => FieldMatcher::RefId(named()),
        "byType" | "byTypes" => match kind(word(options)) {
            Some(kind) => FieldMatcher::Kind(kind),
            None => FieldMatcher::Unknown("byType".into()),
        },
        "numeric" => FieldMatcher::Numeric,
        "first" => FieldMatcher::First,
        "firstTimeField" => FieldMatcher::FirstTime,
        "byValue" => FieldMatcher::Value {
            reducer: Reducer::from_id(word(at(options, "reducer"))).unwrap_or(Reducer::LastNotNull),
            op: text(at(options, "op")).unwrap_or_else(|| "==".into()),
            value: text(at(options, "value")).unwrap_or_else(|| "0".into()),
        },
        other => FieldMatcher::Unknown(other.into()),
    }
}

/// The type of a field by Grafana's name.
pub(super) fn kind(name: &str) -> Option<FieldKind> {
    match name {
        "time" => Some(FieldKind::Time),
        "number" => Some(FieldKind::Number),
        "string" | "enum" => Some(FieldKind::Text),
        "boolean" => Some(FieldKind::Bool),
        _ => None,
    }
}

/// The texts of a list.
pub(super) fn texts(value: &Value) -> Vec<Text> {
    list(value).iter().filter_map(text).collect()
}
