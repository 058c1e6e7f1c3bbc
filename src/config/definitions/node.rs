//! The content of a definition file as a tree with line numbers; the same for YAML and TOML.

use std::sync::Arc;

/// The limit for nesting; real definitions have about ten levels.
pub(super) const MAX_LEVELS: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DocumentNode {
    /// The first line of the value, from 1.
    pub(super) line: usize,
    /// The type and content of the value.
    pub(super) kind: NodeKind,
    /// The number of nesting levels, including the value itself.
    pub(super) levels: usize,
    /// The number of values within it, including the value itself; values behind aliases count each time.
    pub(super) size: usize,
}

/// The type and content of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NodeKind {
    /// Empty, or `null`.
    Nothing,
    /// A text, number or boolean, exactly as written: `99.9` is never converted to a binary fraction.
    Scalar {
        /// The text, without quotes.
        text: String,
        /// Whether it was written without quotes, and so may be a number or `true`.
        plain: bool,
    },
    /// A list, in order.
    List(Vec<Arc<DocumentNode>>),
    /// A table of keys and values.
    Table(NodeFields),
}

/// The keys and values of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct NodeFields {
    /// In order, each key once.
    pub(super) fields: Vec<NodeField>,
    /// Duplicate keys with the lines of both; the first value is in `fields`.
    pub(super) duplicates: Vec<(String, usize, usize)>,
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NodeField {
    pub(super) name: String,
    /// The line of the key, from 1.
    pub(super) line: usize,
    pub(super) value: Arc<DocumentNode>,
}

/// A syntax error with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReadFault {
    /// The line, from 1.
    pub(super) line: usize,
    pub(super) message: String,
}

impl ReadFault {
    pub(super) fn new(line: usize, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }

    /// Nested deeper than [`MAX_LEVELS`].
    pub(super) fn too_deep(line: usize) -> Self {
        Self::new(line, format!("nested deeper than {MAX_LEVELS} levels"))
    }
}

impl DocumentNode {
    /// A value without inner values.
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

    /// The value for a message: the text of a scalar, or its type.
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

    /// The value of a key, if this is a table that has the key.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        let NodeKind::Table(table) = &self.kind else { return None };
        table.fields.iter().find(|field| field.name == name).map(|field| &*field.value)
    }

    /// The text, if this is a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        if let NodeKind::Scalar { text, .. } = &self.kind { Some(text) } else { None }
    }
}

fn measure<'n>(inner: impl Iterator<Item = &'n Arc<DocumentNode>>) -> (usize, usize) {
    inner.fold((1, 1), |(levels, size), node| (levels.max(1 + node.levels), size.saturating_add(node.size)))
}
