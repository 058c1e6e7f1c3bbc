//! The queries of panels and variables by tables of cases, and the shapes of their frames.

use serde_json::json;

use super::frames::{PanelSeries, SeriesNaming, display_name, of_series};
use super::shapes::shaped;
use super::variables::{VariableSearch, plain_values};
use super::*;
use crate::model::dashboard::DataSourceRef;
use crate::model::frame::{DataFrame, FieldValues};
use crate::model::labels::Labels;

fn subquery(json: &Value) -> PanelSubquery {
    PanelSubquery { ref_id: "A".into(), data_source: DataSourceRef::default(), json: json.to_string().into() }
}

fn target(json: &Value) -> PanelTarget {
    PanelTarget::read(&subquery(json)).unwrap()
}

/// An hour in steps of 15 seconds that ends at 12:00:05, before it is rounded.
fn hour() -> TimeGrid {
    TimeGrid::stepped(
        "2026-03-01T12:00:05Z".parse().unwrap(),
        Duration::from_secs(3600),
        Duration::from_secs(15),
    )
}

#[test]
fn the_step_of_a_query_is_that_of_the_panel_its_least_interval_and_its_factor() {
    for (query, step, rate) in [
        (json!({"expr": "x"}), 15, 60),
        (json!({"expr": "x", "interval": ""}), 15, 60),
        (json!({"expr": "x", "interval": "1m"}), 60, 240),
        (json!({"expr": "x", "interval": ">1m"}), 60, 240),
        (json!({"expr": "x", "interval": "60"}), 60, 240),
        (json!({"expr": "x", "interval": "5s"}), 15, 20),
        (json!({"expr": "x", "intervalFactor": 2}), 30, 60),
        (json!({"expr": "x", "intervalFactor": "3"}), 45, 60),
        (json!({"expr": "x", "resolution": 4}), 60, 60),
        (json!({"expr": "x", "interval": "1m", "intervalFactor": 2}), 120, 240),
        (json!({"expr": "x", "interval": "$__rate_interval"}), 60, 60),
        (json!({"expr": "x", "interval": "$nobody_replaced", "intervalFactor": 0}), 15, 60),
        (json!({"expr": "x", "step": "40s"}), 40, 60),
        // `step` of Prometheus is what an old version worked out, and not used
        (json!({"expr": "x", "step": 240}), 15, 60),
        (json!({"expr": "x", "step": "1500ms"}), 2, 60),
        (json!({"expr": "x", "interval": "1e300", "intervalFactor": 1e30}), 15, 60),
    ] {
        let (grid, variables) = target(&query).grid(hour(), SCRAPE_INTERVAL);
        assert_eq!(grid.step().as_secs(), step, "{query}");
        assert_eq!(variables.rate_interval.as_secs(), rate, "{query}");
        assert_eq!(grid.end().as_second() % i64::try_from(step).unwrap(), 0, "{query}");
        assert!(grid.count() <= 11_001, "{query}");
    }
}

#[test]
fn a_query_is_a_range_unless_it_is_only_of_a_moment() {
    for (query, is_instant, is_range) in [
        (json!({"expr": "x"}), false, true),
        (json!({"expr": "x", "instant": true}), true, false),
        (json!({"expr": "x", "instant": true, "range": true}), true, true),
        (json!({"expr": "x", "instant": false, "range": false}), false, true),
        (json!({"expr": "x", "instant": null, "range": "true"}), false, true),
        (json!({"expr": "x", "queryType": "instant"}), true, false),
        (json!({"expr": "x", "queryType": "range"}), false, true),
    ] {
        let read = target(&query);
        assert_eq!((read.is_instant, read.is_range), (is_instant, is_range), "{query}");
    }
}

#[test]
fn a_query_that_cannot_be_read_says_why() {
    for (json, why) in [
        ("{", "the query is no JSON"),
        ("[]", "the query has no expression"),
        ("{\"expr\": \"  \"}", "the query has no expression"),
        ("{\"expr\": {}}", "the query has no expression"),
    ] {
        let query = PanelSubquery { json: json.into(), ..subquery(&json!(null)) };
        let said = PanelTarget::read(&query).unwrap_err();
        assert!(said.starts_with(why), "{json}: {said}");
    }
}

#[test]
fn series_have_the_names_that_grafana_gives_them() {
    let labels = Labels::from_iter([("__name__", "up"), ("job", "a\"b")]);
    let none = Labels::default();
    let only_name = Labels::from_iter([("__name__", "up")]);
    for (legend, labels, naming, name) in [
        ("", &labels, SeriesNaming::Metric, Some("up{job=\"a\\\"b\"}")),
        ("", &only_name, SeriesNaming::Metric, Some("up")),
        ("", &none, SeriesNaming::Metric, Some("sum(x)")),
        ("__auto", &labels, SeriesNaming::Metric, None),
        ("__auto", &none, SeriesNaming::Metric, Some("sum(x)")),
        ("{{job}} of {{ __name__ }}{{gone}}.", &labels, SeriesNaming::Metric, Some("a\"b of up.")),
        ("{{job", &labels, SeriesNaming::Metric, Some("{{job")),
        ("fixed", &none, SeriesNaming::Metric, Some("fixed")),
        ("{{gone}}", &labels, SeriesNaming::Metric, None),
        (
            "",
            &Labels::from_iter([("app", "x"), ("level", "y")]),
            SeriesNaming::Labels,
            Some("{app=\"x\", level=\"y\"}"),
        ),
        ("", &none, SeriesNaming::Labels, Some("{}")),
    ] {
        assert_eq!(display_name(legend, "sum(x)", naming, labels).as_deref(), name, "{legend} {labels}");
    }
}

fn series(labels: &[(&str, &str)], points: &[(i64, f64)]) -> PanelSeries {
    let labels = labels.iter().copied().collect();
    PanelSeries { labels, points: points.to_vec(), histograms: Vec::new() }
}

fn frame(ref_id: &str, labels: &[(&str, &str)], points: &[(i64, f64)]) -> DataFrame {
    let target =
        PanelTarget { ref_id: ref_id.into(), ..target(&json!({"expr": "x", "legendFormat": "__auto"})) };
    of_series(&target, SeriesNaming::Metric, series(labels, points), None)
}

/// A frame as lines of text: the names of its columns, then its rows.
fn written(frame: &DataFrame) -> Vec<String> {
    let mut lines =
        vec![frame.fields.iter().map(|field| field.name.to_string()).collect::<Vec<_>>().join(" ")];
    let rows = frame.fields.first().map_or(0, |field| match &field.values {
        FieldValues::Times(all) => all.len(),
        other => panic!("{other:?}"),
    });
    let gap = || "-".to_owned();
    lines.extend((0..rows).map(|row| {
        let cell = |values: &FieldValues| match values {
            FieldValues::Times(all) => all[row].map_or_else(gap, |at| at.to_string()),
            FieldValues::Numbers(all) => all[row].map_or_else(gap, |number| number.to_string()),
            FieldValues::Texts(all) => all[row].as_deref().map_or_else(gap, |text| format!("{text:?}")),
            FieldValues::Bools(all) => all[row].map_or_else(gap, |is| is.to_string()),
        };
        frame.fields.iter().map(|field| cell(&field.values)).collect::<Vec<_>>().join(" ")
    }));
    lines
}

#[test]
fn a_gap_in_a_series_is_a_missing_value_and_no_line_is_drawn_over_it() {
    let target = target(&json!({"expr": "x"}));
    let points = [(1000, 1.0), (2000, f64::NAN), (5000, 2.0), (6400, 3.0)];
    let made = of_series(&target, SeriesNaming::Metric, series(&[], &points), Some(Duration::from_secs(1)));
    assert_eq!(written(&made), ["Time Value", "1000 1", "2000 NaN", "3000 -", "5000 2", "6400 3"]);
}

#[test]
fn a_table_has_the_labels_as_columns_and_the_values_of_each_query_by_name() {
    let up =
        [frame("A", &[("b", "1"), ("a", "x")], &[(2000, 1.0)]), frame("A", &[("c", "y")], &[(1000, 2.0)])];
    let one = [("A".into(), TargetFormat::Table)];
    let made = shaped(up.to_vec(), &one);
    assert_eq!(made.len(), 1);
    assert_eq!(written(&made[0]), ["Time a b c Value", "1000 \"\" \"\" \"y\" 2", "2000 \"x\" \"1\" \"\" 1"]);
    // a second table gives the values the names of their queries, even if it is empty
    let two = [("A".into(), TargetFormat::Table), ("B".into(), TargetFormat::Table)];
    let made = shaped(up.to_vec(), &two);
    assert_eq!(written(&made[0])[0], "Time a b c Value #A");
    assert_eq!(written(&made[1]), ["Time Value #B"]);
    // without any series there is nothing
    assert!(shaped(Vec::new(), &one).is_empty());
}

#[test]
fn a_heat_map_has_its_buckets_in_order_and_not_cumulative() {
    let frames = vec![
        frame("A", &[("le", "+Inf")], &[(1, 30.0), (2, 40.0), (3, 5.0)]),
        frame("A", &[("le", "10")], &[(1, 20.0), (2, 10.0), (3, 5.000_000_000_1)]),
        frame("A", &[("le", "2.5")], &[(1, 10.0), (3, 5.0)]),
        frame("B", &[("x", "y")], &[(1, 1.0)]),
    ];
    let formats = [("A".into(), TargetFormat::Heatmap), ("B".into(), TargetFormat::TimeSeries)];
    let made = shaped(frames, &formats);
    assert_eq!(made.iter().map(|frame| &*frame.ref_id).collect::<Vec<_>>(), ["B", "A"]);
    assert_eq!(written(&made[1]), ["Time 2.5 10 +Inf", "1 10 10 10", "2 - 10 30", "3 5 0 0"]);
}

#[test]
fn each_other_set_of_labels_is_a_heat_map_of_its_own() {
    let frames = ["a", "b"].map(|job| frame("A", &[("le", "1"), ("job", job)], &[(1, 10.0)]));
    let made = shaped(frames.to_vec(), &[("A".into(), TargetFormat::Heatmap)]);
    assert_eq!(made.iter().map(written).collect::<Vec<_>>(), [["Time 1", "1 10"], ["Time 1", "1 10"]]);
}

#[test]
fn queries_of_variables_are_read_as_grafana_reads_them() {
    let values = |label: &str, selector: Option<&str>| VariableSearch::LabelValues {
        label: label.into(),
        selector: selector.map(str::to_owned),
    };
    for (query, search) in [
        ("label_values(job)", values("job", None)),
        ("label_values({},cluster)", values("cluster", None)),
        ("label_values({ }, cluster) ", values("cluster", None)),
        (
            "label_values(up{a=\"x,y\", b!~\"(1|2)\"}, job)",
            values("job", Some("up{a=\"x,y\", b!~\"(1|2)\"}")),
        ),
        ("label_values(up, \"service.name\")", values("service.name", Some("up"))),
        ("label_values(\"a\\\"),\", job)", values("job", Some("\"a\\\"),\""))),
        ("label_values()", VariableSearch::Nothing),
        ("label_values(up, )", VariableSearch::Series { selector: "label_values(up, )".into() }),
        ("label_names()", VariableSearch::LabelNames { metric: None }),
        ("label_names(node_.*)", VariableSearch::LabelNames { metric: Some("node_.*".into()) }),
        ("metrics(node_.*)", VariableSearch::MetricNames { pattern: "node_.*".into() }),
        ("metrics()", VariableSearch::Nothing),
        (
            "query_result(sum(up) by (job))",
            VariableSearch::QueryResult { expression: "sum(up) by (job)".into() },
        ),
        ("up{job=\"a\"}", VariableSearch::Series { selector: "up{job=\"a\"}".into() }),
        ("{job=\"a\"}", VariableSearch::Series { selector: "{job=\"a\"}".into() }),
        ("", VariableSearch::Nothing),
        (r#"{"query": "label_values(up, job)", "refId": "x", "qryType": 1}"#, values("job", Some("up"))),
        (
            r#"{"qryType": 1, "label": "job", "metric": "up", "labelFilters": [{"label": "a", "op": "=~", "value": "b\"c"}]}"#,
            values("job", Some("up{a=~\"b\\\"c\"}")),
        ),
        (
            r#"{"qryType": 3, "varQuery": "sum(up)"}"#,
            VariableSearch::QueryResult { expression: "sum(up)".into() },
        ),
        (r#"{"qryType": 1}"#, VariableSearch::Nothing),
        (
            r#"{"label": "app", "stream": "{a=\"b\"}", "type": 1, "refId": "x"}"#,
            values("app", Some("{a=\"b\"}")),
        ),
        (r#"{"label": "", "type": 0}"#, VariableSearch::LabelNames { metric: None }),
        ("{}", VariableSearch::Nothing),
    ] {
        assert_eq!(VariableSearch::read(query), search, "{query}");
    }
}

#[test]
fn values_come_once_and_are_bounded_with_their_number() {
    let many = (0..MAX_VALUES + 5).chain(0..3).map(|number| Text::from(number.to_string()));
    let values = plain_values(many);
    assert_eq!((values.values.len(), values.total), (MAX_VALUES, MAX_VALUES + 5));
    assert_eq!(values.values[0], ("0".into(), "0".into()));
}
