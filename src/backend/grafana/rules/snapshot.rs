//! The rules of a poll in the form of the model.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::super::Grafana;
use super::super::definitions::RuleDefinitions;
use super::RulePoll;
use super::read::{FoundRule, RULE_UID};
use crate::backend::kit::lenient::unreadable_warning;
use crate::backend::kit::parts::AnswerParts;
use crate::model::alert::Alert;
use crate::model::labels::{Labels, Text};
use crate::model::rule::{BrokenRule, Rule, RuleSnapshot};
use crate::model::warning::Warning;

/// Stands for a label value that the alerts bring: a rule with it matches alerts with any value.
const ANY: &str = "{{ . }}";
/// The names of the alerts that Grafana sends about a rule without a result.
const ABOUT_RULES: [&str; 2] = ["DatasourceNoData", "DatasourceError"];

/// The rules and alerts of a poll; `definitions` has the expressions of those whose definition was read.
pub(super) fn of(poll: &RulePoll, definitions: &RuleDefinitions, source: &Grafana) -> RuleSnapshot {
    let mut snapshot = RuleSnapshot::default();
    let mut alerts: BTreeMap<_, Arc<Alert>> = BTreeMap::new();
    for found in &poll.active {
        for alert in &found.instances {
            let alert = definitions.with_value(alert, found);
            alerts.entry(alert.fingerprint).or_insert_with(|| Arc::new(source.named_alert(alert)));
        }
        snapshot.rules.push(Arc::new(rule(found, definitions, &found.title)));
    }
    snapshot.alerts = alerts.into_values().collect();
    for found in &poll.broken {
        snapshot.broken.extend(broken(found));
        if !poll.active.iter().any(|active| active.uid == found.uid) && !found.records {
            snapshot.rules.push(Arc::new(rule(found, definitions, &found.title)));
        }
        // the alerts about a rule have names of their own, and lead to the same rule
        for name in ABOUT_RULES.iter().filter(|_| !found.records && !found.uid.is_empty()) {
            snapshot.rules.push(Arc::new(rule(found, definitions, &Text::from(*name))));
        }
    }
    snapshot.broken.sort();
    snapshot.broken.dedup();
    snapshot
}

fn rule(found: &FoundRule, definitions: &RuleDefinitions, name: &Text) -> Rule {
    Rule {
        name: name.clone(),
        group: group(found),
        expr: definitions.expression(found),
        hold: found.hold,
        interval: found.interval,
        labels: labels(found),
        annotations: found.annotations.clone(),
        error: found.failure.clone(),
    }
}

/// `Folder / group`, as Grafana shows it.
fn group(found: &FoundRule) -> Text {
    if found.folder.is_empty() {
        found.group.clone()
    } else {
        format!("{} / {}", found.folder, found.group).into()
    }
}

/// The labels that the rule and Grafana add: the series do not have them.
fn labels(found: &FoundRule) -> Labels {
    let internal = found.instances.iter().flat_map(|alert| alert.labels.iter());
    let internal = internal.filter(|(name, _)| Labels::is_internal(name)).map(|(name, _)| name.clone());
    let any = internal.chain(["grafana_folder".into()]).filter(|name| found.labels.get(name).is_none());
    let own = found.labels.iter().map(|(name, value)| (name.clone(), value.clone()));
    let uid = (RULE_UID.into(), found.uid.clone());
    // the last of a repeated name counts
    Labels::new(any.map(|name| (name, Text::from(ANY))).chain(own).chain([uid]).collect())
}

fn broken(found: &FoundRule) -> Option<BrokenRule> {
    Some(BrokenRule {
        name: found.title.clone(),
        group: group(found),
        labels: found.labels.clone(),
        error: found.failure.clone()?,
        records: found.records,
    })
}

/// Adds what was not loaded as warnings.
pub(super) fn warn(poll: &RulePoll, parts: &mut AnswerParts) {
    parts.warnings.extend(unreadable_warning(poll.lost, "rules and alerts"));
    parts.warnings.extend(poll.gaps.iter().map(|gap| Warning::missing(&**gap)));
}

/// A digest of the parts that are displayed.
pub(super) fn digest(snapshot: &RuleSnapshot, warnings: &[Warning]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for rule in &snapshot.rules {
        (&rule.name, &rule.group, &rule.expr, rule.hold, &rule.labels).hash(&mut hasher);
        (&rule.annotations, &rule.error).hash(&mut hasher);
    }
    snapshot.broken.hash(&mut hasher);
    for alert in &snapshot.alerts {
        (&alert.labels, &alert.annotations, alert.state, alert.starts_at, &alert.receivers).hash(&mut hasher);
        alert.value.map(f64::to_bits).hash(&mut hasher);
    }
    warnings.hash(&mut hasher);
    hasher.finish()
}
