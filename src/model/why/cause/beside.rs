//! The causes beside labels and changes: dependencies, resources, other services, alerts.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Cause, CauseContext, CauseKind, SEEN_LATE, closeness};
use crate::model::alert::Alert;
use crate::model::duration;
use crate::model::health::percent;
use crate::model::labels::{Labels, Text};
use crate::model::remote::age;
use crate::model::why::sentence::{amount, is_ratio, level, named, share};
use crate::model::why::{
    DependencyMeasure, DependencyState, OtherService, ResourceState, Symptom, WhySignal,
};

/// A resource is nearly full from this utilisation on.
const FULL: f64 = 0.9;

fn rise(main: &Symptom) -> f64 {
    (main.after - main.before.unwrap_or(0.0)).abs()
}

/// "20s before the errors began"
fn before(at: Timestamp, main: &Symptom) -> String {
    let began = main.signal.began();
    let distance = age(at.min(main.onset), at.max(main.onset));
    if distance < Duration::from_secs(3) {
        return format!("at the same time as {began}");
    }
    let side = if at > main.onset { "after" } else { "before" };
    format!("{} {side} {began}", duration::short(distance))
}

pub(super) fn of_dependency(state: &DependencyState, main: &Symptom, unexplained: f64) -> Option<Cause> {
    let onset = state.onset?;
    let failing = state.after - state.before;
    let late = main.onset.checked_add(SEEN_LATE).unwrap_or(main.onset);
    let close = if onset > late { 0.2 } else { 0.3 + 0.7 * closeness(onset, main.onset) };
    let is_first = onset.checked_add(SignedDuration::from_secs(5)).is_ok_and(|soon| soon <= main.onset);
    let part = (failing / rise(main).max(0.01)).clamp(0.0, 1.0);
    let first = if is_first { 0.15 } else { 0.0 };
    let score = (0.3 + 0.4 * part + first) * close * unexplained;
    let (now, was) = (percent(state.after), percent(state.before));
    let fails = match state.measured_by {
        DependencyMeasure::Calls => format!("calls to {} fail: {now} ({was} before)", state.name),
        DependencyMeasure::Requests => {
            format!("{}, which it depends on, fails: {now} of its requests ({was} before)", state.name)
        }
        DependencyMeasure::Targets => {
            format!("{}, which it depends on, is down: {now} of its targets ({was} before)", state.name)
        }
    };
    let words = format!("{fails}, first {}", before(onset, main));
    Some(named_cause(CauseKind::Dependency, &state.name, onset, main.signal, score, words))
}

fn named_cause(
    kind: CauseKind,
    name: &Text,
    at: Timestamp,
    signal: WhySignal,
    score: f64,
    words: String,
) -> Cause {
    Cause {
        kind,
        labels: Labels::default(),
        equivalent: Vec::new(),
        name: Some(name.clone()),
        changes: Vec::new(),
        signal,
        explained: None,
        traffic: None,
        at: Some(at),
        score,
        words,
    }
}

/// The cause that a change of traffic, targets or a level is in itself.
pub(super) fn of_symptom(symptom: &Symptom, main: &Symptom, unexplained: f64) -> Option<Cause> {
    let is_main = std::ptr::eq(symptom, main);
    let (name, score): (Text, f64) = match symptom.signal {
        WhySignal::Errors | WhySignal::Latency => return None,
        WhySignal::Traffic => ("traffic".into(), if is_main { 0.5 } else { 0.45 }),
        WhySignal::Targets => ("targets".into(), 0.9),
        WhySignal::Saturation => {
            let is_full = is_ratio(&symptom.measured_by) && symptom.after >= FULL;
            let beside = if is_full { 0.7 } else { 0.55 };
            (symptom.resource.clone().unwrap_or_default(), if is_main { 0.7 } else { beside })
        }
    };
    let (now, was) = (level(symptom, symptom.after), symptom.before.map(|value| level(symptom, value)));
    let was = was.map_or_else(String::new, |was| format!(" (was {was})"));
    // more requests raise the levels, too
    let by_traffic = if main.signal == WhySignal::Traffic && !is_main { 0.5 } else { 1.0 };
    let close = if is_main { 1.0 } else { by_traffic * closeness(symptom.onset, main.onset).max(0.2) };
    // the place, if one has nearly the whole change
    let place = symptom.findings.first().filter(|finding| finding.explained >= 0.7 && finding.score >= 0.4);
    let labels = place.map(|place| place.labels.clone()).unwrap_or_default();
    let at = if labels.is_empty() { String::new() } else { format!(" at {}", named(&labels)) };
    let spread =
        if is_main && symptom.signal == WhySignal::Traffic && place.is_none() && !symptom.labels.is_empty() {
            ", spread over all labels as before"
        } else {
            ""
        };
    let verb = match symptom.signal {
        WhySignal::Targets => "targets up:",
        WhySignal::Traffic => "traffic is",
        WhySignal::Errors | WhySignal::Latency | WhySignal::Saturation => "is",
    };
    let subject =
        if symptom.signal == WhySignal::Saturation { format!("{name}{at} ") } else { String::new() };
    let tail = if symptom.signal == WhySignal::Saturation { "" } else { &*at };
    let since = if is_main { String::new() } else { format!(", first {}", before(symptom.onset, main)) };
    let words = format!("{subject}{verb} {now}{was}{tail}{spread}{since}");
    let cause = named_cause(
        CauseKind::Resource,
        &name,
        symptom.onset,
        symptom.signal,
        score * close * unexplained,
        words,
    );
    let explained = place.map(|place| place.explained);
    Some(Cause {
        labels,
        explained,
        equivalent: place.map(|place| place.equivalent.clone()).unwrap_or_default(),
        ..cause
    })
}

pub(super) fn of_resource(state: &ResourceState, main: &Symptom, unexplained: f64) -> Option<Cause> {
    let is_full = is_ratio(&state.metric) && state.after >= FULL;
    let onset = match state.onset {
        Some(onset) => onset,
        None if is_full => main.onset,
        None => return None,
    };
    let close = if state.onset.is_some() { closeness(onset, main.onset).max(0.2) } else { 0.4 };
    let full = if is_full { 0.15 } else { 0.0 };
    let at = if state.labels.is_empty() { String::new() } else { format!(" at {}", named(&state.labels)) };
    let was =
        state.before.map(|value| format!(" (was {})", amount(&state.metric, value))).unwrap_or_default();
    let since = state.onset.map(|onset| format!(", first {}", before(onset, main))).unwrap_or_default();
    let words = format!("{}{at} is {}{was}{since}", state.name, amount(&state.metric, state.after));
    let cause = named_cause(
        CauseKind::Resource,
        &state.name,
        onset,
        main.signal,
        (0.5 + full) * close * unexplained,
        words,
    );
    Some(Cause { labels: state.labels.clone(), ..cause })
}

pub(super) fn of_other(
    other: &OtherService,
    is_called: bool,
    main: &Symptom,
    unexplained: f64,
) -> Option<Cause> {
    let late = main.onset.checked_add(SEEN_LATE).unwrap_or(main.onset);
    if other.onset > late {
        return None;
    }
    let base = if is_called { 0.4 } else { 0.2 };
    let score = base * closeness(other.onset, main.onset) * unexplained;
    let words = format!(
        "{} fails too: {} of its requests, first {}",
        other.name,
        share(other.after),
        before(other.onset, main)
    );
    Some(named_cause(CauseKind::Service, &other.name, other.onset, main.signal, score, words))
}

/// Alerts of other services, or of none, that fired before the onset.
pub(super) fn of_alerts(context: CauseContext<'_>, main: &Symptom, unexplained: f64) -> Vec<Cause> {
    let onset = main.onset;
    let from = onset.checked_sub(SignedDuration::from_mins(10)).unwrap_or(Timestamp::MIN);
    let is_first = |(alert, service): &&(Arc<Alert>, Option<Text>)| {
        service.as_deref() != Some(context.service)
            && alert.is_active()
            && (from..=onset).contains(&alert.starts_at)
    };
    let cause = |(alert, service): &(Arc<Alert>, Option<Text>)| {
        let name = alert.labels.get("alertname").cloned().unwrap_or_default();
        let whose = service.as_ref().map(|service| format!(" of {service}")).unwrap_or_default();
        let words = format!("alert {name}{whose} fired {}", before(alert.starts_at, main));
        let score = 0.15 * closeness(alert.starts_at, onset) * unexplained;
        let cause = named_cause(CauseKind::Alert, &name, alert.starts_at, main.signal, score, words);
        Cause { labels: alert.labels.clone(), ..cause }
    };
    context.alerts.iter().filter(is_first).map(cause).collect()
}
