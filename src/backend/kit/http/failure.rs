//! Maps failures of requests to [`ErrorKind`].

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use rustls::{AlertDescription, CertificateError};
use serde_json::Value;
use url::Url;

use super::allowance;
use super::trusted::is_self_signed_ca;
use crate::config::settings::LimitSettings;
use crate::model::source::ErrorKind;
use crate::model::text;

/// The maximum length of a server's message for display.
const MESSAGE: usize = 300;
const PROXY_AUTH: &str = "the proxy requires authentication: set proxy_auth";
/// Texts of the HTTP library's proxy errors, and their meaning.
const PROXY_SAYS: [(&str, &str); 3] = [
    ("proxy authorization required", PROXY_AUTH),
    ("tunnel error: unsuccessful", "the proxy refuses the connection"),
    ("SOCKS error: failed to create underlying connection", "the proxy cannot be reached"),
];
/// The maximum wait that a server can ask for.
const MAX_WAIT: Duration = Duration::from_secs(3600);

/// Why a request got no answer.
pub(super) enum Unsent {
    /// Nothing left this machine.
    Before(ErrorKind),
    /// It was lost on the way.
    InTransit(Box<dyn StdError + Send + Sync>),
}

impl Unsent {
    /// The error for display.
    pub(super) fn kind(self, limits: &LimitSettings) -> ErrorKind {
        match self {
            Self::Before(failure) => failure,
            Self::InTransit(error) => of(&*error, limits),
        }
    }

    pub(super) fn in_transit(error: impl StdError + Send + Sync + 'static) -> Self {
        Self::InTransit(Box::new(error))
    }
}

impl ErrorKind {
    /// The server's message, if it refused with this status.
    pub(in crate::backend) fn refused(&self, with: u16) -> Option<&str> {
        let Self::Refused { status, message } = self else { return None };
        (*status == with).then_some(message)
    }
}

/// Maps the error of a failed request or of a failed read.
pub(super) fn of(error: &(dyn StdError + 'static), limits: &LimitSettings) -> ErrorKind {
    let unreachable = |reason: &str| ErrorKind::Unreachable { reason: reason.to_owned() };
    let Some(error) = of_client(error) else { return ErrorKind::Internal { reason: innermost(error) } };
    for cause in causes(error) {
        if let Some(tls) = rustls_error(cause) {
            return of_tls(tls);
        }
    }
    // proxy errors can only be recognised by their text: their types are private to the HTTP library
    let of_proxy = |cause: &(dyn StdError + 'static)| {
        let said = cause.to_string();
        PROXY_SAYS.iter().find(|(words, _)| said.ends_with(words)).map(|(_, meaning)| *meaning)
    };
    if let Some(reason) = causes(error).find_map(of_proxy) {
        return unreachable(reason);
    }
    if error.is_dns() {
        return unreachable("host not found");
    }
    if error.is_timeout() {
        return if error.is_connect() {
            unreachable(&format!("no connection within {}s", limits.connect_timeout.0.as_secs()))
        } else {
            ErrorKind::TimedOut { after: limits.timeout.0 }
        };
    }
    if error.is_builder() {
        return ErrorKind::Internal { reason: innermost(error) };
    }
    if error.is_body() || error.is_decode() {
        return ErrorKind::Garbled { reason: "the connection broke before the answer was complete".into() };
    }
    let kind =
        causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind).next();
    match kind {
        Some(io::ErrorKind::ConnectionRefused) => unreachable("connection refused"),
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => unreachable("connection reset"),
        Some(io::ErrorKind::ConnectionAborted | io::ErrorKind::UnexpectedEof) => {
            unreachable("connection closed")
        }
        Some(io::ErrorKind::NetworkUnreachable) => unreachable("network unreachable"),
        Some(io::ErrorKind::HostUnreachable) => unreachable("no route to host"),
        // errors of hyper that can only be recognised by their text
        _ => match innermost(error) {
            reason if reason.starts_with("invalid HTTP") => {
                let reason =
                    "the server at this address does not speak HTTP; check the port, or use https://";
                ErrorKind::Garbled { reason: reason.into() }
            }
            reason if reason.starts_with("connection closed before") => {
                unreachable("the server closes the connection without an answer")
            }
            reason => ErrorKind::Unreachable { reason },
        },
    }
}

/// The error of the HTTP client, also if it is wrapped.
fn of_client<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a reqwest::Error> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// Whether a request failed before anything was sent.
pub(super) fn is_unsent(error: &(dyn StdError + 'static)) -> bool {
    of_client(error).is_none_or(|error| error.is_connect() || error.is_builder())
}

/// The error and its sources, from the outermost to the innermost.
pub(super) fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| (**error).source())
}

/// The text of the innermost error.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().map(|cause| cut(&cause.to_string(), MESSAGE)).unwrap_or_default()
}

/// A foreign text as one short, safe line.
pub(super) fn cut(message: &str, at_most: usize) -> String {
    let safe = text::clean(message);
    let line = safe.trim();
    let mut end = line.len().min(at_most);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    match line.get(..end) {
        Some(kept) if kept.len() < line.len() => format!("{kept}…"),
        _ => line.to_owned(),
    }
}

/// The TLS error inside an I/O error; I/O errors can be nested, and do not return the inner error from `source()`.
fn rustls_error<'a>(cause: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let mut inner = cause;
    while let Some(wrapped) = inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        inner = wrapped;
    }
    inner.downcast_ref()
}

pub(super) fn of_tls(error: &rustls::Error) -> ErrorKind {
    match error {
        rustls::Error::InvalidCertificate(certificate) => {
            ErrorKind::Certificate { reason: of_certificate(certificate) }
        }
        rustls::Error::AlertReceived(alert) => ErrorKind::Unreachable { reason: of_alert(*alert) },
        rustls::Error::InconsistentKeys(_) => {
            ErrorKind::NoSecret { reason: "client_key is not the key of client_cert".into() }
        }
        rustls::Error::InvalidMessage(_) => ErrorKind::Unreachable {
            reason: "the server does not speak TLS; use http:// if that is intended".into(),
        },
        other => ErrorKind::Unreachable { reason: format!("TLS: {}", cut(&other.to_string(), MESSAGE)) },
    }
}

/// What is wrong with the server's certificate.
fn of_certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "expired".into(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "not valid yet: check this machine's clock".into()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "issued for another name".into()
        }
        CertificateError::UnknownIssuer => "issuer not trusted on this machine".into(),
        CertificateError::BadSignature => "not signed by the stated issuer".into(),
        CertificateError::Revoked => "revoked".into(),
        other if is_self_signed_ca(other) => "self-signed".into(),
        // an error of the verifier that can only be recognised by its text
        other if format!("{other:?}").contains("UnsupportedCertVersion") => {
            "X.509 version 1; only version 3 with subject alternative names is supported".into()
        }
        other => cut(&other.to_string(), MESSAGE),
    }
}

/// The meaning of a TLS alert from the server.
fn of_alert(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateRequired => {
            "the server requires a client certificate: set client_cert and client_key".into()
        }
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied => "the server does not accept our client_cert".into(),
        AlertDescription::CertificateExpired => "our client_cert has expired".into(),
        other => format!("TLS: the server closes the connection with {other:?}"),
    }
}

/// Maps a response without a 2xx status to an error kind and to the wait that the server asks for.
pub(super) fn of_status(
    status: StatusCode,
    headers: &HeaderMap,
    url: &Url,
    body: &[u8],
) -> (ErrorKind, Option<Duration>) {
    let failure = match status.as_u16() {
        401 => ErrorKind::Unauthorised { message: message(body) },
        403 => ErrorKind::Forbidden { message: message(body) },
        407 => ErrorKind::Unreachable { reason: PROXY_AUTH.into() },
        429 => ErrorKind::RateLimited { message: message(body) },
        300..400 => ErrorKind::Redirected { to: target(headers, url) },
        // VictoriaMetrics reports an unknown path as 400, with this text after the query
        400 if String::from_utf8_lossy(body).contains("unsupported path") => {
            ErrorKind::Refused { status: 404, message: "no such path".into() }
        }
        400 | 422 => ErrorKind::BadQuery { message: message(body) },
        status => ErrorKind::Refused { status, message: message(body) },
    };
    let reset = || allowance::reset(headers).filter(|_| status == StatusCode::TOO_MANY_REQUESTS);
    (failure, wait(headers).or_else(reset).map(|wait| wait.min(MAX_WAIT)))
}

/// As [`of_status`], for write requests: 403, 400 and 422 keep the server's message as the reason.
pub(super) fn of_refusal(
    status: StatusCode,
    headers: &HeaderMap,
    url: &Url,
    body: &[u8],
) -> (ErrorKind, Option<Duration>) {
    let (failure, wait) = of_status(status, headers, url, body);
    let message = message(body);
    let has_words = matches!(failure, ErrorKind::BadQuery { .. })
        || matches!(failure, ErrorKind::Forbidden { .. }) && !message.is_empty();
    (if has_words { ErrorKind::Refused { status: status.as_u16(), message } } else { failure }, wait)
}

/// Host and path of a redirect's target; without the query, which may contain secrets.
fn target(headers: &HeaderMap, url: &Url) -> String {
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    match location.and_then(|location| url.join(location).ok()) {
        Some(to) => cut(&format!("{}{}", to.host_str().unwrap_or_default(), to.path()), MESSAGE),
        None => "nowhere".into(),
    }
}

/// The reason in the body of an error response, as one short line: the texts under [`REASONS`] of a JSON object, also nested
/// under `error` (PagerDuty); a JSON string; the title of an HTML page; or the first line of plain text. Empty if there is no
/// text.
fn message(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim();
    let found = match serde_json::from_str::<Value>(text) {
        Ok(value @ (Value::String(_) | Value::Object(_))) => {
            let mut said = Vec::new();
            collect_reasons(&value, &mut said);
            said.join(": ")
        }
        Ok(_) => String::new(),
        Err(_) if text.starts_with('<') => title(text),
        Err(_) => text.lines().next().unwrap_or_default().to_owned(),
    };
    let line = cut(&found, MESSAGE);
    // the message is embedded in a sentence, so it must not end with a full stop
    line.strip_suffix('.').filter(|line| !line.ends_with('.')).map_or(line.clone(), str::to_owned)
}

/// JSON fields with an error reason, the most general first.
const REASONS: [&str; 7] = ["error", "message", "Message", "errors", "error_description", "detail", "msg"];

/// As [`REASONS`], in the typed errors of Elasticsearch: what failed, and what that was caused by.
const SEARCH_REASONS: [&str; 4] = ["reason", "root_cause", "failed_shards", "caused_by"];

/// Collects the texts with a reason, each once, unless another one already contains it.
fn collect_reasons(value: &Value, said: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            let text = text.trim();
            if !text.is_empty() && !said.iter().any(|known| known.contains(text)) {
                said.push(text.to_owned());
            }
        }
        Value::Array(list) => list.iter().for_each(|one| collect_reasons(one, said)),
        other => {
            let reasons = REASONS.iter().filter_map(|key| other.get(key));
            reasons.for_each(|reason| collect_reasons(reason, said));
            if other.get("type").is_some() || other.get("shard").is_some() {
                let reasons = SEARCH_REASONS.iter().filter_map(|key| other.get(key));
                reasons.for_each(|reason| collect_reasons(reason, said));
            }
        }
    }
}

/// The title of an HTML page: the only part of it that may be a reason.
fn title(page: &str) -> String {
    // has the same length, so that positions are valid in both
    let lower = page.to_ascii_lowercase();
    let inside = lower.find("<title").and_then(|start| {
        let from = start + lower.get(start..)?.find('>')? + 1;
        let length = lower.get(from..)?.find("</title")?;
        page.get(from..from + length)
    });
    let text = inside.unwrap_or_default();
    let entities =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&middot;", "·"), ("&amp;", "&")];
    entities.iter().fold(text.to_owned(), |text, (entity, sign)| text.replace(entity, sign))
}

/// The error kind of a 404: usually the configured address is wrong, unless the server's message says something more
/// specific.
pub(crate) fn of_absence(api: &str, message: &str) -> ErrorKind {
    if !is_plain_absence(message) {
        return ErrorKind::Refused { status: 404, message: message.to_owned() };
    }
    let said = if message.is_empty() { String::new() } else { format!("; the server says: {message}") };
    ErrorKind::Garbled { reason: format!("404: no {api} below this address{said}") }
}

/// Whether the message of a 404 only says that the path does not exist, as any web server does.
pub(crate) fn is_plain_absence(message: &str) -> bool {
    let said = message.to_lowercase();
    let plain = [
        "page not found",
        "no such path",
        "unsupported path",
        "cannot get /",
        "no route",
        "no matching route",
    ];
    let bare = said.trim_start_matches(|c: char| c.is_ascii_digit() || c.is_whitespace() || c == ':');
    said.is_empty()
        || matches!(bare, "not found" | "nginx" | "error")
        || plain.iter().any(|words| said.contains(words))
}

/// The `Retry-After` header: seconds, or a date, which is compared with the server's own clock.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = value.parse::<u64>().ok().or_else(|| {
        let until = moment(headers, &RETRY_AFTER)?.as_second() - date(headers)?.as_second();
        Some(u64::try_from(until).unwrap_or(0))
    })?;
    Some(Duration::from_secs(seconds))
}

/// The `Date` header: the server's clock.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    moment(headers, &DATE)
}

/// The time in a header, in the format of RFC 2822.
fn moment(headers: &HeaderMap, name: &HeaderName) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(headers.get(name)?.to_str().ok()?).ok()
}
