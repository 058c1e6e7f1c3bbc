//! A token by `OAuth2` client credentials (RFC 6749, section 4.4), fetched from where the configuration says.

use std::error::Error as StdError;
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
use super::header::secret_value;
use super::redactor::Redactor;
use super::transport::Connection;
use super::trouble::{Unsent, cut};
use super::{ERROR_BODY, trouble};
use crate::config::secret::Secret;
use crate::config::settings::OAuth2Settings;
use crate::model::source::ErrorKind;

/// How long a token is taken to be good where its server does not say.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(300);
/// So long before its end a token is fetched anew, or a tenth of its life if that is less.
const MARGIN: Duration = Duration::from_secs(30);
/// Longest message of a server that is shown.
const MESSAGE: usize = 200;

/// A token, and for how long to use it.
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

/// What the server said of one request for a token.
enum TokenResponse {
    Granted(OAuthToken),
    /// It does not know the client by what it was shown.
    UnknownClient(String),
    Denied(String),
}

/// Asks for a token. The secret goes into a header, as the standard wants it, and where that is refused into the form.
///
/// # Errors
/// [`ErrorKind::NoSecret`] with what the server of tokens said.
pub(super) async fn fetch(
    connection: &Connection,
    oauth: &OAuth2Settings,
    secret: &Secret,
    redactor: &Redactor,
    limits: (Duration, Duration),
) -> Result<OAuthToken, ErrorKind> {
    let url = Url::parse(&oauth.token_url)
        .map_err(|error| ErrorKind::NoSecret { reason: format!("token_url: {error}") })?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let no_token =
        |why: &str| ErrorKind::NoSecret { reason: redactor.words(&format!("no token from {host}: {why}")) };
    let mut last = String::new();
    for in_header in [true, false] {
        match ask(connection, &url, oauth, secret, in_header, redactor, limits).await {
            Ok(TokenResponse::Granted(token)) => return Ok(token),
            Ok(TokenResponse::UnknownClient(why)) => last = why,
            Ok(TokenResponse::Denied(why)) | Err(why) => return Err(no_token(&why)),
        }
    }
    Err(no_token(&last))
}

async fn ask(
    connection: &Connection,
    url: &Url,
    oauth: &OAuth2Settings,
    secret: &Secret,
    in_header: bool,
    redactor: &Redactor,
    (connect_timeout, timeout): (Duration, Duration),
) -> Result<TokenResponse, String> {
    let words = |trouble: ErrorKind| trouble.to_string();
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
        let both = Zeroizing::new(format!("{}:{}", *escaped(&oauth.client_id), *escaped(secret.expose())));
        let encoded = Zeroizing::new(BASE64_STANDARD.encode(&*both));
        let value = secret_value("Authorization", &["Basic ", &encoded]).map_err(words)?;
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    let failed = |error: &(dyn StdError + 'static)| words(trouble::of(error, connect_timeout, timeout));
    let mut response = connection.send(request.into()).await.map_err(|unsent| match unsent {
        Unsent::Before(trouble) => words(trouble),
        Unsent::InTransit(error) => failed(&*error),
    })?;
    let mut body_reader = BodyReader::new(ERROR_BODY);
    if let Err(Stopped::Lost(error)) = body_reader.take_all(&mut response).await {
        return Err(failed(&error));
    }
    let bytes = Zeroizing::new(body_reader.bytes);
    let status = response.status();
    if !status.is_success() {
        return Ok(refused(status, &redactor.refusal(bytes.to_vec()), &response));
    }
    let Ok(granted) = serde_json::from_slice::<Granted>(&bytes) else {
        return Ok(TokenResponse::Denied("what it answers is no token".to_owned()));
    };
    let lasts = granted.expires_in.as_ref().and_then(seconds).map_or(DEFAULT_LIFETIME, |life| {
        life.saturating_sub(MARGIN.min(life / 10)).max(Duration::from_secs(1))
    });
    Ok(TokenResponse::Granted(OAuthToken { value: Secret::new(&granted.access_token), lasts }))
}

fn refused(status: StatusCode, bytes: &[u8], response: &reqwest::Response) -> TokenResponse {
    let denied = serde_json::from_slice::<Denied>(bytes).ok();
    let said = match &denied {
        Some(Denied { error, error_description: Some(words) }) => format!("{error}: {words}"),
        Some(Denied { error, error_description: None }) => error.clone(),
        None => trouble::of_refusal(status, response.headers(), response.url(), bytes).0.to_string(),
    };
    let said = cut(&said, MESSAGE);
    let is_unknown = status == StatusCode::UNAUTHORIZED
        || denied.is_some_and(|denied| matches!(denied.error.as_str(), "invalid_client" | "invalid_request"));
    if is_unknown { TokenResponse::UnknownClient(said) } else { TokenResponse::Denied(said) }
}

/// A number, which some servers write as a text.
fn seconds(value: &Value) -> Option<Duration> {
    let seconds = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    Some(Duration::from_secs(seconds.min(86_400)))
}
