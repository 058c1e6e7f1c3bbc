//! Panels of plug-ins that Grafana replaced.

use serde_json::{Value, json};

use super::{kind_name, legend_text, of, only};
use crate::model::dashboard::field::{
    CellKind, DrawStyle, FieldColour, FieldMatcher, GrafanaColour, MappedValue, Reducer, SeriesStacking,
    ThresholdStyle,
};
use crate::model::dashboard::panel::{GridPlace, PanelKind, StatColour, StatText};
use crate::model::dashboard::transformation::TransformationStep;

#[test]
fn a_graph_is_read_as_a_time_series() {
    let panel = only(
        &json!({ "type": "graph", "id": 3, "fill": 2, "linewidth": 3, "stack": true, "percentage": true, "bars": true,
        "nullPointMode": "connected", "legend": { "show": true, "alignAsTable": true, "values": true, "avg": true, "current": true, "sort": "current", "sortDesc": true },
        "yaxes": [{ "format": "bytes", "min": "0", "max": null, "logBase": 10, "label": "memory" }, { "format": "percentunit", "max": "1" }],
        "aliasColors": { "errors": "#E02F44" },
        "seriesOverrides": [{ "alias": "/limit.*/", "yaxis": 2, "fill": 0, "stack": false, "transform": "negative-Y", "lines": true }, { "alias": "total", "hiddenSeries": true }],
        "thresholds": [{ "value": 80, "op": "gt", "colorMode": "critical", "fill": true, "line": true }, { "value": 10, "op": "lt", "colorMode": "warning", "fill": true }] }),
    );
    let PanelKind::TimeSeries { legend } = &panel.kind else { panic!("{:?}", panel.kind) };
    assert_eq!(legend_text(legend), "table:mean:lastNotNull");
    assert_eq!(legend.sort.map(|(reducer, _)| reducer), Some(Reducer::LastNotNull));
    let options = &panel.options;
    assert_eq!((options.unit.as_deref(), options.min, options.max), (Some("bytes"), Some(0.0), None));
    let draw = &options.draw;
    assert_eq!(
        (draw.style, draw.log_base, draw.spans_nulls),
        (Some(DrawStyle::Bars), Some(10.0), Some(true))
    );
    assert_eq!(draw.stacking, Some(SeriesStacking::Percent { group: "A".into() }));
    assert_eq!(draw.threshold_style, Some(ThresholdStyle::LineAndArea));
    let steps: Vec<_> =
        options.thresholds.as_ref().unwrap().steps.iter().map(|step| (step.from, step.colour)).collect();
    let expected = [
        (None, GrafanaColour::Orange),
        (Some(10.0), GrafanaColour::Transparent),
        (Some(80.0), GrafanaColour::Red),
    ];
    assert_eq!(steps, expected);
    let [colour, limit, total] = panel.overrides.as_slice() else { panic!() };
    assert_eq!(
        (&colour.of, &colour.options.colour),
        (
            &FieldMatcher::Name("errors".into()),
            &Some(FieldColour::Fixed(GrafanaColour::Rgb(0xe0, 0x2f, 0x44)))
        )
    );
    assert_eq!(
        (&limit.of, limit.options.unit.as_deref(), limit.options.max),
        (&FieldMatcher::Pattern("limit.*".into()), Some("percentunit"), Some(1.0))
    );
    assert_eq!(
        (limit.options.draw.is_right, limit.options.draw.is_negative, &limit.options.draw.stacking),
        (Some(true), Some(true), &Some(SeriesStacking::None))
    );
    assert!(total.options.hidden_from.unwrap().picture);
}

#[test]
fn a_graph_over_series_is_a_bar_gauge_and_one_of_buckets_a_histogram() {
    let of_mode =
        |mode: &str| only(&json!({ "type": "graph", "xaxis": { "mode": mode, "values": ["max"] } })).kind;
    assert!(
        matches!(of_mode("series"), PanelKind::BarGauge { reduce, .. } if reduce.reducer == Reducer::Max)
    );
    assert_eq!(kind_name(&of_mode("histogram")), "Histogram");
}

#[test]
fn a_single_stat_is_a_stat_or_a_gauge_with_its_thresholds_and_texts() {
    let json = json!({ "type": "singlestat", "format": "percentunit", "decimals": 1, "valueName": "current", "thresholds": "0.5,0.8",
        "colors": ["#299c46", "rgba(237, 129, 40, 0.89)", "red"], "colorBackground": true, "sparkline": { "show": true }, "nullText": "none yet",
        "mappingType": 1, "valueMaps": [{ "value": "null", "text": "N/A" }, { "value": "1", "text": "UP" }] });
    let panel = only(&json);
    let PanelKind::Stat { reduce, colour, has_sparkline, text } = &panel.kind else { panic!() };
    assert_eq!(
        (reduce.reducer, *colour, *has_sparkline, *text),
        (Reducer::LastNotNull, StatColour::Background, true, StatText::Automatic)
    );
    let options = &panel.options;
    assert_eq!(
        (options.unit.as_deref(), options.decimals, options.no_value.as_deref()),
        (Some("percentunit"), Some(1), Some("none yet"))
    );
    let steps: Vec<_> = options.thresholds.as_ref().unwrap().steps.iter().map(|step| step.from).collect();
    assert_eq!(steps, [None, Some(0.5), Some(0.8)]);
    assert!(matches!(&options.mappings[1].of, MappedValue::Exactly(value) if &**value == "1"));
    let mut gauge: Value = json;
    gauge["gauge"] = json!({ "show": true, "minValue": 0, "maxValue": 100 });
    let panel = only(&gauge);
    assert_eq!((kind_name(&panel.kind).as_str(), panel.options.max), ("Gauge", Some(100.0)));
}

#[test]
fn an_old_table_has_its_styles_as_overrides() {
    let panel = only(
        &json!({ "type": "table", "transform": "timeseries_aggregations", "columns": [{ "text": "Avg", "value": "avg" }, { "text": "Max", "value": "max" }],
        "sort": { "col": 1, "desc": true }, "styles": [
        { "pattern": "Time", "type": "date", "dateFormat": "YYYY-MM-DD" }, { "pattern": "/^hidden/", "type": "hidden" },
        { "pattern": "Value", "type": "number", "unit": "s", "decimals": 2, "alias": "Latency", "colorMode": "cell", "colors": ["green", "orange", "red"], "thresholds": ["1", "5"] },
        { "pattern": "/.*/", "type": "number", "unit": "short" },
    ] }),
    );
    let find = |matcher: &FieldMatcher| panel.overrides.iter().find(|one| one.of == *matcher).unwrap();
    assert_eq!(find(&FieldMatcher::Name("Time".into())).options.unit.as_deref(), Some("time:YYYY-MM-DD"));
    assert_eq!(find(&FieldMatcher::Pattern("^hidden".into())).options.is_hidden, Some(true));
    let value = &find(&FieldMatcher::Name("Value".into())).options;
    assert_eq!(
        (value.display_name.as_deref(), value.cell),
        (Some("Latency"), Some(CellKind::ColouredBackground))
    );
    assert_eq!(value.thresholds.as_ref().unwrap().steps[2].from, Some(5.0));
    assert_eq!(panel.options.unit.as_deref(), Some("short"));
    let TransformationStep::Reduce { reducers, .. } = &panel.transformations[0].step else { panic!() };
    assert_eq!(reducers, &[Reducer::Mean, Reducer::Max]);
    assert!(matches!(&panel.kind, PanelKind::Table { sort: Some((name, _)), .. } if &**name == "Max"));
}

#[test]
fn options_of_grafana_six_are_read() {
    let panel = only(
        &json!({ "type": "bargauge", "options": { "fieldOptions": { "calcs": ["max"], "defaults": { "unit": "ms", "max": 9 },
        "thresholds": [{ "color": "green", "index": 0, "value": null }, { "color": "red", "index": 1, "value": 80 }],
        "mappings": [{ "type": 2, "from": "1", "to": "2", "text": "low" }] } } }),
    );
    assert!(matches!(&panel.kind, PanelKind::BarGauge { reduce, .. } if reduce.reducer == Reducer::Max));
    assert_eq!((panel.options.unit.as_deref(), panel.options.max), (Some("ms"), Some(9.0)));
    assert_eq!(panel.options.thresholds.as_ref().unwrap().steps.len(), 2);
    assert_eq!(panel.options.mappings[0].of, MappedValue::Range { from: Some(1.0), to: Some(2.0) });
    let panel = only(
        &json!({ "type": "gauge", "options": { "minValue": 5, "maxValue": "10", "valueOptions": { "unit": "s", "stat": "avg", "decimals": 2 },
        "thresholds": [{ "color": "blue", "value": null }] } }),
    );
    assert!(matches!(&panel.kind, PanelKind::Gauge { reduce } if reduce.reducer == Reducer::Mean));
    assert_eq!(
        (panel.options.unit.as_deref(), panel.options.max, panel.options.decimals),
        (Some("s"), Some(10.0), Some(2))
    );
}

#[test]
fn rows_of_version_four_flow_beside_each_other() {
    let panel = |id: u32, span: u32| json!({ "id": id, "type": "graph", "span": span });
    let dashboard = of(&json!({ "title": "old", "schemaVersion": 4, "rows": [
        { "title": "One", "height": "250px", "showTitle": true, "panels": [panel(1, 8), panel(2, 4), panel(3, 12)] },
        { "title": "Two", "height": 100, "collapse": true, "repeat": "host", "panels": [panel(4, 6)] },
    ] }));
    let places: Vec<GridPlace> = dashboard.sections[0].panels.iter().map(|panel| panel.place).collect();
    let place = |x, y, width, height| GridPlace { x, y, width, height };
    assert_eq!(places, [place(0, 1, 16, 7), place(16, 1, 8, 7), place(0, 8, 24, 7)]);
    let second = &dashboard.sections[1];
    assert_eq!(
        (second.title.as_deref(), second.is_collapsed, second.repeat.as_deref()),
        (Some("Two"), true, Some("host"))
    );
    assert_eq!(dashboard.schema_version, Some(4));
}

#[test]
fn copies_that_a_repeat_saved_are_left_out() {
    let dashboard = of(&json!({ "panels": [
        { "id": 1, "type": "stat", "repeat": "pod", "maxPerRow": 6 }, { "id": 2, "type": "stat", "repeatPanelId": 1 }, { "id": 3, "type": "stat", "repeatPanelId": 77 },
    ] }));
    let ids: Vec<u32> = dashboard.sections[0].panels.iter().map(|panel| panel.id).collect();
    assert_eq!(ids, [1, 3]);
    assert_eq!(dashboard.sections[0].panels[0].repeat.as_ref().unwrap().per_row, 6);
}
