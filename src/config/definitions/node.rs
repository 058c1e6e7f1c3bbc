//! What a definition file says, as a tree that knows its lines; the same for YAML and TOML.

use std::sync::Arc;

/// Deepest nesting that is read; real definitions have about ten levels.
pub(super) const MOST_LEVELS: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// Where it begins, from 1.
    pub(super) line: usize,
    pub(super) kind: Kind,
    /// Levels below and with it.
    pub(super) levels: usize,
    /// Values in and with it, those behind aliases counted each time.
    pub(super) size: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Written as nothing, or as `null`.
    Nothing,
    /// One word or text or number, letter by letter as it was written: `99.9` never passes through a binary fraction.
    Scalar {
        /// The text, without quotes.
        text: String,
        /// Whether it stood there without quotes, and so may be a number or `true`.
        plain: bool,
    },
    List(Vec<Arc<Node>>),
    Table(Fields),
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Fields {
    /// In their order, each name once.
    pub(super) fields: Vec<Field>,
    /// Names that stand there twice, with the lines of both; the first one is in `fields`.
    pub(super) doubled: Vec<(String, usize, usize)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) value: Arc<Node>,
}

/// Something that cannot be read at all, with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// Where, from 1.
    pub(super) line: usize,
    pub(super) message: String,
}

impl Node {
    /// A value that has no others in it.
    pub(super) fn leaf(line: usize, kind: Kind) -> Self {
        Self { line, kind, levels: 1, size: 1 }
    }

    pub(super) fn list(line: usize, items: Vec<Arc<Self>>) -> Self {
        let (levels, size) = measure(items.iter());
        Self { line, kind: Kind::List(items), levels, size }
    }

    pub(super) fn table(line: usize, fields: Fields) -> Self {
        let (levels, size) = measure(fields.fields.iter().map(|field| &field.value));
        Self { line, kind: Kind::Table(fields), levels, size }
    }

    pub(super) fn what(&self) -> String {
        match &self.kind {
            Kind::Nothing => "nothing".to_owned(),
            Kind::Scalar { text, .. } if text.chars().count() > 40 => {
                format!("`{}...`", text.chars().take(40).collect::<String>())
            }
            Kind::Scalar { text, .. } => format!("`{text}`"),
            Kind::List(_) => "a list".to_owned(),
            Kind::Table(_) => "a table".to_owned(),
        }
    }

    /// The value of a plain field of a table.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        let Kind::Table(table) = &self.kind else { return None };
        table.fields.iter().find(|field| field.name == name).map(|field| &*field.value)
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Kind::Scalar { text, .. } = &self.kind { Some(text) } else { None }
    }
}

fn measure<'n>(inner: impl Iterator<Item = &'n Arc<Node>>) -> (usize, usize) {
    inner.fold((1, 1), |(levels, size), node| (levels.max(1 + node.levels), size.saturating_add(node.size)))
}
