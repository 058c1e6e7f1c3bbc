//! How names, values and texts are written in a query.

use std::borrow::Cow;
use std::fmt::Write as _;

/// A text as a regular expression that it alone matches. Nothing is escaped that need not be: a list of plain words a
/// server looks up in its index, others it must try on every value that a label has.
#[must_use]
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

#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            // Prometheus takes it for broken text, and refuses the query
            '\u{fffd}' => out.push_str("\\ufffd"),
            // it means the same, and a shell that a copy is pasted into would obey it as it is
            c if c.is_control() => write!(out, "\\u{:04x}", u32::from(c)).expect("a String takes everything"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Whether every server takes this as a label's name in a query.
pub fn is_plain_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A label's name as it stands in a query: names that are not plain (`service.name`) are quoted, which servers take from
/// Prometheus 3 on.
#[must_use]
pub fn label(name: &str) -> Cow<'_, str> {
    if is_plain_name(name) { Cow::Borrowed(name) } else { Cow::Owned(quoted(name)) }
}

/// Several names of labels, as they stand between the brackets of `by`.
#[must_use]
pub fn labels<T: AsRef<str>>(names: &[T]) -> String {
    names.iter().map(|name| label(name.as_ref())).collect::<Vec<_>>().join(", ")
}
