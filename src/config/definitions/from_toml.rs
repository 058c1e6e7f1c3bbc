//! TOML text to a [`Node`]: the same tree that YAML becomes.

use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::node::{Fault, Field, Fields, Kind, MOST_LEVELS, Node};

/// The table that a text is, as far as it can be read, and what could not be read.
pub(super) fn document(text: &str) -> (Node, Vec<Fault>) {
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { starts: starts(text), faults: Vec::new() };
    for error in &errors {
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        let line = reader.line(error.span().map_or(0, |span| span.start));
        reader.faults.push(Fault { line, message: format!("not TOML: {message}") });
    }
    let fields = reader.fields(root.get_ref(), 1);
    (Node::table(1, fields), reader.faults)
}

/// The byte at which each line begins.
fn starts(text: &str) -> Vec<usize> {
    let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(ends).collect()
}

struct Reader {
    starts: Vec<usize>,
    faults: Vec<Fault>,
}

impl Reader {
    fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at).max(1)
    }

    fn fields(&mut self, table: &DeTable<'_>, level: usize) -> Fields {
        let mut fields: Vec<Field> = table
            .iter()
            .map(|(name, value)| {
                let line = self.line(name.span().start);
                let value = Arc::new(self.node(value, line, level + 1));
                Field { name: name.get_ref().to_string(), line, value }
            })
            .collect();
        // the parser keeps names in the order of the alphabet
        fields.sort_by_key(|field| field.line);
        Fields { fields, doubled: Vec::new() }
    }

    fn node(&mut self, value: &Spanned<DeValue<'_>>, named: usize, level: usize) -> Node {
        let line = self.line(value.span().start);
        if level > MOST_LEVELS {
            self.faults.push(Fault { line, message: format!("nested deeper than {MOST_LEVELS} levels") });
            return Node::leaf(line, Kind::Nothing);
        }
        let plain = |text: String| Node::leaf(line, Kind::Scalar { text, plain: true });
        match value.get_ref() {
            DeValue::String(text) => Node::leaf(line, Kind::Scalar { text: text.to_string(), plain: false }),
            DeValue::Integer(number) => plain(number.to_string()),
            DeValue::Float(number) => plain(number.to_string()),
            DeValue::Boolean(yes) => plain(yes.to_string()),
            DeValue::Datetime(date) => plain(date.to_string()),
            DeValue::Array(items) => {
                let items = items.iter().map(|item| Arc::new(self.node(item, line, level + 1))).collect();
                Node::list(line, items)
            }
            // the span of `[a.b]` is that of the header, that of a table by dotted names may be anywhere
            DeValue::Table(table) => {
                let line = if value.span().is_empty() { named } else { line };
                let fields = self.fields(table, level);
                Node::table(line, fields)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_know_their_lines_and_keep_their_letters() {
        let (root, faults) =
            document("[[slo]]\nname = \"a\"\nobjective = 99.90\n\n[[slo]]\nat = 2024-01-01\nyes = true\n");
        assert_eq!(faults, []);
        let Kind::List(slos) = &root.field("slo").unwrap().kind else { panic!() };
        assert_eq!((slos[0].line, slos[1].line), (1, 5));
        let objective = slos[0].field("objective").unwrap();
        assert_eq!((objective.line, objective.text()), (3, Some("99.90")));
        assert_eq!(slos[1].field("at").unwrap().text(), Some("2024-01-01"));
        assert_eq!(slos[1].field("yes").unwrap().text(), Some("true"));
    }

    #[test]
    fn what_is_not_toml_is_said_with_its_line_and_the_rest_is_read() {
        let (root, faults) = document("a = 1\nb = \nc = 2\n");
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].line, 2);
        assert!(faults[0].message.starts_with("not TOML: "), "{}", faults[0].message);
        assert_eq!(root.field("c").and_then(Node::text), Some("2"));
    }

    #[test]
    fn deep_nesting_is_refused() {
        let (_, faults) = document(&format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000)));
        assert!(!faults.is_empty());
        let (_, faults) = document(&format!("a = {}{}", "[".repeat(70), "]".repeat(70)));
        assert_eq!(faults.len(), 1, "{faults:?}");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "([a-c]|[\\[\\]{}=\"'.,#\n 0-9é-])*") {
            drop(document(&text));
        }
    }
}
