//! Options of the gauge, bar gauge and stat panels of Grafana 6, which are in `options`, not in `fieldConfig`.

use serde_json::Value;

use super::super::fields;
use super::super::json::{at, text};
use super::super::mappings::mappings;
use crate::model::dashboard::panel::Panel;

pub(in super::super) fn options(panel: &mut Panel, json: &Value) {
    let options = at(json, "options");
    let field = at(options, "fieldOptions");
    let value = at(options, "valueOptions");
    if !field.is_object() && !value.is_object() {
        return;
    }
    let of = if field.is_object() { field } else { options };
    let defaults = fields::options(at(field, "defaults"));
    let has_own = at(at(json, "fieldConfig"), "defaults").is_object();
    if !has_own {
        panel.options = defaults;
    }
    let out = &mut panel.options;
    out.unit = out.unit.take().or_else(|| text(at(value, "unit")));
    out.decimals = out.decimals.or(fields::decimals(at(value, "decimals")));
    out.min = out.min.or(super::super::json::number(at(options, "minValue")));
    out.max = out.max.or(super::super::json::number(at(options, "maxValue")));
    out.thresholds = out.thresholds.take().or_else(|| fields::thresholds(at(of, "thresholds")));
    if out.mappings.is_empty() {
        out.mappings = mappings(at(of, "mappings"));
    }
    if out.mappings.is_empty() {
        out.mappings = mappings(at(options, "valueMappings"));
    }
    if panel.overrides.is_empty() {
        panel.overrides = fields::overrides(at(field, "overrides"));
    }
}
