//! Quotes label names, label values and texts for PromQL.

use std::borrow::Cow;
use std::fmt::Write as _;

/// A text as a regular expression that matches exactly this text. Escapes only where needed: Prometheus looks up alternations of
/// plain words in its index, but must test other expressions on each label value.
pub fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            // Prometheus refuses a query that contains it
            '\u{fffd}' => out.push_str("\\ufffd"),
            // it has the same meaning, and a shell would evaluate it if the query is pasted there
            c if c.is_control() => write!(out, "\\u{:04x}", u32::from(c)).expect("a String takes everything"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Whether every server accepts this label name in a query without quotes.
pub fn is_plain_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A label name as written in a query: names that are not plain (`service.name`) are quoted, which servers accept from
/// Prometheus 3 on.
pub fn label(name: &str) -> Cow<'_, str> {
    if is_plain_name(name) { Cow::Borrowed(name) } else { Cow::Owned(quoted(name)) }
}

/// ` by (a, b)`, the clause of an aggregation; empty without names.
pub fn by<T: AsRef<str>>(names: &[T]) -> String {
    if names.is_empty() { String::new() } else { format!(" by ({})", labels(names)) }
}

/// Several label names, for the list after `by`.
pub fn labels<T: AsRef<str>>(names: &[T]) -> String {
    names.iter().map(|name| label(name.as_ref())).collect::<Vec<_>>().join(", ")
}
