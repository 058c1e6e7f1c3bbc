//! Tests of SLOs against a test server that knows some series by name and evaluates times as a server would.

mod defined;
mod found;
mod grouped;
mod young;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::backend::kit::double::{CannedResponse, Double, ReceivedRequest, SnapshotWithWarnings};
use crate::backend::prometheus::Prometheus;
use crate::backend::{Clock, Source, SourceDeps};
use crate::config::settings::Settings;
use crate::model::ask::Query;
use crate::model::ask::{Answer, AskKind, Reply};
use crate::model::slo::{GroupReading, MeasuredRatio, Slo, SloReading, SloSnapshot};
use crate::model::source::SourceId;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

fn now() -> Timestamp {
    "2026-03-01T12:00:00.5Z".parse().unwrap()
}

fn success(data: &Value) -> CannedResponse {
    CannedResponse::json(&json!({ "status": "success", "data": data }).to_string())
}

/// The answer to an instant query.
fn vector(series: impl IntoIterator<Item = (Value, f64)>) -> CannedResponse {
    let text = |value: f64| if value.is_nan() { "NaN".to_owned() } else { value.to_string() };
    let series =
        series.into_iter().map(|(labels, value)| json!({ "metric": labels, "value": [1.5, text(value)] }));
    success(&json!({ "resultType": "vector", "result": series.collect::<Vec<_>>() }))
}

fn refuse(message: &str) -> CannedResponse {
    CannedResponse::new(422, "application/json", &json!({ "status": "error", "error": message }).to_string())
}

/// The common answers of all servers: identity, rules, and an unknown query.
fn otherwise(asked: &ReceivedRequest) -> CannedResponse {
    match asked.path.as_str() {
        "/api/v1/status/buildinfo" => {
            success(&json!({ "version": "3.1.0", "revision": "a", "goVersion": "go" }))
        }
        "/api/v1/rules" => success(&json!({ "groups": [] })),
        "/api/v1/query" => vector([]),
        _ => CannedResponse::new(404, "text/plain", "404 page not found"),
    }
}

/// A server with these recorded series.
async fn keeping(series: Vec<(Value, f64)>, rules: Value) -> Double {
    Double::start(move |asked| {
        if asked.path == "/api/v1/rules" {
            return success(&rules);
        }
        kept(&series, asked)
    })
    .await
}

/// The SLOs of a server with these series.
fn kept(series: &[(Value, f64)], asked: &ReceivedRequest) -> CannedResponse {
    let query = asked.parameter("query");
    if asked.path != "/api/v1/query" || query.contains("_over_time") || query.contains("offset") {
        return otherwise(asked);
    }
    by_name(series, query)
}

/// The series whose names match a query.
fn by_name(series: &[(Value, f64)], query: &str) -> CannedResponse {
    let pattern = query.split_once("__name__=~\"").and_then(|(_, rest)| rest.split_once('"'));
    let name = match pattern {
        Some((pattern, _)) => pattern.replace("\\\\", "\\"),
        None => query.split('{').next().unwrap_or_default().to_owned(),
    };
    // other queries have no result
    let Ok(name) = regex::Regex::new(&format!("^(?:{name})$")) else { return vector([]) };
    let is_meant = |labels: &Value| labels["__name__"].as_str().is_some_and(|it| name.is_match(it));
    vector(series.iter().filter(|(labels, _)| is_meant(labels)).cloned())
}

fn no_rules() -> Value {
    json!({ "groups": [] })
}

fn source(double: &Double, definitions: &[Arc<Slo>], discover: bool) -> Prometheus {
    let mut settings = Settings::default();
    settings.slo.discover = discover;
    let deps = SourceDeps { slos: definitions, ..SourceDeps::new(&settings, Clock::fixed(now())) };
    Prometheus::new(&SourceId::new("prom"), &double.source("prometheus"), deps).unwrap()
}

async fn reply(source: &Prometheus, at: Option<Timestamp>) -> Reply {
    source.answer(&Query::Slos.at(at.into()), None).await.unwrap()
}

async fn snapshot(source: &Prometheus) -> SnapshotWithWarnings<SloSnapshot> {
    let reply = reply(source, None).await;
    match reply.answer {
        Answer::Slos(snapshot) => SnapshotWithWarnings::new(snapshot, reply.warnings),
        other => panic!("{other:?}"),
    }
}

/// The only group of the only SLO.
fn only(snapshot: &SloSnapshot) -> (&SloReading, &GroupReading) {
    let [reading] = &snapshot.readings[..] else { panic!("{snapshot:?}") };
    let [group] = &reading.groups[..] else { panic!("{reading:?}") };
    (reading, group)
}

fn errors(group: &GroupReading) -> BTreeMap<u64, f64> {
    let error =
        |(lookback, measured): &(Duration, MeasuredRatio)| Some((lookback.as_secs() / 60, measured.error()?));
    group.recent.iter().filter_map(error).collect()
}

#[tokio::test]
async fn slos_are_only_asked_for_where_there_may_be_some() {
    let double = Double::start(otherwise).await;
    assert!(!source(&double, &[], false).info().answers.contains(&AskKind::Slos));
    let empty = source(&double, &[], true);
    assert!(empty.info().answers.contains(&AskKind::Slos));
    assert_eq!(snapshot(&empty).await.readings.len(), 0);
}
