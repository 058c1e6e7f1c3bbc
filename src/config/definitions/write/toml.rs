//! Formats texts and inline tables as readable TOML: queries in single quotes, multi-line texts as multi-line strings.

use crate::model::labels::Labels;
use crate::model::text::is_shown;

use super::double_quoted;

/// A text as a value; a text with several lines becomes a multi-line string, which is not allowed within inline tables.
pub(super) fn text(text: &str) -> String {
    if !text.chars().all(|c| c == '\n' || is_shown(c)) {
        return quoted(text);
    }
    if text.contains('\n') {
        let fits = !text.contains("'''") && !text.ends_with('\'');
        return if fits { format!("'''\n{text}'''") } else { quoted(text) };
    }
    match (text.contains(['"', '\\']), text.contains('\'')) {
        (true, false) => format!("'{text}'"),
        _ => quoted(text),
    }
}

/// A text on one line, with escapes.
pub(super) fn quoted(text: &str) -> String {
    double_quoted(text, is_shown)
}

/// A key, quoted unless it is a bare key.
fn name(name: &str) -> String {
    let is_bare =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if is_bare { name.to_owned() } else { quoted(name) }
}

/// An inline table, from values that are already TOML.
pub(super) fn inline<N: AsRef<str>>(fields: impl IntoIterator<Item = (N, String)>) -> String {
    let fields: Vec<_> =
        fields.into_iter().map(|(key, value)| format!("{} = {value}", name(key.as_ref()))).collect();
    if fields.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", fields.join(", ")) }
}

/// Labels as an inline table.
pub(super) fn labels(labels: &Labels) -> String {
    inline(labels.iter().map(|(key, value)| (key, quoted_or_literal(value))))
}

/// A text on one line, in single quotes if that avoids escapes.
pub(super) fn quoted_or_literal(text: &str) -> String {
    if text.contains('\n') { quoted(text) } else { self::text(text) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn queries_are_not_escaped_and_lines_are_kept() {
        for (text, written) in [
            ("a", "\"a\""),
            (r#"up{job="a"}"#, r#"'up{job="a"}'"#),
            ("it's \"x\"", r#""it's \"x\"""#),
            ("a\nb", "'''\na\nb'''"),
            ("a\n'''b", r#""a\n'''b""#),
            ("\u{7}", "\"\\u0007\""),
        ] {
            assert_eq!(super::text(text), written);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_equal(value: String, key: String) {
            for value_text in [text(&value), quoted(&value), quoted_or_literal(&value)] {
                let file = format!("k = {value_text}\nt = {}\n", inline([(&key, quoted_or_literal(&value))]));
                let read: ::toml::Table = file.parse().unwrap();
                prop_assert_eq!(read["k"].as_str(), Some(&*value));
                prop_assert_eq!(read["t"][&key].as_str(), Some(&*value));
            }
        }
    }
}
