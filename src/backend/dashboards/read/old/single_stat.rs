//! The `singlestat` panel as a stat or a gauge.

use serde_json::Value;

use super::super::fields::{colour, decimals};
use super::super::json::{at, below, flag, list, number, text, word};
use super::super::mappings::value_maps;
use crate::model::dashboard::field::{ColourThresholds, FieldColour, Reducer, ThresholdStep};
use crate::model::dashboard::panel::{Panel, PanelKind, ReduceOptions, StatColour, StatText};

pub(in super::super) fn migrate(panel: &mut Panel, json: &Value) {
    let options = &mut panel.options;
    options.unit = options.unit.take().or_else(|| text(at(json, "format")).filter(|unit| **unit != *"none"));
    options.decimals = options.decimals.or(decimals(at(json, "decimals")));
    let null_text = text(at(json, "nullText")).filter(|text| **text != *"N/A");
    options.no_value = options.no_value.take().or(null_text);
    if options.mappings.is_empty() {
        options.mappings = value_maps(json, "value");
    }
    options.thresholds = options.thresholds.take().or_else(|| thresholds(json));
    options.colour = options.colour.take().or(Some(FieldColour::Thresholds));
    let name = word(at(json, "valueName"));
    let column = text(at(json, "tableColumn"));
    let reduce = ReduceOptions {
        all_values: false,
        limit: None,
        // `name` shows the name of the series, `last_time` the time of its last value
        reducer: Reducer::from_id(name).unwrap_or(if name.is_empty() {
            Reducer::Mean
        } else {
            Reducer::LastNotNull
        }),
        fields: column,
    };
    let gauge = at(json, "gauge");
    if flag(at(gauge, "show")).unwrap_or(false) {
        options.min = options.min.or(number(at(gauge, "minValue")));
        options.max = options.max.or(number(at(gauge, "maxValue")));
        panel.kind = PanelKind::Gauge { reduce };
        return;
    }
    let is = |key: &str| flag(at(json, key)).unwrap_or(false);
    panel.kind = PanelKind::Stat {
        reduce,
        colour: match (is("colorBackground"), is("colorValue")) {
            (true, _) => StatColour::Background,
            (false, true) => StatColour::Value,
            (false, false) => StatColour::None,
        },
        has_sparkline: flag(below(json, &["sparkline", "show"])).unwrap_or(false),
        text: if name == "name" { StatText::Name } else { StatText::Automatic },
    };
}

/// `thresholds: "50,80"` with three `colors`: below, between and above.
fn thresholds(json: &Value) -> Option<ColourThresholds> {
    let written = at(json, "thresholds").as_str()?;
    let limits: Vec<Option<f64>> = written.split(',').map(|limit| limit.trim().parse().ok()).collect();
    let colours = list(at(json, "colors"));
    let step = |(index, colour_name): (usize, &Value)| {
        let from = match index {
            0 => None,
            above => Some(limits.get(above - 1).copied().flatten()?),
        };
        Some(ThresholdStep { from, colour: colour(word(colour_name))? })
    };
    let mut steps: Vec<ThresholdStep> = colours.iter().enumerate().filter_map(step).collect();
    steps.sort_by(|a, b| a.from.unwrap_or(f64::NEG_INFINITY).total_cmp(&b.from.unwrap_or(f64::NEG_INFINITY)));
    (!steps.is_empty()).then_some(ColourThresholds { steps, is_percent: false })
}
