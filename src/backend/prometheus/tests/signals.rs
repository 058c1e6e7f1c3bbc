//! Tests of services whose queries are partly refused, truncated or empty, and of young data.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::shop::{series, shop};
use super::*;
use crate::backend::kit::double::ReceivedRequest;
use crate::model::service::ServiceReading;
use crate::model::signal::Signal;
use crate::model::warning::Warning;

/// A shop server with different answers to the queries that `is_meant` selects.
async fn picky(
    is_meant: impl Fn(&str) -> bool + Send + Sync + 'static,
    answer: impl Fn(&ReceivedRequest) -> CannedResponse + Send + Sync + 'static,
) -> Double {
    Double::start(move |asked| if is_meant(asked.parameter("query")) { answer(asked) } else { shop(asked) })
        .await
}

fn refused(status: u16) -> impl Fn(&ReceivedRequest) -> CannedResponse + Send + Sync + 'static {
    move |_| {
        CannedResponse::new(
            status,
            "application/json",
            r#"{"status":"error","error":"the query hit the limit of series"}"#,
        )
    }
}

fn unknown(reading: &ServiceReading) -> Vec<Signal> {
    reading.unknown.iter().map(|unknown| unknown.signal).collect()
}

async fn unknowns(double: &Double) -> Vec<(String, Vec<Signal>)> {
    let snapshot = services(&source(double)).await;
    let reported = snapshot.readings.iter().map(|reading| (reading.name.to_string(), unknown(reading)));
    reported.filter(|(_, signals)| !signals.is_empty()).collect()
}

fn is_failures(query: &str) -> bool {
    query.contains("rate(") && query.contains("code=~")
}

fn is_search(query: &str, what: &str) -> bool {
    !query.contains("rate(") && !query.contains('|') && query.contains(what)
}

#[tokio::test]
async fn what_is_refused_is_not_known_of_those_whom_it_is_about_and_of_nobody_else() {
    use Signal::{Apdex, Errors, Latency, Requests, Saturation, Targets};
    type Case = (fn(&str) -> bool, &'static [(&'static str, &'static [Signal])]);
    let cases: [Case; 8] = [
        (is_failures, &[("cart", &[Errors]), ("idle", &[Errors])]),
        (
            |q| q.starts_with("sum by (service) (rate(http_requests") && !q.contains("code"),
            &[("cart", &[Requests, Errors]), ("idle", &[Requests, Errors])],
        ),
        (|q| q.starts_with("histogram_quantile(0.95"), &[("cart", &[Latency]), ("idle", &[Latency])]),
        (
            |q| q.contains("rate(") && q.contains("_bucket"),
            &[("cart", &[Latency, Apdex]), ("idle", &[Latency, Apdex])],
        ),
        (
            |q| q.starts_with("max") && q.contains("_saturation_ratio"),
            &[("cart", &[Saturation]), ("idle", &[Saturation])],
        ),
        (|q| q.contains("up == 0"), &[("cart", &[Targets]), ("mail", &[Targets])]),
        (|q| is_search(q, "count by (le)"), &[("cart", &[Apdex]), ("idle", &[Apdex])]),
        (|q| is_search(q, "by (code,"), &[("cart", &[Errors]), ("idle", &[Errors])]),
    ];
    for (at, (is_meant, expected)) in cases.into_iter().enumerate() {
        for status in [422, 503] {
            let double = picky(is_meant, refused(status)).await;
            let expected: Vec<_> =
                expected.iter().map(|(name, signals)| ((*name).to_owned(), signals.to_vec())).collect();
            assert_eq!(unknowns(&double).await, expected, "case {at}, {status}");
        }
    }
    assert_eq!(unknowns(&Double::start(shop).await).await, []);
}

#[tokio::test]
async fn a_service_of_which_nothing_was_answered_is_still_there() {
    let double = picky(|q| q.contains("idle") || q.contains("rate(http_requests_total"), refused(429)).await;
    let snapshot = services(&source(&double)).await;
    let idle = snapshot.readings.iter().find(|reading| &*reading.name == "idle").unwrap();
    assert!(idle.unknown.contains(Signal::Requests));
}

#[tokio::test]
async fn a_part_of_an_answer_is_not_the_whole() {
    for (more, is_partial) in [
        (json!({ "isPartial": true }), true),
        (json!({ "warnings": ["store eu did not answer"] }), true),
        (json!({ "infos": ["PromQL info: metric might not be a counter"] }), false),
    ] {
        let answer = move |_: &ReceivedRequest| {
            let result = json!([{ "metric": { "service": "cart" }, "value": [1, "0.1"] }]);
            let mut body =
                json!({ "status": "success", "data": { "resultType": "vector", "result": result } });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            CannedResponse::json(&body.to_string())
        };
        let double = picky(is_failures, answer).await;
        assert_eq!(!unknowns(&double).await.is_empty(), is_partial);
    }
}

#[tokio::test]
async fn no_latency_while_requests_go_on_is_not_known_and_none_without_requests_is_none() {
    let nothing = |asked: &ReceivedRequest| series(asked, &[]);
    let double = picky(|q| q.contains("histogram_quantile"), nothing).await;
    assert_eq!(unknowns(&double).await, [("cart".to_owned(), vec![Signal::Latency])], "idle has no requests");
    let reported = services(&source(&double)).await.warnings.clone();
    assert_eq!(reported, [Warning::part("latency of 1 service not known: no data")]);
    let double = picky(|q| q.contains("rate(http_requests_total") && !q.contains("code"), nothing).await;
    assert_eq!(unknowns(&double).await[0], ("cart".to_owned(), vec![Signal::Requests, Signal::Errors]));
}

#[tokio::test]
async fn a_search_that_is_refused_later_drops_nothing_and_is_told() {
    let round = Arc::new(AtomicUsize::new(0));
    let now_refused = Arc::clone(&round);
    let is_meant = move |q: &str| {
        now_refused.load(Ordering::Relaxed) > 0 && (is_search(q, "_bucket") || is_search(q, "\"up\""))
    };
    let double = picky(is_meant, refused(422)).await;
    let source = source(&double);
    assert_eq!(ask(&source, Query::Services.now()).await.warnings, []);
    round.store(1, Ordering::Relaxed);
    source.discovery.lock().await.as_mut().unwrap().lasts = Duration::ZERO;
    let reply = ask(&source, Query::Services.now()).await;
    let Answer::Services(snapshot) = reply.answer else { panic!() };
    assert!(
        snapshot.readings.iter().all(|reading| reading.unknown.iter().next().is_none()),
        "{:?}",
        snapshot.readings
    );
    assert_eq!((snapshot.readings[0].signals.p95, snapshot.readings[0].targets.total), (Some(0.4), 3));
    assert!(
        reply
            .warnings
            .iter()
            .any(|warning| warning.is_missing_data() && warning.text.contains("limit of series"))
    );
    let lasts = source.discovery.lock().await.as_ref().unwrap().lasts;
    assert_eq!(lasts, DISCOVERY_RETRY_FIRST, "it is asked again soon");
}

#[tokio::test]
async fn a_search_that_is_too_large_is_made_in_parts() {
    // all metric names in one query, and all labels of a metric in one query
    let is_large =
        |q: &str| q.matches('|').count() > 20 || q.starts_with("count by (service,") && q.contains("_bucket");
    let double = picky(is_large, refused(422)).await;
    assert_eq!(unknowns(&double).await, []);
    let snapshot = services(&source(&double)).await;
    assert_eq!(
        (snapshot.readings[0].signals.request_rate, snapshot.readings[0].signals.p95),
        (Some(10.0), Some(0.4))
    );
}

/// A shop server whose data begin this many seconds ago.
async fn young(begins: &'static [(&'static str, i64)], scraped: &'static str) -> Double {
    Double::start(move |asked| {
        let query = asked.parameter("query");
        if asked.path == "/api/v1/targets" {
            return super::shop::success(&json!({ "activeTargets": [{ "scrapeInterval": scraped }] }));
        }
        if query.starts_with("min by") {
            let begins: Vec<(String, String)> = begins
                .iter()
                .map(|(name, ago)| ((*name).to_owned(), (now().as_second() - ago).to_string()))
                .collect();
            let all: Vec<_> =
                begins.iter().map(|(name, begin)| (json!({ "service": name }), begin.as_str())).collect();
            return series(asked, &all);
        }
        shop(asked)
    })
    .await
}

#[tokio::test]
async fn no_window_is_longer_than_the_data_and_what_cannot_be_told_yet_is_said() {
    type Case = (&'static [(&'static str, i64)], &'static str, u64, &'static [&'static str]);
    let cases: [Case; 8] = [
        // a server with old data
        (&[("cart", 70), ("idle", 61)], "15s", 60_000, &[]),
        // all data are young but have some scrapes; before the first one is no more time than the server extrapolates
        (&[("cart", 30), ("idle", 30)], "2s", 31_000, &[]),
        (&[("cart", 3), ("idle", 3)], "1s", 3500, &[]),
        // one service appeared when the others already existed
        (&[("cart", 8), ("idle", 12)], "1s", 12_500, &["requests: the server has data for only 8s"]),
        // fewer than two scrapes
        (
            &[("cart", 8), ("idle", 8)],
            "15s",
            60_000,
            &["requests: the server has data for only 8s", "errors: the server has data for only 8s"],
        ),
        // a service that appeared after the last step of the search
        (&[("idle", 90)], "5s", 60_000, &["requests: the service has data for only 0s"]),
        // a service that appeared some time ago
        (&[("cart", 20), ("idle", 90)], "5s", 60_000, &["requests: the service has data for only 20s"]),
        // a longer window
        (&[("cart", 100), ("idle", 250)], "1m", 240_000, &["requests: the service has data for only 1m40s"]),
    ];
    for (begins, scraped, lookback, expected) in cases {
        let double = young(begins, scraped).await;
        let snapshot = services(&source(&double)).await;
        let cart = &snapshot.readings[0];
        let words: Vec<_> = cart.unknown.iter().map(ToString::to_string).collect();
        assert!(
            words.iter().all(|word| expected.contains(&word.as_str()))
                && words.is_empty() == expected.is_empty(),
            "{begins:?}: {words:?}"
        );
        assert_eq!(cart.signals.request_rate.is_none(), !expected.is_empty(), "{begins:?}");
        assert_eq!(snapshot.lookback, Duration::from_millis(lookback), "{begins:?}");
    }
}

#[tokio::test]
async fn a_rate_is_not_known_where_the_data_ended_a_while_ago() {
    for (ago, scraped, expected) in [
        (14, "15s", None),
        (30, "15s", None),
        (40, "15s", Some("requests: the data of this service ended 40s ago")),
        (12, "5s", Some("requests: the data of this service ended 12s ago")),
        // a server that does not support the query
        (1_700_000_000, "15s", None),
    ] {
        let double = Double::start(move |asked| {
            let query = asked.parameter("query");
            if asked.path == "/api/v1/targets" {
                return super::shop::success(&json!({ "activeTargets": [{ "scrapeInterval": scraped }] }));
            }
            if query.starts_with("max by") && query.contains("timestamp(") {
                let newest = (now().as_second() - ago).to_string();
                return series(asked, &[(json!({ "service": "cart" }), newest.as_str())]);
            }
            shop(asked)
        })
        .await;
        let snapshot = services(&source(&double)).await;
        let cart = &snapshot.readings[0];
        let words: Vec<_> = cart.unknown.iter().map(ToString::to_string).collect();
        assert_eq!(words.first().map(String::as_str), expected, "{ago}");
        assert_eq!(cart.signals.request_rate.is_none(), expected.is_some(), "{ago}");
        assert_eq!(snapshot.readings[1].signals.request_rate, Some(0.0), "another service");
    }
}

#[tokio::test]
async fn a_service_that_is_gone_has_the_server_surveyed_again_soon_and_an_answer_without_data_is_told() {
    let round = Arc::new(AtomicUsize::new(0));
    let now = Arc::clone(&round);
    let double = Double::start(move |asked| {
        let query = asked.parameter("query");
        match now.load(Ordering::Relaxed) {
            1 if query.contains("rate(http_requests_total") => series(asked, &[]),
            2 if query.contains("_saturation_ratio") => super::shop::success(&serde_json::Value::Null),
            _ => shop(asked),
        }
    })
    .await;
    let source = source(&double);
    services(&source).await;
    let held = || async { source.discovery.lock().await.as_ref().unwrap().lasts };
    assert_eq!(held().await, DISCOVERY_INTERVAL_FIRST);
    round.store(1, Ordering::Relaxed);
    services(&source).await;
    assert_eq!(held().await, DISCOVERY_INTERVAL_AFTER_LOSS);
    round.store(2, Ordering::Relaxed);
    let reported = services(&source).await;
    assert_eq!(reported.warnings, [Warning::part("an answer without data")]);
    assert_eq!(unknown(&reported.readings[0]), [Signal::Saturation]);
}

#[tokio::test]
async fn how_old_data_are_is_asked_once_and_again_when_a_service_comes() {
    let round = Arc::new(AtomicUsize::new(0));
    let has_come = Arc::clone(&round);
    let double = Double::start(move |asked| {
        let query = asked.parameter("query");
        let is_rate = query.starts_with("sum by (service) (rate(http_requests") && !query.contains("code");
        if is_rate && has_come.load(Ordering::Relaxed) == 0 {
            return series(asked, &[(json!({ "service": "idle" }), "1")]);
        }
        shop(asked)
    })
    .await;
    let source = source(&double);
    let asked =
        || double.asked().iter().filter(|asked| asked.parameter("query").starts_with("min by")).count();
    let mut counts = Vec::new();
    for come in [0, 0, 1, 1] {
        round.store(come, Ordering::Relaxed);
        services(&source).await;
        counts.push(asked());
    }
    assert_eq!(counts, [1, 1, 2, 2]);
}

#[tokio::test]
async fn a_chart_that_is_refused_says_why_beside_those_that_are_not() {
    let double = picky(|q| q.contains("rate(") && q.contains("_bucket"), refused(422)).await;
    let reply =
        ask(&source(&double), Query::Detail { service: "cart".into(), time_range: time_range() }.now()).await;
    let Answer::Detail(detail) = reply.answer else { panic!() };
    assert_eq!(lines(&detail.request_rate), [("{}".into(), 10.0)]);
    let unknown: Vec<_> = detail.unknown.iter().map(ToString::to_string).collect();
    let why = "it rejects the query: the query hit the limit of series";
    assert_eq!(unknown, [format!("latency: {why}"), format!("Apdex: {why}")]);
    assert!(reply.warnings.iter().all(Warning::is_missing_data) && !reply.warnings.is_empty());
}
