//! The HTTP client of one source: with time-outs, a size limit for responses, no redirects to other hosts, and errors as the
//! model's [`ErrorKind`]. Parsing the response is up to the caller.

pub(crate) mod address_policy;
mod allowance;
mod authenticated;
mod body;
mod credentials;
mod failure;
mod header;
mod oauth;
mod promql;
mod question;
mod redactor;
mod route;
mod sigv4;
mod slots;
mod transport;
mod trusted;
pub(crate) mod untrusted_fetch;
mod write;

use std::error::Error as StdError;
use std::sync::Once;
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, ClientBuilder, Method, Request, Response, StatusCode, redirect};
use tokio::sync::Semaphore;
use url::Url;

use crate::backend::SourceDeps;
use crate::backend::kit::cost::Cost;
use crate::config::settings::{LimitSettings, SourceSettings};
use crate::config::unsafe_address;
use crate::model::ask::Weight;
use crate::model::labels::Text;
use crate::model::source::{ErrorKind, SourceError, SourceId};
use crate::model::text;

pub(crate) use allowance::Allowance;
use authenticated::AuthenticatedClients;
pub(crate) use body::Body;
use body::{BodyReader, Stopped};
use failure::Unsent;
pub(crate) use failure::{is_plain_absence, of_absence};
use promql::OutgoingRequest;
pub(crate) use promql::{EvaluationRange, PromQuery};
use slots::ServerSlots;
pub use transport::{LocalServer, Received, Receiving, Transport};
pub(crate) use write::{WriteRequest, not_executed, segment};

/// The maximum size of an error response's body that is read, in bytes; it is only read for its message.
const ERROR_BODY: u64 = 64 * 1024;
/// The beginning of an answer of Grafana to queries.
const RESULTS: &[u8] = b"{\"results\"";
/// A response above this size is large, in bytes. Only one large response of a source is read at a time, so that one server
/// cannot make burnwatch use more memory than one response of maximum size.
const LARGE: usize = 2 * 1024 * 1024;
/// A response above this size is huge, in bytes. Only one huge response of all sources is read at a time, so that several
/// servers together cannot use more memory than one response of maximum size plus the first part of the others. Waiting
/// responses get their turn in the order of arrival; the wait counts for their time-out.
const HUGE: usize = 16 * 1024 * 1024;
static HUGE_TURN: Semaphore = Semaphore::const_new(1);
/// The maximum number of redirects that only add or remove a trailing slash.
const REDIRECTS: usize = 3;

pub(crate) struct Http {
    id: SourceId,
    /// The address without user, password and query, and without a slash at its end.
    base: Url,
    /// `base` as text, for display.
    address: Text,
    auth_clients: AuthenticatedClients,
    accept: HeaderValue,
    limits: LimitSettings,
    /// The size limit of a response, in bytes.
    limit: u64,
    /// Held while a large response of this source is read.
    large: Semaphore,
    slots: ServerSlots,
}

/// Maps a response without a 2xx status to an error kind and to the wait that the server asks for.
type OfStatus = fn(StatusCode, &HeaderMap, &Url, &[u8]) -> (ErrorKind, Option<Duration>);

impl Http {
    /// Checks the address. Sends nothing, and reads no secret before the first request.
    ///
    /// # Errors
    /// [`ErrorKind::Unreachable`] if the address is invalid, or if the key of this kind of source must not be sent to it.
    pub(crate) fn new(
        id: &SourceId,
        source: &SourceSettings,
        deps: SourceDeps<'_>,
    ) -> Result<Self, SourceError> {
        let limits = deps.settings.limits;
        let wrong = |reason: &str| {
            SourceError::new(id.clone(), ErrorKind::Unreachable { reason: format!("its address {reason}") })
        };
        let mut base = Url::parse(source.address().trim())
            .map_err(|error| wrong(&format!("is not a valid address: {error}")))?;
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            return Err(wrong("must begin with http:// or https://"));
        }
        if let Some(why) = unsafe_address(source) {
            return Err(wrong(why));
        }
        let auth_clients = AuthenticatedClients::new(source, &base, deps);
        base.set_query(None);
        base.set_fragment(None);
        let prefix = base.path().trim_end_matches('/').to_owned();
        base.set_path(&prefix);
        base.set_password(None).and_then(|()| base.set_username("")).map_err(|()| wrong("has no host"))?;
        let address = text::clean(base.as_str().trim_end_matches('/')).into();
        Ok(Self {
            id: id.clone(),
            base,
            address,
            auth_clients,
            accept: HeaderValue::from_static("application/json"),
            limits,
            limit: limits.body_mib.saturating_mul(1024 * 1024),
            large: Semaphore::new(1),
            slots: ServerSlots::default(),
        })
    }

    /// Sets an `Accept` header other than `application/json`.
    pub(crate) fn accepting(self, form: &'static str) -> Self {
        Self { accept: HeaderValue::from_static(form), ..self }
    }

    /// The address for display.
    pub(crate) fn address(&self) -> &Text {
        &self.address
    }

    /// The address to which paths are appended, without credentials.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// An error of this source, with all known secrets removed from its texts.
    pub(crate) fn error(&self, failure: ErrorKind) -> SourceError {
        let redactor = self.auth_clients.redactor();
        SourceError::new(self.id.clone(), failure.reworded(|words| redactor.words(words)))
    }

    /// Sends GET `path` below the address, as a request of the highest priority.
    ///
    /// # Errors
    /// Any failure before a complete response with a 2xx status.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Body, SourceError> {
        self.get_as(Weight::Vital, path, query).await
    }

    /// As [`Self::get`], with a priority.
    pub(crate) async fn get_as(
        &self,
        weight: Weight,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Body, SourceError> {
        self.get_with(weight, path, query, &[]).await
    }

    /// As [`Self::get_as`], with additional headers, which must be valid.
    pub(crate) async fn get_with(
        &self,
        weight: Weight,
        path: &str,
        query: &[(&str, &str)],
        headers: &[(&'static str, HeaderValue)],
    ) -> Result<Body, SourceError> {
        let mut request = Request::new(Method::GET, self.url(path, query));
        for (name, value) in headers {
            request.headers_mut().insert(HeaderName::from_static(name), value.clone());
        }
        self.ask(weight, request.into()).await
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = below(&self.base, path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Explains a 404 that only says that the path does not exist as a wrong address; `api` is the name of the API.
    pub(crate) fn explain_absence(&self, api: &str, error: SourceError) -> SourceError {
        match error.kind.refused(404) {
            Some(said) => self.error(of_absence(api, said)),
            None => error,
        }
    }

    /// Evaluates a PromQL expression with the Prometheus API below the address.
    pub(crate) async fn evaluate(&self, weight: Weight, query: &PromQuery<'_>) -> Result<Body, SourceError> {
        let request = query.request(&self.base);
        self.ask(weight, OutgoingRequest { request, query: Some((query, &self.base)), keeps_results: false })
            .await
    }

    /// The current limit of concurrent requests and its reason; `None` if requests are not limited.
    pub(crate) fn load(&self) -> Option<Text> {
        self.slots.busy_message().map(Text::from)
    }

    /// Sends a request when a slot is free, and counts it.
    async fn ask(&self, weight: Weight, outgoing: OutgoingRequest<'_>) -> Result<Body, SourceError> {
        let read = self.ask_patiently(weight, outgoing).await;
        Cost::count(read.as_ref().map_or(0, Body::size));
        read
    }

    /// Repeats a request within some seconds if the server refuses it because of overload.
    async fn ask_patiently(
        &self,
        weight: Weight,
        outgoing: OutgoingRequest<'_>,
    ) -> Result<Body, SourceError> {
        let slot_request = self.slots.slot_request(weight);
        loop {
            let slot = self.slots.take(&slot_request).await;
            // requests have their body in memory and can be cloned
            let again = outgoing
                .try_clone()
                .unwrap_or_else(|| Request::new(Method::GET, outgoing.request.url().clone()).into());
            let read = self.ask_once(again).await;
            match &read {
                Ok(_) => self.slots.succeeded(),
                Err(error) if slots::is_overload(error) => {
                    let said = Some(error.kind.said()).filter(|said| !said.is_empty());
                    let said = said.map_or_else(|| error.kind.to_string(), str::to_owned);
                    if self.slots.refused(&slot_request, error, &said) {
                        drop(slot);
                        continue;
                    }
                }
                Err(_) => {}
            }
            return read;
        }
    }

    /// Sends a request once and reads the response.
    async fn ask_once(&self, outgoing: OutgoingRequest<'_>) -> Result<Body, SourceError> {
        let keeps_results = outgoing.keeps_results;
        let response = self.deliver(outgoing).await.map_err(|unsent| match unsent {
            Unsent::Before(failure) => self.error(failure),
            Unsent::InTransit(error) => self.failed(&*error),
        })?;
        self.read_whole(response, failure::of_status, keeps_results).await
    }

    /// All requests of this source are sent through this function.
    async fn deliver(&self, mut outgoing: OutgoingRequest<'_>) -> Result<Response, Unsent> {
        outgoing.request.headers_mut().insert(ACCEPT, self.accept.clone());
        self.auth_clients.send(outgoing).await
    }

    /// Reads a response up to the limit, and maps a status other than 2xx to an error; with `keeps_results` unless its body has
    /// results.
    async fn read_whole(
        &self,
        mut response: Response,
        of_status: OfStatus,
        keeps_results: bool,
    ) -> Result<Body, SourceError> {
        let success = response.status().is_success();
        let limit = if success || keeps_results { self.limit } else { ERROR_BODY };
        let too_large = || self.error(ErrorKind::TooLarge { limit: self.limit });
        if success && response.content_length().is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let mut body_reader = BodyReader::new(limit);
        let (mut large, mut huge) = (None, None);
        let stopped = loop {
            match body_reader.take(&mut response).await {
                Ok(true) => {}
                Ok(false) => break None,
                Err(Stopped::Lost(error)) => return Err(self.failed(&error)),
                Err(stopped) => break Some(stopped),
            }
            if large.is_none() && body_reader.bytes.len() > LARGE {
                large = self.large.acquire().await.ok();
            }
            if huge.is_none() && body_reader.bytes.len() > HUGE {
                huge = HUGE_TURN.acquire().await.ok();
            }
        };
        let has_results = keeps_results && body_reader.bytes.trim_ascii_start().starts_with(RESULTS);
        if !success && !has_results {
            let bytes = self.auth_clients.redactor().refusal(body_reader.bytes);
            let (failure, retry_after) =
                of_status(response.status(), response.headers(), response.url(), &bytes);
            // a secret with escapes can only be recognised now, after the message was decoded
            return Err(SourceError { retry_after, ..self.error(failure) });
        }
        match stopped {
            None => {}
            Some(Stopped::Broken) => return Err(self.error(body::broken())),
            Some(Stopped::TooLarge | Stopped::Lost(_)) => return Err(too_large()),
        }
        let redactor = self.auth_clients.redactor();
        let bytes = redactor.data(body_reader.bytes);
        let (date, allowance) = (failure::date(response.headers()), allowance::of(response.headers()));
        Ok(Body { source: self.id.clone(), redactor, bytes, date, allowance })
    }

    /// Maps an error of the HTTP library to an error of this source; names the proxy if there is one.
    fn failed(&self, error: &(dyn StdError + 'static)) -> SourceError {
        let mut failure = failure::of(error, &self.limits);
        if let (ErrorKind::Unreachable { reason }, Some(proxy)) = (&mut failure, self.auth_clients.proxy()) {
            *reason = format!("{reason}; through the proxy {}", text::clean(proxy));
        }
        self.error(failure)
    }
}

/// `path` appended to an address with exactly one slash.
fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let joined = format!("{}/{}", url.path().trim_end_matches('/'), path.trim_start_matches('/'));
    url.set_path(&joined);
    url
}

/// Follows a redirect only if the addresses differ by nothing but a trailing slash; any other redirect is returned as the
/// response.
fn follow_slash(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let same_place = attempt.previous().last().is_some_and(|from| {
        from.origin() == attempt.url().origin()
            && from.path().trim_end_matches('/') == attempt.url().path().trim_end_matches('/')
    });
    if same_place && attempt.previous().len() <= REDIRECTS { attempt.follow() } else { attempt.stop() }
}

/// A client with the time-outs, without referrer.
fn client_builder(limits: &LimitSettings) -> ClientBuilder {
    install_provider();
    Client::builder()
        .user_agent(concat!("burnwatch/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(limits.connect_timeout.0)
        .timeout(limits.timeout.0)
        .referer(false)
}

/// Installs the default cryptography provider of rustls; keeps a provider that is already installed.
fn install_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if rustls::crypto::ring::default_provider().install_default().is_err() {
            tracing::debug!("a TLS provider was installed already");
        }
    });
}

#[cfg(test)]
mod tests;
