//! Checks of what does not work on this machine or may be a mistake; only for `config check`. At startup such problems
//! are reported as errors of the affected source.

use std::path::Path;

use super::access::{is_exposed, unsafe_address};
use crate::config::files;
use crate::config::process::{expand_home, is_program};
use crate::config::secret::{self, SecretError};
use crate::config::settings::{
    AuthSettings, Login, OAuth2Settings, SecretRef, SecretText, Settings, SigV4Settings, SourceSettings,
};
use crate::config::toml_document::{ConfigProblem, TomlDocument};

/// Problems on this machine, and warnings about settings that may be intended.
#[derive(Debug, Default)]
pub(in crate::config) struct Found {
    pub(in crate::config) problems: Vec<ConfigProblem>,
    pub(in crate::config) warnings: Vec<ConfigProblem>,
}

/// Checks the files, variables and programs that the settings refer to.
pub(in crate::config) fn machine(settings: &Settings, document: &TomlDocument<'_>) -> Found {
    let mut machine_check = MachineCheck { document, found: Found::default() };
    for (name, source) in &settings.sources {
        machine_check.source(name, source);
    }
    for (host, token) in &settings.runbooks.tokens {
        machine_check.secret(&["runbooks", "tokens", host], token);
    }
    if let Some(folder) = &settings.runbooks.folder
        && !Path::new(folder).is_dir()
    {
        machine_check.wrong(
            &["runbooks", "folder"],
            &format!("`folder` in [runbooks]: {folder} is not an existing folder"),
        );
    }
    for file in settings.slo.files.iter().filter(|file| !Path::new(file).exists()) {
        machine_check.wrong(&["slo", "files"], &format!("`files` in [slo]: {file}: not found"));
    }
    machine_check.found
}

struct MachineCheck<'c> {
    document: &'c TomlDocument<'c>,
    found: Found,
}

impl MachineCheck<'_> {
    fn wrong(&mut self, path: &[&str], message: &str) {
        self.found.problems.push(self.document.problem_at(path, message));
    }

    fn source(&mut self, name: &str, source: &SourceSettings) {
        let at = |key| ["sources", name, key];
        match &source.auth {
            Some(AuthSettings::Bearer(secret) | AuthSettings::Token(secret)) => {
                self.secret(&at("auth"), secret);
            }
            Some(AuthSettings::Basic(Login { password, .. })) => self.secret(&at("auth"), password),
            Some(AuthSettings::OAuth2(OAuth2Settings { client_secret, ca_file, .. })) => {
                self.secret(&["sources", name, "auth", "oauth2", "client_secret"], client_secret);
                self.certificates(&["sources", name, "auth", "oauth2", "ca_file"], ca_file.as_ref());
            }
            Some(AuthSettings::SigV4(keys)) => self.sigv4(name, keys),
            Some(AuthSettings::Header(list) | AuthSettings::Cookie(list) | AuthSettings::Query(list)) => {
                for named in list {
                    self.secret(&at("auth"), &named.secret);
                }
            }
            None => self.missing_auth(name, source),
        }
        for (header, value) in &source.headers {
            if let SecretText::Secret(secret) = value {
                self.secret(&["sources", name, "headers", header], secret);
            }
        }
        if let Some(Login { password, .. }) = &source.proxy_auth {
            self.secret(&at("proxy_auth"), password);
        }
        self.certificates(&at("ca_file"), source.ca_file.as_ref());
        self.certificates(&at("client_cert"), source.client_cert.as_ref());
        self.key(&at("client_key"), source.client_key.as_ref());
        if let Some(why) = unsafe_address(source) {
            self.wrong(&at("url"), &format!("`url` in [sources.{name}]: it {why}"));
        } else if is_exposed(source) {
            let message = format!(
                "[sources.{name}] sends its secret to another machine unencrypted, by http://; use https://"
            );
            self.found.warnings.push(self.document.problem_at(&at("url"), &message));
        }
    }

    /// Warns about missing authentication for kinds that require it, unless headers are set, which may authenticate at a gateway.
    fn missing_auth(&mut self, name: &str, source: &SourceSettings) {
        if source.kind.is_auth_needed && source.headers.is_empty() {
            let message = format!("[sources.{name}] has no `auth`: {} requires a key", source.kind.title);
            self.found.warnings.push(self.document.problem_at(&["sources", name], &message));
        }
    }

    fn sigv4(&mut self, name: &str, keys: &SigV4Settings) {
        let at = |key| ["sources", name, "auth", "sigv4", key];
        if let Some(SecretText::Secret(id)) = &keys.access_key {
            self.secret(&at("access_key"), id);
        }
        for (key, secret) in [("secret_key", &keys.secret_key), ("session_token", &keys.session_token)] {
            if let Some(secret) = secret {
                self.secret(&at(key), secret);
            }
        }
        if let Some(program) = keys.command.as_ref().and_then(|program| program.0.first()) {
            self.program(&at("command"), program);
        }
    }

    /// Reads secrets from variables and files; a program or a keyring could ask for a password, so programs are only searched.
    fn secret(&mut self, path: &[&str], secret: &SecretRef) {
        match secret {
            // a pipe can be read only once, and the source needs its content
            SecretRef::File(file) if files::is_given_pipe(&expand_home(file)) => {}
            SecretRef::Env(_) | SecretRef::File(_) => {
                if let Err(error) = secret.read() {
                    self.unreadable(path, &error);
                }
            }
            SecretRef::Command(program) => {
                if let Some(program) = program.0.first() {
                    self.program(path, program);
                }
            }
            SecretRef::Keyring(_) => {}
        }
    }

    fn unreadable(&mut self, path: &[&str], error: &SecretError) {
        self.wrong(path, &error.to_string());
    }

    fn program(&mut self, path: &[&str], program: &str) {
        if !is_program(program) {
            self.wrong(path, &format!("command {program}: no executable program of this name"));
        }
    }

    fn certificates(&mut self, path: &[&str], file: Option<&String>) {
        let Some(file) = file else { return };
        match secret::certificates(file) {
            Err(error) => self.unreadable(path, &error),
            Ok(bytes) if !holds(&bytes, "CERTIFICATE") => {
                self.wrong(path, &format!("file {file} contains no certificate in PEM format"));
            }
            Ok(_) => {}
        }
    }

    fn key(&mut self, path: &[&str], file: Option<&String>) {
        let Some(file) = file else { return };
        match secret::key_file(file) {
            Err(error) => self.unreadable(path, &error),
            Ok(bytes) if !holds(&bytes, "PRIVATE KEY") => {
                self.wrong(path, &format!("file {file} contains no private key in PEM format"));
            }
            Ok(_) => {}
        }
    }
}

/// Whether a PEM file contains a complete block of this type (RFC 7468).
fn holds(bytes: &[u8], kind: &str) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let begin = text
        .lines()
        .any(|line| line.starts_with("-----BEGIN ") && line.trim_end().ends_with(&format!("{kind}-----")));
    let end = text
        .lines()
        .any(|line| line.starts_with("-----END ") && line.trim_end().ends_with(&format!("{kind}-----")));
    begin && end
}
