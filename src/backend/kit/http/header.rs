//! Headers out of settings and secrets.

use bytes::Bytes;
use reqwest::header::{HeaderName, HeaderValue};
use zeroize::Zeroizing;

use crate::model::source::ErrorKind;

pub(super) fn header_name(name: &str) -> Result<HeaderName, ErrorKind> {
    HeaderName::try_from(name).map_err(|error| ErrorKind::NoSecret {
        reason: format!("{name:?} is not a valid header name: {error}"),
    })
}

/// A value that is nobody's secret.
pub(super) fn header_value(name: &str, value: &str) -> Result<HeaderValue, ErrorKind> {
    HeaderValue::try_from(value)
        .map_err(|error| ErrorKind::NoSecret { reason: format!("the value of {name}: {error}") })
}

/// Marked as sensitive, so that no log of the HTTP library shows it; wiped when the last request that carries it is gone.
pub(super) fn secret_value(name: &str, parts: &[&str]) -> Result<HeaderValue, ErrorKind> {
    let mut whole = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
    for part in parts {
        whole.extend_from_slice(part.as_bytes());
    }
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(whole))
        .map_err(|error| ErrorKind::NoSecret { reason: format!("the value of {name}: {error}") })?;
    value.set_sensitive(true);
    Ok(value)
}
