//! One page of Grafana's alert rules, as owned values.

use std::time::Duration;

use jiff::Timestamp;

use super::super::wire;
use crate::backend::kit::lenient::{LenientPairs, LenientText};
use crate::model::alert::{Alert, AlertState, SeverityMap};
use crate::model::labels::{Interner, Labels, Text};
use crate::model::source::SourceId;

/// The label that holds the uid of an alert's rule.
pub(in crate::backend::grafana) const RULE_UID: &str = "__alert_rule_uid__";
/// The annotation with which an alert says that it is in an unusual state, such as `Alerting (Error)` or `Recovering`.
const STATE: &str = "grafana_state";

/// One alert rule with the instances that were loaded.
#[derive(Debug, Clone)]
pub(in crate::backend::grafana) struct FoundRule {
    pub(in crate::backend::grafana) uid: Text,
    pub(in crate::backend::grafana) title: Text,
    pub(in crate::backend::grafana) group: Text,
    /// The path of the folder.
    pub(in crate::backend::grafana) folder: Text,
    /// The queries of the rule, joined with ` | `.
    pub(in crate::backend::grafana) query: Text,
    pub(in crate::backend::grafana) hold: Duration,
    pub(in crate::backend::grafana) interval: Option<Duration>,
    pub(in crate::backend::grafana) labels: Labels,
    pub(in crate::backend::grafana) annotations: Labels,
    /// Why its last evaluation gave no result.
    pub(in crate::backend::grafana) failure: Option<Text>,
    pub(in crate::backend::grafana) records: bool,
    pub(in crate::backend::grafana) is_paused: bool,
    /// The contact point that the rule itself names.
    pub(in crate::backend::grafana) receiver: Option<Text>,
    /// The numbers of all its firing (with recovering ones) and pending instances.
    pub(in crate::backend::grafana) firing: u64,
    pub(in crate::backend::grafana) pending: u64,
    /// The number of instances that notify as `DatasourceNoData` or `DatasourceError`.
    pub(in crate::backend::grafana) broken: u64,
    /// The loaded firing and pending instances.
    pub(in crate::backend::grafana) instances: Vec<Alert>,
}

impl FoundRule {
    /// The number of its firing and pending instances.
    pub(super) fn active(&self) -> u64 {
        self.firing + self.pending
    }
}

/// Reads rules for one source.
pub(super) struct RuleReader<'a> {
    pub(super) interner: &'a mut Interner,
    pub(super) severities: &'a SeverityMap,
    pub(super) source: &'a SourceId,
    pub(super) now: Timestamp,
}

impl RuleReader<'_> {
    fn text(&mut self, text: &LenientText<'_>) -> Text {
        self.interner.text(&text.0)
    }

    fn labels(&mut self, pairs: &LenientPairs<'_>) -> Labels {
        let all = pairs.0.iter().map(|(name, value)| (self.text(name), self.text(value)));
        Labels::new(all.collect())
    }

    /// A rule; `None` if it has no name.
    pub(super) fn rule(
        &mut self,
        group: &wire::RuleGroupItem<'_>,
        rule: &wire::AlertRule<'_>,
    ) -> Option<FoundRule> {
        if rule.name.0.is_empty() {
            return None;
        }
        let instances: Vec<Alert> =
            rule.alerts.all.iter().filter_map(|instance| self.instance(rule, instance)).collect();
        let loaded = |state: AlertState| instances.iter().filter(|one| one.state == state).count() as u64;
        let totals = &rule.totals;
        Some(FoundRule {
            uid: self.text(&rule.uid),
            title: self.text(&rule.name),
            group: self.text(&group.name),
            folder: self.text(&group.file),
            query: self.text(&rule.query),
            hold: rule.duration.0.unwrap_or_default(),
            interval: group.interval.0.filter(|every| !every.is_zero()),
            labels: self.labels(&rule.labels),
            annotations: self.labels(&rule.annotations),
            failure: failure(rule).map(|failure| self.interner.text(failure)),
            records: rule.kind.0 == "recording",
            is_paused: rule.is_paused.is_true(),
            receiver: Some(self.text(&rule.notification_settings.receiver)).filter(|name| !name.is_empty()),
            // servers without totals are counted by what they list
            firing: (totals.alerting.0 + totals.recovering.0).max(loaded(AlertState::Firing)),
            pending: totals.pending.0.max(loaded(AlertState::Pending)),
            broken: totals.nodata.0 + totals.error.0,
            instances,
        })
    }

    /// A firing or pending instance; `None` for other states.
    fn instance(&mut self, rule: &wire::AlertRule<'_>, instance: &wire::AlertInstance<'_>) -> Option<Alert> {
        let word = instance.state.0.trim();
        let name = word.split(" (").next().unwrap_or_default();
        let state = match name.to_ascii_lowercase().as_str() {
            // a recovering instance still counts as firing: it notifies until it is normal
            "alerting" | "firing" | "recovering" => AlertState::Firing,
            "pending" => AlertState::Pending,
            _ => return None,
        };
        let mut labels = self.labels(&instance.labels);
        let missing = [("alertname", &rule.name), (RULE_UID, &rule.uid)];
        let missing: Vec<_> = missing
            .into_iter()
            .filter(|(name, value)| labels.get(name).is_none() && !value.0.is_empty())
            .map(|(name, value)| (name, self.text(value)))
            .collect();
        if !missing.is_empty() {
            labels = labels.with(missing);
        }
        let mut annotations = self.labels(&instance.annotations);
        if !matches!(word, "Alerting" | "Pending" | "firing" | "pending") {
            annotations = annotations.with([(STATE, self.interner.text(word))]);
        }
        let at = instance.active_at.0.filter(|at| *at > Timestamp::UNIX_EPOCH).unwrap_or(self.now);
        let severity = self.severities.of(&labels);
        Some(Alert {
            annotations,
            state,
            starts_at: at,
            updated_at: self.now,
            value: value(&instance.value.0),
            ..Alert::new(labels, severity, self.source.clone())
        })
    }
}

/// The value of an instance. A condition's result, 0 or 1, is not the value that somebody would look for.
fn value(text: &str) -> Option<f64> {
    let number: f64 = text.trim().parse().ok()?;
    (number.is_finite() && number != 0.0 && (number - 1.0).abs() > f64::EPSILON).then_some(number)
}

/// Why the last evaluation of a rule gave no result.
fn failure<'r>(rule: &'r wire::AlertRule<'_>) -> Option<&'r str> {
    match (&*rule.health.0, &*rule.last_error.0) {
        ("error" | "err", "") => Some("Grafana gives no reason"),
        ("error" | "err", error) => Some(error),
        ("nodata", _) => Some("its query returns no data"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_of_an_instance_is_a_number_that_is_not_the_result_of_a_condition() {
        for (text, expected) in [
            ("7.3e-02", Some(0.073)),
            ("12", Some(12.0)),
            ("1e+00", None),
            ("0e+00", None),
            ("A: 1e+00, C: 1e+00", None),
            ("[ var='A' labels={} value=5 ]", None),
            ("NaN", None),
            ("", None),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }
}
