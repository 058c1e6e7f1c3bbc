//! The page of causes, and where it opens from.

use std::time::Duration;

use burnwatch::testing::app::event::{Effect, Event};
use burnwatch::testing::app::place::Place;
use burnwatch::testing::backend::{Answering, Source};
use burnwatch::testing::model::ask::{Answer, Ask, AskKind, Query, Reply};
use burnwatch::testing::model::fixtures;
use burnwatch::testing::model::labels::Labels;
use burnwatch::testing::model::series::TimeGrid;
use burnwatch::testing::model::service::{ServiceReading, ServiceSnapshot, Signals};
use burnwatch::testing::model::slo::TimeRange;
use burnwatch::testing::model::source_info::SourceInfo;
use burnwatch::testing::model::why::{
    DependencyMeasure, DependencyState, LabelFinding, OtherService, Symptom, WhyAnalysis, WhyQuery, WhySignal,
};
use jiff::{SignedDuration, Timestamp};

use crate::stage::Stage;
use crate::{SIZES, in_ascii_too};

/// A source with the service `cart`, of which a canary fails.
pub(crate) struct CauseSource(SourceInfo);

impl CauseSource {
    pub(crate) fn new() -> Self {
        Self(fixtures::source("prom", "prometheus", vec![AskKind::Services, AskKind::Why]))
    }
}

impl Source for CauseSource {
    fn info(&self) -> &SourceInfo {
        &self.0
    }

    fn answer<'a>(&'a self, ask: &'a Ask, _known: Option<u64>) -> Answering<'a> {
        let answer = match &ask.query {
            Query::Services => Answer::Services(ServiceSnapshot {
                readings: vec![reading("cart", 0.06), reading("ledger", 0.0)],
                lookback: Duration::from_secs(60),
            }),
            Query::Why { wanted } => Answer::Why(analysis(wanted)),
            _ => Answer::Unchanged,
        };
        Box::pin(async move { Ok(Reply::free(answer)) })
    }
}

fn reading(name: &str, error_ratio: f64) -> ServiceReading {
    let signals = Signals { request_rate: Some(100.0), error_ratio: Some(error_ratio), ..Signals::default() };
    ServiceReading { name: name.into(), signals, ..ServiceReading::default() }
}

fn ago(seconds: i64) -> Timestamp {
    Stage::start() - SignedDuration::from_secs(seconds)
}

fn finding(labels: &[(&str, &str)], explained: f64, traffic: f64) -> LabelFinding {
    LabelFinding {
        labels: labels.iter().copied().collect(),
        equivalent: vec![Labels::from_iter([("pod", "cart-7d9f8c6b5d-x2x4q")])],
        explained,
        traffic,
        traffic_before: 0.0,
        score: explained - traffic,
        is_new: false,
        failed: 600.0,
        requests: 1200.0,
    }
}

fn analysis(wanted: &WhyQuery) -> WhyAnalysis {
    analysis_of(190, &wanted.filters)
}

/// What a source finds about failures that began this many seconds ago.
pub(crate) fn analysis_since(seconds: i64) -> WhyAnalysis {
    analysis_of(seconds, &Labels::default())
}

fn analysis_of(seconds: i64, filters: &Labels) -> WhyAnalysis {
    let span = TimeGrid::ending(Stage::start(), Duration::from_secs(1800), 360, Duration::from_secs(5));
    let values = (0..span.count()).map(|at| if span.at(at) > ago(seconds) { 0.06 } else { 0.001 }).collect();
    let finding = if filters.is_empty() {
        finding(&[("version", "2.0.0-rc1")], 0.94, 0.12)
    } else {
        finding(&[("route", "/cart")], 0.9, 0.4)
    };
    let symptom = Symptom {
        signal: WhySignal::Errors,
        measured_by: "http_requests_total".into(),
        resource: None,
        bound: None,
        onset: ago(seconds),
        bad: TimeRange { start: ago(seconds), end: ago(0) },
        good: Some(TimeRange { start: ago(1800), end: ago(seconds + 15) }),
        before: Some(0.001),
        after: 0.06,
        severity: 0.06,
        span,
        values,
        findings: vec![finding],
        labels: ["pod", "region", "route", "version"].map(Into::into).to_vec(),
    };
    WhyAnalysis {
        is_known: true,
        looked_at: vec![WhySignal::Targets, WhySignal::Errors, WhySignal::Latency, WhySignal::Traffic],
        symptoms: vec![symptom],
        dependencies: vec![
            DependencyState {
                name: "ledger".into(),
                measured_by: DependencyMeasure::Calls,
                onset: Some(ago(200)),
                before: 0.0,
                after: 0.05,
            },
            DependencyState {
                name: "tax".into(),
                measured_by: DependencyMeasure::Requests,
                onset: None,
                before: 0.001,
                after: 0.001,
            },
        ],
        resources: Vec::new(),
        others: vec![OtherService { name: "orders".into(), onset: ago(170), after: 0.04 }],
        changes: Vec::new(),
        notes: vec!["not compared, because of the limit of requests: user_id".into()],
        requests: 12,
    }
}

#[test]
fn why_a_service_fails() {
    for (width, height) in SIZES {
        let mut stage = Stage::causes((width, height));
        stage.press(&["2", "i"]);
        insta::assert_snapshot!(format!("why_{width}x{height}"), stage.body());
    }
}

#[test]
fn without_colour_and_unicode_it_says_the_same() {
    in_ascii_too(|| Stage::causes((120, 36)), &["2", "i"]);
}

#[test]
fn it_opens_from_services_alerts_slos_and_incidents_and_from_their_pages() {
    let ways: [&[&str]; 7] = [
        &["2", "i"],
        &["2", "enter", "i"],
        &["3", "i"],
        &["3", "enter", "i"],
        &["4", "down", "i"],
        &["5", "i"],
        &["5", "enter", "i"],
    ];
    for keys in ways {
        let mut stage = Stage::demo((120, 36), 1.5);
        stage.press(keys);
        assert!(matches!(stage.state().place(), Place::Why(_)), "{keys:?}: {}", stage.text());
        stage.press(&["esc"]);
        assert!(!matches!(stage.state().place(), Place::Why(_)), "{keys:?}");
    }
}

#[test]
fn enter_looks_within_a_label_value_and_escape_comes_back() {
    let mut stage = Stage::causes((120, 36));
    stage.press(&["2", "i"]);
    let Place::Why(outer) = stage.state().place().clone() else { panic!("{}", stage.text()) };
    assert!(
        stage.text().contains("94% of the failed requests come from version=2.0.0-rc1"),
        "{}",
        stage.text()
    );
    stage.press(&["enter"]);
    let Place::Why(inner) = stage.state().place().clone() else { panic!("{}", stage.text()) };
    assert_eq!(inner.wanted.filters, Labels::from_iter([("version", "2.0.0-rc1")]));
    assert!(stage.text().contains("within version=2.0.0-rc1"), "{}", stage.text());
    assert!(stage.text().contains("come from route=/cart"), "{}", stage.text());
    stage.press(&["esc"]);
    assert_eq!(stage.state().place(), &Place::Why(outer));
    // the dependency is a service of its own
    stage.press(&["down", "enter"]);
    let Place::Why(other) = stage.state().place().clone() else { panic!("{}", stage.text()) };
    assert_eq!(&*other.wanted.service, "ledger");
}

#[test]
fn leaving_the_page_cancels_its_questions() {
    let mut stage = Stage::causes((120, 36));
    stage.press(&["2"]);
    stage.answer(false);
    let asked = stage.effects_of(Event::Key("i".parse().unwrap()));
    assert!(asked.iter().any(|effect| matches!(effect, Effect::Fetch(_))), "{asked:?}");
    assert!(stage.text().contains("comparing the bad time"), "{}", stage.text());
    let left = stage.effects_of(Event::Key("esc".parse().unwrap()));
    assert!(left.iter().any(|effect| matches!(effect, Effect::CancelFetch(_))), "{left:?}");
}

#[test]
fn every_size_and_a_source_that_is_gone_can_be_drawn() {
    for size in [(1, 1), (3, 2), (0, 0), (20, 5), (130, 12), (59, 60)] {
        let mut stage = Stage::causes(size);
        stage.press(&["2", "i", "down", "down"]);
        stage.draw();
    }
    let mut stage = Stage::demo((120, 36), 1.5);
    stage.kill("prom-eu", 1);
    stage.kill("prom-us", 1);
    stage.press(&["2", "i"]);
    assert!(matches!(stage.state().place(), Place::Why(_)));
    stage.draw();
}
