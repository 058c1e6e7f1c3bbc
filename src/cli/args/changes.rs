//! The arguments of `changes` and `listen`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::ListingArgs;
use super::acting::length;
use crate::backend::listen::{FieldMap, ListenAddress};
use crate::config::settings::{KeyringEntry, SecretRef};

/// For `listen`.
pub(super) const LISTEN: &str = "\
Understood are GitLab deployments, GitHub deployment, deployment_status,
workflow_run, release and push, Argo CD applications, and generic JSON: the
fields of kind = \"file\", or others that --field names:

  burnwatch listen --changes 127.0.0.1:9414 --file changes.jsonl \\
    --secret env:HOOK_SECRET --field title=/event/text --field kind=deploy

A sender sends the secret as X-Gitlab-Token, as Authorization: Bearer, or
signs the body with it (X-Hub-Signature-256). Each delivery is written once.

Exit codes:
  0  ended by a signal
  1  the address or the file cannot be used, or a secret cannot be read
  2  wrong usage";

#[derive(Debug, Args)]
pub(in crate::cli) struct ChangesArgs {
    /// Words and matchers: checkout kind="deploy" 'region!="eu"' age<1h
    #[arg(value_name = "FILTER")]
    pub(in crate::cli) filter: Vec<String>,
    /// How far back; at most 7d
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = length)]
    pub(in crate::cli) since: Duration,
    #[command(flatten)]
    pub(in crate::cli) listing: ListingArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ListenArgs {
    /// host:port of this machine, or unix:PATH
    #[arg(long, value_name = "ADDR", value_parser = ListenAddress::parse)]
    pub(in crate::cli) changes: ListenAddress,
    /// The file to append to; the path of a source of kind `file`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) file: PathBuf,
    /// `env:NAME`, `file:PATH` or `keyring:USER`; each of several is accepted
    #[arg(long, value_name = "SECRET", value_parser = secret)]
    pub(in crate::cli) secret: Vec<SecretRef>,
    /// Where JSON has a field: service=/app/name; or its value: kind=deploy
    #[arg(long, value_name = "FIELD=PLACE")]
    pub(in crate::cli) field: Vec<FieldMap>,
    /// The most bytes of a request's body
    #[arg(long, value_name = "BYTES", default_value_t = 1024 * 1024, value_parser = clap::value_parser!(u64).range(1024..=64 * 1024 * 1024))]
    pub(in crate::cli) max_body: u64,
    /// The most bytes of the file; it is then renamed to FILE.1
    #[arg(long, value_name = "BYTES", default_value_t = 64 * 1024 * 1024, value_parser = clap::value_parser!(u64).range(64 * 1024..))]
    pub(in crate::cli) max_file: u64,
    /// Also listen on an address that other machines reach; needs --secret
    #[arg(long)]
    pub(in crate::cli) allow_remote: bool,
}

/// A reference to a secret; never the secret itself, which others could see in the list of processes.
fn secret(text: &str) -> Result<SecretRef, String> {
    let (kind, name) = text.split_once(':').unwrap_or((text, ""));
    if name.is_empty() {
        return Err("write env:NAME, file:PATH or keyring:USER".to_owned());
    }
    match kind {
        "env" => Ok(SecretRef::Env(name.to_owned())),
        "file" => Ok(SecretRef::File(name.to_owned())),
        "keyring" => {
            Ok(SecretRef::Keyring(KeyringEntry { service: "burnwatch".to_owned(), user: name.to_owned() }))
        }
        _ => Err("write env:NAME, file:PATH or keyring:USER".to_owned()),
    }
}
