mod capacity;
mod explore;
mod history;
mod onsets;
mod panels;
mod rules;
mod shop;
mod signals;
mod through_grafana;
mod warnings;

use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use shop::{series, shop, success};

use super::cached::{DISCOVERY_INTERVAL_FIRST, DISCOVERY_RETRY_FIRST};
use super::*;
use crate::backend::Clock;
use crate::backend::kit::double::{CannedResponse, Double, SnapshotWithWarnings};
use crate::config::settings::{ConfigDuration as SettingSpan, LimitSettings, Settings};
use crate::model::ask::{Moment, Query, QueryRange, Reply};
use crate::model::labels::Labels;
use crate::model::promql;
use crate::model::series::{Matrix, TimeGrid};
use crate::model::service::{ServiceDetail, ServiceSnapshot, ServiceTrends, Signals};

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn settings() -> Settings {
    let timeout = SettingSpan(Duration::from_secs(2));
    Settings { limits: LimitSettings { timeout, ..LimitSettings::default() }, ..Settings::default() }
}

fn source(double: &Double) -> Prometheus {
    let settings = settings();
    let deps = SourceDeps::new(&settings, Clock::fixed(now()));
    Prometheus::new(&SourceId::new("prom"), &double.source("prometheus"), deps).unwrap()
}

async fn ask(source: &Prometheus, ask: Ask) -> Reply {
    source.answer(&ask, None).await.unwrap()
}

async fn services(source: &Prometheus) -> SnapshotWithWarnings<ServiceSnapshot> {
    let reply = ask(source, Query::Services.now()).await;
    match reply.answer {
        Answer::Services(snapshot) => SnapshotWithWarnings::new(snapshot, reply.warnings),
        other => panic!("{other:?}"),
    }
}

async fn probe(source: &Prometheus) -> ProbeReport {
    match ask(source, Query::Probe.now()).await.answer {
        Answer::Probe(offer) => offer,
        other => panic!("{other:?}"),
    }
}

fn time_range() -> QueryRange {
    let span = TimeGrid::ending(now(), Duration::from_secs(600), 10, Duration::from_secs(60));
    QueryRange { window: span, tail: span }
}

fn lines(matrix: &Matrix) -> Vec<(String, f64)> {
    matrix.lines.iter().map(|line| (line.labels.to_string(), line.last().unwrap_or(f64::NAN))).collect()
}

#[tokio::test]
async fn services_come_with_what_is_known_and_nothing_made_up() {
    let double = Double::start(shop).await;
    let snapshot = services(&source(&double)).await;
    assert_eq!(snapshot.warnings, []);
    assert_eq!(snapshot.lookback, Duration::from_secs(120));
    let [cart, idle, mail] = &snapshot.readings[..] else { panic!("{:?}", snapshot.readings) };
    let full = Signals {
        request_rate: Some(10.0),
        error_ratio: Some(0.1),
        p95: Some(0.4),
        apdex: Some(0.7),
        saturation: Some(0.5),
        ..Signals::default()
    };
    assert_eq!((&*cart.name, cart.signals), ("cart", full));
    assert_eq!((cart.targets.up, cart.targets.total), (3, 3));
    assert_eq!(cart.labels, Labels::from_iter([("team", "web"), ("tier", "1")]));
    assert_eq!(idle.signals, Signals { request_rate: Some(0.0), ..Signals::default() });
    assert_eq!(mail.signals, Signals::default());
    assert_eq!((mail.targets.up, mail.targets.total, &*mail.targets.down[0].instance), (1, 2, "m:2"));
    assert_eq!(mail.labels, Labels::from_iter([("tier", "1")]));
}

/// A server whose series have the service in `label`; if it is not `new`, it only supports plain label names.
async fn named_by(label: &'static str, is_new: bool) -> Double {
    let written = promql::label(label).into_owned();
    Double::start(move |asked| {
        let query = asked.parameter("query").replace(&written, label);
        let is_quoted = asked.parameter("query").contains("(\"") || asked.parameter("query").contains(",\"");
        if is_quoted && !is_new {
            return CannedResponse::new(
                400,
                "application/json",
                r#"{"status":"error","error":"unexpected string"}"#,
            );
        }
        let both = |name: &str| json!({ label: name, "job": "otel" });
        let group =
            query.split_once("by (").and_then(|(_, rest)| rest.split_once(')')).map_or("", |(by, _)| by);
        let kept = |name: &str| {
            let all = both(name);
            let kept =
                group.split(',').map(str::trim).filter_map(|by| Some((by.to_owned(), all.get(by)?.clone())));
            serde_json::Value::Object(kept.collect())
        };
        match &*query {
            _ if query.starts_with("count by (__name__)") => {
                series(asked, &[(json!({ "__name__": "http_requests_total" }), "9")])
            }
            _ if query.contains("vector(1)") => series(asked, &[(json!({}), "1")]),
            _ if query.contains("up == 0") || query.contains("code=") => series(asked, &[]),
            _ if query.contains("up") || query.contains("http_requests_total") => {
                series(asked, &[(kept("cart"), "3"), (kept("pay"), "4")])
            }
            _ => shop(asked),
        }
    })
    .await
}

fn source_by(double: &Double, labels: &[&str]) -> Prometheus {
    let mut settings = settings();
    settings.services.labels = labels.iter().map(|label| (*label).to_owned()).collect();
    settings.services.describe_by = vec!["k8s.namespace.name".to_owned()];
    let deps = SourceDeps::new(&settings, Clock::fixed(now()));
    Prometheus::new(&SourceId::new("prom"), &double.source("prometheus"), deps).unwrap()
}

#[tokio::test]
async fn services_are_found_by_labels_of_any_name() {
    for label in ["service.name", "k8s-app", "größe", "job_name"] {
        for labels in [&[label][..], &[label, "job"], &["team", label]] {
            let double = named_by(label, true).await;
            let snapshot = services(&source_by(&double, labels)).await;
            let names: Vec<_> = snapshot.readings.iter().map(|reading| &*reading.name).collect();
            assert_eq!((names, snapshot.warnings.len()), (vec!["cart", "pay"], 0), "{labels:?}");
            assert_eq!(snapshot.readings[0].signals.request_rate, Some(3.0), "{labels:?}");
        }
    }
}

#[tokio::test]
async fn a_server_that_takes_plain_names_alone_is_asked_by_the_other_labels_and_it_is_said() {
    let double = named_by("service.name", false).await;
    let source = source_by(&double, &["service.name", "job"]);
    // also when discovery runs again
    for _ in 0..2 {
        let reply = ask(&source, Query::Services.now()).await;
        let Answer::Services(snapshot) = reply.answer else { panic!() };
        let names: Vec<_> = snapshot.readings.iter().map(|reading| &*reading.name).collect();
        assert_eq!(names, ["otel"]);
        let said = |warning: &Warning| warning.text.contains("the label name `service.name`");
        assert!(reply.warnings.iter().any(said), "{:?}", reply.warnings);
    }
}

#[tokio::test]
async fn a_container_fills_up_its_service_and_is_none_itself() {
    let double = Double::start(|asked| {
        let query = asked.parameter("query");
        let containers = |first: &str, second: &str| {
            let container = |name: &str| json!({ "container": name });
            series(asked, &[(container("cart"), first), (container("sidecar"), second)])
        };
        match query {
            _ if query.starts_with("count by (__name__)") => {
                let names = ["container_memory_working_set_bytes", "container_spec_memory_limit_bytes"];
                series(asked, &names.map(|name| (json!({ "__name__": name }), "9")))
            }
            _ if query.starts_with("count by (container)") => containers("1", "1"),
            _ if query.contains("container_memory") => containers("0.9", "0.99"),
            _ => shop(asked),
        }
    })
    .await;
    let source = source(&double);
    let snapshot = services(&source).await;
    let names: Vec<_> = snapshot.readings.iter().map(|reading| &*reading.name).collect();
    assert_eq!((names, snapshot.readings[0].signals.saturation), (vec!["cart", "mail"], Some(0.9)));
    let offer = probe(&source).await;
    assert!(offer.facts.contains(&("services".into(), "2".into())), "{:?}", offer.facts);
}

#[tokio::test]
async fn a_refresh_costs_the_same_for_one_service_and_for_a_thousand() {
    let mut costs = Vec::new();
    for count in [1, 1000] {
        let double = Double::start(move |asked| {
            let query = asked.parameter("query");
            if query.contains("http_requests_total")
                && !query.contains("code")
                && !query.contains("__name__) ")
            {
                let names: Vec<_> = (0..count).map(|i| json!({ "service": format!("s{i}") })).collect();
                return series(asked, &names.into_iter().map(|name| (name, "5")).collect::<Vec<_>>());
            }
            shop(asked)
        })
        .await;
        let source = source(&double);
        assert!(services(&source).await.readings.len() >= count);
        let before = double.asked().len();
        let reply = ask(&source, Query::Services.now()).await;
        assert_eq!(double.asked().len() - before, reply.requests as usize);
        costs.push(reply.requests);
    }
    assert_eq!(costs, [10, 10]);
}

#[tokio::test]
async fn a_signal_that_fails_is_a_warning_and_the_others_stand() {
    let double = Double::start(|asked| {
        if asked.parameter("query").starts_with("histogram_quantile(0.5") {
            return CannedResponse::new(
                503,
                "application/json",
                r#"{"status":"error","error":"queue \u001b full"}"#,
            );
        }
        shop(asked)
    })
    .await;
    let snapshot = services(&source(&double)).await;
    let warning = "latency (http_request_duration_seconds): 503: queue \\x1b full";
    assert_eq!(snapshot.warnings, [Warning::part(warning)]);
    assert_eq!(snapshot.readings[0].signals.p95, Some(0.4));
}

#[tokio::test]
async fn when_every_signal_fails_the_question_fails() {
    let double = Double::start(|asked| {
        if asked.parameter("query").contains("rate(") || asked.parameter("query").contains("up") {
            return CannedResponse::new(429, "text/plain", "").header("Retry-After", "9");
        }
        shop(asked)
    })
    .await;
    let error = source(&double).answer(&Query::Services.now(), None).await.unwrap_err();
    assert_eq!(
        (error.kind, error.retry_after),
        (ErrorKind::RateLimited { message: String::new() }, Some(Duration::from_secs(9)))
    );
}

#[tokio::test]
async fn a_partial_answer_is_shown_with_its_warning() {
    let double = Double::start(|asked| {
        if asked.parameter("query").contains("_saturation_ratio\",") && asked.parameter("query").starts_with("max") {
            let answer = json!({ "status": "success", "warnings": ["store \u{202e}eu is gone"],
                "data": { "result": [{ "metric": { "service": "cart" }, "value": [1, "0.7"] }], "resultType": "vector" } });
            return CannedResponse::json(&answer.to_string());
        }
        shop(asked)
    })
    .await;
    let snapshot = services(&source(&double)).await;
    assert_eq!(snapshot.warnings, [Warning::part("store \u{202e}eu is gone")]);
    assert_eq!(snapshot.readings[0].signals.saturation, Some(0.7));
}

#[tokio::test]
async fn the_past_is_asked_for_at_its_time() {
    let double = Double::start(shop).await;
    let source = source(&double);
    services(&source).await;
    let before = double.asked().len();
    ask(&source, Query::Services.at(Moment::At(Timestamp::from_second(1_700_000_000).unwrap()))).await;
    assert!(double.asked()[before..].iter().all(|asked| asked.parameter("time") == "1700000000"));
}

#[tokio::test]
async fn post_is_given_up_for_get_once_and_for_all() {
    let double = Double::start(|asked| match asked.method.as_str() {
        "POST" => CannedResponse::new(405, "text/plain", "no"),
        _ => shop(asked),
    })
    .await;
    let source = source(&double);
    assert_eq!(services(&source).await.readings.len(), 3);
    let before = double.asked().len();
    services(&source).await;
    assert!(double.asked()[before..].iter().all(|asked| asked.method == "GET"));
}

#[tokio::test]
async fn a_probe_says_who_it_is_and_is_one_request_from_then_on() {
    let double = Double::start(shop).await;
    let source = source(&double);
    let offer = probe(&source).await;
    assert_eq!((&*offer.flavour, &*offer.version), ("Prometheus", "3.1.0"));
    let fact =
        |name: &str| offer.facts.iter().find(|(n, _)| &**n == name).map(|(_, value)| value.to_string());
    assert_eq!(fact("services").as_deref(), Some("3"));
    assert_eq!(fact("services by").as_deref(), Some("service"));
    assert_eq!(fact("packs").as_deref(), Some("http, generic"));
    assert_eq!(fact("scrape interval").as_deref(), Some("30s, 5s"));
    assert_eq!(offer.clock_ahead_seconds, Some(60));
    assert!(offer.warnings.iter().any(|warning| warning.contains("60 s ahead")), "{:?}", offer.warnings);
    assert_eq!(ask(&source, Query::Probe.now()).await.requests, 1);
}

#[tokio::test]
async fn the_kin_are_told_apart_by_what_they_say() {
    for (build_info, stores, flavour, version) in [
        (success(&json!({ "version": "2.15.0", "application": "Grafana Mimir" })), false, "Mimir", "2.15.0"),
        (success(&json!({})), false, "VictoriaMetrics", ""),
        (success(&json!({ "version": "2.24.0" })), false, "VictoriaMetrics", ""),
        (
            success(&json!({ "version": "0.36.1", "revision": "x", "goVersion": "go" })),
            true,
            "Thanos",
            "0.36.1",
        ),
        (CannedResponse::new(400, "text/plain", "unsupported path"), false, "Prometheus API", ""),
    ] {
        let double = Double::start(move |asked| match asked.path.as_str() {
            "/api/v1/status/buildinfo" => build_info.clone(),
            "/api/v1/stores" if stores => success(&json!({})),
            _ => shop(asked),
        })
        .await;
        let offer = probe(&source(&double)).await;
        assert_eq!((&*offer.flavour, &*offer.version), (flavour, version));
    }
}

#[tokio::test]
async fn victoria_metrics_is_asked_for_fresh_values() {
    let double = Double::start(|asked| match asked.path.as_str() {
        "/api/v1/status/buildinfo" => success(&json!({})),
        _ => shop(asked),
    })
    .await;
    let source = source(&double);
    let offer = probe(&source).await;
    assert!(offer.warnings.iter().any(|warning| warning.contains("no rules found: VictoriaMetrics needs")));
    let before = double.asked().len();
    services(&source).await;
    ask(&source, Query::Trends { time_range: time_range() }.now()).await;
    for asked in &double.asked()[before..] {
        let (name, value) =
            if asked.path.ends_with("range") { ("latency_offset", "1s") } else { ("nocache", "1") };
        assert_eq!(asked.parameter(name), value);
    }
}

#[tokio::test]
async fn a_server_without_rights_to_query_is_told_from_one_without_services() {
    let double = Double::start(|asked| match asked.path.as_str() {
        "/api/v1/query" => CannedResponse::new(403, "text/plain", "no"),
        _ => shop(asked),
    })
    .await;
    let offer = probe(&source(&double)).await;
    assert!(offer.warnings.iter().any(|warning| warning.contains("403 Forbidden")), "{:?}", offer.warnings);
    let double = Double::start(|_| CannedResponse::new(401, "text/plain", "")).await;
    let error = source(&double).answer(&Query::Probe.now(), None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthorised { message: String::new() });
    let double = Double::start(|_| CannedResponse::new(200, "text/html", "<html>login</html>")).await;
    let error = source(&double).answer(&Query::Services.now(), None).await.unwrap_err();
    assert!(error.to_string().contains("HTML where JSON is expected"), "{error}");
}

#[tokio::test]
async fn a_hostile_name_is_quoted_in_queries() {
    let double = Double::start(shop).await;
    let source = source(&double);
    let name = "a\"} or vector(1) #\\";
    ask(&source, Query::Detail { service: name.into(), time_range: time_range() }.now()).await;
    let asked = double.asked();
    assert!(asked.last().unwrap().parameter("query").contains(r#"service="a\"} or vector(1) #\\""#));
}

#[tokio::test]
async fn what_prometheus_has_no_answer_to_is_not_offered() {
    let double = Double::start(shop).await;
    let source = source(&double);
    for ask in [Query::Alerts.now(), Query::Silences.now()] {
        let error = source.answer(&ask, None).await.unwrap_err();
        assert!(matches!(error.kind, ErrorKind::NotOffered { .. }));
        assert!(!source.info().answers.contains(&ask.kind()));
    }
}

#[tokio::test]
async fn a_server_that_came_back_is_got_to_know_anew() {
    let gone = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_gone = Arc::clone(&gone);
    let double = Double::start(move |asked| {
        if is_gone.load(Ordering::Relaxed) { CannedResponse::close_connection() } else { shop(asked) }
    })
    .await;
    let source = source(&double);
    services(&source).await;
    gone.store(true, Ordering::Relaxed);
    let error = source.answer(&Query::Services.now(), None).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Unreachable { .. }), "{error}");
    gone.store(false, Ordering::Relaxed);
    assert!(ask(&source, Query::Services.now()).await.requests > 9);
}

#[test]
fn a_young_server_is_surveyed_again_soon_and_an_old_one_rarely() {
    let nothing = MetricDiscovery::default();
    for (before, after) in [(None, 5), (Some(6), 9), (Some(40), 60), (Some(60), 5), (Some(600), 5)] {
        let before = before.map(Duration::from_secs);
        assert_eq!(validity_of(&nothing, true, before), Duration::from_secs(after));
    }
    let pack = packs::chosen(&[], &["node".into()]).remove(0);
    let found = metric_discovery::DiscoveredEntry::new(pack.entries().remove(0), false);
    let some = MetricDiscovery { entries: vec![found], ..MetricDiscovery::default() };
    for (before, after) in [(None, 60), (Some(30), 60), (Some(60), 120), (Some(480), 600), (Some(600), 600)] {
        assert_eq!(validity_of(&some, true, before.map(Duration::from_secs)), Duration::from_secs(after));
    }
}
