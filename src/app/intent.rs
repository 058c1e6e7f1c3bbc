//! The intents that keys and menus of actions create. Nothing is sent here.

use std::time::Duration;

use super::identity::{IncidentKey, LevelKey, SilenceKey};
use crate::model::action::{EntityRef, OperationKind};
use crate::model::fingerprint::Fingerprint;
use crate::model::operation::{Argument, Arguments};
use crate::model::source::SourceId;

/// What the user wants to do, bound to the selection when the key was pressed or the menu was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// An operation; its missing parameters are asked next.
    Operate(PartialOperation),
    /// Choose whom to page about incidents: a level, a person or a policy.
    Page(Vec<IncidentKey>),
    /// Silence alerts, with this default duration.
    Silence(Vec<Fingerprint>, Duration),
    EditSilence(SilenceKey),
    SilenceAgain(SilenceKey),
}

impl Intent {
    pub fn on_incidents(kind: OperationKind, keys: Vec<IncidentKey>) -> Self {
        if kind == OperationKind::Escalate {
            return Self::Page(keys);
        }
        Self::Operate(PartialOperation::on(kind, Objects::Incidents(keys)))
    }
}

/// An operation with some parameters still missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartialOperation {
    pub kind: OperationKind,
    pub objects: Objects,
    pub given: Arguments,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objects {
    Incidents(Vec<IncidentKey>),
    Silences(Vec<SilenceKey>),
    /// A level of an escalation policy, whose shift is taken.
    Level(LevelKey),
    /// A service of a paging system; `None` before it is chosen.
    Service(Option<(SourceId, EntityRef)>),
}

impl PartialOperation {
    pub fn on(kind: OperationKind, objects: Objects) -> Self {
        Self { kind, objects, given: Arguments::default() }
    }

    #[must_use]
    pub fn with(self, name: &'static str, value: impl Into<Argument>) -> Self {
        Self { given: self.given.and(name, value), ..self }
    }
}
