//! Recorded answers of a real Tempo.

use super::*;
use crate::backend::kit::tests::contract::{recorded, without_loss};
use crate::model::tests::shared::shared;

/// A recorded exchange: its request, status and body. `None` if the recordings are not on this machine.
fn exchange(name: &str) -> Option<(String, CannedResponse, Value)> {
    let recorded = recorded(&format!("specs/recorded/tempo-main-2026-08/{name}.json"))?;
    let body = recorded["body"].clone();
    let text = if let Value::String(text) = &body { text.clone() } else { body.to_string() };
    let status = u16::try_from(recorded["status"].as_u64().unwrap()).unwrap();
    let kind = recorded["content_type"].as_str().unwrap_or("text/plain");
    let request = recorded["request"].as_str().unwrap().to_owned();
    Some((request, CannedResponse::new(status, kind, &text), body))
}

async fn replay(name: &str, query: Query) -> Option<(Answered, Value)> {
    let (_, canned, body) = exchange(name)?;
    let double = Double::start(move |_| canned.clone()).await;
    Some((ask(&double, query).await, body))
}

#[tokio::test]
async fn a_recorded_trace_is_read_without_loss_by_both_apis() {
    let id = TraceId::parse("db5b5fab8f4d3e27dda1494c73cf256d").unwrap();
    let Some((by_v2, body)) = replay("trace", Query::Trace { id }).await else { return };
    let trace = found(&by_v2).unwrap();
    assert_eq!(by_v2.as_ref().unwrap().warnings, []);
    let keys = ["name", "key", "stringValue", "intValue", "message", "spanId"];
    let plain = &keys[..5];
    without_loss(&body, plain, &format!("{trace:?}"));
    let services: Vec<&str> = trace.services.iter().map(|share| &*share.service).collect();
    assert_eq!(services, ["payments", "checkout"]);
    assert_eq!((trace.duration, trace.errors()), (Duration::from_millis(900), 2));
    let origin = &trace.nodes[trace.error_origin.unwrap()].span;
    assert_eq!((&*origin.operation, origin.events.len()), ("charge", 1));
    let (_, canned, _) = exchange("trace-v1").unwrap();
    let double = Double::start(move |asked| {
        if asked.path.contains("/v2/") {
            CannedResponse::new(404, "text/plain", "404 page not found")
        } else {
            canned.clone()
        }
    })
    .await;
    let by_v1 = ask(&double, Query::Trace { id }).await;
    assert_eq!(found(&by_v1), Some(trace));
}

#[tokio::test]
async fn recorded_searches_are_read_without_loss() {
    for name in ["search", "search-select", "search-structural", "search-none"] {
        let Some((answered, body)) = replay(name, search("checkout")).await else { return };
        let list = listed(&answered);
        let all = body["traces"].as_array().unwrap();
        assert_eq!(list.traces.len(), all.len(), "{name}");
        for (wire, trace) in all.iter().filter_map(|wire| {
            let id = TraceId::parse(wire["traceID"].as_str().unwrap()).unwrap();
            Some((wire, list.traces.iter().find(|trace| trace.id == id)?))
        }) {
            assert_eq!(wire["rootTraceName"], *trace.operation);
            assert_eq!(
                wire["durationMs"].as_u64().unwrap(),
                u64::try_from(trace.duration.as_millis()).unwrap()
            );
            assert_eq!((trace.spans, trace.errors), (Some(3), Some(2)), "{name}");
        }
        if all.is_empty() {
            let words = &answered.as_ref().unwrap().warnings;
            assert!(words.is_empty(), "the answer in place of the services names none: {words:?}");
        }
    }
}

#[tokio::test]
async fn recorded_build_information_and_errors_are_shown_in_the_servers_words() {
    let Some((probe, _)) = replay("buildinfo", Query::Probe).await else { return };
    assert!(matches!(probe.unwrap().answer, Answer::Probe(report) if report.version.is_empty()));
    let id = TraceId::new(1).unwrap();
    for (name, query, said) in [
        ("error-parse", search("x"), "parse error at line 1, col 8: syntax error: unexpected $end"),
        ("error-id", Query::Trace { id }, "trace IDs can only contain hex characters"),
    ] {
        let (answered, _) = replay(name, query).await.unwrap();
        let error = answered.unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
    for name in ["error-404", "error-404-v2"] {
        let (answered, _) = replay(name, Query::Trace { id }).await.unwrap();
        assert!(found(&answered).is_none(), "{name}");
    }
}

#[tokio::test]
async fn requests_have_the_form_of_the_recorded_ones() {
    if shared().is_none() {
        return;
    }
    let double = server(vec![(5, false)]).await;
    for query in [Query::Probe, Query::Trace { id: TraceId::new(1).unwrap() }, search("cart")] {
        ask(&double, query).await.unwrap();
    }
    let recordings = ["buildinfo", "error-404-v2", "search", "tag-values"];
    let known: Vec<String> = recordings.iter().map(|name| exchange(name).unwrap().0).collect();
    for asked in double.asked() {
        let is_known = known.iter().any(|known| known.split('?').next() == Some(&asked.path));
        assert!(is_known, "{} is none of {known:?}", asked.path);
    }
}
