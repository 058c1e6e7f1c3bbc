//! Alerts as the person on call thinks of them, whatever system said so.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::fingerprint::Fingerprint;
use super::labels::{Labels, Text};
use super::source::SourceId;
use super::words::words;

words! {
    /// How loud an alert is, normalised from each team's own words. Ordered: the loudest is the smallest.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Severity: word {
        /// Wakes someone.
        Critical = "critical",
        /// Wants a look in working hours.
        Warning = "warning",
        Info = "info",
        /// Says nothing about how bad it is.
        None = "none",
    }
}

/// Which label holds the severity, and which of its values mean what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeverityMap {
    /// Labels to look at, the first that is there counts.
    pub labels: Vec<String>,
    /// Value in lower case -> severity.
    pub values: BTreeMap<String, Severity>,
}

impl SeverityMap {
    /// What these labels mean; a value that the map does not know counts as a warning, so that it is not overlooked.
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
    /// Where an alert stands. Ordered: what wants attention first is the smallest.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum AlertState: word {
        /// Its condition holds and it notifies.
        Firing = "firing",
        /// Its condition holds, but not yet for long enough.
        Pending = "pending",
        /// It fires, but a silence keeps it quiet.
        Silenced = "silenced",
        /// It fires, but another alert keeps it quiet.
        Inhibited = "inhibited",
        /// It fired a moment ago and does not any more.
        Resolved = "resolved",
    }
}

impl fmt::Display for AlertState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One alert, from one source or merged from several.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Identity; the same at every source.
    pub fingerprint: Fingerprint,
    /// All labels, with `alertname`.
    pub labels: Labels,
    /// Summary, description, `runbook_url` and the like.
    pub annotations: Labels,
    pub state: AlertState,
    pub severity: Severity,
    /// When it began to fire (or its condition to hold, while pending).
    pub starts_at: Timestamp,
    /// When the source said so; saying the same again does not count.
    pub updated_at: Timestamp,
    /// When it was first missed; only for [`AlertState::Resolved`].
    pub resolved_at: Option<Timestamp>,
    /// Where the rule can be seen: Prometheus' graph page.
    pub generator_url: Option<Text>,
    /// Who gets it, by Alertmanager's receivers.
    pub receivers: Arc<[Text]>,
    /// The labels by which Alertmanager groups it.
    pub group: Labels,
    /// Ids of the silences that keep it quiet.
    pub silenced_by: Arc<[Text]>,
    /// Fingerprints of the alerts that keep it quiet.
    pub inhibited_by: Arc<[Text]>,
    /// Its Alertmanager does not say what keeps it quiet: whether it is silenced is derived from the silences in force.
    pub is_derived: bool,
    /// The value of its expression, where the source tells.
    pub value: Option<f64>,
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

    /// The value of `alertname`, or a stand-in.
    pub fn name(&self) -> &str {
        self.labels.get("alertname").map_or("(no alertname)", |name| name)
    }

    /// Whether its condition holds or will, and nothing keeps it quiet.
    pub const fn is_active(&self) -> bool {
        matches!(self.state, AlertState::Firing | AlertState::Pending)
    }

    /// One line on what it means: `summary`, else `message`, else `description`, else `title`.
    pub fn summary(&self) -> Option<&Text> {
        ["summary", "message", "description", "title"].into_iter().find_map(|key| self.annotations.get(key))
    }

    pub fn runbook(&self) -> Option<&Text> {
        ["runbook_url", "runbook"].into_iter().find_map(|key| self.annotations.get(key))
    }

    pub fn is_firing(&self) -> bool {
        self.state == AlertState::Firing
    }
}

#[derive(Debug, Clone, Default)]
pub struct AlertBoard {
    /// Each alert once, best in the order of their fingerprints; shared with the merged list.
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
