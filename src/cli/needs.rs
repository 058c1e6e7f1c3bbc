//! What each verb waits for: the one table that waiting, gaps, exit codes and `docs/waits.md` are made from.

use crate::model::ask::AskKind;
use crate::model::world::WorldPart;

/// What the answer of a verb rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Needs {
    /// As it is typed.
    pub(super) verb: &'static str,
    parts: &'static [WorldPart],
}

impl Needs {
    const fn of(verb: &'static str, parts: &'static [WorldPart]) -> Self {
        Self { verb, parts }
    }

    /// The questions that tell what it is about before all else.
    pub(super) fn reported_by(self) -> &'static [AskKind] {
        self.parts.first().map_or(&[], |part| part.reported_by())
    }

    /// The questions of which a source of the context must be able to answer some: those about the one thing that is listed;
    /// a page of several tells what it can.
    pub(super) fn required_questions(self) -> Vec<AskKind> {
        if self.parts.len() == 1 { self.reported_by().to_vec() } else { self.kinds() }
    }

    /// The questions that have to be answered, each once, what it is about before the rest.
    pub(super) fn kinds(self) -> Vec<AskKind> {
        let mut kinds = Vec::new();
        for kind in self.parts.iter().flat_map(|part| part.depends_on()) {
            if !kinds.contains(kind) {
                kinds.push(*kind);
            }
        }
        kinds
    }
}

use WorldPart::{Alerts, Incidents, OnCall, Services, Silences, Slos, Sources};

pub(super) const STATUS: Needs = Needs::of("status", &[Services, Alerts, Slos, Incidents, OnCall, Sources]);
pub(super) const SERVICES: Needs = Needs::of("services", &[Services]);
pub(super) const SLOS: Needs = Needs::of("slos", &[Slos]);
pub(super) const CHECK: Needs = Needs::of("check", &[Services, Slos]);
pub(super) const ALERTS: Needs = Needs::of("alerts", &[Alerts]);
pub(super) const INCIDENTS: Needs = Needs::of("incidents", &[Incidents]);
pub(super) const ONCALL: Needs = Needs::of("oncall", &[OnCall]);
pub(super) const STATS: Needs = Needs::of("stats", &[Incidents]);
pub(super) const SILENCES: Needs = Needs::of("silences", &[Silences]);
pub(super) const SOURCES: Needs = Needs::of("sources", &[Sources]);
pub(super) const DOCTOR: Needs = Needs::of("doctor", &[Sources]);

/// All verbs that print a list or a verdict; what stands on a screen or paper is waited for as its screen asks for it.
#[cfg(test)]
const VERBS: [Needs; 11] =
    [STATUS, SERVICES, SLOS, CHECK, ALERTS, INCIDENTS, ONCALL, STATS, SILENCES, SOURCES, DOCTOR];

#[cfg(test)]
mod tests;
