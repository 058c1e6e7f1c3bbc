//! Panels and variables of dashboards against a server that evaluates a few expressions.

use std::sync::Arc;

use super::*;
use crate::backend::kit::double::ReceivedRequest;
use crate::model::ask::Moment;
use crate::model::dashboard::variable::{VariableQuery, VariableValues};
use crate::model::dashboard::{DataSourceRef, PanelQuery, PanelSubquery};
use crate::model::frame::{FieldValues, PanelFrames};

fn server(asked: &ReceivedRequest) -> CannedResponse {
    let bad = |status: u16, message: &str| {
        let body = json!({"status": "error", "errorType": "bad_data", "error": message});
        CannedResponse::new(status, "application/json", &body.to_string())
    };
    match asked.path.trim_start_matches('/') {
        "api/v1/query" | "api/v1/query_range" => {}
        "api/v1/label/job/values" => return success(&json!([asked.parameter("match[]"), "b", "b"])),
        "api/v1/label/__name__/values" => return success(&json!(["node_load1", "up", "node_cpu"])),
        "api/v1/labels" => return success(&json!(["job", asked.parameter("match[]")])),
        "api/v1/series" => return success(&json!([{"__name__": "up", "job": "a"}])),
        _ => return shop(asked),
    }
    let start: f64 = asked.parameter("start").parse().unwrap_or(0.0);
    let is_range = asked.path.ends_with("query_range");
    let of = |labels: Value, value: &str| {
        if is_range {
            json!({"metric": labels, "values": [[start, value], [start + 60.0, "NaN"]]})
        } else {
            json!({"metric": labels, "value": [1_772_366_400, value]})
        }
    };
    let kind = if is_range { "matrix" } else { "vector" };
    let result = match asked.parameter("query") {
        "broken(" => return bad(400, "1:8: parse error: unclosed left parenthesis"),
        "many" => (0..20_000).map(|i| of(json!({"i": i.to_string()}), "1")).collect(),
        "scalar" if !is_range => {
            return success(&json!({"resultType": "scalar", "result": [1_772_366_400, "7"]}));
        }
        "none" => vec![],
        query => vec![of(json!({"__name__": "up", "job": query}), "+Inf"), of(json!({"job": "b"}), "2")],
    };
    success(&json!({"resultType": kind, "result": result}))
}

fn window() -> TimeGrid {
    TimeGrid::stepped(now(), Duration::from_secs(600), Duration::from_secs(60))
}

async fn panel(double: &Double, queries: &[Value]) -> Result<Arc<PanelFrames>, SourceError> {
    let of = |(at, json): (usize, &Value)| PanelSubquery {
        ref_id: ["A", "B", "C", "D"][at].into(),
        data_source: DataSourceRef::default(),
        json: json.to_string().into(),
    };
    let queries = queries.iter().enumerate().map(of).collect();
    let wanted = Arc::new(PanelQuery::over(queries, window()));
    let ask = Query::PanelData { wanted, window: window() }.at(Moment::Now);
    match source(double).answer(&ask, None).await?.answer {
        Answer::PanelData(frames) => Ok(frames),
        other => panic!("{other:?}"),
    }
}

async fn values(double: &Double, query: &str) -> Result<VariableValues, SourceError> {
    let wanted = Arc::new(VariableQuery { data_source: DataSourceRef::default(), query: query.into() });
    let ask = Query::VariableValues { wanted, window: window() }.at(Moment::Now);
    match source(double).answer(&ask, None).await?.answer {
        Answer::VariableValues(values) => Ok(values),
        other => panic!("{other:?}"),
    }
}

fn queries(double: &Double) -> Vec<(String, String)> {
    let asked = double.asked();
    let of = |one: &ReceivedRequest| (one.path.clone(), one.parameter("query").to_owned());
    asked.iter().map(of).filter(|(path, _)| path.contains("query")).collect()
}

#[tokio::test]
async fn queries_fail_alone_and_in_the_words_of_the_server() {
    let double = Double::start(server).await;
    let queries = [
        json!({"expr": "x", "legendFormat": "{{job}}"}),
        json!({"expr": "broken("}),
        json!("no object"),
        json!({"expr": "x", "hide": true}),
    ];
    let panel = panel(&double, &queries).await.unwrap();
    let failures: Vec<_> = panel.failures.iter().map(|one| (&*one.ref_id, &*one.message)).collect();
    assert_eq!(
        failures,
        [("C", "the query has no expression"), ("B", "1:8: parse error: unclosed left parenthesis")]
    );
    let names: Vec<_> =
        panel.frames.iter().map(|frame| frame.fields[1].display_name.as_deref().unwrap()).collect();
    assert_eq!(names, ["x", "b"]);
    assert!(!panel.is_cut);
}

#[tokio::test]
async fn the_values_and_times_are_those_of_the_server_with_nan_and_infinity() {
    let double = Double::start(server).await;
    let panel = panel(&double, &[json!({"expr": "x"})]).await.unwrap();
    let start = window().start().as_millisecond();
    assert_eq!(panel.frames[0].fields[0].values, FieldValues::Times(vec![Some(start), Some(start + 60_000)]));
    let FieldValues::Numbers(values) = &panel.frames[0].fields[1].values else { panic!("{panel:?}") };
    assert_eq!(values[0], Some(f64::INFINITY));
    assert!(values[1].unwrap().is_nan());
}

#[tokio::test]
async fn the_same_query_is_sent_once_and_both_of_its_forms_if_it_asks_for_both() {
    let double = Double::start(server).await;
    let both = json!({"expr": "rate(x[$__interval])", "instant": true, "range": true});
    let same = json!({"expr": "rate(x[1m])", "format": "table", "instant": true});
    let panel = panel(&double, &[both, same]).await.unwrap();
    let mut sent = queries(&double);
    sent.sort();
    let sent: Vec<_> =
        sent.iter().map(|(path, query)| (path.rsplit('/').next().unwrap(), &**query)).collect();
    assert_eq!(sent, [("query", "rate(x[1m])"), ("query_range", "rate(x[1m])")]);
    let shapes: Vec<_> = panel.frames.iter().map(|frame| (&*frame.ref_id, frame.fields.len())).collect();
    assert_eq!(shapes, [("A", 2), ("A", 2), ("A", 2), ("A", 2), ("B", 4)]);
    let names: Vec<_> = panel.frames[4].fields.iter().map(|field| &*field.name).collect();
    assert_eq!(names, ["Time", "__name__", "job", "Value"]);
}

#[tokio::test]
async fn a_result_with_too_many_series_is_cut_and_says_so() {
    let double = Double::start(server).await;
    for (query, most) in [
        (json!({"expr": "many"}), crate::backend::panels::MAX_SERIES),
        (json!({"expr": "many", "instant": true}), crate::backend::panels::MAX_ROWS),
    ] {
        let panel = panel(&double, &[query]).await.unwrap();
        assert_eq!((panel.frames.len(), panel.is_cut), (most, true));
    }
}

#[tokio::test]
async fn a_scalar_is_a_value_with_the_name_of_its_expression() {
    let double = Double::start(server).await;
    let panel = panel(&double, &[json!({"expr": "scalar", "instant": true})]).await.unwrap();
    let field = &panel.frames[0].fields[1];
    assert_eq!(field.values, FieldValues::Numbers(vec![Some(7.0)]));
    assert_eq!(field.display_name.as_deref(), Some("scalar"));
}

#[tokio::test]
async fn variables_have_the_values_that_the_server_gives_within_the_range() {
    let double = Double::start(server).await;
    for (query, expected) in [
        ("label_values(job)", &["b"][..]),
        ("label_values(up{a=\"b,c\"}, job)", &["up{a=\"b,c\"}", "b"]),
        ("metrics(^node)", &["node_load1", "node_cpu"]),
        ("label_names()", &["job"]),
        ("label_names(up)", &["job", "{__name__=~\".*up.*\"}"]),
        (
            "query_result(topk(1, x[$__range]))",
            &["up{job=\"topk(1, x[600s])\"} +Inf 1772366400000", "{job=\"b\"} 2 1772366400000"],
        ),
        ("query_result(scalar)", &["7"]),
        ("up", &["up{job=\"a\"}"]),
        ("", &[]),
    ] {
        let values = values(&double, query).await.unwrap();
        assert_eq!(values.values.iter().map(|(text, _)| &**text).collect::<Vec<_>>(), expected, "{query}");
    }
    let asked = double.asked();
    let of_values = asked.iter().find(|one| one.path.contains("label/job/values")).unwrap();
    assert_eq!(of_values.parameter("start"), window().start().as_second().to_string());
    let refused = values(&double, "metrics(()").await.unwrap_err();
    assert!(refused.to_string().contains("metrics(():"), "{refused}");
}
