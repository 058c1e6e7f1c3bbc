//! Kinds of sources, as far as a configuration can tell them apart. Each backend describes its own kind; this room knows none of
//! them by name.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use toml::{Table, Value};

use super::settings::AuthSettings;
use crate::model::action::WriteSupport;
use crate::model::ask::AskKind;
use crate::model::text::with_article;

/// Everything that configuration, command line and documentation need to know of one kind of source.
pub struct KindSpec {
    /// As it is written in `kind = "..."`.
    pub name: &'static str,
    /// As its maker writes it: `PagerDuty`.
    pub title: &'static str,
    /// What it is, in one line: what else speaks its API, or what it is asked for.
    pub summary: &'static str,
    /// What one has to know to configure it, in Markdown.
    pub about: &'static str,
    /// TOML that `config init` prints: one or more sections with their comments.
    pub example: &'static str,
    /// Who says where it is; `None`: there is no `url`.
    pub address: Option<Address>,
    /// Whether nothing is sent by `http://` to another machine: there its key would be all that is needed to act.
    pub is_https_only: bool,
    /// How one can prove who one is there.
    pub auth: &'static [Scheme],
    /// Whether it answers nobody without that.
    pub is_auth_needed: bool,
    /// The questions that every source of this kind can be asked.
    pub answers: &'static [AskKind],
    /// What can be done there, and by which requests.
    pub writes: WriteSupport,
    /// The flag that names a source of this kind on the command line, `--NAME URL`, if there is one.
    pub flag: Option<Flag>,
    /// The options that only this kind has.
    pub options: Options,
}

/// Where sources of a kind are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// `url` must say it.
    Needed,
    /// Here, unless `url` says otherwise.
    Usual(&'static str),
}

/// The flag of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag {
    /// The name of the first source that it makes: `prom`.
    pub source: &'static str,
    /// An address as it often is.
    pub example: &'static str,
}

/// A way to prove who one is; the words are those of [`AuthSettings`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `auth.bearer`
    Bearer,
    /// `auth.basic`
    Basic,
    /// `auth.token`: a key in the header that the vendor has for it.
    Token(KeyHeader),
    /// `auth.oauth2`
    OAuth2,
    /// `auth.sigv4`
    SigV4,
    /// `auth.header`
    Header,
    /// `auth.cookie`
    Cookie,
    /// `auth.query`
    Query,
}

/// The header in which a vendor wants its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyHeader {
    /// `Authorization`, `Private-Token`.
    pub name: &'static str,
    /// What stands before the key: `Token token=`, `GenieKey `.
    pub prefix: &'static str,
}

impl Scheme {
    /// Those that need no agreement with the vendor: the server itself, or what stands in front of it, may want any of them.
    pub const ANY: [Self; 7] =
        [Self::Bearer, Self::Basic, Self::OAuth2, Self::SigV4, Self::Header, Self::Cookie, Self::Query];

    /// Its key below `auth`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::Basic => "basic",
            Self::Token(_) => "token",
            Self::OAuth2 => "oauth2",
            Self::SigV4 => "sigv4",
            Self::Header => "header",
            Self::Cookie => "cookie",
            Self::Query => "query",
        }
    }

    /// What carries its secret.
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::Query => "parameter",
            Self::Bearer | Self::Basic | Self::Token(_) | Self::OAuth2 | Self::SigV4 | Self::Header => {
                "header"
            }
        }
    }
}

impl KindSpec {
    /// The address of a source that says none; empty if there is none.
    pub fn default_url(&self) -> &'static str {
        match self.address {
            Some(Address::Usual(url)) => url,
            Some(Address::Needed) | None => "",
        }
    }

    /// The header for the key of `auth.token`.
    pub fn key_header(&self) -> Option<KeyHeader> {
        self.auth.iter().find_map(|scheme| match scheme {
            Scheme::Token(header) => Some(*header),
            Scheme::Bearer
            | Scheme::Basic
            | Scheme::OAuth2
            | Scheme::SigV4
            | Scheme::Header
            | Scheme::Cookie
            | Scheme::Query => None,
        })
    }

    /// The headers that this authentication sets, as far as they do not change.
    pub(super) fn headers_of<'a>(&self, auth: &'a AuthSettings) -> Vec<&'a str> {
        match auth {
            AuthSettings::Bearer(_)
            | AuthSettings::Basic(_)
            | AuthSettings::OAuth2(_)
            | AuthSettings::SigV4(_) => vec!["Authorization"],
            AuthSettings::Token(_) => self.key_header().map(|header| header.name).into_iter().collect(),
            AuthSettings::Header(list) => list.iter().map(|header| header.name.as_str()).collect(),
            AuthSettings::Cookie(_) => vec!["Cookie"],
            AuthSettings::Query(_) => Vec::new(),
        }
    }
}

impl PartialEq for KindSpec {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for KindSpec {}

impl fmt::Debug for KindSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Serialize for KindSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

/// The options that only sources of one kind have: a struct with a default for each option that need not be said, and
/// `deny_unknown_fields`. What its fields are documented with stands in the JSON schema and in the documentation.
pub trait OwnSettings: Serialize + DeserializeOwned + JsonSchema {
    /// The keys that name files; those are seen from where the configuration file is.
    const FILES: &'static [&'static str] = &[];

    /// What is wrong although it fits the schema: the key, and how a sentence goes on that begins with it and its section.
    fn troubles(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// For a kind that has no options of its own.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoOptions {}

impl OwnSettings for NoOptions {}

/// What is done with an [`OwnSettings`] where its type is not known.
pub struct Options {
    schema: fn(&mut SchemaGenerator) -> Schema,
    read: fn(Table) -> Result<Table, toml::de::Error>,
    troubles: fn(&Table) -> Vec<(&'static str, String)>,
    files: &'static [&'static str],
}

impl Options {
    /// The options of this type.
    ///
    /// # Panics
    /// What is read of a type that is no table of plain values.
    pub const fn of<T: OwnSettings>() -> Self {
        Self {
            schema: T::json_schema,
            read: |table| {
                let own = T::deserialize(table)?;
                Ok(Table::try_from(own).expect("settings are tables of plain values"))
            },
            troubles: |table| {
                T::deserialize(table.clone()).map_or_else(|_told| Vec::new(), |own| own.troubles())
            },
            files: T::FILES,
        }
    }

    /// Their keys.
    #[cfg(test)]
    pub(crate) fn keys(&self) -> Vec<String> {
        let schema = self.schema(&mut SchemaGenerator::default());
        let properties = schema.get("properties").and_then(serde_json::Value::as_object);
        properties.into_iter().flat_map(|options| options.keys().cloned()).collect()
    }

    /// The schema of the table of these options.
    pub(super) fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        (self.schema)(generator)
    }

    /// These options with a value for each.
    ///
    /// # Errors
    /// What does not fit.
    pub(super) fn read(&self, written: Table) -> Result<Table, toml::de::Error> {
        (self.read)(written)
    }

    /// As [`OwnSettings::troubles`].
    pub(super) fn troubles(&self, own: &Table) -> Vec<(&'static str, String)> {
        (self.troubles)(own)
    }

    /// The names of all files among these options.
    pub(super) fn files_mut<'t>(&self, own: &'t mut Table) -> impl Iterator<Item = &'t mut String> + use<'t> {
        let files = self.files;
        own.iter_mut().filter(|(key, _)| files.contains(&key.as_str())).filter_map(|(_, value)| match value {
            Value::String(path) => Some(path),
            _ => None,
        })
    }
}

/// What to add where no source answers any of these questions: `a Prometheus (--prometheus URL)`.
pub fn sources_to_add(kinds: &[&'static KindSpec], asks: &[AskKind]) -> String {
    let mut found: Vec<&KindSpec> = Vec::new();
    for kind in asks.iter().flat_map(|ask| kinds_answering(kinds, *ask)) {
        if !found.contains(&kind) {
            found.push(kind);
        }
    }
    let each = found.iter().map(|kind| match kind.flag {
        Some(_) => format!("{} (--{} URL)", with_article(kind.title), kind.name),
        None => format!("one of kind = \"{}\"", kind.name),
    });
    if found.is_empty() { "one".to_owned() } else { each.collect::<Vec<_>>().join(" or ") }
}

/// The kinds of these that can be asked this.
pub fn kinds_answering<'k>(
    kinds: &'k [&'static KindSpec],
    ask: AskKind,
) -> impl Iterator<Item = &'static KindSpec> + use<'k> {
    kinds.iter().copied().filter(move |kind| kind.answers.contains(&ask))
}

#[cfg(test)]
pub(super) mod tests;
