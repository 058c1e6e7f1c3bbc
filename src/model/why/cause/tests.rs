use std::time::Duration;

use super::*;
use crate::model::alert::AlertState;
use crate::model::fixtures;
use crate::model::series::TimeGrid;
use crate::model::slo::TimeRange;
use crate::model::source::SourceId;
use crate::model::why::{DependencyMeasure, DependencyState};

/// The onset of the errors.
fn onset() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn seconds(offset: i64) -> Timestamp {
    onset().checked_add(SignedDuration::from_secs(offset)).unwrap()
}

fn finding(labels: &[(&str, &str)], explained: f64, traffic: f64) -> LabelFinding {
    LabelFinding {
        labels: labels.iter().copied().collect(),
        equivalent: Vec::new(),
        explained,
        traffic,
        traffic_before: traffic,
        score: (explained - traffic).max(0.0),
        is_new: false,
        failed: 100.0,
        requests: 1000.0,
    }
}

fn errors(findings: Vec<LabelFinding>) -> Symptom {
    let span = TimeGrid::ending(seconds(60), Duration::from_secs(600), 60, Duration::from_secs(10));
    Symptom {
        signal: WhySignal::Errors,
        measured_by: "http_requests_total".into(),
        resource: None,
        bound: None,
        onset: onset(),
        bad: TimeRange { start: onset(), end: seconds(60) },
        good: Some(TimeRange { start: seconds(-600), end: seconds(-15) }),
        before: Some(0.001),
        after: 0.1,
        severity: 0.1,
        span,
        values: vec![0.001; span.count()],
        findings,
        labels: vec!["region".into(), "version".into()],
    }
}

fn analysis(symptoms: Vec<Symptom>) -> WhyAnalysis {
    WhyAnalysis {
        is_known: true,
        looked_at: vec![WhySignal::Errors],
        symptoms,
        dependencies: Vec::new(),
        resources: Vec::new(),
        others: Vec::new(),
        changes: Vec::new(),
        notes: Vec::new(),
        requests: 9,
    }
}

fn change(kind: ChangeKind, offset: i64, to: &str) -> Arc<Change> {
    let (service, to) = (Some("cart".into()), (!to.is_empty()).then(|| to.into()));
    let title = kind.title(None, to.as_deref());
    Arc::new(Change { service, to, ..Change::new(seconds(offset), kind, title, SourceId::new("prom")) })
}

fn ranked(analysis: &WhyAnalysis, changes: &[Arc<Change>]) -> Vec<Cause> {
    causes(analysis, CauseContext { service: "cart", changes, alerts: &[] })
}

fn kinds(causes: &[Cause]) -> Vec<CauseKind> {
    causes.iter().map(|cause| cause.kind).collect()
}

#[test]
fn without_a_changed_signal_there_is_no_cause_whatever_else_happened() {
    let changes = [change(ChangeKind::Deploy, -5, "2.0")];
    assert_eq!(ranked(&analysis(Vec::new()), &changes), []);
}

#[test]
fn a_version_and_the_deploy_that_made_it_are_one_line() {
    let found = analysis(vec![errors(vec![finding(&[("version", "2.0")], 0.94, 0.12)])]);
    let changes = [change(ChangeKind::Deploy, -35, "2.0"), change(ChangeKind::Deploy, -3000, "1.0")];
    let causes = ranked(&found, &changes);
    assert_eq!(causes[0].kind, CauseKind::Label);
    assert_eq!(causes[0].changes, [changes[0].clone()]);
    assert_eq!(
        causes[0].words,
        "94% of the failed requests come from version=2.0, which serves 12% of the traffic; \
         deploy: -> 2.0, 35s before the errors began"
    );
    assert!(causes.iter().skip(1).all(|cause| cause.changes.first() != Some(&changes[0])), "{causes:?}");
}

#[test]
fn a_deploy_whose_version_has_no_failures_of_its_own_stands_behind_a_flag() {
    let found = analysis(vec![errors(Vec::new())]);
    let changes = [change(ChangeKind::Deploy, -10, "2.0"), change(ChangeKind::Flag, -20, "ranker=1")];
    let causes = ranked(&found, &changes);
    assert_eq!(kinds(&causes), [CauseKind::Change, CauseKind::Change]);
    assert_eq!(causes[0].changes[0].kind, ChangeKind::Flag);
}

#[test]
fn of_two_changes_the_closer_one_counts_more_and_one_that_came_later_is_no_cause() {
    let found = analysis(vec![errors(Vec::new())]);
    let changes = [
        change(ChangeKind::Config, -300, "a"),
        change(ChangeKind::Flag, -15, "b"),
        change(ChangeKind::Flag, 45, "c"),
        change(ChangeKind::Config, -7200, "d"),
    ];
    let causes = ranked(&found, &changes);
    let to: Vec<_> = causes.iter().filter_map(|cause| cause.changes.first()?.to.as_deref()).collect();
    assert_eq!(to, ["b", "a"]);
}

#[test]
fn what_one_region_explains_is_not_blamed_on_a_flag_or_another_service() {
    let mut found = analysis(vec![errors(vec![finding(&[("region", "us")], 0.99, 0.3)])]);
    found.others = vec![OtherService { name: "tax".into(), onset: onset(), after: 0.4 }];
    found.dependencies = vec![DependencyState {
        name: "ledger".into(),
        measured_by: DependencyMeasure::Calls,
        onset: Some(seconds(-20)),
        before: 0.0,
        after: 0.2,
    }];
    let causes = ranked(&found, &[change(ChangeKind::Flag, -2, "on")]);
    assert_eq!(causes[0].kind, CauseKind::Label, "{causes:?}");
}

#[test]
fn a_dependency_that_fails_first_stands_before_one_that_fails_later() {
    let state = |name: &str, onset: i64| DependencyState {
        name: name.into(),
        measured_by: DependencyMeasure::Calls,
        onset: Some(seconds(onset)),
        before: 0.001,
        after: 0.3,
    };
    let mut found = analysis(vec![errors(Vec::new())]);
    found.dependencies = vec![state("late", 50), state("first", -20)];
    found.dependencies.push(DependencyState {
        name: "fine".into(),
        measured_by: DependencyMeasure::Targets,
        onset: None,
        before: 0.0,
        after: 0.0,
    });
    let causes = ranked(&found, &[]);
    let names: Vec<_> = causes.iter().filter_map(|cause| cause.name.as_deref()).collect();
    assert_eq!(names, ["first", "late"]);
    assert_eq!(
        causes[0].words,
        "calls to first fail: 30.0% (0.10% before), first 20s before the errors began"
    );
}

#[test]
fn a_crash_of_the_pod_with_the_failures_belongs_to_its_line() {
    let found = analysis(vec![errors(vec![finding(&[("pod", "cart-1")], 0.9, 0.16)])]);
    let crash = |offset: i64, pod: &str| {
        let mut change = (*change(ChangeKind::OutOfMemory, offset, "")).clone();
        change.labels = Labels::from_iter([("pod", pod)]);
        Arc::new(change)
    };
    let causes = ranked(&found, &[crash(3, "cart-1"), crash(28, "cart-1"), crash(2, "cart-2")]);
    assert_eq!((causes[0].kind, causes[0].changes.len()), (CauseKind::Label, 2));
    assert!(causes[0].words.contains("OOM killed"), "{}", causes[0].words);
}

#[test]
fn a_level_that_changed_alone_is_the_resource_at_its_place() {
    let mut level = errors(vec![finding(&[("region", "us")], 1.0, 0.33)]);
    (level.signal, level.resource) = (WhySignal::Saturation, Some("cpu".into()));
    (level.measured_by, level.before, level.after) = ("service_cpu_saturation_ratio".into(), Some(0.4), 0.98);
    let causes = ranked(&analysis(vec![level]), &[]);
    assert_eq!(kinds(&causes), [CauseKind::Resource]);
    assert_eq!(causes[0].words, "cpu at region=us is 98.0% (was 40.0%)");
    assert_eq!((causes[0].name.as_deref(), causes[0].labels.len()), (Some("cpu"), 1));
}

#[test]
fn an_alert_of_something_else_that_fired_first_is_told_last() {
    let labels = Labels::from_iter([("alertname", "NodeDown")]);
    let mut alert = fixtures::alert(labels, seconds(-60), "am");
    alert.state = AlertState::Firing;
    let alerts = [(Arc::new(alert.clone()), None), (Arc::new(alert), Some("cart".into()))];
    let found = analysis(vec![errors(Vec::new())]);
    let causes = causes(&found, CauseContext { service: "cart", changes: &[], alerts: &alerts });
    assert_eq!(kinds(&causes), [CauseKind::Alert]);
    assert_eq!(causes[0].words, "alert NodeDown fired 1m before the errors began");
}
