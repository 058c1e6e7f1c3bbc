mod contract;

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::backend::kit::double::{CannedResponse, Double, ReceivedRequest};
use crate::backend::traces::fixtures::{found, listed};
use crate::backend::{Clock, Source};
use crate::config::settings::Settings;
use crate::model::ask::{Answer, Ask, Query};
use crate::model::trace::{SpanKind, SpanStatus};
use crate::model::warning::WarningKind;

fn now() -> Timestamp {
    "2026-11-29T15:00:00Z".parse().unwrap()
}

fn jaeger(double: &Double) -> Jaeger {
    let settings = Settings::default();
    let deps = SourceDeps::new(&settings, Clock::fixed(now()));
    Jaeger::new(&SourceId::new("jaeger"), &double.source("jaeger"), deps).unwrap()
}

fn search(service: &str) -> Ask {
    Query::Traces { service: service.into(), from: now() - Duration::from_secs(3600), until: now() }.now()
}

fn one(number: u128) -> Ask {
    Query::Trace { id: TraceId::new(number).unwrap() }.now()
}

/// A Jaeger of some version that keeps traces of the service `shop`.
struct ServerState {
    /// The newest API that it has.
    newest: Api,
    /// Whether an unknown path is answered with the page of the user interface, as some versions do.
    has_page: bool,
    /// The duration of each trace in milliseconds, and whether it failed; its id is its index and one.
    traces: Vec<(u64, bool)>,
}

impl ServerState {
    fn new(newest: Api, traces: Vec<(u64, bool)>) -> Self {
        Self { newest, has_page: false, traces }
    }

    async fn start(self) -> Double {
        Double::start(move |asked| self.answer(asked)).await
    }

    fn answer(&self, asked: &ReceivedRequest) -> CannedResponse {
        let has = |api: Api| self.newest as u8 <= api as u8;
        match asked.path.strip_prefix("/api/").unwrap_or_default() {
            "v3/services" if has(Api::V3) => CannedResponse::json(r#"{"services":["cart","shop"]}"#),
            "v3/trace-summaries" if has(Api::Summaries) => {
                let all = self.matching(asked, "query.serviceName", "query.searchDepth").map(summary);
                CannedResponse::json(&json!({"summaries": all.collect::<Vec<_>>()}).to_string())
            }
            "v3/traces" if has(Api::V3) => {
                let all = self.matching(asked, "query.serviceName", "query.searchDepth").map(otlp);
                CannedResponse::json(
                    &json!({"result": {"resourceSpans": all.collect::<Vec<_>>()}}).to_string(),
                )
            }
            "services" => CannedResponse::json(r#"{"data":["cart","shop"],"total":2,"errors":null}"#),
            "traces" => {
                let all = self.matching(asked, "service", "limit").map(legacy);
                CannedResponse::json(&json!({"data": all.collect::<Vec<_>>(), "errors": null}).to_string())
            }
            path => {
                let by_id = |prefix: &str, form: fn((usize, u64, bool)) -> Value| {
                    let number = usize::from_str_radix(path.strip_prefix(prefix)?, 16).ok()?;
                    let (millis, failed) = self.traces.get(number.checked_sub(1)?)?;
                    Some(form((number - 1, *millis, *failed)))
                };
                if path.starts_with("v3/traces/") && has(Api::V3) {
                    match by_id("v3/traces/", otlp) {
                        Some(spans) => {
                            CannedResponse::json(&json!({"result": {"resourceSpans": [spans]}}).to_string())
                        }
                        None => CannedResponse::new(
                            404,
                            "application/json",
                            r#"{"error":{"httpCode":404,"message":"No traces found"}}"#,
                        ),
                    }
                } else if path.starts_with("traces/") {
                    match by_id("traces/", legacy) {
                        Some(trace) => CannedResponse::json(&json!({"data": [trace]}).to_string()),
                        None => CannedResponse::new(
                            404,
                            "application/json",
                            r#"{"data":null,"errors":[{"code":404,"msg":"trace not found"}]}"#,
                        ),
                    }
                } else if self.has_page {
                    CannedResponse::new(200, "text/html", "<!doctype html><title>Jaeger UI</title>")
                } else {
                    CannedResponse::new(404, "text/plain", "404 page not found")
                }
            }
        }
    }

    /// The traces that a search finds: the first ones that match.
    fn matching<'a>(
        &'a self,
        asked: &'a ReceivedRequest,
        service: &str,
        limit: &str,
    ) -> impl Iterator<Item = (usize, u64, bool)> + 'a {
        let is_of_shop = asked.parameter(service) == "shop";
        let seconds =
            asked.parameter("query.durationMin").trim_end_matches('s').parse::<f64>().unwrap_or(0.0);
        let micros = asked.parameter("minDuration").trim_end_matches("us").parse::<f64>().unwrap_or(0.0);
        let is_failed = asked.parameters.iter().any(|(name, _)| name == "query.filter" || name == "tags");
        let all = self.traces.iter().enumerate().map(|(at, (millis, failed))| (at, *millis, *failed));
        let limit = asked.parameter(limit).parse().unwrap();
        all.filter(move |(_, millis, failed)| {
            let is_slow = *millis as f64 >= (seconds * 1e3).max(micros / 1e3);
            is_of_shop && is_slow && (*failed || !is_failed)
        })
        .take(limit)
    }
}

const START: u64 = 1_795_962_806_162_147_000;

fn summary((at, millis, failed): (usize, u64, bool)) -> Value {
    json!({
        "traceId": format!("{:032x}", at + 1), "rootServiceName": "shop", "rootOperationName": "POST /order",
        "minStartTimeUnixNano": START.to_string(), "maxEndTimeUnixNano": (START + millis * 1_000_000).to_string(),
        "spanCount": 2, "errorSpanCount": u8::from(failed),
        "services": [{"name": "shop", "spanCount": 2, "errorSpanCount": u8::from(failed)}],
    })
}

fn otlp((at, millis, failed): (usize, u64, bool)) -> Value {
    let id = format!("{:032x}", at + 1);
    json!({
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
        "scopeSpans": [{"scope": {"name": "http"}, "spans": [
            {"traceId": id, "spanId": "00000000000000a1", "name": "POST /order", "kind": 2, "status": {"code": if failed { 2 } else { 0 }},
             "startTimeUnixNano": START.to_string(), "endTimeUnixNano": (START + millis * 1_000_000).to_string()},
            {"traceId": id, "spanId": "00000000000000a2", "parentSpanId": "00000000000000a1", "name": "query", "kind": 3,
             "startTimeUnixNano": START.to_string(), "endTimeUnixNano": (START + millis * 500_000).to_string()},
        ]}],
    })
}

fn legacy((at, millis, failed): (usize, u64, bool)) -> Value {
    // as the older API writes ids: without leading zeros
    let id = format!("{:x}", at + 1);
    let child = json!([{"refType": "CHILD_OF", "traceID": id, "spanID": "a1"}]);
    json!({
        "traceID": id,
        "spans": [
            {"traceID": id, "spanID": "a1", "operationName": "POST /order", "references": [], "startTime": START / 1000,
             "duration": millis * 1000, "processID": "p1",
             "tags": [{"key": "span.kind", "type": "string", "value": "server"}, {"key": "error", "type": "bool", "value": failed},
                      {"key": "otel.library.name", "type": "string", "value": "http"}],
             "logs": [{"timestamp": START / 1000 + 3, "fields": [{"key": "event", "value": "retry"}, {"key": "n", "value": 2}]}]},
            {"traceID": id, "spanID": "a2", "operationName": "query", "references": child, "startTime": START / 1000,
             "duration": millis * 500, "processID": "p1", "tags": [{"key": "span.kind", "value": "client"}], "warnings": ["clock skew"]},
        ],
        "processes": {"p1": {"serviceName": "shop", "tags": [{"key": "host", "value": "web-1"}]}},
    })
}

#[tokio::test]
async fn every_version_lists_failed_traces_first_then_the_slowest() {
    let mut traces: Vec<(u64, bool)> = (0..300).map(|n| (1 + n * 131 % 300, false)).collect();
    traces[250].1 = true;
    for newest in [Api::Summaries, Api::V3, Api::Legacy] {
        let double = ServerState::new(newest, traces.clone()).start().await;
        let source = jaeger(&double);
        let answered = source.answer(&search("shop"), None).await;
        let list = listed(&answered);
        assert_eq!(list.traces[0].id, TraceId::new(251).unwrap(), "{newest:?}");
        assert!(list.traces[0].is_failed && !list.traces[1].is_failed);
        assert_eq!(list.traces[1].duration, Duration::from_millis(300), "{newest:?}");
        assert_eq!((&*list.traces[1].operation, list.traces[1].spans), ("POST /order", Some(2)));
        let link = list.traces[0].link.as_deref().unwrap();
        assert_eq!(link, format!("{}/trace/000000000000000000000000000000fb", double.url));
        assert_eq!(source.api(), newest);
        let before = double.asked().len();
        source.answer(&search("shop"), None).await.unwrap();
        let api = &double.asked()[before].path;
        assert_eq!(api, &format!("/{}", newest.path()), "what the server does not have is tried once");
    }
}

#[tokio::test]
async fn a_trace_is_the_same_by_each_api() {
    let mut traces = Vec::new();
    for newest in [Api::V3, Api::Legacy] {
        let double = ServerState::new(newest, vec![(100, true)]).start().await;
        let answered = jaeger(&double).answer(&one(1), None).await;
        let trace = found(&answered).unwrap();
        assert_eq!((trace.duration, trace.nodes.len(), trace.errors()), (Duration::from_millis(100), 2, 1));
        let root = &trace.nodes[0].span;
        assert_eq!((root.kind, root.status, &*root.scope), (SpanKind::Server, SpanStatus::Error, "http"));
        assert_eq!(trace.nodes[1].parent, Some(0));
        traces
            .push(trace.nodes.iter().map(|node| (node.span.id, node.from, node.length)).collect::<Vec<_>>());
        assert!(found(&jaeger(&double).answer(&one(2), None).await).is_none(), "{newest:?}");
    }
    assert_eq!(traces[0], traces[1]);
}

#[tokio::test]
async fn logs_tags_and_processes_of_the_older_api_are_kept() {
    let double = ServerState::new(Api::Legacy, vec![(100, false)]).start().await;
    let answered = jaeger(&double).answer(&one(1), None).await;
    let trace = found(&answered).unwrap();
    let root = &trace.nodes[0].span;
    let event = &root.events[0];
    assert_eq!((&*event.name, event.at.as_nanosecond()), ("retry", 1_795_962_806_162_150_000));
    assert_eq!(event.attributes, [("n".into(), "2".into())]);
    assert_eq!(*root.resource, [("host".into(), "web-1".into())]);
    let warning = ("warning".into(), "clock skew".into());
    assert!(trace.nodes[1].span.attributes.contains(&warning), "{:?}", trace.nodes[1].span.attributes);
}

#[tokio::test]
async fn the_page_of_the_user_interface_is_no_answer() {
    let old = ServerState { has_page: true, ..ServerState::new(Api::Legacy, vec![(5, false)]) };
    let double = old.start().await;
    assert!(found(&jaeger(&double).answer(&one(1), None).await).is_some());
    assert_eq!(listed(&jaeger(&double).answer(&search("shop"), None).await).traces.len(), 1);
    let Answer::Probe(report) = jaeger(&double).answer(&Query::Probe.now(), None).await.unwrap().answer
    else {
        panic!("no report");
    };
    assert!(report.facts.contains(&("API".into(), "before v3".into())), "{report:?}");
    let page = Double::start(|_| CannedResponse::new(200, "text/html", "<html>")).await;
    let error = jaeger(&page).answer(&search("shop"), None).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Garbled { .. }), "{error}");
}

#[tokio::test]
async fn an_unknown_service_is_named_with_those_that_have_traces() {
    let double = ServerState::new(Api::Summaries, vec![(5, false)]).start().await;
    let reply = jaeger(&double).answer(&search("payments"), None).await.unwrap();
    let notice = reply.warnings.first().unwrap();
    assert!(notice.kind == WarningKind::Notice && notice.text.contains("cart, shop"), "{notice}");
}

#[tokio::test]
async fn a_server_that_ignores_the_filter_for_failures_shows_no_others_as_failed() {
    let double = Double::start(|asked| match asked.path.as_str() {
        "/api/v3/trace-summaries" => CannedResponse::json(
            &json!({"summaries": [summary((0, 5, false)), summary((1, 9, true))]}).to_string(),
        ),
        _ => CannedResponse::new(404, "text/plain", "404 page not found"),
    })
    .await;
    let answered = jaeger(&double).answer(&search("shop"), None).await;
    let failed: Vec<bool> = listed(&answered).traces.iter().map(|trace| trace.is_failed).collect();
    assert_eq!(failed, [true, false]);
}

#[tokio::test]
async fn several_objects_in_one_answer_are_one_trace() {
    let [first, second] = [
        otlp((0, 10, false)),
        json!({"scopeSpans": [{"spans": [{"traceId": "1", "spanId": "b",
        "parentSpanId": "00000000000000a1", "startTimeUnixNano": START.to_string()}]}]}),
    ];
    let body =
        [first, second].map(|spans| json!({"result": {"resourceSpans": [spans]}}).to_string()).join("\n");
    let double = Double::start(move |_| CannedResponse::json(&body)).await;
    let answered = jaeger(&double).answer(&one(1), None).await;
    assert_eq!(found(&answered).map(|trace| trace.nodes.len()), Some(3));
    let cut = Double::start(|_| CannedResponse::json(r#"{"result":{"resourceSpans":["#)).await;
    let error = jaeger(&cut).answer(&one(1), None).await.unwrap_err();
    assert!(error.to_string().contains("cut off"), "{error}");
}

#[tokio::test]
async fn errors_are_in_the_servers_words_and_a_wrong_address_is_no_missing_trace() {
    let of = |status, body: &'static str| {
        Double::start(move |_| CannedResponse::new(status, "application/json", body))
    };
    let refused = of(500, r#"{"error":{"httpCode":500,"message":"storage is down"}}"#).await;
    let error = jaeger(&refused).answer(&one(1), None).await.unwrap_err();
    assert!(error.to_string().contains("500: storage is down"), "{error}");
    let wrong = of(404, "404 page not found").await;
    for ask in [one(1), search("shop"), Query::Probe.now()] {
        let error = jaeger(&wrong).answer(&ask, None).await.unwrap_err();
        assert!(error.to_string().contains("no Jaeger API below this address"), "{error}");
    }
}
