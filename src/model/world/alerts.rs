//! One list of alerts out of what many sources say: each alert once, those that ended kept for a while.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::alert::{Alert, AlertState};
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::{Labels, Text};

/// How long a resolved alert stays in the list.
const RESOLVED_KEPT: SignedDuration = SignedDuration::from_mins(15);

/// Each alert once, in the order of their fingerprints.
///
/// `routed` are those that an Alertmanager told, `raised` those that rules hold pending or firing. The same alert is known
/// by its fingerprint; a raised one also by a routed one of its name that has all of its labels, since labels are added on
/// the way (`external_labels`). What was in `before` and is in neither has been resolved.
pub(super) fn merged<'a>(
    routed: impl Iterator<Item = &'a Arc<Alert>>,
    raised: impl Iterator<Item = &'a Arc<Alert>>,
    before: &[Arc<Alert>],
    now: Timestamp,
) -> Vec<Arc<Alert>> {
    let mut all = once(routed.cloned().collect());
    let mut carriers = Carriers::default();
    let mut left = Vec::new();
    for alert in raised {
        let same = find(&all, alert.fingerprint).or_else(|| carriers.of(&all, alert));
        match same.and_then(|at| all.get_mut(at)) {
            Some(kept) => join(Arc::make_mut(kept), alert),
            None => left.push(Arc::clone(alert)),
        }
    }
    let ended =
        before.iter().filter(|old| find(&all, old.fingerprint).is_none() && carriers.of(&all, old).is_none());
    let ended: Vec<Arc<Alert>> = ended.filter_map(|old| resolved(old, now)).collect();
    let raised: HashSet<Fingerprint> = left.iter().map(|alert| alert.fingerprint).collect();
    left.extend(ended.into_iter().filter(|old| !raised.contains(&old.fingerprint)));
    all.extend(left);
    once(all)
}

fn once(mut all: Vec<Arc<Alert>>) -> Vec<Arc<Alert>> {
    all.sort_by_key(|alert| alert.fingerprint);
    all.dedup_by(|other, kept| {
        let same = other.fingerprint == kept.fingerprint;
        if same {
            join(Arc::make_mut(kept), other);
        }
        same
    });
    all
}

/// Where the alert with this identity is in a merged list.
pub(super) fn find(all: &[Arc<Alert>], fingerprint: Fingerprint) -> Option<usize> {
    all.binary_search_by_key(&fingerprint, |alert| alert.fingerprint).ok()
}

/// Finds the routed alert that carries all labels of another one. For each name of an alert and set of label names there is
/// one look over all alerts of that name.
#[derive(Default)]
struct Carriers(HashMap<(Text, Vec<Text>), HashMap<Labels, usize>>);

impl Carriers {
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

/// Adds what another source says of the same alert: an Alertmanager knows more of its state than a rule, and of two the later
/// word counts.
fn join(alert: &mut Alert, other: &Alert) {
    let new = other.sources.iter().filter(|id| !alert.sources.contains(id)).cloned().collect::<Vec<_>>();
    alert.sources.extend(new);
    alert.value = alert.value.or(other.value);
    let is_routed = |alert: &Alert| !alert.receivers.is_empty();
    // a rule counts from when its condition began to hold, an Alertmanager from when the alert fired
    if is_routed(alert) == is_routed(other) {
        alert.starts_at = alert.starts_at.min(other.starts_at);
    }
    if is_routed(other) && (!is_routed(alert) || other.updated_at > alert.updated_at) {
        let starts_at = if is_routed(alert) { alert.starts_at } else { other.starts_at };
        let (value, sources) = (alert.value, alert.sources.clone());
        *alert = Alert { starts_at, value, sources, ..other.clone() };
    }
}

/// What becomes of an alert that its sources do not name any more; `None` once it is to be forgotten.
fn resolved(old: &Arc<Alert>, now: Timestamp) -> Option<Arc<Alert>> {
    match (old.state, old.resolved_at) {
        (AlertState::Pending, _) => None,
        (AlertState::Resolved, Some(at)) => (now.duration_since(at) < RESOLVED_KEPT).then(|| Arc::clone(old)),
        _ => Some(Arc::new(Alert { state: AlertState::Resolved, resolved_at: Some(now), ..(**old).clone() })),
    }
}
