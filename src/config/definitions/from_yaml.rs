//! Converts YAML text to [`DocumentNode`]s: several documents per text, aliases shared instead of copied, with limits against
//! hostile input.
//!
//! Uses the parser's events: its own loader recurses, copies the value at each alias and converts `99.9` to a binary fraction.

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::node::{DocumentNode, MAX_LEVELS, NodeField, NodeFields, NodeKind, ReadFault};

/// The limit for values in one text, counting those behind aliases each time: a few lines of aliases can expand to billions.
const MAX_VALUES: usize = 200_000;

/// The number of invalid documents after which the rest of a text is not read.
const MAX_FAULTS: usize = 20;

/// The documents of a text, and the errors.
///
/// After an invalid document, reading continues at the next `---`.
pub(super) fn documents(text: &str) -> (Vec<DocumentNode>, Vec<ReadFault>) {
    let (mut documents, mut faults) = (Vec::new(), Vec::new());
    if let Some(at) = text.find('\0') {
        let line = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
        return (documents, vec![ReadFault::new(line, "a NUL byte; YAML must be text in UTF-8")]);
    }
    let (mut rest, mut lines_before, mut values_left) = (text, 0, MAX_VALUES);
    loop {
        let mut reader = YamlReader { lines_before, document_line: 1, values_left, ..YamlReader::default() };
        let outcome = reader.read(rest, &mut documents);
        values_left = reader.values_left;
        let Err(fault) = outcome else { break };
        faults.push(fault);
        let Some((bytes, lines)) = next_document(rest, reader.document_line) else { break };
        if faults.len() >= MAX_FAULTS {
            let message = format!("{MAX_FAULTS} broken documents; the rest is not read");
            faults.push(ReadFault::new(lines_before + lines + 1, message));
            break;
        }
        lines_before += lines;
        rest = rest.get(bytes..).unwrap_or_default();
    }
    (documents, faults)
}

/// The byte offset and number of lines before the first `---` after line `document_line`; at the start of a line `---` always
/// separates documents.
fn next_document(text: &str, document_line: usize) -> Option<(usize, usize)> {
    let mut bytes = 0;
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let marker = line.strip_prefix("---").is_some_and(|after| after.chars().all(char::is_whitespace))
            || line.starts_with("--- ");
        if marker && at + 1 > document_line {
            return Some((bytes, at));
        }
        bytes += line.len();
    }
    None
}

/// A list or a table whose end has not been read yet.
struct OpenCollection {
    line: usize,
    anchor: usize,
    inner: Inner,
}

enum Inner {
    List(Vec<Arc<DocumentNode>>),
    Table(OpenTable),
}

#[derive(Default)]
struct OpenTable {
    fields: NodeFields,
    /// The line of each key, to detect duplicates.
    lines: HashMap<String, usize>,
    /// The key whose value comes next, with its line.
    name: Option<(String, usize)>,
    /// The tables that `<<` merges in.
    merged: Vec<Arc<DocumentNode>>,
}

#[derive(Default)]
struct YamlReader {
    lines_before: usize,
    /// The line, within the current part of the text, on which the current document begins.
    document_line: usize,
    values_left: usize,
    anchors: HashMap<usize, Arc<DocumentNode>>,
    open: Vec<OpenCollection>,
    root: Option<Arc<DocumentNode>>,
}

impl YamlReader {
    fn read(&mut self, text: &str, documents: &mut Vec<DocumentNode>) -> Result<(), ReadFault> {
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            // with a prefix like that of the TOML errors
            let (event, span) = event.map_err(|error| {
                ReadFault::new(self.line(error.marker().line()), format!("not YAML: {}", error.info()))
            })?;
            let line = self.line(span.start.line());
            match event {
                Event::Nothing | Event::StreamStart => {}
                Event::StreamEnd => break,
                Event::DocumentStart(_) => {
                    self.document_line = span.start.line();
                    self.anchors.clear();
                }
                Event::DocumentEnd => documents.extend(self.root.take().map(Arc::unwrap_or_clone)),
                Event::Alias(anchor) => {
                    let node = self.anchors.get(&anchor).cloned();
                    let node = node.ok_or_else(|| {
                        ReadFault::new(line, "the alias refers to a value that is not complete before it")
                    })?;
                    self.put(node, 0, line)?;
                }
                Event::Scalar(text, style, anchor, _) => {
                    let plain = style == ScalarStyle::Plain;
                    let kind = match text.as_ref() {
                        "" | "~" | "null" | "Null" | "NULL" if plain => NodeKind::Nothing,
                        text => NodeKind::Scalar { text: text.to_owned(), plain },
                    };
                    self.put(Arc::new(DocumentNode::leaf(line, kind)), anchor, line)?;
                }
                Event::SequenceStart(anchor, _) => self.open(line, anchor, Inner::List(Vec::new()))?,
                Event::MappingStart(anchor, _) => {
                    self.open(line, anchor, Inner::Table(OpenTable::default()))?;
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    let Some(open) = self.open.pop() else { continue };
                    let node = match open.inner {
                        Inner::List(items) => DocumentNode::list(open.line, items),
                        Inner::Table(table) => self.close(table, open.line)?,
                    };
                    self.put(Arc::new(node), open.anchor, open.line)?;
                }
            }
        }
        Ok(())
    }

    fn line(&self, line: usize) -> usize {
        self.lines_before + line.max(1)
    }

    fn open(&mut self, line: usize, anchor: usize, inner: Inner) -> Result<(), ReadFault> {
        if self.open.len() >= MAX_LEVELS {
            return Err(ReadFault::too_deep(line));
        }
        self.open.push(OpenCollection { line, anchor, inner });
        Ok(())
    }

    fn count_toward_limit(&mut self, values: usize, line: usize) -> Result<(), ReadFault> {
        self.values_left = self.values_left.checked_sub(values).ok_or_else(|| {
            let what = "values, counting those behind aliases; the rest is not read";
            ReadFault::new(line, format!("more than {MAX_VALUES} {what}"))
        })?;
        Ok(())
    }

    /// Adds a complete value to the innermost open list or table; without one it becomes the document's root.
    fn put(&mut self, node: Arc<DocumentNode>, anchor: usize, line: usize) -> Result<(), ReadFault> {
        if self.open.len() + node.levels > MAX_LEVELS + 1 {
            return Err(ReadFault::too_deep(line));
        }
        // values in a list or table were counted when they were added; an alias counts its whole value again
        let is_alias = Arc::strong_count(&node) > 1;
        self.count_toward_limit(if is_alias { node.size } else { 1 }, line)?;
        if anchor > 0 {
            self.anchors.insert(anchor, Arc::clone(&node));
        }
        match self.open.last_mut().map(|open| &mut open.inner) {
            None => self.root = Some(node),
            Some(Inner::List(items)) => items.push(node),
            Some(Inner::Table(table)) => match table.name.take() {
                None => {
                    let name = match &node.kind {
                        NodeKind::Scalar { text, .. } => text.clone(),
                        NodeKind::Nothing => "null".to_owned(),
                        NodeKind::List(_) | NodeKind::Table(_) => {
                            return Err(ReadFault::new(line, "a key must be a text, not a list or a table"));
                        }
                    };
                    table.name = Some((name, line));
                }
                Some((name, at)) if name == "<<" => {
                    let from =
                        if let NodeKind::List(items) = &node.kind { items.clone() } else { vec![node] };
                    if !from.iter().all(|node| matches!(node.kind, NodeKind::Table(_))) {
                        return Err(ReadFault::new(at, "`<<` needs a table or a list of tables"));
                    }
                    table.merged.extend(from);
                }
                Some((name, line)) => {
                    if let Some(first) = table.lines.get(&name) {
                        table.fields.duplicates.push((name, *first, line));
                    } else {
                        table.lines.insert(name.clone(), line);
                        table.fields.fields.push(NodeField { name, line, value: node });
                    }
                }
            },
        }
        Ok(())
    }

    /// Completes a table: merged keys are added after its own, unless the table has the key itself.
    fn close(&mut self, mut table: OpenTable, line: usize) -> Result<DocumentNode, ReadFault> {
        for node in std::mem::take(&mut table.merged) {
            let NodeKind::Table(from) = &node.kind else { continue };
            self.count_toward_limit(from.fields.len(), line)?;
            for field in &from.fields {
                if !table.lines.contains_key(&field.name) {
                    table.lines.insert(field.name.clone(), field.line);
                    table.fields.fields.push(field.clone());
                }
            }
        }
        Ok(DocumentNode::table(line, table.fields))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn one(text: &str) -> DocumentNode {
        let (mut documents, faults) = documents(text);
        assert_eq!(faults, [], "{text}");
        assert_eq!(documents.len(), 1, "{text}");
        documents.remove(0)
    }

    fn at<'n>(node: &'n DocumentNode, path: &str) -> &'n DocumentNode {
        path.split('.').fold(node, |node, step| match &node.kind {
            NodeKind::List(items) => &items[step.parse::<usize>().unwrap()],
            _ => node.field(step).unwrap_or_else(|| panic!("no {step} of {path}")),
        })
    }

    fn fault_of(text: &str) -> String {
        let (_, faults) = documents(text);
        assert_eq!(faults.len(), 1, "{text}: {faults:?}");
        format!("{}: {}", faults[0].line, faults[0].message)
    }

    #[test]
    fn values_know_their_lines_and_keep_their_letters() {
        let root = one("a: 99.90\nb:\n  - x\n  - {c: 'y', d: }\ne: |\n  one\n  two\n");
        assert_eq!((at(&root, "a").line, at(&root, "a").text()), (1, Some("99.90")));
        assert_eq!((at(&root, "b.1.c").line, at(&root, "b.1.c").text()), (4, Some("y")));
        assert_eq!(at(&root, "b.1.d").kind, NodeKind::Nothing);
        assert_eq!(at(&root, "e").text(), Some("one\ntwo\n"));
        let NodeKind::Scalar { plain, .. } = at(&root, "b.1.c").kind else { panic!() };
        assert!(!plain, "quoted");
    }

    #[test]
    fn aliases_and_merge_keys_stand_for_what_they_name() {
        let root =
            one("base: &b {x: 1, y: 2}\nother: &o {z: 3, x: 9}\nuse:\n  <<: [*b, *o]\n  y: 5\nsame: *b\n");
        assert_eq!(at(&root, "use.y").text(), Some("5"), "own values go first");
        assert_eq!(at(&root, "use.x").text(), Some("1"), "then the first of the list");
        assert_eq!(at(&root, "use.z").text(), Some("3"));
        assert_eq!(at(&root, "same.y").line, 1, "what an alias brings has the line where it is written");
        assert_eq!(fault_of("a: *nowhere\n"), "1: not YAML: while parsing node, found unknown anchor");
        assert_eq!(fault_of("a: &a [*a]\n"), "1: the alias refers to a value that is not complete before it");
        assert_eq!(fault_of("a:\n  <<: 3\n"), "2: `<<` needs a table or a list of tables");
    }

    #[test]
    fn a_name_that_stands_there_twice_is_kept_with_both_lines() {
        let NodeKind::Table(table) = one("a: 1\nb: 2\na: 3\n").kind else { panic!() };
        assert_eq!(table.duplicates, [("a".to_owned(), 1, 3)]);
        assert_eq!(table.fields.len(), 2);
    }

    #[test]
    fn a_broken_document_costs_itself_only() {
        let (found, faults) = documents(
            "a: 1\n---\nb: [1, 2\n---\nc: 3\n---\n\"open\n--- {d: 4}\n---\n# nothing\n---\ne: @5\n",
        );
        let names: Vec<_> = found.iter().map(|node| node.line).collect();
        assert_eq!(names, [1, 5, 8, 11], "{found:?}");
        assert_eq!(at(&found[2], "d").text(), Some("4"));
        assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [4, 7, 12], "{faults:?}");
    }

    #[test]
    fn many_broken_documents_are_given_up() {
        let (found, faults) = documents(&"---\n]\n".repeat(1000));
        assert!(found.is_empty());
        assert_eq!(faults.len(), MAX_FAULTS + 1);
        assert!(faults.last().unwrap().message.contains("the rest is not read"));
    }

    #[test]
    fn a_few_lines_do_not_become_billions_of_values() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..20 {
            let list = vec![format!("*a{}", i - 1); 10].join(", ");
            writeln!(bomb, "a{i}: &a{i} [{list}]").unwrap();
        }
        assert!(fault_of(&bomb).contains("more than 200000 values"), "{}", fault_of(&bomb));

        let fields = (0..1000).map(|i| format!("k{i}: 1")).collect::<Vec<_>>().join(", ");
        let merges = "- {<<: *a}\n".repeat(1000);
        let merging = fault_of(&format!("- &a {{{fields}}}\n{merges}"));
        assert!(merging.contains("more than 200000 values"), "{merging}");
    }

    #[test]
    fn nesting_ends_before_the_stack_does() {
        for text in ["[".repeat(100_000), "- ".repeat(100_000), "{a: ".repeat(100_000), "? ".repeat(100_000)]
        {
            let fault = fault_of(&text);
            assert!(fault.starts_with("1: "), "{fault}");
        }
        let mut steps = "a0: &a0 [x]\n".to_owned();
        for i in 1..10_000 {
            writeln!(steps, "a{i}: &a{i} [[[[[[[[[[*a{}]]]]]]]]]]", i - 1).unwrap();
        }
        assert_eq!(fault_of(&steps), "8: nested deeper than 64 levels");
    }

    #[test]
    fn what_is_no_text_is_said() {
        assert_eq!(fault_of("a: 1\nb: \0\n"), "2: a NUL byte; YAML must be text in UTF-8");
        assert_eq!(fault_of("? [a]\n: b\n"), "1: a key must be a text, not a list or a table");
    }

    #[test]
    fn odd_but_valid_texts_are_read() {
        assert_eq!(at(&one("\u{feff}a: 1\r\nb: 2\r\n"), "b").line, 2);
        assert_eq!(at(&one("%YAML 1.2\n---\na: !!str 5\n...\n"), "a").text(), Some("5"));
        assert_eq!(documents("").0, []);
        assert_eq!(documents("# only a remark\n").0, []);
        assert_eq!(documents("--- # one\na: 1\n---\n").0.len(), 2);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            drop(documents(&text));
        }

        #[test]
        fn nothing_near_yaml_makes_it_panic(
            parts in proptest::collection::vec(
                proptest::sample::select(vec![
                    "a", ": ", "\n", "  ", "- ", "? ", "[", "]", "{", "}", ", ", "&a ", "*a", "'", "\"", "|", ">-", "|2",
                    "#", "---", "...", "%YAML 1.2", "%TAG ! x", "!t ", "!!str ", "!<", "<<: ", "\t", "\r\n", "\\", "\\x4",
                    "é", "\u{feff}", "\u{2028}", "@", "`", "\u{85}", "~", "0x1f", "-", ":",
                ]),
                0..40,
            )
        ) {
            let text: String = parts.concat();
            let (found, _) = documents(&text);
            let lines = text.lines().count() + 1;
            prop_assert!(found.iter().all(|node| node.line >= 1 && node.line <= lines + 1));
        }
    }
}
