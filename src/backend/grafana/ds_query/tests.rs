//! Panels and variables through a Grafana with several data sources, one of which each test breaks.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::backend::kit::double::{CannedResponse, Double, ReceivedRequest};
use crate::backend::kit::tests::contract::Description;
use crate::backend::{Clock, Source, SourceDeps};
use crate::config::settings::Settings as Configuration;
use crate::model::ask::{Moment, Query};
use crate::model::dashboard::DataSourceRef;
use crate::model::dashboard::variable::{VariableQuery, VariableValues};
use crate::model::frame::FieldValues;
use crate::model::source::SourceId;

fn now() -> Timestamp {
    "2026-03-01T12:00:30Z".parse().unwrap()
}

fn window() -> TimeGrid {
    TimeGrid::stepped(now(), Duration::from_secs(3600), Duration::from_secs(60))
}

fn refused(status: u16, message: &str) -> CannedResponse {
    CannedResponse::new(status, "application/json", &json!({ "message": message }).to_string())
}

/// A column of a frame: name, type, labels, configuration.
fn field(name: &str, kind: &str, labels: &Value, config: &Value) -> Value {
    json!({"name": name, "type": kind, "typeInfo": {"frame": kind}, "labels": labels, "config": config})
}

fn series(labels: &Value, name: Option<&str>, values: &Value) -> Value {
    let config = name.map_or(json!({}), |name| json!({"displayNameFromDS": name, "unit": "s"}));
    json!({
        "schema": {"refId": "A", "meta": {"type": "timeseries-multi", "custom": {"resultType": "matrix"}}, "fields": [
            field("Time", "time", &json!({}), &json!({"interval": 60000})), field("up", "number", labels, &config),
        ]},
        "data": {"values": [[1000, 2000, 3000], values], "entities": [null, {"NaN": [1], "Inf": [2]}]},
    })
}

/// The response of the double to one query.
fn answered(query: &Value) -> Value {
    match query["expr"].as_str().or_else(|| query["rawSql"].as_str()).unwrap_or_default() {
        "bad(" => {
            json!({"status": 400, "error": "bad_data: 1:5: parse error: unclosed", "errorSource": "downstream", "frames": []})
        }
        "tables" => json!({"status": 200, "frames": [
            series(&json!({"__name__": "up", "le": "1"}), None, &json!([1, null, null])),
        ]}),
        "logs" => json!({"status": 200, "frames": [{
            "schema": {"meta": {"custom": {"frameType": "LabeledTimeValues"}, "preferredVisualisationType": "logs"}, "fields": [
                field("labels", "other", &json!({}), &json!({})), field("Time", "time", &json!({}), &json!({})),
                field("Line", "string", &json!({}), &json!({})), field("tsNs", "string", &json!({}), &json!({})),
            ]},
            "data": {"values": [
                [{"app": "shop"}, {"app": "cart"}], [2000, 1000], ["later\u{1b}[31m", "first"],
                ["2000000001", "1000000009"],
            ]},
        }]}),
        "odd" => json!({"status": 200, "frames": [
            7,
            {"schema": null, "data": []},
            {"schema": {"fields": [
                field("t", "time", &json!(null), &json!(null)), field("n", "number", &json!([]), &json!(7)),
                field("s", "string", &json!({}), &json!({})), field("b", "boolean", &json!({}), &json!({})),
                field("e", "enum", &json!({}), &json!({"type": {"enum": {"text": ["off", "on"]}}})),
                field("j", "other", &json!({}), &json!({})), field("new", "geo", &json!({}), &json!({})),
            ], "meta": {"notices": [{"severity": "warning", "text": "cut at 3 rows"}]}},
            "data": {"values": [
                [1500, "2026-03-01T12:00:00Z", {}], ["7", null, true, 1e300], ["a", 5, null], [true, 0, "x"], [1, 0, 9],
                [{"a": [1]}, null, []],
            ]}},
        ]}),
        "empty" => {
            json!({"status": 200, "frames": [{"schema": {"refId": "A", "fields": []}, "data": {"values": []}}]})
        }
        sql => {
            json!({"status": 200, "frames": [series(&json!({"asked": sql}), Some("named"), &json!([1, null, null]))]})
        }
    }
}

fn server(asked: &ReceivedRequest) -> CannedResponse {
    match asked.path.as_str() {
        "/api/datasources" => CannedResponse::json(
            &json!([
                {"id": 1, "uid": "prom", "name": "Main", "type": "prometheus", "isDefault": true, "jsonData": {"timeInterval": "15s"}},
                {"id": 2, "uid": "loki", "name": "Logs", "type": "loki", "isDefault": false, "jsonData": {}},
                {"id": 3, "uid": "pg", "name": "Shop", "type": "postgres", "isDefault": false, "jsonData": {}},
            ])
            .to_string(),
        ),
        "/api/ds/query" => {
            let body = asked.json();
            let queries = body["queries"].as_array().unwrap();
            for query in queries {
                match query["datasource"]["uid"].as_str().unwrap() {
                    "gone" => return refused(404, "Data source not found"),
                    "secret" => return refused(403, "You'll need additional permissions. Permissions needed: datasources:query"),
                    "page" => return refused(500, "Plugin unavailable"),
                    "huge" => return CannedResponse::json("{}").with_claimed_length(100_000_000),
                    _ => {}
                }
            }
            let results: serde_json::Map<String, Value> =
                queries.iter().map(|one| (one["refId"].as_str().unwrap().to_owned(), answered(one))).collect();
            let has_failed = results.values().any(|one| one["status"] != 200);
            let body = json!({ "results": results }).to_string();
            CannedResponse::new(if has_failed { 400 } else { 200 }, "application/json", &body)
        }
        "/api/datasources/proxy/uid/prom/api/v1/label/job/values" => {
            CannedResponse::json(&json!({"status": "success", "data": [asked.parameter("match[]"), "b"]}).to_string())
        }
        "/api/datasources/proxy/uid/loki/loki/api/v1/labels" => refused(403, "non allow-listed path"),
        "/api/datasources/uid/loki/resources/labels" => CannedResponse::json(r#"{"status":"success","data":["app"]}"#),
        path => refused(404, &format!("no {path}")),
    }
}

fn grafana(double: &Double) -> Grafana {
    let settings = Configuration::default();
    let deps = SourceDeps::new(&settings, Clock::fixed(now()));
    Grafana::new(&SourceId::new("grafana"), &double.source("grafana"), deps).unwrap()
}

fn of(uid: &str, json: Value) -> (String, Value) {
    (uid.to_owned(), json)
}

async fn panel(double: &Double, queries: &[(String, Value)]) -> Result<Arc<PanelFrames>, SourceError> {
    let subquery = |(at, (uid, json)): (usize, &(String, Value))| PanelSubquery {
        ref_id: ["A", "B", "C", "D"][at].into(),
        data_source: DataSourceRef { kind: None, uid: (!uid.is_empty()).then(|| uid.as_str().into()) },
        json: json.to_string().into(),
    };
    let queries = queries.iter().enumerate().map(subquery).collect();
    let wanted = Arc::new(PanelQuery::over(queries, window()));
    let ask = Query::PanelData { wanted, window: window() }.at(Moment::Now);
    match grafana(double).answer(&ask, None).await?.answer {
        Answer::PanelData(frames) => Ok(frames),
        other => panic!("{other:?}"),
    }
}

async fn values(double: &Double, uid: &str, query: &str) -> Result<VariableValues, SourceError> {
    let data_source = DataSourceRef { kind: None, uid: Some(uid.into()) };
    let wanted = Arc::new(VariableQuery { data_source, query: query.into() });
    let ask = Query::VariableValues { wanted, window: window() }.at(Moment::Now);
    match grafana(double).answer(&ask, None).await?.answer {
        Answer::VariableValues(values) => Ok(values),
        other => panic!("{other:?}"),
    }
}

fn failures(panel: &PanelFrames) -> Vec<(&str, &str)> {
    panel.failures.iter().map(|one| (&*one.ref_id, &*one.message)).collect()
}

fn sent(double: &Double) -> Vec<Value> {
    let asked = double.asked();
    asked.iter().filter(|one| one.path == "/api/ds/query").map(ReceivedRequest::json).collect()
}

#[tokio::test]
async fn every_request_is_valid_by_the_description_of_grafana() {
    let Some(description) = Description::find("grafana") else { return };
    let double = Double::start(server).await;
    panel(&double, &[of("", json!({"expr": "up"})), of("Shop", json!({"rawSql": "select 1"}))])
        .await
        .unwrap();
    values(&double, "prom", "label_values(up, job)").await.unwrap();
    let asked = double.asked();
    assert!(asked.len() >= 4, "{asked:?}");
    // Grafana documents the rights of a token elsewhere, and the paths behind its proxy are those of the data source
    let is_described =
        |path: &str| path != "/api/access-control/user/permissions" && !path.contains("/proxy/uid/");
    for one in asked.iter().filter(|one| is_described(&one.path)) {
        assert_eq!(description.failure(one), None, "{} {}", one.method, one.path);
    }
}

#[tokio::test]
async fn a_query_is_sent_with_its_data_source_its_range_in_milliseconds_and_its_variables() {
    let double = Double::start(server).await;
    let queries = [
        of("Main", json!({"expr": "rate(x[$__rate_interval])", "datasource": "Main", "datasourceId": 7})),
        of("pg", json!({"rawSql": "select $__interval_ms, $__from", "maxDataPoints": 5})),
    ];
    panel(&double, &queries).await.unwrap();
    let mut sent = sent(&double);
    sent.sort_by_key(|body| body["queries"][0]["refId"].as_str().map(str::to_owned));
    assert_eq!(sent[0]["from"], "1772362800000");
    // a live range ends now
    assert_eq!(sent[0]["to"], "1772366430000");
    assert_eq!(
        sent[0]["queries"],
        json!([{
            "expr": "rate(x[$__rate_interval])", "refId": "A", "datasource": {"uid": "prom", "type": "prometheus"},
            "intervalMs": 60000, "maxDataPoints": 61,
        }])
    );
    assert_eq!(
        sent[1]["queries"],
        json!([{
            "rawSql": "select 60000, 1772362800000", "refId": "B", "datasource": {"uid": "pg", "type": "postgres"},
            "intervalMs": 60000, "maxDataPoints": 5,
        }])
    );
}

#[tokio::test]
async fn the_other_queries_of_a_refused_request_keep_their_results() {
    let double = Double::start(server).await;
    let panel = panel(&double, &[of("prom", json!({"expr": "bad("})), of("prom", json!({"expr": "up"}))])
        .await
        .unwrap();
    assert_eq!(failures(&panel), [("A", "bad_data: 1:5: parse error: unclosed")]);
    assert_eq!(sent(&double).len(), 1);
    let field = &panel.frames[0].fields[1];
    assert_eq!((field.display_name.as_deref(), field.unit.as_deref()), (Some("named"), Some("s")));
    let FieldValues::Numbers(values) = &field.values else { panic!("{field:?}") };
    assert_eq!((values[0], values[2]), (Some(1.0), Some(f64::INFINITY)));
    assert!(values[1].unwrap().is_nan());
}

#[tokio::test]
async fn each_broken_data_source_says_what_is_wrong_and_hides_no_other() {
    for (uid, words) in [
        ("gone", "Grafana has no data source gone: it was deleted or renamed"),
        ("secret", "the token may not query the data source secret (right datasources:query): 403 Forbidden"),
        ("page", "answers only in a browser"),
        ("huge", "the answer is larger than"),
        ("-- Dashboard --", "it shows the result of another panel"),
        ("$ds", "its data source is the variable $ds"),
    ] {
        let double = Double::start(server).await;
        let queries = [of(uid, json!({"expr": "x"})), of("prom", json!({"expr": "up"}))];
        let panel = panel(&double, &queries).await.unwrap();
        let [(id, said)] = failures(&panel)[..] else { panic!("{uid}: {panel:?}") };
        assert!(id == "A" && said.contains(words), "{uid}: {said}");
        assert_eq!(panel.frames.len(), 1, "{uid}");
    }
}

#[tokio::test]
async fn a_token_that_expired_is_the_failure_of_the_whole_panel() {
    let double = Double::start(|_| refused(401, "Invalid API key")).await;
    let error = panel(&double, &[of("prom", json!({"expr": "up"}))]).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Unauthorised { .. }), "{error}");
}

#[tokio::test]
async fn expressions_are_sent_with_the_queries_that_they_use_and_hidden_results_stay_hidden() {
    let double = Double::start(server).await;
    let queries = [
        of("prom", json!({"expr": "up", "hide": true})),
        of("pg", json!({"rawSql": "select 1"})),
        of("__expr__", json!({"type": "math", "expression": "$A + $B"})),
    ];
    let whole = panel(&double, &queries).await.unwrap();
    let sent = sent(&double);
    assert_eq!(sent.len(), 1);
    let sources: Vec<_> =
        sent[0]["queries"].as_array().unwrap().iter().map(|one| one["datasource"]["uid"].clone()).collect();
    assert_eq!(sources, ["prom", "pg", "__expr__"]);
    assert_eq!(whole.frames.iter().map(|frame| &*frame.ref_id).collect::<Vec<_>>(), ["B", "C"]);
    // without an expression a hidden query is not asked at all
    let double = Double::start(server).await;
    let hidden = panel(&double, &queries[..1]).await.unwrap();
    assert_eq!((hidden.frames.len(), hidden.failures.len(), self::sent(&double).len()), (0, 0, 0));
}

#[tokio::test]
async fn tables_of_prometheus_have_labels_as_columns_as_on_the_page() {
    let double = Double::start(server).await;
    let table = panel(&double, &[of("prom", json!({"expr": "tables", "format": "table"}))]).await.unwrap();
    let names: Vec<_> = table.frames[0].fields.iter().map(|field| &*field.name).collect();
    assert_eq!(names, ["Time", "__name__", "le", "Value"]);
    let none = panel(&double, &[of("prom", json!({"expr": "empty"}))]).await.unwrap();
    assert_eq!((none.frames.len(), none.failures.len()), (0, 0));
}

#[tokio::test]
async fn log_lines_keep_their_nanoseconds_labels_and_bytes_and_are_sorted() {
    let double = Double::start(server).await;
    let panel = panel(&double, &[of("loki", json!({"expr": "logs"}))]).await.unwrap();
    let lines: Vec<_> = panel
        .lines
        .iter()
        .map(|line| (line.at.as_nanosecond(), line.labels.value("app"), line.text().into_owned()))
        .collect();
    assert_eq!(
        lines,
        [(1_000_000_009, "cart", "first".to_owned()), (2_000_000_001, "shop", "later\u{1b}[31m".to_owned())]
    );
}

#[tokio::test]
async fn columns_of_every_type_are_read_and_wrong_values_are_missing() {
    let double = Double::start(server).await;
    let panel = panel(&double, &[of("pg", json!({"rawSql": "odd"}))]).await.unwrap();
    assert_eq!(&*panel.frames[0].notices[0], "1 frames could not be read");
    let frame = &panel.frames[1];
    assert_eq!(&*frame.notices[0], "cut at 3 rows");
    let text = |text: &str| Some(Text::from(text));
    let expected = [
        FieldValues::Times(vec![Some(1500), Some(1_772_366_400_000), None, None]),
        FieldValues::Numbers(vec![Some(7.0), None, Some(1.0), Some(1e300)]),
        FieldValues::Texts(vec![text("a"), text("5"), None, None]),
        FieldValues::Bools(vec![Some(true), Some(false), None, None]),
        FieldValues::Texts(vec![text("on"), text("off"), text("9"), None]),
        FieldValues::Texts(vec![text("{\"a\":[1]}"), None, text("[]"), None]),
        FieldValues::Texts(vec![None; 4]),
    ];
    for (field, expected) in frame.fields.iter().zip(expected) {
        assert_eq!(field.values, expected, "{}", field.name);
    }
}

#[tokio::test]
async fn variables_are_asked_through_the_proxy_and_without_one_as_resources() {
    let double = Double::start(server).await;
    for (uid, query, expected) in [
        ("prom", "label_values(up, job)", &["up", "b"][..]),
        (
            "Main",
            "query_result(up)",
            &["{asked=\"up\"} 1 1000", "{asked=\"up\"} NaN 2000", "{asked=\"up\"} +Inf 3000"],
        ),
        ("loki", "label_names()", &["app"]),
        ("pg", "select 1", &["1", "NaN", "inf"]),
    ] {
        let values = values(&double, uid, query).await.unwrap();
        assert_eq!(
            values.values.iter().map(|(text, _)| &**text).collect::<Vec<_>>(),
            expected,
            "{uid} {query}"
        );
    }
    let refused = values(&double, "gone", "label_values(job)").await.unwrap_err();
    assert!(refused.to_string().contains("only asked for in Grafana's page"), "{refused}");
    let refused = values(&double, "prom", "label_values(up, zone)").await.unwrap_err();
    assert!(refused.to_string().contains("404"), "{refused}");
}
