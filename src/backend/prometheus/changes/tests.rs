use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::facts::EntryTimeline;
use super::service_names::workload;
use super::*;
use crate::backend::Clock;
use crate::backend::kit::double::{CannedResponse, Double, ReceivedRequest};
use crate::backend::packs::{ChangeEntry, Pack};
use crate::backend::prometheus::Prometheus;
use crate::backend::{Source, SourceDeps};
use crate::config::settings::Settings;
use crate::model::ask::{Answer, Query};
use crate::model::change::Change;
use crate::model::series::Series;
use crate::model::source::SourceId;

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// The grid of these tests: every ten seconds, ending now.
fn grid(points: u16) -> TimeGrid {
    TimeGrid::ending(now(), Duration::from_secs(u64::from(points - 1) * 10), points, Duration::from_secs(10))
}

fn entry(toml: &str) -> ChangeEntry {
    let text = format!("name = \"x\"\nabout = \"\"\n[[change]]\nsees = \"it\"\nmetrics = [\"m\"]\n{toml}");
    Pack::parse(&text).unwrap().change.remove(0)
}

/// `version=1 AAA...`: labels, then a value for each point, `.` for none.
fn matrix(points: u16, lines: &[(&str, &str)]) -> Matrix {
    let line = |(labels, values): &(&str, &str)| Series {
        labels: labels.split(' ').filter_map(|pair| pair.split_once('=')).collect(),
        values: values.split(' ').map(|value| value.parse().unwrap_or(f64::NAN)).collect(),
    };
    Matrix { span: grid(points), lines: lines.iter().map(line).collect() }
}

fn spread(text: &str) -> String {
    text.chars().map(|value| value.to_string()).collect::<Vec<_>>().join(" ")
}

/// The changes of one entry: seconds before the end, kind, service, title.
fn told(entry: &ChangeEntry, matrix: &Matrix, reasons: &Matrix) -> Vec<String> {
    let known: BTreeSet<Text> = ["cart", "cart-api", "pay"].map(Text::from).into();
    let usual = ["service".to_owned(), "job".to_owned()];
    let names = ServiceNames { known: &known, usual: &usual };
    let facts = EntryTimeline { entry, names, matrix, reasons }.facts();
    let mut changes = grouping::changes(facts, &SourceId::new("prom"));
    changes.sort_unstable();
    let words = |change: &Change| {
        let ago = matrix.span.end().duration_since(change.at).as_secs();
        format!("{ago} {} {} {}", change.kind.word(), change.service.as_deref().unwrap_or("-"), change.title)
    };
    changes.iter().map(words).collect()
}

fn of_versions(lines: &[(&str, &str)]) -> Vec<String> {
    let spread: Vec<(&str, String)> =
        lines.iter().map(|(labels, values)| (*labels, spread(values))).collect();
    let lines: Vec<(&str, &str)> = spread.iter().map(|(labels, values)| (*labels, values.as_str())).collect();
    let points = u16::try_from(lines[0].1.split(' ').count()).unwrap();
    let entry = entry("kind = \"deploy\"\nhow = \"label\"\nvalue = [\"version\", \"revision\"]");
    told(&entry, &matrix(points, &lines), &Matrix::empty(grid(points)))
}

#[test]
fn a_new_version_is_a_new_series_and_its_end_or_return_is_told_apart() {
    for (why, lines, expected) in [
        (
            "a rollout",
            &[("service=cart version=1.0", "3332210......"), ("service=cart version=1.1", "...1123333333")][..],
            &["90 deploy cart 1.0 -> 1.1"][..],
        ),
        ("the same version all the time", &[("service=cart version=1.0", "3333333333333")], &[]),
        ("one scrape is missing", &[("service=cart version=1.0", "3333.33333333")], &[]),
        ("the server was down", &[("service=cart version=1.0", "33.......3333")], &[]),
        (
            "back to the version before",
            &[("service=cart version=1.0", "333......3333"), ("service=cart version=1.1", "...333333....")],
            &["90 deploy cart 1.0 -> 1.1", "30 rollback cart rolled back 1.1 -> 1.0"],
        ),
        (
            "an older version that was not seen before",
            &[("service=cart version=1.10", "333.........."), ("service=cart version=1.9", "...3333333333")],
            &["90 rollback cart rolled back 1.10 -> 1.9"],
        ),
        (
            "a canary that is stopped",
            &[
                ("service=cart version=1.0", "3333333333333"),
                ("service=cart version=2.0-rc1", "...111......."),
            ],
            &["90 deploy cart 1.0 -> 2.0-rc1", "60 rollback cart rolled back 2.0-rc1 -> 1.0"],
        ),
        (
            "another build of the same version",
            &[
                ("service=cart version=1.0 revision=aaa", "333.........."),
                ("service=cart version=1.0 revision=bbb", "...3333333333"),
            ],
            &["90 deploy cart aaa -> bbb"],
        ),
        (
            "two services",
            &[
                ("service=cart version=1.0", "333.........."),
                ("service=cart version=1.1", "...3333333333"),
                ("service=pay version=1.1", "3333333333333"),
            ],
            &["90 deploy cart 1.0 -> 1.1"],
        ),
        ("a service that appears", &[("service=new version=1.0", ".....33333333")], &[]),
    ] {
        assert_eq!(of_versions(lines), expected, "{why}");
    }
}

#[test]
fn images_belong_to_the_workload_of_their_pod() {
    let entry = entry(
        "kind = \"deploy\"\nhow = \"label\"\nvalue = [\"image\"]\nservices = [\"container\", \"pod\"]\nlabels = [\"container\"]",
    );
    let (old, new) = (spread("111..."), spread("..1111"));
    let lines = [
        ("container=app pod=cart-6b5d9c8f4c-x2x4x image=r.example/app:1@sha256:1", old.as_str()),
        ("container=app pod=cart-7c5d9c8f4c-z2z4z image=r.example/app:2@sha256:2", new.as_str()),
        ("container=proxy pod=cart-6b5d9c8f4c-x2x4x image=r.example/envoy:9", old.as_str()),
        ("container=proxy pod=cart-7c5d9c8f4c-z2z4z image=r.example/envoy:9", new.as_str()),
    ];
    assert_eq!(told(&entry, &matrix(6, &lines), &Matrix::empty(grid(6))), ["30 deploy cart 1 -> 2"]);
    for (pod, name) in [
        ("cart-6b5d9c8f4c-x2x4x", "cart"),
        ("cart-api-6b5d9c8f4c-x2x4x", "cart-api"),
        ("db-0", "db"),
        ("node-agent-x2x4x", "node-agent"),
        ("static-pod", "static-pod"),
        ("web", "web"),
        ("", ""),
    ] {
        assert_eq!(workload(pod), name, "{pod}");
        // what the server does
        let pattern = regex::Regex::new(&format!("^(?:{})$", service_names::POD)).unwrap();
        let found = pattern.captures(pod).map_or(pod, |found| found.get(1).unwrap().as_str());
        assert_eq!(found, name, "{pod}");
    }
}

#[test]
fn restarts_of_many_pods_are_one_change_with_their_number() {
    let entry = entry(
        "kind = \"restart\"\nhow = \"count\"\nservices = [\"container\"]\ninstance = [\"pod\"]\nreason = \"r\"",
    );
    let counts = |lines: &[(&str, &str)], reasons: &[(&str, &str)]| {
        told(&entry, &matrix(8, lines), &matrix(8, reasons))
    };
    let reason = [("pod=a reason=OOMKilled", ". . . . 1 1 1 1"), ("pod=b reason=Error", ". . 1 1 1 1 1 1")];
    assert_eq!(counts(&[("container=cart pod=a", "0 0 0 1 1 1 1 1")], &reason), ["40 oom cart OOM killed"]);
    assert_eq!(
        counts(
            &[("container=cart pod=a", "0 0 0 1 1 2 2 2"), ("container=cart pod=b", "5 5 6 6 6 6 6 6")],
            &[]
        ),
        ["50 restart cart restarted 3 times, 2 pods"]
    );
    assert_eq!(
        counts(
            &[("container=cart pod=a", "0 0 0 1 1 1 1 1"), ("container=cart pod=b", "0 0 0 1 1 1 1 1")],
            &[]
        ),
        ["40 restart cart restarted, 2 pods"]
    );
    // a counter that begins anew, a new pod that has crashed already, and pods that are merely new
    assert_eq!(counts(&[("container=cart pod=a", "7 7 0 0 0 0 0 0")], &[]), [""; 0]);
    assert_eq!(
        counts(
            &[("container=cart pod=a", "0 0 0 0 . . . ."), ("container=cart pod=b", ". . . 1 1 1 1 1")],
            &[]
        ),
        ["40 restart cart restarted"]
    );
    assert_eq!(counts(&[("container=cart pod=a", "9 9 9 9 9 9 9 9")], &[]), [""; 0]);
}

#[test]
fn a_long_chain_of_restarts_is_divided_in_the_same_way_whenever_it_is_read() {
    let entry =
        entry("kind = \"restart\"\nhow = \"count\"\nservices = [\"container\"]\ninstance = [\"pod\"]");
    let values: Vec<String> = (0..120).map(|n| (n / 3).to_string()).collect();
    let line = values.join(" ");
    let all = told(&entry, &matrix(120, &[("container=cart pod=a", &line)]), &Matrix::empty(grid(120)));
    let later: Vec<String> = values.iter().skip(40).cloned().collect();
    let later = later.join(" ");
    let tail = told(&entry, &matrix(80, &[("container=cart pod=a", &later)]), &Matrix::empty(grid(80)));
    assert!(all.len() > 3 && all.ends_with(&tail[1..]), "{all:?} {tail:?}");
}

#[test]
fn values_and_times_that_move_are_changes() {
    let value =
        |toml: &str, line: (&str, &str)| told(&entry(toml), &matrix(6, &[line]), &Matrix::empty(grid(6)));
    let flag = "kind = \"flag\"\nhow = \"value\"\nsubject = [\"flag\"]";
    assert_eq!(value(flag, ("service=cart flag=beta", "0 0 1 1 1 1")), ["30 flag cart flag beta on"]);
    assert_eq!(value(flag, ("service=cart flag=beta", ". 1 . 1 1 1")), [""; 0]);
    let scale = "kind = \"scale\"\nhow = \"value\"\nservices = [\"deployment\"]\ntitle = \"scaled {from} -> {to} replicas\"";
    assert_eq!(value(scale, ("deployment=cart", "3 3 4 5 6 6")), ["30 scale cart scaled 3 -> 6 replicas"]);
    assert_eq!(value(scale, ("deployment=cart", "3 3 4 3 3 3")), [""; 0], "there and back");
    let map = "kind = \"config\"\nhow = \"value\"\nservices = [\"configmap\"]\nlabels = [\"configmap\"]\nprefix = true\n\
        only_known = true\nhidden = true\ntitle = \"ConfigMap {configmap} changed\"";
    assert_eq!(
        value(map, ("configmap=cart-api-config", "71 71 72 72 72 72")),
        ["30 config cart-api ConfigMap cart-api-config changed"]
    );
    assert_eq!(value(map, ("configmap=leader-election", "71 72 73 74 75 76")), [""; 0]);
    let time = "kind = \"restart\"\nhow = \"time\"\ninstance = [\"instance\"]";
    let end = now().as_second();
    let line = |at: i64| format!("{0} {0} {1} {1} {1} {1}", end - 900, at);
    // the exact time of the start, not the one at which it was seen
    assert_eq!(value(time, ("service=cart instance=a", &line(end - 37))), ["37 restart cart restarted"]);
    // a time in the future, or in milliseconds, is not believed
    assert_eq!(value(time, ("service=cart instance=a", &line(end + 90_000))), ["30 restart cart restarted"]);
    let new = format!(". . {0} {0} {0} {0}", end - 37);
    assert_eq!(value(time, ("service=cart instance=new", &new)), [""; 0], "a new pod is no restart");
}

#[test]
fn a_rollout_is_one_change_and_takes_the_starts_of_its_processes_with_it() {
    let known: BTreeSet<Text> = ["cart"].map(Text::from).into();
    let names = ServiceNames { known: &known, usual: &["service".to_owned()] };
    let end = now().as_second();
    let mut facts = Vec::new();
    let mut add = |toml: &str, sees: &str, line: (&str, &str)| {
        let mut entry = entry(toml);
        sees.clone_into(&mut entry.sees);
        let lines = matrix(6, &[line, (line.0, ". . . . . .")]);
        facts.extend(
            EntryTimeline { entry: &entry, names, matrix: &lines, reasons: &Matrix::empty(grid(6)) }.facts(),
        );
    };
    add(
        "kind = \"restart\"\nhow = \"time\"\ninstance = [\"instance\"]",
        "starts",
        ("service=cart instance=a", &format!("1 1 {0} {0} {0} {0}", end - 31)),
    );
    add(
        "kind = \"config\"\nhow = \"time\"\ntitle = \"configuration reloaded\"",
        "reloads",
        ("service=cart", &format!("1 1 {0} {0} {0} {0}", end - 30)),
    );
    let entry = entry("kind = \"deploy\"\nhow = \"label\"\nvalue = [\"version\"]");
    let lines = matrix(
        6,
        &[("service=cart version=1.0", "1 1 . . . ."), ("service=cart version=1.1", ". . 1 1 1 1")],
    );
    let all = grouping::changes(facts.clone(), &SourceId::new("prom"));
    assert_eq!(all.len(), 1, "a restart alone reloads its configuration: {all:?}");
    facts.extend(
        EntryTimeline { entry: &entry, names, matrix: &lines, reasons: &Matrix::empty(grid(6)) }.facts(),
    );
    let all = grouping::changes(facts, &SourceId::new("prom"));
    assert_eq!(all.iter().map(Change::sentence).collect::<Vec<_>>(), ["deploy 1.0 -> 1.1"]);
    assert_eq!(all[0].sources, [SourceId::new("prom")]);
}

/// A server with one service, whose version changed 100 seconds ago and whose `ReplicaSet` is 110 seconds old.
fn cluster(asked: &ReceivedRequest) -> CannedResponse {
    let success =
        |data: Value| CannedResponse::json(&json!({ "status": "success", "data": data }).to_string());
    let query = asked.parameter("query");
    let vector = |all: &[(Value, f64)]| {
        let all: Vec<_> = all
            .iter()
            .map(|(labels, value)| json!({ "metric": labels, "value": [1.5, value.to_string()] }))
            .collect();
        success(json!({ "resultType": "vector", "result": all }))
    };
    let end = now().as_second();
    match asked.path.as_str() {
        "/api/v1/status/buildinfo" => success(json!({ "version": "3.1.0" })),
        "/api/v1/rules" => success(json!({ "groups": [] })),
        "/api/v1/targets" => success(json!({ "activeTargets": [{ "scrapeInterval": "10s" }] })),
        "/api/v1/query_range" if query.contains("_build_info") => {
            let points =
                |from: i64, to: i64| (from..to).step_by(10).map(|at| json!([at, "1"])).collect::<Vec<_>>();
            let start: f64 = asked.parameter("start").parse().unwrap();
            #[expect(clippy::cast_possible_truncation, reason = "a whole second of this year")]
            let start = start as i64;
            success(json!({ "resultType": "matrix", "result": [
                { "metric": { "service": "cart", "version": "1.0" }, "values": points(start, end - 100) },
                { "metric": { "service": "cart", "version": "1.1" }, "values": points(end - 100, end) },
            ]}))
        }
        "/api/v1/query" if query.starts_with("count by (__name__)") => {
            let names = ["cart_build_info", "kube_replicaset_created", "kube_replicaset_owner"];
            vector(&names.map(|name| (json!({ "__name__": name }), 1.0)))
        }
        "/api/v1/query" if query.contains("\"up\"") => {
            vector(&[(json!({ "service": "cart", "job": "cart", "instance": "c:1" }), 1.0)])
        }
        "/api/v1/query" if query.contains("_build_info") => vector(&[(json!({ "service": "cart" }), 2.0)]),
        "/api/v1/query" if query.contains("kube_replicaset_created") => {
            let labels = json!({ "namespace": "shop", "replicaset": "cart-7c5d9c8f4c" });
            #[expect(clippy::cast_precision_loss, reason = "a whole second of this year")]
            vector(&[(labels, (end - 110) as f64)])
        }
        "/api/v1/query" if query.contains("kube_replicaset_owner") => vector(&[(
            json!({ "namespace": "shop", "replicaset": "cart-7c5d9c8f4c", "owner_name": "cart" }),
            1.0,
        )]),
        _ => vector(&[]),
    }
}

async fn changes(double: &Double) -> (ChangeSnapshot, Vec<Warning>) {
    let settings = Settings::default();
    let deps = SourceDeps::new(&settings, Clock::fixed(now()));
    let source = Prometheus::new(&SourceId::new("prom"), &double.source("prometheus"), deps).unwrap();
    let since = now().checked_sub(SignedDuration::from_mins(30)).unwrap();
    let reply = source.answer(&Query::Changes { since }.now(), None).await.unwrap();
    let Answer::Changes(snapshot) = reply.answer else { panic!("no changes") };
    (snapshot, reply.warnings)
}

#[tokio::test]
async fn a_rollout_has_the_time_of_its_replica_set_and_the_versions_of_its_series() {
    let double = Double::start(cluster).await;
    let (snapshot, warnings) = changes(&double).await;
    let [change] = snapshot.changes.as_slice() else { panic!("{snapshot:?}") };
    assert_eq!((change.sentence().as_str(), change.is_about), ("deploy 1.0 -> 1.1", false));
    assert_eq!(now().duration_since(change.at).as_secs(), 110);
    assert_eq!(change.labels.value("namespace"), "shop");
    assert_eq!(snapshot.covers.iter().map(|word| &**word).collect::<Vec<_>>(), ["versions", "ReplicaSets"]);
    assert!(warnings.iter().all(|warning| !warning.is_missing_data()), "{warnings:?}");
    // a server that lacks all else is not asked for it
    let queries: Vec<String> =
        double.asked().iter().map(|asked| asked.parameter("query").to_owned()).collect();
    assert!(queries.iter().all(|query| !query.contains("(process_start_time_seconds")), "{queries:?}");
    let about =
        queries.iter().filter(|query| query.contains("_build_info{") || query.contains("kube_")).count();
    assert!(about <= 6, "{queries:?}");
}

#[tokio::test]
async fn a_server_that_sees_no_changes_says_so_and_a_query_that_fails_is_named() {
    let empty = |asked: &ReceivedRequest| {
        if asked.path == "/api/v1/query" && asked.parameter("query").starts_with("count by (__name__)") {
            let data = json!({ "resultType": "vector", "result": [] });
            return CannedResponse::json(&json!({ "status": "success", "data": data }).to_string());
        }
        cluster(asked)
    };
    let (snapshot, _) = changes(&Double::start(empty).await).await;
    assert_eq!((snapshot.changes.len(), snapshot.covers.len()), (0, 0));
    let half = |asked: &ReceivedRequest| {
        if asked.path == "/api/v1/query" && asked.parameter("query").contains("kube_replicaset_created") {
            return CannedResponse::json(r#"{"status": "error", "error": "query timed out"}"#);
        }
        cluster(asked)
    };
    let (snapshot, warnings) = changes(&Double::start(half).await).await;
    assert_eq!(snapshot.changes.iter().map(Change::sentence).collect::<Vec<_>>(), ["deploy 1.0 -> 1.1"]);
    assert!(warnings.iter().any(|warning| warning.text.starts_with("ReplicaSets: ")), "{warnings:?}");
}
