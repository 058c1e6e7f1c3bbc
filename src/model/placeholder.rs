//! Label placeholders in runbooks: `{{ $labels.pod }}`, and for existing labels also `${pod}` and `<pod>`.

use super::labels::{Labels, Text};

/// The longest placeholder in bytes, so that its end is not searched in a whole document.
const MAX_PLACEHOLDER_BYTES: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplatePart<'a> {
    /// Text without placeholders.
    Plain(&'a str),
    Filled {
        written: &'a str,
        value: &'a Text,
    },
    Missing {
        written: &'a str,
    },
}

/// Splits a text into its parts, in order; the written parts joined give the text again.
pub fn parts<'a>(text: &'a str, labels: &'a Labels) -> Vec<TemplatePart<'a>> {
    let mut parts = Vec::new();
    let (mut plain_from, mut at) = (0, 0);
    while let Some(found) = text.get(at..).and_then(|rest| rest.find(['{', '$', '<'])) {
        let start = at + found;
        let mut end = text.len().min(start + MAX_PLACEHOLDER_BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let Some((length, part)) = placeholder(text.get(start..end).unwrap_or_default(), labels) else {
            at = start + 1;
            continue;
        };
        if let Some(plain) = text.get(plain_from..start).filter(|plain| !plain.is_empty()) {
            parts.push(TemplatePart::Plain(plain));
        }
        parts.push(part);
        at = start + length;
        plain_from = at;
    }
    if let Some(plain) = text.get(plain_from..).filter(|plain| !plain.is_empty()) {
        parts.push(TemplatePart::Plain(plain));
    }
    parts
}

/// The placeholder at the start of `text`, and its length.
fn placeholder<'a>(text: &'a str, labels: &'a Labels) -> Option<(usize, TemplatePart<'a>)> {
    if let Some(inside) = text.strip_prefix("{{") {
        let (inside, _) = inside.split_once("}}")?;
        let written = text.get(..inside.len() + 4)?;
        let name = label_in_braces(inside)?;
        return Some((written.len(), part(written, name, labels)));
    }
    let (open, close) = if text.starts_with("${") { ("${", '}') } else { ("<", '>') };
    let (name, _) = text.strip_prefix(open)?.split_once(close)?;
    let written = text.get(..open.len() + name.len() + 1)?;
    // `${x}` can also be a shell variable and `<x>` an HTML tag, so only names of existing labels count
    labels.get(name).map(|value| (written.len(), TemplatePart::Filled { written, value }))
}

/// The label named within `{{ }}`: `labels.x`, `$labels.x`, `.Labels.x`, `.CommonLabels.x`; not `index $labels "x"`.
fn label_in_braces(inside: &str) -> Option<&str> {
    let inside = inside.trim().trim_matches('-').trim();
    let name = ["$labels.", "labels.", ".Labels.", ".CommonLabels.", ".labels."]
        .into_iter()
        .find_map(|prefix| inside.strip_prefix(prefix))?;
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/');
    (!name.is_empty() && name.chars().all(is_name)).then_some(name)
}

fn part<'a>(written: &'a str, name: &str, labels: &'a Labels) -> TemplatePart<'a> {
    match labels.get(name) {
        Some(value) => TemplatePart::Filled { written, value },
        None => TemplatePart::Missing { written },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn placeholders_are_found_in_every_way_of_writing_them() {
        let labels = Labels::from_iter([("namespace", "shop"), ("pod", "cart-1")]);
        for (text, shown) in [
            ("-n {{ $labels.namespace }} {{labels.pod}}", "-n [shop] [cart-1]"),
            ("{{ .Labels.pod }} ${pod} <pod>", "[cart-1] [cart-1] [cart-1]"),
            ("{{ $labels.node }} ${HOME} <b>bold</b> $pod", "?{{ $labels.node }}? ${HOME} <b>bold</b> $pod"),
            ("{{ $value | humanize }} {{", "{{ $value | humanize }} {{"),
            ("a < b {{{ labels.pod }}}", "a < b {[cart-1]}"),
        ] {
            let parts = parts(text, &labels);
            let reported: String = parts
                .iter()
                .map(|part| match part {
                    TemplatePart::Plain(plain) => (*plain).to_owned(),
                    TemplatePart::Filled { value, .. } => format!("[{value}]"),
                    TemplatePart::Missing { written } => format!("?{written}?"),
                })
                .collect();
            assert_eq!(reported, shown, "{text}");
        }
    }

    proptest! {
        #[test]
        fn as_written_the_parts_are_the_text(text in "[{}$<>a-z .\u{e9}]{0,60}") {
            let labels = Labels::from_iter([("a", "x")]);
            let whole: String = parts(&text, &labels).into_iter().map(|part| match part {
                TemplatePart::Plain(written) | TemplatePart::Filled { written, .. } | TemplatePart::Missing { written } => written,
            }).collect();
            prop_assert_eq!(whole, text);
        }
    }
}
