//! The services that burnwatch discovers from real servers and their exporters, as far as `tests/run` could start them.
#![cfg(test)]

#[path = "support/skip.rs"]
mod skip;

use std::time::Duration;

use burnwatch::testing::backend::{Clock, SourceDeps, connect, kind};
use burnwatch::testing::config::settings::{Settings, SourceSettings};
use burnwatch::testing::model::ask::{Answer, Query};
use burnwatch::testing::model::assessment::{Case, assess};
use burnwatch::testing::model::health::{Health, Thresholds};
use burnwatch::testing::model::service::{ServiceReading, ServiceSnapshot};
use burnwatch::testing::model::source::SourceId;
use jiff::Timestamp;
use skip::skip;

#[expect(clippy::disallowed_methods, reason = "a real server runs by the real clock")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// The services of the Prometheus that scrapes these servers; None if this job could not be started.
async fn snapshot(job: &str) -> Option<ServiceSnapshot> {
    let jobs = std::env::var("BURNWATCH_TEST_EXPORTER_JOBS").unwrap_or_default();
    if !jobs.split(' ').any(|there| there == job) {
        skip(&format!("{job} and its exporter are not installed, or tests/run did not start them"));
        return None;
    }
    let url = std::env::var("BURNWATCH_TEST_EXPORTERS").expect("it is set beside the jobs");
    let settings = Settings::default();
    let source = SourceSettings::new(kind("prometheus"), &url);
    let deps = SourceDeps::new(&settings, Clock::real());
    let source = connect(&SourceId::new("real"), &source, deps);
    let mut lacking = Vec::new();
    // a rate needs a few scrapes
    for _ in 0..60 {
        if let Ok(reply) = source.answer(&Query::Services.now(), None).await
            && let Answer::Services(snapshot) = reply.answer
        {
            let is_there =
                |job: &&str| snapshot.readings.iter().any(|r| is_of(r, job) && r.targets.total > 0);
            lacking = jobs.split(' ').filter(|job| !is_there(job)).collect();
            if lacking.is_empty() {
                return Some(snapshot);
            }
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("these are not scraped: {lacking:?}")
}

fn is_of(reading: &ServiceReading, job: &str) -> bool {
    // HAProxy's target has a service label of its own
    *reading.name == *(if job == "haproxy" { "edge" } else { job })
}

fn verdict(snapshot: &ServiceSnapshot, name: &str) -> (Health, String) {
    let reading = snapshot.readings.iter().find(|reading| &*reading.name == name);
    let reading = reading.unwrap_or_else(|| panic!("no {name}"));
    let thresholds = Thresholds::default();
    let case = Case {
        lookback: snapshot.lookback,
        alerts: &[],
        soon_full: &[],
        thresholds: &thresholds,
        before: None,
        now: now(),
    };
    let (health, reasons) = assess(reading, case);
    (health, reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

#[tokio::test]
async fn a_server_that_is_dead_behind_its_living_exporter_is_down() {
    for (job, words) in [
        ("dead-redis", "Redis does not answer"),
        ("dead-apache", "Apache does not answer"),
        ("dead-mysql", "MySQL does not answer"),
    ] {
        let Some(snapshot) = snapshot(job).await else { continue };
        let (health, why) = verdict(&snapshot, job);
        assert!(health == Health::Down && why.contains(words), "{job}: {health:?} {why}");
    }
}

#[tokio::test]
async fn a_failing_probe_burns_and_is_named() {
    let Some(snapshot) = snapshot("blackbox").await else { return };
    let (health, why) = verdict(&snapshot, "blackbox");
    assert_eq!(health, Health::Critical, "{why}");
    assert!(why.contains("probe fails (1 of 2: http://127.0.0.1:1/checkout)"), "{why}");
}

#[tokio::test]
async fn backends_have_their_servers_and_the_targets_and_labels_of_their_proxy() {
    let Some(snapshot) = snapshot("haproxy").await else { return };
    let (health, why) = verdict(&snapshot, "alldead");
    assert!(health == Health::Down && why.contains("no server of the backend is up"), "{health:?} {why}");
    let (health, why) = verdict(&snapshot, "app");
    assert!(health == Health::Degraded && why.contains("server app2 is down"), "{health:?} {why}");
    for name in ["roomy", "resting"] {
        let (_, why) = verdict(&snapshot, name);
        assert!(!why.contains("down") && !why.contains("server"), "{name}: {why}");
    }
    let app = snapshot.readings.iter().find(|reading| &*reading.name == "app").unwrap();
    assert_eq!((app.targets.up, app.targets.total, app.labels.value("namespace")), (1, 1, "shop"));
}

#[tokio::test]
async fn a_machine_is_a_host_with_its_resources() {
    let Some(snapshot) = snapshot("node").await else { return };
    let node = snapshot.readings.iter().find(|reading| &*reading.name == "node").unwrap();
    let [host] = &node.hosts[..] else { panic!("{:?}", node.hosts) };
    for resource in ["memory", "disk", "inodes", "file descriptors"] {
        assert!(host.usages.iter().any(|usage| &*usage.resource == resource), "{resource}: {host:?}");
    }
    assert!(host.usages.iter().any(|usage| &*usage.resource == "disk" && usage.part.starts_with('/')));
}

#[tokio::test]
async fn what_exporters_ask_and_replicas_replay_is_no_traffic() {
    // within 0.5 requests per second: the first seconds of a server allow no better accuracy
    for (job, least, most) in
        [("nginx", 0.0, 0.5), ("apache", 0.0, 0.5), ("redis", 5.0, 25.0), ("redis-replica", 0.0, 0.5)]
    {
        let Some(snapshot) = snapshot(job).await else { continue };
        let reading = snapshot.readings.iter().find(|reading| &*reading.name == job).unwrap();
        let Some(rate) = reading.signals.request_rate else { continue };
        assert!((least..=most).contains(&rate), "{job}: {rate}/s");
    }
}
