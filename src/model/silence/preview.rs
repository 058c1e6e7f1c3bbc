//! What silences would hide of the alerts that are known now, as far as it can be said.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::alert::{Alert, AlertState};
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Labels;
use crate::model::matcher::{Matcher, Operator};

#[derive(Debug, Clone, Default)]
pub struct SilencePreview {
    /// The alerts that they would hide, those that were marked first, then in the order in which they were given.
    pub hidden: Vec<Arc<Alert>>,
    /// How many of them each of the silences would hide.
    pub each: Vec<usize>,
    /// How many of them were not marked.
    pub unmarked: usize,
    /// How many of those that were marked they would not hide.
    pub missed: usize,
    pub all: usize,
    /// A matcher of which it cannot be said here what fulfils it: more may be hidden than is named.
    pub unevaluated: Option<Matcher>,
}

/// Whether a silence would be of any account to an alert: what is over notifies nobody.
pub fn can_be_hidden(alert: &Alert) -> bool {
    alert.state != AlertState::Resolved
}

/// Whether these labels fulfil all matchers; no matchers hide nothing.
pub(super) fn are_fulfilled(matchers: &[Matcher], labels: &Labels) -> bool {
    !matchers.is_empty() && matchers.iter().all(|one| one.matches(labels))
}

/// What silences with these matchers would hide of these alerts.
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

/// The comment: why Alertmanager would not take a silence with these matchers, if it would not. It looks at `=` and `=~` alone when it asks
/// whether all would match the empty text.
pub fn refusal(matchers: &[Matcher]) -> Option<&'static str> {
    if matchers.is_empty() {
        return Some("at least one matcher is needed");
    }
    let matches_nothing = |one: &Matcher| match one.operator() {
        Operator::Equal | Operator::Matches => one.matches_value(""),
        Operator::NotEqual | Operator::MatchesNot => false,
    };
    matchers.iter().all(matches_nothing).then_some("at least one matcher must not match the empty text")
}
