//! The heat map of Grafana 8 and before.

use serde_json::Value;

use super::super::fields::decimals;
use super::super::json::{at, number, text, word};
use crate::model::dashboard::panel::{Panel, PanelKind};

pub(in super::super) fn migrate(panel: &mut Panel, json: &Value) {
    let axis = at(json, "yAxis");
    let options = &mut panel.options;
    options.unit = options.unit.take().or_else(|| text(at(axis, "format")));
    options.decimals = options.decimals.or(decimals(at(axis, "decimals")));
    options.min = options.min.or(number(at(axis, "min")));
    options.max = options.max.or(number(at(axis, "max")));
    // time series are counted into buckets; with `tsbuckets` each series is a bucket
    panel.kind = PanelKind::Heatmap { calculates: word(at(json, "dataFormat")) != "tsbuckets" };
}
