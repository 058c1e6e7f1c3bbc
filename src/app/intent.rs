//! What the menus of actions offer to do. Nothing is sent here.

use std::time::Duration;

use jiff::Timestamp;

use super::identity::{IncidentKey, LevelKey, SilenceKey};
use crate::model::action::{EntityRef, Operation};
use crate::model::fingerprint::Fingerprint;
use crate::model::source::SourceId;

/// Something that a menu offers to do, bound to what the person pointed at when it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// A operation on incidents.
    Do(Vec<IncidentKey>, Operation),
    /// Choosing whom to wake.
    Escalate(Vec<IncidentKey>),
    /// Choosing how long to rest.
    Snooze(Vec<IncidentKey>),
    /// Choosing a priority.
    Priority(Vec<IncidentKey>),
    /// Choosing an incident to merge into.
    Merge(Vec<IncidentKey>),
    /// Choosing whom to ask for help.
    Help(Vec<IncidentKey>),
    /// Writing to somebody who is asked for help.
    AddResponder(Vec<IncidentKey>, EntityRef),
    /// Writing a note.
    Note(Vec<IncidentKey>),
    /// Writing a status update.
    StatusUpdate(Vec<IncidentKey>),
    /// Silencing alerts for this long, at first.
    Silence(Vec<Fingerprint>, Duration),
    /// Choosing a service to open an incident about; its title, at first.
    Trigger(String),
    /// Writing an incident about a service.
    Open(SourceId, EntityRef, String),
    /// Choosing until when to take a turn.
    Turn(LevelKey),
    /// Taking a turn until a moment.
    Take(LevelKey, Timestamp),
    /// Choosing by how much to extend silences.
    Extend(Vec<SilenceKey>),
    /// Extending silences by this much.
    ExtendBy(Vec<SilenceKey>, Duration),
    /// ActionResult silences.
    Expire(Vec<SilenceKey>),
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
