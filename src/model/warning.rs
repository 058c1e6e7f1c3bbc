//! Warnings that come with an answer: about missing data, or as a notice.

use std::fmt;

use super::labels::Text;

/// The effect of a warning on its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WarningKind {
    /// The answer is incomplete: lists, counts and states computed from it are incomplete too.
    MissingData,
    /// The answer is incomplete, but each affected item is marked as such; the others are complete.
    MissingPart,
    /// The answer is complete; the warning is a notice about the answer or its source.
    Notice,
    /// A remark of the query engine about a query (Prometheus' annotations). The answer is complete.
    Annotation,
}

/// One warning with sanitised text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Warning {
    /// Its effect on the answer.
    pub kind: WarningKind,
    pub text: Text,
}

impl Warning {
    /// A warning that data are missing.
    pub fn missing(text: impl Into<Text>) -> Self {
        Self { kind: WarningKind::MissingData, text: text.into() }
    }

    /// A warning that data are missing and the affected items are marked.
    pub fn part(text: impl Into<Text>) -> Self {
        Self { kind: WarningKind::MissingPart, text: text.into() }
    }

    pub fn notice(text: impl Into<Text>) -> Self {
        Self { kind: WarningKind::Notice, text: text.into() }
    }

    /// A remark of the query engine.
    pub fn annotation(text: impl Into<Text>) -> Self {
        Self { kind: WarningKind::Annotation, text: text.into() }
    }

    /// Whether the answer is incomplete.
    pub fn is_missing_data(&self) -> bool {
        matches!(self.kind, WarningKind::MissingData | WarningKind::MissingPart)
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Adds a warning unless it is there already; if both are about missing data with the same text, the wider kind counts.
pub fn note(warnings: &mut Vec<Warning>, warning: Warning) {
    if warning.is_missing_data() {
        let same = |known: &&mut Warning| known.is_missing_data() && known.text == warning.text;
        if let Some(known) = warnings.iter_mut().find(same) {
            known.kind = known.kind.min(warning.kind);
            return;
        }
    }
    if !warnings.contains(&warning) {
        warnings.push(warning);
    }
}
