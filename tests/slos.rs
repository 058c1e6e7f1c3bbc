//! SLOs of a real Prometheus with a month of history: every number equals the server's own result.
#![cfg(test)]

#[path = "slos/definitions.rs"]
mod definitions;
#[path = "slos/server.rs"]
mod server;
#[path = "../src/model/tests/shared.rs"]
mod shared;
#[path = "support/skip.rs"]
mod skip;
#[path = "slos/stack.rs"]
mod stack;

use std::sync::Arc;
use std::time::Duration;

use burnwatch::testing::backend::{Clock, Source, SourceDeps, connect, kind};
use burnwatch::testing::config::settings::{ConfigDuration, LimitSettings, Settings, SourceSettings};
use burnwatch::testing::model::ask::{Answer, Query};
use burnwatch::testing::model::duration;
use burnwatch::testing::model::slo::{Evaluation, MeasuredRatio, Slo, SloReading, SloSnapshot, SloStatus};
use burnwatch::testing::model::source::SourceId;
use definitions::Defined;
use jiff::Timestamp;
use server::{Server, single};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const LOOKBACKS: [Duration; 6] = [
    Duration::from_secs(300),
    Duration::from_secs(1800),
    HOUR,
    Duration::from_secs(6 * 3600),
    DAY,
    Duration::from_secs(3 * 86_400),
];

#[expect(clippy::disallowed_methods, reason = "a real server runs by the real clock")]
fn now() -> Timestamp {
    Timestamp::now()
}

fn source(url: &str, slos: &[Arc<Slo>]) -> Arc<dyn Source> {
    let timeout = ConfigDuration(MINUTE);
    let settings =
        Settings { limits: LimitSettings { timeout, ..LimitSettings::default() }, ..Settings::default() };
    let source = SourceSettings::new(kind("prometheus"), url);
    let deps = SourceDeps { slos, ..SourceDeps::new(&settings, Clock::real()) };
    connect(&SourceId::new("real"), &source, deps)
}

async fn snapshot(source: &Arc<dyn Source>, at: Option<Timestamp>) -> SloSnapshot {
    let reply = source.answer(&Query::Slos.at(at.into()), None).await.unwrap();
    assert_eq!(reply.warnings, []);
    match reply.answer {
        Answer::Slos(snapshot) => snapshot,
        other => panic!("{other:?}"),
    }
}

fn reading<'a>(snapshot: &'a SloSnapshot, id: &str) -> &'a SloReading {
    let found = snapshot.readings.iter().find(|reading| &*reading.slo.id == id);
    found.unwrap_or_else(|| panic!("{id} is not in {snapshot:?}"))
}

/// Compares numbers to the ninth digit.
fn assert_same(what: &str, ours: f64, theirs: f64) {
    let off = (ours - theirs).abs() / theirs.abs().max(f64::MIN_POSITIVE);
    assert!(off < 1e-9 || (ours - theirs).abs() < 1e-300, "{what}: {ours} is not {theirs}");
}

/// Compares error ratio, burn rate and budget of each lookback with the server's result for `expression`.
fn assert_agrees(
    url: &str,
    snapshot: &SloSnapshot,
    id: &str,
    lookbacks: &[Duration],
    expression: &dyn Fn(&str) -> String,
) {
    let reading = reading(snapshot, id);
    assert_eq!(reading.failure, None, "{id}");
    let [group] = &reading.groups[..] else { panic!("{reading:?}") };
    let (slo, at) = (&reading.slo, snapshot.at);
    let status = SloStatus::of(reading, &SourceId::new("real"), at);
    let standing = status.worst().unwrap();
    for &lookback in lookbacks {
        let text = duration::text(lookback);
        let error = single(url, &expression(&text), at);
        let what = format!("{id} over {text}");
        match group.over(lookback) {
            MeasuredRatio::Ratio { error: ours, .. } => assert_same(&what, ours, error),
            other => panic!("{what}: {other:?}, but the server says {error}"),
        }
        let budget = slo.objective.ratio_text();
        let burn = single(url, &format!("({}) / (1 - {budget})", expression(&text)), at);
        assert_same(&format!("burn of {what}"), standing.burn(lookback).unwrap(), burn);
    }
    let elapsed = duration::text(Duration::from_secs(slo.window.elapsed(at).as_secs()));
    let spent = format!("({}) / (1 - {})", expression(&elapsed), slo.objective.ratio_text());
    let share = slo.window.elapsed(at).as_secs_f64() / slo.window.length(at).as_secs_f64();
    let left = 1.0 - single(url, &spent, at) * share;
    assert_same(
        &format!("the error ratio of {id}"),
        group.window.error().unwrap(),
        single(url, &expression(&elapsed), at),
    );
    assert_same(&format!("the budget of {id}"), standing.left().unwrap(), left);
}

#[tokio::test]
async fn every_number_is_what_the_server_works_out_itself() {
    let Some(server) = Server::start(now()) else { return };
    let url = server.url();
    let all = definitions::measured(now());
    let others = definitions::others();
    let slos: Vec<Arc<Slo>> =
        all.iter().map(|defined| &defined.slo).chain(&others).cloned().map(Arc::new).collect();
    let source = source(url, &slos);

    let present = snapshot(&source, None).await;
    let past = snapshot(&source, Some(now() - 2 * HOUR)).await;
    for Defined { slo, expression } in &all {
        assert_eq!(reading(&present, &slo.id).evaluation, Evaluation::Live);
        assert_agrees(url, &present, &slo.id, &LOOKBACKS, expression);
        assert_agrees(url, &past, &slo.id, &LOOKBACKS, expression);
    }
    let events = reading(&present, "checkout-events").groups[0].over(HOUR).events().unwrap();
    let increase = single(url, r#"sum(increase(http_requests_total{job="checkout"}[1h]))"#, present.at);
    assert_same("the number of events", events, increase);

    let grouped = reading(&present, "by-job");
    let jobs: Vec<_> = grouped.groups.iter().map(|group| group.labels.value("job")).collect();
    assert_eq!(jobs, ["cart", "checkout", "search"]);
    for group in &grouped.groups {
        let job = group.labels.value("job");
        let error = single(url, &definitions::ratio(job, "1h"), present.at);
        assert_same(job, group.over(HOUR).error().unwrap(), error);
    }
    recorded(url, &present);
    coverage(&present);
}

/// SLOs recorded by the rules of Sloth and Pyrra are found without definitions.
fn recorded(url: &str, snapshot: &SloSnapshot) {
    let sloth = reading(snapshot, "shop-availability");
    assert_eq!((sloth.evaluation, sloth.slo.service.as_deref()), (Evaluation::Recorded, Some("shop")));
    assert_eq!(sloth.slo.objective.ratio_text(), "0.999");
    let factors: Vec<_> = sloth.slo.pairs.iter().map(|pair| pair.factor).collect();
    assert_eq!(factors, [14.4, 6.0]);
    let group = &sloth.groups[0];
    for (lookback, name) in [(5 * MINUTE, "5m"), (HOUR, "1h"), (6 * HOUR, "6h")] {
        let query = format!("slo:sli_error:ratio_rate{name}{{sloth_id=\"shop-availability\"}}");
        assert_same(name, group.over(lookback).error().unwrap(), single(url, &query, snapshot.at));
    }
    let query = "slo:sli_error:ratio_rate30d{sloth_id=\"shop-availability\"}";
    assert_same(
        "30d",
        group.window.error().unwrap_or_else(|| panic!("{sloth:?}")),
        single(url, query, snapshot.at),
    );
    assert!(group.is_time_weighted);

    let pyrra = reading(snapshot, "checkout-errors");
    assert_eq!(
        (pyrra.slo.objective.ratio_text().as_str(), pyrra.slo.window.to_string().as_str()),
        ("0.99", "28d")
    );
    let query = "http_requests:burnrate1h{slo=\"checkout-errors\"}";
    assert_same("1h", pyrra.groups[0].over(HOUR).error().unwrap(), single(url, query, snapshot.at));
    let query = "1 - pyrra_availability{slo=\"checkout-errors\"}";
    assert_same(
        "28d",
        pyrra.groups[0].window.error().unwrap_or_else(|| panic!("{pyrra:?}")),
        single(url, query, snapshot.at),
    );
}

/// A service that is ten days old has ten days of data; a removed service has old data.
fn coverage(snapshot: &SloSnapshot) {
    let days = |id: &str| {
        let extent = reading(snapshot, id).groups[0].extent.as_ref();
        extent.map_or(30.0, |extent| extent.known.as_secs_f64() / 86_400.0)
    };
    assert!((29.0..=30.0).contains(&days("checkout-events")), "{}", days("checkout-events"));
    assert!((9.9..10.2).contains(&days("young")), "{}", days("young"));
    let gone = &reading(snapshot, "gone").groups[0];
    assert_eq!(gone.over(HOUR), MeasuredRatio::Absent);
    let hours = snapshot.at.duration_since(gone.newest.unwrap()).as_hours();
    assert!((4..=6).contains(&hours), "{hours}");
    let never = &reading(snapshot, "never").groups[0];
    assert_eq!((never.window, never.newest), (MeasuredRatio::Absent, None));
}
