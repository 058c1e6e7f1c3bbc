//! The credentials of a request: `Authorization`, the tenant, and headers from the configuration. Never displayed.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use reqwest::Request;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, COOKIE, HeaderMap, HeaderName};
use url::Url;
use zeroize::Zeroizing;

use super::header::{header_name, header_value, secret_value};
use super::redactor::Redactor;
use super::sigv4::Signer;
use crate::config::kind::KeyHeader;
use crate::config::secret::{Secret, SecretError};
use crate::config::settings::{AuthSettings, NamedSecret, OAuth2Settings, SecretText, SourceSettings};
use crate::model::source::ErrorKind;

/// Tenant headers of Cortex, Mimir and Loki, and of Thanos. Both are always sent: a server ignores the other system's header.
const TENANT_HEADERS: [&str; 2] = ["x-scope-orgid", "thanos-tenant"];

/// The configured credentials of one source, as references to secrets.
#[derive(Clone)]
pub(super) struct Credentials {
    source: SourceSettings,
    /// User and password from the address; only used if there is no `auth`.
    in_url: Option<(String, Secret)>,
}

/// The credentials with the current values of the secrets.
#[derive(Default)]
pub(super) struct AuthHeaders {
    pub(super) headers: HeaderMap,
    pub(super) query: Vec<(String, Secret)>,
    /// Signs every request, for AWS.
    pub(super) signer: Option<Signer>,
    /// The `OAuth2` client secret, until the token is fetched.
    pub(super) client_secret: Option<Secret>,
    /// All secrets above, for removal from displayed texts.
    pub(super) redactor: Redactor,
}

impl AuthHeaders {
    /// Whether both lead to identical requests.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.headers == other.headers && self.query == other.query && self.signer == other.signer
    }

    /// Adds the headers and query parameters to a request, and signs the request.
    pub(super) fn add_to_request(&self, request: &mut Request, now: Timestamp) -> Result<(), ErrorKind> {
        for (name, value) in &self.headers {
            request.headers_mut().insert(name, value.clone());
        }
        if !self.query.is_empty() {
            let pairs = self.query.iter().map(|(name, secret)| (name, secret.expose()));
            request.url_mut().query_pairs_mut().extend_pairs(pairs);
        }
        self.signer.as_ref().map_or(Ok(()), |signer| signer.sign(request, now))
    }

    /// Sets the `Authorization` header to a bearer token.
    pub(super) fn set_bearer(&mut self, token: &Secret) -> Result<(), ErrorKind> {
        self.set_secret_header("Authorization", &["Bearer ", token.expose()], token)
    }

    /// Sets a header whose value is the concatenation of `parts`, one of which contains `secret`.
    fn set_secret_header(&mut self, name: &str, parts: &[&str], secret: &Secret) -> Result<(), ErrorKind> {
        self.headers.insert(header_name(name)?, secret_value(name, parts)?);
        self.hide(secret);
        Ok(())
    }

    fn set_cookies(&mut self, list: &[NamedSecret]) -> Result<(), ErrorKind> {
        let secrets = list.iter().map(|named| named.secret.read()).collect::<Result<Vec<_>, _>>()?;
        let mut parts = Vec::new();
        for (NamedSecret { name, prefix, .. }, secret) in list.iter().zip(&secrets) {
            if secret.expose().contains([';', ',', '"', ' ', '\\']) {
                let reason =
                    format!("the value of the cookie {name} has characters that are not allowed in a cookie");
                return Err(ErrorKind::NoSecret { reason });
            }
            parts.extend(if parts.is_empty() { None } else { Some("; ") });
            parts.extend([name, "=", prefix, secret.expose()]);
            self.hide(secret);
        }
        self.headers.insert(COOKIE, secret_value("Cookie", &parts)?);
        Ok(())
    }

    /// Adds a secret to the redactor.
    fn hide(&mut self, secret: &Secret) {
        self.redactor = std::mem::take(&mut self.redactor).with(secret);
    }

    /// Sets the `Authorization` header for basic authentication.
    fn set_basic_auth(&mut self, user: &str, password: &Secret) -> Result<(), ErrorKind> {
        let both = Zeroizing::new(format!("{user}:{}", password.expose()));
        let encoded = Zeroizing::new(BASE64_STANDARD.encode(&*both));
        self.set_secret_header("Authorization", &["Basic ", &encoded], password)?;
        self.hide(&Secret::new(&both));
        Ok(())
    }
}

impl Credentials {
    pub(super) fn new(source: &SourceSettings, url: &Url) -> Self {
        let has_user = !url.username().is_empty() || url.password().is_some();
        let in_url = (source.auth.is_none() && has_user)
            .then(|| (decoded(url.username()), Secret::new(&decoded(url.password().unwrap_or_default()))));
        Self { source: source.clone(), in_url }
    }

    /// Whether a secret has to be read, from a file, a program or the environment; its value may then change.
    pub(super) fn needs_secrets(&self) -> bool {
        self.source.auth.is_some()
            || self.source.headers.values().any(|value| matches!(value, SecretText::Secret(_)))
    }

    /// Whether requests are signed for AWS, which answers 403 instead of 401 to unknown credentials.
    pub(super) fn uses_sigv4(&self) -> bool {
        matches!(self.source.auth, Some(AuthSettings::SigV4(_)))
    }

    /// The address without the query parameters that carry secrets.
    pub(super) fn bare(&self, url: &Url) -> Url {
        let mut bare = url.clone();
        if let Some(AuthSettings::Query(list)) = &self.source.auth {
            let is_plain = |name: &str| list.iter().all(|named| named.name != name);
            bare.set_query(None);
            for (name, value) in url.query_pairs().filter(|(name, _)| is_plain(name)) {
                bare.query_pairs_mut().append_pair(&name, &value);
            }
        }
        bare
    }

    /// The `OAuth2` settings, if a token has to be fetched.
    pub(super) fn oauth2(&self) -> Option<&OAuth2Settings> {
        if let Some(AuthSettings::OAuth2(oauth)) = &self.source.auth { Some(oauth) } else { None }
    }

    /// Reads the current secrets. Blocks on files and programs.
    pub(super) fn read(&self) -> Result<AuthHeaders, ErrorKind> {
        let mut auth_headers = AuthHeaders::default();
        for (name, value) in &self.source.headers {
            let secret = value.read()?;
            let header = header_name(name)?;
            // the HTTP client sets these headers itself, because it must be able to read the response
            if header != ACCEPT && header != ACCEPT_ENCODING {
                auth_headers.headers.insert(header, secret_value(name, &[secret.expose()])?);
            }
            if matches!(value, SecretText::Secret(_)) {
                auth_headers.hide(&secret);
            }
        }
        if let Some(tenant) = &self.source.tenant {
            for name in TENANT_HEADERS {
                auth_headers.headers.insert(HeaderName::from_static(name), header_value("tenant", tenant)?);
            }
        }
        match &self.source.auth {
            Some(AuthSettings::Bearer(token)) => auth_headers.set_bearer(&token.read()?)?,
            Some(AuthSettings::Token(token)) => {
                let token = token.read()?;
                let Some(KeyHeader { name, prefix }) = self.source.kind.key_header() else {
                    let reason = "this kind of source has no header for `auth.token`".into();
                    return Err(ErrorKind::NoSecret { reason });
                };
                auth_headers.set_secret_header(name, &[prefix, token.expose()], &token)?;
            }
            Some(AuthSettings::Basic(login)) => {
                auth_headers.set_basic_auth(&login.user, &login.password.read()?)?;
            }
            Some(AuthSettings::Header(list)) => {
                for NamedSecret { name, prefix, secret } in list {
                    let secret = secret.read()?;
                    auth_headers.set_secret_header(name, &[prefix, secret.expose()], &secret)?;
                }
            }
            Some(AuthSettings::Cookie(list)) => auth_headers.set_cookies(list)?,
            Some(AuthSettings::Query(list)) => {
                for NamedSecret { name, prefix, secret } in list {
                    let secret = secret.read()?;
                    auth_headers.hide(&secret);
                    let whole = Zeroizing::new(format!("{prefix}{}", secret.expose()));
                    auth_headers.query.push((name.clone(), Secret::new(&whole)));
                }
            }
            Some(AuthSettings::OAuth2(oauth)) => {
                let secret = oauth.client_secret.read()?;
                auth_headers.hide(&secret);
                auth_headers.hide(&Secret::new(&format!("{}:{}", oauth.client_id, secret.expose())));
                auth_headers.client_secret = Some(secret);
            }
            Some(AuthSettings::SigV4(settings)) => {
                let keys = settings.keys()?;
                for secret in [&keys.id, &keys.secret].into_iter().chain(&keys.session) {
                    auth_headers.hide(secret);
                }
                let (region, service) = (settings.region.clone(), settings.service.clone());
                auth_headers.signer = Some(Signer { keys, region, service });
            }
            None => {
                if let Some((user, password)) = &self.in_url {
                    auth_headers.set_basic_auth(user, password)?;
                }
            }
        }
        Ok(auth_headers)
    }
}

/// A user or password from an address, percent-decoded.
pub(super) fn decoded(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}

impl From<SecretError> for ErrorKind {
    fn from(error: SecretError) -> Self {
        Self::NoSecret { reason: error.to_string() }
    }
}

#[cfg(test)]
mod tests;
