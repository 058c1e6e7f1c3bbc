//! What a definition file says, as a tree that knows its lines; the same for YAML and TOML.

use std::sync::Arc;

/// Deepest nesting that is read; real definitions have about ten levels.
pub(super) const MAX_LEVELS: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DocumentNode {
    /// Where it begins, from 1.
    pub(super) line: usize,
    pub(super) kind: NodeKind,
    /// Levels below and with it.
    pub(super) levels: usize,
    /// Values in and with it, those behind aliases counted each time.
    pub(super) size: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NodeKind {
    /// Written as nothing, or as `null`.
    Nothing,
    /// One word or text or number, letter by letter as it was written: `99.9` never passes through a binary fraction.
    Scalar {
        /// The text, without quotes.
        text: String,
        /// Whether it stood there without quotes, and so may be a number or `true`.
        plain: bool,
    },
    List(Vec<Arc<DocumentNode>>),
    Table(NodeFields),
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct NodeFields {
    /// In their order, each name once.
    pub(super) fields: Vec<NodeField>,
    /// Names that stand there twice, with the lines of both; the first one is in `fields`.
    pub(super) duplicates: Vec<(String, usize, usize)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NodeField {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) value: Arc<DocumentNode>,
}

/// Something that cannot be read at all, with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReadFault {
    /// Where, from 1.
    pub(super) line: usize,
    pub(super) message: String,
}

impl DocumentNode {
    /// A value that has no others in it.
    pub(super) fn leaf(line: usize, kind: NodeKind) -> Self {
        Self { line, kind, levels: 1, size: 1 }
    }

    pub(super) fn list(line: usize, items: Vec<Arc<Self>>) -> Self {
        let (levels, size) = measure(items.iter());
        Self { line, kind: NodeKind::List(items), levels, size }
    }

    pub(super) fn table(line: usize, fields: NodeFields) -> Self {
        let (levels, size) = measure(fields.fields.iter().map(|field| &field.value));
        Self { line, kind: NodeKind::Table(fields), levels, size }
    }

    pub(super) fn what(&self) -> String {
        match &self.kind {
            NodeKind::Nothing => "nothing".to_owned(),
            NodeKind::Scalar { text, .. } if text.chars().count() > 40 => {
                format!("`{}...`", text.chars().take(40).collect::<String>())
            }
            NodeKind::Scalar { text, .. } => format!("`{text}`"),
            NodeKind::List(_) => "a list".to_owned(),
            NodeKind::Table(_) => "a table".to_owned(),
        }
    }

    /// The value of a plain field of a table.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        let NodeKind::Table(table) = &self.kind else { return None };
        table.fields.iter().find(|field| field.name == name).map(|field| &*field.value)
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let NodeKind::Scalar { text, .. } = &self.kind { Some(text) } else { None }
    }
}

fn measure<'n>(inner: impl Iterator<Item = &'n Arc<DocumentNode>>) -> (usize, usize) {
    inner.fold((1, 1), |(levels, size), node| (levels.max(1 + node.levels), size.saturating_add(node.size)))
}
