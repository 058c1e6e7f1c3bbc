//! Alerting rules of a Prometheus server.

use std::sync::Arc;
use std::time::Duration;

use super::alert::Alert;
use super::labels::{Labels, Text};

#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub name: Text,
    pub group: Text,
    pub expr: Text,
    /// How long the expression must hold before the alert fires (`for`).
    pub hold: Duration,
    /// The evaluation interval of its group, if reported.
    pub interval: Option<Duration>,
    /// The labels that it adds.
    pub labels: Labels,
    /// The annotations, with unexpanded templates.
    pub annotations: Labels,
    /// The error of its last evaluation; `None` if there was none.
    pub error: Option<Text>,
}

/// An alerting or recording rule whose last evaluation failed: it raises no alerts, or records no series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BrokenRule {
    /// The name of its alert or recorded series.
    pub name: Text,
    pub group: Text,
    /// The labels that it adds.
    pub labels: Labels,
    /// The error message of the server.
    pub error: Text,
    /// Whether it is a recording rule.
    pub records: bool,
}

impl BrokenRule {
    /// The failure as text for users.
    pub fn sentence(&self) -> String {
        let kind = if self.records { "recording" } else { "alerting" };
        format!("{kind} rule {} (group {}) fails: {}", self.name, self.group, self.error)
    }

    /// The labels that its alerts or series certainly have.
    pub fn alert_labels(&self) -> Labels {
        let own = self.labels.iter().map(|(name, value)| (name.clone(), value.clone()));
        let name = (!self.records).then(|| ("alertname".into(), self.name.clone()));
        Labels::new(own.chain(name).collect())
    }
}

/// The alerting rules of one source.
#[derive(Debug, Clone, Default)]
pub struct RuleSnapshot {
    /// The rules, in the order of files and groups.
    pub rules: Vec<Arc<Rule>>,
    /// The pending and firing alerts of these rules, with the labels that they have at the Alertmanager.
    pub alerts: Vec<Arc<Alert>>,
    /// Labels that the source adds when it sends alerts (`external_labels`); its own series do not have them.
    pub added: Labels,
    /// Failing rules, including recording rules.
    pub broken: Vec<BrokenRule>,
}

impl RuleSnapshot {
    /// Which of its rules fail, in a sentence; `None` if none does.
    pub fn failures(&self) -> Option<String> {
        match self.broken.as_slice() {
            [] => None,
            [rule] => Some(rule.sentence()),
            [rule, others @ ..] => Some(format!("{}; {} more fail", rule.sentence(), others.len())),
        }
    }

    /// The rule that created an alert with these labels: it has the alert's name, and the alert has all of its labels. A
    /// templated label value (`{{ ... }}`) matches any value. Of several rules the one with the most common labels is returned.
    pub fn rule_of(&self, labels: &Labels) -> Option<&Arc<Rule>> {
        let fits = |rule: &&Arc<Rule>| {
            labels.value("alertname") == &*rule.name
                && rule
                    .labels
                    .iter()
                    .all(|(name, value)| value.contains("{{") || labels.get(name) == Some(value))
        };
        self.rules.iter().filter(fits).max_by_key(|rule| rule.labels.shared_with(labels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(severity: &str, expr: &str) -> Arc<Rule> {
        Arc::new(Rule {
            name: "Burn".into(),
            group: "g".into(),
            expr: expr.into(),
            hold: Duration::ZERO,
            interval: None,
            labels: Labels::from_iter([("severity", severity)]),
            annotations: Labels::default(),
            error: None,
        })
    }

    #[test]
    fn an_alert_finds_the_rule_that_made_it() {
        let snapshot =
            RuleSnapshot { rules: vec![rule("page", "a"), rule("ticket", "b")], ..RuleSnapshot::default() };
        let labels = Labels::from_iter([("alertname", "Burn"), ("severity", "ticket"), ("service", "cart")]);
        assert_eq!(&*snapshot.rule_of(&labels).unwrap().expr, "b");
        assert!(snapshot.rule_of(&Labels::from_iter([("alertname", "Other")])).is_none());
    }
}
