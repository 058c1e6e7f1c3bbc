//! `burnwatch sources`: each source, how it is and how old its data are.

use crate::app::screens::sources::columns::{COLUMNS, SourceItem};
use crate::model::ask::AskKind;
use crate::model::remote::{AnswerState, age};
use crate::model::source::{SourceInfo, Trouble};
use crate::model::warning::WarningKind;
use crate::model::world::{Held, Watchdog};

use super::needs;
use super::report::{Cell, Column, Document, Layout, List};
use super::view::View;

/// How a source is, in one word.
pub(super) fn state(view: &View<'_>, source: &SourceInfo) -> &'static str {
    let Some(held) = view.world.held(&source.id) else { return "not asked" };
    let standings: Vec<_> = standings(source, held).collect();
    let has_data = standings.iter().any(|standing| standing.at.is_some());
    let is_old = |state: &AnswerState<'_>| state.at.is_some_and(|at| age(at, view.now) > view.limit);
    match trouble(source, held) {
        Some(trouble) if trouble.is_source_wide() && !has_data => "failed",
        Some(trouble) if trouble.is_source_wide() => "stale",
        Some(_) if has_data => "partial",
        Some(_) => "failed",
        None if !has_data => "no answer",
        None if standings.iter().any(is_old) => "stale",
        None if standings.iter().any(|state| !state.is_settled() || state.missing().next().is_some()) => {
            "partial"
        }
        None if broken_rules(held).is_some() => "partial",
        None => "fine",
    }
}

fn standings<'w>(source: &SourceInfo, held: &'w Held) -> impl Iterator<Item = AnswerState<'w>> {
    held.answers()
        .filter(|(kind, _)| AskKind::VITAL.contains(kind) && source.answers.contains(kind))
        .map(|(_, state)| state)
}

/// The gravest trouble of a source.
pub(super) fn trouble<'w>(source: &SourceInfo, held: &'w Held) -> Option<&'w Trouble> {
    let mut all: Vec<_> =
        standings(source, held).filter_map(|s| s.trouble.map(|error| &error.trouble)).collect();
    all.sort_by_key(|trouble| !trouble.is_source_wide());
    all.first().copied()
}

/// What is missing in its answers, and what is odd about it; each once.
pub(super) fn warnings(source: &SourceInfo, held: &Held) -> Vec<String> {
    let kinds: Vec<AskKind> =
        AskKind::VITAL.iter().copied().filter(|kind| source.answers.contains(kind)).collect();
    let said = held.warnings(&kinds).into_iter();
    let mut lines: Vec<String> =
        said.filter(|warning| warning.kind != WarningKind::Annotation).map(ToString::to_string).collect();
    let odd = held.probe().value().into_iter().flat_map(|offer| &offer.warnings);
    lines.extend(odd.map(ToString::to_string));
    lines
}

/// Which of its rules fail, in a sentence.
pub(super) fn broken_rules(held: &Held) -> Option<String> {
    let broken = held.rules().value().map_or(&[][..], |board| &board.broken);
    match broken {
        [] => None,
        [rule] => Some(rule.sentence()),
        [rule, others @ ..] => Some(format!("{}; {} more fail", rule.sentence(), others.len())),
    }
}

/// The dead man's switch; nothing where the source has no alerts.
pub(super) fn watchdog(view: &View<'_>, source: &SourceInfo) -> Option<Watchdog> {
    source.answers.contains(&AskKind::Alerts).then(|| view.world.watchdog(&source.id))
}

/// The sources, in the order of the configuration.
pub(super) fn list(view: &View<'_>) -> List {
    List {
        key: "sources",
        title: "Sources".to_owned(),
        columns: Column::of(COLUMNS),
        rows: view.sources.iter().map(|source| row(view, source)).collect(),
        empty: "No sources.",
        layout: Layout::Rows,
    }
}

/// The list as a document.
pub(super) fn document(view: &View<'_>) -> Document {
    view.document(Vec::new(), vec![list(view)], needs::SOURCES)
}

fn row(view: &View<'_>, source: &SourceInfo) -> Vec<Cell> {
    let held = view.world.held(&source.id);
    let wrong = |held| trouble(source, held).map(ToString::to_string).or_else(|| broken_rules(held));
    let item = SourceItem {
        source,
        offer: held.and_then(|held| held.probe().value()),
        state: state(view, source),
        at: held.and_then(|held| standings(source, held).filter_map(|standing| standing.at).max()),
        watchdog: watchdog(view, source),
        warnings: held.map(|held| warnings(source, held)),
        trouble: held.and_then(wrong),
    };
    Column::values(COLUMNS, &item)
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
