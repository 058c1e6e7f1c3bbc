//! One TOML file as it was written: its text, its tables with their places, and what is wrong where.

use std::fmt;
use std::ops::Range;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::text::clean;

use super::shape;

/// One thing that is wrong in a configuration, with its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file as it was named, or the flag or variable that is meant.
    pub origin: String,
    /// Line and column in the file, both from 1; none for a flag or variable.
    pub place: Option<(usize, usize)>,
    /// What is wrong, and what would be right as far as it can be guessed; one line.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.origin)?;
        if let Some((line, column)) = self.place {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", self.message)
    }
}

/// A parsed file that still knows where everything stands.
pub(super) struct Sheet<'a> {
    origin: String,
    text: &'a str,
    root: Spanned<DeTable<'a>>,
}

impl<'a> Sheet<'a> {
    /// Reads the syntax; `origin` is what messages call the file.
    pub(super) fn parse(origin: &str, text: &'a str) -> Result<Self, Vec<Problem>> {
        let (root, errors) = DeTable::parse_recoverable(text);
        let sheet = Self { origin: origin.to_owned(), text, root };
        if errors.is_empty() {
            return Ok(sheet);
        }
        let problem = |error: &toml::de::Error| {
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            sheet.problem(error.span().unwrap_or(0..0), &message)
        };
        Err(errors.iter().map(problem).collect())
    }

    /// Everything that does not fit the schema, in the order of the file, and where it stands.
    pub(super) fn misfits(&self, schema: &Value) -> (Vec<Problem>, Vec<Vec<String>>) {
        let misfits = shape::misfits(schema, self.root.get_ref());
        let mut problems: Vec<_> =
            misfits.iter().map(|misfit| self.problem(misfit.span.clone(), &misfit.message)).collect();
        problems.sort();
        (problems, misfits.into_iter().map(|misfit| misfit.path).collect())
    }

    pub(super) fn problem(&self, span: Range<usize>, message: &str) -> Problem {
        Problem {
            origin: self.origin.clone(),
            place: Some(place(self.text, span.start)),
            message: clean(message).into_owned(),
        }
    }

    /// A problem with the value at `path`, placed as deep as the file goes along it.
    pub(super) fn problem_at(&self, path: &[&str], message: &str) -> Problem {
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

    pub(super) fn says(&self, path: &[&str]) -> bool {
        let Some((first, rest)) = path.split_first() else { return true };
        let mut value = self.root.get_ref().get(*first).map(Spanned::get_ref);
        for name in rest {
            value =
                value.and_then(DeValue::as_table).and_then(|table| table.get(*name)).map(Spanned::get_ref);
        }
        value.is_some()
    }
}

/// Line and column, both from 1, of a byte.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
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
        let sheet = Sheet::parse("c.toml", "[a.b]\nc = 1\n").unwrap();
        assert_eq!(sheet.problem_at(&["a", "b", "c"], "x").place, Some((2, 5)));
        assert_eq!(sheet.problem_at(&["a", "b", "d"], "x").place, Some((1, 4)));
        assert!(sheet.says(&["a", "b", "c"]) && !sheet.says(&["a", "c"]));
    }
}
