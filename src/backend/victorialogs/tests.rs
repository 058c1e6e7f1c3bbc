//! VictoriaLogs by recorded answers, and by a double that keeps lines.

mod explore;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::backend::Clock;
use crate::backend::Source;
use crate::backend::kit::double::{CannedResponse, Double, ReceivedRequest};
use crate::backend::kit::tests::contract::recorded;
use crate::backend::logs::fixtures::{self, all_lines, canned, written};
use crate::config::settings::Settings as Configuration;
use crate::model::ask::Query;
use crate::model::log::{LogLines, PAGE};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn source(double: &Double, options: &[(&str, toml::Value)]) -> VictoriaLogs {
    let settings = Configuration::default();
    let deps = SourceDeps::new(&settings, Clock::fixed(at("2026-11-29T14:10:00Z")));
    let mut configured = double.source("victorialogs");
    configured.own.extend(options.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    VictoriaLogs::new(&SourceId::new("vlogs"), &configured, deps).unwrap()
}

fn whole() -> LogPage {
    let (from, until) = (at("2026-11-29T12:00:00Z"), at("2026-11-29T15:00:00Z"));
    LogPage { from, until, direction: LogDirection::Backward, limit: PAGE }
}

async fn lines(
    source: &VictoriaLogs,
    wanted: &Arc<LogQuery>,
    page: LogPage,
) -> Result<LogLines, SourceError> {
    fixtures::lines(source, wanted, page).await.map(|(lines, _)| lines)
}

fn exchange(name: &str) -> Option<Value> {
    recorded(&format!("specs/recorded/victorialogs-1.26/{name}.json"))
}

#[tokio::test]
async fn every_recorded_answer_with_lines_is_read_without_loss() {
    for name in [
        "query",
        "query-sorted-offset",
        "query-odd-lines",
        "query-message-missing",
        "query-empty",
        "tail",
        "tenant-empty",
    ] {
        let Some(exchange) = exchange(name) else { return };
        let recorded = exchange.clone();
        let double = Double::start(move |_| canned(&recorded)).await;
        let read = lines(&source(&double, &[]), &written("*"), whole())
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let sent = exchange["lines"].as_array().cloned().unwrap_or_default();
        assert_eq!((read.lines.len(), read.unreadable), (sent.len(), 0), "{name}");
        assert!(read.lines.windows(2).all(|two| two[0].at <= two[1].at), "{name}: sorted");
        for line in &sent {
            let object: Value =
                serde_json::from_str(line.as_str().or_else(|| line["line"].as_str()).unwrap()).unwrap();
            let at: Timestamp = object["_time"].as_str().unwrap().parse().unwrap();
            let found = read
                .lines
                .iter()
                .find(|line| line.at == at && line.labels.value("pod") == object["pod"])
                .unwrap();
            for (field, value) in object.as_object().unwrap() {
                let value = value.as_str().unwrap();
                match field.as_str() {
                    "_msg" if value.starts_with("missing _msg") => {
                        assert!(found.text().contains("trace_id="));
                    }
                    "_msg" => assert_eq!(found.text(), value),
                    "_time" | "_stream_id" => {}
                    "_stream" => assert_eq!(found.labels, stream(value)),
                    name => assert!(
                        found.labels.value(name) == value || found.fields.value(name) == value,
                        "{name}"
                    ),
                }
            }
        }
    }
}

fn stream(text: &str) -> Labels {
    wire::stream_labels(text)
}

#[tokio::test]
async fn lines_around_a_match_are_separated_by_one_that_is_no_line() {
    let Some(exchange) = exchange("query-context") else { return };
    let double = Double::start(move |_| canned(&exchange)).await;
    let read = lines(&source(&double, &[]), &written("x | stream_context before 1"), whole()).await.unwrap();
    assert!(!read.lines.is_empty());
}

#[tokio::test]
async fn the_recorded_hits_are_a_histogram_and_the_rest_has_no_severity() {
    for (name, totals) in [
        ("hits", [(LogSeverity::Error, 253), (LogSeverity::Info, 381), (LogSeverity::Warn, 253)].as_slice()),
        ("hits-grouped-limit", &[(LogSeverity::Unknown, 887)]),
    ] {
        let Some(exchange) = exchange(name) else { return };
        let double = Double::start(move |_| canned(&exchange)).await;
        let window = TimeGrid::ending(
            at("2026-11-29T14:15:00Z"),
            Duration::from_secs(7200),
            8,
            Duration::from_secs(900),
        );
        let ask = Query::LogCounts { wanted: written("*"), window }.now();
        let reply = source(&double, &[]).answer(&ask, None).await.unwrap();
        let Answer::LogCounts(counts) = reply.answer else { panic!("no counts") };
        for (severity, total) in totals {
            assert_eq!(counts.total(*severity), *total, "{name}");
        }
        let asked = double.asked();
        assert_eq!(asked[0].parameter("field"), "level");
        for name in ["start", "end", "step", "timeout", "fields_limit"] {
            assert!(!asked[0].parameter(name).is_empty(), "{name}");
        }
    }
}

#[tokio::test]
async fn every_recorded_error_is_shown_in_the_servers_words() {
    for name in [
        "error-parse",
        "error-no-query",
        "error-limit",
        "error-time",
        "error-stats-needed",
        "error-tenant",
        "error-tail-stats",
    ] {
        let Some(exchange) = exchange(name) else { return };
        let recorded = exchange.clone();
        let double = Double::start(move |_| canned(&recorded)).await;
        let error = lines(&source(&double, &[]), &written("*"), whole()).await.unwrap_err();
        let said = exchange["body"].as_str().or_else(|| exchange["body"]["error"].as_str()).unwrap().trim();
        assert!(error.to_string().contains(said.trim_end_matches('.')), "{name}: {error}");
    }
    let Some(exchange) = exchange("error-unknown-path") else { return };
    let double = Double::start(move |_| canned(&exchange)).await;
    let error = lines(&source(&double, &[]), &written("*"), whole()).await.unwrap_err();
    assert!(error.to_string().contains("404"), "a path that does not exist: {error}");
}

/// A server that keeps lines: time in milliseconds, fields.
fn answer(kept: &[(i64, Value)], asked: &ReceivedRequest) -> CannedResponse {
    for name in ["query", "start", "end", "timeout"] {
        assert!(!asked.parameter(name).is_empty(), "{} without {name}", asked.path);
    }
    let (from, until): (Timestamp, Timestamp) = (at(asked.parameter("start")), at(asked.parameter("end")));
    let query = asked.parameter("query");
    let (filter, pipe) = query.split_once(" | ").map_or((query, None), |(filter, pipe)| (filter, Some(pipe)));
    let fits = |line: &Value| {
        filter.split(" or ").any(|all| {
            all.split(' ').all(|part| {
                let (name, value) = part.split_once(":=").unwrap_or(("service", "\"checkout\""));
                line[name.trim_matches('"')] == serde_json::from_str::<Value>(value).unwrap()
            })
        })
    };
    let time = |ms: i64| Timestamp::from_millisecond(ms).unwrap();
    let mut found: Vec<&(i64, Value)> =
        kept.iter().filter(|(ms, line)| time(*ms) >= from && time(*ms) < until && fits(line)).collect();
    found.sort_by_key(|(ms, _)| if pipe.is_some() { *ms } else { -*ms });
    if asked.path.ends_with("streams") {
        let mut values: Vec<Value> = found
            .iter()
            .map(|(_, line)| json!({"value": format!("{{service={}}}", line["service"]), "hits": 0}))
            .collect();
        values.dedup();
        return CannedResponse::json(&json!({"values": values}).to_string());
    }
    if asked.path.ends_with("field_names") {
        return CannedResponse::json(
            r#"{"values":[{"value":"_msg","hits":1},{"value":"service","hits":1}]}"#,
        );
    }
    let limit: usize = asked.parameter("limit").parse().unwrap();
    assert!(pipe.is_none_or(|pipe| pipe == format!("sort by (_time) limit {limit}")), "{query}");
    found.truncate(limit);
    // unsorted, as the server sends them
    found.sort_by_key(|(ms, _)| ms % 7);
    let lines = found.iter().map(|(ms, line)| {
        let mut line = line.clone();
        line["_time"] = time(*ms).to_string().into();
        line["_stream"] = format!("{{service={}}}", line["service"]).into();
        format!("{line}\n")
    });
    CannedResponse::new(200, "application/stream+json", &lines.collect::<String>())
}

fn start() -> i64 {
    at("2026-11-29T14:00:00Z").as_millisecond()
}

async fn server(count: i64) -> Double {
    let line = |n: i64| {
        (
            start() + n / 5,
            json!({"_msg": format!("line {n}"), "service": "checkout", "region": if n % 2 == 0 { "eu" } else { "us" }}),
        )
    };
    let kept: Vec<(i64, Value)> = (0..count).map(line).collect();
    Double::start(move |asked| answer(&kept, asked)).await
}

#[tokio::test]
async fn unsorted_lines_are_sorted_and_paged_without_loss_in_both_directions() {
    let double = server(3000).await;
    let source = source(&double, &[]);
    let labels = Labels::from_iter([("service", "checkout"), ("region", "eu"), ("zone", "a")]);
    let wanted = Arc::new(LogQuery { labels, ..LogQuery::default() });
    let (from, until) = (at("2026-11-29T13:00:00Z"), at("2026-11-29T15:00:00Z"));
    let loaded = all_lines(&source, &wanted, (from, until)).await;
    assert_eq!(loaded.lines.len(), 1500);
    assert_eq!(
        &*loaded.query, r#"service:="checkout" region:="eu""#,
        "a field that is not in the stream narrows, too"
    );
    assert!(loaded.notes[1].contains("zone"), "{:?}", loaded.notes);
    // forward, from the middle
    let middle = Timestamp::from_millisecond(start() + 300).unwrap();
    let forward = LogPage { from: middle, until, direction: LogDirection::Forward, limit: 100 };
    let read = lines(&source, &wanted, forward).await.unwrap();
    assert_eq!((read.lines.len(), read.lines[0].at), (100, middle));
}

#[tokio::test]
async fn a_tenant_is_sent_in_its_headers_and_a_text_is_filtered_as_a_part_of_words() {
    let double = server(10).await;
    let source = source(&double, &[("account_id", 12.into()), ("project_id", 3.into())]);
    let wanted = LogQuery { labels: Labels::from_iter([("service", "nowhere")]), ..LogQuery::default() };
    let read = lines(&source, &Arc::new(wanted.clone()), whole()).await.unwrap();
    assert_eq!((&*read.query, read.lines.len()), ("", 0));
    assert!(read.notes[0].contains("it has service"), "{}", read.notes[0]);
    assert!(
        double
            .asked()
            .iter()
            .all(|asked| asked.header("accountid") == Some("12") && asked.header("projectid") == Some("3"))
    );
    let contains = |written: Option<&str>| LogQuery {
        written: written.map(Into::into),
        contains: Some("a.b \"c".into()),
        ..wanted.clone()
    };
    let selectors = [("service".to_owned(), Text::from("x")), ("kubernetes.pod".to_owned(), Text::from("y"))];
    assert_eq!(
        source.query(&selectors, &contains(None)),
        r#"service:="x" "kubernetes.pod":="y" _msg:~"a\\.b \"c""#
    );
    assert_eq!(
        source.query(&[], &contains(Some("a or b | fields _msg"))),
        r#"(a or b) _msg:~"a\\.b \"c" | fields _msg"#
    );
    let stream = LogQuery { is_stream: true, ..LogQuery::default() };
    assert_eq!(source.query(&selectors[..1], &stream), r#"{service="x"}"#);
}

#[tokio::test]
async fn what_is_no_log_line_is_an_error_or_counted() {
    let double = Double::start(|_| CannedResponse::json("<html>login</html>")).await;
    let error = lines(&source(&double, &[]), &written("*"), whole()).await.unwrap_err();
    assert!(error.to_string().contains("<html>login"), "{error}");
    let good = r#"{"_time":"2026-11-29T14:00:00Z","_msg":"x","level":"weird"}"#;
    let body = format!("{good}\n{{\"_time\":\"soon\",\"_msg\":\"y\"}}\nno json\n\n{good}");
    let double = Double::start(move |_| CannedResponse::json(&body)).await;
    let read = lines(&source(&double, &[]), &written("*"), whole()).await.unwrap();
    assert_eq!((read.lines.len(), read.unreadable), (1, 2), "the same line once");
}

#[tokio::test]
async fn the_probe_needs_no_health_check() {
    let gate = Double::start(|asked| match asked.path.as_str() {
        "/health" => CannedResponse::new(404, "text/plain", "404 page not found"),
        _ => CannedResponse::new(200, "application/stream+json", ""),
    })
    .await;
    assert!(source(&gate, &[]).answer(&Query::Probe.now(), None).await.is_ok());
    let refused = Double::start(|_| CannedResponse::new(401, "text/plain", "no")).await;
    assert!(source(&refused, &[]).answer(&Query::Probe.now(), None).await.is_err());
}
