//! What the lists are made from: a world, its sources and a moment; and what is missing in it.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::app::state::State;
use crate::config::definitions::{Finding, Level};
use crate::model::ask::AskKind;
use crate::model::remote::age;
use crate::model::source::SourceInfo;
use crate::model::warning::WarningKind;
use crate::model::world::{Held, World};

use super::report::{Document, Fact, List, elapsed};

/// A world at a moment.
pub(super) struct View<'w> {
    pub(super) world: &'w World,
    pub(super) sources: &'w [SourceInfo],
    pub(super) context: &'w str,
    pub(super) now: Timestamp,
    /// How old data may be before that is said.
    pub(super) limit: Duration,
    /// The zone whose clock is meant.
    pub(super) zone: &'w TimeZone,
    /// What is wrong with the files that define SLOs.
    pub(super) findings: &'w [Finding],
}

/// Whether every source that can answer one of these has done so, or has failed: there is nothing to wait for.
pub(super) fn is_settled(world: &World, sources: &[SourceInfo], kinds: &[AskKind]) -> bool {
    sources.iter().all(|source| {
        let held = world.held(&source.id);
        kinds
            .iter()
            .filter(|kind| source.answers.contains(kind))
            .all(|kind| held.and_then(|held| held.board(*kind)).is_some_and(|state| state.is_settled()))
    })
}

/// Whether the answers that are needed are there, or refused, and nothing is on its way.
pub(super) fn is_quiet(state: &State, needs: &[AskKind]) -> bool {
    let State { world, sources, polls, .. } = state;
    let is_told = |source: &SourceInfo| {
        // a source in trouble is not asked for more until it is back
        polls.traffic(&source.id).trouble().is_some()
            || is_settled(world, std::slice::from_ref(source), needs)
    };
    sources.iter().all(is_told) && world.sources().all(|(_, held)| !is_waiting(held))
}

fn is_waiting(held: &Held) -> bool {
    held.answers().any(|(_, state)| state.is_waiting)
}

impl View<'_> {
    /// A document of these, with what is missing of the answers that it is made from.
    pub(super) fn document(&self, facts: Vec<Fact>, lists: Vec<List>, needs: &[AskKind]) -> Document {
        let mut notes = self.gaps(needs);
        if needs.contains(&AskKind::Slos) {
            notes.extend(self.broken_definitions());
        }
        let is_partial = !notes.is_empty();
        notes.extend(self.notices(needs));
        Document { context: self.context.to_owned(), as_of: self.now, facts, lists, notes, is_partial }
    }

    /// What is missing for answers of these kinds, each gap once: what did not come, is old or is not whole.
    pub(super) fn gaps(&self, needs: &[AskKind]) -> Vec<String> {
        let mut gaps = Vec::new();
        let mut add = |gap: String| {
            if !gaps.contains(&gap) {
                gaps.push(gap);
            }
        };
        for source in self.sources {
            for kind in needs.iter().copied().filter(|kind| source.answers.contains(kind)) {
                self.gap(source, kind).into_iter().for_each(&mut add);
                let state = self.world.held(&source.id).and_then(|held| held.board(kind));
                let missing = state.into_iter().flat_map(|state| state.missing());
                missing.for_each(|warning| add(format!("{}: {warning}", source.id)));
            }
        }
        if !self.sources.iter().any(|source| needs.iter().any(|kind| source.answers.contains(kind))) {
            let what = needs.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(" or ");
            add(format!("none of the sources of this context can tell {what}"));
        }
        gaps
    }

    /// The definitions of SLOs that cannot be used: there are SLOs that nobody looks at.
    pub(super) fn broken_definitions(&self) -> impl Iterator<Item = String> {
        let broken = self.findings.iter().filter(|finding| finding.level == Level::Error);
        broken.map(ToString::to_string)
    }

    /// What is worth knowing about answers of these kinds and takes nothing away from them.
    pub(super) fn notices(&self, needs: &[AskKind]) -> Vec<String> {
        let warnings = self.world.sources().flat_map(|(id, held)| {
            let told = held.warnings(needs).into_iter();
            told.filter(|warning| warning.kind == WarningKind::Notice)
                .map(move |warning| format!("{id}: {warning}"))
        });
        warnings.collect()
    }

    fn gap(&self, source: &SourceInfo, kind: AskKind) -> Option<String> {
        let state = self.world.held(&source.id).and_then(|held| held.board(kind))?;
        let behind = state.at.map(|at| age(at, self.now));
        match (state.trouble, behind) {
            (Some(error), Some(age)) => {
                let advice = error.trouble.advice();
                Some(format!("{error}. Showing {} from {} ago. {advice}", kind.word(), elapsed(age)))
            }
            (Some(error), None) => Some(format!("{error}. {}", error.trouble.advice())),
            (None, Some(age)) if age > self.limit => {
                Some(format!("{}: {} are {} old", source.id, kind.word(), elapsed(age)))
            }
            (None, Some(_)) => None,
            (None, None) => Some(format!("{}: no answer about {} in time", source.id, kind.word())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixtures::{am, prom, world};

    #[test]
    fn all_is_settled_when_every_source_has_told_or_refused_what_it_can_answer() {
        let needs = [AskKind::Services, AskKind::Alerts];
        let settled = |fixture: &crate::cli::fixtures::Fixture| {
            let view = fixture.view();
            is_settled(view.world, view.sources, &needs)
        };
        let fixture = world().with_alerts(&am(), Vec::new());
        assert!(!settled(&fixture));
        assert!(settled(&fixture.with_trouble(&prom())));
    }
}
