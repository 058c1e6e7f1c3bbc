//! A few lines to fill in before something can be confirmed: a note, a silence, a status update, a call for help, an incident.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::identity::IncidentKey;
use super::key::{Code, Key, Named};
use super::line::Line;
use super::planner::{Planned, Planner};
use super::shared::Shared;
use crate::model::action::{EntityRef, Operation};
use crate::model::fingerprint::Fingerprint;
use crate::model::incident::Urgency;
use crate::model::labels::Text;
use crate::model::source::SourceId;
use crate::model::world::Linked;

pub(super) mod silence;
mod view;

pub(super) use silence::{SILENCED, Silencing};
pub(super) use view::render;

/// Characters that a note may have.
const NOTE: usize = 2000;
/// Characters of a title, a comment, a name.
const SHORT: usize = 1024;
/// One line to fill in.
#[derive(Debug, Clone)]
pub struct Field {
    /// What it is.
    pub name: &'static str,
    /// What stands in it.
    pub line: Line,
    /// Characters that it may have.
    pub limit: usize,
    /// What `+` and `-` go through; empty: they are typed.
    choices: &'static [&'static str],
    /// Whether it may stay empty.
    pub(super) is_optional: bool,
}

impl Field {
    fn new(name: &'static str, text: &str, limit: usize) -> Self {
        // a character has four bytes at most
        let line = Line::of(text).limited(limit.saturating_mul(4));
        Self { name, line, limit, choices: &[], is_optional: false }
    }

    fn choices(mut self, choices: &'static [&'static str]) -> Self {
        self.choices = choices;
        self
    }

    fn optional(mut self) -> Self {
        self.is_optional = true;
        self
    }

    /// Whether `+` and `-` choose in it.
    fn has_choices(&self) -> bool {
        !self.choices.is_empty()
    }

    pub(super) fn text(&self) -> &str {
        self.line.text().trim()
    }

    fn length(&self) -> usize {
        self.line.text().chars().count()
    }

    /// The next choice, or the one before.
    fn choose(&mut self, by: isize) {
        let at = self.choices.iter().position(|choice| *choice == self.text());
        let next = match at {
            Some(at) => at.saturating_add_signed(by),
            None => self.choices.len() / 2,
        };
        if let Some(choice) = self.choices.get(next.min(self.choices.len().saturating_sub(1))) {
            self.line = Line::of(choice).limited(self.limit);
        }
    }
}

/// What a form is for.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A note to incidents.
    Note(Vec<IncidentKey>),
    /// A status update on incidents.
    StatusUpdate(Vec<IncidentKey>),
    /// A call for help with incidents.
    AddResponder(Vec<IncidentKey>, EntityRef),
    /// A new incident about a service.
    Trigger(SourceId, EntityRef),
    /// A silence.
    Silence(Box<Silencing>),
}

/// Lines that are being filled in.
#[derive(Debug, Clone)]
pub struct Form {
    /// What for.
    pub kind: Kind,
    /// What it is called.
    pub title: String,
    /// The lines.
    pub fields: Vec<Field>,
    /// The one with the keyboard.
    pub at: usize,
    /// Why it could not go on, the last time it was tried.
    pub error: Option<String>,
}

impl Form {
    fn new(kind: Kind, title: String, fields: Vec<Field>, at: usize) -> Self {
        Self { kind, title, fields, at, error: None }
    }

    fn text(&self, name: &str) -> &str {
        self.fields.iter().find(|field| field.name == name).map_or("", Field::text)
    }

    fn current(&mut self) -> Option<&mut Field> {
        self.fields.get_mut(self.at)
    }

    /// Puts pasted text into the current line.
    pub(super) fn paste(&mut self, text: &str) {
        self.error = None;
        if let Some(field) = self.current() {
            let room = field.limit.saturating_sub(field.length());
            let fitting: String = text.chars().take(room).collect();
            field.line.insert(&fitting);
        }
    }

    /// Takes a key that is for the lines; moves between them or types.
    pub(super) fn take(&mut self, key: Key) {
        let count = self.fields.len().max(1);
        match key.code {
            Code::Named(Named::Tab) if key.shift => self.at = (self.at + count - 1) % count,
            Code::Named(Named::Up) => self.at = (self.at + count - 1) % count,
            Code::Named(Named::Tab | Named::Down) => self.at = (self.at + 1) % count,
            _ => {
                self.error = None;
                let Some(field) = self.current() else { return };
                match key.typed() {
                    Some('+') if field.has_choices() => field.choose(1),
                    Some('-') if field.has_choices() => field.choose(-1),
                    Some(_) if field.length() >= field.limit => {}
                    _ => {
                        field.line.take(key);
                    }
                }
            }
        }
    }
}

fn named(shared: &Shared, keys: &[IncidentKey]) -> String {
    match keys {
        [one] => one.incident(&shared.world).map_or_else(
            || "an incident that is gone".to_owned(),
            |known| super::planner::called(known).to_string(),
        ),
        many => format!("{} incidents", many.len()),
    }
}

/// A note to incidents.
pub(super) fn note(shared: &Shared, keys: Vec<IncidentKey>) -> Form {
    let title = format!("Note to {}", named(shared, &keys));
    Form::new(Kind::Note(keys), title, vec![Field::new("note", "", NOTE)], 0)
}

/// A status update on incidents.
pub(super) fn status_update(shared: &Shared, keys: Vec<IncidentKey>) -> Form {
    let title = format!("Status update on {}", named(shared, &keys));
    Form::new(Kind::StatusUpdate(keys), title, vec![Field::new("message", "", SHORT)], 0)
}

/// A call for help with incidents.
pub(super) fn add_responder(shared: &Shared, keys: Vec<IncidentKey>, whom: EntityRef) -> Form {
    let title = format!("Ask {} for help with {}", whom.name, named(shared, &keys));
    let message = format!("Please help with {}", named(shared, &keys));
    Form::new(Kind::AddResponder(keys, whom), title, vec![Field::new("message", &message, SHORT)], 0)
}

/// A new incident about a service.
pub(super) fn trigger(source: SourceId, service: EntityRef, title: &str) -> Form {
    let fields = vec![
        Field::new("title", title, SHORT),
        Field::new("details", "", NOTE).optional(),
        Field::new("urgency", "high", SHORT).choices(&["low", "high"]),
    ];
    let heading = format!("Open an incident about {} at {source}", service.name);
    Form::new(Kind::Trigger(source, service), heading, fields, 0)
}

/// What the form asks for.
pub(super) fn planned(
    shared: &Shared,
    form: &Form,
    now: Timestamp,
) -> Result<(Planned, BTreeSet<Fingerprint>), Text> {
    let planner = Planner::of(shared);
    let known = |keys: &[IncidentKey]| -> Vec<&Linked> {
        keys.iter().filter_map(|key| key.incident(planner.world)).collect()
    };
    let gone = || Text::from("what it is for is gone");
    let on = |keys: &[IncidentKey], operation: Operation| {
        let known = known(keys);
        if known.is_empty() { Err(gone()) } else { planner.on_incidents(&known, &operation) }
    };
    let planned = match &form.kind {
        Kind::Note(keys) => on(keys, Operation::Note { content: form.text("note").into() }),
        Kind::StatusUpdate(keys) => {
            on(keys, Operation::StatusUpdate { message: form.text("message").into() })
        }
        Kind::AddResponder(keys, whom) => {
            let message = form.text("message").into();
            on(keys, Operation::AddResponder { people: vec![whom.clone()], message })
        }
        Kind::Trigger(source, service) => {
            let urgency = match form.text("urgency") {
                "high" => Urgency::High,
                "low" => Urgency::Low,
                _ => return Err("urgency is high or low".into()),
            };
            let (title, details) = (Text::from(form.text("title")), form.text("details").into());
            // the same again within a minute is the same incident, not a second page
            let key = format!("burnwatch/{}/{title}/{}", service.id, now.as_second() / 60).into();
            planner.trigger(source, service, &Operation::Trigger { title, details, urgency, key })
        }
        Kind::Silence(silencing) => {
            let planned = silence::planned(shared, form, silencing, now)?;
            return Ok((planned, silencing.marked.clone()));
        }
    };
    planned.map(|planned| (planned, BTreeSet::new()))
}
