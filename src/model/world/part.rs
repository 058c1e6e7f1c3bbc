//! The parts of the merged state, and the questions that each is built from.

use crate::model::ask::AskKind;

/// A part of the merged state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorldPart {
    /// Services with their health, to which alerts contribute.
    Services,
    /// Alerts, silenced or not, from all sources.
    Alerts,
    /// SLOs with their alerts.
    Slos,
    /// Incidents with their services and alerts.
    Incidents,
    OnCall,
    /// Silences with the alerts that they silence.
    Silences,
    /// What changed, merged over all sources.
    Changes,
    /// The health of each source.
    Sources,
    /// One trace.
    Trace,
    /// The slowest and the failed traces of a service.
    Traces,
    /// Resources with a limit, with their forecasts, and error budgets.
    Capacity,
    /// The list of dashboards.
    Dashboards,
    /// One dashboard with the data of its panels.
    Dashboard,
}

impl WorldPart {
    /// The kinds of questions of which at least one must be asked to have any content.
    pub const fn reported_by(self) -> &'static [AskKind] {
        match self {
            Self::Services => &[AskKind::Services],
            Self::Alerts => &[AskKind::Alerts, AskKind::Rules],
            Self::Slos => &[AskKind::Slos],
            Self::Incidents => &[AskKind::Incidents],
            Self::OnCall => &[AskKind::OnCall],
            Self::Silences => &[AskKind::Silences],
            Self::Changes => &[AskKind::Changes],
            Self::Sources => &[AskKind::Probe],
            Self::Trace => &[AskKind::Trace],
            Self::Traces => &[AskKind::Traces],
            Self::Capacity => &[AskKind::Capacity],
            Self::Dashboards => &[AskKind::Dashboards],
            Self::Dashboard => &[AskKind::Dashboard],
        }
    }

    /// The kinds of questions that must all be answered for complete content. This is the only place that lists what a part is
    /// merged from.
    pub fn depends_on(self) -> &'static [AskKind] {
        match self {
            Self::Services => {
                &[AskKind::Services, AskKind::Alerts, AskKind::Rules, AskKind::Silences, AskKind::Filling]
            }
            Self::Alerts => &[AskKind::Alerts, AskKind::Rules, AskKind::Silences],
            Self::Slos => &[AskKind::Slos, AskKind::Alerts, AskKind::Rules],
            Self::Incidents => &[AskKind::Incidents, AskKind::Services, AskKind::Alerts, AskKind::Rules],
            Self::OnCall => &[AskKind::OnCall],
            Self::Silences => &[AskKind::Silences, AskKind::Alerts, AskKind::Rules],
            Self::Changes => &[AskKind::Changes],
            Self::Sources => AskKind::all_vital(),
            Self::Trace => &[AskKind::Trace],
            Self::Traces => &[AskKind::Traces],
            Self::Capacity => &[AskKind::Capacity, AskKind::Slos],
            Self::Dashboards => &[AskKind::Dashboards],
            Self::Dashboard => {
                &[AskKind::Dashboard, AskKind::DataSources, AskKind::VariableValues, AskKind::PanelData]
            }
        }
    }
}
