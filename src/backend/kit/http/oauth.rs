//! Fetches tokens with `OAuth2` client credentials (RFC 6749, section 4.4) from the configured server.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::body::{BodyReader, Stopped};
use super::failure::cut;
use super::header::secret_value;
use super::redactor::Redactor;
use super::transport::Connection;
use super::{ERROR_BODY, failure};
use crate::config::secret::Secret;
use crate::config::settings::{LimitSettings, OAuth2Settings};
use crate::model::source::ErrorKind;

/// The lifetime of a token whose server does not report one.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(300);
/// A token is fetched again this long before it expires, or a tenth of its lifetime if that is less.
const MARGIN: Duration = Duration::from_secs(30);
/// The maximum length of a server's message for display.
const MESSAGE: usize = 200;

/// A token and the time for which it may be used.
pub(super) struct OAuthToken {
    pub(super) value: Secret,
    pub(super) lasts: Duration,
}

#[derive(Deserialize)]
struct Granted {
    access_token: Zeroizing<String>,
    expires_in: Option<Value>,
}

#[derive(Deserialize)]
struct Denied {
    error: String,
    error_description: Option<String>,
}

/// Why the token server gave no token.
struct TokenRefusal {
    why: String,
    /// The server did not accept the client's authentication.
    is_unknown_client: bool,
}

impl From<String> for TokenRefusal {
    fn from(why: String) -> Self {
        Self { why, is_unknown_client: false }
    }
}

/// Requests tokens from one server.
pub(super) struct TokenClient<'a> {
    pub(super) connection: &'a Connection,
    pub(super) url: &'a Url,
    pub(super) oauth: &'a OAuth2Settings,
    pub(super) secret: &'a Secret,
    pub(super) redactor: &'a Redactor,
    pub(super) limits: &'a LimitSettings,
}

impl TokenClient<'_> {
    /// Fetches a token. First sends the client secret in a header, as the standard recommends; if the server refuses that, in
    /// the form.
    ///
    /// # Errors
    /// [`ErrorKind::NoSecret`] with the message of the token server.
    pub(super) async fn fetch(&self) -> Result<OAuthToken, ErrorKind> {
        let mut token = self.ask(true).await;
        if token.as_ref().is_err_and(|refusal| refusal.is_unknown_client) {
            token = self.ask(false).await;
        }
        token.map_err(|TokenRefusal { why, .. }| {
            let host = self.url.host_str().unwrap_or_default();
            ErrorKind::NoSecret { reason: self.redactor.words(&format!("no token from {host}: {why}")) }
        })
    }

    /// Sends one token request, with the secret in the `Authorization` header or in the form.
    async fn ask(&self, in_header: bool) -> Result<OAuthToken, TokenRefusal> {
        let Self { connection, url, oauth, secret, redactor, limits } = *self;
        let words = |failure: ErrorKind| failure.to_string();
        let scopes = oauth.scopes.join(" ");
        let mut form = vec![("grant_type", "client_credentials")];
        if !scopes.is_empty() {
            form.push(("scope", &scopes));
        }
        form.extend(oauth.audience.as_deref().map(|audience| ("audience", audience)));
        if !in_header {
            form.extend([("client_id", oauth.client_id.as_str()), ("client_secret", secret.expose())]);
        }
        let mut request = Request::new(Method::POST, url.clone());
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        request
            .headers_mut()
            .extend([(ACCEPT, HeaderValue::from_static("application/json")), (CONTENT_TYPE, kind)]);
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        *request.body_mut() = Some(form.into());
        if in_header {
            let escaped = |text: &str| -> Zeroizing<String> {
                Zeroizing::new(url::form_urlencoded::byte_serialize(text.as_bytes()).collect())
            };
            let both =
                Zeroizing::new(format!("{}:{}", *escaped(&oauth.client_id), *escaped(secret.expose())));
            let encoded = Zeroizing::new(BASE64_STANDARD.encode(&*both));
            let value = secret_value("Authorization", &["Basic ", &encoded]).map_err(words)?;
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let sent = connection.send(request.into()).await;
        let mut response = sent.map_err(|unsent| words(unsent.kind(limits)))?;
        let mut body_reader = BodyReader::new(ERROR_BODY);
        if let Err(Stopped::Lost(error)) = body_reader.take_all(&mut response).await {
            return Err(words(failure::of(&error, limits)).into());
        }
        let bytes = Zeroizing::new(body_reader.bytes);
        let status = response.status();
        if !status.is_success() {
            return Err(refused(status, &redactor.refusal(bytes.to_vec()), &response));
        }
        let granted: Granted = serde_json::from_slice(&bytes)
            .map_err(|_not_granted| "the answer contains no token".to_owned())?;
        let lasts = granted.expires_in.as_ref().and_then(seconds).map_or(DEFAULT_LIFETIME, |life| {
            life.saturating_sub(MARGIN.min(life / 10)).max(Duration::from_secs(1))
        });
        Ok(OAuthToken { value: Secret::new(&granted.access_token), lasts })
    }
}

/// Reads the `OAuth2` error response (RFC 6749, section 5.2).
fn refused(status: StatusCode, bytes: &[u8], response: &reqwest::Response) -> TokenRefusal {
    let denied = serde_json::from_slice::<Denied>(bytes).ok();
    let said = match &denied {
        Some(Denied { error, error_description: Some(words) }) => format!("{error}: {words}"),
        Some(Denied { error, error_description: None }) => error.clone(),
        None => failure::of_refusal(status, response.headers(), response.url(), bytes).0.to_string(),
    };
    let is_unknown_client = status == StatusCode::UNAUTHORIZED
        || denied.is_some_and(|denied| matches!(denied.error.as_str(), "invalid_client" | "invalid_request"));
    TokenRefusal { why: cut(&said, MESSAGE), is_unknown_client }
}

/// A number of seconds, also in the form of a text as some servers send it; at most one day.
fn seconds(value: &Value) -> Option<Duration> {
    let seconds = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    Some(Duration::from_secs(seconds.min(86_400)))
}
