//! Computes which of the known alerts silences would match.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::alert::{Alert, AlertState};
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Labels;
use crate::model::matcher::{Matcher, Operator};

/// The alerts that silences would match now.
#[derive(Debug, Clone, Default)]
pub struct SilencePreview {
    /// The matching alerts: the marked ones first, then in the given order.
    pub hidden: Vec<Arc<Alert>>,
    /// How many of them each silence matches.
    pub each: Vec<usize>,
    /// How many of them are not marked.
    pub unmarked: usize,
    /// How many marked alerts no silence matches.
    pub missed: usize,
    /// The number of all alerts.
    pub all: usize,
    /// A matcher that burnwatch cannot evaluate: the silences may match more alerts.
    pub unevaluated: Option<Matcher>,
}

/// Whether a silence has an effect on an alert: not if it is resolved, because it sends no notifications.
pub fn can_be_hidden(alert: &Alert) -> bool {
    alert.state != AlertState::Resolved
}

/// Whether these labels fulfil all matchers; false if there are none.
pub(super) fn are_fulfilled(matchers: &[Matcher], labels: &Labels) -> bool {
    !matchers.is_empty() && matchers.iter().all(|one| one.matches(labels))
}

/// Computes which of these alerts silences with these matchers would match.
pub fn preview<'m, 'a>(
    silences: impl IntoIterator<Item = &'m [Matcher]>,
    alerts: impl Iterator<Item = &'a Arc<Alert>>,
    marked: &BTreeSet<Fingerprint>,
) -> SilencePreview {
    let silences: Vec<&[Matcher]> = silences.into_iter().collect();
    let unevaluated = silences.iter().copied().flatten().find(|one| !one.can_be_evaluated());
    let mut found = SilencePreview {
        each: vec![0; silences.len()],
        unevaluated: unevaluated.cloned(),
        ..SilencePreview::default()
    };
    let mut others = Vec::new();
    for alert in alerts.filter(|alert| can_be_hidden(alert)) {
        found.all += 1;
        let mut is_hidden = false;
        for (matchers, count) in silences.iter().zip(&mut found.each) {
            if are_fulfilled(matchers, &alert.labels) {
                is_hidden = true;
                *count += 1;
            }
        }
        match (is_hidden, marked.contains(&alert.fingerprint)) {
            (true, true) => found.hidden.push(Arc::clone(alert)),
            (true, false) => others.push(Arc::clone(alert)),
            (false, true) => found.missed += 1,
            (false, false) => {}
        }
    }
    found.unmarked = others.len();
    found.hidden.extend(others);
    found
}

/// Why Alertmanager would reject a silence with these matchers; `None` if it would accept it. Like Alertmanager, only considers
/// `=` and `=~` when it checks whether all matchers match the empty string.
pub fn refusal(matchers: &[Matcher]) -> Option<&'static str> {
    if matchers.is_empty() {
        return Some("at least one matcher is needed");
    }
    let matches_nothing = |one: &Matcher| match one.operator() {
        Operator::Equal | Operator::Matches => one.matches_value(""),
        Operator::NotEqual | Operator::MatchesNot => false,
    };
    matchers.iter().all(matches_nothing).then_some("at least one matcher must not match the empty string")
}
