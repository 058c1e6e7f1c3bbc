//! Checks whether a TOML table conforms to a JSON schema. Reports all violations with positions; serde would stop at the first.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::duration;

use super::nearest::{hint, nearest};
use super::settings::ConfigDuration;

/// A value that does not conform to the schema.
pub(super) struct SchemaViolation {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    /// If the value at this path is removed, the rest may conform.
    pub(super) path: Vec<String>,
}

/// All violations of `schema` in `table`.
pub(super) fn schema_violations(schema: &Value, table: &DeTable<'_>) -> Vec<SchemaViolation> {
    let mut walk = SchemaWalk {
        root: schema,
        path: Vec::new(),
        needed: Vec::new(),
        in_list: false,
        others: (0, Vec::new()),
        found: Vec::new(),
    };
    walk.table(&[schema], table, 0..0);
    walk.found
}

struct SchemaWalk<'s> {
    root: &'s Value,
    path: Vec<String>,
    /// For each name of the path, whether its table requires it.
    needed: Vec<bool>,
    /// Whether the current value is an entry of the list at `path`.
    in_list: bool,
    /// While in a table of one kind: its depth, and the schemas of the other kinds.
    others: (usize, Vec<&'s Value>),
    found: Vec<SchemaViolation>,
}

impl<'s> SchemaWalk<'s> {
    fn say(&mut self, span: Range<usize>, message: String) {
        let kept = self.needed.iter().rposition(|is_needed| !is_needed).map_or(0, |last| last + 1);
        self.found.push(SchemaViolation {
            span,
            message,
            path: self.path.iter().take(kept).cloned().collect(),
        });
    }

    /// Descends into the value of a key.
    fn below(&mut self, name: &str, is_needed: bool, walk: impl FnOnce(&mut Self)) {
        self.path.push(name.to_owned());
        self.needed.push(is_needed);
        let in_list = std::mem::take(&mut self.in_list);
        walk(self);
        self.in_list = in_list;
        self.path.pop();
        self.needed.pop();
    }

    /// The possible schemas of a value, with references and alternatives resolved.
    fn choices(&self, schema: &'s Value) -> Vec<&'s Value> {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let target = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            return target.map_or_else(Vec::new, |target| self.choices(target));
        }
        match ["anyOf", "oneOf"].iter().find_map(|key| schema.get(key)?.as_array()) {
            Some(list) => list.iter().flat_map(|choice| self.choices(choice)).collect(),
            None => vec![schema],
        }
    }

    /// Checks a value that may conform to any of these schemas.
    fn value(&mut self, schemas: &[&'s Value], value: &Spanned<DeValue<'_>>) {
        let mut choices: Vec<&'s Value> = Vec::new();
        for choice in schemas.iter().flat_map(|schema| self.choices(schema)) {
            if !choices.contains(&choice) {
                choices.push(choice);
            }
        }
        let fitting: Vec<&Value> =
            choices.iter().copied().filter(|choice| fits_type(choice, value.get_ref())).collect();
        let Some(first) = fitting.first() else {
            let wanted: BTreeSet<String> = choices.iter().flat_map(|choice| wanted(choice)).collect();
            let wanted = wanted.into_iter().collect::<Vec<_>>().join(" or ");
            let message = format!("{} must be {wanted}, not {}", self.name(), what(value.get_ref()));
            return self.say(value.span(), message);
        };
        match value.get_ref() {
            DeValue::Table(table) if fitting.iter().all(|choice| tag(choice).is_some()) => {
                self.of_a_kind(&fitting, table, value.span());
            }
            DeValue::Table(table) if fitting.len() > 1 => self.one_of(&fitting, table, value.span()),
            DeValue::Table(table) => self.table(&fitting, table, value.span()),
            DeValue::Array(list) => {
                if let Some(items) = first.get("items") {
                    self.in_list = true;
                    for item in list {
                        self.value(&[items], item);
                    }
                    self.in_list = false;
                }
            }
            DeValue::String(text) => self.text(&fitting, text, value.span()),
            DeValue::Integer(number) => {
                let is_unsigned = first.get("minimum").and_then(Value::as_f64) == Some(0.0);
                if is_unsigned && number.as_str().starts_with('-') {
                    self.say(value.span(), format!("{} must not be below 0", self.name()));
                }
            }
            DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
        }
    }

    /// Checks a table whose `kind` selects the schema; if the kind is unknown, keys of all kinds are accepted.
    fn of_a_kind(&mut self, kinds: &[&'s Value], table: &DeTable<'_>, span: Range<usize>) {
        let said = table.get(KIND).and_then(|kind| kind.get_ref().as_str());
        let (own, others): (Vec<&Value>, Vec<&Value>) = kinds.iter().partition(|kind| tag(kind) == said);
        if own.is_empty() {
            return self.table(kinds, table, span);
        }
        let outside = std::mem::replace(&mut self.others, (self.path.len(), others));
        self.table(&own, table, span);
        self.others = outside;
    }

    fn text(&mut self, choices: &[&Value], text: &str, span: Range<usize>) {
        let words: Vec<&str> = choices
            .iter()
            .flat_map(|choice| {
                let listed = choice.get("enum").and_then(Value::as_array).into_iter().flatten();
                listed.chain(choice.get("const")).filter_map(Value::as_str)
            })
            .collect();
        if !words.is_empty() && !words.contains(&text) {
            let message = format!("{} cannot be `{text}`{}", self.name(), hint(text, words));
            self.say(span, message);
        } else if choices.iter().any(|choice| choice.get("pattern") == Some(&ConfigDuration::PATTERN.into()))
            && let Err(error) = duration::parse(text)
        {
            self.say(span, format!("{}: {error}", self.name()));
        }
    }

    /// Checks a table that may conform to any of these schemas.
    fn table(&mut self, schemas: &[&'s Value], table: &DeTable<'_>, span: Range<usize>) {
        let required =
            |name: &str| schemas.iter().all(|schema| required(schema).any(|needed| needed == name));
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let named: Vec<&Value> = schemas.iter().filter_map(|schema| property(schema, name)).collect();
            if named.is_empty() {
                let known =
                    schemas.iter().filter_map(|schema| schema.get("properties")?.as_object()).flatten();
                self.unknown(name, key.span(), false, known.map(|(name, _)| name));
            } else {
                self.below(name, required(name), |walk| walk.value(&named, value));
            }
        }
        let lacking = schemas.first().into_iter().flat_map(|schema| self::required(schema));
        for name in lacking.filter(|name| required(name) && !table.contains_key(*name)) {
            self.say(span.clone(), format!("{} lacks `{name}`", self.section()));
        }
    }

    /// Checks a table in which exactly one key must be present: `{ env = ... }` or `{ file = ... }`.
    fn one_of(&mut self, choices: &[&'s Value], table: &DeTable<'_>, span: Range<usize>) {
        let known: Vec<(&String, &'s Value)> =
            choices.iter().filter_map(|choice| choice.get("properties")?.as_object()).flatten().collect();
        let quoted =
            |names: Vec<&str>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let mut chosen = Vec::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            match known.iter().find(|(known, _)| *known == name) {
                Some((_, schema)) => {
                    chosen.push(name);
                    self.below(name, true, |walk| walk.value(&[schema], value));
                }
                None => self.unknown(name, key.span(), true, known.iter().map(|(name, _)| *name)),
            }
        }
        match chosen.len() {
            1 => {}
            0 if !table.is_empty() => {}
            0 => {
                let names = quoted(known.iter().map(|(name, _)| name.as_str()).collect());
                self.say(span, format!("{} lacks one of {names}", self.section()));
            }
            _ => {
                let message = format!("{} has {}; keep one of them", self.section(), quoted(chosen));
                self.say(span, message);
            }
        }
    }

    /// Reports an unknown key. `is_needed`: the table is invalid without a key in its place.
    fn unknown<'k>(
        &mut self,
        name: &str,
        span: Range<usize>,
        is_needed: bool,
        known: impl Iterator<Item = &'k String>,
    ) {
        let known: Vec<&str> = known.map(String::as_str).collect();
        let place = if self.path.is_empty() { String::new() } else { format!(" in {}", self.section()) };
        let elsewhere = self.path.is_empty().then(|| self.section_with(name)).flatten();
        let kinds = self.kinds_with(name).join(" and ");
        let hint = match (nearest(name, known.iter().copied()), elsewhere) {
            _ if !kinds.is_empty() => format!("; `{name}` is an option of {kinds}"),
            (None, Some(section)) => format!("; it belongs in [{section}]"),
            _ => hint(name, known),
        };
        let message = format!("unknown key `{name}`{place}{hint}");
        self.below(name, is_needed, |walk| walk.say(span, message));
    }

    /// The other kinds that have this key at the same position.
    fn kinds_with(&self, name: &str) -> Vec<&'s str> {
        let (depth, others) = &self.others;
        let Some(path) = self.path.get(*depth..) else { return Vec::new() };
        let knows = |kind: &'s Value| {
            let steps = path.iter().map(String::as_str).chain([name]);
            let last = steps.fold(vec![kind], |schemas, step| {
                let choices = schemas.into_iter().flat_map(|schema| self.choices(schema));
                choices.filter_map(|choice| choice.get("properties")?.get(step)).collect()
            });
            !last.is_empty()
        };
        others.iter().copied().filter(|kind| knows(kind)).filter_map(tag).collect()
    }

    /// The top-level section that has this key.
    fn section_with(&self, name: &str) -> Option<&'s str> {
        let sections = self.root.get("properties")?.as_object()?;
        let mut knowing = sections.iter().filter(|(_, schema)| {
            self.choices(schema).iter().any(|choice| {
                choice.get("properties").is_some_and(|properties| properties.get(name).is_some())
            })
        });
        knowing.next().map(|(section, _)| section.as_str())
    }

    /// The current table for messages: `[sources.prom]`.
    fn section(&self) -> String {
        if self.path.is_empty() { "the file".to_owned() } else { format!("[{}]", self.path.join(".")) }
    }

    /// The current value for messages: `` `url` in [sources.prom] ``.
    fn name(&self) -> String {
        let entry = if self.in_list { "an entry of " } else { "" };
        match self.path.split_last() {
            Some((key, [])) => format!("{entry}`{key}`"),
            Some((key, section)) => format!("{entry}`{key}` in [{}]", section.join(".")),
            None => "the file".to_owned(),
        }
    }
}

/// The key that distinguishes tables of several kinds.
const KIND: &str = "kind";

/// The constant value of `kind` in a schema, if it has one.
fn tag(schema: &Value) -> Option<&str> {
    schema.get("properties")?.get(KIND)?.get("const")?.as_str()
}

/// The schema of this key in a table.
fn property<'s>(schema: &'s Value, name: &str) -> Option<&'s Value> {
    let others = schema.get("additionalProperties").filter(|others| others.is_object());
    schema.get("properties").and_then(|properties| properties.get(name)).or(others)
}

/// The required keys of a table.
fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// The JSON types that a schema without alternatives allows.
fn types(schema: &Value) -> impl Iterator<Item = &str> {
    let one = schema.get("type").and_then(Value::as_str);
    let many = schema.get("type").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    one.into_iter().chain(many)
}

fn fits_type(schema: &Value, value: &DeValue<'_>) -> bool {
    types(schema).any(|name| match value {
        DeValue::String(_) => name == "string",
        DeValue::Integer(_) => matches!(name, "integer" | "number"),
        DeValue::Float(_) => name == "number",
        DeValue::Boolean(_) => name == "boolean",
        DeValue::Array(_) => name == "array",
        DeValue::Table(_) => name == "object",
        DeValue::Datetime(_) => false,
    })
}

fn wanted(schema: &Value) -> impl Iterator<Item = String> {
    let only_key = match schema.get("required").and_then(Value::as_array).map(Vec::as_slice) {
        Some([key]) => key.as_str(),
        _ => None,
    };
    let is_duration = schema.get("pattern") == Some(&ConfigDuration::PATTERN.into());
    types(schema).filter_map(move |name| match (name, only_key) {
        ("string", _) if is_duration => Some("a duration like \"10s\"".to_owned()),
        ("string", _) => Some("a text".to_owned()),
        ("integer", _) => Some("a whole number".to_owned()),
        ("number", _) => Some("a number".to_owned()),
        ("boolean", _) => Some("true or false".to_owned()),
        ("array", _) => Some("a list".to_owned()),
        ("object", Some(key)) => Some(format!("{{ {key} = ... }}")),
        ("object", None) => Some("a table".to_owned()),
        _ => None,
    })
}

fn what(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
