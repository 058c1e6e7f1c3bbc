//! `burnwatch alerts`: the alerts that match a filter, sorted by state, severity and start, the newest first.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use crate::app::filter::{self, Haystack};
use crate::app::list_filter::passing;
use crate::app::screens::alerts::columns::{AlertItem, COLUMNS};
use crate::app::subjects::alert::haystack_of;
use crate::model::alert::{Alert, AlertState};
use crate::model::labels::Labels;

use super::needs;
use super::report::{Fact, ReportDocument, ReportList};
use super::view::WorldView;

/// A filter of alerts or incidents: all label matchers and comparisons must hold, and all words must occur in a label value,
/// the state, the severity or the title.
#[derive(Debug, Default)]
pub(super) struct AlertFilter {
    conditions: filter::Filter,
    words: Vec<String>,
    /// Also silenced, inhibited and resolved alerts, or resolved incidents (`--all`).
    pub(super) all: bool,
}

impl AlertFilter {
    /// From the arguments of the command line: one with `=` or `!~` is a list of matchers, one with `>` or `<` is a comparison
    /// (`age>1h`), and any other is a word.
    ///
    /// # Errors
    /// The message for a matcher or a comparison that cannot be parsed.
    pub(super) fn new(arguments: &[String], all: bool) -> Result<Self, String> {
        let mut filter = Self { all, ..Self::default() };
        for argument in arguments {
            if argument.contains(['=', '<', '>']) || argument.contains("!~") {
                filter.conditions.add(argument)?;
            } else {
                filter.words.extend(argument.split_whitespace().map(str::to_lowercase));
            }
        }
        Ok(filter)
    }

    /// The items that match, and a message if a condition names a field that no item has. `haystack` has a row for each item;
    /// `texts` are those in which the words are looked for, whatever the case of letters.
    pub(super) fn matching<'v, T>(
        &self,
        all: &'v [T],
        mut haystack: Haystack,
        texts: impl Fn(&T) -> Vec<String>,
    ) -> (Vec<&'v T>, Option<String>) {
        let unknown = haystack.unknown(&self.conditions);
        let passes = haystack.select(&self.conditions);
        let has_all_words = |item: &&'v T| {
            let texts = if self.words.is_empty() { Vec::new() } else { texts(item) };
            let texts: Vec<String> = texts.iter().map(|text| text.to_lowercase()).collect();
            self.words.iter().all(|word| texts.iter().any(|text| text.contains(word)))
        };
        (passing(all, Some(&passes)).filter(has_all_words).collect(), unknown)
    }
}

/// The alerts that match the filter, sorted by state, severity and start. The notes count the silenced, inhibited and resolved
/// alerts that are not shown, and name an unknown label of the filter.
pub(super) fn list(view: &WorldView<'_>, filter: &AlertFilter) -> (ReportList, Vec<String>) {
    let haystack = haystack_of(view.world.alerts_with_services(), view.now);
    let (mut alerts, unknown) = filter.matching(view.world.alerts(), haystack, |alert| {
        let own = [alert.state.word(), alert.severity.word()];
        let values = alert.labels.iter().map(|(_, value)| &**value);
        values.chain(own).chain(alert.summary().map(|summary| &**summary)).map(str::to_owned).collect()
    });
    alerts.sort_by_key(|alert| (alert.state, alert.severity, Reverse(alert.starts_at), alert.fingerprint));
    let mut counts = [(AlertState::Silenced, 0), (AlertState::Inhibited, 0), (AlertState::Resolved, 0)];
    alerts.retain(|alert| {
        let is_shown = filter.all || alert.is_active();
        let its = counts.iter_mut().filter(|(state, _)| !is_shown && *state == alert.state);
        its.for_each(|(_, count)| *count += 1);
        is_shown
    });
    let left_out: Vec<_> =
        counts.iter().filter(|(_, n)| *n > 0).map(|(state, n)| format!("{n} {state}")).collect();
    let left_out = left_out.join(", ");
    let left_out = (!left_out.is_empty()).then(|| format!("not shown: {left_out} (--all shows them)"));
    let items = alerts.iter().zip(distinguishing(view, &alerts)).map(|(alert, distinguishing)| {
        let service = view.world.service_of(&alert.labels);
        AlertItem { alert, service, distinguishing }
    });
    let list = ReportList::of(("alerts", "Alerts", "No matching alerts found."), COLUMNS, items);
    (list, left_out.into_iter().chain(unknown).collect())
}

/// The list as a document with its notes.
pub(super) fn document(view: &WorldView<'_>, filter: &AlertFilter) -> ReportDocument {
    let (list, notes) = list(view, filter);
    let mut document = view.document(Vec::new(), vec![list], needs::ALERTS);
    document.notes.extend(notes);
    document
}

/// How many alerts are in each state.
pub(super) fn counts(view: &WorldView<'_>) -> impl Iterator<Item = Fact> {
    let is_managed = view.world.sources().any(|(_, cache)| cache.alerts().at.is_some());
    let is_known = is_managed || view.world.sources().any(|(_, cache)| cache.rules().at.is_some());
    // silences and inhibitions are known to the Alertmanager, not to Prometheus
    let states = [
        (AlertState::Firing, is_known),
        (AlertState::Pending, is_known),
        (AlertState::Silenced, is_managed),
        (AlertState::Inhibited, is_managed),
    ];
    states.into_iter().map(|(state, is_known)| {
        let count = view.world.totals().in_state(state);
        Fact::count(format!("alerts_{state}"), format!("Alerts {state}"), is_known, count)
    })
}

/// For each alert the labels that differ from other alerts of the same name and service; nothing for an alert that is alone.
fn distinguishing(view: &WorldView<'_>, alerts: &[&Arc<Alert>]) -> Vec<Labels> {
    let of = |alert: &Arc<Alert>| (alert.name().to_owned(), view.world.service_of(&alert.labels).cloned());
    let mut common: HashMap<_, (usize, Labels)> = HashMap::new();
    for alert in alerts {
        let (count, labels) = common.entry(of(alert)).or_insert_with(|| (0, alert.labels.clone()));
        *count += 1;
        if !labels.is_within(&alert.labels) {
            *labels = labels.without(|name| alert.labels.get(name) != labels.get(name));
        }
    }
    let own = |alert: &&Arc<Alert>| match common.get(&of(alert)) {
        Some((2.., common)) => alert.labels.without(|name| name == "severity" || common.get(name).is_some()),
        _ => Labels::default(),
    };
    alerts.iter().map(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixtures::{alert, am, prom, world};
    use crate::cli::report::table;
    use crate::model::alert::Severity;

    fn contains_all_words(filter: &[&str], all: bool) -> Vec<String> {
        let alerts = vec![
            alert("Slow", "cart", AlertState::Firing, Severity::Warning, 10),
            alert("Down", "checkout", AlertState::Firing, Severity::Critical, 100),
            alert("Burn", "checkout", AlertState::Firing, Severity::Critical, 5),
            alert("Full", "db", AlertState::Silenced, Severity::Critical, 1),
        ];
        let fixture = world().with_alerts(&am(), alerts);
        let filter: Vec<String> = filter.iter().map(|word| (*word).to_owned()).collect();
        let list = list(&fixture.view(), &AlertFilter::new(&filter, all).unwrap());
        list.0.rows.iter().map(|row| row[3].shown(fixture.now)).collect()
    }

    #[test]
    fn the_loudest_and_newest_stand_first_and_the_quiet_ones_are_left_out() {
        assert_eq!(contains_all_words(&[], false), ["Burn", "Down", "Slow"]);
        assert_eq!(contains_all_words(&[], true), ["Burn", "Down", "Slow", "Full"]);
    }

    #[test]
    fn words_and_matchers_must_all_hold() {
        assert_eq!(contains_all_words(&["CHECK", "severity=critical"], false), ["Burn", "Down"]);
        assert_eq!(contains_all_words(&["alertname!~\"D.*\"", "service=checkout"], false), ["Burn"]);
        assert!(contains_all_words(&["nothing"], true).is_empty());
        assert_eq!(contains_all_words(&["state=firing", "age>50s"], true), ["Down"]);
        assert_eq!(contains_all_words(&["silenced"], true), ["Full"]);
        assert_eq!(contains_all_words(&["silenced=true"], true), ["Full"]);
        assert_eq!(contains_all_words(&["critical", "state!=firing"], true), ["Full"]);
        assert!(AlertFilter::new(&["a=~\"(\"".to_owned()], false).is_err());
    }

    #[test]
    fn a_label_that_no_alert_has_is_named_with_those_that_there_are() {
        let alerts = vec![alert("Slow", "cart", AlertState::Firing, Severity::Warning, 10)];
        let fixture = world().with_alerts(&am(), alerts).with_rules(&prom());
        let filter = AlertFilter::new(&["sevrity=critical".to_owned()], false).unwrap();
        let notes = document(&fixture.view(), &filter).notes;
        assert!(notes[0].starts_with("no row has sevrity, did you mean severity?"), "{notes:?}");
        assert!(notes[0].contains("alertname") && notes[0].contains("with > and <: age"), "{notes:?}");
        assert!(AlertFilter::new(&["age>soon".to_owned()], false).is_err());
    }

    #[test]
    fn alerts_of_one_name_and_service_are_told_apart_by_their_labels() {
        let of = |instance: &str| {
            let mut alert = (*alert("Full", "db", AlertState::Firing, Severity::Critical, 5)).clone();
            let labels = alert.labels.iter().map(|(name, value)| (name.clone(), value.clone()));
            alert.labels = Labels::new(labels.chain([("instance".into(), instance.into())]).collect());
            alert.fingerprint = crate::model::fingerprint::Fingerprint::of(&alert.labels);
            Arc::new(alert)
        };
        let other = alert("Slow", "cart", AlertState::Firing, Severity::Warning, 10);
        let fixture = world().with_alerts(&am(), vec![of("a"), of("b"), other.clone()]).with_rules(&prom());
        let text = table::render(&document(&fixture.view(), &AlertFilter::default()));
        assert!(text.contains(r#"instance="a""#) && text.contains(r#"instance="b""#), "{text}");
        let fixture = world().with_alerts(&am(), vec![of("a"), other]).with_rules(&prom());
        assert!(!table::render(&document(&fixture.view(), &AlertFilter::default())).contains("LABELS"));
    }

    #[test]
    fn the_quiet_ones_are_counted() {
        let silenced = vec![alert("Full", "db", AlertState::Silenced, Severity::Critical, 1)];
        let fixture = world().with_alerts(&am(), silenced).with_rules(&prom());
        let text = table::render(&document(&fixture.view(), &AlertFilter::default()));
        assert_eq!(text, "No matching alerts found.\n\n! not shown: 1 silenced (--all shows them)\n");
    }
}
