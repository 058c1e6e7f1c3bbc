//! From what went wrong on the way to the trouble that a person on call understands.

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
use super::body::cut;
use crate::model::source::Trouble;

/// Longest message of a server that is shown.
const MESSAGE: usize = 300;
const PROXY_AUTH: &str = "the proxy wants to know who asks: set proxy_auth";
/// What the HTTP library says of a proxy, and what it means.
const PROXY_SAYS: [(&str, &str); 3] = [
    ("proxy authorization required", PROXY_AUTH),
    ("tunnel error: unsuccessful", "the proxy does not let it through"),
    ("SOCKS error: failed to create underlying connection", "the proxy cannot be reached"),
];
/// No server can make us wait longer than this.
const PATIENCE: Duration = Duration::from_secs(3600);

/// What a failed request or a broken read comes to.
pub(super) fn of(error: &reqwest::Error, connect_timeout: Duration, timeout: Duration) -> Trouble {
    for cause in causes(error) {
        if let Some(tls) = rustls_error(cause) {
            return of_tls(tls);
        }
    }
    // only their words tell: their types are the HTTP library's own
    let of_proxy = |cause: &(dyn StdError + 'static)| {
        let said = cause.to_string();
        PROXY_SAYS.iter().find(|(words, _)| said.ends_with(words)).map(|(_, meaning)| *meaning)
    };
    if let Some(reason) = causes(error).find_map(of_proxy) {
        return Trouble::Unreachable { reason: reason.into() };
    }
    if error.is_dns() {
        return Trouble::Unreachable { reason: "host not found".into() };
    }
    if error.is_timeout() {
        return if error.is_connect() {
            Trouble::Unreachable { reason: format!("no connection within {}s", connect_timeout.as_secs()) }
        } else {
            Trouble::TimedOut { after: timeout }
        };
    }
    if error.is_builder() {
        return Trouble::Internal { reason: innermost(error) };
    }
    if error.is_body() || error.is_decode() {
        return Trouble::Garbled { reason: "the connection broke in the middle of the answer".into() };
    }
    let kind =
        causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind).next();
    let reason = match kind {
        Some(io::ErrorKind::ConnectionRefused) => "connection refused".into(),
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => "connection reset".into(),
        Some(io::ErrorKind::ConnectionAborted | io::ErrorKind::UnexpectedEof) => "connection closed".into(),
        Some(io::ErrorKind::NetworkUnreachable) => "network unreachable".into(),
        Some(io::ErrorKind::HostUnreachable) => "no route to host".into(),
        _ => {
            let reason = innermost(error);
            // hyper's own kind of error, known only by its text
            if reason.starts_with("invalid HTTP") {
                let reason =
                    "what answers there does not speak HTTP; is it https://, or another port?".into();
                return Trouble::Garbled { reason };
            }
            if reason.starts_with("connection closed before") {
                return Trouble::Unreachable { reason: "it closes the connection without an answer".into() };
            }
            reason
        }
    };
    Trouble::Unreachable { reason }
}

fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| (**error).source())
}

fn innermost(error: &reqwest::Error) -> String {
    causes(error).last().map(|cause| cut(&cause.to_string(), MESSAGE)).unwrap_or_default()
}

/// I/O errors hide what they wrap from `source()`, one in another.
fn rustls_error<'a>(cause: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let mut inner = cause;
    while let Some(wrapped) = inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        inner = wrapped;
    }
    inner.downcast_ref()
}

fn of_tls(error: &rustls::Error) -> Trouble {
    let reason = match error {
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".into(),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "it is not valid yet; is this machine's clock right?".into()
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "it is for another name".into()
            }
            CertificateError::UnknownIssuer => "its issuer is not trusted here".into(),
            CertificateError::BadSignature => "it was not signed by the issuer that it names".into(),
            CertificateError::Revoked => "it was revoked".into(),
            // the verifier's own kind of error, known only by its text
            other if format!("{other:?}").contains("CaUsedAsEndEntity") => "it is self-signed".into(),
            other => cut(&other.to_string(), MESSAGE),
        },
        rustls::Error::AlertReceived(alert) => {
            return Trouble::Unreachable { reason: of_alert(*alert) };
        }
        rustls::Error::InconsistentKeys(_) => {
            let reason = "client_key is not the key of client_cert".into();
            return Trouble::NoSecret { reason };
        }
        rustls::Error::InvalidMessage(_) => {
            return Trouble::Unreachable { reason: "it does not speak TLS; is it http://?".into() };
        }
        other => {
            return Trouble::Unreachable { reason: format!("TLS: {}", cut(&other.to_string(), MESSAGE)) };
        }
    };
    Trouble::Certificate { reason }
}

/// What the server did not like about us.
fn of_alert(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateRequired => {
            "it wants a certificate of ours: set client_cert and client_key".into()
        }
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied => "it does not accept our client_cert".into(),
        AlertDescription::CertificateExpired => "our client_cert has expired".into(),
        other => format!("TLS: it ends the talk with {other:?}"),
    }
}

/// What an answer without a 2xx status comes to, and how long the server asks us to wait.
pub(super) fn of_status(
    status: StatusCode,
    headers: &HeaderMap,
    url: &Url,
    body: &[u8],
) -> (Trouble, Option<Duration>) {
    let trouble = match status.as_u16() {
        401 => Trouble::Unauthorised,
        403 => Trouble::Forbidden,
        407 => Trouble::Unreachable { reason: PROXY_AUTH.into() },
        429 => Trouble::RateLimited,
        300..400 => Trouble::Redirected { to: target(headers, url) },
        // how VictoriaMetrics says that there is no such path, behind all of a long query
        400 if String::from_utf8_lossy(body).contains("unsupported path") => {
            Trouble::Refused { status: 404, message: "no such path".into() }
        }
        400 | 422 => Trouble::BadQuery { message: message(body) },
        status => Trouble::Refused { status, message: message(body) },
    };
    let reset = || allowance::reset(headers).filter(|_| status == StatusCode::TOO_MANY_REQUESTS);
    (trouble, wait(headers).or_else(reset).map(|wait| wait.min(PATIENCE)))
}

/// The same for a request that would have changed something: there the server's own words say what is wrong with it.
pub(super) fn of_refusal(
    status: StatusCode,
    headers: &HeaderMap,
    url: &Url,
    body: &[u8],
) -> (Trouble, Option<Duration>) {
    let (trouble, wait) = of_status(status, headers, url, body);
    let message = message(body);
    let trouble = match trouble {
        Trouble::Forbidden if message.is_empty() => Trouble::Forbidden,
        Trouble::Forbidden | Trouble::BadQuery { .. } => {
            Trouble::Refused { status: status.as_u16(), message }
        }
        other => other,
    };
    (trouble, wait)
}

/// Host and path of a redirect's target: its query may hold what nobody should see.
fn target(headers: &HeaderMap, url: &Url) -> String {
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    match location.and_then(|location| url.join(location).ok()) {
        Some(to) => cut(&format!("{}{}", to.host_str().unwrap_or_default(), to.path()), MESSAGE),
        None => "nowhere".into(),
    }
}

/// The error's text in a body: `error` or `message` of an object, also within its `error` with its `errors` (PagerDuty), a
/// JSON string, or the first line of plain text.
fn message(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let found = match serde_json::from_str::<Value>(&text) {
        Ok(Value::String(message)) => message,
        Ok(Value::Object(fields)) => {
            let inner = fields.get("error").and_then(Value::as_object).unwrap_or(&fields);
            let message = ["error", "message"].into_iter().find_map(|key| inner.get(key)?.as_str());
            let more = inner.get("errors").and_then(Value::as_array).into_iter().flatten();
            message.into_iter().chain(more.filter_map(Value::as_str)).collect::<Vec<_>>().join(": ")
        }
        Ok(_) => String::new(),
        Err(_) if text.trim_start().starts_with('<') => String::new(),
        Err(_) => text.trim_start().lines().next().unwrap_or_default().to_owned(),
    };
    cut(&found, MESSAGE)
}

/// `Retry-After`: seconds, or a date that is compared with the server's own clock.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = value.parse::<u64>().ok().or_else(|| {
        let until = moment(headers, &RETRY_AFTER)?.as_second() - date(headers)?.as_second();
        Some(u64::try_from(until).unwrap_or(0))
    })?;
    Some(Duration::from_secs(seconds))
}

/// The server's clock.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    moment(headers, &DATE)
}

fn moment(headers: &HeaderMap, name: &HeaderName) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(headers.get(name)?.to_str().ok()?).ok()
}
