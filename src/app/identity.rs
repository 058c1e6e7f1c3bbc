//! What tells one thing from all others: the keys by which lists, places and actions hold on to it while answers come and go.

use std::sync::Arc;

use crate::model::labels::Text;
use crate::model::oncall::{EscalationPolicy, OnCallBoard};
use crate::model::silence::Silence;
use crate::model::slo::SloStatus;
use crate::model::source::SourceId;
use crate::model::world::{IncidentView, World};

/// What tells one incident from all others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IncidentKey {
    /// What the paging system calls it.
    pub id: Text,
    /// The first source that knows it.
    pub source: SourceId,
}

impl IncidentKey {
    /// Of an incident.
    pub fn of(known: &IncidentView) -> Self {
        Self { id: known.incident.id.clone(), source: known.source().clone() }
    }

    /// The incident, if it is still there.
    pub fn incident<'a>(&self, world: &'a World) -> Option<&'a IncidentView> {
        world.incident(&self.source, &self.id)
    }
}

/// What tells one SLO from all others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SloKey {
    /// What it is called at its source.
    pub id: Text,
    /// The source that measures it.
    pub source: SourceId,
}

impl SloKey {
    pub fn of(status: &SloStatus) -> Self {
        Self { id: status.slo.id.clone(), source: status.source.clone() }
    }

    /// Its status, if it is still there.
    pub fn status<'a>(&self, world: &'a World) -> Option<&'a SloStatus> {
        world.slo(&self.source, &self.id)
    }
}

/// A silence of a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SilenceKey {
    /// What its source calls it.
    pub id: Text,
    /// The first source that tells of it.
    pub source: SourceId,
}

impl SilenceKey {
    /// The silence as it is shown, if it is still there.
    pub fn silence(&self, world: &World) -> Option<Arc<Silence>> {
        let mut all = world.shown_silences();
        all.find(|(one, _)| one.id == self.id && one.source == self.source).map(|(one, _)| one)
    }
}

/// An escalation policy of a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyKey {
    /// The source that tells of it.
    pub source: SourceId,
    /// What it is called there.
    pub id: Text,
}

impl PolicyKey {
    /// What its source says, and the policy, if they are still there.
    pub fn policy<'a>(&self, world: &'a World) -> Option<(&'a OnCallBoard, &'a EscalationPolicy)> {
        let board = world.cache(&self.source)?.on_call().value()?;
        Some((board, board.policies.iter().find(|policy| policy.named.id == self.id)?))
    }
}

/// A level of an escalation policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LevelKey {
    pub policy: PolicyKey,
    /// The level, from 1.
    pub level: u32,
}
