//! Shared by the simulated servers: parsing requests and building responses.

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderValue};
use reqwest::{Method, Request, StatusCode};
use serde_json::Value;
use url::form_urlencoded;

use crate::backend::Received;

/// The version that the simulated servers report.
pub(super) const VERSION: &str = "x-demo";

/// The status and the text of an error.
pub(super) type RefusedRequest = (u16, String);

/// A parsed request.
pub(super) struct ParsedRequest {
    pub(super) method: Method,
    /// The segments of the path, decoded.
    path: Vec<String>,
    /// The parameters of the query and of a form body.
    parameters: Vec<(String, String)>,
    /// The JSON body, or null.
    pub(super) body: Value,
    headers: HeaderMap,
}

impl ParsedRequest {
    /// Parses a request.
    pub(super) fn of(request: &Request) -> Self {
        let bytes = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        let is_form = request.headers().get(CONTENT_TYPE).is_some_and(|kind| kind != "application/json");
        let form = if is_form { bytes } else { &[] };
        // in a path, `+` is not a space
        let part = |part: &str| {
            let part = part.replace('+', "%2B");
            form_urlencoded::parse(part.as_bytes())
                .next()
                .map(|(name, _)| name.into_owned())
                .unwrap_or_default()
        };
        Self {
            method: request.method().clone(),
            path: request.url().path_segments().into_iter().flatten().map(part).collect(),
            parameters: request
                .url()
                .query_pairs()
                .chain(form_urlencoded::parse(form))
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
            body: if is_form { Value::Null } else { serde_json::from_slice(bytes).unwrap_or_default() },
            headers: request.headers().clone(),
        }
    }

    pub(super) fn path(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// All values of a parameter.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.parameters.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let mut found = self.parameters.iter().filter(|(known, _)| known == name);
        found.next().map(|(_, value)| value.as_str())
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A JSON response with a `Date` header.
pub(super) fn answer(status: u16, body: &Value, now: Timestamp) -> Received {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    headers.extend(HeaderValue::try_from(date).ok().map(|date| (DATE, date)));
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Received { status, headers, body: body.to_string().into_bytes() }
}
