//! The analysis against a double of a server, which knows one service.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::budget::MOST_REQUESTS;
use crate::backend::kit::double::{CannedResponse, Double, ReceivedRequest};
use crate::backend::prometheus::Prometheus;
use crate::backend::{Clock, Source, SourceDeps};
use crate::config::settings::Settings;
use crate::model::ask::{Answer, Query, Reply};
use crate::model::labels::Labels;
use crate::model::source::SourceId;
use crate::model::why::{
    CauseContext, CauseKind, DependencyMeasure, WhyAnalysis, WhyQuery, WhySignal, causes,
};

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// The errors of the double's service begin two minutes ago.
fn onset() -> f64 {
    now().as_second() as f64 - 120.0
}

fn success(data: &Value) -> CannedResponse {
    CannedResponse::json(&json!({ "status": "success", "data": data }).to_string())
}

/// Instant samples.
fn vector(all: &[(Value, f64)]) -> CannedResponse {
    let sample =
        |(labels, value): &(Value, f64)| json!({ "metric": labels, "value": [1.0, value.to_string()] });
    success(&json!({ "resultType": "vector", "result": all.iter().map(sample).collect::<Vec<_>>() }))
}

/// Series over the asked range; each value is computed from the time.
fn matrix(asked: &ReceivedRequest, all: &[(Value, &dyn Fn(f64) -> f64)]) -> CannedResponse {
    let [start, end, step] =
        ["start", "end", "step"].map(|name| asked.parameter(name).parse::<f64>().unwrap());
    let times: Vec<f64> =
        std::iter::successors(Some(start), |at| Some(at + step)).take_while(|at| *at <= end).collect();
    let line = |(labels, value): &(Value, &dyn Fn(f64) -> f64)| {
        let values: Vec<Value> = times.iter().map(|at| json!([at, value(*at).to_string()])).collect();
        json!({ "metric": labels, "values": values })
    };
    success(&json!({ "resultType": "matrix", "result": all.iter().map(line).collect::<Vec<_>>() }))
}

/// A server with the service `shop` of 100 requests a second, whose requests of the user `u7` fail since the onset. `series` is the
/// number of series of its counter.
fn server(asked: &ReceivedRequest, series: f64) -> CannedResponse {
    server_failing(asked, series, &|at| at > onset())
}

/// The same, failing at these times.
fn server_failing(asked: &ReceivedRequest, series: f64, is_failed: &dyn Fn(f64) -> bool) -> CannedResponse {
    let query = asked.parameter("query");
    let is_range = asked.path.ends_with("query_range");
    match asked.path.as_str() {
        "/api/v1/labels" => success(&json!(["__name__", "code", "instance", "job", "service", "user"])),
        "/api/v1/query" if query.starts_with("label_replace(count by (__name__)") => {
            let metric = |name: &str| json!({ "__name__": name, "burnwatch_part": "service" });
            vector(&[(metric("http_requests_total"), series), (metric("up"), 1.0)])
        }
        "/api/v1/query" if query.starts_with("up{") => {
            let points: Vec<Value> =
                (0..20).map(|at| json!([now().as_second() - 15 * at, "1"])).rev().collect();
            success(
                &json!({ "resultType": "matrix", "result": [{ "metric": { "__name__": "up" }, "values": points }] }),
            )
        }
        "/api/v1/query_range"
            if query.contains("http_requests_total") && !query.contains("service!=\"\"") =>
        {
            let part = |word: &str| json!({ "service": "shop", "burnwatch_part": word });
            let failed = |at: f64| if is_failed(at) { 20.0 } else { 0.05 };
            matrix(asked, &[(part("all"), &|_| 100.0), (part("failed"), &failed)])
        }
        "/api/v1/query" if query.contains("http_requests_total") => {
            let is_bad = is_failed(asked.parameter("time").parse().unwrap());
            let cell = |labels: &str, part: &str| {
                let mut labels: serde_json::Map<String, Value> = labels
                    .split_whitespace()
                    .filter_map(|pair| pair.split_once('='))
                    .map(|(n, v)| (n.into(), v.into()))
                    .collect();
                labels.insert("burnwatch_part".into(), part.into());
                Value::Object(labels)
            };
            let failing = if is_bad { 19.95 } else { 0.01 };
            let both = |labels: &str, all: f64, failed: f64| {
                vec![(cell(labels, "all"), all), (cell(labels, "failed"), failed)]
            };
            let all = if query.contains("by (service)") {
                both("service=shop", 100.0, failing + 0.04)
            } else if query.contains("by (user)") {
                [both("user=u7", 25.0, failing), both("user=u8", 25.0, 0.01)].concat()
            } else if query.contains("by (instance)") || query.contains("by (job)") {
                both("job=shop instance=a:1", 100.0, failing + 0.04)
            } else {
                let of = |user: &str, failed: f64| {
                    both(&format!("user={user} instance=a:1 job=shop"), 25.0, failed)
                };
                [of("u7", failing), of("u8", 0.01), of("u9", 0.01), of("u10", 0.01)].concat()
            };
            vector(&all)
        }
        _ if is_range => matrix(asked, &[]),
        "/api/v1/query" => vector(&[]),
        _ => CannedResponse::new(404, "text/plain", "404 page not found"),
    }
}

async fn why(double: &Double, wanted: WhyQuery) -> Reply {
    let settings = Settings::default();
    let deps = SourceDeps::new(&settings, Clock::fixed(now()));
    let source = Prometheus::new(&SourceId::new("prom"), &double.source("prometheus"), deps).unwrap();
    source.answer(&Query::Why { wanted: wanted.into() }.now(), None).await.unwrap()
}

fn analysis(reply: Reply) -> WhyAnalysis {
    match reply.answer {
        Answer::Why(analysis) => analysis,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_value_that_has_the_failures_is_found_with_few_requests() {
    let double = Double::start(|asked| server(asked, 8.0)).await;
    let reply = why(&double, WhyQuery::of("shop")).await;
    assert_eq!(reply.warnings, []);
    let found = analysis(reply);
    let symptom = &found.symptoms[0];
    assert_eq!((symptom.signal, found.symptoms.len()), (WhySignal::Errors, 1));
    let late = symptom.onset.as_second() - (now().as_second() - 120);
    assert!((-30..=30).contains(&late), "{late}");
    assert_eq!(symptom.findings[0].labels, Labels::from_iter([("user", "u7")]));
    assert!(symptom.findings[0].explained > 0.99 && (symptom.findings[0].traffic - 0.25).abs() < 0.01);
    assert_eq!(usize::try_from(found.requests).unwrap(), double.asked().len());
    assert!(found.requests <= 10, "{}", found.requests);
}

#[tokio::test]
async fn an_incident_that_is_over_is_compared_by_its_own_time() {
    let at = |second: i64| now().as_second() as f64 + second as f64;
    let is_failed = move |moment: f64| (at(-900)..at(-600)).contains(&moment);
    let double = Double::start(move |asked| server_failing(asked, 8.0, &is_failed)).await;
    let nothing = analysis(why(&double, WhyQuery::of("shop")).await);
    assert_eq!(nothing.symptoms, [], "the service is healthy now");
    let since = now() - jiff::SignedDuration::from_secs(840);
    for until in [None, Some(now() - jiff::SignedDuration::from_secs(300))] {
        let before = double.asked().len();
        let found =
            analysis(why(&double, WhyQuery { since: Some(since), until, ..WhyQuery::of("shop") }).await);
        let [symptom] = found.symptoms.as_slice() else { panic!("{until:?}: {:?}", found.symptoms) };
        let (start, end) = (symptom.onset.as_second() as f64 - at(-900), symptom.bad.end.as_second() as f64);
        assert!(start.abs() <= 30.0 && (end - at(-600)).abs() <= 45.0, "{until:?}: {symptom:?}");
        assert_eq!(symptom.findings[0].labels, Labels::from_iter([("user", "u7")]));
        assert_eq!(usize::try_from(found.requests).unwrap(), double.asked().len() - before);
    }
    // an incident that began long after that is another one
    let is_failed = move |moment: f64| (at(-1500)..at(-1200)).contains(&moment);
    let double = Double::start(move |asked| server_failing(asked, 8.0, &is_failed)).await;
    let since = Some(now() - jiff::SignedDuration::from_secs(20));
    let later = analysis(why(&double, WhyQuery { since, ..WhyQuery::of("shop") }).await);
    assert_eq!(later.symptoms, []);
}

#[tokio::test]
async fn a_label_with_a_million_values_is_grouped_by_the_server_and_that_is_said() {
    let double = Double::start(|asked| server(asked, 2_000_000.0)).await;
    let found = analysis(why(&double, WhyQuery::of("shop")).await);
    assert_eq!(found.symptoms[0].findings[0].labels, Labels::from_iter([("user", "u7")]));
    assert!(found.notes.iter().any(|note| note.contains("at most the 50 values")), "{:?}", found.notes);
    assert!(found.requests <= MOST_REQUESTS);
    for asked in double.asked() {
        let query = asked.parameter("query");
        let is_by_value = query.contains("by (user)");
        assert!(!is_by_value || query.contains("topk(50") || query.contains("user=~\"u"), "{query}");
        // few points, because each costs two million values
        if asked.path.ends_with("query_range") && query.contains("http_requests_total{service=\"shop\"") {
            let [start, end, step] =
                ["start", "end", "step"].map(|name| asked.parameter(name).parse::<f64>().unwrap());
            assert!((end - start) / step <= 20.0, "{query}");
        }
    }
}

#[tokio::test]
async fn within_a_filter_only_its_requests_are_compared() {
    let double = Double::start(|asked| server(asked, 8.0)).await;
    let wanted = WhyQuery::of("shop").within(WhySignal::Errors, &Labels::from_iter([("user", "u\"7")]));
    let found = analysis(why(&double, wanted).await);
    let asked = double.asked();
    let queries: Vec<&str> =
        asked.iter().map(|asked| asked.parameter("query")).filter(|query| query.contains("rate(")).collect();
    assert!(queries.iter().all(|query| query.contains(r#"user="u\"7""#)), "{queries:?}");
    assert!(
        queries.iter().all(|query| !query.contains("by (user") && !query.contains(", user")),
        "{queries:?}"
    );
    assert_eq!(found.symptoms[0].signal, WhySignal::Errors);
}

#[tokio::test]
async fn a_service_without_metrics_is_not_known_and_nothing_else_is_asked() {
    let double = Double::start(|asked| match asked.parameter("query") {
        query if query.contains("shop") => server(asked, 8.0),
        _ => vector(&[]),
    })
    .await;
    let found = analysis(why(&double, WhyQuery::of("cart")).await);
    assert!(!found.is_known && found.symptoms.is_empty());
    assert_eq!(double.asked().len(), 1);
}

#[tokio::test]
async fn a_refused_query_is_said_and_the_rest_is_ranked() {
    let refused =
        json!({ "status": "error", "errorType": "execution", "error": "too many samples" }).to_string();
    let double = Double::start(move |asked| {
        if asked.parameter("query").contains("traces_service_graph") {
            return CannedResponse::new(422, "application/json", &refused);
        }
        server(asked, 8.0)
    })
    .await;
    let reply = why(&double, WhyQuery::of("shop")).await;
    assert!(reply.warnings[0].text.contains("dependencies could not be read"), "{:?}", reply.warnings);
    let found = analysis(reply);
    assert!(found.notes[0].contains("too many samples"), "{:?}", found.notes);
    assert_eq!(found.symptoms[0].findings.len(), 1);
}

#[tokio::test]
async fn a_dead_server_is_an_error_and_not_a_healthy_service() {
    let double = Double::start(|_| CannedResponse::new(503, "text/plain", "no")).await;
    let settings = Settings::default();
    let deps = SourceDeps::new(&settings, Clock::fixed(now()));
    let source = Prometheus::new(&SourceId::new("prom"), &double.source("prometheus"), deps).unwrap();
    let ask = Query::Why { wanted: WhyQuery::of("shop").into() }.now();
    assert!(source.answer(&ask, None).await.is_err());
}

#[tokio::test]
async fn a_configured_dependency_that_fails_first_or_is_down_is_told_and_one_without_data_is_noted() {
    let double = Double::start(|asked| {
        let query = asked.parameter("query");
        if !(asked.path.ends_with("query_range") && query.contains("pay|postgres|ghost")) {
            return server(asked, 4.0);
        }
        let line = |name: &str, part: &str| json!({ "service": name, "burnwatch_part": part });
        let failing = |at: f64| if at > onset() - 60.0 { 30.0 } else { 0.02 };
        let down = |at: f64| if at > onset() - 30.0 { 1.0 } else { f64::NAN };
        matrix(
            asked,
            &[
                (line("pay", "all"), &|_| 60.0),
                (line("pay", "failed"), &failing),
                (line("pay", "targets"), &|_| 4.0),
                (line("postgres", "targets"), &|_| 2.0),
                (line("postgres", "down"), &down),
            ],
        )
    })
    .await;
    let mut settings = Settings::default();
    let names = ["pay", "postgres", "ghost"].map(str::to_owned).to_vec();
    settings.services.depends_on.insert("shop".to_owned(), names);
    let deps = SourceDeps::new(&settings, Clock::fixed(now()));
    let source = Prometheus::new(&SourceId::new("prom"), &double.source("prometheus"), deps).unwrap();
    let found = analysis(
        source.answer(&Query::Why { wanted: WhyQuery::of("shop").into() }.now(), None).await.unwrap(),
    );
    let states: Vec<_> = found
        .dependencies
        .iter()
        .map(|state| (&*state.name, state.measured_by, state.onset.is_some()))
        .collect();
    assert_eq!(
        states,
        [("pay", DependencyMeasure::Requests, true), ("postgres", DependencyMeasure::Targets, true)]
    );
    assert!(found.notes.iter().any(|note| note.contains("ghost")), "{:?}", found.notes);
    assert!(found.requests <= MOST_REQUESTS);
    let context = CauseContext { service: "shop", changes: &[], alerts: &[] };
    let causes = causes(&found, context);
    let named: Vec<&str> = causes
        .iter()
        .filter(|cause| cause.kind == CauseKind::Dependency)
        .filter_map(|cause| cause.name.as_deref())
        .collect();
    assert_eq!(named.len(), 2, "{causes:?}");
    let words = &causes.iter().find(|cause| cause.name.as_deref() == Some("pay")).unwrap().words;
    assert!(words.starts_with("pay, which it depends on, fails: 50.0% of its requests"), "{words}");
}
