//! Joins label values, changes, dependencies, resources, other services and alerts into one ranking of likely causes.
//!
//! All scores are from 0 to 1; `docs/why.md` lists them with an example. A label value scores as the measure says. Everything
//! else scores by its kind and by how closely it precedes the onset, less whatever a label value already explains.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::sentence::{of_change, of_label};
use super::{LabelFinding, OtherService, ResourceState, Symptom, WhyAnalysis, WhySignal};
use crate::model::alert::Alert;
use crate::model::change::{Change, ChangeKind};
use crate::model::labels::{Labels, Text};
use crate::model::remote::age;
use crate::model::words::words;
use beside::{of_alerts, of_dependency, of_other, of_resource, of_symptom};

mod beside;

words! {
    /// What kind of thing a cause is.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum CauseKind: word {
        /// The value of a label, or of two.
        Label = "label",
        Change = "change",
        /// A service that this one calls.
        Dependency = "dependency",
        Resource = "resource",
        /// Another service that broke at the same time.
        Service = "service",
        /// An alert that fired first.
        Alert = "alert",
    }
}

/// A likely cause.
#[derive(Debug, Clone, PartialEq)]
pub struct Cause {
    pub kind: CauseKind,
    /// The labels with their values, or where the resource is.
    pub labels: Labels,
    /// Other labels that select the same requests.
    pub equivalent: Vec<Labels>,
    /// The name of the dependency, resource, service or alert.
    pub name: Option<Text>,
    /// The changes that belong to it, the most likely first.
    pub changes: Vec<Arc<Change>>,
    /// The signal that it explains.
    pub signal: WhySignal,
    /// Its share of the difference, 0 to 1.
    pub explained: Option<f64>,
    /// Its share of the traffic, 0 to 1.
    pub traffic: Option<f64>,
    /// When it began.
    pub at: Option<Timestamp>,
    /// From 0 to 1; only the order matters.
    pub score: f64,
    pub words: String,
}

/// What is known besides the analysis.
#[derive(Debug, Clone, Copy, Default)]
pub struct CauseContext<'a> {
    pub service: &'a str,
    /// The changes of all services.
    pub changes: &'a [Arc<Change>],
    /// Pending and firing alerts, each with its service.
    pub alerts: &'a [(Arc<Alert>, Option<Text>)],
}

/// Changes up to this long before the onset are considered.
pub const LOOKED_BACK: SignedDuration = SignedDuration::from_mins(60);
/// A change or a failure that was seen up to this long after the onset may still be its cause: both times come from scrapes.
const SEEN_LATE: SignedDuration = SignedDuration::from_secs(20);
/// The closeness of what precedes the onset falls to 1/e within this time.
const CLOSE: f64 = 120.0;
/// How much of the score of everything else a perfect label finding takes away.
const EXPLAINED_AWAY: f64 = 0.85;
/// The smallest score of a cause, and the most causes.
const LEAST: f64 = 0.04;
const MOST: usize = 12;
/// Labels that name a version, so that the version of a deployment could be seen in the requests.
const VERSIONS: [&str; 8] = [
    "version",
    "app_version",
    "app_kubernetes_io_version",
    "service_version",
    "image",
    "release",
    "revision",
    "build",
];

/// The likely causes of what an analysis found, the most likely first; empty if no signal changed.
pub fn causes(analysis: &WhyAnalysis, context: CauseContext<'_>) -> Vec<Cause> {
    let Some(main) = analysis.symptoms.first() else { return Vec::new() };
    let mut causes: Vec<Cause> = Vec::new();
    // where a level changed is told with the resource
    let is_counted =
        |symptom: &&Symptom| !matches!(symptom.signal, WhySignal::Saturation | WhySignal::Targets);
    for symptom in analysis.symptoms.iter().filter(is_counted) {
        let weight = if std::ptr::eq(symptom, main) { 1.0 } else { 0.6 };
        for cause in symptom.findings.iter().map(|finding| of_finding(symptom, finding, weight)) {
            match causes
                .iter_mut()
                .find(|known| known.kind == CauseKind::Label && known.labels == cause.labels)
            {
                Some(known) if known.score >= cause.score => {}
                Some(known) => *known = cause,
                None => causes.push(cause),
            }
        }
    }
    let best = causes.iter().map(|cause| cause.score * cause.explained.unwrap_or(0.0)).fold(0.0, f64::max);
    let unexplained = 1.0 - EXPLAINED_AWAY * best.clamp(0.0, 1.0);
    add_changes(&mut causes, main, context, unexplained);
    causes.extend(analysis.dependencies.iter().filter_map(|state| of_dependency(state, main, unexplained)));
    causes.extend(analysis.symptoms.iter().filter_map(|symptom| of_symptom(symptom, main, unexplained)));
    let is_symptom = |state: &&ResourceState| {
        analysis.symptoms.iter().any(|symptom| symptom.resource.as_deref() == Some(&*state.name))
    };
    let resources = analysis.resources.iter().filter(|state| !is_symptom(state));
    causes.extend(resources.filter_map(|state| of_resource(state, main, unexplained)));
    let calls = |other: &OtherService| analysis.dependencies.iter().any(|state| state.name == other.name);
    let others = analysis.others.iter().filter(|other| *other.name != *context.service);
    causes.extend(others.filter_map(|other| of_other(other, calls(other), main, unexplained)));
    causes.extend(of_alerts(context, main, unexplained));
    causes.retain(|cause| cause.score >= LEAST);
    causes.sort_by(|a, b| {
        b.score.total_cmp(&a.score).then(a.kind.cmp(&b.kind)).then_with(|| a.words.cmp(&b.words))
    });
    drop_repeated(&mut causes, context.alerts);
    causes.truncate(MOST);
    causes
}

/// A dependency that also is another service that broke is one cause; alerts of a service that is one say nothing more.
fn drop_repeated(causes: &mut Vec<Cause>, alerts: &[(Arc<Alert>, Option<Text>)]) {
    let mut seen: Vec<Text> = Vec::new();
    causes.retain(|cause| {
        let is_service = matches!(cause.kind, CauseKind::Dependency | CauseKind::Service);
        let Some(name) = cause.name.clone().filter(|_| is_service) else { return true };
        let is_first = !seen.contains(&name);
        seen.push(name);
        is_first
    });
    causes.retain(|cause| {
        let of_alert =
            alerts.iter().find(|(alert, _)| cause.kind == CauseKind::Alert && alert.labels == cause.labels);
        !of_alert.is_some_and(|(_, service)| service.as_ref().is_some_and(|service| seen.contains(service)))
    });
}

/// 1 at the onset, less the longer before it; 0 if it came clearly later.
fn closeness(at: Timestamp, onset: Timestamp) -> f64 {
    if at > onset {
        return if at.duration_since(onset) <= SEEN_LATE { 0.9 } else { 0.0 };
    }
    (-age(at, onset).as_secs_f64() / CLOSE).exp()
}

fn of_finding(symptom: &Symptom, finding: &LabelFinding, weight: f64) -> Cause {
    Cause {
        kind: CauseKind::Label,
        labels: finding.labels.clone(),
        equivalent: finding.equivalent.clone(),
        name: None,
        changes: Vec::new(),
        signal: symptom.signal,
        explained: Some(finding.explained),
        traffic: Some(finding.traffic),
        at: Some(symptom.onset),
        score: weight * finding.score,
        words: of_label(symptom, finding),
    }
}

/// Whether a change made or hit the requests with one of these labels: its version, its pod or its place.
fn hits(change: &Change, labels: &Labels) -> bool {
    match change.kind {
        ChangeKind::Deploy | ChangeKind::Rollback => {
            let version = change.to.as_ref().or_else(|| change.labels.get("version"));
            labels.iter().any(|(_, value)| Some(value) == version)
        }
        ChangeKind::Restart | ChangeKind::OutOfMemory => ["pod", "instance"].iter().any(|name| {
            let Some(pod) = labels.get(name) else { return false };
            // crashes of several pods name none of them: the one with the failures is likely among them
            change.labels.get(name).is_none_or(|crashed| crashed == pod)
        }),
        ChangeKind::Scale | ChangeKind::Config | ChangeKind::Flag | ChangeKind::Other => {
            let place = change.labels.without(|name| labels.get(name).is_none());
            !place.is_empty() && place.is_within(labels)
        }
    }
}

/// Adds each change to the label finding that it belongs to, else as a cause of its own.
fn add_changes(causes: &mut Vec<Cause>, main: &Symptom, context: CauseContext<'_>, unexplained: f64) {
    let onset = main.onset;
    let from = onset.checked_sub(LOOKED_BACK).unwrap_or(Timestamp::MIN);
    let mut near: Vec<&Arc<Change>> = context
        .changes
        .iter()
        .filter(|change| {
            // a process that crashes keeps crashing
            let is_crash = matches!(change.kind, ChangeKind::Restart | ChangeKind::OutOfMemory);
            let until = if is_crash { main.bad.end } else { onset.checked_add(SEEN_LATE).unwrap_or(onset) };
            let is_ours = change.service.is_none() || change.is_of(context.service);
            is_ours && (from..=until).contains(&change.at)
        })
        .collect();
    near.sort_by_key(|change| (change.at > onset, age(change.at.min(onset), onset), change.id.clone()));
    let has_version = main.labels.iter().any(|label| VERSIONS.contains(&&**label));
    let mut own: Vec<Cause> = Vec::new();
    for change in near {
        let is_crash = matches!(change.kind, ChangeKind::Restart | ChangeKind::OutOfMemory);
        let close = if is_crash && change.at > onset { 0.9 } else { closeness(change.at, onset) };
        let is_of = |cause: &&mut Cause| {
            std::iter::once(&cause.labels).chain(&cause.equivalent).any(|labels| hits(change, labels))
        };
        if let Some(cause) = causes.iter_mut().find(is_of) {
            if cause.changes.is_empty() {
                cause.score = (cause.score + 0.2 * close).min(1.0);
                cause.words =
                    format!("{}; {} {}", cause.words, of_change(change, onset), main.signal.began());
            }
            cause.changes.push(Arc::clone(change));
            continue;
        }
        let known = match change.kind {
            // the failures are not those of its version, as far as that can be seen
            ChangeKind::Deploy | ChangeKind::Rollback if has_version => 0.25,
            ChangeKind::Deploy | ChangeKind::Rollback => 0.6,
            ChangeKind::Config | ChangeKind::Flag => 0.65,
            ChangeKind::Restart | ChangeKind::OutOfMemory => 0.45,
            ChangeKind::Scale => 0.3,
            ChangeKind::Other => 0.4,
        };
        // what a service does to itself seldom brings it other requests
        let known = if main.signal == WhySignal::Traffic { 0.5 * known } else { known };
        let theirs = if change.service.is_some() { 1.0 } else { 0.5 };
        let score = known * theirs * close * unexplained;
        // several crashes are one cause
        let same = |cause: &&mut Cause| {
            is_crash && cause.changes.first().is_some_and(|first| first.kind == change.kind)
        };
        if let Some(cause) = own.iter_mut().find(same) {
            cause.changes.push(Arc::clone(change));
            continue;
        }
        own.push(Cause {
            kind: CauseKind::Change,
            labels: change.labels.clone(),
            equivalent: Vec::new(),
            name: None,
            changes: vec![Arc::clone(change)],
            signal: main.signal,
            explained: None,
            traffic: None,
            at: Some(change.at),
            score,
            words: format!("{} {}", of_change(change, onset), main.signal.began()),
        });
    }
    causes.extend(own);
}

#[cfg(test)]
mod tests;
