//! Alerting rules as a Prometheus runs them.

use std::sync::Arc;
use std::time::Duration;

use super::alert::Alert;
use super::labels::{Labels, Text};

#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub name: Text,
    pub group: Text,
    pub expr: Text,
    /// How long the expression must hold before it fires (`for`).
    pub hold: Duration,
    /// How often its group is evaluated, where that is told.
    pub interval: Option<Duration>,
    pub labels: Labels,
    /// Annotations, with their templates filled by nobody.
    pub annotations: Labels,
    /// The comment: why it could not be evaluated, if it could not.
    pub error: Option<Text>,
}

/// A rule, alerting or recording, that could not be evaluated last time: it does not watch, or what it records ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BrokenRule {
    /// The name of its alert or of what it records.
    pub name: Text,
    pub group: Text,
    pub labels: Labels,
    /// The comment: why, in the server's words.
    pub error: Text,
    pub records: bool,
}

impl BrokenRule {
    pub fn sentence(&self) -> String {
        let kind = if self.records { "recording" } else { "alerting" };
        format!("{kind} rule {} (group {}) fails: {}", self.name, self.group, self.error)
    }

    /// The labels that its alerts have at the least.
    pub fn alert_labels(&self) -> Labels {
        let own = self.labels.iter().map(|(name, value)| (name.clone(), value.clone()));
        let name = (!self.records).then(|| ("alertname".into(), self.name.clone()));
        Labels::new(own.chain(name).collect())
    }
}

/// What one source says of its alerting rules.
#[derive(Debug, Clone, Default)]
pub struct RuleBoard {
    /// The rules, in the order of their files and groups.
    pub rules: Vec<Arc<Rule>>,
    /// Alerts that are pending or firing by these rules, with the labels that they have at the Alertmanager.
    pub alerts: Vec<Arc<Alert>>,
    /// Labels that the source adds to alerts on sending (`external_labels`); its own series do not have them.
    pub added: Labels,
    /// Rules that fail, recording ones too.
    pub broken: Vec<BrokenRule>,
}

impl RuleBoard {
    /// Which of its rules fail, in a sentence; `None` if none does.
    pub fn failures(&self) -> Option<String> {
        match self.broken.as_slice() {
            [] => None,
            [rule] => Some(rule.sentence()),
            [rule, others @ ..] => Some(format!("{}; {} more fail", rule.sentence(), others.len())),
        }
    }

    /// The rule that made an alert with these labels: same name, all of the rule's own labels on the alert. Templated
    /// label values (`{{ ... }}`) fit anything; of several the one with the most labels in common.
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
        let board = RuleBoard { rules: vec![rule("page", "a"), rule("ticket", "b")], ..RuleBoard::default() };
        let labels = Labels::from_iter([("alertname", "Burn"), ("severity", "ticket"), ("service", "cart")]);
        assert_eq!(&*board.rule_of(&labels).unwrap().expr, "b");
        assert!(board.rule_of(&Labels::from_iter([("alertname", "Other")])).is_none());
    }
}
