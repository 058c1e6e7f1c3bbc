//! `burnwatch sources`: the state of each source and the age of its data.

use crate::app::screens::sources::columns::{COLUMNS, SourceItem};
use crate::model::ask::AskKind;
use crate::model::remote::{AnswerState, age};
use crate::model::source::ErrorKind;
use crate::model::source_info::SourceInfo;
use crate::model::warning::WarningKind;
use crate::model::world::{AnswerCache, Watchdog};

use super::needs;
use super::report::{Cell, ListLayout, ReportColumn, ReportDocument, ReportList};
use super::view::WorldView;

/// The state of a source in one word, such as `fine`, `partial`, `stale` or `failed`.
pub(super) fn state(view: &WorldView<'_>, source: &SourceInfo) -> &'static str {
    let Some(cache) = view.world.cache(&source.id) else { return "not asked" };
    let answer_states: Vec<_> = answer_states(source, cache).collect();
    let has_data = answer_states.iter().any(|standing| standing.at.is_some());
    let is_old = |state: &&AnswerState| state.at.is_some_and(|at| age(at, view.now) > view.limit);
    match failure(source, cache) {
        Some(failure) if failure.is_source_wide() && !has_data => "failed",
        Some(failure) if failure.is_source_wide() => "stale",
        Some(_) if has_data => "partial",
        Some(_) => "failed",
        None if !has_data => "no answer",
        None if answer_states.iter().any(is_old) => "stale",
        None if answer_states.iter().any(|state| !state.is_settled() || state.missing().next().is_some()) => {
            "partial"
        }
        None if cache.rules().value().is_some_and(|snapshot| !snapshot.broken.is_empty()) => "partial",
        None => "fine",
    }
}

/// The states of the answers to the questions that every screen asks, as far as the source supports these.
fn answer_states<'w>(source: &SourceInfo, cache: &'w AnswerCache) -> impl Iterator<Item = &'w AnswerState> {
    cache
        .answers()
        .filter(|(kind, _)| AskKind::all_vital().contains(kind) && source.answers.contains(kind))
        .map(|(_, state)| state)
}

/// The most serious error of a source: one about the whole source before one about a single question.
pub(super) fn failure<'w>(source: &SourceInfo, cache: &'w AnswerCache) -> Option<&'w ErrorKind> {
    let mut all: Vec<_> =
        answer_states(source, cache).filter_map(|s| s.failure().map(|error| &error.kind)).collect();
    all.sort_by_key(|failure| !failure.is_source_wide());
    all.first().copied()
}

/// The warnings of its answers and of its probe, without the annotations of the query engine.
pub(super) fn warnings(source: &SourceInfo, cache: &AnswerCache) -> Vec<String> {
    let kinds: Vec<AskKind> =
        AskKind::all_vital().iter().copied().filter(|kind| source.answers.contains(kind)).collect();
    let said = cache.warnings(&kinds).into_iter();
    let mut lines: Vec<String> =
        said.filter(|warning| warning.kind != WarningKind::Annotation).map(ToString::to_string).collect();
    let odd = cache.probe().value().into_iter().flat_map(|offer| &offer.warnings);
    lines.extend(odd.map(ToString::to_string));
    lines
}

/// The first failing rule, and how many more fail; None if all rules work.
pub(super) fn broken_rules(cache: &AnswerCache) -> Option<String> {
    let broken = cache.rules().value().map_or(&[][..], |snapshot| &snapshot.broken);
    match broken {
        [] => None,
        [rule] => Some(rule.sentence()),
        [rule, others @ ..] => Some(format!("{}; {} more fail", rule.sentence(), others.len())),
    }
}

/// The dead man's switch; nothing where the source has no alerts.
pub(super) fn watchdog(view: &WorldView<'_>, source: &SourceInfo) -> Option<Watchdog> {
    source.answers.contains(&AskKind::Alerts).then(|| view.world.watchdog(&source.id))
}

/// The sources, in the order of the configuration.
pub(super) fn list(view: &WorldView<'_>) -> ReportList {
    ReportList {
        key: "sources",
        title: "Sources".to_owned(),
        columns: ReportColumn::of(COLUMNS),
        rows: view.sources.iter().map(|source| row(view, source)).collect(),
        empty: "No sources.",
        layout: ListLayout::Rows,
    }
}

pub(super) fn document(view: &WorldView<'_>) -> ReportDocument {
    view.document(Vec::new(), vec![list(view)], needs::SOURCES)
}

fn row(view: &WorldView<'_>, source: &SourceInfo) -> Vec<Cell> {
    let cache = view.world.cache(&source.id);
    let wrong = |cache| failure(source, cache).map(ToString::to_string).or_else(|| broken_rules(cache));
    let item = SourceItem {
        source,
        offer: cache.and_then(|cache| cache.probe().value()),
        state: state(view, source),
        at: cache.and_then(|cache| answer_states(source, cache).filter_map(|standing| standing.at).max()),
        watchdog: watchdog(view, source),
        warnings: cache.map(|cache| warnings(source, cache)),
        failure: cache.and_then(wrong),
    };
    ReportColumn::values(COLUMNS, &item)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixtures::{am, prom, reading, world};
    use crate::model::warning::Warning;

    fn states(fixture: &crate::cli::fixtures::Fixture) -> Vec<&'static str> {
        let view = fixture.view();
        view.sources.iter().map(|source| state(&view, source)).collect()
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
        let view = fixture.view();
        assert_eq!(watchdog(&view, &view.sources[1]), Some(Watchdog::Absent));
        assert_eq!(watchdog(&view, &view.sources[0]), None);
    }
}
