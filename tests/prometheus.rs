//! Tests with a real Prometheus that scrapes itself; its address is in `BURNWATCH_TEST_PROMETHEUS`.
#![cfg(test)]

#[path = "support/real.rs"]
mod real;
#[path = "support/skip.rs"]
mod skip;

use std::sync::Arc;
use std::time::Duration;

use burnwatch::testing::backend::{Clock, Source, SourceDeps, connect, kind};
use burnwatch::testing::config::settings::{Settings, SourceSettings};
use burnwatch::testing::model::ask::{Answer, Ask, Moment, Query, QueryRange, Reply, SeriesKey};
use burnwatch::testing::model::series::TimeGrid;
use burnwatch::testing::model::source::{ErrorKind, SourceId};
use jiff::Timestamp;
use real::real;

#[expect(clippy::disallowed_methods, reason = "a real server runs by the real clock")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// The server; None if `tests/run` did not start one.
fn prometheus() -> Option<Arc<dyn Source>> {
    let url = real("BURNWATCH_TEST_PROMETHEUS")?;
    let settings = Settings::default();
    let source = SourceSettings::new(kind("prometheus"), &url);
    let deps = SourceDeps::new(&settings, Clock::real());
    Some(connect(&SourceId::new("real"), &source, deps))
}

async fn ask(source: &Arc<dyn Source>, ask: Ask) -> Reply {
    let kind = ask.kind();
    source.answer(&ask, None).await.unwrap_or_else(|error| panic!("{kind:?}: {error}"))
}

fn last_minutes() -> QueryRange {
    let span = TimeGrid::ending(now(), Duration::from_secs(300), 60, Duration::from_secs(5));
    QueryRange { window: span, tail: span }
}

#[tokio::test]
async fn it_says_who_it_is_and_its_heartbeat_is_one_request() {
    let Some(source) = prometheus() else { return };
    let Answer::Probe(offer) = ask(&source, Query::Probe.now()).await.answer else { panic!() };
    assert_eq!(&*offer.flavour, "Prometheus");
    assert!(offer.version.starts_with(|c: char| c.is_ascii_digit()), "{}", offer.version);
    assert!(offer.clock_ahead_seconds.unwrap().abs() <= 2);
    assert!(offer.facts.iter().any(|(name, value)| &**name == "services by" && value.contains("job")));
    assert_eq!(ask(&source, Query::Probe.now()).await.requests, 1);
}

#[tokio::test]
async fn its_own_job_is_a_service_with_a_target_that_is_up() {
    let Some(source) = prometheus() else { return };
    let reply = ask(&source, Query::Services.now()).await;
    assert!(reply.warnings.is_empty(), "{:?}", reply.warnings);
    let Answer::Services(snapshot) = reply.answer else { panic!() };
    let own =
        snapshot.readings.iter().find(|reading| &*reading.name == "prometheus").expect("it scrapes itself");
    assert!(own.targets.up >= 1 && own.targets.down.is_empty());
    let past = now() - Duration::from_secs(2);
    let Answer::Services(snapshot) = ask(&source, Query::Services.at(Moment::At(past))).await.answer else {
        panic!()
    };
    assert!(snapshot.readings.iter().any(|reading| &*reading.name == "prometheus"));
}

#[tokio::test]
async fn an_expression_over_time_comes_on_the_grid() {
    let Some(source) = prometheus() else { return };
    let series = |query: &str| {
        Query::Series {
            series: SeriesKey::over(query.into(), last_minutes().window),
            time_range: last_minutes(),
        }
        .now()
    };
    let Answer::Series(up) = ask(&source, series("up{job=\"prometheus\"}")).await.answer else { panic!() };
    assert_eq!(up.lines[0].labels.value("job"), "prometheus");
    assert_eq!((up.lines[0].values.len(), up.lines[0].last()), (last_minutes().tail.count(), Some(1.0)));
    let Answer::Series(two) = ask(&source, series("1 + 1")).await.answer else { panic!() };
    assert!(
        two.lines[0].labels.is_empty()
            && two.lines[0].values.iter().all(|value| value.to_bits() == 2.0_f64.to_bits())
    );
    let error = source.answer(&series("sum("), None).await.unwrap_err();
    assert!(
        matches!(&error.kind, ErrorKind::BadQuery { message } if message.contains("parse error")),
        "{error}"
    );
}

#[tokio::test]
async fn its_rules_are_recognised_as_unchanged_as_long_as_nothing_fires() {
    let Some(source) = prometheus() else { return };
    let reply = ask(&source, Query::Rules.now()).await;
    let Answer::Rules(snapshot) = &reply.answer else { panic!() };
    let again = source.answer(&Query::Rules.now(), reply.digest).await.unwrap();
    assert!(!snapshot.alerts.is_empty() || matches!(again.answer, Answer::Unchanged));
}

#[tokio::test]
async fn histories_and_details_hold_for_a_service_that_has_only_targets() {
    let Some(source) = prometheus() else { return };
    let time_range = last_minutes();
    let Answer::Trends(trends) = ask(&source, Query::Trends { time_range }.now()).await.answer else {
        panic!()
    };
    assert!(trends.request_rate.line(&[("service", "prometheus")].into_iter().collect()).is_none());
    let detail = Query::Detail { service: "prometheus".into(), time_range }.now();
    let Answer::Detail(detail) = ask(&source, detail).await.answer else { panic!() };
    assert!(detail.request_rate.lines.is_empty() && detail.latency.lines.is_empty());
}
