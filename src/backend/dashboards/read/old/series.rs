//! `aliasColors` and `seriesOverrides` of old graphs as overrides of fields.

use serde_json::Value;

use super::super::colours::colour;
use super::super::fields::decimals;
use super::super::json::{at, flag, number, text, without_slashes, word};
use crate::model::dashboard::field::{
    DrawOptions, DrawStyle, FieldColour, FieldMatcher, FieldOptions, FieldOverride, HiddenFrom,
    SeriesStacking,
};

/// `right` is the right axis: its unit and limits are those of the series on it.
pub(super) fn overrides(json: &Value, right: &Value) -> Vec<FieldOverride> {
    let colours = at(json, "aliasColors").as_object().into_iter().flatten();
    let mut out: Vec<FieldOverride> = colours
        .filter_map(|(alias, named)| {
            let colour = FieldColour::Fixed(colour(word(named))?);
            let options = FieldOptions { colour: Some(colour), ..FieldOptions::default() };
            Some(FieldOverride { of: FieldMatcher::Name(alias.as_str().into()), options })
        })
        .collect();
    for series in super::super::json::list(at(json, "seriesOverrides")) {
        let Some(alias) = text(at(series, "alias")) else { continue };
        let is_pattern = alias.len() > 2 && alias.starts_with('/') && alias.rfind('/') > Some(0);
        let of = if is_pattern {
            FieldMatcher::Pattern(without_slashes(&alias))
        } else {
            FieldMatcher::Name(alias)
        };
        out.push(FieldOverride { of, options: options(series, right) });
    }
    out
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of the type"
)]
fn options(series: &Value, right: &Value) -> FieldOptions {
    let is = |key: &str| flag(at(series, key));
    let is_right = number(at(series, "yaxis")) == Some(2.0);
    let limit = |key: &str| is_right.then(|| number(at(right, key))).flatten();
    let style = match (is("bars"), is("lines"), is("points")) {
        (Some(true), _, _) => Some(DrawStyle::Bars),
        (_, Some(true), _) => Some(DrawStyle::Line),
        (_, Some(false), Some(true)) => Some(DrawStyle::Points),
        _ => None,
    };
    let no_line = is("lines") == Some(false) && style.is_none();
    let width = number(at(series, "linewidth")).map(|width| width.clamp(0.0, 20.0) as u8);
    FieldOptions {
        unit: is_right.then(|| text(at(right, "format"))).flatten(),
        decimals: is_right.then(|| decimals(at(right, "decimals"))).flatten(),
        min: limit("min"),
        max: limit("max"),
        colour: colour(word(at(series, "color"))).map(FieldColour::Fixed),
        hidden_from: match (is("hiddenSeries"), is("legend")) {
            (Some(true), legend) => Some(HiddenFrom { picture: true, legend: legend == Some(false) }),
            (_, Some(false)) => Some(HiddenFrom { picture: false, legend: true }),
            _ => None,
        },
        draw: DrawOptions {
            style,
            fill: number(at(series, "fill")).map(|fill| (fill * 10.0).clamp(0.0, 100.0) as u8),
            line_width: if no_line { Some(0) } else { width },
            stacking: stacking(at(series, "stack")),
            is_negative: (word(at(series, "transform")) == "negative-Y").then_some(true),
            is_right: number(at(series, "yaxis")).map(|axis| (axis - 2.0).abs() < f64::EPSILON),
            axis_label: is_right.then(|| text(at(right, "label"))).flatten(),
            ..DrawOptions::default()
        },
        ..FieldOptions::default()
    }
}

/// `true`, `false`, or the name of a group.
fn stacking(value: &Value) -> Option<SeriesStacking> {
    match flag(value) {
        Some(false) => Some(SeriesStacking::None),
        Some(true) => Some(SeriesStacking::Normal { group: "A".into() }),
        None => text(value).map(|group| SeriesStacking::Normal { group }),
    }
}
