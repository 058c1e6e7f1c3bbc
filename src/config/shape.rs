//! Does a TOML table fit a JSON schema? All misfits with their places, in words; serde would stop at the first.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::duration;

use super::settings::Span;
use super::sheet::{hint, nearest};

/// Something that does not fit.
pub(super) struct Misfit {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    /// Without what stands here the rest may fit.
    pub(super) path: Vec<String>,
}

/// Everything in `table` that does not fit `schema`.
pub(super) fn misfits(schema: &Value, table: &DeTable<'_>) -> Vec<Misfit> {
    let mut walk =
        Walk { root: schema, path: Vec::new(), needed: Vec::new(), in_list: false, found: Vec::new() };
    walk.table(schema, table, 0..0);
    walk.found
}

struct Walk<'s> {
    root: &'s Value,
    path: Vec<String>,
    /// Of each name of the path, whether what it stands in cannot be without it.
    needed: Vec<bool>,
    /// Whether the present value is an entry of the list at `path`.
    in_list: bool,
    found: Vec<Misfit>,
}

impl<'s> Walk<'s> {
    fn say(&mut self, span: Range<usize>, message: String) {
        let kept = self.needed.iter().rposition(|is_needed| !is_needed).map_or(0, |last| last + 1);
        self.found.push(Misfit { span, message, path: self.path.iter().take(kept).cloned().collect() });
    }

    /// Goes on below a name.
    fn below(&mut self, name: &str, is_needed: bool, walk: impl FnOnce(&mut Self)) {
        self.path.push(name.to_owned());
        self.needed.push(is_needed);
        walk(self);
        self.path.pop();
        self.needed.pop();
    }

    /// The tables and plain values that may stand here, with references and alternatives written out.
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

    fn value(&mut self, schema: &'s Value, value: &Spanned<DeValue<'_>>) {
        let choices = self.choices(schema);
        let fitting: Vec<&Value> =
            choices.iter().copied().filter(|choice| fits_type(choice, value.get_ref())).collect();
        let Some(first) = fitting.first() else {
            let wanted: BTreeSet<String> = choices.iter().flat_map(|choice| wanted(choice)).collect();
            let wanted = wanted.into_iter().collect::<Vec<_>>().join(" or ");
            let message = format!("{} wants {wanted}, not {}", self.name(), what(value.get_ref()));
            return self.say(value.span(), message);
        };
        match value.get_ref() {
            DeValue::Table(table) if fitting.len() > 1 => self.one_of(&fitting, table, value.span()),
            DeValue::Table(table) => self.table(first, table, value.span()),
            DeValue::Array(list) => {
                if let Some(items) = first.get("items") {
                    self.in_list = true;
                    for item in list {
                        self.value(items, item);
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
        } else if choices.iter().any(|choice| choice.get("pattern") == Some(&Span::PATTERN.into()))
            && let Err(error) = duration::parse(text)
        {
            self.say(span, format!("{}: {error}", self.name()));
        }
    }

    fn table(&mut self, schema: &'s Value, table: &DeTable<'_>, span: Range<usize>) {
        let properties = schema.get("properties").and_then(Value::as_object);
        let others = schema.get("additionalProperties").filter(|others| others.is_object());
        let required = || {
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
        };
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            if let Some(schema) = properties.and_then(|properties| properties.get(name)).or(others) {
                self.below(name, required().any(|needed| needed == name), |walk| walk.value(schema, value));
            } else {
                let known = properties.into_iter().flatten().map(|(name, _)| name);
                self.unknown(name, key.span(), known);
            }
        }
        for name in required().filter(|name| !table.contains_key(*name)) {
            self.say(span.clone(), format!("{} lacks `{name}`", self.section()));
        }
    }

    /// A table of which exactly one key says what it is: `{ env = ... }` or `{ file = ... }`.
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
                    self.below(name, true, |walk| walk.value(schema, value));
                }
                None => self.unknown(name, key.span(), known.iter().map(|(name, _)| *name)),
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

    fn unknown<'k>(&mut self, name: &str, span: Range<usize>, known: impl Iterator<Item = &'k String>) {
        let known: Vec<&str> = known.map(String::as_str).collect();
        let place = if self.path.is_empty() { String::new() } else { format!(" in {}", self.section()) };
        let elsewhere = self.path.is_empty().then(|| self.section_with(name)).flatten();
        let hint = match (nearest(name, known.iter().copied()), elsewhere) {
            (None, Some(section)) => format!("; it belongs in [{section}]"),
            _ => hint(name, known),
        };
        let message = format!("unknown key `{name}`{place}{hint}");
        self.below(name, false, |walk| walk.say(span, message));
    }

    /// The top-level section that knows this key.
    fn section_with(&self, name: &str) -> Option<&'s str> {
        let sections = self.root.get("properties")?.as_object()?;
        let mut knowing = sections.iter().filter(|(_, schema)| {
            self.choices(schema).iter().any(|choice| {
                choice.get("properties").is_some_and(|properties| properties.get(name).is_some())
            })
        });
        knowing.next().map(|(section, _)| section.as_str())
    }

    /// The present table: `[sources.prom]`.
    fn section(&self) -> String {
        if self.path.is_empty() { "the file".to_owned() } else { format!("[{}]", self.path.join(".")) }
    }

    /// The present value: `` `url` in [sources.prom] ``.
    fn name(&self) -> String {
        let entry = if self.in_list { "an entry of " } else { "" };
        match self.path.split_last() {
            Some((key, [])) => format!("{entry}`{key}`"),
            Some((key, section)) => format!("{entry}`{key}` in [{}]", section.join(".")),
            None => "the file".to_owned(),
        }
    }
}

/// The JSON types that a plain schema allows.
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
    let is_duration = schema.get("pattern") == Some(&Span::PATTERN.into());
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
