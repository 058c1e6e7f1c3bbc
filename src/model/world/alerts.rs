//! Merges the alerts of all sources into one list: each alert once, resolved alerts kept for a while.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::alert::{Alert, AlertState};
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::{Labels, Text};

use super::{AlertTotals, World};

/// How long a resolved alert stays in the list.
const RESOLVED_KEPT: SignedDuration = SignedDuration::from_mins(15);

/// Data about an alert beyond its own fields. The indexes are valid until services or SLOs are added or removed.
#[derive(Debug, Clone)]
pub(super) struct AlertContext {
    /// When it appeared or last changed its state.
    pub(super) changed_at: Timestamp,
    /// The index of its service in the list of services.
    pub(super) service: Option<usize>,
    /// The indexes of its SLOs in the list of SLOs.
    pub(super) slos: Vec<usize>,
}

impl World {
    /// Merges the last answers about alerts. The service and SLOs of an alert are computed once, when it appears or changes its
    /// labels.
    pub(super) fn merge_alerts(&mut self, now: Timestamp) {
        let is_first = self.reported.is_empty();
        let mut watched = BTreeSet::new();
        let mut routed = Vec::with_capacity(self.reported.len());
        for (id, cache) in &self.cache {
            for alert in cache.alerts().value().into_iter().flat_map(|snapshot| &snapshot.alerts) {
                if self.is_watchdog(alert.name()) {
                    watched.insert(id.clone());
                } else {
                    routed.push(Arc::clone(alert));
                }
            }
        }
        let rules = self
            .cache
            .values()
            .filter_map(|cache| cache.rules().value())
            .flat_map(|snapshot| &snapshot.alerts);
        let raised = rules.filter(|alert| !self.is_watchdog(alert.name()));
        let (mut all, matched_alerts) = merged(routed, raised, &self.reported, now);
        self.matched_alerts = matched_alerts;
        let mut before = self.reported.iter().zip(std::mem::take(&mut self.about)).peekable();
        let mut about = Vec::with_capacity(all.len());
        let mut unlinked = Vec::new();
        self.news.clear();
        for (at, alert) in all.iter_mut().enumerate() {
            while before.next_if(|(old, _)| old.fingerprint < alert.fingerprint).is_some() {}
            let Some((old, mut known)) = before.next_if(|(old, _)| old.fingerprint == alert.fingerprint)
            else {
                let changed_at = if is_first { alert.starts_at } else { now };
                about.push(AlertContext { changed_at, service: None, slos: Vec::new() });
                self.news.push(at);
                unlinked.push(at);
                continue;
            };
            if !Arc::ptr_eq(old, alert) && old == alert {
                *alert = Arc::clone(old);
            } else if !Arc::ptr_eq(old, alert) {
                if old.state != alert.state {
                    known.changed_at = now;
                }
                if (old.state, old.starts_at, old.resolved_at)
                    != (alert.state, alert.starts_at, alert.resolved_at)
                {
                    self.news.push(at);
                }
                if old.labels != alert.labels {
                    unlinked.push(at);
                }
            }
            about.push(known);
        }
        drop(before);
        (self.reported, self.about, self.watched) = (all, about, watched);
        (self.alerts, self.optimistically_silenced) = self.shown_alerts();
        self.link_to_services(&unlinked);
        self.link_to_slos(&unlinked);
        self.totals =
            AlertTotals::of(self.alerts.iter().zip(self.about.iter().map(|about| about.changed_at)));
        self.alerts_revision += 1;
    }

    /// Finds the services of all alerts again, after services were added or removed.
    pub(super) fn link_all_to_services(&mut self) {
        let all: Vec<usize> = (0..self.alerts.len()).collect();
        self.link_to_services(&all);
    }

    fn link_to_services(&mut self, alerts: &[usize]) {
        if alerts.is_empty() {
            return;
        }
        let names: Vec<Text> = self.services.iter().map(|service| service.name.clone()).collect();
        for at in alerts {
            if let (Some(alert), Some(about)) = (self.alerts.get(*at), self.about.get_mut(*at)) {
                about.service = self.health_policy.place_of(&self.own_names, &alert.labels, &names);
            }
        }
    }

    /// As [`World::service_of`], for one of [`World::alerts`], with its cached context.
    pub(super) fn service_named<'a>(&'a self, alert: &'a Alert, about: &AlertContext) -> Option<&'a Text> {
        let known = about.service.and_then(|service| self.services.get(service));
        known.map(|service| &service.name).or_else(|| self.service_of(&alert.labels))
    }
}

/// Merges alerts so that each occurs once, sorted by fingerprint.
///
/// `routed` are the alerts of Alertmanagers, `raised` the pending and firing alerts of rules. Equal alerts have equal
/// fingerprints. A raised alert also equals a routed alert with the same name and all of its labels, because labels can be added
/// on the way (`external_labels`); the second result lists the alerts of `before` that were matched this way, with the
/// fingerprint of the match. An alert of `before` that no source reports now is resolved.
fn merged<'a>(
    routed: Vec<Arc<Alert>>,
    raised: impl Iterator<Item = &'a Arc<Alert>>,
    before: &[Arc<Alert>],
    now: Timestamp,
) -> (Vec<Arc<Alert>>, Vec<(Fingerprint, Fingerprint)>) {
    let mut all = deduplicated(routed);
    let keys: Vec<Fingerprint> = all.iter().map(|alert| alert.fingerprint).collect();
    let mut routed_index = RoutedAlertIndex::default();
    let mut left = Vec::new();
    for alert in raised {
        let same = keys.binary_search(&alert.fingerprint).ok().or_else(|| routed_index.of(&all, alert));
        match same.and_then(|at| all.get_mut(at)) {
            Some(kept) => combine(Arc::make_mut(kept), alert),
            None => left.push(Arc::clone(alert)),
        }
    }
    let mut left = deduplicated(left);
    let (mut ended, mut matched_alerts) = (Vec::new(), Vec::new());
    let mut here = keys.into_iter().peekable();
    for old in before {
        while here.next_if(|key| *key < old.fingerprint).is_some() {}
        if here.peek() == Some(&old.fingerprint) {
            continue;
        }
        match routed_index.of(&all, old).and_then(|at| all.get(at)) {
            Some(whole) => matched_alerts.push((old.fingerprint, whole.fingerprint)),
            None => ended.extend(resolved(old, now)),
        }
    }
    drop(here);
    ended.retain(|old: &Arc<Alert>| find(&left, old.fingerprint).is_none());
    left.append(&mut ended);
    if !left.is_empty() {
        all.append(&mut left);
        all.sort_by_key(|alert| alert.fingerprint);
    }
    (all, matched_alerts)
}

fn deduplicated(mut all: Vec<Arc<Alert>>) -> Vec<Arc<Alert>> {
    // the answers are already sorted, so this is fast
    all.sort_by_key(|alert| alert.fingerprint);
    all.dedup_by(|other, kept| {
        let same = other.fingerprint == kept.fingerprint;
        if same {
            combine(Arc::make_mut(kept), other);
        }
        same
    });
    all
}

/// The index of the alert with this fingerprint in a list sorted by fingerprint.
pub(super) fn find(all: &[Arc<Alert>], fingerprint: Fingerprint) -> Option<usize> {
    all.binary_search_by_key(&fingerprint, |alert| alert.fingerprint).ok()
}

/// Finds the routed alert that has all labels of another alert. Builds one map for each alert name and set of label names, with
/// one pass over the alerts.
#[derive(Default)]
struct RoutedAlertIndex(HashMap<(Text, Vec<Text>), HashMap<Labels, usize>>);

impl RoutedAlertIndex {
    fn of(&mut self, all: &[Arc<Alert>], alert: &Alert) -> Option<usize> {
        if !alert.receivers.is_empty() {
            return None;
        }
        let names: Vec<Text> = alert.labels.iter().map(|(name, _)| name.clone()).collect();
        let known = self.0.entry((alert.labels.get("alertname")?.clone(), names)).or_insert_with_key(
            |(name, names)| {
                let routed = all.iter().enumerate().filter(|(_, other)| *other.name() == **name);
                let routed = routed.filter(|(_, other)| !other.receivers.is_empty());
                routed
                    .map(|(at, other)| {
                        (other.labels.without(|label| names.iter().all(|n| **n != *label)), at)
                    })
                    .collect()
            },
        );
        known.get(&alert.labels).copied()
    }
}

/// Adds another source's data about the same alert. An Alertmanager's state takes precedence over a rule's, and among
/// Alertmanagers the later update does.
fn combine(alert: &mut Alert, other: &Alert) {
    let new = other.sources.iter().filter(|id| !alert.sources.contains(id)).cloned().collect::<Vec<_>>();
    alert.sources.extend(new);
    alert.value = alert.value.or(other.value);
    let is_routed = |alert: &Alert| !alert.receivers.is_empty();
    match (is_routed(alert), is_routed(other)) {
        // in a highly available pair one server evaluates a little later
        (false, false) if alert.state != other.state => {
            if alert.state == AlertState::Pending {
                (alert.state, alert.starts_at) = (other.state, other.starts_at);
            }
        }
        (false, false) | (true, true) => alert.starts_at = alert.starts_at.min(other.starts_at),
        // the Alertmanager's start time is exact, also after its Prometheus was restarted
        (true, false) | (false, true) => {}
    }
    // a state reported by the server takes precedence over one derived from its silences
    let word = |alert: &Alert| (!alert.is_derived, alert.updated_at);
    if is_routed(other) && (!is_routed(alert) || word(other) > word(alert)) {
        let starts_at = if is_routed(alert) { alert.starts_at } else { other.starts_at };
        let (value, sources) = (alert.value, alert.sources.clone());
        *alert = Alert { starts_at, value, sources, ..other.clone() };
    }
}

/// The alert as resolved, after its sources stopped reporting it; `None` if it is to be dropped.
fn resolved(old: &Arc<Alert>, now: Timestamp) -> Option<Arc<Alert>> {
    if old.state == AlertState::Pending {
        return None;
    }
    let resolved_at = old.resolved_at.filter(|_| old.state == AlertState::Resolved);
    let Some(at) = resolved_at else {
        let state = AlertState::Resolved;
        return Some(Arc::new(Alert { state, resolved_at: Some(now), ..(**old).clone() }));
    };
    (now.duration_since(at) < RESOLVED_KEPT).then(|| Arc::clone(old))
}
