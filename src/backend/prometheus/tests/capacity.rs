//! Tests of resources with a limit: what is asked, and what answers that are refused or odd give.

use serde_json::{Value, json};

use super::shop::{series, shop, success};
use super::*;
use crate::backend::kit::double::ReceivedRequest;
use crate::model::capacity::{CapacityReading, CapacitySnapshot, CapacityUse, Outlook};

const DAY: f64 = 86_400.0;

/// A disk of 500 bytes on `db-1` that grows by this much per day and has 390 used now.
fn disk(asked: &ReceivedRequest, per_day: f64) -> CannedResponse {
    let labels = json!({ "service": "cart", "instance": "db-1:9100", "mountpoint": "/data" });
    let query = asked.parameter("query");
    // the limit has no subtraction
    if !query.contains(" - ") {
        return series(asked, &[(labels, "500")]);
    }
    if !asked.path.ends_with("query_range") {
        return series(asked, &[(labels, "390")]);
    }
    let [start, end, step] =
        ["start", "end", "step"].map(|name| asked.parameter(name).parse::<f64>().unwrap());
    let now = now().as_second() as f64;
    let points = std::iter::successors(Some(start), |at| Some(at + step)).take_while(|at| *at <= end);
    let values: Vec<Value> =
        points.map(|at| json!([at, (390.0 + per_day * (at - now) / DAY).to_string()])).collect();
    success(&json!({ "resultType": "matrix", "result": [{ "metric": labels, "values": values }] }))
}

/// The shop with a disk and a certificate; `is_refused` chooses queries that the server refuses.
async fn server(
    per_day: f64,
    is_refused: impl Fn(&ReceivedRequest) -> bool + Send + Sync + 'static,
) -> Double {
    Double::start(move |asked| {
        let query = asked.parameter("query");
        if query.starts_with("count by (__name__)") {
            let names = [
                "http_requests_total",
                "node_filesystem_avail_bytes",
                "node_filesystem_size_bytes",
                "probe_ssl_earliest_cert_expiry",
            ];
            return series(asked, &names.map(|name| (json!({ "__name__": name }), "9")));
        }
        if is_refused(asked) {
            let error = r#"{"status":"error","error":"the query hit the limit of series"}"#;
            return CannedResponse::new(422, "application/json", error);
        }
        let at_service = json!({ "service": "cart" });
        match query {
            _ if query.starts_with("count by (service") && query.contains("node_") => {
                series(asked, &[(at_service, "1")])
            }
            _ if query.starts_with("count by (service") && query.contains("probe_") => {
                series(asked, &[(at_service, "1")])
            }
            // a candidate only if the disk grows
            _ if query.contains("deriv(") && per_day <= 0.0 => series(asked, &[]),
            _ if query.contains("deriv(") => series(asked, &[(json!({ "service": "cart" }), "390")]),
            _ if query.contains("probe_ssl") => {
                let end = (now().as_second() + 6 * 86_400).to_string();
                series(asked, &[(json!({ "service": "cart", "instance": "https://cart" }), end.as_str())])
            }
            _ if query.contains("node_filesystem") => disk(asked, per_day),
            _ => shop(asked),
        }
    })
    .await
}

async fn capacity(source: &Prometheus, query: Query) -> (CapacitySnapshot, Vec<Warning>) {
    let reply = ask(source, query.now()).await;
    match reply.answer {
        Answer::Capacity(snapshot) | Answer::Filling(snapshot) => (snapshot, reply.warnings),
        other => panic!("{other:?}"),
    }
}

fn outlooks(snapshot: &CapacitySnapshot) -> Vec<(String, String)> {
    let of = |reading: &CapacityReading| (reading.title(), reading.outlook.words(now()));
    snapshot.readings.iter().map(|reading| of(reading)).collect()
}

#[tokio::test]
async fn a_disk_and_a_certificate_come_with_the_time_that_is_left_to_them() {
    let double = server(40.0, |_| false).await;
    let source = source(&double);
    let (snapshot, warnings) = capacity(&source, Query::Capacity).await;
    assert_eq!(warnings, []);
    assert_eq!(
        outlooks(&snapshot),
        [
            ("disk on db-1 /data".to_owned(), "2d18h (3d-3d)".to_owned()),
            ("certificate on https://cart".to_owned(), "6d".to_owned()),
        ]
    );
    let disk = &snapshot.readings[0];
    assert_eq!(disk.amount, CapacityUse::Amount { used: 390.0, limit: Some(500.0) });
    assert_eq!((&*disk.key.service, disk.history.len(), disk.is_warned), ("cart", 4, true));
    assert_eq!(disk.limits.as_ref().and_then(|line| line.values.last().copied()), Some(500.0));
    assert!(!snapshot.readings[1].is_warned, "the pack's signal warns of certificates");
    // seven queries for the disk and one for the certificate
    let about = |asked: &&ReceivedRequest| {
        let query = asked.parameter("query");
        !query.starts_with("count by")
            && (query.contains("max by (service, instance, mountpoint)") || query.contains("min by"))
    };
    assert_eq!(double.asked().iter().filter(about).count(), 8);
}

#[tokio::test]
async fn only_what_may_soon_be_full_is_looked_at_for_the_words_on_services() {
    let growing = server(40.0, |_| false).await;
    let (snapshot, _) = capacity(&source(&growing), Query::Filling).await;
    assert_eq!(outlooks(&snapshot), [("disk on db-1 /data".to_owned(), "2d18h (3d-3d)".to_owned())]);
    assert!(snapshot.readings[0].history.is_empty(), "the words need no history");
    let ranges =
        |double: &Double| double.asked().iter().filter(|asked| asked.path.ends_with("query_range")).count();
    assert_eq!(ranges(&growing), 5);
    let histories = growing.asked();
    let mut histories = histories.iter().filter(|asked| asked.path.ends_with("query_range"));
    assert!(histories.all(|asked| asked.parameter("query").contains("service=~\"cart\"")));
    let calm = server(0.0, |_| false).await;
    let (snapshot, warnings) = capacity(&source(&calm), Query::Filling).await;
    assert_eq!((outlooks(&snapshot), warnings, ranges(&calm)), (vec![], vec![], 0));
    // a candidate whose forecast is later than services are warned of
    let slow = server(20.0, |_| false).await;
    assert_eq!(outlooks(&capacity(&source(&slow), Query::Filling).await.0), []);
}

#[tokio::test]
async fn a_history_that_is_refused_leaves_the_usage_and_is_said() {
    let double = server(40.0, |asked| asked.path.ends_with("query_range")).await;
    let (snapshot, warnings) = capacity(&source(&double), Query::Capacity).await;
    let without = ("disk on db-1 /data".to_owned(), "history unknown".to_owned());
    assert!(
        snapshot.readings.len() == 2 && outlooks(&snapshot).contains(&without),
        "{:?}",
        outlooks(&snapshot)
    );
    let texts: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert!(texts[0].contains("disk") && texts[0].contains("limit of series"), "{texts:?}");
}

#[tokio::test]
async fn what_cannot_be_read_at_all_is_a_failure() {
    let is_about = |asked: &ReceivedRequest| {
        let query = asked.parameter("query");
        !query.starts_with("count by") && (query.contains("node_") || query.contains("probe_"))
    };
    let double = server(40.0, is_about).await;
    let failure = source(&double).answer(&Query::Capacity.now(), None).await.unwrap_err();
    assert!(failure.to_string().contains("limit of series"), "{failure}");
}

#[tokio::test]
async fn a_server_without_such_metrics_has_no_resources() {
    let double = Double::start(shop).await;
    let (snapshot, warnings) = capacity(&source(&double), Query::Capacity).await;
    assert_eq!((snapshot.readings.len(), warnings), (0, vec![]));
}

#[tokio::test]
async fn a_usage_without_history_needs_some() {
    let double = server(f64::NAN, |_| false).await;
    let (snapshot, _) = capacity(&source(&double), Query::Capacity).await;
    let disk = snapshot.readings.iter().find(|reading| &*reading.key.resource == "disk").unwrap();
    assert!(matches!(disk.outlook, Outlook::NeedsHistory { .. }), "{:?}", disk.outlook);
}
