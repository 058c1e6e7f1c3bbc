//! What each list of the world is put together from.

use crate::model::ask::AskKind;

/// A part of what all sources together say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorldPart {
    /// Services with their health, which their alerts decide, too.
    Services,
    /// Alerts, silenced or not, whoever tells them.
    Alerts,
    /// SLOs with the alerts that tell of them.
    Slos,
    /// Incidents with the services and alerts that they are about.
    Incidents,
    OnCall,
    /// Silences with the alerts that they hide.
    Silences,
    Sources,
}

impl WorldPart {
    /// The questions of which one at the least has to be asked for there to be anything.
    pub const fn reported_by(self) -> &'static [AskKind] {
        match self {
            Self::Services => &[AskKind::Services],
            Self::Alerts => &[AskKind::Alerts, AskKind::Rules],
            Self::Slos => &[AskKind::Slos],
            Self::Incidents => &[AskKind::Incidents],
            Self::OnCall => &[AskKind::OnCall],
            Self::Silences => &[AskKind::Silences],
            Self::Sources => &[AskKind::Probe],
        }
    }

    /// The questions without whose answers it is not whole. What is merged into a part is named here, and nowhere else.
    pub const fn depends_on(self) -> &'static [AskKind] {
        match self {
            Self::Services => &[AskKind::Services, AskKind::Alerts, AskKind::Rules, AskKind::Silences],
            Self::Alerts => &[AskKind::Alerts, AskKind::Rules, AskKind::Silences],
            Self::Slos => &[AskKind::Slos, AskKind::Alerts, AskKind::Rules],
            Self::Incidents => &[AskKind::Incidents, AskKind::Services, AskKind::Alerts, AskKind::Rules],
            Self::OnCall => &[AskKind::OnCall],
            Self::Silences => &[AskKind::Silences, AskKind::Alerts, AskKind::Rules],
            Self::Sources => AskKind::VITAL,
        }
    }
}
