//! Formats values as YAML that all parsers read the same way: ambiguous texts are quoted, multi-line queries become block
//! scalars.

use std::fmt::Write as _;

use super::{WrittenEntry, double_quoted};
use crate::model::text::is_shown;

/// A value to be written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Yaml {
    /// A text, quoted where a parser could read it as another type.
    Text(String),
    /// A number or boolean, written unchanged.
    Plain(String),
    /// A list, in order.
    List(Vec<Yaml>),
    /// A table, in order.
    Table(Vec<(String, Yaml)>),
    /// A value with comment lines above it.
    Remarked(Vec<String>, Box<Yaml>),
}

/// A table of the fields that are not `None`.
pub(super) fn table<const N: usize>(fields: [(&str, Option<Yaml>); N]) -> Yaml {
    let fields = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Yaml::Table(fields.collect())
}

#[expect(clippy::unnecessary_wraps, reason = "a field of `table`, which may be left out")]
pub(super) fn text(text: impl AsRef<str>) -> Option<Yaml> {
    Some(Yaml::Text(text.as_ref().to_owned()))
}

/// A value that is written unchanged.
#[expect(clippy::unnecessary_wraps, reason = "a field of `table`, which may be left out")]
pub(super) fn plain(text: impl std::fmt::Display) -> Option<Yaml> {
    Some(Yaml::Plain(text.to_string()))
}

/// Labels as a table; `None` if there are none.
pub(super) fn labels(labels: &crate::model::labels::Labels) -> Option<Yaml> {
    let fields = labels.iter().map(|(name, value)| (name.to_string(), Yaml::Text(value.to_string())));
    (!labels.is_empty()).then(|| Yaml::Table(fields.collect()))
}

/// One document for each SLO, below the comments about those that cannot be written.
pub(super) fn document_each(entries: Vec<WrittenEntry<'_, Yaml>>) -> String {
    let mut above = String::new();
    let mut all = Vec::new();
    for entry in entries {
        match entry.piece {
            Some(value) => all.push(Yaml::Remarked(entry.remarks, Box::new(value))),
            None => above += &remarks(&entry.remarks, 0),
        }
    }
    above + &documents(&all)
}

/// The documents of a file, with `---` between them.
pub(super) fn documents(documents: &[Yaml]) -> String {
    let written = documents.iter().map(|document| {
        let mut out = String::new();
        block(&mut out, document, 0);
        out
    });
    written.collect::<Vec<_>>().join("---\n")
}

/// Comment lines, indented.
pub(super) fn remarks(lines: &[String], indent: usize) -> String {
    lines.iter().fold(String::new(), |mut out, line| {
        let line = crate::model::text::clean(line);
        writeln!(out, "{:indent$}# {line}", "").expect("writing to a String cannot fail");
        out
    })
}

impl Yaml {
    /// Whether its values stand on lines of their own.
    fn is_open(&self) -> bool {
        match self {
            Self::Table(fields) => !fields.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Text(_) | Self::Plain(_) | Self::Remarked(..) => false,
        }
    }
}

/// Writes the remarks on a value; the value itself is left to write.
fn remarked<'y>(out: &mut String, mut value: &'y Yaml, indent: usize) -> &'y Yaml {
    while let Yaml::Remarked(lines, inner) = value {
        out.push_str(&remarks(lines, indent));
        value = inner;
    }
    value
}

/// Writes a value that begins on its own line.
fn block(out: &mut String, value: &Yaml, indent: usize) {
    let value = remarked(out, value, indent);
    let blanks = " ".repeat(indent);
    match value {
        Yaml::Table(fields) if value.is_open() => {
            for (name, value) in fields {
                let value = remarked(out, value, indent);
                out.extend([&blanks, &*in_line(name), ":"]);
                if value.is_open() {
                    out.push('\n');
                    block(out, value, indent + 2);
                } else {
                    out.push(' ');
                    after(out, value, indent);
                }
            }
        }
        Yaml::List(items) if value.is_open() => {
            for item in items {
                let item = remarked(out, item, indent);
                out.extend([&blanks, "- "]);
                if item.is_open() {
                    // the first field is on the line of the dash
                    let mut inner = String::new();
                    block(&mut inner, item, indent + 2);
                    out.push_str(inner.trim_start_matches(' '));
                } else {
                    after(out, item, indent);
                }
            }
        }
        Yaml::Text(_) | Yaml::Plain(_) | Yaml::List(_) | Yaml::Table(_) | Yaml::Remarked(..) => {
            out.push_str(&blanks);
            after(out, value, indent);
        }
    }
}

/// Writes a value after a key or a dash, with the line break.
fn after(out: &mut String, value: &Yaml, indent: usize) {
    match value {
        Yaml::Text(text) => match in_lines(text, indent + 2) {
            Some(lines) => out.push_str(&lines),
            None => out.push_str(&in_line(text)),
        },
        Yaml::Plain(text) => out.push_str(text),
        Yaml::Table(_) => out.push_str("{}"),
        Yaml::List(_) => out.push_str("[]"),
        Yaml::Remarked(_, inner) => return after(out, inner, indent),
    }
    out.push('\n');
}

/// Whether a character can be written unescaped to a YAML file and shown on a terminal.
fn is_printable(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..) && is_shown(c)
}

/// A multi-line text as a block scalar; `None` if a block scalar cannot keep it unchanged.
fn in_lines(text: &str, indent: usize) -> Option<String> {
    let is_fit = |line: &str| {
        line.is_empty() || (line.chars().all(is_printable) && !line.trim().is_empty() && !line.ends_with(' '))
    };
    let first = text.lines().next().unwrap_or_default();
    let fits = text.contains('\n')
        && !first.is_empty()
        && !first.starts_with(' ')
        && !text.ends_with('\n')
        && !text.contains('\r')
        && text.split('\n').all(is_fit);
    fits.then(|| {
        let mut out = "|-".to_owned();
        for line in text.split('\n') {
            out.push('\n');
            if !line.is_empty() {
                write!(out, "{:indent$}{line}", "").expect("writing to a String cannot fail");
            }
        }
        out
    })
}

/// A text on one line, quoted if needed.
fn in_line(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    if !text.is_empty() && text.chars().all(is_printable) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    double_quoted(text, is_printable)
}

/// Whether every YAML parser reads this as an unquoted text: it begins with a letter and is not a reserved word, or it is a
/// duration.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 10] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan"];
    let is_known = WORDS.iter().any(|word| text.eq_ignore_ascii_case(word));
    let is_fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ' ');
    // durations such as `5m`, but not `1e3` and `0`
    if text.starts_with(|c: char| matches!(c, '1'..='9')) && crate::model::duration::parse(text).is_ok() {
        return true;
    }
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(is_fit)
        && !text.ends_with(' ')
        && !text.contains("  ")
        && !is_known
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::from_yaml;
    use super::super::super::node::{DocumentNode, NodeKind};
    use super::*;

    /// Converts the parsed value back, for comparing.
    fn again(node: &DocumentNode) -> Yaml {
        match &node.kind {
            NodeKind::Nothing => Yaml::Plain("null".to_owned()),
            NodeKind::Scalar { text, .. } => Yaml::Text(text.clone()),
            NodeKind::List(items) => Yaml::List(items.iter().map(|item| again(item)).collect()),
            NodeKind::Table(table) => {
                assert_eq!(table.duplicates, []);
                let field =
                    |field: &super::super::super::node::NodeField| (field.name.clone(), again(&field.value));
                Yaml::Table(table.fields.iter().map(field).collect())
            }
        }
    }

    fn read(text: &str) -> Vec<Yaml> {
        let (nodes, faults) = from_yaml::documents(text);
        assert_eq!(faults, [], "{text}");
        nodes.iter().map(again).collect()
    }

    #[test]
    fn what_could_be_misread_is_quoted_and_queries_keep_their_lines() {
        for (text, written) in [
            ("checkout", "checkout"),
            ("no", "'no'"),
            ("On", "'On'"),
            ("99.9", "'99.9'"),
            ("1h30m", "1h30m"),
            ("0x1f", "'0x1f'"),
            ("1e3", "'1e3'"),
            ("~", "'~'"),
            ("", "\"\""),
            ("a: b", "'a: b'"),
            ("a #b", "'a #b'"),
            ("- a", "'- a'"),
            ("it's", "'it''s'"),
            ("{{.window}}", "'{{.window}}'"),
            (r#"sum(rate(a{b="c"}[5m]))"#, r#"'sum(rate(a{b="c"}[5m]))'"#),
            ("a\u{7}\u{2028}\u{1f600}", "\"a\\u0007\\u2028😀\""),
            ("a\n  b\n\nc", "|-\n    a\n      b\n\n    c"),
            ("a\n ", "\"a\\n \""),
            (" a\nb", "\" a\\nb\""),
            ("a\r\nb", "\"a\\r\\nb\""),
        ] {
            let value = table([("k", super::text(text))]);
            let written = format!("k: {}\n", written.replace("\n    ", "\n  "));
            assert_eq!(documents(std::slice::from_ref(&value)), written, "{text:?}");
            assert_eq!(read(&written), [value], "{text:?}");
        }
    }

    #[test]
    fn remarks_stand_above_what_they_are_about() {
        let slo = Yaml::Remarked(vec!["one\ntwo".to_owned()], Box::new(table([("name", text("a"))])));
        let file =
            table([("slos", Some(Yaml::List(vec![slo.clone(), slo]))), ("none", Some(Yaml::List(vec![])))]);
        let written = documents(&[file]);
        let expected = "slos:\n  # one two\n  - name: a\n  # one two\n  - name: a\nnone: []\n";
        assert_eq!(written, expected);
    }

    fn texts() -> impl Strategy<Value = String> {
        let words = [
            "yes", "null", "-", "? ", "&a", "*a", "!t", "%", "@", "`", "---", "...", "0", "1.5", "=", "<<",
            "\t", "\n", "#",
        ];
        prop_oneof![
            any::<String>(),
            "[ -~\n]{0,40}",
            prop::sample::select(words.to_vec()).prop_map(str::to_owned)
        ]
    }

    fn values() -> impl Strategy<Value = Yaml> {
        texts().prop_map(Yaml::Text).prop_recursive(4, 24, 4, |inner| {
            let fields = prop::collection::btree_map(texts(), inner.clone(), 0..4);
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(Yaml::List),
                // `<<` is not a key in YAML but the merge operator
                fields.prop_map(|fields| Yaml::Table(
                    fields.into_iter().filter(|(name, _)| name != "<<").collect()
                )),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_equal(value in values(), second in values()) {
            let file = [table([("k", Some(value))]), table([("k", Some(second))])];
            prop_assert_eq!(read(&documents(&file)), file);
        }
    }
}
