//! Signs requests for AWS: Signature Version 4 over the method, the path, the query, some headers and the body.

use std::fmt::Write as _;

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Request;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use ring::{digest, hmac};
use url::Url;

use super::header::{header_value, secret_value};
use crate::config::secret::Secret;
use crate::config::secret::aws::Keys;
use crate::model::source::ErrorKind;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const SESSION: HeaderName = HeaderName::from_static("x-amz-security-token");

/// Signs requests for one service in one region.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Signer {
    pub(super) keys: Keys,
    pub(super) region: String,
    pub(super) service: String,
}

impl Signer {
    /// Adds the signature headers. The signed parts of the request must not change afterwards.
    pub(super) fn sign(&self, request: &mut Request, now: Timestamp) -> Result<(), ErrorKind> {
        let query = canonical_query(request.url());
        if !query.is_empty() {
            // a space must be %20: AWS reads + in the query as a plus sign
            request.url_mut().set_query(Some(&query));
        }
        let host = host(request.url());
        let moment = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let headers = request.headers_mut();
        headers.insert(HOST, header_value("Host", &host)?);
        headers.insert(DATE, header_value("X-Amz-Date", &moment)?);
        if let Some(session) = &self.keys.session {
            headers.insert(SESSION, secret_value("X-Amz-Security-Token", &[session.expose()])?);
        }
        let signed = [CONTENT_TYPE, HOST, DATE, SESSION];
        let signed: Vec<(&str, &HeaderValue)> =
            signed.iter().filter_map(|name| Some((name.as_str(), request.headers().get(name)?))).collect();
        let names = signed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        let mut canonical =
            format!("{}\n{}\n{query}\n", request.method(), canonical_path(request.url().path()));
        for (name, value) in &signed {
            let value = String::from_utf8_lossy(value.as_bytes());
            writeln!(canonical, "{name}:{}", value.split_whitespace().collect::<Vec<_>>().join(" "))
                .expect("a String takes everything");
        }
        write!(canonical, "\n{names}\n{}", hash(body)).expect("a String takes everything");
        let authorization = self.authorization(&canonical, &names, &moment);
        request
            .headers_mut()
            .insert(AUTHORIZATION, secret_value("Authorization", &[authorization.expose()])?);
        Ok(())
    }

    /// The value of the `Authorization` header for a canonical request.
    fn authorization(&self, canonical: &str, names: &str, moment: &str) -> Secret {
        let Self { keys, region, service } = self;
        let day = moment.get(..8).unwrap_or_default();
        let scope = format!("{day}/{region}/{service}/aws4_request");
        let to_sign = format!("{ALGORITHM}\n{moment}\n{scope}\n{}", hash(canonical.as_bytes()));
        let first = Secret::new(&format!("AWS4{}", keys.secret.expose()));
        let day = keyed(first.expose().as_bytes(), day);
        let key =
            [region, service, "aws4_request"].into_iter().fold(day, |key, part| keyed(key.as_ref(), part));
        let signature = hex(keyed(key.as_ref(), &to_sign).as_ref());
        let id = keys.id.expose();
        Secret::new(&format!(
            "{ALGORITHM} Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}"
        ))
    }
}

/// HMAC-SHA256.
fn keyed(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

/// SHA-256 in hexadecimal.
fn hash(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut out, byte| {
        write!(out, "{byte:02x}").expect("a String takes everything");
        out
    })
}

/// The `Host` header as the client sends it: the port is left out if it is the default port of the scheme.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The path, escaped a second time as AWS requires for every service but S3.
fn canonical_path(path: &str) -> String {
    if path.is_empty() { "/".to_owned() } else { path.split('/').map(escaped).collect::<Vec<_>>().join("/") }
}

/// The query, escaped and sorted as AWS requires.
fn canonical_query(url: &Url) -> String {
    let mut pairs: Vec<_> =
        url.query_pairs().map(|(name, value)| (escaped(&name), escaped(&value))).collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// The characters that AWS escapes: all but letters, digits, `-`, `_`, `.` and `~`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

#[cfg(test)]
mod tests;
