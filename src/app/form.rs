//! A few lines to fill in before something can be confirmed: a note, a silence, a status update, a call for help, an incident.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::identity::IncidentKey;
use super::intent::{Objects, PartialOperation};
use super::key::{Code, Key, NamedKey};
use super::line_editor::LineEditor;
use super::planner::{ActionProposal, Planner};
use super::shared::Shared;
use crate::model::fingerprint::Fingerprint;
use crate::model::incident::Urgency;
use crate::model::labels::Text;
use crate::model::operation::{Argument, ParamKind, fill};

pub(super) mod silence;
mod view;

pub(super) use silence::{SILENCED, Silencing};
pub(super) use view::render;

/// Characters of a title, a comment, a name.
const SHORT: usize = 1024;
/// One line to fill in.
#[derive(Debug, Clone)]
pub struct Field {
    pub name: &'static str,
    /// What stands in it.
    pub line: LineEditor,
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
        let line = LineEditor::of(text).limited(limit.saturating_mul(4));
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
            self.line = LineEditor::of(choice).limited(self.limit);
        }
    }
}

/// What a form is for.
#[derive(Debug, Clone)]
pub enum FormKind {
    /// The texts of an operation.
    Operation(PartialOperation),
    Silence(Box<Silencing>),
}

/// Lines that are being filled in.
#[derive(Debug, Clone)]
pub struct ActionForm {
    pub kind: FormKind,
    /// What it is called.
    pub title: String,
    /// The lines.
    pub fields: Vec<Field>,
    /// The one with the keyboard.
    pub at: usize,
    /// The comment: why it could not go on, the last time it was tried.
    pub error: Option<String>,
}

impl ActionForm {
    fn new(kind: FormKind, title: String, fields: Vec<Field>, at: usize) -> Self {
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
            Code::Named(NamedKey::Tab) if key.shift => self.at = (self.at + count - 1) % count,
            Code::Named(NamedKey::Up) => self.at = (self.at + count - 1) % count,
            Code::Named(NamedKey::Tab | NamedKey::Down) => self.at = (self.at + 1) % count,
            Code::Named(_) | Code::Char(_) => {
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
            || "incident no longer listed".to_owned(),
            |known| super::planner::called(known).to_string(),
        ),
        many => format!("{} incidents", many.len()),
    }
}

/// The form for the texts of an operation.
pub(super) fn of(shared: &Shared, wanted: PartialOperation) -> ActionForm {
    let spec = wanted.kind.spec();
    let filled = |template: &str| {
        fill(template, |name| match (name, &wanted.objects) {
            ("things", Objects::Incidents(keys)) => named(shared, keys),
            ("target", Objects::Service(Some((source, service)))) => format!("{} at {source}", service.name),
            (_, Objects::Incidents(_) | Objects::Silences(_) | Objects::Level(_) | Objects::Service(_)) => {
                wanted.given.find(name).map(Argument::words).unwrap_or_default()
            }
        })
    };
    let fields = spec.params.iter().filter(|param| param.kind.is_typed()).map(|param| {
        let given = wanted.given.find(param.name).map(Argument::words);
        let text = given.unwrap_or_else(|| filled(param.default));
        let limit = if let ParamKind::Text(most) = param.kind { most } else { SHORT };
        let choices: &[&str] = if param.kind == ParamKind::Urgency { &["low", "high"] } else { &[] };
        Field { is_optional: param.is_optional, ..Field::new(param.label, &text, limit).choices(choices) }
    });
    let (fields, title) = (fields.collect(), filled(spec.form));
    ActionForm::new(FormKind::Operation(wanted), title, fields, 0)
}

/// What the form asks for.
pub(super) fn planned(
    shared: &Shared,
    form: &ActionForm,
    now: Timestamp,
) -> Result<(ActionProposal, BTreeSet<Fingerprint>), Text> {
    let mut wanted = match &form.kind {
        FormKind::Silence(silencing) => {
            let planned = silence::planned(shared, form, silencing, now)?;
            return Ok((planned, silencing.marked.clone()));
        }
        FormKind::Operation(wanted) => wanted.clone(),
    };
    let typed = wanted.kind.spec().params.iter().filter(|param| param.kind.is_typed());
    for (param, field) in typed.zip(&form.fields) {
        let is_urgency = param.kind == ParamKind::Urgency;
        let value: Argument = match field.text() {
            "high" if is_urgency => Urgency::High.into(),
            "low" if is_urgency => Urgency::Low.into(),
            _ if is_urgency => return Err("urgency is high or low".into()),
            text => Text::from(text).into(),
        };
        wanted = wanted.with(param.name, value);
    }
    Planner::of(shared).plan(&wanted, now).map(|planned| (planned, BTreeSet::new()))
}
