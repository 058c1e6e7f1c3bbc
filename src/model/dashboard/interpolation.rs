//! Variables in texts and queries: `$x`, `${x}`, `${x:format}`, `${x.field}`, `[[x]]`, with the current values and Grafana's
//! built-in variables. What has no value stays as it is written.

pub mod built_in;
pub mod depends;
pub mod format;
pub mod query_json;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::variable::{ALL, Variable};
use crate::model::labels::Text;
use built_in::BuiltIns;
use format::{VariableFormat, formatted};

/// The current value of a variable.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VariableState {
    pub name: Text,
    /// Text and value of each chosen option; of all options if all are chosen.
    pub chosen: Vec<(Text, Text)>,
    /// Whether all are chosen.
    pub is_all: bool,
    /// What "all" stands for, if it is not all values; it is not escaped and may hold variables.
    pub all_value: Option<Text>,
    /// Whether several can be chosen (`multi`, `includeAll`): the values are written as a regular expression.
    pub is_multi: bool,
}

impl VariableState {
    /// One value that is its own text, as that of a constant or of a repeat.
    pub fn one(name: impl Into<Text>, text: impl Into<Text>, value: impl Into<Text>) -> Self {
        Self { name: name.into(), chosen: vec![(text.into(), value.into())], ..Self::default() }
    }

    /// The state of a variable for these chosen values; `options` are text and value of all. `$__all` chooses all.
    pub fn of(variable: &Variable, chosen: &[Text], options: &[(Text, Text)]) -> Self {
        let is_all = chosen.iter().any(|value| **value == *ALL);
        let text_of = |value: &Text| {
            let option = options.iter().find(|(_, option)| option == value);
            option.map_or_else(|| (value.clone(), value.clone()), Clone::clone)
        };
        Self {
            name: variable.name.clone(),
            chosen: if is_all {
                options.iter().filter(|(_, value)| **value != *ALL).cloned().collect()
            } else {
                chosen.iter().map(text_of).collect()
            },
            is_all,
            all_value: variable.all_value.clone().filter(|value| !value.is_empty()),
            is_multi: variable.is_multi || variable.includes_all,
        }
    }

    /// `All`, or the texts joined with ` + `.
    pub fn shown(&self) -> String {
        if self.is_all {
            return "All".to_owned();
        }
        self.chosen.iter().map(|(text, _)| &**text).collect::<Vec<_>>().join(" + ")
    }
}

/// The current variables of a dashboard.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Interpolation {
    states: Vec<VariableState>,
    built_ins: Option<BuiltIns>,
}

/// How deep variables in values of variables are followed.
const MAX_DEPTH: u8 = 6;
/// The most text that one replacement makes, in bytes; more is cut.
const MAX_LENGTH: usize = 4 * 1024 * 1024;

impl Interpolation {
    /// With these values; of the same name, the last counts.
    pub fn new(states: Vec<VariableState>, built_ins: Option<BuiltIns>) -> Self {
        Self { states, built_ins }
    }

    /// As this, with a value for a repeat or a row of a table.
    #[must_use]
    pub fn with(&self, state: VariableState) -> Self {
        let mut out = self.clone();
        out.states.push(state);
        out
    }

    /// As this, without values of time: they stay as they are written, for who knows the interval of each query.
    #[must_use]
    pub fn without_time(&self) -> Self {
        let built_ins = self.built_ins.clone().map(BuiltIns::without_time);
        Self { states: self.states.clone(), built_ins }
    }

    pub fn state(&self, name: &str) -> Option<&VariableState> {
        self.states.iter().rev().find(|state| *state.name == *name)
    }

    /// A title or other text for people: the texts of the values.
    pub fn title(&self, text: &str) -> String {
        self.replace(text, VariableFormat::Text)
    }

    /// A link: values are encoded.
    pub fn link(&self, url: &str) -> String {
        self.replace(url, VariableFormat::PercentEncode)
    }

    /// A text with the values in this format, unless the text names another one.
    pub fn replace(&self, text: &str, default: VariableFormat) -> String {
        self.replaced(text, default, 0)
    }

    fn replaced(&self, text: &str, default: VariableFormat, depth: u8) -> String {
        replace_references(text, |reference| self.value(&reference, default, depth))
    }

    fn value(&self, reference: &VariableReference<'_>, default: VariableFormat, depth: u8) -> Option<String> {
        let (named, arguments) = match reference.format {
            Some(format) => VariableFormat::from_name(format),
            None => (None, ""),
        };
        let format = named.unwrap_or(if reference.format.is_some() { VariableFormat::Glob } else { default });
        if let Some(state) = self.state(reference.name) {
            let all_value = state.all_value.as_deref().filter(|_| state.is_all);
            if let Some(all) = all_value.filter(|_| depth < MAX_DEPTH) {
                return Some(match format {
                    VariableFormat::Text => "All".to_owned(),
                    VariableFormat::QueryParam => format!("var-{}=All", state.name),
                    VariableFormat::PercentEncode => {
                        format::percent_encoded(&self.replaced(all, format, depth + 1))
                    }
                    VariableFormat::Glob
                    | VariableFormat::Raw
                    | VariableFormat::Regex
                    | VariableFormat::Pipe
                    | VariableFormat::Csv
                    | VariableFormat::Json
                    | VariableFormat::Html
                    | VariableFormat::Distributed
                    | VariableFormat::SingleQuote
                    | VariableFormat::DoubleQuote
                    | VariableFormat::SqlString
                    | VariableFormat::Date
                    | VariableFormat::Lucene
                    | VariableFormat::Prometheus
                    | VariableFormat::Loki
                    | VariableFormat::Sql => self.replaced(all, format, depth + 1),
                });
            }
            return Some(formatted(state, format, arguments));
        }
        self.built_ins.as_ref().and_then(|built_ins| {
            built_ins.value(
                reference.name,
                reference.path,
                named.map(|format| (format, arguments)),
                &self.states,
            )
        })
    }
}

/// A variable in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VariableReference<'a> {
    pub name: &'a str,
    /// `labels.job` of `${__field.labels.job}`.
    pub path: Option<&'a str>,
    /// `date:YYYY` of `${x:date:YYYY}`.
    pub format: Option<&'a str>,
    /// As it is written.
    pub written: &'a str,
}

static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    let word = "[A-Za-z0-9_]+";
    let pattern = format!(
        r"\$({word})|\[\[({word})(?:\.([^:\]]+))?(?::([A-Za-z0-9_]+))?\]\]|\$\{{({word})(?:[.]([^:}}]+))?(?::([^}}]+))?\}}"
    );
    Regex::new(&pattern).expect("a constant regular expression")
});

fn reference<'a>(captures: &Captures<'a>) -> Option<VariableReference<'a>> {
    let group = |index: usize| captures.get(index).map(|found| found.as_str());
    let written = group(0)?;
    let name = group(1).or_else(|| group(2)).or_else(|| group(5))?;
    let (path, format) = (group(3).or_else(|| group(6)), group(4).or_else(|| group(7)));
    Some(VariableReference { name, path, format, written })
}

/// All variables in a text.
pub fn references(text: &str) -> Vec<VariableReference<'_>> {
    REFERENCE.captures_iter(text).filter_map(|captures| reference(&captures)).collect()
}

/// A text with its variables replaced; what has no value stays as it is written.
pub fn replace_references(
    text: &str,
    mut value: impl FnMut(VariableReference<'_>) -> Option<String>,
) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    for captures in REFERENCE.captures_iter(text) {
        let Some(found) = reference(&captures) else { continue };
        let Some((before, after)) = rest.split_once(found.written) else { continue };
        out.push_str(before);
        rest = after;
        if out.len() > MAX_LENGTH {
            return out;
        }
        match value(found) {
            Some(value) => out.push_str(&value),
            None => out.push_str(found.written),
        }
    }
    out.push_str(rest);
    out
}
