//! Runbooks: which one is wanted, and what was found when it was looked for.

use std::sync::Arc;

use super::labels::{Labels, Text};

/// The name of the source that finds runbooks; no configured source can be called so.
pub const SOURCE: &str = "(runbooks)";

/// A runbook that is wanted: of an alert, or of whatever has a name and labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunbookQuery {
    pub name: Text,
    /// Where the alert says that it is.
    pub url: Option<Text>,
    /// The labels that say what it is about; they also fill its placeholders.
    pub labels: Labels,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunbookSearch {
    pub found: Option<Runbook>,
    /// Where it was looked for in vain before, in this order.
    pub tried: Vec<TriedLocation>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Runbook {
    /// Where it was read: an address or a path.
    pub from: Text,
    /// Markdown, cleaned; its lines are as they were.
    pub text: Arc<str>,
    /// What is to be known about it: it was cut, it was not quite text.
    pub warnings: Vec<Text>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TriedLocation {
    pub place: Text,
    pub why: Text,
}
