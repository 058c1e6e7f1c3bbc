//! `burnwatch alerts`: alerts that match, loudest and newest first.

use std::sync::Arc;

use crate::model::alert::{Alert, AlertState};
use crate::model::labels::Labels;
use crate::model::matcher::{self, Matcher, MatcherError};

use super::needs;
use super::report::{Cell, Column, Document, Fact, Layout, List};
use super::view::View;

const COLUMNS: &[Column] = &[
    Column::text("state", "STATE"),
    Column::text("severity", "SEVERITY"),
    Column::text("starts_at", "FOR"),
    Column::text("name", "ALERT"),
    Column::text("service", "SERVICE"),
    Column::hidden("fingerprint"),
    Column::hidden("labels"),
    Column::hidden("annotations"),
    Column::hidden("value"),
    Column::hidden("receivers"),
    Column::hidden("silenced_by"),
    Column::hidden("inhibited_by"),
    Column::hidden("runbook_url"),
    Column::hidden("generator_url"),
    Column::hidden("resolved_at"),
    Column::hidden("sources"),
    Column::text("summary", "SUMMARY"),
];

/// Which alerts are wanted: all matchers hold, and all words occur somewhere.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    matchers: Vec<Matcher>,
    words: Vec<String>,
    /// Also those that keep quiet.
    pub(super) all: bool,
}

impl Filter {
    /// From what stands on the command line: an argument with `=` or `!~` in it is a list of matchers, another one a word.
    ///
    /// # Errors
    /// As [`matcher::parse`].
    pub(super) fn new(arguments: &[String], all: bool) -> Result<Self, MatcherError> {
        let mut filter = Self { all, ..Self::default() };
        for argument in arguments {
            if argument.contains('=') || argument.contains("!~") {
                filter.matchers.extend(matcher::parse(argument)?);
            } else {
                filter.words.extend(argument.split_whitespace().map(str::to_lowercase));
            }
        }
        Ok(filter)
    }

    fn takes(&self, alert: &Alert) -> bool {
        let occurs = |word: &String| {
            let values = alert.labels.iter().map(|(_, value)| &**value);
            let mut texts = values.chain(alert.summary().map(|summary| &**summary));
            texts.any(|text| text.to_lowercase().contains(word))
        };
        (self.all || alert.is_told())
            && self.matchers.iter().all(|matcher| matcher.matches(&alert.labels))
            && self.words.iter().all(occurs)
    }

    /// Whether a thing with these labels and this title is meant, whatever its state.
    pub(super) fn names(&self, labels: &Labels, title: &str) -> bool {
        let occurs = |word: &String| {
            let mut texts = labels.iter().map(|(_, value)| &**value).chain([title]);
            texts.any(|text| text.to_lowercase().contains(word))
        };
        self.matchers.iter().all(|matcher| matcher.matches(labels)) && self.words.iter().all(occurs)
    }
}

/// The alerts that the filter takes, loudest and newest first.
pub(super) fn list(view: &View<'_>, filter: &Filter) -> List {
    let mut alerts: Vec<&Arc<Alert>> =
        view.world.alerts().iter().filter(|alert| filter.takes(alert)).collect();
    alerts.sort_by(|a, b| {
        let loud = |alert: &Alert| (alert.state, alert.severity);
        loud(a).cmp(&loud(b)).then(b.starts_at.cmp(&a.starts_at)).then(a.fingerprint.cmp(&b.fingerprint))
    });
    List {
        key: "alerts",
        title: "Alerts".to_owned(),
        columns: COLUMNS,
        rows: alerts.into_iter().map(|alert| row(view, alert)).collect(),
        empty: "No such alerts are known.",
        layout: Layout::Rows,
    }
}

/// The list as a document, with a count of those that keep quiet.
pub(super) fn document(view: &View<'_>, filter: &Filter) -> Document {
    let mut document = view.document(Vec::new(), vec![list(view, filter)], needs::ALERTS);
    let everything = Filter { all: true, matchers: filter.matchers.clone(), words: filter.words.clone() };
    let quiet = view.world.alerts().iter().filter(|alert| everything.takes(alert) && !filter.takes(alert));
    let mut counts = [(AlertState::Silenced, 0), (AlertState::Inhibited, 0), (AlertState::Resolved, 0)];
    for alert in quiet {
        counts.iter_mut().filter(|(state, _)| *state == alert.state).for_each(|(_, count)| *count += 1);
    }
    let left_out: Vec<_> =
        counts.iter().filter(|(_, n)| *n > 0).map(|(state, n)| format!("{n} {state}")).collect();
    if !left_out.is_empty() {
        document.notes.push(format!("not shown: {} (--all shows them)", left_out.join(", ")));
    }
    document
}

/// How many alerts there are in each state; before any answer that is not zero, but unknown.
pub(super) fn counts(view: &View<'_>) -> Vec<Fact> {
    let is_managed = view.world.sources().any(|(_, held)| held.alerts.at().is_some());
    let is_known = is_managed || view.world.sources().any(|(_, held)| held.rules.at().is_some());
    let count = |state, is_known| {
        let alerts = view.world.alerts().iter().filter(|alert| alert.state == state);
        if is_known { Cell::count(alerts.count()) } else { Cell::Nothing }
    };
    let fact = |key, title, value| Fact { key, title, value };
    vec![
        fact("alerts_firing", "Alerts firing", count(AlertState::Firing, is_known)),
        fact("alerts_pending", "Alerts pending", count(AlertState::Pending, is_known)),
        // a Prometheus alone cannot tell what is kept quiet
        fact("alerts_silenced", "Alerts silenced", count(AlertState::Silenced, is_managed)),
        fact("alerts_inhibited", "Alerts inhibited", count(AlertState::Inhibited, is_managed)),
    ]
}

fn row(view: &View<'_>, alert: &Alert) -> Vec<Cell> {
    let text = |text: Option<&Arc<str>>| text.map_or(Cell::Nothing, |text| Cell::words(text.to_string()));
    let texts = |list: &[Arc<str>]| Cell::Texts(list.iter().map(ToString::to_string).collect());
    vec![
        Cell::Text(alert.state.word().to_owned()),
        Cell::Text(alert.severity.word().to_owned()),
        Cell::Since(alert.starts_at),
        Cell::Text(alert.name().to_owned()),
        text(view.world.service_of(&alert.labels)),
        Cell::Text(alert.fingerprint.to_string()),
        Cell::Labels(alert.labels.clone()),
        Cell::Labels(alert.annotations.clone()),
        Cell::maybe(alert.value, Cell::Number),
        texts(&alert.receivers),
        texts(&alert.silenced_by),
        texts(&alert.inhibited_by),
        text(alert.runbook()),
        text(alert.generator_url.as_ref()),
        alert.resolved_at.map_or(Cell::Nothing, Cell::Since),
        Cell::Texts(alert.sources.iter().map(ToString::to_string).collect()),
        text(alert.summary()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixtures::{alert, am, prom, world};
    use crate::cli::report::table;
    use crate::model::alert::Severity;

    fn names(filter: &[&str], all: bool) -> Vec<String> {
        let alerts = vec![
            alert("Slow", "cart", AlertState::Firing, Severity::Warning, 10),
            alert("Down", "checkout", AlertState::Firing, Severity::Critical, 100),
            alert("Burn", "checkout", AlertState::Firing, Severity::Critical, 5),
            alert("Full", "db", AlertState::Silenced, Severity::Critical, 1),
        ];
        let fixture = world().with_alerts(&am(), alerts);
        let filter: Vec<String> = filter.iter().map(|word| (*word).to_owned()).collect();
        let list = list(&fixture.view(), &Filter::new(&filter, all).unwrap());
        list.rows.iter().map(|row| row[3].shown(fixture.now)).collect()
    }

    #[test]
    fn the_loudest_and_newest_stand_first_and_the_quiet_ones_are_left_out() {
        assert_eq!(names(&[], false), ["Burn", "Down", "Slow"]);
        assert_eq!(names(&[], true), ["Burn", "Down", "Slow", "Full"]);
    }

    #[test]
    fn words_and_matchers_must_all_hold() {
        assert_eq!(names(&["CHECK", "severity=critical"], false), ["Burn", "Down"]);
        assert_eq!(names(&["alertname!~\"D.*\"", "service=checkout"], false), ["Burn"]);
        assert!(names(&["nothing"], true).is_empty());
        assert!(Filter::new(&["a=~\"(\"".to_owned()], false).is_err());
    }

    #[test]
    fn the_quiet_ones_are_counted() {
        let silenced = vec![alert("Full", "db", AlertState::Silenced, Severity::Critical, 1)];
        let fixture = world().with_alerts(&am(), silenced).with_rules(&prom());
        let text = table::render(&document(&fixture.view(), &Filter::default()));
        assert_eq!(text, "No such alerts are known.\n\n! not shown: 1 silenced (--all shows them)\n");
    }
}
