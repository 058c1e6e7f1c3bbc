//! A form with one or more fields, filled in before an action is confirmed: note, silence, status update, responder request,
//! new incident.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::identity::IncidentKey;
use super::intent::{Objects, PartialOperation};
use super::key::{Code, Key, NamedKey};
use super::line_editor::LineEditor;
use super::list::wrapped;
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

/// The maximum length of a title, a comment or a name, in characters.
const SHORT: usize = 1024;
#[derive(Debug, Clone)]
pub struct Field {
    pub name: &'static str,
    pub line: LineEditor,
    /// The maximum length in characters.
    pub limit: usize,
    /// The choices for `+` and `-`; empty: the field is typed.
    choices: &'static [&'static str],
    /// Whether the field may be empty.
    pub(super) is_optional: bool,
}

impl Field {
    fn new(name: &'static str, text: &str, limit: usize) -> Self {
        // a character has at most four bytes
        let line = LineEditor::of(text).limited(limit.saturating_mul(4));
        Self { name, line, limit, choices: &[], is_optional: false }
    }

    fn choices(mut self, choices: &'static [&'static str]) -> Self {
        self.choices = choices;
        self
    }

    /// Whether `+` and `-` change the value.
    fn has_choices(&self) -> bool {
        !self.choices.is_empty()
    }

    pub(super) fn text(&self) -> &str {
        self.line.text().trim()
    }

    fn length(&self) -> usize {
        self.line.text().chars().count()
    }

    /// Selects the next or the previous choice.
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

#[derive(Debug, Clone)]
pub enum FormKind {
    Operation(PartialOperation),
    Silence(Box<Silencing>),
}

#[derive(Debug, Clone)]
pub struct ActionForm {
    pub kind: FormKind,
    pub title: String,
    pub fields: Vec<Field>,
    /// The index of the focused field.
    pub at: usize,
    /// Why the last attempt to continue failed.
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

    /// Inserts pasted text into the focused field.
    pub(super) fn paste(&mut self, text: &str) {
        self.error = None;
        if let Some(field) = self.current() {
            let room = field.limit.saturating_sub(field.length());
            let fitting: String = text.chars().take(room).collect();
            field.line.insert(&fitting);
        }
    }

    /// Handles a key: moves between fields or edits the focused one.
    pub(super) fn take(&mut self, key: Key) {
        let step = |by: isize| wrapped(self.at, by, self.fields.len());
        match key.code {
            Code::Named(NamedKey::Tab) if key.shift => self.at = step(-1),
            Code::Named(NamedKey::Up) => self.at = step(-1),
            Code::Named(NamedKey::Tab | NamedKey::Down) => self.at = step(1),
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

/// The form for the text parameters of an operation.
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
