//! The questions to the sources that each verb waits for. Waiting, the notes on missing data, exit codes and `docs/waits.md`
//! are all derived from this table.

use crate::model::ask::AskKind;
use crate::model::world::WorldPart;

/// The data that a verb needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Needs {
    /// The verb's name on the command line.
    pub(super) verb: &'static str,
    /// The parts of the world that the verb shows, its main subject first.
    parts: &'static [WorldPart],
}

impl Needs {
    const fn of(verb: &'static str, parts: &'static [WorldPart]) -> Self {
        Self { verb, parts }
    }

    /// The questions that answer for the verb's main subject; any of them is enough.
    pub(super) fn reported_by(self) -> &'static [AskKind] {
        self.parts.first().map_or(&[], |part| part.reported_by())
    }

    /// The questions of which some source of the context must answer at least one; otherwise the verb is refused. For a list of
    /// one subject these are the questions about it; for a page of several subjects, all questions of the page.
    pub(super) fn required_questions(self) -> Vec<AskKind> {
        if self.parts.len() == 1 { self.reported_by().to_vec() } else { self.kinds() }
    }

    /// All questions that the verb waits for, each once, those about its main subject first.
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

use WorldPart::{
    Alerts, Capacity, Changes, Dashboard, Dashboards, Incidents, OnCall, Services, Silences, Slos, Sources,
    Trace, Traces,
};

pub(super) const STATUS: Needs = Needs::of("status", &[Services, Alerts, Slos, Incidents, OnCall, Sources]);
pub(super) const SERVICES: Needs = Needs::of("services", &[Services]);
pub(super) const SLOS: Needs = Needs::of("slos", &[Slos]);
pub(super) const CHECK: Needs = Needs::of("check", &[Services, Slos]);
pub(super) const ALERTS: Needs = Needs::of("alerts", &[Alerts]);
pub(super) const INCIDENTS: Needs = Needs::of("incidents", &[Incidents]);
pub(super) const ONCALL: Needs = Needs::of("oncall", &[OnCall]);
pub(super) const STATS: Needs = Needs::of("stats", &[Incidents, Changes]);
pub(super) const SILENCES: Needs = Needs::of("silences", &[Silences]);
pub(super) const SOURCES: Needs = Needs::of("sources", &[Sources]);
pub(super) const CHANGES: Needs = Needs::of("changes", &[Changes]);
/// `logs` waits for these to find the service or alert that is named, then for the questions of the screen of logs.
pub(super) const LOGS: Needs = Needs::of("logs", &[Alerts, Services]);
pub(super) const DOCTOR: Needs = Needs::of("doctor", &[Sources]);
pub(super) const TRACE: Needs = Needs::of("trace", &[Trace]);
pub(super) const TRACES: Needs = Needs::of("traces", &[Traces]);
pub(super) const CAPACITY: Needs = Needs::of("capacity", &[Capacity]);
pub(super) const DASHBOARDS: Needs = Needs::of("dashboards", &[Dashboards]);
/// `dashboards UID` waits for these after it has found the dashboard.
pub(super) const DASHBOARD: Needs = Needs::of("dashboards", &[Dashboard]);

/// All verbs that print a list or a check. Snapshots and documents wait for the questions of their screen.
#[cfg(test)]
const VERBS: [Needs; 16] = [
    STATUS, SERVICES, SLOS, CHECK, ALERTS, INCIDENTS, ONCALL, STATS, SILENCES, SOURCES, CHANGES, DOCTOR,
    TRACE, TRACES, CAPACITY, DASHBOARDS,
];

#[cfg(test)]
mod tests;
