//! What a request carries to say who asks: Authorization, the tenant, headers of the configuration. Never shown.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use reqwest::Request;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, COOKIE, HeaderMap, HeaderName};
use url::Url;
use zeroize::Zeroizing;

use super::header::{header_name, header_value, secret_value};
use super::redactor::Redactor;
use super::sigv4::Signer;
use crate::config::kind::KeyHeader;
use crate::config::secret::{Secret, SecretError};
use crate::config::settings::{
    AuthSettings, NamedSecret, OAuth2Settings, SecretRef, SecretText, SourceSettings,
};
use crate::model::source::ErrorKind;

/// Both are sent: each system looks for its own and overlooks the other.
const TENANT_HEADERS: [&str; 2] = ["x-scope-orgid", "thanos-tenant"];

/// Where the credentials of one source are to be had.
#[derive(Clone)]
pub(super) struct Credentials {
    auth: Option<AuthSettings>,
    /// User and password out of the address; only where there is no `auth`.
    in_url: Option<(String, Secret)>,
    headers: BTreeMap<String, SecretText>,
    tenant: Option<String>,
    /// Where the kind of source wants its key.
    key_header: Option<KeyHeader>,
}

/// The credentials as they are now.
#[derive(Default)]
pub(super) struct AuthHeaders {
    /// What every request carries.
    pub(super) headers: HeaderMap,
    /// What is added to the query of every address.
    pub(super) query: Vec<(String, Secret)>,
    /// What signs every request besides.
    pub(super) signer: Option<Signer>,
    /// What fetches the token that is still missing.
    pub(super) client_secret: Option<Secret>,
    /// What it all was made from, as it could come back.
    pub(super) redactor: Redactor,
}

impl AuthHeaders {
    /// Whether a server would see no difference.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.headers == other.headers && self.query == other.query && self.signer == other.signer
    }

    /// Puts it all into a request, which then goes to the source and nowhere else.
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

    /// From here on requests carry this token.
    pub(super) fn set_bearer(&mut self, token: &Secret) -> Result<(), ErrorKind> {
        self.set_secret_header("Authorization", &["Bearer ", token.expose()], token)
    }

    /// From here on requests carry a header that is made of these parts, one of which is the secret.
    fn set_secret_header(&mut self, name: &str, parts: &[&str], secret: &Secret) -> Result<(), ErrorKind> {
        self.headers.insert(header_name(name)?, secret_value(name, parts)?);
        self.hide(secret);
        Ok(())
    }

    /// From here on requests carry all of these cookies.
    fn set_cookies(&mut self, list: &[NamedSecret]) -> Result<(), ErrorKind> {
        let secrets = list.iter().map(|named| read(&named.secret)).collect::<Result<Vec<_>, _>>()?;
        let mut parts = Vec::new();
        for (NamedSecret { name, prefix, .. }, secret) in list.iter().zip(&secrets) {
            if secret.expose().contains([';', ',', '"', ' ', '\\']) {
                let reason =
                    format!("the value for the cookie {name} has characters that no cookie may have");
                return Err(ErrorKind::NoSecret { reason });
            }
            parts.extend(if parts.is_empty() { None } else { Some("; ") });
            parts.extend([name, "=", prefix, secret.expose()]);
            self.hide(secret);
        }
        self.headers.insert(COOKIE, secret_value("Cookie", &parts)?);
        Ok(())
    }

    fn hide(&mut self, secret: &Secret) {
        self.redactor = std::mem::take(&mut self.redactor).with(secret);
    }

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
        Self {
            auth: source.auth.clone(),
            in_url,
            headers: source.headers.clone(),
            tenant: source.tenant.clone(),
            key_header: source.kind.key_header(),
        }
    }

    /// Whether anything has to be read from somewhere, and may so change.
    pub(super) fn needs_secrets(&self) -> bool {
        self.auth.is_some() || self.headers.values().any(|value| matches!(value, SecretText::Secret(_)))
    }

    /// Whether a server that knows them no longer says 403 in place of 401.
    pub(super) fn uses_sigv4(&self) -> bool {
        matches!(self.auth, Some(AuthSettings::SigV4(_)))
    }

    /// An address without the parameters that carry secrets.
    pub(super) fn bare(&self, url: &Url) -> Url {
        let mut bare = url.clone();
        if let Some(AuthSettings::Query(list)) = &self.auth {
            let is_plain = |name: &str| list.iter().all(|named| named.name != name);
            bare.set_query(None);
            for (name, value) in url.query_pairs().filter(|(name, _)| is_plain(name)) {
                bare.query_pairs_mut().append_pair(&name, &value);
            }
        }
        bare
    }

    /// How a token has to be fetched, if it has to be.
    pub(super) fn oauth2(&self) -> Option<&OAuth2Settings> {
        if let Some(AuthSettings::OAuth2(oauth)) = &self.auth { Some(oauth) } else { None }
    }

    /// With secrets as they are now. Waits for files and programs.
    pub(super) fn read(&self) -> Result<AuthHeaders, ErrorKind> {
        let mut auth_headers = AuthHeaders::default();
        for (name, value) in &self.headers {
            let secret = value.read().map_err(|error| no_secret(&error))?;
            let header = header_name(name)?;
            // what is asked for is the client's business: it must be able to read the answer
            if header != ACCEPT && header != ACCEPT_ENCODING {
                auth_headers.headers.insert(header, secret_value(name, &[secret.expose()])?);
            }
            if matches!(value, SecretText::Secret(_)) {
                auth_headers.hide(&secret);
            }
        }
        if let Some(tenant) = &self.tenant {
            for name in TENANT_HEADERS {
                auth_headers.headers.insert(HeaderName::from_static(name), header_value("tenant", tenant)?);
            }
        }
        match &self.auth {
            Some(AuthSettings::Bearer(token)) => auth_headers.set_bearer(&read(token)?)?,
            Some(AuthSettings::Token(token)) => {
                let token = read(token)?;
                let Some(KeyHeader { name, prefix }) = self.key_header else {
                    let reason = "this kind of source has no header for `auth.token`".into();
                    return Err(ErrorKind::NoSecret { reason });
                };
                auth_headers.set_secret_header(name, &[prefix, token.expose()], &token)?;
            }
            Some(AuthSettings::Basic(login)) => {
                auth_headers.set_basic_auth(&login.user, &read(&login.password)?)?
            }
            Some(AuthSettings::Header(list)) => {
                for NamedSecret { name, prefix, secret } in list {
                    let secret = read(secret)?;
                    auth_headers.set_secret_header(name, &[prefix, secret.expose()], &secret)?;
                }
            }
            Some(AuthSettings::Cookie(list)) => auth_headers.set_cookies(list)?,
            Some(AuthSettings::Query(list)) => {
                for NamedSecret { name, prefix, secret } in list {
                    let secret = read(secret)?;
                    auth_headers.hide(&secret);
                    let whole = Zeroizing::new(format!("{prefix}{}", secret.expose()));
                    auth_headers.query.push((name.clone(), Secret::new(&whole)));
                }
            }
            Some(AuthSettings::OAuth2(oauth)) => {
                let secret = read(&oauth.client_secret)?;
                auth_headers.hide(&secret);
                auth_headers.hide(&Secret::new(&format!("{}:{}", oauth.client_id, secret.expose())));
                auth_headers.client_secret = Some(secret);
            }
            Some(AuthSettings::SigV4(settings)) => {
                let keys = settings.keys().map_err(|error| no_secret(&error))?;
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

/// A user or password out of an address.
pub(super) fn decoded(part: &str) -> String {
    // in a form these have a meaning of their own
    let escaped = part.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let text = url::form_urlencoded::parse(escaped.as_bytes()).next();
    text.map(|(text, _)| text.into_owned()).unwrap_or_default()
}

fn read(secret: &SecretRef) -> Result<Secret, ErrorKind> {
    secret.read().map_err(|error| no_secret(&error))
}

pub(super) fn no_secret(error: &SecretError) -> ErrorKind {
    ErrorKind::NoSecret { reason: error.to_string() }
}

#[cfg(test)]
mod tests;
