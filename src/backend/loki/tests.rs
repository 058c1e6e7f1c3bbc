//! Loki by recorded answers, and by a double that keeps lines.

mod explore;
mod kept;
mod panels;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::*;
use crate::backend::Clock;
use crate::backend::kit::double::{CannedResponse, Double};
use crate::backend::kit::tests::contract::{recorded, without_loss};
use crate::backend::logs::fixtures::{all_lines, ask, canned, lines, of_labels, texts, written};
use crate::config::settings::Settings as Configuration;
use crate::model::ask::Query;
use crate::model::log::{LogComparison, LogDemand, LogSplit, PAGE, next_page};
use crate::model::source::ErrorKind;
use kept::Kept;

const NOW: i64 = 1_800_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(NOW + second).unwrap()
}

fn loki_at(double: &Double, clock: Timestamp) -> Loki {
    let settings = Configuration::default();
    let deps = SourceDeps::new(&settings, Clock::fixed(clock));
    Loki::new(&SourceId::new("loki"), &double.source("loki"), deps).unwrap()
}

fn loki(double: &Double) -> Loki {
    loki_at(double, at(0))
}

fn of_service(name: &str) -> Arc<LogQuery> {
    of_labels(&[("service", name)])
}

fn page(from: i64, until: i64, direction: LogDirection, limit: u32) -> LogPage {
    LogPage { from: at(from), until: at(until), direction, limit }
}

/// The recorded exchange of this name; `None` without the folder of recorded answers.
fn exchange(name: &str) -> Option<Value> {
    recorded(&format!("specs/recorded/loki-3.4/{name}.json"))
}

/// A server that gives this answer to everything.
async fn always(exchange: Value) -> Double {
    Double::start(move |_| canned(&exchange)).await
}

/// A page that all recorded lines are in.
fn whole() -> LogPage {
    let nanos = |nanos: i128| Timestamp::from_nanosecond(nanos).unwrap();
    let (from, until) = (nanos(1_795_229_628_000_000_000), nanos(1_795_230_228_000_000_000));
    LogPage { from, until, direction: LogDirection::Backward, limit: 5000 }
}

#[tokio::test]
async fn every_recorded_answer_with_lines_is_read_without_loss() {
    for name in [
        "query_range-backward",
        "query_range-forward",
        "query_range-categorize-labels",
        "query_range-json",
        "query_range-same-timestamp",
        "query_range-two-streams",
        "query_range-empty",
    ] {
        let Some(exchange) = exchange(name) else { return };
        let double = always(exchange.clone()).await;
        let direction =
            if name.ends_with("forward") { LogDirection::Forward } else { LogDirection::Backward };
        let wanted = LogPage { direction, ..whole() };
        let (read, warnings) = lines(&loki(&double), &written("{app=\"x\"}"), wanted).await.unwrap();
        let streams = exchange["body"]["data"]["result"].as_array().unwrap();
        let count: usize = streams.iter().map(|stream| stream["values"].as_array().unwrap().len()).sum();
        assert_eq!((read.lines.len(), read.unreadable), (count, 0), "{name}");
        assert!(read.lines.windows(2).all(|two| two[0].at <= two[1].at), "{name}");
        assert_eq!(warnings, [], "{name}");
        for stream in streams {
            let labels = &stream["stream"];
            without_loss(
                labels,
                &["app", "env", "pod", "service_name", "trace_id", "level"],
                &format!("{:?}", read.lines),
            );
            for value in stream["values"].as_array().unwrap() {
                let (nanos, text) = (value[0].as_str().unwrap(), value[1].as_str().unwrap());
                let found = read
                    .lines
                    .iter()
                    .find(|line| line.text() == text && line.at.as_nanosecond().to_string() == nanos);
                let found = found.unwrap_or_else(|| panic!("{name}: {nanos} {text}"));
                let metadata = value[2]["structuredMetadata"].as_object().into_iter().flatten();
                let parsed = value[2]["parsed"].as_object().into_iter().flatten();
                for (name, value) in metadata.chain(parsed) {
                    assert_eq!(found.fields.value(name), value.as_str().unwrap());
                }
            }
        }
    }
    // the lines of one nanosecond are in the order in which they were written, escapes and all
    let double = always(exchange("query_range-same-timestamp").unwrap()).await;
    let (read, _) = lines(&loki(&double), &written("{app=\"twins\"}"), whole()).await.unwrap();
    let texts: Vec<_> = read.lines.iter().map(|line| line.text().into_owned()).collect();
    assert_eq!(texts[..2], ["first of two with one timestamp", "second of two with one timestamp"]);
    assert_eq!(texts[2], "\u{1b}[31mred\u{1b}[0m with terminal codes and a tab\there");
}

#[tokio::test]
async fn the_recorded_matrix_is_a_histogram() {
    let Some(exchange) = exchange("query_range-matrix") else { return };
    // it was counted by `level`: the source finds that out when `detected_level` gives nothing
    let double = Double::start(move |asked| {
        let query = asked.parameter("query");
        if asked.path.ends_with("index/stats") {
            CannedResponse::json(r#"{"streams":3,"chunks":5,"bytes":3200000000,"entries":7}"#)
        } else if query.contains("by (detected_level)") {
            CannedResponse::json(
                r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1795229940,"9"]]}]}}"#,
            )
        } else {
            canned(&exchange)
        }
    })
    .await;
    let end = Timestamp::from_second(1_795_230_210).unwrap();
    let window = TimeGrid::ending(end, Duration::from_secs(600), 20, Duration::from_secs(30));
    let source = loki(&double);
    let wanted = written("{app=\"checkout-api\"} | json");
    let reply = ask(&source, Query::LogCounts { wanted: Arc::clone(&wanted), window }).await.unwrap();
    let Answer::LogCounts(counts) = &reply.answer else { panic!("{:?}", reply.answer) };
    assert_eq!(counts.total(LogSeverity::Error), 60);
    assert_eq!(counts.total(LogSeverity::Info), 374);
    assert_eq!(counts.total(LogSeverity::Warn), 46);
    // a point counts the lines of the 30 s before it: the bar begins there
    let bars = &counts.counts[&LogSeverity::Error];
    assert_eq!(window.at(bars.iter().position(|bar| *bar == 1).unwrap()).as_second(), 1_795_229_910);
    assert_eq!(reply.warnings.len(), 1);
    assert!(reply.warnings[0].text.contains("about 3.2 GB of lines in 3 streams"), "{}", reply.warnings[0]);
    ask(&source, Query::LogCounts { wanted, window }).await.unwrap();
    let asked: Vec<String> = double
        .asked()
        .iter()
        .filter(|asked| asked.path.ends_with("query_range"))
        .map(|asked| asked.parameter("query").to_owned())
        .collect();
    assert_eq!(asked.len(), 3, "the label that worked is kept: {asked:?}");
    assert_eq!(asked[2], "sum by (level) (count_over_time({app=\"checkout-api\"} | json [30s]))");
    let stats = double.asked().into_iter().find(|asked| asked.path.ends_with("index/stats")).unwrap();
    assert_eq!(stats.parameter("query"), "{app=\"checkout-api\"}", "statistics take a selector only");
}

#[tokio::test]
async fn every_recorded_error_is_shown_in_the_servers_words() {
    for name in [
        "error-empty-matcher",
        "error-limit",
        "error-parse",
        "error-pipeline",
        "error-range-too-long",
        "error-start-after-end",
        "query-log-is-refused",
        "unknown-path",
    ] {
        let Some(exchange) = exchange(name) else { return };
        let double = always(exchange.clone()).await;
        let error = lines(&loki(&double), &written("{app=\"x\"}"), LogPage { limit: 100, ..whole() })
            .await
            .unwrap_err();
        let said = exchange["body"].as_str().unwrap().lines().next().unwrap().trim();
        let shown = error.to_string();
        let start: String = said.chars().take(200).collect();
        assert!(shown.contains(start.trim_end_matches('.')), "{name}: {shown}");
    }
}

async fn server(kept: Kept) -> (Double, Arc<Mutex<Kept>>) {
    let kept = Arc::new(Mutex::new(kept));
    let held = Arc::clone(&kept);
    (Double::start(move |asked| held.lock().unwrap().answer(asked)).await, kept)
}

fn nanos_at(second: i64, nanos: i128) -> i128 {
    at(second).as_nanosecond() + nanos
}

#[tokio::test]
async fn the_query_is_found_once_by_the_labels_that_streams_have_and_lines_are_paged_without_loss() {
    let line = |n: i128| (nanos_at(-600, 0) + n / 7, format!("line {n}"));
    let kept = Kept {
        streams: vec![
            (json!({"app": "checkout", "region": "eu"}), (0..1500).map(line).collect()),
            (
                json!({"app": "checkout", "region": "us"}),
                (0..1500).map(|n| (line(n).0 + 3, format!("us {n}"))).collect(),
            ),
            (json!({"app": "cart"}), vec![(nanos_at(-5, 0), "other".to_owned())]),
        ],
        most: 500,
    };
    let (double, _) = server(kept).await;
    let source = loki(&double);
    let wanted = of_service("checkout");
    let loaded = all_lines(&source, &wanted, (at(-3600), at(0))).await;
    assert_eq!((&*loaded.query, loaded.lines.len()), (r#"{app="checkout"}"#, 3000));
    assert_eq!(loaded.notes.iter().map(ToString::to_string).collect::<Vec<_>>(), ["labels: service is app"]);
    assert!(loaded.crowded.is_empty());
    let asked = double.asked();
    let count = |path: &str| asked.iter().filter(|asked| asked.path.ends_with(path)).count();
    assert_eq!((count("labels"), count("series")), (1, 1), "found once");
    // the first page was refused, and its limit is kept
    assert_eq!(asked.iter().filter(|asked| asked.parameter("limit") == "1000").count(), 1);
    let first = asked.iter().find(|asked| asked.path.ends_with("query_range")).unwrap();
    let asked_for: Vec<&str> = first.parameters.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(asked_for, ["query", "start", "end", "limit", "direction"]);
    assert_eq!(first.parameter("start"), at(-3600).as_nanosecond().to_string(), "nanoseconds");
}

#[tokio::test]
async fn new_lines_are_followed_and_a_text_is_filtered_by_the_server() {
    let kept = Kept {
        streams: vec![(json!({"service_name": "checkout"}), vec![(nanos_at(-10, 0), "a".to_owned())])],
        most: 5000,
    };
    let (double, kept) = server(kept).await;
    let source = loki(&double);
    let wanted = of_service("checkout");
    let first = page(-60, 0, LogDirection::Backward, PAGE);
    let (mut loaded, _) = lines(&source, &wanted, first).await.unwrap();
    kept.lock().unwrap().streams[0].1.extend([
        (nanos_at(-8, 0), "late".to_owned()),
        (nanos_at(1, 5), "new".to_owned()),
        (nanos_at(1, 5), "new too".to_owned()),
    ]);
    let demand =
        LogDemand { from: at(-60), until: at(2), around: None, wants_older: false, wants_newer: true };
    let next = next_page(Some(&loaded), &demand).unwrap();
    let (newer, _) = lines(&source, &wanted, next).await.unwrap();
    loaded.extend(newer, &next);
    assert_eq!(texts(&loaded), ["a", "late", "new", "new too"]);
    let filtered = Arc::new(LogQuery { contains: Some("new \"x\\".into()), ..(*wanted).clone() });
    let (found, _) = lines(&source, &filtered, page(-60, 2, LogDirection::Backward, PAGE)).await.unwrap();
    assert_eq!((&*found.query, found.lines.len()), (r#"{service_name="checkout"} |= "new \"x\\""#, 0));
}

#[tokio::test]
async fn older_pages_of_the_last_minute_go_on_from_the_newer_ones() {
    let second = 1_000_000_000;
    let lines_of = (0..4000).map(|n| (nanos_at(-40, 0) + n * second / 100, format!("line {n}"))).collect();
    let kept = Kept { streams: vec![(json!({"app": "busy"}), lines_of)], most: 5000 };
    let (double, _) = server(kept).await;
    let loaded = all_lines(&loki(&double), &written("{app=\"busy\"}"), (at(-60), at(0))).await;
    assert_eq!((loaded.lines.len(), loaded.crowded.len(), loaded.page_limit), (4000, 0, PAGE));
}

#[tokio::test]
async fn without_a_fitting_stream_it_is_said_what_was_tried() {
    let kept = Kept { streams: vec![(json!({"app": "cart", "pod": "cart-1"}), Vec::new())], most: 5000 };
    let (double, _) = server(kept).await;
    let source = loki(&double);
    let (read, _) =
        lines(&source, &of_service("nowhere"), page(-60, 0, LogDirection::Backward, PAGE)).await.unwrap();
    assert_eq!((&*read.query, read.lines.len()), ("", 0));
    assert!(read.notes[0].contains("tried app=\"nowhere\"; it has app, pod"), "{}", read.notes[0]);
}

#[tokio::test]
async fn what_is_new_is_found_in_the_lines_of_two_times() {
    let mut lines_of: Vec<(i128, String)> =
        (0..200).map(|n| (nanos_at(-1200, 0) + n * 5_000_000_000, format!("request {n} done"))).collect();
    lines_of.extend((0..50).map(|n| (nanos_at(-100, n), format!("POST /charge: nil amount {n}"))));
    let kept = Kept { streams: vec![(json!({"service_name": "pay"}), lines_of)], most: 5000 };
    let (double, _) = server(kept).await;
    let split = LogSplit { from: at(-1200), at: at(-300), until: at(0) };
    let reply = ask(&loki(&double), Query::LogPatterns { wanted: of_service("pay"), split }).await.unwrap();
    let Answer::LogPatterns(LogComparison { patterns, before, after, .. }) = reply.answer else {
        panic!("no patterns")
    };
    assert_eq!((before.lines, after.lines), (180, 70));
    assert_eq!(
        (&*patterns[0].text, patterns[0].after, patterns[0].change.word()),
        ("POST /charge: nil amount <n>", 50, "new")
    );
    assert_eq!((&*patterns[1].text, patterns[1].before), ("request <n> done", 180));
}

#[tokio::test]
async fn very_long_lines_are_loaded_a_few_at_a_time_and_a_slow_or_cut_answer_is_an_error() {
    let long = "x".repeat(1024 * 1024);
    let kept = Kept {
        streams: vec![(
            json!({"service_name": "big"}),
            (0..100).map(|n| (nanos_at(-50, n), format!("{n} {long}"))).collect(),
        )],
        most: 5000,
    };
    let (double, _) = server(kept).await;
    let (read, warnings) =
        lines(&loki(&double), &of_service("big"), page(-60, 0, LogDirection::Backward, PAGE)).await.unwrap();
    assert!((1..100).contains(&read.lines.len()), "{}", read.lines.len());
    assert!(read.has_older(at(-60)) && read.lines.iter().all(|line| line.raw.len() > 1024 * 1024));
    assert!(warnings.iter().any(|warning| warning.text.contains("very long")), "{warnings:?}");

    let cut = Double::start(|_| {
        CannedResponse::json(r#"{"status":"success","data":{"resultType":"streams","result":[{"str"#)
    })
    .await;
    let error = lines(&loki(&cut), &written("{a=\"b\"}"), page(-60, 0, LogDirection::Backward, 10))
        .await
        .unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Garbled { .. }), "{error}");
    let busy = Double::start(|_| CannedResponse::new(401, "text/plain", "no org id\n")).await;
    let error = ask(&loki(&busy), Query::Probe).await.unwrap_err();
    assert!(error.kind.advice().contains("tenant"), "{error}");
}

#[tokio::test]
async fn odd_lines_are_counted_and_a_clock_that_differs_is_said() {
    let double = Double::start(|_| {
        CannedResponse::json(
            r#"{"status":"success","data":{"resultType":"streams","result":[
                {"stream":{"app":"x","n":1},"values":[["1799999990000000000","good"],["soon","bad"],["1799999991000000000",null],7]},
                null, {"stream":null,"values":null}]}}"#,
        )
        .header("Date", "Fri, 15 Jan 2027 08:01:40 GMT")
    })
    .await;
    let source = loki(&double);
    let (read, warnings) =
        lines(&source, &written("{a=\"b\"}"), page(-60, 0, LogDirection::Backward, 10)).await.unwrap();
    assert_eq!((read.lines.len(), read.unreadable), (2, 3));
    let words: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert!(words[0].contains("3 lines that could not be read"), "{words:?}");
    assert!(words[1].contains("its clock is 100 s ahead of"), "{words:?}");
}

#[tokio::test]
async fn the_probe_tells_the_version_and_the_labels() {
    let kept = Kept { streams: vec![(json!({"app": "cart"}), Vec::new())], most: 5000 };
    let (double, _) = server(kept).await;
    let Answer::Probe(report) = ask(&loki(&double), Query::Probe).await.unwrap().answer else {
        panic!("no report")
    };
    assert_eq!((&*report.flavour, &*report.version), ("Loki", "3.4.1"));
    assert!(report.facts.iter().any(|(name, value)| &**name == "labels" && &**value == "app"), "{report:?}");
    // a gateway without the version
    let gate = Double::start(|asked| match asked.path.as_str() {
        "/loki/api/v1/labels" => CannedResponse::json(r#"{"status":"success","data":["a"]}"#),
        _ => CannedResponse::new(404, "text/plain", "404 page not found"),
    })
    .await;
    assert!(ask(&loki(&gate), Query::Probe).await.is_ok());
}

#[test]
fn the_limit_of_a_server_is_read_from_its_refusal() {
    let said = "max entries limit per query exceeded, limit > max_entries_limit_per_query (10000 > 5000)";
    assert_eq!(limit_in(said), Some(5000));
    assert_eq!(limit_in("parse error at line 1, col 20 > 3"), None);
    let later = at(0).checked_add(SignedDuration::from_nanos(7)).unwrap();
    assert_eq!(nanos(later), "1800000000000000007");
}
