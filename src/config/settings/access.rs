//! How a source is reached and how one proves who one is there: authentication, certificates, proxies, and where the
//! secrets for them are to be had.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// How to prove who you are; one of these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum AuthSettings {
    /// `Authorization: Bearer ...`
    Bearer(SecretRef),
    /// `Authorization: Basic ...`
    Basic(Login),
    /// A key in the header that the vendor has for it, such as `Authorization: Token token=...`.
    Token(SecretRef),
    /// A token that is fetched by `OAuth2` client credentials, and fetched anew before it expires.
    OAuth2(OAuth2Settings),
    /// Each request is signed as AWS wants it (Signature Version 4).
    SigV4(SigV4Settings),
    /// Secrets in headers of these names.
    #[serde(deserialize_with = "one_or_several")]
    #[schemars(with = "OneOrSeveral")]
    Header(Vec<NamedSecret>),
    /// Secrets in cookies of these names.
    #[serde(deserialize_with = "one_or_several")]
    #[schemars(with = "OneOrSeveral")]
    Cookie(Vec<NamedSecret>),
    /// Secrets in the query of the address, as parameters of these names.
    #[serde(deserialize_with = "one_or_several")]
    #[schemars(with = "OneOrSeveral")]
    Query(Vec<NamedSecret>),
}

/// A secret, and the name by which it is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedSecret {
    /// The header, cookie or parameter: `DD-API-KEY`.
    pub name: String,
    /// What stands before the secret, with the blank between them: `GenieKey `.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// The secret.
    pub secret: SecretRef,
}

/// One, or a list of them.
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

/// A user's name and password.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// The password.
    pub password: SecretRef,
}

/// A token by `OAuth2` client credentials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OAuth2Settings {
    /// Where the token is fetched: `https://id.example.net/realms/ops/protocol/openid-connect/token`.
    pub token_url: String,
    /// Who burnwatch is there.
    pub client_id: String,
    /// The secret for it.
    pub client_secret: SecretRef,
    /// What the token shall be good for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// For whom it shall be good, where that must be said (Auth0, Okta).
    #[serde(default)]
    pub audience: Option<String>,
    /// PEM file with the CA of `token_url`, where it is not one that this machine trusts.
    #[serde(default)]
    pub ca_file: Option<String>,
}

/// The keys that requests to AWS are signed with. Without any of them the variables of AWS count (`AWS_ACCESS_KEY_ID` and
/// so on), else the profile that `AWS_PROFILE` names, else `default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SigV4Settings {
    /// Where the workspace is: `eu-central-1`.
    pub region: String,
    /// The service: `aps` is Amazon Managed Service for Prometheus.
    #[serde(default = "aps")]
    pub service: String,
    /// A profile in `~/.aws/credentials`.
    #[serde(default)]
    pub profile: Option<String>,
    /// The access key's id; together with `secret_key`.
    #[serde(default)]
    pub access_key: Option<SecretText>,
    /// The secret access key.
    #[serde(default)]
    pub secret_key: Option<SecretRef>,
    /// The session's token, where the keys are temporary.
    #[serde(default)]
    pub session_token: Option<SecretRef>,
    /// A program that prints the keys as JSON: `["aws", "configure", "export-credentials", "--profile", "prod"]`.
    #[serde(default)]
    pub command: Option<SecretProgram>,
}

fn aps() -> String {
    "aps".to_owned()
}

/// Where a secret is to be had; never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum SecretRef {
    /// An environment variable.
    Env(String),
    /// A file; its first line counts.
    File(String),
    /// A program and its arguments; the first line that it prints counts. No shell is involved.
    Command(SecretProgram),
    /// An entry of the system's keyring: the Secret Service (GNOME Keyring, `KWallet`), or the keychain of macOS.
    Keyring(KeyringEntry),
}

/// An entry of the system's keyring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyringEntry {
    /// What it is for.
    #[serde(default = "burnwatch")]
    pub service: String,
    /// Whose it is: most often the name of the source.
    pub user: String,
}

fn burnwatch() -> String {
    "burnwatch".to_owned()
}

/// A program and its arguments. Shown is only the program: arguments tell much, sometimes the secret itself.
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
    /// Not secret.
    Plain(String),
    /// Secret.
    Secret(SecretRef),
}

impl AuthSettings {
    /// The names of all files that it speaks of: secrets and certificates.
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
    /// The file that it names, if it names one.
    pub(crate) fn file_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::File(path) => Some(path),
            Self::Env(_) | Self::Command(_) | Self::Keyring(_) => None,
        }
    }
}

impl SecretText {
    /// The file that it names, if it names one.
    pub(crate) fn file_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::Plain(_) => None,
            Self::Secret(secret) => secret.file_mut(),
        }
    }
}
