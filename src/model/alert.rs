//! Alerts, independent of the monitoring system that reports them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::fingerprint::Fingerprint;
use super::labels::{Labels, Text};
use super::source::SourceId;
use super::words::words;

words! {
    /// The severity of an alert, normalised from the teams' own labels. Ordered: the most severe is the smallest.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Severity: word {
        /// Pages someone.
        Critical = "critical",
        /// Needs a look in working hours.
        Warning = "warning",
        Info = "info",
        /// Has no severity.
        None = "none",
    }
}

/// The labels that can hold the severity, and the meaning of their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeverityMap {
    /// Label names in order of precedence.
    pub labels: Vec<String>,
    /// Label value in lower case -> severity.
    pub values: BTreeMap<String, Severity>,
}

impl SeverityMap {
    /// The severity for these labels. An unknown value counts as a warning, so that it is not overlooked.
    pub fn of(&self, labels: &Labels) -> Severity {
        let Some(value) = self.labels.iter().find_map(|name| labels.get(name)) else {
            return Severity::None;
        };
        self.values.get(&value.to_lowercase()).copied().unwrap_or(Severity::Warning)
    }
}

impl Default for SeverityMap {
    fn default() -> Self {
        let values = [
            (Severity::Critical, &["critical", "page", "emergency", "fatal", "error", "p1", "sev1"][..]),
            (Severity::Warning, &["warning", "warn", "ticket", "major", "minor", "p2", "p3", "sev2", "sev3"]),
            (Severity::Info, &["info", "information", "informational", "notice", "p4", "p5", "sev4"]),
            (Severity::None, &["none", ""]),
        ];
        let values = values
            .into_iter()
            .flat_map(|(s, words)| words.iter().map(move |w| ((*w).to_owned(), s)))
            .collect();
        Self { labels: vec!["severity".into(), "priority".into(), "sloth_severity".into()], values }
    }
}

words! {
    /// The state of an alert. Ordered: the most urgent is the smallest.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum AlertState: word {
        /// The condition holds and notifications are sent.
        Firing = "firing",
        /// The condition holds, but not for the rule's `for` duration yet.
        Pending = "pending",
        /// Firing, but silenced.
        Silenced = "silenced",
        /// Firing, but inhibited by another alert.
        Inhibited = "inhibited",
        /// Fired recently, but not now.
        Resolved = "resolved",
    }
}

impl fmt::Display for AlertState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// An alert, from one source or merged from several.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Computed from the labels; the same at every source.
    pub fingerprint: Fingerprint,
    /// All labels, including `alertname`.
    pub labels: Labels,
    /// Annotations such as summary, description and `runbook_url`.
    pub annotations: Labels,
    pub state: AlertState,
    /// The normalised severity.
    pub severity: Severity,
    /// When it started to fire; while pending, when its condition started to hold.
    pub starts_at: Timestamp,
    /// When the source last changed its report of the alert.
    pub updated_at: Timestamp,
    /// When a source first stopped reporting it; only for [`AlertState::Resolved`].
    pub resolved_at: Option<Timestamp>,
    /// The URL of the rule's expression in Prometheus.
    pub generator_url: Option<Text>,
    /// The Alertmanager receivers that it is routed to; empty if it comes from rules.
    pub receivers: Arc<[Text]>,
    /// The labels by which Alertmanager groups it.
    pub group: Labels,
    /// The ids of the silences that match it.
    pub silenced_by: Arc<[Text]>,
    /// The fingerprints of the alerts that inhibit it.
    pub inhibited_by: Arc<[Text]>,
    /// Whether burnwatch derived the silenced state from the active silences, because the Alertmanager does not report it.
    pub is_derived: bool,
    /// The value of its expression, if the source reports it.
    pub value: Option<f64>,
    /// The sources that report it.
    pub sources: Vec<SourceId>,
}

impl Alert {
    /// A firing alert of which its source says no more than this; its times are 1970 until they are set.
    pub fn new(labels: Labels, severity: Severity, source: SourceId) -> Self {
        Self {
            fingerprint: Fingerprint::of(&labels),
            labels,
            annotations: Labels::default(),
            state: AlertState::Firing,
            severity,
            starts_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            resolved_at: None,
            generator_url: None,
            receivers: Arc::from([]),
            group: Labels::default(),
            silenced_by: Arc::from([]),
            inhibited_by: Arc::from([]),
            is_derived: false,
            value: None,
            sources: vec![source],
        }
    }

    /// The value of `alertname`, or `(no alertname)`.
    pub fn name(&self) -> &str {
        self.labels.get("alertname").map_or("(no alertname)", |name| name)
    }

    /// Whether it is firing or pending, so neither silenced, inhibited nor resolved.
    pub const fn is_active(&self) -> bool {
        matches!(self.state, AlertState::Firing | AlertState::Pending)
    }

    /// A one-line description: `summary`, else `message`, else `description`, else `title`.
    pub fn summary(&self) -> Option<&Text> {
        ["summary", "message", "description", "title"].into_iter().find_map(|key| self.annotations.get(key))
    }

    /// The URL of its runbook.
    pub fn runbook(&self) -> Option<&Text> {
        ["runbook_url", "runbook"].into_iter().find_map(|key| self.annotations.get(key))
    }

    /// Whether it is firing and neither silenced nor inhibited.
    pub fn is_firing(&self) -> bool {
        self.state == AlertState::Firing
    }
}

/// The alerts of one source.
#[derive(Debug, Clone, Default)]
pub struct AlertSnapshot {
    /// Each alert once, preferably sorted by fingerprint; shared with the merged list.
    pub alerts: Vec<Arc<Alert>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_of_many_teams_become_four() {
        let map = SeverityMap::default();
        for (labels, severity) in [
            (vec![("severity", "page")], Severity::Critical),
            (vec![("severity", "Critical")], Severity::Critical),
            (vec![("severity", "ticket")], Severity::Warning),
            (vec![("severity", "purple")], Severity::Warning),
            (vec![("priority", "P4")], Severity::Info),
            (vec![("severity", "none")], Severity::None),
            (vec![], Severity::None),
        ] {
            assert_eq!(map.of(&Labels::from_iter(labels.clone())), severity, "{labels:?}");
        }
    }
}
