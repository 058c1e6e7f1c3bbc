//! What the lists are made from: a world, its sources and a moment; and what is missing in it.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::app::state::State;
use crate::config::definitions::{Finding, Level};
use crate::model::ask::AskKind;
use crate::model::remote::{Remote, age};
use crate::model::source::{SourceError, SourceInfo};
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

/// How one answer of one source stands.
pub(super) struct Standing<'w> {
    pub(super) at: Option<Timestamp>,
    pub(super) trouble: Option<&'w SourceError>,
}

impl<'w> Standing<'w> {
    fn of<T>(remote: &'w Remote<T>) -> Self {
        Self { at: remote.at(), trouble: remote.trouble() }
    }

    /// How the answer to a question without further arguments stands; `None` for the other kinds.
    pub(super) fn of_kind(held: &'w Held, kind: AskKind) -> Option<Self> {
        match kind {
            AskKind::Probe => Some(Self::of(&held.probe)),
            AskKind::Services => Some(Self::of(&held.services)),
            AskKind::Trends => Some(Self::of(&held.trends)),
            AskKind::Alerts => Some(Self::of(&held.alerts)),
            AskKind::Rules => Some(Self::of(&held.rules)),
            AskKind::Silences => Some(Self::of(&held.silences)),
            AskKind::Slos => Some(Self::of(&held.slos)),
            AskKind::Incidents => Some(Self::of(&held.incidents)),
            AskKind::Steps => Some(Self::of(&held.steps)),
            AskKind::OnCall => Some(Self::of(&held.on_call)),
            AskKind::Detail | AskKind::Incident | AskKind::Series | AskKind::Firings | AskKind::Runbook => {
                None
            }
        }
    }

    /// Whether there was an answer, good or bad.
    pub(super) fn is_settled(&self) -> bool {
        self.at.is_some() || self.trouble.is_some()
    }
}

/// Whether every source that can answer one of these has done so, or has failed: there is nothing to wait for.
pub(super) fn is_settled(world: &World, sources: &[SourceInfo], kinds: &[AskKind]) -> bool {
    sources.iter().all(|source| {
        let held = world.held(&source.id);
        kinds.iter().filter(|kind| source.answers.contains(kind)).all(|kind| {
            held.and_then(|held| Standing::of_kind(held, *kind)).is_some_and(|standing| standing.is_settled())
        })
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
    held.probe.is_waiting()
        || held.services.is_waiting()
        || held.trends.is_waiting()
        || held.alerts.is_waiting()
        || held.rules.is_waiting()
        || held.silences.is_waiting()
        || held.slos.is_waiting()
        || held.incidents.is_waiting()
        || held.on_call.is_waiting()
        || held.incident_details.values().any(Remote::is_waiting)
        || held.details.values().any(Remote::is_waiting)
        || held.series.values().any(Remote::is_waiting)
        || held.firings.values().any(Remote::is_waiting)
        || held.runbooks.values().any(Remote::is_waiting)
}

impl View<'_> {
    /// A document of these, with what is missing of the answers that it is made from.
    pub(super) fn document(&self, facts: Vec<Fact>, lists: Vec<List>, needs: &[AskKind]) -> Document {
        let mut notes = Vec::new();
        let mut is_partial = false;
        for source in self.sources {
            for kind in needs.iter().copied().filter(|kind| source.answers.contains(kind)) {
                if let Some(gap) = self.gap(source, kind) {
                    is_partial = true;
                    if !notes.contains(&gap) {
                        notes.push(gap);
                    }
                }
            }
        }
        if !self.sources.iter().any(|source| needs.iter().any(|kind| source.answers.contains(kind))) {
            is_partial = true;
            let what = needs.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(" or ");
            notes.push(format!("none of the sources of this context can tell {what}"));
        }
        if needs.contains(&AskKind::Services) {
            notes.extend(self.service_warnings());
        }
        if needs.contains(&AskKind::Incidents) {
            let boards = self.world.sources().filter_map(|(id, held)| Some((id, held.incidents.value()?)));
            notes.extend(
                boards.flat_map(|(id, board)| board.warnings.iter().map(move |w| format!("{id}: {w}"))),
            );
        }
        if needs.contains(&AskKind::OnCall) {
            let boards = self.world.on_call();
            notes.extend(
                boards.flat_map(|(id, board)| board.warnings.iter().map(move |w| format!("{id}: {w}"))),
            );
        }
        if needs.contains(&AskKind::Slos) {
            notes.extend(self.slo_warnings());
            is_partial |= self.findings.iter().any(|finding| finding.level == Level::Error);
        }
        Document { context: self.context.to_owned(), as_of: self.now, facts, lists, notes, is_partial }
    }

    fn gap(&self, source: &SourceInfo, kind: AskKind) -> Option<String> {
        let standing = self.world.held(&source.id).and_then(|held| Standing::of_kind(held, kind))?;
        let behind = standing.at.map(|at| age(at, self.now));
        match (standing.trouble, behind) {
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

    /// What is wrong with definitions and with what the sources say of SLOs.
    fn slo_warnings(&self) -> Vec<String> {
        let broken = self.findings.iter().filter(|finding| finding.level == Level::Error);
        let boards = self.world.sources().filter_map(|(id, held)| Some((id, held.slos.value()?)));
        let said = boards.flat_map(|(id, board)| board.warnings.iter().map(move |w| format!("{id}: {w}")));
        broken.map(ToString::to_string).chain(said).collect()
    }

    fn service_warnings(&self) -> Vec<String> {
        let boards = self.world.sources().filter_map(|(id, held)| Some((id, held.services.value()?)));
        boards
            .flat_map(|(id, board)| board.warnings.iter().map(move |warning| format!("{id}: {warning}")))
            .collect()
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
