//! What a request carries to say who asks: Authorization, the tenant, headers of the configuration. Never shown.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::config::secret::SecretError;
use crate::config::settings::{AuthSettings, SecretText, SourceSettings};
use crate::model::source::Trouble;

/// Both are sent: each system looks for its own and overlooks the other.
const TENANT_HEADERS: [&str; 2] = ["x-scope-orgid", "thanos-tenant"];

/// Where the credentials of one source are to be had.
#[derive(Clone)]
pub(super) struct Credentials {
    auth: Option<AuthSettings>,
    /// User and password out of the address; only where there is no `auth`.
    in_url: Option<(String, String)>,
    headers: BTreeMap<String, SecretText>,
    tenant: Option<String>,
}

impl Credentials {
    pub(super) fn new(source: &SourceSettings, url: &Url) -> Self {
        let decode = |part: &str| {
            // in a form these have a meaning of their own
            let escaped = part.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
            url::form_urlencoded::parse(escaped.as_bytes())
                .next()
                .map(|(text, _)| text.into_owned())
                .unwrap_or_default()
        };
        let has_user = !url.username().is_empty() || url.password().is_some();
        let in_url = (source.auth.is_none() && has_user)
            .then(|| (decode(url.username()), decode(url.password().unwrap_or_default())));
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

    /// The headers, with secrets as they are now.
    pub(super) async fn headers(&self) -> Result<HeaderMap, Trouble> {
        if !self.are_secret() {
            return self.read();
        }
        let own = self.clone();
        // a file on a dead mount or a slow program must not hold up other questions
        tokio::task::spawn_blocking(move || own.read())
            .await
            .unwrap_or_else(|error| Err(Trouble::Internal { reason: error.to_string() }))
    }

    fn read(&self) -> Result<HeaderMap, Trouble> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let value = value.read().map_err(|error| no_secret(&error))?;
            headers.insert(header_name(name)?, header_value(name, value.expose())?);
        }
        if let Some(tenant) = &self.tenant {
            for name in TENANT_HEADERS {
                headers.insert(HeaderName::from_static(name), header_value("tenant", tenant)?);
            }
        }
        let basic = |user: &str, password: &str| {
            format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
        };
        let authorization = match (&self.auth, &self.in_url) {
            (Some(AuthSettings::Bearer(token)), _) => {
                Some(format!("Bearer {}", token.read().map_err(|error| no_secret(&error))?.expose()))
            }
            (Some(AuthSettings::Token(token)), _) => {
                Some(format!("Token token={}", token.read().map_err(|error| no_secret(&error))?.expose()))
            }
            (Some(AuthSettings::Basic { user, password }), _) => {
                Some(basic(user, password.read().map_err(|error| no_secret(&error))?.expose()))
            }
            (None, Some((user, password))) => Some(basic(user, password)),
            (None, None) => None,
        };
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, header_value("Authorization", &authorization)?);
        }
        Ok(headers)
    }
}

fn no_secret(error: &SecretError) -> Trouble {
    Trouble::NoSecret { reason: error.to_string() }
}

fn header_name(name: &str) -> Result<HeaderName, Trouble> {
    HeaderName::try_from(name)
        .map_err(|error| Trouble::NoSecret { reason: format!("{name:?} is no name of a header: {error}") })
}

/// Marked as sensitive, so that no log of the HTTP library shows it.
fn header_value(name: &str, value: &str) -> Result<HeaderValue, Trouble> {
    let mut value = HeaderValue::try_from(value)
        .map_err(|error| Trouble::NoSecret { reason: format!("the value for {name}: {error}") })?;
    value.set_sensitive(true);
    Ok(value)
}
