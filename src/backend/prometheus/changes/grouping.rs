//! Joins the facts of all entries: what belongs to one rollout, restarts of several instances, steps of scaling.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::facts::ChangeFact;
use crate::backend::packs::ChangeSign;
use crate::model::change::{Change, ChangeKind, merged};
use crate::model::labels::{Labels, Text};
use crate::model::source::SourceId;
use crate::model::text::counted;

/// Restarts of one service within this time of each other are one change ...
const TOGETHER: SignedDuration = SignedDuration::from_secs(60);
/// ... and a longer chain of them is divided at multiples of this time, so that a later answer divides it in the same way.
const CHAIN: i64 = 300;
/// A start of a process or a reload within this time after a deployment belongs to the deployment; a little before it, because
/// versions are seen late.
const AFTER_ROLLOUT: SignedDuration = SignedDuration::from_mins(5);
const BEFORE_ROLLOUT: SignedDuration = SignedDuration::from_mins(1);

/// The changes that these facts are, in no order.
pub(super) fn changes(facts: Vec<ChangeFact>, source: &SourceId) -> Vec<Change> {
    let mut reports = Vec::new();
    let mut chains: BTreeMap<(Text, Option<Text>), Vec<ChangeFact>> = BTreeMap::new();
    for fact in facts {
        let is_restart = matches!(fact.kind, ChangeKind::Restart | ChangeKind::OutOfMemory);
        if is_restart || fact.kind == ChangeKind::Scale {
            chains.entry((fact.sees.clone(), fact.service.clone())).or_default().push(fact);
        } else {
            reports.push((fact.how, change(&fact)));
        }
    }
    for mut chain in chains.into_values() {
        chain.sort_by(|one, other| (one.at, &one.instance).cmp(&(other.at, &other.instance)));
        for group in divided(&chain) {
            reports.extend(joined(&group));
        }
    }
    let rollouts: Vec<(Option<Text>, Timestamp)> = reports
        .iter()
        .filter(|(_, change)| matches!(change.kind, ChangeKind::Deploy | ChangeKind::Rollback))
        .map(|(_, change)| (change.service.clone(), change.at))
        .collect();
    let restarts: Vec<(Option<Text>, Timestamp)> = reports
        .iter()
        .filter(|(_, change)| matches!(change.kind, ChangeKind::Restart | ChangeKind::OutOfMemory))
        .map(|(_, change)| (change.service.clone(), change.at))
        .collect();
    let is_near = |all: &[(Option<Text>, Timestamp)], change: &Change| {
        all.iter().any(|(service, at)| {
            let after = change.at.duration_since(*at);
            *service == change.service && after >= -BEFORE_ROLLOUT && after <= AFTER_ROLLOUT
        })
    };
    // a rollout starts processes, and a process that starts loads its configuration
    reports.retain(|(how, change)| match (how, change.kind) {
        (ChangeSign::Time, ChangeKind::Config) => !is_near(&rollouts, change) && !is_near(&restarts, change),
        (ChangeSign::Time, _) => !is_near(&rollouts, change),
        (ChangeSign::Label | ChangeSign::Value | ChangeSign::Count | ChangeSign::ReplicaSet, _) => true,
    });
    let mut all = merged(reports.into_iter().map(|(_, change)| change));
    for change in &mut all {
        change.sources = vec![source.clone()];
    }
    all
}

/// The change of one fact; until all are joined, what the entry sees stands for its source.
fn change(fact: &ChangeFact) -> Change {
    let ChangeFact { at, kind, from, to, .. } = fact;
    let title = fact.title.clone().unwrap_or_else(|| kind.title(from.as_deref(), to.as_deref()));
    Change {
        is_about: fact.is_about,
        service: fact.service.clone(),
        labels: fact.labels.clone(),
        from: from.clone(),
        to: to.clone(),
        times: fact.count,
        ..Change::new(*at, *kind, title, SourceId::new(&fact.sees))
    }
}

/// Divides facts that are sorted by time into those that belong together.
fn divided(facts: &[ChangeFact]) -> Vec<Vec<ChangeFact>> {
    let mut groups: Vec<Vec<ChangeFact>> = Vec::new();
    for chain in facts.chunk_by(|one, other| other.at.duration_since(one.at) <= TOGETHER) {
        let length = match chain {
            [first, .., last] => last.at.duration_since(first.at).as_secs(),
            _ => 0,
        };
        if length <= CHAIN {
            groups.push(chain.to_vec());
            continue;
        }
        let slot = |fact: &ChangeFact| fact.at.as_second().div_euclid(CHAIN);
        groups.extend(chain.chunk_by(|one, other| slot(one) == slot(other)).map(<[_]>::to_vec));
    }
    groups
}

/// One change out of facts that belong together.
fn joined(facts: &[ChangeFact]) -> Vec<(ChangeSign, Change)> {
    let (Some(first), Some(last)) = (facts.first(), facts.last()) else { return Vec::new() };
    if first.kind == ChangeKind::Scale {
        if facts.iter().any(|fact| fact.labels != first.labels) {
            return facts.iter().map(|fact| (fact.how, change(fact))).collect();
        }
        if first.from == last.to {
            return Vec::new();
        }
        let ends = [(&first.from, "?"), (&last.to, "?")];
        let [from, to] = ends.map(|(text, unknown)| text.as_deref().unwrap_or(unknown).to_owned());
        let title = if facts.len() == 1 {
            first.title.clone()
        } else {
            Some(format!("scaled {from} -> {to} replicas").into())
        };
        return vec![(first.how, change(&ChangeFact { to: last.to.clone(), title, ..first.clone() }))];
    }
    let count: u32 = facts.iter().map(|fact| fact.count).sum();
    let instances: BTreeSet<&(Text, Text)> = facts.iter().filter_map(|fact| fact.instance.as_ref()).collect();
    let has_oom = facts.iter().any(|fact| fact.kind == ChangeKind::OutOfMemory);
    let kind = if has_oom { ChangeKind::OutOfMemory } else { first.kind };
    let mut title = kind.title(None, None).to_string();
    let noun = instances.first().map_or("instance", |(name, _)| name);
    if count as usize > instances.len().max(1) {
        title = format!("{title} {count} times");
    }
    if instances.len() > 1 {
        title = format!("{title}, {}", counted(instances.len(), noun));
    }
    let mut labels = facts.iter().skip(1).fold(first.labels.clone(), |all, fact| shared(&all, &fact.labels));
    if let (Some((name, value)), 1) = (instances.first(), instances.len()) {
        labels = labels.with([(name.clone(), value.clone())]);
    }
    let whole = ChangeFact { kind, title: Some(title.into()), labels, count, ..first.clone() };
    vec![(first.how, change(&whole))]
}

/// The labels that both have with the same value.
fn shared(one: &Labels, other: &Labels) -> Labels {
    one.without(|name| one.get(name) != other.get(name))
}
