//! The examples of the documentation, for `CloudWatch` and for a database, against a Grafana that answers as these do.

use serde_json::json;

use super::*;
use crate::backend::kit::double::{CannedResponse, Double, ReceivedRequest};
use crate::backend::{Clock, Source, SourceDeps};
use crate::config::settings::{Settings as Configuration, SourceSettings};
use crate::model::ask::Query;
use crate::model::source::SourceId;

/// The example in `docs/sources/grafana-data.md` that begins with this line, without the address.
fn example(first: &str) -> toml::Table {
    let docs = include_str!("../../../../docs/sources/grafana-data.md");
    let text = docs.split("```toml\n").find(|part| part.starts_with(first)).unwrap();
    let text = text.split("```").next().unwrap();
    let document: toml::Table = text.parse().unwrap();
    document["sources"]["grafana"].as_table().unwrap().clone()
}

fn connected(double: &Double, own: toml::Table) -> Grafana {
    let mut source: SourceSettings = double.source("grafana");
    source.own = own;
    let settings = Configuration::default();
    let deps = SourceDeps::new(&settings, Clock::fixed("2026-03-01T12:00:00Z".parse().unwrap()));
    Grafana::new(&SourceId::new("grafana"), &source, deps).unwrap()
}

fn frame(labels: &Value, values: &Value) -> Value {
    json!({
        "schema": {"fields": [
            {"name": "Time", "type": "time"}, {"name": "Value", "type": "number", "labels": labels},
        ]},
        "data": {"values": [[1_772_366_280_000_i64, 1_772_366_340_000_i64], values]},
    })
}

fn answered(query: &Value) -> Value {
    let balancer = |name: &str, values: Value| frame(&json!({ "LoadBalancer": name }), &values);
    let frames = match query["metricName"].as_str().or(query["rawSql"].as_str().map(|_| "sql")).unwrap() {
        "RequestCount" => vec![balancer("app/shop", json!([600, 1200])), balancer("app/idle", json!([0, 0]))],
        "HTTPCode_Target_5XX_Count" => vec![balancer("app/shop", json!([9, 9]))],
        "TargetResponseTime" => vec![balancer("app/shop", json!([0.2, 0.25]))],
        "sql" => vec![json!({
            "schema": {"fields": [
                {"name": "service", "type": "string"}, {"name": "value", "type": "number"},
            ]},
            "data": {"values": [["cart", "mail"], [250, 0]]},
        })],
        other => return json!({"status": 400, "error": format!("no metric {other}")}),
    };
    json!({"status": 200, "frames": frames})
}

fn server(asked: &ReceivedRequest) -> CannedResponse {
    if asked.path == "/api/datasources" {
        let list = json!([
            {"uid": "cw", "name": "CloudWatch", "type": "cloudwatch"}, {"uid": "pg", "name": "Shop", "type": "postgres"},
        ]);
        return CannedResponse::json(&list.to_string());
    }
    let body = asked.json();
    let queries = body["queries"].as_array().unwrap().iter();
    let results: serde_json::Map<String, Value> =
        queries.map(|one| (one["refId"].as_str().unwrap().to_owned(), answered(one))).collect();
    CannedResponse::json(&json!({ "results": results }).to_string())
}

async fn readings(own: toml::Table) -> (Vec<ServiceReading>, Vec<String>) {
    let double = Double::start(server).await;
    let source = connected(&double, own);
    let reply = source.answer(&Query::Services.now(), None).await.unwrap();
    let Answer::Services(snapshot) = reply.answer else { panic!() };
    (snapshot.readings, reply.warnings.iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn the_example_for_cloudwatch_gives_rates_ratios_and_seconds() {
    let (readings, warnings) = readings(example("# CloudWatch")).await;
    assert_eq!(warnings, Vec::<String>::new());
    let [idle, shop] = &readings[..] else { panic!("{readings:?}") };
    assert_eq!((&*idle.name, &*shop.name), ("app/idle", "app/shop"));
    assert_eq!(shop.signals.request_rate, Some(15.0));
    assert!((shop.signals.error_ratio.unwrap() - 0.01).abs() < 1e-9);
    assert_eq!(shop.signals.p95, Some(0.25));
    // no requests: a ratio would be made up, and the latency is not known
    assert_eq!(
        (idle.signals.request_rate, idle.signals.error_ratio, idle.signals.p95),
        (Some(0.0), None, None)
    );
}

#[tokio::test]
async fn the_example_for_a_database_has_a_row_for_each_service() {
    let (readings, warnings) = readings(example("# PostgreSQL")).await;
    assert_eq!(warnings, Vec::<String>::new());
    let rates: Vec<_> =
        readings.iter().map(|one| (&*one.name, one.signals.request_rate, one.signals.p95)).collect();
    assert_eq!(rates, [("cart", Some(250.0 / 300.0), Some(0.25)), ("mail", Some(0.0), Some(0.0))]);
}

#[tokio::test]
async fn a_query_that_fails_is_a_warning_and_the_others_are_kept() {
    let mut own = example("# CloudWatch");
    let services = own["services"].as_array_mut().unwrap();
    services[0]["errors"]["json"] = r#"{"metricName": "Gone"}"#.into();
    let (readings, warnings) = readings(own).await;
    assert_eq!(readings[1].signals.request_rate, Some(15.0));
    assert_eq!(readings[1].signals.error_ratio, None);
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("errors of CloudWatch: no metric Gone"), "{warnings:?}");
}

#[test]
fn wrong_queries_are_told_before_anything_is_asked() {
    let queries = |change: fn(&mut ServiceQueries)| {
        let own = example("# CloudWatch");
        let mut queries: ServiceQueries = own["services"][0].clone().try_into().unwrap();
        change(&mut queries);
        queries.failure().unwrap_or_default()
    };
    assert_eq!(queries(|_| ()), "");
    for (said, why) in [
        (queries(|own| own.requests.as_mut().unwrap().json = "[]".into()), "requests.json is no JSON object"),
        (queries(|own| own.p95.as_mut().unwrap().scale = f64::NAN), "p95.scale and p95.per must be above 0"),
        (queries(|own| own.lookback.0 = Duration::from_secs(1)), "lookback must be 1m or more"),
        (queries(|own| (own.requests, own.errors, own.p95) = (None, None, None)), "has no query"),
    ] {
        assert!(said.starts_with("for the data source CloudWatch: ") && said.contains(why), "{said}");
    }
}
