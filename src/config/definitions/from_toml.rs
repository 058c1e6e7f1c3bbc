//! Converts TOML text to a [`DocumentNode`], the same tree type as for YAML.

use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::node::{DocumentNode, MAX_LEVELS, NodeField, NodeFields, NodeKind, ReadFault};

/// The table of a text, as far as it can be parsed, and the errors.
pub(super) fn document(text: &str) -> (DocumentNode, Vec<ReadFault>) {
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut reader = TomlReader { starts: starts(text), faults: Vec::new() };
    for error in &errors {
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        let line = reader.line(error.span().map_or(0, |span| span.start));
        reader.faults.push(ReadFault::new(line, format!("not TOML: {message}")));
    }
    let fields = reader.fields(root.get_ref(), 1);
    (DocumentNode::table(1, fields), reader.faults)
}

/// The byte offset of the start of each line.
fn starts(text: &str) -> Vec<usize> {
    let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(ends).collect()
}

struct TomlReader {
    starts: Vec<usize>,
    faults: Vec<ReadFault>,
}

impl TomlReader {
    fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at).max(1)
    }

    fn fields(&mut self, table: &DeTable<'_>, level: usize) -> NodeFields {
        let mut fields: Vec<NodeField> = table
            .iter()
            .map(|(name, value)| {
                let line = self.line(name.span().start);
                let value = Arc::new(self.node(value, line, level + 1));
                NodeField { name: name.get_ref().to_string(), line, value }
            })
            .collect();
        // the parser sorts keys alphabetically; restore the order of the file
        fields.sort_by_key(|field| field.line);
        NodeFields { fields, duplicates: Vec::new() }
    }

    fn node(&mut self, value: &Spanned<DeValue<'_>>, named: usize, level: usize) -> DocumentNode {
        let line = self.line(value.span().start);
        if level > MAX_LEVELS {
            self.faults.push(ReadFault::too_deep(line));
            return DocumentNode::leaf(line, NodeKind::Nothing);
        }
        let plain = |text: String| DocumentNode::leaf(line, NodeKind::Scalar { text, plain: true });
        match value.get_ref() {
            DeValue::String(text) => {
                DocumentNode::leaf(line, NodeKind::Scalar { text: text.to_string(), plain: false })
            }
            DeValue::Integer(number) => plain(number.to_string()),
            DeValue::Float(number) => plain(number.to_string()),
            DeValue::Boolean(yes) => plain(yes.to_string()),
            DeValue::Datetime(date) => plain(date.to_string()),
            DeValue::Array(items) => {
                let items = items.iter().map(|item| Arc::new(self.node(item, line, level + 1))).collect();
                DocumentNode::list(line, items)
            }
            // the span of `[a.b]` is that of its header; the span of a table made by dotted keys may be empty
            DeValue::Table(table) => {
                let line = if value.span().is_empty() { named } else { line };
                let fields = self.fields(table, level);
                DocumentNode::table(line, fields)
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
        let NodeKind::List(slos) = &root.field("slo").unwrap().kind else { panic!() };
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
        assert_eq!(root.field("c").and_then(DocumentNode::text), Some("2"));
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
