//! What the lists are made from: a world, its sources and a moment; and what is missing in it.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config::definitions::{Finding, Level};
use crate::model::ask::AskKind;
use crate::model::remote::age;
use crate::model::source_info::SourceInfo;
use crate::model::warning::{Warning, WarningKind};
use crate::model::world::World;

use super::needs::Needs;
use super::report::{Fact, ReportDocument, ReportList, elapsed};

/// A world at a moment.
pub(super) struct WorldView<'w> {
    pub(super) world: &'w World,
    pub(super) sources: &'w [SourceInfo],
    pub(super) context: &'w str,
    pub(super) now: Timestamp,
    /// How old data may be before that is said.
    pub(super) limit: Duration,
    pub(super) zone: &'w TimeZone,
    /// What is wrong with the files that define SLOs.
    pub(super) findings: &'w [Finding],
}

/// Whether every source that can answer one of these has done so, or has failed: there is nothing to wait for.
pub(super) fn is_settled(world: &World, sources: &[SourceInfo], kinds: &[AskKind]) -> bool {
    sources.iter().all(|source| {
        let cache = world.cache(&source.id);
        kinds
            .iter()
            .filter(|kind| source.answers.contains(kind))
            .all(|kind| cache.and_then(|cache| cache.board(*kind)).is_some_and(|state| state.is_settled()))
    })
}

impl WorldView<'_> {
    /// A document of these, with what is missing of the answers that it is made from.
    pub(super) fn document(&self, facts: Vec<Fact>, lists: Vec<ReportList>, needs: Needs) -> ReportDocument {
        let kinds = needs.kinds();
        let unanswerable = self.unanswerable(needs.reported_by());
        // where there is nobody who could tell, nothing is missing
        let mut notes = if unanswerable.is_some() { Vec::new() } else { self.gaps(&kinds) };
        if kinds.contains(&AskKind::Slos) {
            notes.extend(self.broken_definitions());
        }
        let is_partial = !notes.is_empty();
        notes.extend(unanswerable);
        notes.extend(self.notices(&kinds));
        ReportDocument { context: self.context.to_owned(), as_of: self.now, facts, lists, notes, is_partial }
    }

    /// What is missing for answers of these kinds, each gap once: what did not come, is old or is not whole.
    pub(super) fn gaps(&self, needs: &[AskKind]) -> Vec<String> {
        self.filtered_gaps(needs, |_| true)
    }

    /// As [`WorldView::gaps`], but without what is missing of things that say so themselves.
    pub(super) fn common_gaps(&self, needs: &[AskKind]) -> Vec<String> {
        self.filtered_gaps(needs, |warning| warning.kind != WarningKind::MissingPart)
    }

    fn filtered_gaps(&self, needs: &[AskKind], counts: impl Fn(&Warning) -> bool) -> Vec<String> {
        let mut gaps = Vec::new();
        let mut add = |gap: String| {
            if !gaps.contains(&gap) {
                gaps.push(gap);
            }
        };
        for source in self.sources {
            for kind in needs.iter().copied().filter(|kind| source.answers.contains(kind)) {
                self.gap(source, kind).into_iter().for_each(&mut add);
                let state = self.world.cache(&source.id).and_then(|cache| cache.board(kind));
                let missing =
                    state.into_iter().flat_map(|state| state.missing()).filter(|warning| counts(warning));
                missing.for_each(|warning| add(format!("{}: {warning}", source.id)));
            }
        }
        gaps
    }

    /// The comment: why answers of this kind cannot be relied on, if they cannot.
    pub(super) fn why_unknown(&self, kind: AskKind) -> Option<String> {
        self.gaps(&[kind]).into_iter().next().or_else(|| self.unanswerable(&[kind]))
    }

    /// That no source here is of a kind that could tell: nothing is missing, there is nothing.
    fn unanswerable(&self, kinds: &[AskKind]) -> Option<String> {
        let can_tell = |source: &SourceInfo| kinds.iter().any(|kind| source.answers.contains(kind));
        let what = kinds.first().map_or("this", |kind| kind.word());
        let is_told = self.sources.iter().any(can_tell);
        (!is_told).then(|| format!("none of the sources of this context can tell {what}"))
    }

    /// The definitions of SLOs that cannot be used: there are SLOs that nobody looks at.
    pub(super) fn broken_definitions(&self) -> impl Iterator<Item = String> {
        let broken = self.findings.iter().filter(|finding| finding.level == Level::Error);
        broken.map(ToString::to_string)
    }

    /// What is worth knowing about answers of these kinds and takes nothing away from them.
    pub(super) fn notices(&self, needs: &[AskKind]) -> Vec<String> {
        let warnings = self.world.sources().flat_map(|(id, cache)| {
            let told = cache.warnings(needs).into_iter();
            told.filter(|warning| warning.kind == WarningKind::Notice)
                .map(move |warning| format!("{id}: {warning}"))
        });
        // what a rule that fails would tell, nobody tells
        let broken = self.world.sources().filter(|_| needs.contains(&AskKind::Rules));
        let broken =
            broken.filter_map(|(id, cache)| Some(format!("{id}: {}", cache.rules().value()?.failures()?)));
        warnings.chain(broken).collect()
    }

    fn gap(&self, source: &SourceInfo, kind: AskKind) -> Option<String> {
        let state = self.world.cache(&source.id).and_then(|cache| cache.board(kind))?;
        let data_age = state.at.map(|at| age(at, self.now));
        match (state.trouble, data_age) {
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
