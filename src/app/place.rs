//! Where the person can be, and the table of screens.

use std::sync::Arc;
use std::time::Duration;

use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Text;
use crate::model::runbook::Wanted;
use crate::model::source::SourceId;

use super::commands::{Command, Scope};

/// A screen, with what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// What is wrong, at a glance.
    Overview,
    /// All services.
    Services,
    /// One service.
    Service(Text),
    /// All SLOs.
    Slos,
    /// One SLO of one source.
    Slo {
        /// Who says how it stands.
        source: SourceId,
        /// What it is called there.
        id: Text,
    },
    /// All alerts.
    Alerts,
    /// One alert.
    Alert(Fingerprint),
    /// All incidents.
    Incidents,
    /// One incident of one source.
    Incident {
        /// A source that knows it.
        source: SourceId,
        /// What it is called there.
        id: Text,
    },
    /// Who is on call.
    OnCall,
    /// One escalation policy of one source.
    Policy {
        /// Who tells of it.
        source: SourceId,
        /// What it is called there.
        id: Text,
    },
    /// Something written for others to read.
    Paper(Paper),
    /// The runbook of an alert or of what else has one.
    Runbook(Arc<Wanted>),
    /// All silences.
    Silences,
    /// Everything that happened.
    Timeline,
    /// The systems that are asked.
    Sources,
    /// What burnwatch said so far.
    Messages,
}

/// Something written for others to read, in Markdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paper {
    /// The hand-over of a shift of this length that ends now.
    Handover(Duration),
    /// How often people were woken within so long.
    Statistics(Duration),
    /// The draft of a review of one incident of one source.
    Postmortem {
        /// A source that knows it.
        source: SourceId,
        /// What it is called there.
        id: Text,
    },
}

/// A place with where one was on it, for the way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// The place.
    pub place: Place,
    /// The panel that had the keyboard when it was left.
    pub panel: usize,
    /// How far it was scrolled when it was left.
    pub scroll: u16,
}

impl From<Place> for Stop {
    fn from(place: Place) -> Self {
        Self { place, panel: 0, scroll: 0 }
    }
}

/// A screen that can be gone to by its number or name.
#[derive(Debug, Clone)]
pub struct Screen {
    /// Its number key. Numbers stay what they are as more screens come.
    pub number: char,
    /// Its title.
    pub title: &'static str,
    /// Its title where there is little room.
    pub short: &'static str,
    /// The command that goes there.
    pub command: Command,
    /// The place.
    pub place: Place,
}

/// The screens of line 2, in their order. `snapshot` takes the titles in lower case.
pub const SCREENS: [Screen; 8] = [
    Screen {
        number: '1',
        title: "Overview",
        short: "Over",
        command: Command::Overview,
        place: Place::Overview,
    },
    Screen {
        number: '2',
        title: "Services",
        short: "Svc",
        command: Command::Services,
        place: Place::Services,
    },
    Screen { number: '3', title: "SLOs", short: "SLO", command: Command::Slos, place: Place::Slos },
    Screen { number: '4', title: "Alerts", short: "Alerts", command: Command::Alerts, place: Place::Alerts },
    Screen {
        number: '5',
        title: "Incidents",
        short: "Inc",
        command: Command::Incidents,
        place: Place::Incidents,
    },
    Screen { number: '6', title: "On-call", short: "Call", command: Command::OnCall, place: Place::OnCall },
    Screen {
        number: '7',
        title: "Timeline",
        short: "Time",
        command: Command::Timeline,
        place: Place::Timeline,
    },
    Screen { number: '9', title: "Sources", short: "Src", command: Command::Sources, place: Place::Sources },
];

impl Place {
    /// The scopes of commands that work here, besides the global ones.
    pub const fn scopes(&self) -> &'static [Scope] {
        match self {
            Self::Overview | Self::Services | Self::Timeline => {
                &[Scope::List, Scope::Time, Scope::Things, Scope::Acts]
            }
            Self::Service(_) | Self::Alert(_) => &[Scope::Time, Scope::Things, Scope::Acts],
            Self::Slos => &[Scope::List, Scope::Time, Scope::Groups, Scope::Things, Scope::Acts],
            Self::Slo { .. } => &[Scope::Time, Scope::Slo, Scope::Things, Scope::Acts],
            Self::Alerts | Self::Incidents => {
                &[Scope::List, Scope::Groups, Scope::Folds, Scope::Things, Scope::Acts]
            }
            Self::Silences => &[Scope::List, Scope::Folds, Scope::Things],
            Self::OnCall => &[Scope::List, Scope::Things],
            Self::Incident { .. } => &[Scope::Things, Scope::Acts],
            Self::Policy { .. } => &[Scope::Things],
            Self::Paper(_) | Self::Runbook(_) | Self::Sources | Self::Messages => &[],
        }
    }

    /// Whether it stands on line 2, and so begins a breadcrumb.
    pub const fn is_top(&self) -> bool {
        !matches!(
            self,
            Self::Service(_)
                | Self::Slo { .. }
                | Self::Alert(_)
                | Self::Incident { .. }
                | Self::Policy { .. }
                | Self::Paper(Paper::Postmortem { .. })
                | Self::Runbook(_)
        )
    }

    /// The screen of line 2 that it belongs to.
    pub const fn screen(&self) -> Option<Command> {
        match self {
            Self::Overview => Some(Command::Overview),
            Self::Services | Self::Service(_) => Some(Command::Services),
            Self::Slos | Self::Slo { .. } => Some(Command::Slos),
            Self::Alerts | Self::Alert(_) | Self::Silences => Some(Command::Alerts),
            Self::Incidents | Self::Incident { .. } | Self::Paper(Paper::Postmortem { .. }) => {
                Some(Command::Incidents)
            }
            Self::OnCall | Self::Policy { .. } => Some(Command::OnCall),
            Self::Timeline => Some(Command::Timeline),
            Self::Sources => Some(Command::Sources),
            Self::Paper(Paper::Handover(_) | Paper::Statistics(_)) | Self::Runbook(_) | Self::Messages => {
                None
            }
        }
    }
}
