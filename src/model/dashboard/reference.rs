//! Variables as they are written in texts: `$x`, `${x}`, `${x:format}`, `${x.field}`, `[[x]]`.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// The most text that one replacement makes, in bytes; more is cut.
const MAX_LENGTH: usize = 4 * 1024 * 1024;

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
