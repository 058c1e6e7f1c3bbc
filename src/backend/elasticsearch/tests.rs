//! Elasticsearch by a double that keeps documents, and searches them as the real one: milliseconds, shards, windows.

mod cluster;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::backend::Clock;
use crate::backend::kit::double::{CannedResponse, Double, ReceivedRequest};
use crate::backend::logs::fixtures::{all_lines, ask, counts, lines, of_labels, texts, written};
use crate::config::settings::Settings as Configuration;
use crate::model::ask::Query;
use crate::model::log::{LogDemand, PAGE, next_page};
use crate::model::warning::WarningKind;
use cluster::{Cluster, hit, refusal};

const NOW: i64 = 1_800_000_000_000;

fn at(millisecond: i64) -> Timestamp {
    Timestamp::from_millisecond(NOW + millisecond).unwrap()
}

fn source(double: &Double, options: &[(&str, toml::Value)]) -> Elasticsearch {
    let settings = Configuration::default();
    let mut configured = double.source("elasticsearch");
    configured.own.extend(options.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let deps = SourceDeps::new(&settings, Clock::fixed(at(0)));
    Elasticsearch::new(&SourceId::new("elastic"), &configured, deps).unwrap()
}

fn hour(limit: u32) -> LogPage {
    LogPage { from: at(-3_600_000), until: at(0), direction: LogDirection::Backward, limit }
}

fn words(warnings: &[Warning]) -> Vec<String> {
    warnings.iter().map(ToString::to_string).collect()
}

fn line(number: i64, region: &str) -> Value {
    json!({"message": format!("line {number}"), "service.name": "checkout", "cloud.region": region, "log.level": "info"})
}

fn options() -> [(&'static str, toml::Value); 1] {
    [("index", "logs-*".into())]
}

#[tokio::test]
async fn the_query_is_found_by_the_fields_of_the_indices_and_lines_are_paged_without_loss() {
    // seven lines a millisecond; the region of the alert is not among the newest lines
    let mut documents: Vec<(i64, Value)> =
        (0..3000).map(|n| (-600_000 + n / 7, line(n, if n < 1500 { "eu" } else { "us" }))).collect();
    documents.push((-1000, json!({"message": "other", "service.name": "cart"})));
    let (double, _) = Cluster { documents, window: 500, ..Cluster::default() }.start().await;
    let source = source(&double, &options());
    let of = of_labels(&[("service", "checkout"), ("region", "eu"), ("version", "1.2")]);
    let loaded = all_lines(&source, &of, (at(-3_600_000), at(0))).await;
    assert_eq!(&*loaded.query, r#"service.name:"checkout" AND cloud.region:"eu""#);
    assert_eq!((loaded.lines.len(), loaded.unreadable), (1500, 0));
    assert!(loaded.crowded.is_empty() && loaded.complete_from.is_some());
    let expected: Vec<String> = (0..1500).map(|n| format!("line {n}")).collect();
    assert_eq!(texts(&loaded), expected, "in the order of the index");
    let notes: Vec<String> = loaded.notes.iter().map(ToString::to_string).collect();
    assert_eq!(notes[0], "labels: service is service.name, region is cloud.region");
    assert!(notes[1].contains("version=\"1.2\""), "{notes:?}");
    let asked = double.asked();
    let searches = asked.iter().filter(|asked| asked.method == "POST").map(ReceivedRequest::json);
    let sizes: Vec<u64> =
        searches.map(|search| search["size"].as_u64().unwrap()).filter(|size| *size > 100).collect();
    assert_eq!(
        (sizes[0], sizes.iter().filter(|size| **size > 500).count()),
        (1000, 1),
        "the window is learned: {sizes:?}"
    );
    assert!(asked.iter().all(|asked| asked.method == "GET" || asked.parameter("preference") == "burnwatch"));
}

#[tokio::test]
async fn a_moment_with_more_lines_than_a_page_is_read_to_its_end() {
    let documents = (0..7000).map(|n| (if n < 6500 { -5000 } else { -4000 }, line(n, "eu"))).collect();
    let (double, cluster) = Cluster { documents, ..Cluster::default() }.start().await;
    let all = (at(-3_600_000), at(0));
    let loaded = all_lines(&source(&double, &options()), &written("*"), all).await;
    assert_eq!((loaded.lines.len(), loaded.crowded.len()), (7000, 0));
    // forward, too
    let forward = LogPage { direction: LogDirection::Forward, ..hour(1000) };
    let (read, warnings) = lines(&source(&double, &options()), &written("*"), forward).await.unwrap();
    assert_eq!((read.lines.len() > 6500, read.is_behind), (true, true), "{}", read.lines.len());
    assert!(
        words(&warnings)[0].contains("Set `tiebreaker`"),
        "shards may have the same numbers: {warnings:?}"
    );
    let with_field = [options()[0].clone(), ("tiebreaker", "event.sequence".into())];
    let (_, warnings) = lines(&source(&double, &with_field), &written("*"), forward).await.unwrap();
    assert_eq!(warnings, []);
    let sort = double.asked().last().unwrap().json()["sort"].clone();
    assert_eq!(sort[1], json!({"event.sequence": {"order": "asc", "unmapped_type": "long"}}));
    // a server that gives the same page again and again
    cluster.lock().unwrap().documents.clear();
    let same = hit(&(-5, 1, &line(1, "eu")));
    let answer = json!({"_shards": {"total": 1}, "hits": {"hits": vec![same; 10]}}).to_string();
    let endless = Double::start(move |asked| match asked.path.as_str() {
        path if path.ends_with("_field_caps") => {
            CannedResponse::json(r#"{"indices":["logs-a"],"fields":{}}"#)
        }
        _ => CannedResponse::json(&answer),
    })
    .await;
    let (read, _) = lines(&source(&endless, &options()), &written("*"), hour(10)).await.unwrap();
    assert_eq!(read.lines.len(), 1);
}

#[tokio::test]
async fn new_lines_are_followed_and_a_text_is_filtered_by_the_server() {
    let (double, cluster) =
        Cluster { documents: vec![(-10_000, line(1, "eu"))], ..Cluster::default() }.start().await;
    let source = source(&double, &options());
    let wanted = of_labels(&[("service", "checkout")]);
    let (mut loaded, _) = lines(&source, &wanted, hour(PAGE)).await.unwrap();
    cluster.lock().unwrap().documents.extend([
        (-8000, line(2, "eu")),
        (1500, line(3, "eu")),
        (1500, line(3, "eu")),
    ]);
    let (from, until) = (at(-3_600_000), at(2000));
    let demand = LogDemand { from, until, around: None, wants_older: false, wants_newer: true };
    let next = next_page(Some(&loaded), &demand).unwrap();
    loaded.extend(lines(&source, &wanted, next).await.unwrap().0, &next);
    assert_eq!(texts(&loaded), ["line 1", "line 2", "line 3", "line 3"], "equal lines are two by their ids");
    let filtered = Arc::new(LogQuery { contains: Some("line \"3\\".into()), ..(*wanted).clone() });
    let (found, _) = lines(&source, &filtered, LogPage { until, ..hour(PAGE) }).await.unwrap();
    assert_eq!(
        (&*found.query, found.lines.len()),
        (r#"service.name:"checkout" AND message:"line \"3\\""#, 0)
    );
    let own = LogQuery { written: Some("a OR b".into()), contains: Some("x".into()), ..LogQuery::default() };
    assert_eq!(source.query(&[], &own), r#"(a OR b) AND message:"x""#);
    // the stream of a line is found by its labels
    let stream = LogQuery { is_stream: true, labels: loaded.lines[0].labels.clone(), ..LogQuery::default() };
    let (found, _) = lines(&source, &Arc::new(stream), hour(PAGE)).await.unwrap();
    // also those that are in the future, because clocks differ
    assert_eq!((&*found.query, found.lines.len()), (r#"cloud.region:"eu" AND service.name:"checkout""#, 4));
}

#[tokio::test]
async fn without_a_fitting_field_or_line_it_is_said_what_was_tried() {
    let (double, _) = Cluster { documents: vec![(-5, line(1, "eu"))], ..Cluster::default() }.start().await;
    let source = source(&double, &options());
    for (label, tried) in [
        (("service", "nowhere"), "tried service.name=\"nowhere\", app=\"nowhere\""),
        (("unit", "x"), "none of the names in its label map exists there"),
    ] {
        let (read, _) = lines(&source, &of_labels(&[label]), hour(PAGE)).await.unwrap();
        assert_eq!((&*read.query, read.lines.len()), ("", 0));
        assert!(read.notes[0].contains(tried), "{}", read.notes[0]);
        assert!(read.notes[0].contains("it has @timestamp, app, cloud.region"), "{}", read.notes[0]);
    }
}

#[tokio::test]
async fn lines_are_counted_by_severity_without_loading_them() {
    let document = |n: i64| {
        let mut document = line(n, "eu");
        document["log.level"] = ["ERROR", "info", "odd"][usize::try_from(n % 3).unwrap()].into();
        if n % 10 == 0 {
            document.as_object_mut().unwrap().remove("log.level");
        }
        (-300_000 + n * 1000, document)
    };
    let (double, cluster) =
        Cluster { documents: (0..300).map(document).collect(), ..Cluster::default() }.start().await;
    let source = source(&double, &options());
    let window = TimeGrid::ending(at(0), Duration::from_secs(300), 10, Duration::from_secs(30));
    let (counted, warnings) = counts(&source, &written("*"), window).await.unwrap();
    assert_eq!((counted.total(LogSeverity::Error), counted.total(LogSeverity::Info)), (90, 90));
    assert_eq!((counted.total(LogSeverity::Unknown), counted.lines()), (120, 300));
    assert!(counted.counts[&LogSeverity::Error].iter().all(|bar| *bar <= 10), "{counted:?}");
    assert_eq!(warnings, []);
    let search = double.asked().last().unwrap().json();
    assert_eq!(
        (&search["size"], &search["aggs"]["bars"]["date_histogram"]["fixed_interval"]),
        (&json!(0), &json!("30000ms"))
    );
    // what is missing of an answer is said
    let failure = json!({"shard": 1, "index": "logs-b", "reason": {"type": "x", "reason": "Data too large"}});
    cluster.lock().unwrap().state = json!({"timed_out": false, "_shards": {"total": 3, "successful": 1, "failed": 2, "failures": [failure]}});
    let said = "2 of 3 shards failed, so lines are missing: Data too large";
    let (_, warnings) = counts(&source, &written("*"), window).await.unwrap();
    assert_eq!((words(&warnings), warnings[0].kind), (vec![said.to_owned()], WarningKind::MissingData));
    let (_, warnings) = lines(&source, &written("*"), hour(10)).await.unwrap();
    assert_eq!(words(&warnings), [said]);
    cluster.lock().unwrap().state = json!({"timed_out": true, "_shards": {"total": 3, "failed": 0}});
    let (_, warnings) = lines(&source, &written("*"), hour(10)).await.unwrap();
    assert!(words(&warnings)[0].contains("stopped at its time limit"), "{warnings:?}");
}

#[tokio::test]
async fn errors_are_shown_in_the_servers_words() {
    let (double, _) = Cluster::default().start().await;
    let error = lines(&source(&double, &options()), &written("((("), hour(10)).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::BadQuery { .. }), "{error}");
    assert!(error.to_string().contains("all shards failed: Failed to parse query [(((]"), "{error}");
    let error =
        lines(&source(&double, &[("index", "nope".into())]), &written("*"), hour(10)).await.unwrap_err();
    assert!(error.to_string().contains("no such index [nope]"), "{error}");
    let reason = "missing authentication credentials for REST request [/]";
    let body = json!({"error": {"root_cause": [{"type": "security_exception", "reason": reason}], "type": "security_exception", "reason": reason}});
    let closed =
        Double::start(move |_| CannedResponse::new(401, "application/json", &body.to_string())).await;
    let error = ask(&source(&closed, &options()), Query::Probe).await.unwrap_err();
    assert!(matches!(&error.kind, ErrorKind::Unauthorised { message } if message == reason), "{error}");
    assert_eq!(size_in("must be less than or equal to: [500] but was [1000]. See"), Some(500));
    assert_eq!(size_in("less than or equal to: [0]"), None);
}

#[tokio::test]
async fn the_probe_tells_flavour_version_and_what_is_not_set_right() {
    let report = async |double: &Double, options: &[(&str, toml::Value)]| match ask(
        &source(double, options),
        Query::Probe,
    )
    .await
    {
        Ok(Reply { answer: Answer::Probe(report), .. }) => report,
        other => panic!("no report: {other:?}"),
    };
    let (double, cluster) = Cluster::default().start().await;
    let elastic = report(&double, &options()).await;
    assert_eq!((&*elastic.flavour, &*elastic.version), ("Elasticsearch", "8.15.0"));
    let facts: Vec<String> = elastic.facts.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(facts, ["cluster=prod", "indices=2", "severity in=log.level"]);
    assert_eq!(elastic.warnings, []);
    cluster.lock().unwrap().version = json!({"number": "2.17.0", "distribution": "opensearch"});
    let wrong = [
        ("index", "logs-*".into()),
        ("message_fields", toml::Value::from(vec!["msg"])),
        ("level_fields", toml::Value::from(vec!["app2"])),
    ];
    let open = report(&double, &wrong).await;
    assert_eq!(&*open.flavour, "OpenSearch");
    assert!(
        open.warnings[0].contains("message_fields") && open.warnings[1].contains("level_fields"),
        "{open:?}"
    );
    let timeless = report(&double, &[options()[0].clone(), ("time_field", "ts".into())]).await;
    assert!(timeless.warnings[0].contains("no index of logs-* has the field ts"), "{timeless:?}");
    // a key without the right to ask for the version, and no index
    let gate = Double::start(|asked| match asked.path.as_str() {
        "/" => refusal(403, "security_exception", "action [cluster:monitor/main] is unauthorized"),
        _ => CannedResponse::json(r#"{"indices":[],"fields":{}}"#),
    })
    .await;
    assert!(report(&gate, &options()).await.warnings[0].contains("no index is called logs-*"));
}

#[test]
fn options_are_checked() {
    use crate::config::kind::OwnSettings as _;
    let failures = |change: fn(&mut Settings)| {
        let mut settings = Settings::default();
        change(&mut settings);
        settings.failures().into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    assert_eq!(failures(|_| {}), [""; 0]);
    for index in ["", "_all/_search", "_all", "a b", "x?pretty"] {
        let settings = Settings { index: index.to_owned(), ..Settings::default() };
        assert_eq!(settings.failures().len(), 1, "{index}");
    }
    assert_eq!(failures(|settings| settings.time_field.clear()), ["time_field"]);
    assert_eq!(failures(|settings| settings.message_fields = vec![String::new()]), ["message_fields"]);
}
