//! What keys and menus of actions lead to. Nothing is sent here.

use std::time::Duration;

use super::identity::{IncidentKey, LevelKey, SilenceKey};
use crate::model::action::{EntityRef, OperationKind};
use crate::model::fingerprint::Fingerprint;
use crate::model::operation::{Argument, Arguments};
use crate::model::source::SourceId;

/// What is wanted, bound to what the person pointed at when the key was pressed or the menu opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// An operation; what is missing of it is chosen or typed next.
    Operate(PartialOperation),
    /// Choosing whom to page about incidents: a level, a person or a policy.
    Page(Vec<IncidentKey>),
    /// Silencing alerts for this long, at first.
    Silence(Vec<Fingerprint>, Duration),
    /// Writing a silence from nothing.
    NewSilence,
    /// Changing a silence.
    EditSilence(SilenceKey),
    /// Making a silence once more.
    SilenceAgain(SilenceKey),
    /// Going to the list of silences.
    Silences,
    /// Reading what was done so far.
    Results,
}

impl Intent {
    /// What the operation of a key or of a menu does to incidents.
    pub fn on_incidents(kind: OperationKind, keys: Vec<IncidentKey>) -> Self {
        if kind == OperationKind::Escalate {
            return Self::Page(keys);
        }
        Self::Operate(PartialOperation::on(kind, Objects::Incidents(keys)))
    }
}

/// An operation of which not everything is known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartialOperation {
    /// What is to be done.
    pub kind: OperationKind,
    pub objects: Objects,
    /// The values of its parameters, as far as they are known.
    pub given: Arguments,
}

/// To what something is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objects {
    Incidents(Vec<IncidentKey>),
    Silences(Vec<SilenceKey>),
    /// A level of a policy, for its turn.
    Level(LevelKey),
    /// A service of a paging system, once it is chosen.
    Service(Option<(SourceId, EntityRef)>),
}

impl PartialOperation {
    /// With nothing known but to what it is done.
    pub fn on(kind: OperationKind, objects: Objects) -> Self {
        Self { kind, objects, given: Arguments::default() }
    }

    /// The same with a value.
    #[must_use]
    pub fn with(self, name: &'static str, value: impl Into<Argument>) -> Self {
        Self { given: self.given.and(name, value), ..self }
    }
}
