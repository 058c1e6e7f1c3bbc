//! `[sources.NAME]`: the options of all kinds of sources, and those of one kind.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Serialize};
use toml::Table;

use super::{AuthSettings, Login, SecretText};
use crate::config::kind::{KindSpec, NoOptions, Options, OwnSettings};

/// One monitored system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceSettings {
    /// The kind of source; set by [`Self::read`], which receives the known kinds.
    #[serde(skip_deserializing, default = "undecided")]
    #[schemars(skip)]
    pub kind: &'static KindSpec,
    /// The URL, with any path prefix: `https://prom.example.net/prometheus`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// The authentication.
    #[serde(default)]
    pub auth: Option<AuthSettings>,
    /// Additional headers for every request.
    #[serde(default)]
    pub headers: BTreeMap<String, SecretText>,
    /// PEM file with the CAs for checking the server's certificate, instead of those that this machine trusts.
    #[serde(default)]
    pub ca_file: Option<String>,
    /// PEM file with the client certificate; requires `client_key`.
    #[serde(default)]
    pub client_cert: Option<String>,
    /// PEM file with the key of `client_cert`; must not be readable by all users.
    #[serde(default)]
    pub client_key: Option<String>,
    /// The proxy: `http://`, `https://`, `socks5://` or `socks5h://` with host and port, or `direct` for none. By default the
    /// environment variables `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` apply.
    #[serde(default)]
    pub proxy: Option<String>,
    /// The user name and password for the proxy.
    #[serde(default)]
    pub proxy_auth: Option<Login>,
    /// The tenant, sent as `X-Scope-OrgID` (Mimir, Cortex) and `THANOS-TENANT`.
    #[serde(default)]
    pub tenant: Option<String>,
    /// The options of its kind, with defaults filled in.
    #[serde(flatten)]
    #[schemars(skip)]
    pub own: Table,
}

/// A placeholder until the kind of a source is known.
static UNDECIDED: KindSpec = KindSpec::local(&[], Options::of::<NoOptions>());

fn undecided() -> &'static KindSpec {
    &UNDECIDED
}

impl SourceSettings {
    /// A source of this kind at this URL, with defaults for all other options.
    ///
    /// # Panics
    /// If the kind has required options.
    pub fn new(kind: &'static KindSpec, url: &str) -> Self {
        let mut table = Table::from_iter([("kind".to_owned(), kind.name.into())]);
        table.extend((!url.is_empty()).then(|| ("url".to_owned(), url.into())));
        Self::read(table, &[kind]).expect("the options of a kind have defaults")
    }

    /// Reads a table of the configuration as a source of one of these kinds.
    ///
    /// # Errors
    /// If a value does not conform to the kind.
    pub(in crate::config) fn read(
        mut table: Table,
        kinds: &[&'static KindSpec],
    ) -> Result<Self, toml::de::Error> {
        let name = table.remove("kind");
        let name = name.as_ref().and_then(toml::Value::as_str).unwrap_or_default();
        let kind = kinds.iter().copied().find(|kind| kind.name == name);
        let kind = kind.ok_or_else(|| toml::de::Error::custom(format!("there is no kind `{name}`")))?;
        let source = Self::deserialize(table)?;
        Ok(Self { kind, own: (kind.options.read)(source.own)?, ..source })
    }

    /// The options of its kind.
    ///
    /// # Errors
    /// If the options do not conform to `T`, which is only possible if they were not read from a file.
    pub fn own<T: OwnSettings>(&self) -> Result<T, toml::de::Error> {
        T::deserialize(self.own.clone())
    }

    /// The paths of all files that it refers to: secrets, certificates, keys, and those of its kind.
    pub(crate) fn files_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let auth = self.auth.iter_mut().flat_map(AuthSettings::files_mut);
        let headers = self.headers.values_mut().filter_map(SecretText::file_mut);
        let proxy = self.proxy_auth.iter_mut().filter_map(|login| login.password.file_mut());
        let tls = self.ca_file.iter_mut().chain(&mut self.client_cert).chain(&mut self.client_key);
        let own = self.kind.options.files_mut(&mut self.own);
        auth.chain(headers).chain(proxy).chain(tls).chain(own)
    }

    /// The URL, or the default URL of its kind.
    pub fn address(&self) -> &str {
        if self.url.is_empty() { self.kind.default_url() } else { &self.url }
    }
}
