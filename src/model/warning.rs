//! What a source says beside an answer: that something is missing in it, or a remark that takes nothing away from it.

use std::fmt;

use super::labels::Text;

/// What a warning means for the answer that it came with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WarningKind {
    /// The answer is not whole: lists, counts and states that are built on it are partial.
    MissingData,
    /// The answer is not whole, and every thing in it that is touched by that says so itself; the others are as told.
    MissingPart,
    /// The answer is whole, and something about it or its source is worth knowing.
    Notice,
    /// A remark of the query engine on how a query is written (Prometheus' annotations). It changes nothing.
    Annotation,
}

/// One warning. Its text is clean.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Warning {
    pub kind: WarningKind,
    pub text: Text,
}

impl Warning {
    pub fn missing(text: impl Into<Text>) -> Self {
        Self { kind: WarningKind::MissingData, text: text.into() }
    }

    /// That something is missing, and that those whom it is about say so themselves.
    pub fn part(text: impl Into<Text>) -> Self {
        Self { kind: WarningKind::MissingPart, text: text.into() }
    }

    pub fn notice(text: impl Into<Text>) -> Self {
        Self { kind: WarningKind::Notice, text: text.into() }
    }

    pub fn annotation(text: impl Into<Text>) -> Self {
        Self { kind: WarningKind::Annotation, text: text.into() }
    }

    /// Whether the answer is not whole because of it.
    pub fn is_missing_data(&self) -> bool {
        matches!(self.kind, WarningKind::MissingData | WarningKind::MissingPart)
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Adds a warning, unless the same is there already; of what is missing the wider meaning counts.
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
