//! Keys that identify incidents, SLOs, silences, policies, levels and dashboards. Lists, places and actions keep a key while answers change.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::dashboard::DashboardEntry;
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Text;
use crate::model::oncall::{EscalationPolicy, OnCallSnapshot};
use crate::model::silence::Silence;
use crate::model::slo::SloStatus;
use crate::model::source::SourceId;
use crate::model::why::WhyQuery;
use crate::model::world::{IncidentView, World};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IncidentKey {
    /// The id at the paging system.
    pub id: Text,
    /// The first source that lists it.
    pub source: SourceId,
}

impl IncidentKey {
    pub fn of(view: &IncidentView) -> Self {
        Self { id: view.incident.id.clone(), source: view.source().clone() }
    }

    /// The incident, if its source still lists it.
    pub fn incident<'a>(&self, world: &'a World) -> Option<&'a IncidentView> {
        world.incident(&self.source, &self.id)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SloKey {
    pub id: Text,
    pub source: SourceId,
}

impl SloKey {
    pub fn of(status: &SloStatus) -> Self {
        Self { id: status.slo.id.clone(), source: status.source.clone() }
    }

    /// The status, if the source still lists the SLO.
    pub fn status<'a>(&self, world: &'a World) -> Option<&'a SloStatus> {
        world.slo(&self.source, &self.id)
    }
}

/// What a postmortem is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReviewSubject {
    /// An incident of a paging system.
    Incident(IncidentKey),
    /// A time in which something was wrong without an incident of a paging system.
    Outage(Outage),
}

/// A time in which a service was unhealthy or an alert fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// The name of the alert or the service.
    pub title: Text,
    /// The monitored service, if there is one.
    pub service: Option<Text>,
    pub from: Timestamp,
    /// Its end; `None` if it lasts.
    pub until: Option<Timestamp>,
    /// Whether it is counted from the beginning of an alert; otherwise the user gave the time.
    pub is_alerted: bool,
}

/// What a page about causes was opened for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhySubject {
    Service(Text),
    Alert(Fingerprint),
    Slo(SloKey),
    Incident(IncidentKey),
}

/// What a page about causes is about: its subject, and the question about the subject's service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhyTarget {
    pub subject: WhySubject,
    pub wanted: Arc<WhyQuery>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SilenceKey {
    pub id: Text,
    /// The first source that lists it.
    pub source: SourceId,
}

impl SilenceKey {
    /// The silence with the changes of running actions, if its source still lists it.
    pub fn silence(&self, world: &World) -> Option<Arc<Silence>> {
        let mut all = world.shown_silences();
        all.find(|(one, _)| one.id == self.id && one.source == self.source).map(|(one, _)| one)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyKey {
    pub source: SourceId,
    pub id: Text,
}

impl PolicyKey {
    /// The policy and the on-call data of its source, if the source still lists the policy.
    pub fn policy<'a>(&self, world: &'a World) -> Option<(&'a OnCallSnapshot, &'a EscalationPolicy)> {
        let snapshot = world.cache(&self.source)?.on_call().value()?;
        Some((snapshot, snapshot.policies.iter().find(|policy| policy.named.id == self.id)?))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LevelKey {
    pub policy: PolicyKey,
    /// The number of the level, from 1.
    pub level: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DashboardKey {
    pub source: SourceId,
    pub uid: Text,
}

impl DashboardKey {
    /// Its entry in the list of its source, if that has been read.
    pub fn entry<'a>(&self, world: &'a World) -> Option<&'a Arc<DashboardEntry>> {
        let list = world.cache(&self.source)?.dashboards().value()?;
        list.entries.iter().find(|entry| entry.uid == self.uid)
    }
}

/// A dashboard to open, and what to show of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DashboardTarget {
    pub key: DashboardKey,
    /// The panel to open on the whole screen.
    pub panel: Option<u32>,
    /// Values of variables instead of the dashboard's own: name and values. Names that are no variables of the
    /// dashboard are ignored.
    pub variables: Vec<(Text, Vec<Text>)>,
    /// Whether all sections are open.
    pub is_unfolded: bool,
}

impl DashboardTarget {
    /// A dashboard as it is defined.
    pub fn of(key: DashboardKey) -> Self {
        Self { key, panel: None, variables: Vec::new(), is_unfolded: false }
    }
}
