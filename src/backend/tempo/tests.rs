mod contract;

use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::backend::kit::double::{CannedResponse, Double, ReceivedRequest};
use crate::backend::traces::fixtures::{found, listed};
use crate::backend::{Clock, Source};
use crate::config::settings::Settings;
use crate::model::ask::{Answer, Query};
use crate::model::source::ErrorKind;
use crate::model::warning::WarningKind;
use jiff::Timestamp;

fn now() -> Timestamp {
    "2026-11-29T15:00:00Z".parse().unwrap()
}

fn tempo(source: &SourceSettings) -> Tempo {
    let settings = Settings::default();
    Tempo::new(&SourceId::new("tempo"), source, SourceDeps::new(&settings, Clock::fixed(now()))).unwrap()
}

async fn ask(double: &Double, query: Query) -> Answered {
    tempo(&double.source("tempo")).answer(&query.now(), None).await
}

fn search(service: &str) -> Query {
    Query::Traces { service: service.into(), from: now() - Duration::from_millis(3_600_500), until: now() }
}

/// A Tempo that keeps traces of one service, and searches as the real one: any that match, up to the limit.
struct ServerState {
    /// The duration of each trace in milliseconds, and whether it failed; its id is its index and one.
    traces: Vec<(u64, bool)>,
}

impl ServerState {
    fn answer(&self, asked: &ReceivedRequest) -> CannedResponse {
        let text = |status, body: &str| CannedResponse::new(status, "text/plain; charset=utf-8", body);
        let path: Vec<&str> = asked.path.split('/').skip(1).collect();
        match path.as_slice() {
            ["api", "status", "buildinfo"] => CannedResponse::json(r#"{"version":"2.9.0","revision":"x"}"#),
            ["api", "search"] => self.search(asked),
            ["api", "v2", "search", "tag", "resource.service.name", "values"] => CannedResponse::json(
                r#"{"tagValues":[{"type":"string","value":"shop"},{"type":"string","value":"cart"}]}"#,
            ),
            ["api", "v2", "traces", id] => {
                let Ok(number) = u128::from_str_radix(id, 16) else {
                    return text(400, "trace IDs can only contain hex characters");
                };
                let known = usize::try_from(number).ok().and_then(|n| self.traces.get(n.checked_sub(1)?));
                let trace = known.map_or_else(
                    || json!({}),
                    |(millis, _)| json!({"resourceSpans": [resource(id, *millis)]}),
                );
                CannedResponse::json(&json!({"trace": trace, "metrics": {}}).to_string())
            }
            _ => text(404, "404 page not found"),
        }
    }

    fn search(&self, asked: &ReceivedRequest) -> CannedResponse {
        let query = asked.parameter("q");
        let is_of_shop = query.contains(r#"resource.service.name = "shop""#);
        let minimum = query.split("traceDuration >= ").nth(1).and_then(|rest| rest.split("ns").next());
        let minimum: u64 = minimum.map_or(0, |minimum| minimum.parse().unwrap());
        let is_failed = query.contains("status = error");
        let limit: usize = asked.parameter("limit").parse().unwrap();
        let all = self.traces.iter().enumerate().filter(|(_, (millis, failed))| {
            is_of_shop && millis * 1_000_000 >= minimum && (*failed || !is_failed)
        });
        let traces: Vec<Value> = all
            .take(limit)
            .map(|(at, (millis, failed))| {
                json!({
                    // without leading zeros
                    "traceID": format!("{:x}", at + 1), "rootServiceName": "shop", "rootTraceName": "POST /order",
                    "startTimeUnixNano": "1795962806162147000", "durationMs": millis,
                    "serviceStats": {"shop": {"spanCount": 2, "errorCount": u8::from(*failed)}},
                })
            })
            .collect();
        CannedResponse::json(&json!({"traces": traces, "metrics": {}}).to_string())
    }
}

fn resource(id: &str, millis: u64) -> Value {
    let start = 1_795_962_806_162_147_000_u64;
    json!({
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
        "scopeSpans": [{"spans": [{
            "traceId": id, "spanId": "0000000000000001", "name": "POST /order", "kind": "SPAN_KIND_SERVER",
            "startTimeUnixNano": start.to_string(), "endTimeUnixNano": (start + millis * 1_000_000).to_string(),
        }]}],
    })
}

async fn server(traces: Vec<(u64, bool)>) -> Double {
    let state = ServerState { traces };
    Double::start(move |asked| state.answer(asked)).await
}

#[tokio::test]
async fn failed_traces_come_first_then_the_slowest_also_where_the_server_does_not_sort() {
    let mut traces: Vec<(u64, bool)> = (0..700).map(|n| (n * 331 % 700, false)).collect();
    traces[500].1 = true;
    let double = server(traces).await;
    let answered = ask(&double, search("shop")).await;
    let list = listed(&answered);
    assert!(list.traces[0].is_failed && list.traces[0].errors == Some(1));
    assert_eq!(list.traces[0].id, TraceId::new(501).unwrap());
    assert_eq!((list.traces[1].duration, list.is_cut), (Duration::from_millis(699), false));
    assert!(list.traces.windows(2).skip(1).all(|pair| pair[0].duration >= pair[1].duration));
    let asked = double.asked();
    assert!(asked.len() <= 5, "{} searches", asked.len());
    for request in asked {
        // seconds, the beginning rounded down
        assert_eq!((request.parameter("start"), request.parameter("end")), ("1795960799", "1795964400"));
    }
}

#[tokio::test]
async fn more_traces_than_may_be_read_are_said() {
    let double = server(vec![(5, true); 300]).await;
    assert!(listed(&ask(&double, search("shop")).await).is_cut, "there are more failed ones");
}

#[tokio::test]
async fn a_service_without_traces_is_told_from_one_that_traces_do_not_know() {
    let double = server(vec![(5, false)]).await;
    let reply = ask(&double, search("payments")).await.unwrap();
    let notice = reply.warnings.first().unwrap();
    assert!(notice.kind == WarningKind::Notice && notice.text.contains("cart, shop"), "{notice}");
    assert!(ask(&double, search("cart")).await.unwrap().warnings.is_empty());
    let mut source = double.source("tempo");
    source.own.insert("services".into(), toml::Value::Table(toml::toml! { payments = "shop" }));
    let answered = tempo(&source).answer(&search("payments").now(), None).await;
    assert_eq!(listed(&answered).traces.len(), 1, "by its name in traces");
}

#[tokio::test]
async fn a_name_with_quotes_stays_one_string() {
    let double = server(Vec::new()).await;
    ask(&double, search("a\" || true || \"\\")).await.unwrap();
    let asked = double.asked();
    assert_eq!(asked[0].parameter("q"), r#"{ resource.service.name = "a\" || true || \"\\" }"#);
}

#[tokio::test]
async fn a_trace_is_read_by_its_number_and_one_that_is_not_there_is_none() {
    let double = server(vec![(100, false)]).await;
    let id = TraceId::new(1).unwrap();
    let answered = ask(&double, Query::Trace { id }).await;
    assert_eq!(
        found(&answered).map(|trace| (trace.nodes.len(), trace.duration)),
        Some((1, Duration::from_millis(100)))
    );
    assert_eq!(double.asked()[0].path, "/api/v2/traces/00000000000000000000000000000001");
    let none = ask(&double, Query::Trace { id: TraceId::new(2).unwrap() }).await;
    assert!(found(&none).is_none() && none.unwrap().warnings.is_empty());
}

#[tokio::test]
async fn a_partial_trace_says_why() {
    let body = json!({"trace": {"resourceSpans": [resource("1f", 5)]}, "status": "PARTIAL", "message": "trace exceeds max size"});
    let double = Double::start(move |_| CannedResponse::json(&body.to_string())).await;
    let answered = ask(&double, Query::Trace { id: TraceId::new(0x1f).unwrap() }).await;
    assert_eq!(found(&answered).unwrap().partial.as_deref(), Some("trace exceeds max size"));
    let reply = answered.unwrap();
    assert_eq!(reply.warnings[0].kind, WarningKind::MissingPart);
}

#[tokio::test]
async fn without_the_api_v2_the_older_one_is_used_from_then_on() {
    let old = |asked: &ReceivedRequest| match asked.path.as_str() {
        "/api/traces/0000000000000000000000000000001f" => {
            CannedResponse::json(&json!({"batches": [resource("1f", 7)]}).to_string())
        }
        path if path.starts_with("/api/traces/") => CannedResponse::new(404, "text/plain", ""),
        _ => CannedResponse::new(404, "text/plain", "404 page not found"),
    };
    let double = Double::start(old).await;
    let source = tempo(&double.source("tempo"));
    let query = |number| Query::Trace { id: TraceId::new(number).unwrap() }.now();
    let answered = source.answer(&query(0x1f), None).await;
    assert_eq!(found(&answered).map(|trace| trace.duration), Some(Duration::from_millis(7)));
    assert!(found(&source.answer(&query(2), None).await).is_none());
    let paths: Vec<String> = double.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths.iter().filter(|path| path.contains("/v2/")).count(), 1, "{paths:?}");
}

#[tokio::test]
async fn a_wrong_address_is_no_missing_trace() {
    let double = Double::start(|_| CannedResponse::new(404, "text/plain", "404 page not found")).await;
    for query in [Query::Probe, Query::Trace { id: TraceId::new(1).unwrap() }, search("shop")] {
        let error = ask(&double, query).await.unwrap_err();
        assert!(
            matches!(&error.kind, ErrorKind::Garbled { reason } if reason.contains("Tempo API")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn what_is_no_answer_of_a_tempo_is_said_and_nothing_panics() {
    for body in
        ["", "<html>", "{", "[]", "7", "null", r#"{"traces":7}"#, r#"{"trace":{"resourceSpans":"x"}}"#]
    {
        let canned = CannedResponse::json(body);
        let double = Double::start(move |_| canned.clone()).await;
        for query in [Query::Probe, Query::Trace { id: TraceId::new(1).unwrap() }, search("shop")] {
            match ask(&double, query).await {
                Err(error) => assert!(matches!(error.kind, ErrorKind::Garbled { .. }), "{body}: {error}"),
                Ok(reply) => assert!(body.starts_with('{'), "{body}: {reply:?}"),
            }
        }
    }
}

#[tokio::test]
async fn the_tenant_goes_along_and_the_version_is_reported() {
    let requests = std::sync::Arc::new(Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&requests);
    let double = Double::start(move |asked| {
        seen.lock().unwrap().push(asked.header("x-scope-orgid").map(str::to_owned));
        CannedResponse::json(r#"{"version":"2.9.0"}"#)
    })
    .await;
    let mut source = double.source("tempo");
    source.tenant = Some("team-shop".into());
    let Answer::Probe(report) = tempo(&source).answer(&Query::Probe.now(), None).await.unwrap().answer else {
        panic!("no report");
    };
    assert_eq!((&*report.flavour, &*report.version), ("Tempo", "2.9.0"));
    assert_eq!(*requests.lock().unwrap(), [Some("team-shop".to_owned())]);
}
