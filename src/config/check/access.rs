//! Checks of the settings for connecting to a source: authentication, certificates and proxy.

use std::path::Path;

use url::{Host, Url};

use super::{Check, address_trouble};
use crate::config::kind::Scheme;
use crate::config::nearest::hint;
use crate::config::process::expand_home;
use crate::config::settings::{
    AuthSettings, Login, NamedSecret, OAuth2Settings, SecretRef, SecretText, SigV4Settings, SourceSettings,
};

/// Parts of header names whose values are always secrets.
const SECRET_HEADERS: [&str; 8] =
    ["authorization", "cookie", "token", "secret", "password", "api-key", "apikey", "access-key"];
/// Headers that burnwatch's HTTP client sets itself.
const OUR_HEADERS: [&str; 8] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "user-agent",
];
/// The supported proxy schemes.
const PROXY_SCHEMES: [&str; 4] = ["http", "https", "socks5", "socks5h"];

impl Check<'_> {
    /// Checks authentication, headers, certificates and the proxy of a source.
    pub(super) fn access(&mut self, name: &str, source: &SourceSettings) {
        let at = |key| ["sources", name, key];
        match &source.auth {
            Some(AuthSettings::Bearer(secret) | AuthSettings::Token(secret)) => {
                self.secret(&at("auth"), secret);
            }
            Some(AuthSettings::Basic(login)) => {
                self.login(&at("auth"), &format!("[sources.{name}.auth.basic]"), login);
            }
            Some(AuthSettings::OAuth2(oauth)) => self.oauth2(name, oauth),
            Some(AuthSettings::SigV4(keys)) => self.sigv4(name, keys),
            Some(AuthSettings::Header(list)) => self.named(name, Scheme::Header, list),
            Some(AuthSettings::Cookie(list)) => self.named(name, Scheme::Cookie, list),
            Some(AuthSettings::Query(list)) => self.named(name, Scheme::Query, list),
            None => {}
        }
        let of_auth = source.auth.as_ref().map(|auth| source.kind.headers_of(auth)).unwrap_or_default();
        for (header, value) in &source.headers {
            let path = ["sources", name, "headers", header];
            self.header(&path, header, value);
            if let Some(twice) = of_auth.iter().find(|name| name.eq_ignore_ascii_case(header)) {
                self.wrong(&path, &format!("[sources.{name}] has `{twice}` in both `auth` and `headers`"));
            }
        }
        self.certificates(name, source);
        self.proxy(name, source);
    }

    fn login(&mut self, path: &[&str], section: &str, login: &Login) {
        if login.user.is_empty() || login.user.contains([':', '\n', '\r']) {
            self.wrong(path, &format!("`user` in {section} is empty or has a colon"));
        }
        self.secret(path, &login.password);
    }

    fn oauth2(&mut self, name: &str, oauth: &OAuth2Settings) {
        let at = |key| ["sources", name, "auth", "oauth2", key];
        let is_unencrypted = |url: &Url| url.scheme() == "http" && !is_this_machine(url);
        if let Some(failure) = address_trouble(&oauth.token_url) {
            self.failure(&at("token_url"), &failure);
        } else if Url::parse(&oauth.token_url).is_ok_and(|url| is_unencrypted(&url)) {
            self.option(
                &at("token_url"),
                "begins with http://, which sends the secret unencrypted; use https://",
            );
        }
        if oauth.client_id.trim().is_empty() {
            self.option(&at("client_id"), "is empty");
        }
        if let Some(scope) = oauth.scopes.iter().find(|scope| scope.is_empty() || scope.contains(' ')) {
            self.option(&at("scopes"), &format!("lists one scope each, not `{scope}`"));
        }
        self.secret(&at("client_secret"), &oauth.client_secret);
        self.file(&at("ca_file"), oauth.ca_file.as_ref());
    }

    fn sigv4(&mut self, name: &str, keys: &SigV4Settings) {
        let at = |key| ["sources", name, "auth", "sigv4", key];
        let section = format!("[sources.{name}.auth.sigv4]");
        let is_word = |text: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        };
        for (key, value, like) in
            [("region", &keys.region, "eu-central-1"), ("service", &keys.service, "aps")]
        {
            if !is_word(value) {
                self.option(&at(key), &format!("must be one word such as \"{like}\""));
            }
        }
        let ways = [
            ("command", keys.command.is_some()),
            ("profile", keys.profile.is_some()),
            ("secret_key", keys.access_key.is_some() || keys.secret_key.is_some()),
        ];
        let said: Vec<&str> = ways.iter().filter(|(_, is_said)| *is_said).map(|(key, _)| *key).collect();
        if let [first, .., last] = said.as_slice() {
            self.wrong(&at(last), &format!("{section} has `{first}` and `{last}`; keep one of them"));
        }
        if keys.access_key.is_some() != keys.secret_key.is_some() {
            let message = format!("{section} needs both `access_key` and `secret_key`, or none of them");
            self.wrong(&["sources", name, "auth", "sigv4"], &message);
        }
        if keys.session_token.is_some() && keys.secret_key.is_none() {
            self.option(&at("session_token"), "goes with `access_key` and `secret_key`");
        }
        if let Some(SecretText::Secret(id)) = &keys.access_key {
            self.secret(&at("access_key"), id);
        }
        for (key, secret) in [("secret_key", &keys.secret_key), ("session_token", &keys.session_token)] {
            if let Some(secret) = secret {
                self.secret(&at(key), secret);
            }
        }
        if keys.command.as_ref().is_some_and(|program| program.0.first().is_none_or(String::is_empty)) {
            let message = "`command` must list a program and its arguments: [\"aws\", \"configure\", \"export-credentials\"]";
            self.wrong(&at("command"), message);
        }
    }

    /// Checks secrets that are sent in named headers, cookies or parameters.
    fn named(&mut self, name: &str, scheme: Scheme, list: &[NamedSecret]) {
        let path = ["sources", name, "auth", scheme.key()];
        let section = format!("[sources.{name}.auth.{}]", scheme.key());
        if list.is_empty() {
            self.wrong(&path, &format!("{section} is empty"));
        }
        let is_query = scheme == Scheme::Query;
        for (i, NamedSecret { name, prefix, secret }) in list.iter().enumerate() {
            let is_name = if is_query { !name.is_empty() } else { is_token(name) };
            let is_twice = |other: &NamedSecret| other.name.eq_ignore_ascii_case(name);
            let failure = if !is_name || name.contains(char::is_control) {
                format!("`{name}` in {section} is not a valid {} name", scheme.noun())
            } else if scheme == Scheme::Header && OUR_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
                format!("`{name}` in {section} is a header that burnwatch itself sets")
            } else if list.iter().take(i).any(is_twice) {
                format!("`{name}` is in {section} twice")
            } else if prefix.contains(char::is_control) {
                format!("`prefix` in {section} is not plain text")
            } else {
                self.secret(&path, secret);
                continue;
            };
            self.wrong(&path, &failure);
        }
    }

    fn certificates(&mut self, name: &str, source: &SourceSettings) {
        let at = |key| ["sources", name, key];
        let section = format!("[sources.{name}]");
        let files = [
            ("ca_file", &source.ca_file),
            ("client_cert", &source.client_cert),
            ("client_key", &source.client_key),
        ];
        let is_plain = source.address().starts_with("http://");
        for (key, file) in files {
            self.file(&at(key), file.as_ref());
            if file.is_some() && is_plain {
                self.option(&at(key), "needs https://, but `url` is http://");
            }
        }
        match (&source.client_cert, &source.client_key) {
            (Some(_), None) => {
                self.wrong(&at("client_cert"), &format!("{section} has `client_cert` but no `client_key`"));
            }
            (None, Some(_)) => {
                self.wrong(&at("client_key"), &format!("{section} has `client_key` but no `client_cert`"));
            }
            _ => {}
        }
    }

    /// Checks only the name: the file may be created later, and a missing file is an error of its source.
    fn file(&mut self, path: &[&str], file: Option<&String>) {
        let Some(file) = file else { return };
        if file.trim().is_empty() {
            self.option(path, "is empty");
        } else if file.contains("-----BEGIN") {
            // the value is not repeated because it may be a key
            self.option(path, "must be the path of a file, not its content");
        } else if expand_home(file).extension().is_some_and(|end| end == "p12" || end == "pfx") {
            let file = Path::new(file).display();
            self.option(path, &format!("must be a PEM file; `openssl pkcs12 -in {file}` converts it"));
        }
    }

    fn proxy(&mut self, name: &str, source: &SourceSettings) {
        let at = |key| ["sources", name, key];
        if let Some(login) = &source.proxy_auth {
            self.login(&at("proxy_auth"), &format!("[sources.{name}.proxy_auth]"), login);
            if source.proxy.as_ref().is_none_or(|proxy| proxy == "direct") {
                self.option(&at("proxy_auth"), "goes with a `proxy`");
            }
        }
        let Some(proxy) = source.proxy.as_ref().filter(|proxy| *proxy != "direct") else { return };
        let failure = match Url::parse(proxy) {
            // the value is not repeated because it may contain a password
            _ if proxy.contains('@') => {
                "it contains a user or password, which would be shown; use `proxy_auth`".to_owned()
            }
            Ok(url) if PROXY_SCHEMES.contains(&url.scheme()) => {
                if url.host_str().is_some_and(|host| !host.is_empty()) && matches!(url.path(), "" | "/") {
                    return;
                }
                "it must be a scheme, a host and a port: \"socks5h://127.0.0.1:1080\"".to_owned()
            }
            Ok(url) if proxy.contains("://") => {
                format!(
                    "`{}` is not a supported proxy scheme{}",
                    url.scheme(),
                    hint(url.scheme(), PROXY_SCHEMES)
                )
            }
            _ => format!("`{proxy}` has no scheme; did you mean `http://{proxy}`, or `direct`?"),
        };
        self.failure(&at("proxy"), &failure);
    }

    fn header(&mut self, path: &[&str], header: &str, value: &SecretText) {
        if !is_token(header) {
            self.wrong(path, &format!("`{header}` is not a valid header name"));
        }
        let name = header.to_ascii_lowercase();
        match value {
            SecretText::Plain(_) if SECRET_HEADERS.iter().any(|part| name.contains(part)) => {
                let message = format!(
                    "the value of `{header}` is a secret; refer to it by {{ env = ... }}, {{ file = ... }}, {{ keyring = ... }} or {{ command = [...] }}"
                );
                self.wrong(path, &message);
            }
            SecretText::Plain(text) if text.contains(char::is_control) => {
                self.wrong(path, &format!("the header `{header}` is not plain text"));
            }
            SecretText::Plain(_) => {}
            SecretText::Secret(secret) => self.secret(path, secret),
        }
    }

    pub(super) fn secret(&mut self, path: &[&str], secret: &SecretRef) {
        let failure = match secret {
            SecretRef::Env(name) if name.is_empty() || name.contains(['=', '\0', ' ', '$']) => {
                "`env` must be the name of a variable, without `$`"
            }
            SecretRef::File(path) if path.is_empty() => "`file` is empty",
            SecretRef::Command(program) if program.0.first().is_none_or(String::is_empty) => {
                "`command` must list a program and its arguments: [\"pass\", \"show\", \"prom\"]"
            }
            SecretRef::Keyring(entry) if entry.service.is_empty() || entry.user.is_empty() => {
                "`keyring` must name an entry: { user = \"prom-eu\" }"
            }
            SecretRef::Env(_) | SecretRef::File(_) | SecretRef::Command(_) | SecretRef::Keyring(_) => return,
        };
        self.wrong(path, failure);
    }
}

/// Whether a text is a valid name of a header or cookie (RFC 9110, section 5.6.2).
fn is_token(name: &str) -> bool {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !name.is_empty() && name.chars().all(is_token)
}

/// Whether a URL points to this machine: requests to it use neither the network nor a proxy.
pub(crate) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether requests to a source are sent unencrypted to another machine.
fn is_unencrypted(source: &SourceSettings) -> bool {
    Url::parse(source.address()).is_ok_and(|url| url.scheme() == "http" && !is_this_machine(&url))
}

/// Whether a source's secret is sent unencrypted to another machine. A signature does not reveal the secret.
pub(crate) fn is_exposed(source: &SourceSettings) -> bool {
    let in_headers = source.headers.values().any(|value| matches!(value, SecretText::Secret(_)));
    let is_sent = source.auth.as_ref().is_some_and(|auth| !matches!(auth, AuthSettings::SigV4(_)));
    is_unencrypted(source) && (is_sent || in_headers)
}

/// Why a source's key must not be sent to its URL, as the continuation of "it ..."; `None` if it may be sent.
pub(crate) fn unsafe_address(source: &SourceSettings) -> Option<&'static str> {
    (source.kind.is_https_only && is_unencrypted(source))
        .then_some("must begin with https://: by http:// the key would be sent unencrypted")
}
