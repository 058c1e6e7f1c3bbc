//! A parsed TOML file that keeps its text and positions, for messages.

use std::fmt;
use std::ops::Range;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::text::{clean, place};

use super::schema_check;

/// One problem in the configuration, with its position.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigProblem {
    /// The file as given, or the flag or variable.
    pub origin: String,
    /// Line and column in the file, both from 1; `None` for a flag or variable.
    pub place: Option<(usize, usize)>,
    /// The problem, and a correction if one can be guessed; one line.
    pub message: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.origin)?;
        if let Some((line, column)) = self.place {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", self.message)
    }
}

/// A parsed file with the positions of its keys and values.
pub(super) struct TomlDocument<'a> {
    origin: String,
    text: &'a str,
    root: Spanned<DeTable<'a>>,
}

impl<'a> TomlDocument<'a> {
    /// Parses the syntax; `origin` is the file name for messages.
    pub(super) fn parse(origin: &str, text: &'a str) -> Result<Self, Vec<ConfigProblem>> {
        let (root, errors) = DeTable::parse_recoverable(text);
        let document = Self { origin: origin.to_owned(), text, root };
        if errors.is_empty() {
            return Ok(document);
        }
        let problem = |error: &toml::de::Error| {
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            document.problem(error.span().unwrap_or(0..0), &message)
        };
        Err(errors.iter().map(problem).collect())
    }

    /// All violations of the schema, in the order of the file, and the paths to remove so that the rest may conform.
    pub(super) fn schema_violations(&self, schema: &Value) -> (Vec<ConfigProblem>, Vec<Vec<String>>) {
        let schema_violations = schema_check::schema_violations(schema, self.root.get_ref());
        let mut problems: Vec<_> = schema_violations
            .iter()
            .map(|violation| self.problem(violation.span.clone(), &violation.message))
            .collect();
        problems.sort();
        (problems, schema_violations.into_iter().map(|violation| violation.path).collect())
    }

    /// A problem at `span`.
    pub(super) fn problem(&self, span: Range<usize>, message: &str) -> ConfigProblem {
        ConfigProblem {
            origin: self.origin.clone(),
            place: Some(place(self.text, span.start)),
            message: clean(message).into_owned(),
        }
    }

    /// A problem with the value at `path`; its position is the deepest key of the path that exists in the file.
    pub(super) fn problem_at(&self, path: &[&str], message: &str) -> ConfigProblem {
        let mut span = self.root.span();
        let mut table = Some(self.root.get_ref());
        for name in path {
            let found = table.and_then(|table| table.iter().find(|(key, _)| key.get_ref() == name));
            let Some((key, value)) = found else { break };
            table = value.get_ref().as_table();
            span = if table.is_some() { key.span() } else { value.span() };
        }
        self.problem(span, message)
    }

    /// Whether the file has a value at `path`.
    pub(super) fn has_value(&self, path: &[&str]) -> bool {
        let Some((first, rest)) = path.split_first() else { return true };
        let mut value = self.root.get_ref().get(*first).map(Spanned::get_ref);
        for name in rest {
            value =
                value.and_then(DeValue::as_table).and_then(|table| table.get(*name)).map(Spanned::get_ref);
        }
        value.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_lines_and_characters() {
        assert_eq!(place("a\nµµx", 6), (2, 3));
        assert_eq!(place("", 9), (1, 1));
    }

    #[test]
    fn a_value_is_found_by_its_path() {
        let document = TomlDocument::parse("c.toml", "[a.b]\nc = 1\n").unwrap();
        assert_eq!(document.problem_at(&["a", "b", "c"], "x").place, Some((2, 5)));
        assert_eq!(document.problem_at(&["a", "b", "d"], "x").place, Some((1, 4)));
        assert!(document.has_value(&["a", "b", "c"]) && !document.has_value(&["a", "c"]));
    }
}
