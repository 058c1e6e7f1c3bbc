//! Requests that change something: sent once; errors tell whether the request may have been executed.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Request};
use serde_json::Value;

use super::{Body, Http, Unsent, failure};
use crate::model::action::{ActionError, RequestPreview};
use crate::model::source::{ErrorKind, SourceError};
use crate::model::text::escaped_json;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WriteRequest {
    pub(crate) method: Method,
    /// The path below the source's address; parts from outside have passed [`segment`].
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    /// Additional headers; never a credential.
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl WriteRequest {
    fn of(method: Method, path: String, body: Option<Value>) -> Self {
        Self { method, path, body, headers: Vec::new() }
    }

    /// Adds a header, which request previews do not show.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn post(path: impl Into<String>, body: Value) -> Self {
        Self::of(Method::POST, path.into(), Some(body))
    }

    pub(crate) fn put(path: impl Into<String>, body: Value) -> Self {
        Self::of(Method::PUT, path.into(), Some(body))
    }

    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self::of(Method::DELETE, path.into(), None)
    }

    /// The request as shown to the user, for a source at this address: without the headers that identify the user. The body is
    /// the JSON that is sent.
    pub(crate) fn preview(&self, address: &str) -> RequestPreview {
        let body = self.body.as_ref().map(|body| escaped_json(&body.to_string()).into());
        let address = format!("{}/{}", address.trim_end_matches('/'), self.path);
        RequestPreview { method: self.method.as_str().into(), address: address.into(), body }
    }
}

/// The characters that are escaped in a segment of a path; also `.`, because `.` and `..` have a meaning there.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~');

/// One segment of a path, percent-encoded.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

impl Http {
    /// Sends the request once.
    ///
    /// # Errors
    /// Any failure but a complete answer with a 2xx status. The result is unclear if the server may have received the request and
    /// did not clearly refuse it: no answer, an incomplete one, or a status of 500 or more.
    pub(crate) async fn send(&self, wanted: &WriteRequest) -> Result<Body, ActionError> {
        let url = super::below(&self.base, &wanted.path);
        let mut request = Request::new(wanted.method.clone(), url.clone());
        for (name, value) in &wanted.headers {
            let value = HeaderValue::try_from(value.as_str()).map_err(|error| {
                let reason = format!("the value of {name}: {error}");
                not_executed(self.error(ErrorKind::Unfit { reason }))
            })?;
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        if let Some(body) = &wanted.body {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.to_string().into());
        }
        let response = self.deliver(request.into()).await.map_err(|unsent| match unsent {
            Unsent::Before(failure) => not_executed(self.error(failure)),
            Unsent::InTransit(error) => {
                // without a connection nothing was sent
                let is_unclear = !failure::is_unsent(&*error);
                ActionError { error: self.failed(&*error), is_unclear }
            }
        })?;
        let status = response.status();
        if status.is_success() && self.auth_clients.bare(response.url()) != self.auth_clients.bare(&url) {
            // a redirect may have turned the POST into a GET
            let to = response.url().path().to_owned();
            return Err(ActionError { error: self.error(ErrorKind::Redirected { to }), is_unclear: true });
        }
        self.read_whole(response, failure::of_refusal, false).await.map_err(|error| {
            let is_unclear = status.is_success() || status.is_server_error();
            ActionError { error, is_unclear }
        })
    }
}

/// An error of an action that was certainly not executed.
pub(crate) fn not_executed(error: SourceError) -> ActionError {
    ActionError { error, is_unclear: false }
}

#[cfg(test)]
mod tests;
