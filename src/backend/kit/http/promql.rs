//! The two Prometheus API calls that evaluate PromQL, `query` and `query_range`, sent with the library
//! `prometheus-http-query`.

use std::time::Duration;

use jiff::Timestamp;
use prometheus_http_query::Client as Library;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Method, Request, Response};
use url::Url;
use url::form_urlencoded::Serializer;

use super::failure::Unsent;
use crate::model::series::TimeGrid;

/// The time or time range for which an expression is evaluated.
#[derive(Debug, Clone, Copy)]
pub(crate) enum EvaluationRange {
    /// The current time of the server.
    Now,
    At(Timestamp),
    Over(TimeGrid),
}

impl EvaluationRange {
    pub(crate) fn of_instant(at: Option<Timestamp>) -> Self {
        at.map_or(Self::Now, Self::At)
    }
}

/// One evaluation of a PromQL expression.
#[derive(Debug, Clone)]
pub(crate) struct PromQuery<'a> {
    pub(crate) expression: &'a str,
    pub(crate) evaluation: EvaluationRange,
    /// The `timeout` parameter: how long the server may evaluate.
    pub(crate) timeout: Duration,
    /// Additional parameters that only some Prometheus-compatible servers know.
    pub(crate) options: Vec<(&'static str, String)>,
    /// Whether to send GET instead of POST, because a proxy on the way does not forward POST.
    pub(crate) is_get: bool,
}

impl PromQuery<'_> {
    /// The time-out in milliseconds.
    fn timeout(&self) -> i64 {
        i64::try_from(self.timeout.as_millis()).unwrap_or(i64::MAX)
    }

    /// The request that the library will send to the server at `base`: needed for signing and for local servers.
    pub(super) fn request(&self, base: &Url) -> Request {
        let mut pairs = vec![("query", self.expression.to_owned())];
        if let EvaluationRange::Over(span) = self.evaluation {
            pairs.push(("start", span.start().as_second().to_string()));
            pairs.push(("end", span.end().as_second().to_string()));
            pairs.push(("step", span.step().as_secs_f64().to_string()));
        }
        pairs.push(("timeout", format!("{}ms", self.timeout())));
        if let EvaluationRange::At(at) = self.evaluation {
            pairs.push(("time", at.as_second().to_string()));
        }
        pairs.extend(self.options.iter().cloned());
        let form = Serializer::new(String::new()).extend_pairs(pairs).finish();
        let path = match self.evaluation {
            EvaluationRange::Now | EvaluationRange::At(_) => "api/v1/query",
            EvaluationRange::Over(_) => "api/v1/query_range",
        };
        let mut url = super::below(base, path);
        if self.is_get {
            url.set_query(Some(&form));
            return Request::new(Method::GET, url);
        }
        let mut request = Request::new(Method::POST, url);
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, kind);
        *request.body_mut() = Some(form.into());
        request
    }

    /// Sends the query with the headers of `request`, which is [`Self::request`] with credentials added. If the credentials
    /// changed the address (a signed GET has `%20` where the library writes `+`; a key may be a query parameter), sends
    /// `request` itself with our own client.
    pub(super) async fn send(
        &self,
        client: &Client,
        base: &Url,
        request: Request,
    ) -> Result<Response, Unsent> {
        if request.url() != self.request(base).url() {
            return client.execute(request).await.map_err(Unsent::in_transit);
        }
        let library = Library::from(client.clone(), base.as_str()).map_err(Unsent::in_transit)?;
        // the library's builders for instant and range queries share no trait
        macro_rules! sent {
            ($builder:expr) => {{
                let mut builder = $builder;
                for (name, value) in &self.options {
                    builder = builder.query(*name, value.as_str());
                }
                for (name, value) in request.headers() {
                    builder = builder.header(name.clone(), value.clone());
                }
                if self.is_get { builder.get_raw().await } else { builder.post_raw().await }
            }};
        }
        let instant = || library.query(self.expression).timeout(self.timeout());
        match self.evaluation {
            EvaluationRange::Now => sent!(instant()),
            EvaluationRange::At(at) => sent!(instant().at(at.as_second())),
            EvaluationRange::Over(span) => {
                let (start, end) = (span.start().as_second(), span.end().as_second());
                let step = span.step().as_secs_f64();
                sent!(library.query_range(self.expression, start, end, step).timeout(self.timeout()))
            }
        }
        .map_err(Unsent::in_transit)
    }
}

/// A request to send, and the PromQL query that it stands for.
pub(super) struct OutgoingRequest<'a> {
    pub(super) request: Request,
    /// The query with the address of the server; `None` for other requests.
    pub(super) query: Option<(&'a PromQuery<'a>, &'a Url)>,
    /// Whether a refusal whose body has the results of queries is an answer.
    pub(super) keeps_results: bool,
}

impl OutgoingRequest<'_> {
    /// A copy of the request; `None` if its body cannot be cloned.
    pub(super) fn try_clone(&self) -> Option<Self> {
        Some(Self {
            request: self.request.try_clone()?,
            query: self.query,
            keeps_results: self.keeps_results,
        })
    }
}

impl From<Request> for OutgoingRequest<'_> {
    fn from(request: Request) -> Self {
        Self { request, query: None, keeps_results: false }
    }
}

#[cfg(test)]
mod tests;
