//! The settings for connecting to a source: authentication, certificates, proxies, and references to the
//! secrets for them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// The authentication scheme; exactly one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum AuthSettings {
    /// `Authorization: Bearer ...`
    Bearer(SecretRef),
    /// `Authorization: Basic ...`
    Basic(Login),
    /// A key in a header that the vendor defines, such as `Authorization: Token token=...`.
    Token(SecretRef),
    /// A token from `OAuth2` client credentials, which is renewed before it expires.
    OAuth2(OAuth2Settings),
    /// Each request is signed with AWS Signature Version 4.
    SigV4(SigV4Settings),
    /// Secrets in headers with these names.
    #[serde(deserialize_with = "one_or_several")]
    #[schemars(with = "OneOrSeveral")]
    Header(Vec<NamedSecret>),
    /// Secrets in cookies with these names.
    #[serde(deserialize_with = "one_or_several")]
    #[schemars(with = "OneOrSeveral")]
    Cookie(Vec<NamedSecret>),
    /// Secrets in query parameters with these names.
    #[serde(deserialize_with = "one_or_several")]
    #[schemars(with = "OneOrSeveral")]
    Query(Vec<NamedSecret>),
}

/// A secret with the name under which it is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedSecret {
    /// The header, cookie or parameter: `DD-API-KEY`.
    pub name: String,
    /// Text before the secret, including the blank between them: `GenieKey `.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// The secret.
    pub secret: SecretRef,
}

/// One secret, or a list of them.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum OneOrSeveral {
    One(NamedSecret),
    Several(Vec<NamedSecret>),
}

fn one_or_several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<NamedSecret>, D::Error> {
    Ok(match OneOrSeveral::deserialize(deserializer)? {
        OneOrSeveral::One(one) => vec![one],
        OneOrSeveral::Several(several) => several,
    })
}

/// A user name and password.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The user name.
    pub user: String,
    /// The password.
    pub password: SecretRef,
}

/// A token from `OAuth2` client credentials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OAuth2Settings {
    /// The token endpoint: `https://id.example.net/realms/ops/protocol/openid-connect/token`.
    pub token_url: String,
    /// The client id of burnwatch.
    pub client_id: String,
    /// The client secret.
    pub client_secret: SecretRef,
    /// The scopes to request.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The audience, if the server requires one (Auth0, Okta).
    #[serde(default)]
    pub audience: Option<String>,
    /// PEM file with the CA of `token_url`, if this machine does not trust it.
    #[serde(default)]
    pub ca_file: Option<String>,
}

/// The keys for signing AWS requests. If none are set, the AWS environment variables are used (`AWS_ACCESS_KEY_ID` and
/// so on), else the profile in `AWS_PROFILE`, else the profile `default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SigV4Settings {
    /// The region of the workspace: `eu-central-1`.
    pub region: String,
    /// The service: `aps` is Amazon Managed Service for Prometheus.
    #[serde(default = "aps")]
    pub service: String,
    /// A profile in `~/.aws/credentials`.
    #[serde(default)]
    pub profile: Option<String>,
    /// The access key id; requires `secret_key`.
    #[serde(default)]
    pub access_key: Option<SecretText>,
    /// The secret access key.
    #[serde(default)]
    pub secret_key: Option<SecretRef>,
    /// The session token of temporary keys.
    #[serde(default)]
    pub session_token: Option<SecretRef>,
    /// A program that prints the keys as JSON: `["aws", "configure", "export-credentials", "--profile", "prod"]`.
    #[serde(default)]
    pub command: Option<SecretProgram>,
}

fn aps() -> String {
    "aps".to_owned()
}

/// A reference to a secret; never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum SecretRef {
    /// An environment variable.
    Env(String),
    /// A file; its first line is the secret.
    File(String),
    /// A program with its arguments; the first line of its output is the secret. It runs without a shell.
    Command(SecretProgram),
    /// An entry of the system's keyring: the Secret Service (GNOME Keyring, `KWallet`), or the keychain of macOS.
    Keyring(KeyringEntry),
}

/// An entry of the system's keyring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyringEntry {
    /// The service name of the entry.
    #[serde(default = "burnwatch")]
    pub service: String,
    /// The user name of the entry; usually the name of the source.
    pub user: String,
}

fn burnwatch() -> String {
    "burnwatch".to_owned()
}

/// A program with its arguments. Only the program is displayed, because arguments can contain secrets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SecretProgram(pub Vec<String>);

impl fmt::Debug for SecretProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.first()).finish_non_exhaustive()
    }
}

/// A plain text, or a reference to a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SecretText {
    /// A plain text.
    Plain(String),
    /// A reference to a secret.
    Secret(SecretRef),
}

impl AuthSettings {
    /// The paths of all files that it refers to: secrets and certificates.
    pub(crate) fn files_mut(&mut self) -> Vec<&mut String> {
        match self {
            Self::Bearer(secret) | Self::Token(secret) | Self::Basic(Login { password: secret, .. }) => {
                secret.file_mut().into_iter().collect()
            }
            Self::OAuth2(oauth) => {
                oauth.client_secret.file_mut().into_iter().chain(&mut oauth.ca_file).collect()
            }
            Self::SigV4(keys) => {
                let id = keys.access_key.as_mut().and_then(SecretText::file_mut);
                let secrets = keys.secret_key.iter_mut().chain(&mut keys.session_token);
                id.into_iter().chain(secrets.filter_map(SecretRef::file_mut)).collect()
            }
            Self::Header(list) | Self::Cookie(list) | Self::Query(list) => {
                list.iter_mut().filter_map(|named| named.secret.file_mut()).collect()
            }
        }
    }
}

impl SecretRef {
    /// The path, if this refers to a file.
    pub(crate) fn file_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::File(path) => Some(path),
            Self::Env(_) | Self::Command(_) | Self::Keyring(_) => None,
        }
    }
}

impl SecretText {
    /// The path, if this refers to a file.
    pub(crate) fn file_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::Plain(_) => None,
            Self::Secret(secret) => secret.file_mut(),
        }
    }
}
