//! A small YAML reader for rule files, independent of burnwatch's own. For `#[path]`.

use saphyr_parser::{Event, Parser};

/// A YAML value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Yaml {
    Text(String),
    List(Vec<Yaml>),
    Table(Vec<(String, Yaml)>),
}

impl Yaml {
    /// The value of a key; panics if it is missing.
    pub(crate) fn at(&self, name: &str) -> &Self {
        self.find(name).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Self> {
        let Self::Table(fields) = self else { return None };
        fields.iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }

    pub(crate) fn text(&self) -> &str {
        if let Self::Text(text) = self { text } else { panic!("no text: {self:?}") }
    }

    pub(crate) fn list(&self) -> &[Self] {
        if let Self::List(items) = self { items } else { panic!("no list: {self:?}") }
    }

    /// The keys and texts of a mapping; empty if it is missing.
    pub(crate) fn pairs(&self, name: &str) -> Vec<(String, String)> {
        let Some(Self::Table(fields)) = self.find(name) else { return Vec::new() };
        let mut pairs: Vec<_> =
            fields.iter().map(|(name, value)| (name.clone(), value.text().to_owned())).collect();
        pairs.sort();
        pairs
    }
}

/// All documents of a valid text.
pub(crate) fn documents(text: &str) -> Vec<Yaml> {
    let (mut documents, mut open, mut names): (Vec<_>, Vec<Yaml>, Vec<Option<String>>) = Default::default();
    for event in Parser::new_from_str(text) {
        let (event, _) = event.unwrap();
        let done = match event {
            Event::Scalar(text, ..) => Yaml::Text(text.into_owned()),
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                let list = matches!(event, Event::SequenceStart(..));
                open.push(if list { Yaml::List(Vec::new()) } else { Yaml::Table(Vec::new()) });
                names.push(None);
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                names.pop();
                open.pop().unwrap()
            }
            Event::Alias(_) => panic!("an alias"),
            _ => continue,
        };
        match open.last_mut() {
            None => documents.push(done),
            Some(Yaml::List(items)) => items.push(done),
            Some(Yaml::Table(fields)) => match names.last_mut().unwrap().take() {
                None => *names.last_mut().unwrap() = Some(done.text().to_owned()),
                Some(name) => fields.push((name, done)),
            },
            Some(Yaml::Text(text)) => panic!("{text} is open"),
        }
    }
    documents
}
