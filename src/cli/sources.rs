//! `burnwatch sources`: the state of each source and the age of its data.

use crate::app::screens::sources::columns::{COLUMNS, SourceItem};
use crate::model::ask::AskKind;
use crate::model::remote::{AnswerState, age};
use crate::model::rule::BrokenRule;
use crate::model::source::{ErrorKind, ProbeReport};
use crate::model::source_info::SourceInfo;
use crate::model::warning::WarningKind;
use crate::model::world::{AnswerCache, Watchdog};

use super::needs;
use super::report::{ReportDocument, ReportList};
use super::view::WorldView;

/// A source with its answers.
#[derive(Clone, Copy)]
pub(super) struct CheckedSource<'a> {
    pub(super) view: &'a WorldView<'a>,
    pub(super) source: &'a SourceInfo,
    pub(super) cache: &'a AnswerCache,
}

/// The sources, in the order of the configuration.
pub(super) fn all<'a>(view: &'a WorldView<'a>) -> impl Iterator<Item = CheckedSource<'a>> {
    let checked = |source| Some(CheckedSource { view, source, cache: view.world.cache(&source.id)? });
    view.sources.iter().filter_map(checked)
}

impl<'a> CheckedSource<'a> {
    /// The state in one word, such as `fine`, `partial`, `stale` or `failed`.
    pub(super) fn state(&self) -> &'static str {
        let answers: Vec<_> = self.answers().map(|(_, state)| state).collect();
        let has_data = answers.iter().any(|state| state.at.is_some());
        let is_old =
            |state: &&AnswerState| state.at.is_some_and(|at| age(at, self.view.now) > self.view.limit);
        let is_partial = |state: &&AnswerState| !state.is_settled() || state.missing().next().is_some();
        match self.failure() {
            Some(failure) if failure.is_source_wide() && !has_data => "failed",
            Some(failure) if failure.is_source_wide() => "stale",
            Some(_) if has_data => "partial",
            Some(_) => "failed",
            None if !has_data => "no answer",
            None if answers.iter().any(is_old) => "stale",
            None if answers.iter().any(is_partial) || !self.broken_rules().is_empty() => "partial",
            None => "fine",
        }
    }

    /// The answers to the questions that every screen asks, as far as the source supports these.
    pub(super) fn answers(&self) -> impl Iterator<Item = (AskKind, &'a AnswerState)> + use<'a> {
        let Self { source, cache, .. } = *self;
        AskKind::all_vital()
            .iter()
            .filter(|kind| source.answers.contains(kind))
            .filter_map(|kind| Some((*kind, cache.snapshot(*kind)?)))
    }

    /// What its probe has found.
    pub(super) fn offer(&self) -> Option<&'a ProbeReport> {
        self.cache.probe().value()
    }

    /// The most serious error: one about the whole source before one about a single question.
    pub(super) fn failure(&self) -> Option<&'a ErrorKind> {
        let failures = self.answers().filter_map(|(_, state)| state.failure().map(|error| &error.kind));
        failures.min_by_key(|failure| !failure.is_source_wide())
    }

    /// The warnings of its answers and of its probe, without the annotations of the query engine.
    pub(super) fn warnings(&self) -> Vec<String> {
        let kinds: Vec<AskKind> = self.answers().map(|(kind, _)| kind).collect();
        let warnings = self.cache.warnings(&kinds).into_iter();
        let warnings = warnings.filter(|warning| warning.kind != WarningKind::Annotation);
        let odd = self.offer().into_iter().flat_map(|offer| &offer.warnings);
        warnings.map(ToString::to_string).chain(odd.map(ToString::to_string)).collect()
    }

    /// The failing rules.
    pub(super) fn broken_rules(&self) -> &'a [BrokenRule] {
        self.cache.rules().value().map_or(&[][..], |snapshot| &snapshot.broken)
    }

    /// The dead man's switch; nothing where the source has no alerts.
    pub(super) fn watchdog(&self) -> Option<Watchdog> {
        let has_alerts = self.source.answers.contains(&AskKind::Alerts);
        has_alerts.then(|| self.view.world.watchdog(&self.source.id))
    }

    fn item(&self) -> SourceItem<'a> {
        let failure = self.failure().map(ToString::to_string);
        SourceItem {
            source: self.source,
            offer: self.offer(),
            state: self.state().into(),
            at: self.answers().filter_map(|(_, state)| state.at).max(),
            watchdog: self.watchdog(),
            warnings: Some(self.warnings()),
            failure: failure.or_else(|| failing_rules(self.broken_rules())),
        }
    }
}

/// The first failing rule, and how many more fail; None if all rules work.
fn failing_rules(broken: &[BrokenRule]) -> Option<String> {
    match broken {
        [] => None,
        [rule] => Some(rule.sentence()),
        [rule, others @ ..] => Some(format!("{}; {} more fail", rule.sentence(), others.len())),
    }
}

pub(super) fn document(view: &WorldView<'_>) -> ReportDocument {
    let items = all(view).map(|source| source.item());
    let list = ReportList::of(("sources", "Sources", "No sources."), COLUMNS, items);
    view.document(Vec::new(), vec![list], needs::SOURCES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixtures::{am, prom, reading, world};
    use crate::model::warning::Warning;

    fn states(fixture: &crate::cli::fixtures::Fixture) -> Vec<&'static str> {
        all(&fixture.view()).map(|source| source.state()).collect()
    }

    #[test]
    fn each_state_has_its_word() {
        assert_eq!(states(&world()), ["no answer", "no answer"]);
        assert_eq!(states(&world().with_trouble(&prom())), ["failed", "no answer"]);
        let some = world().with_services(&prom(), vec![reading("a", 0.0)]);
        assert_eq!(states(&some), ["partial", "no answer"], "the others do not come");
        let known = || {
            let some = world().with_services(&prom(), vec![reading("a", 0.0)]).with_probe(&prom(), 0);
            some.with_rules(&prom()).with_slos(&prom(), Vec::new())
        };
        assert_eq!(states(&known()), ["fine", "no answer"]);
        assert_eq!(states(&known().with_trouble(&prom())), ["stale", "no answer"]);
        assert_eq!(states(&known().later(3600)), ["stale", "no answer"]);
        for (warning, state) in [
            (Warning::missing("a store is gone"), "partial"),
            (Warning::notice("no service found"), "fine"),
            (Warning::annotation("PromQL info: no counter"), "fine"),
        ] {
            let warned = known().with_warning(&prom(), AskKind::Services, warning);
            assert_eq!(states(&warned), [state, "no answer"]);
        }
    }

    #[test]
    fn a_watchdog_that_is_missing_is_said() {
        let fixture = world().with_alerts(&am(), Vec::new());
        let watchdogs: Vec<_> = all(&fixture.view()).map(|source| source.watchdog()).collect();
        assert_eq!(watchdogs, [None, Some(Watchdog::Absent)]);
    }
}
