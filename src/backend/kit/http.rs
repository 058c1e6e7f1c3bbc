//! One hardened HTTP client for each source: time-outs, a limit on what is read, no way to another host, and troubles
//! in the model's words. What the bytes mean is the business of the module that asked.

pub(crate) mod address_policy;
mod allowance;
mod authenticated;
mod body;
mod credentials;
mod header;
mod oauth;
mod promql;
mod redactor;
mod route;
mod sigv4;
mod slots;
mod transport;
mod trouble;
mod trusted;
pub(crate) mod untrusted_fetch;
mod write;

use std::error::Error as StdError;
use std::sync::Once;
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use reqwest::{Method, Request, Response, StatusCode, redirect};
use tokio::sync::Semaphore;
use url::Url;

use crate::backend::SourceDeps;
use crate::config::settings::SourceSettings;
use crate::config::unsafe_address;
use crate::model::ask::Weight;
use crate::model::labels::Text;
use crate::model::source::{ErrorKind, SourceError, SourceId};
use crate::model::text;

pub(crate) use allowance::Allowance;
use authenticated::AuthenticatedClients;
pub(crate) use body::Body;
use body::{BodyReader, Stopped};
use promql::OutgoingRequest;
pub(crate) use promql::{EvaluationRange, PromQuery};
use slots::ServerSlots;
pub use transport::{LocalServer, Received, Receiving, Transport};
use trouble::Unsent;
pub(crate) use trouble::{is_plain_absence, of_absence};
pub(crate) use write::{WriteRequest, segment, surely_not};

/// Of an error's body no more is read: it is only for its message.
const ERROR_BODY: u64 = 64 * 1024;
/// Beyond this an answer is large, and only one large answer of a source is read at once: a server that floods us gets no more
/// of our memory than one answer may have.
const LARGE: usize = 2 * 1024 * 1024;
/// Beyond this an answer is huge, and only one huge answer is read at once in all: several sources that flood us get no more
/// together than one may have, and the beginnings of the others. Whose turn it is changes in the order of asking, within a
/// time-out.
const HUGE: usize = 16 * 1024 * 1024;
static HUGE_TURN: Semaphore = Semaphore::const_new(1);
/// Redirects that only add or take a trailing slash.
const REDIRECTS: usize = 3;

/// The client of one source.
pub(crate) struct Http {
    id: SourceId,
    /// Without user, password, query, and without a slash at its end.
    base: Url,
    address: Text,
    auth_clients: AuthenticatedClients,
    /// What form of answer is asked for.
    accept: HeaderValue,
    connect_timeout: Duration,
    timeout: Duration,
    limit: u64,
    large: Semaphore,
    slots: ServerSlots,
}

/// What an answer without a 2xx status comes to, and how long the server asks us to wait.
type OfStatus = fn(StatusCode, &HeaderMap, &Url, &[u8]) -> (ErrorKind, Option<Duration>);

impl Http {
    /// Checks the address; nothing is sent, and no secret is read before the first request.
    ///
    /// # Errors
    /// [`ErrorKind::Unreachable`] if the address is none, or not one that this kind's key may be sent to.
    pub(crate) fn new(
        id: &SourceId,
        source: &SourceSettings,
        deps: SourceDeps<'_>,
    ) -> Result<Self, SourceError> {
        let limits = &deps.settings.limits;
        let wrong = |reason: &str| {
            SourceError::new(id.clone(), ErrorKind::Unreachable { reason: format!("its address {reason}") })
        };
        let mut base = Url::parse(source.address().trim())
            .map_err(|error| wrong(&format!("cannot be understood: {error}")))?;
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            return Err(wrong("must begin with http:// or https://"));
        }
        if let Some(why) = unsafe_address(source) {
            return Err(wrong(why));
        }
        let times = (limits.connect_timeout.0, limits.timeout.0);
        let auth_clients = AuthenticatedClients::new(source, &base, times, deps);
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
            connect_timeout: limits.connect_timeout.0,
            timeout: limits.timeout.0,
            limit: limits.body_mib.saturating_mul(1024 * 1024),
            large: Semaphore::new(1),
            slots: ServerSlots::default(),
        })
    }

    /// Asks for another form of answer than plain JSON.
    pub(crate) fn accepting(self, form: &'static str) -> Self {
        Self { accept: HeaderValue::from_static(form), ..self }
    }

    /// Where it is, as it may be shown.
    pub(crate) fn address(&self) -> &Text {
        &self.address
    }

    /// The address that paths are joined to, without credentials.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// Trouble at this source, told without what it was asked with.
    pub(crate) fn error(&self, trouble: ErrorKind) -> SourceError {
        let redactor = self.auth_clients.redactor();
        SourceError::new(self.id.clone(), trouble.reworded(|words| redactor.words(words)))
    }

    /// GET `path` below the address.
    ///
    /// # Errors
    /// Whatever keeps the whole answer from coming with a 2xx status.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Body, SourceError> {
        self.get_as(Weight::Vital, path, query).await
    }

    /// The same for something that is more or less important.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub(crate) async fn get_as(
        &self,
        weight: Weight,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Body, SourceError> {
        let mut url = self.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.ask(weight, Request::new(Method::GET, url).into()).await
    }

    /// Evaluates PromQL below the address.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub(crate) async fn evaluate(&self, weight: Weight, query: &PromQuery<'_>) -> Result<Body, SourceError> {
        let request = query.request(&self.base);
        self.ask(weight, OutgoingRequest { request, query: Some((query, &self.base)) }).await
    }

    /// How many requests this server is sent at a time and why, where it had no room for more.
    pub(crate) fn load(&self) -> Option<Text> {
        self.slots.busy_message().map(Text::from)
    }

    /// Asks as soon as the server has room; where it refuses for lack of it, again within a few seconds.
    async fn ask(&self, weight: Weight, outgoing: OutgoingRequest<'_>) -> Result<Body, SourceError> {
        let slot_request = self.slots.slot_request(weight);
        loop {
            let slot = self.slots.take(&slot_request).await;
            // a body that is in memory can be sent again
            let again = outgoing
                .try_clone()
                .unwrap_or_else(|| Request::new(Method::GET, outgoing.request.url().clone()).into());
            let read = self.ask_once(again).await;
            match &read {
                Ok(_) => self.slots.succeeded(),
                Err(error) if slots::is_overload(error) => {
                    if self.slots.refused(&slot_request, error, &said(error)) {
                        drop(slot);
                        continue;
                    }
                }
                Err(_) => {}
            }
            return read;
        }
    }

    async fn ask_once(&self, outgoing: OutgoingRequest<'_>) -> Result<Body, SourceError> {
        let response = self.deliver(outgoing).await.map_err(|unsent| match unsent {
            Unsent::Before(trouble) => self.error(trouble),
            Unsent::InTransit(error) => self.failed(&*error),
        })?;
        self.read_whole(response, trouble::of_status).await
    }

    /// The one way out for all requests of this source.
    async fn deliver(&self, mut outgoing: OutgoingRequest<'_>) -> Result<Response, Unsent> {
        outgoing.request.headers_mut().insert(ACCEPT, self.accept.clone());
        self.auth_clients.send(outgoing).await
    }

    fn url(&self, path: &str) -> Url {
        below(&self.base, path)
    }

    async fn read_whole(&self, mut response: Response, of_status: OfStatus) -> Result<Body, SourceError> {
        let success = response.status().is_success();
        let limit = if success { self.limit } else { ERROR_BODY };
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
        if !success {
            let bytes = self.auth_clients.redactor().refusal(body_reader.bytes);
            let (trouble, retry_after) =
                of_status(response.status(), response.headers(), response.url(), &bytes);
            // what was written with escapes is a secret only once it is read
            let redactor = self.auth_clients.redactor();
            let trouble = trouble.reworded(|said| redactor.words(said));
            return Err(SourceError { retry_after, ..self.error(trouble) });
        }
        match stopped {
            None => {}
            Some(Stopped::Broken) => return Err(self.error(body::broken())),
            Some(Stopped::TooLarge | Stopped::Lost(_)) => return Err(too_large()),
        }
        let redactor = self.auth_clients.redactor();
        let bytes = redactor.data(body_reader.bytes);
        let (date, allowance) = (trouble::date(response.headers()), allowance::of(response.headers()));
        Ok(Body::new(self.id.clone(), redactor, bytes, date, allowance))
    }

    /// The trouble that a request or a read came to.
    fn failed(&self, error: &(dyn StdError + 'static)) -> SourceError {
        let mut trouble = trouble::of(error, self.connect_timeout, self.timeout);
        if let (ErrorKind::Unreachable { reason }, Some(proxy)) = (&mut trouble, self.auth_clients.proxy()) {
            *reason = format!("{reason}; through the proxy {}", text::clean(proxy));
        }
        self.error(trouble)
    }
}

/// `path` joined to an address with exactly one slash.
fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let joined = format!("{}/{}", url.path().trim_end_matches('/'), path.trim_start_matches('/'));
    url.set_path(&joined);
    url
}

/// What the server said when it had no room.
fn said(error: &SourceError) -> String {
    let (ErrorKind::Refused { message, .. } | ErrorKind::RateLimited { message }) = &error.trouble else {
        return error.trouble.to_string();
    };
    if message.is_empty() { error.trouble.to_string() } else { message.clone() }
}

/// Follows a redirect only if it is the same address with or without a slash at its end; any other comes back as it is.
fn follow_slash(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let same_place = attempt.previous().last().is_some_and(|from| {
        from.origin() == attempt.url().origin()
            && from.path().trim_end_matches('/') == attempt.url().path().trim_end_matches('/')
    });
    if same_place && attempt.previous().len() <= REDIRECTS { attempt.follow() } else { attempt.stop() }
}

/// rustls takes its cryptography from the process; whoever installed one before is left alone.
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
