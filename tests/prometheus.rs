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
use burnwatch::testing::model::evaluation::{EvaluationKey, LabelSearch, QueryResult, SampleValue};
use burnwatch::testing::model::metric::MetricType;
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

fn evaluation(query: &str, is_range: bool) -> Ask {
    let window = is_range.then(|| last_minutes().window);
    Query::Evaluation { evaluation: EvaluationKey::new(query.into(), window), window }.now()
}

#[tokio::test]
async fn a_query_of_a_user_has_the_result_of_its_type() {
    let Some(source) = prometheus() else { return };
    for (query, is_range, word) in [
        ("1 + 1", false, "scalar"),
        ("\"text\"", false, "string"),
        ("up", false, "vector"),
        ("up[1m]", false, "matrix"),
        ("up", true, "matrix"),
    ] {
        let Answer::Evaluation(found) = ask(&source, evaluation(query, is_range)).await.answer else {
            panic!()
        };
        assert_eq!(found.result.word(), word, "{query}");
        assert!(found.raw.contains(&format!("\"resultType\":\"{word}\"")), "{}", found.raw);
    }
    let Answer::Evaluation(up) = ask(&source, evaluation("up{job=\"prometheus\"}", false)).await.answer
    else {
        panic!()
    };
    let QueryResult::Vector(samples) = &up.result else { panic!() };
    assert_eq!(samples[0].value, SampleValue::Number(1.0));
}

#[tokio::test]
async fn a_wrong_query_is_refused_with_its_place() {
    let Some(source) = prometheus() else { return };
    let error = source.answer(&evaluation("sum(rate(up[5m])", false), None).await.unwrap_err();
    let ErrorKind::BadQuery { message } = &error.kind else { panic!("{error}") };
    assert!(message.contains("1:") && message.contains("parse error"), "{message}");
}

#[tokio::test]
async fn its_metrics_have_types_and_labels_are_those_of_the_selector() {
    let Some(source) = prometheus() else { return };
    let Answer::Metrics(catalog) = ask(&source, Query::Metrics.now()).await.answer else { panic!() };
    let metric = |name: &str| catalog.get(name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(metric("prometheus_http_requests_total").kind, MetricType::Counter);
    assert!(!metric("prometheus_http_requests_total").help.is_empty());
    assert_eq!(metric("go_goroutines").kind, MetricType::Gauge);
    let labels = async |selector: &str, name: Option<&str>| {
        let wanted =
            LabelSearch { selector: Some(selector.into()), name: name.map(Into::into), is_counted: false };
        let Answer::Labels(list) = ask(&source, Query::Labels { wanted }.now()).await.answer else {
            panic!()
        };
        list.all.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let names = labels("prometheus_http_requests_total", None).await;
    assert!(names.contains(&"handler".to_owned()) && names.contains(&"code".to_owned()), "{names:?}");
    assert!(labels("up", Some("job")).await.contains(&"prometheus".to_owned()));
    assert_eq!(labels("no_such_metric", None).await, Vec::<String>::new());
}

#[tokio::test]
async fn exemplars_are_a_list_that_may_be_empty() {
    let Some(source) = prometheus() else { return };
    let window = last_minutes().window;
    let series = SeriesKey::over("up".into(), window);
    let asked = source.answer(&Query::Exemplars { series, window }.now(), None).await;
    match asked {
        Ok(reply) => assert!(matches!(reply.answer, Answer::Exemplars(_))),
        // a server without the feature exemplar-storage says so
        Err(error) => assert!(error.to_string().to_lowercase().contains("exemplar"), "{error}"),
    }
}
