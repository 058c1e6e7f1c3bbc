//! Alerting rules with their alerts, and failing rules.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::call::{PromServer, QuestionRequests};
use super::external_labels::ExternalLabels;
use super::wire::Reader;
use crate::backend::kit::http::is_plain_absence;
use crate::backend::kit::lenient::{LenientList, LenientPairs, LenientText, unreadable_warning, wire};
use crate::backend::kit::time::{Length, Rfc3339OrSeconds};
use crate::model::alert::{Alert, AlertState};
use crate::model::labels::Labels;
use crate::model::rule::{BrokenRule, Rule, RuleSnapshot};
use crate::model::source::{ErrorKind, SourceError};

wire! {
    struct Groups<'a> {
        groups: LenientList<Group<'a>>,
    }

    struct Group<'a> {
        name: LenientText<'a>,
        interval: Length,
        rules: LenientList<WireRule<'a>>,
    }

    #[serde(rename_all = "camelCase")]
    struct WireRule<'a> {
        name: LenientText<'a>,
        query: LenientText<'a>,
        duration: Length,
        labels: LenientPairs<'a>,
        annotations: LenientPairs<'a>,
        health: LenientText<'a>,
        last_error: LenientText<'a>,
        #[serde(rename = "type")]
        kind: LenientText<'a>,
        alerts: LenientList<WireAlert<'a>>,
    }

    #[serde(rename_all = "camelCase")]
    struct WireAlert<'a> {
        labels: LenientPairs<'a>,
        annotations: LenientPairs<'a>,
        state: LenientText<'a>,
        active_at: Rfc3339OrSeconds,
        value: LenientText<'a>,
    }
}

/// Reads all alerting rules.
///
/// # Errors
/// [`ErrorKind::NotOffered`] if the server has no such path, for example Mimir without a ruler.
pub(super) async fn snapshot(call: &QuestionRequests<'_>) -> Result<RuleSnapshot, SourceError> {
    let reported = call.get("api/v1/rules", &[("type", "alert")]).await;
    let body = reported.map_err(|error| {
        // VictoriaMetrics answers 400 to an unknown path
        let (ErrorKind::Refused { status: 404 | 501, message } | ErrorKind::BadQuery { message }) =
            &error.kind
        else {
            return error;
        };
        let why = if is_plain_absence(message) { String::new() } else { format!(" ({message})") };
        SourceError { kind: ErrorKind::NotOffered { what: format!("alerting rules{why}") }, ..error }
    })?;
    let (groups, mut warnings) = call.read_or_empty::<Groups<'_>>(&body)?;
    warnings.extend(unreadable_warning(lost(&groups), "rules and alerts"));
    call.note(warnings);
    Ok(snapshot_of(&groups, call.server))
}

/// The number of groups, rules and alerts that could not be read.
fn lost(groups: &Groups<'_>) -> usize {
    let rules = groups.groups.all.iter().map(|group| &group.rules);
    let of_rules = |rules: &LenientList<WireRule<'_>>| {
        let without_name = rules.all.iter().filter(|rule| rule.name.0.is_empty()).count();
        rules.lost + without_name + rules.all.iter().map(|rule| rule.alerts.lost).sum::<usize>()
    };
    groups.groups.lost + rules.map(of_rules).sum::<usize>()
}

fn snapshot_of(groups: &Groups<'_>, server: &PromServer) -> RuleSnapshot {
    let (reader, external_labels, now) =
        (&server.reader, server.quirks.external_labels(), server.clock.now());
    let mut snapshot = RuleSnapshot { added: external_labels.added(), ..RuleSnapshot::default() };
    let mut seen = BTreeSet::new();
    let mut alerts = BTreeMap::new();
    for group in &groups.groups.all {
        let rules = group.rules.all.iter().filter(|rule| !rule.name.0.is_empty());
        for wire in rules.filter(|rule| rule.kind.0 != "recording") {
            let broken = broken(reader, group, wire, false);
            let rule = Rule {
                name: reader.text(&wire.name.0),
                group: reader.text(&group.name.0),
                expr: reader.text(&wire.query.0),
                hold: wire.duration.0.unwrap_or_default(),
                interval: group.interval.0.filter(|every| !every.is_zero()),
                labels: reader.labels(&wire.labels),
                annotations: reader.labels(&wire.annotations),
                error: broken.as_ref().map(|broken| broken.error.clone()),
            };
            snapshot.broken.extend(broken);
            for alert in &wire.alerts.all {
                let alert = alert_of(alert, &rule, server, &external_labels, now);
                alerts.entry(alert.fingerprint).or_insert(Arc::new(alert));
            }
            // Thanos may list a rule once for each replica of its ruler
            let identity = (rule.group.clone(), rule.name.clone(), rule.expr.clone(), rule.labels.clone());
            if seen.insert(identity) {
                snapshot.rules.push(Arc::new(rule));
            }
        }
    }
    snapshot.alerts = alerts.into_values().collect();
    snapshot.broken.sort();
    snapshot.broken.dedup();
    snapshot
}

/// The rule with the reason why it fails; `None` if the rule is healthy.
fn broken(reader: &Reader, group: &Group<'_>, rule: &WireRule<'_>, records: bool) -> Option<BrokenRule> {
    let error = match (&*rule.health.0, &*rule.last_error.0) {
        ("err" | "error", "") => "the server gives no reason",
        (_, "") => return None,
        (_, error) => error,
    };
    Some(BrokenRule {
        name: reader.text(&rule.name.0),
        group: reader.text(&group.name.0),
        labels: reader.labels(&rule.labels),
        error: reader.text(error),
        records,
    })
}

/// Reads the failing recording rules; empty if the server does not list recording rules.
pub(super) async fn broken_recordings(call: &QuestionRequests<'_>) -> Vec<BrokenRule> {
    let broken = recordings(call, |reader, group, rule| broken(reader, group, rule, true)).await;
    broken.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

/// What `of` makes of recording rules, each with its group; nothing where they are not shown.
pub(super) async fn recordings<T>(
    call: &QuestionRequests<'_>,
    of: impl Fn(&Reader, &Group<'_>, &WireRule<'_>) -> Option<T>,
) -> Vec<T> {
    let Ok(body) = call.get("api/v1/rules", &[("type", "record")]).await else { return Vec::new() };
    let Ok(reported) = call.open::<Groups<'_>>(&body) else { return Vec::new() };
    let all =
        reported.groups.all.iter().flat_map(|group| group.rules.all.iter().map(move |rule| (group, rule)));
    let recording = all.filter(|(_, rule)| rule.kind.0 == "recording");
    recording.filter_map(|(group, rule)| of(&call.server.reader, group, rule)).collect()
}

fn alert_of(
    wire: &WireAlert<'_>,
    rule: &Rule,
    PromServer { reader, severities, id, .. }: &PromServer,
    external_labels: &ExternalLabels,
    now: Timestamp,
) -> Alert {
    let mut labels = reader.labels(&wire.labels);
    if labels.get("alertname").is_none() {
        let named = labels.iter().map(|(name, value)| (name.clone(), value.clone()));
        labels = Labels::new(named.chain([("alertname".into(), rule.name.clone())]).collect());
    }
    let labels = external_labels.apply(&labels);
    let state = if wire.state.0 == "pending" { AlertState::Pending } else { AlertState::Firing };
    // `activeAt` is the time at which the condition became true; Alertmanager's start time is later by the rule's `for`
    let active_at = wire.active_at.0.unwrap_or(now);
    let hold = if state == AlertState::Firing { rule.hold } else { Duration::ZERO };
    let starts_at = active_at.checked_add(hold).unwrap_or(active_at);
    let severity = severities.of(&labels);
    Alert {
        annotations: reader.labels(&wire.annotations),
        state,
        starts_at,
        updated_at: now,
        value: wire.value.number().filter(|value| value.is_finite()),
        ..Alert::new(labels, severity, id.clone())
    }
}

/// A digest of the parts that are displayed; evaluation times are left out, because they change with each answer.
pub(super) fn digest(snapshot: &RuleSnapshot) -> u64 {
    let mut hasher = DefaultHasher::new();
    for rule in &snapshot.rules {
        (&rule.name, &rule.group, &rule.expr, rule.hold, &rule.labels).hash(&mut hasher);
        (&rule.annotations, &rule.error).hash(&mut hasher);
    }
    snapshot.broken.hash(&mut hasher);
    for alert in &snapshot.alerts {
        (&alert.labels, &alert.annotations, alert.state, alert.starts_at).hash(&mut hasher);
        alert.value.map(f64::to_bits).hash(&mut hasher);
    }
    hasher.finish()
}
