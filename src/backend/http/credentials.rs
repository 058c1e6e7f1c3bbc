//! What a request carries to say who asks: Authorization, the tenant, headers of the configuration. Never shown.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use url::Url;
use zeroize::Zeroizing;

use super::mask::Mask;
use super::sigv4::Signer;
use crate::config::secret::{Secret, SecretError};
use crate::config::settings::{AuthSettings, OAuth2Settings, SecretText, SourceSettings};
use crate::model::source::Trouble;

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
}

/// The credentials as they are now.
#[derive(Default)]
pub(super) struct Proof {
    /// What every request carries.
    pub(super) headers: HeaderMap,
    /// What signs every request besides.
    pub(super) signer: Option<Signer>,
    /// What fetches the token that is still missing.
    pub(super) client_secret: Option<Secret>,
    /// What it all was made from, as it could come back.
    pub(super) mask: Mask,
}

impl Proof {
    /// Whether a server would see no difference.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.headers == other.headers && self.signer == other.signer
    }

    /// From here on requests carry this token.
    pub(super) fn bear(&mut self, token: &Secret) -> Result<(), Trouble> {
        self.authorize(&["Bearer ", token.expose()], token)
    }

    fn authorize(&mut self, parts: &[&str], secret: &Secret) -> Result<(), Trouble> {
        self.headers.insert(AUTHORIZATION, secret_value("Authorization", parts)?);
        self.hide(secret);
        Ok(())
    }

    fn hide(&mut self, secret: &Secret) {
        self.mask = std::mem::take(&mut self.mask).with(secret);
    }

    fn log_in(&mut self, user: &str, password: &Secret) -> Result<(), Trouble> {
        let both = Zeroizing::new(format!("{user}:{}", password.expose()));
        let encoded = Zeroizing::new(BASE64_STANDARD.encode(&*both));
        self.authorize(&["Basic ", &encoded], password)?;
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
        }
    }

    /// Whether anything has to be read from somewhere, and may so change.
    pub(super) fn are_secret(&self) -> bool {
        self.auth.is_some() || self.headers.values().any(|value| matches!(value, SecretText::Secret(_)))
    }

    /// Whether a server that knows them no longer says 403 in place of 401.
    pub(super) fn are_signed(&self) -> bool {
        matches!(self.auth, Some(AuthSettings::SigV4(_)))
    }

    /// How a token has to be fetched, if it has to be.
    pub(super) fn oauth2(&self) -> Option<&OAuth2Settings> {
        match &self.auth {
            Some(AuthSettings::OAuth2(oauth)) => Some(oauth),
            _ => None,
        }
    }

    /// With secrets as they are now. Waits for files and programs.
    pub(super) fn read(&self) -> Result<Proof, Trouble> {
        let mut proof = Proof::default();
        for (name, value) in &self.headers {
            let secret = value.read().map_err(|error| no_secret(&error))?;
            let header = header_name(name)?;
            // what is asked for is the client's business: it must be able to read the answer
            if header != ACCEPT && header != ACCEPT_ENCODING {
                proof.headers.insert(header, secret_value(name, &[secret.expose()])?);
            }
            if matches!(value, SecretText::Secret(_)) {
                proof.hide(&secret);
            }
        }
        if let Some(tenant) = &self.tenant {
            for name in TENANT_HEADERS {
                proof.headers.insert(HeaderName::from_static(name), header_value("tenant", tenant)?);
            }
        }
        match &self.auth {
            Some(AuthSettings::Bearer(token)) => proof.bear(&token.read().map_err(|e| no_secret(&e))?)?,
            Some(AuthSettings::Token(token)) => {
                let token = token.read().map_err(|error| no_secret(&error))?;
                proof.authorize(&["Token token=", token.expose()], &token)?;
            }
            Some(AuthSettings::Basic(login)) => {
                proof.log_in(&login.user, &login.password.read().map_err(|error| no_secret(&error))?)?;
            }
            Some(AuthSettings::OAuth2(oauth)) => {
                let secret = oauth.client_secret.read().map_err(|error| no_secret(&error))?;
                proof.hide(&secret);
                proof.hide(&Secret::new(&format!("{}:{}", oauth.client_id, secret.expose())));
                proof.client_secret = Some(secret);
            }
            Some(AuthSettings::SigV4(settings)) => {
                let keys = settings.keys().map_err(|error| no_secret(&error))?;
                for secret in [&keys.id, &keys.secret].into_iter().chain(&keys.session) {
                    proof.hide(secret);
                }
                let (region, service) = (settings.region.clone(), settings.service.clone());
                proof.signer = Some(Signer { keys, region, service });
            }
            None => {
                if let Some((user, password)) = &self.in_url {
                    proof.log_in(user, password)?;
                }
            }
        }
        Ok(proof)
    }
}

/// A user or password out of an address.
pub(super) fn decoded(part: &str) -> String {
    // in a form these have a meaning of their own
    let escaped = part.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let text = url::form_urlencoded::parse(escaped.as_bytes()).next();
    text.map(|(text, _)| text.into_owned()).unwrap_or_default()
}

pub(super) fn no_secret(error: &SecretError) -> Trouble {
    Trouble::NoSecret { reason: error.to_string() }
}

fn header_name(name: &str) -> Result<HeaderName, Trouble> {
    HeaderName::try_from(name)
        .map_err(|error| Trouble::NoSecret { reason: format!("{name:?} is no name of a header: {error}") })
}

/// A value that is nobody's secret.
pub(super) fn header_value(name: &str, value: &str) -> Result<HeaderValue, Trouble> {
    HeaderValue::try_from(value)
        .map_err(|error| Trouble::NoSecret { reason: format!("the value for {name}: {error}") })
}

/// Marked as sensitive, so that no log of the HTTP library shows it; wiped when the last request that carries it is gone.
pub(super) fn secret_value(name: &str, parts: &[&str]) -> Result<HeaderValue, Trouble> {
    let mut whole = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
    for part in parts {
        whole.extend_from_slice(part.as_bytes());
    }
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(whole))
        .map_err(|error| Trouble::NoSecret { reason: format!("the value for {name}: {error}") })?;
    value.set_sensitive(true);
    Ok(value)
}
