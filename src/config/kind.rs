//! The description of a kind of source. Each backend defines its own [`KindSpec`]; this module knows no kind
//! by name.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use toml::{Table, Value};

use super::settings::AuthSettings;
use crate::model::action::WriteSupport;
use crate::model::ask::AskKind;
use crate::model::text::with_article;

/// All data about one kind of source for configuration, command line and documentation.
pub struct KindSpec {
    /// The value of `kind` in the configuration.
    pub name: &'static str,
    /// The product name: `PagerDuty`.
    pub title: &'static str,
    /// One line: compatible products, or the data that the source provides.
    pub summary: &'static str,
    /// Configuration notes for users, in Markdown.
    pub about: &'static str,
    /// TOML that `config init` prints: one or more sections with comments.
    pub example: &'static str,
    /// Whether a URL is required; `None`: the kind has no `url`.
    pub address: Option<Address>,
    /// Whether to refuse `http://` to other machines, because the key alone would allow actions.
    pub is_https_only: bool,
    /// The supported authentication schemes.
    pub auth: &'static [Scheme],
    /// Whether authentication is required.
    pub is_auth_needed: bool,
    /// The kinds of questions that every source of this kind can answer.
    pub answers: &'static [AskKind],
    /// What can be done there, and by which requests.
    pub writes: WriteSupport,
    /// The flag `--NAME URL` that adds a source of this kind on the command line, if there is one.
    pub flag: Option<Flag>,
    pub options: Options,
}

/// The source of the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// `url` is required.
    Needed,
    /// This URL is the default for `url`.
    Usual(&'static str),
}

/// The command-line flag of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag {
    /// The id of the first source that it adds: `prom`.
    pub source: &'static str,
    pub example: &'static str,
}

/// An authentication scheme; the variants correspond to [`AuthSettings`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `auth.bearer`
    Bearer,
    /// `auth.basic`
    Basic,
    /// `auth.token`: a key in a header that the vendor defines.
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

/// The header in which a vendor expects its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyHeader {
    /// `Authorization`, `Private-Token`.
    pub name: &'static str,
    /// The text before the key: `Token token=`, `GenieKey `.
    pub prefix: &'static str,
}

impl Scheme {
    /// Schemes that do not depend on the vendor: the server, or a gateway in front of it, may require any of them.
    pub const ANY: [Self; 7] =
        [Self::Bearer, Self::Basic, Self::OAuth2, Self::SigV4, Self::Header, Self::Cookie, Self::Query];

    /// The vendor's own key, and [`Self::ANY`].
    pub const fn any_or(key: KeyHeader) -> [Self; 8] {
        let [bearer, basic, oauth2, sigv4, header, cookie, query] = Self::ANY;
        [Self::Token(key), bearer, basic, oauth2, sigv4, header, cookie, query]
    }

    /// The key below `auth` in the configuration.
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

    /// The place that carries the secret.
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
    /// What kinds that only read from one server have in common; names, texts and the example are the kind's own.
    pub const fn reading(answers: &'static [AskKind], options: Options) -> Self {
        Self { address: Some(Address::Needed), auth: &Scheme::ANY, ..Self::local(answers, options) }
    }

    /// As [`Self::reading`], for what is on this machine: no URL, no authentication.
    pub const fn local(answers: &'static [AskKind], options: Options) -> Self {
        Self {
            name: "",
            title: "",
            summary: "",
            about: "",
            example: "",
            address: None,
            is_https_only: false,
            auth: &[],
            is_auth_needed: false,
            answers,
            writes: WriteSupport::NONE,
            flag: None,
            options,
        }
    }

    /// The default URL; empty if there is none.
    pub fn default_url(&self) -> &'static str {
        match self.address {
            Some(Address::Usual(url)) => url,
            Some(Address::Needed) | None => "",
        }
    }

    /// The header for `auth.token`; `None` if the kind does not support it.
    pub fn key_header(&self) -> Option<KeyHeader> {
        let header = |scheme: &Scheme| if let Scheme::Token(header) = scheme { Some(*header) } else { None };
        self.auth.iter().find_map(header)
    }

    /// The names of the headers that this authentication sets, if they are fixed.
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

/// The options that only one kind has: a struct with a default for each optional field and
/// `deny_unknown_fields`. The doc comments of its fields become part of the JSON schema and the documentation.
pub trait OwnSettings: Serialize + DeserializeOwned + JsonSchema {
    /// The keys whose values are paths; relative paths are resolved against the folder of the configuration file.
    const FILES: &'static [&'static str] = &[];

    /// Problems that the schema cannot express: the key, and the message after "`key` in \[section\] ".
    fn failures(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// The options of a kind without options of its own.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoOptions {}

impl OwnSettings for NoOptions {}

/// Type-erased functions of an [`OwnSettings`] type.
pub struct Options {
    /// The JSON schema of these options.
    pub(super) schema: fn(&mut SchemaGenerator) -> Schema,
    /// The options with defaults filled in; an error if a value does not conform to the type.
    pub(super) read: fn(Table) -> Result<Table, toml::de::Error>,
    /// The problems that [`OwnSettings::failures`] finds.
    pub(super) failures: fn(&Table) -> Vec<(&'static str, String)>,
    files: &'static [&'static str],
}

impl Options {
    /// The functions for this type.
    ///
    /// # Panics
    /// `read` panics for a type that does not serialise to a table of plain values.
    pub const fn of<T: OwnSettings>() -> Self {
        Self {
            schema: T::json_schema,
            read: |table| {
                let own = T::deserialize(table)?;
                Ok(Table::try_from(own).expect("settings are tables of plain values"))
            },
            failures: |table| {
                T::deserialize(table.clone()).map_or_else(|_told| Vec::new(), |own| own.failures())
            },
            files: T::FILES,
        }
    }

    /// The keys of these options.
    #[cfg(test)]
    pub(crate) fn keys(&self) -> Vec<String> {
        let schema = (self.schema)(&mut SchemaGenerator::default());
        let properties = schema.get("properties").and_then(serde_json::Value::as_object);
        properties.into_iter().flat_map(|options| options.keys().cloned()).collect()
    }

    /// The paths among these options.
    pub(super) fn files_mut<'t>(&self, own: &'t mut Table) -> impl Iterator<Item = &'t mut String> + use<'t> {
        let files = self.files;
        own.iter_mut().filter(|(key, _)| files.contains(&key.as_str())).flat_map(|(_, value)| match value {
            Value::String(path) => vec![path],
            Value::Array(paths) => paths.iter_mut().filter_map(one_path).collect(),
            _ => Vec::new(),
        })
    }
}

fn one_path(value: &mut Value) -> Option<&mut String> {
    if let Value::String(path) = value { Some(path) } else { None }
}

/// The sources that would answer these questions, for a message: `a Prometheus (--prometheus URL)`.
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

/// The kinds that can answer this question.
pub fn kinds_answering<'k>(
    kinds: &'k [&'static KindSpec],
    ask: AskKind,
) -> impl Iterator<Item = &'static KindSpec> + use<'k> {
    kinds.iter().copied().filter(move |kind| kind.answers.contains(&ask))
}

#[cfg(test)]
pub(super) mod tests;
