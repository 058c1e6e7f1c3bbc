//! The input of the lists: the world, its sources and the time; and messages about missing data.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config::definitions::{Finding, FindingLevel};
use crate::model::ask::AskKind;
use crate::model::remote::{AnswerState, age};
use crate::model::source_info::SourceInfo;
use crate::model::warning::{Warning, WarningKind};
use crate::model::world::World;

use super::needs::Needs;
use super::report::{Fact, ReportDocument, ReportList, elapsed};

/// The world as of `now`.
pub(super) struct WorldView<'w> {
    pub(super) world: &'w World,
    pub(super) sources: &'w [SourceInfo],
    pub(super) context: &'w str,
    pub(super) now: Timestamp,
    /// Data older than this are reported as old.
    pub(super) limit: Duration,
    /// The time zone of the output.
    pub(super) zone: &'w TimeZone,
    /// Warnings and errors of the files that define SLOs.
    pub(super) findings: &'w [Finding],
}

/// Whether every source has answered or refused all of these questions that it supports, so that there is nothing to wait for.
pub(super) fn is_settled(world: &World, sources: &[SourceInfo], kinds: &[AskKind]) -> bool {
    sources.iter().all(|source| {
        let cache = world.cache(&source.id);
        kinds
            .iter()
            .filter(|kind| source.answers.contains(kind))
            .all(|kind| cache.and_then(|cache| cache.snapshot(*kind)).is_some_and(AnswerState::is_settled))
    })
}

impl WorldView<'_> {
    /// A document of facts and lists, with notes on the missing data among its `needs`.
    pub(super) fn document(&self, facts: Vec<Fact>, lists: Vec<ReportList>, needs: Needs) -> ReportDocument {
        let kinds = needs.kinds();
        let unanswerable = self.unanswerable(needs.reported_by());
        // if no source has such data, no data are missing
        let mut notes = if unanswerable.is_some() { Vec::new() } else { self.gaps(&kinds) };
        if kinds.contains(&AskKind::Slos) {
            notes.extend(self.broken_definitions());
        }
        let is_partial = !notes.is_empty();
        notes.extend(unanswerable);
        notes.extend(self.notices(&kinds));
        ReportDocument { context: self.context.to_owned(), as_of: self.now, facts, lists, notes, is_partial }
    }

    /// A message for each missing, old or incomplete answer to these questions, each once.
    pub(super) fn gaps(&self, needs: &[AskKind]) -> Vec<String> {
        self.filtered_gaps(needs, |_| true)
    }

    /// As [`WorldView::gaps`], but without missing parts of single items, whose rows say so themselves.
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
                let state = self.world.cache(&source.id).and_then(|cache| cache.snapshot(kind));
                let missing =
                    state.into_iter().flat_map(AnswerState::missing).filter(|warning| counts(warning));
                missing.for_each(|warning| add(format!("{}: {warning}", source.id)));
            }
        }
        gaps
    }

    /// Why answers to this kind of question may be incomplete; None if they are complete.
    pub(super) fn why_unknown(&self, kind: AskKind) -> Option<String> {
        self.gaps(&[kind]).into_iter().next().or_else(|| self.unanswerable(&[kind]))
    }

    /// A message if no source of this context answers any of these questions.
    fn unanswerable(&self, kinds: &[AskKind]) -> Option<String> {
        let can_tell = |source: &SourceInfo| kinds.iter().any(|kind| source.answers.contains(kind));
        let what = kinds.first().map_or("this", |kind| kind.word());
        let is_told = self.sources.iter().any(can_tell);
        (!is_told).then(|| format!("no source of this context has {what}"))
    }

    /// The errors in definitions of SLOs: these SLOs are not evaluated.
    pub(super) fn broken_definitions(&self) -> impl Iterator<Item = String> {
        let broken = self.findings.iter().filter(|finding| finding.level == FindingLevel::Error);
        broken.map(ToString::to_string)
    }

    /// Notices about the answers to these questions, and failing rules. They do not make the answers incomplete.
    pub(super) fn notices(&self, needs: &[AskKind]) -> Vec<String> {
        let warnings = self.world.sources().flat_map(|(id, cache)| {
            let reported = cache.warnings(needs).into_iter();
            reported
                .filter(|warning| warning.kind == WarningKind::Notice)
                .map(move |warning| format!("{id}: {warning}"))
        });
        // a failing rule neither alerts nor records
        let broken = self.world.sources().filter(|_| needs.contains(&AskKind::Rules));
        let broken =
            broken.filter_map(|(id, cache)| Some(format!("{id}: {}", cache.rules().value()?.failures()?)));
        warnings.chain(broken).collect()
    }

    /// A message if the source's answer to this kind of question is missing, failed or old.
    fn gap(&self, source: &SourceInfo, kind: AskKind) -> Option<String> {
        let state = self.world.cache(&source.id).and_then(|cache| cache.snapshot(kind))?;
        let data_age = state.at.map(|at| age(at, self.now));
        match (state.failure(), data_age) {
            (Some(error), Some(age)) => {
                let advice = error.kind.advice();
                Some(format!("{error}. Showing {} from {} ago. {advice}", kind.word(), elapsed(age)))
            }
            (Some(error), None) => Some(format!("{error}. {}", error.kind.advice())),
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
