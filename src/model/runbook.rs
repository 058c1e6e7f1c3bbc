//! Runbooks: the query for one, and the result of the search.

use std::sync::Arc;

use super::labels::{Labels, Text};

/// The id of the built-in source of runbooks; configured sources cannot have this name.
pub const SOURCE: &str = "(runbooks)";

/// A query for the runbook of an alert or of anything else with a name and labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunbookQuery {
    /// The name of the alert.
    pub name: Text,
    /// The runbook URL in the alert's annotations.
    pub url: Option<Text>,
    /// The labels of the alert, which also replace placeholders in the runbook.
    pub labels: Labels,
}

/// The result of the search for a runbook.
#[derive(Debug, Clone, PartialEq, Default, Hash)]
pub struct RunbookSearch {
    pub found: Option<Runbook>,
    /// The locations that were searched before without success, in order.
    pub tried: Vec<TriedLocation>,
}

#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Runbook {
    /// The URL or path that it was read from.
    pub from: Text,
    /// Markdown, sanitised, with unchanged lines.
    pub text: Arc<str>,
    /// Limitations, such as that it was truncated or contained invalid UTF-8.
    pub warnings: Vec<Text>,
}

/// A location without the runbook.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct TriedLocation {
    /// A URL or path.
    pub place: Text,
    /// Why the runbook was not found there.
    pub why: Text,
}
