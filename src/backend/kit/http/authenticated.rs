//! The HTTP clients of one source with their credentials. One caller reads the credentials and all callers share the client.
//! Credentials are read again before they expire, after five minutes, and once when the server refuses them.

use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;

use reqwest::{Response, StatusCode, redirect};
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::credentials::{AuthHeaders, Credentials};
use super::failure::Unsent;
use super::oauth::TokenClient;
use super::promql::OutgoingRequest;
use super::redactor::Redactor;
use super::route::{Route, RouteParts, with_proxy_secrets};
use super::transport::{Connection, Transport};
use super::{client_builder, failure, follow_slash};
use crate::backend::{Clock, SourceDeps};
use crate::config::settings::{LimitSettings, SourceSettings};
use crate::model::source::ErrorKind;

/// Secrets are read again after this time, so that a rotated token works without a restart.
const SECRETS_KEPT: Duration = Duration::from_secs(300);
/// Temporary keys are read again this many seconds before they expire.
const MARGIN_SECONDS: i64 = 60;

/// Creates and caches the client of one source.
pub(super) struct AuthenticatedClients {
    base: Url,
    credentials: Credentials,
    route: Route,
    limits: LimitSettings,
    clock: Clock,
    transport: Transport,
    client_cache: Mutex<CachedClient>,
    /// All secrets that were read for this source so far.
    redactor: Lock<Arc<Redactor>>,
}

#[derive(Default)]
struct CachedClient {
    /// The current client; `None` before the first request and after a failure.
    auth_client: Option<Arc<AuthenticatedClient>>,
    /// The last failure: callers that were waiting for the client at that time get the same error.
    failed: Option<(Instant, ErrorKind)>,
}

/// A connection together with the credentials for its requests.
pub(super) struct AuthenticatedClient {
    connection: Connection,
    /// The digest of the certificates and the proxy password that the connection was made with.
    digest: Vec<u8>,
    auth_headers: AuthHeaders,
    /// When the credentials must be read again; `None`: never.
    until: Option<Instant>,
    clock: Clock,
}

impl AuthenticatedClients {
    /// Reads no secrets yet.
    pub(super) fn new(source: &SourceSettings, base: &Url, deps: SourceDeps<'_>) -> Self {
        Self {
            base: base.clone(),
            credentials: Credentials::new(source, base),
            route: Route::new(source),
            limits: deps.settings.limits,
            clock: deps.clock,
            transport: deps.transport.clone(),
            client_cache: Mutex::default(),
            redactor: Lock::new(Arc::new(with_proxy_secrets(Redactor::default()))),
        }
    }

    /// The redactor with all secrets that are known so far.
    pub(super) fn redactor(&self) -> Arc<Redactor> {
        Arc::clone(&self.redactor.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// An address without the query parameters that carry secrets.
    pub(super) fn bare(&self, url: &Url) -> Url {
        self.credentials.bare(url)
    }

    pub(super) fn proxy(&self) -> Option<&str> {
        self.route.configured_proxy()
    }

    /// Sends a request. If the server refuses the credentials, reads them again; if they have changed, sends the request once
    /// more.
    pub(super) async fn send(&self, outgoing: OutgoingRequest<'_>) -> Result<Response, Unsent> {
        let again = outgoing.try_clone();
        let (auth_client, is_new) = self.auth_client(None).await.map_err(Unsent::Before)?;
        let response = auth_client.send(outgoing).await?;
        if !self.is_auth_refused(response.status()) {
            return Ok(response);
        }
        if is_new {
            // the next request reads the credentials again
            let cached = &mut self.client_cache.lock().await.auth_client;
            cached.take_if(|cached| Arc::ptr_eq(cached, &auth_client));
            return Ok(response);
        }
        let (newer, _) = self.auth_client(Some(&auth_client)).await.map_err(Unsent::Before)?;
        match again {
            Some(again) if !newer.auth_headers.is_same(&auth_client.auth_headers) => newer.send(again).await,
            _ => Ok(response),
        }
    }

    /// Whether a status means that the credentials were refused: 401, or 403 for AWS signatures.
    fn is_auth_refused(&self, status: StatusCode) -> bool {
        status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN && self.credentials.uses_sigv4()
    }

    /// The current client, and whether it was created by this call. Never returns the `refused` client.
    async fn auth_client(
        &self,
        refused: Option<&Arc<AuthenticatedClient>>,
    ) -> Result<(Arc<AuthenticatedClient>, bool), ErrorKind> {
        let asked_at = Instant::now();
        let mut client_cache = self.client_cache.lock().await;
        let is_good =
            |cached: &&Arc<AuthenticatedClient>| cached.until.is_none_or(|until| Instant::now() < until);
        if let Some(auth_client) = client_cache.auth_client.as_ref().filter(is_good)
            && !refused.is_some_and(|refused| Arc::ptr_eq(refused, auth_client))
        {
            return Ok((Arc::clone(auth_client), false));
        }
        if let Some((_, failure)) = client_cache.failed.as_ref().filter(|(at, _)| *at >= asked_at) {
            return Err(failure.clone());
        }
        match self.fetch(client_cache.auth_client.as_deref()).await {
            Ok(auth_client) => {
                let auth_client = Arc::new(auth_client);
                *client_cache = CachedClient { auth_client: Some(Arc::clone(&auth_client)), failed: None };
                Ok((auth_client, true))
            }
            Err(failure) => {
                *client_cache =
                    CachedClient { auth_client: None, failed: Some((Instant::now(), failure.clone())) };
                Err(failure)
            }
        }
    }

    /// Reads the credentials, and the `OAuth2` token if one is configured; reuses the connection if its certificates have not
    /// changed.
    async fn fetch(&self, before: Option<&AuthenticatedClient>) -> Result<AuthenticatedClient, ErrorKind> {
        let (mut auth_headers, parts) = self.read().await?;
        self.hide(&auth_headers, &parts);
        let digest = parts.digest();
        let connection = match before {
            Some(before) if before.digest == digest => before.connection.clone(),
            _ => self.connect(&self.route, &self.base, &parts)?,
        };
        let mut lasts = self.lasts(&auth_headers);
        if let (Some(oauth), Some(secret)) = (self.credentials.oauth2(), auth_headers.client_secret.take()) {
            let (route, to) = (self.route.with_ca(oauth.ca_file.as_ref()), Url::parse(&oauth.token_url));
            let to = to.map_err(|error| ErrorKind::NoSecret { reason: format!("token_url: {error}") })?;
            let parts = run_blocking(move || Ok((route.read()?, route))).await?;
            let connection = self.connect(&parts.1, &to, &parts.0)?;
            let (redactor, limits) = (&self.redactor(), &self.limits);
            let (connection, url, secret) = (&connection, &to, &secret);
            let token = TokenClient { connection, url, oauth, secret, redactor, limits }.fetch().await?;
            auth_headers.set_bearer(&token.value)?;
            self.hide(&auth_headers, &parts.0);
            lasts = Some(token.lasts);
        }
        let until = lasts.map(|lasts| Instant::now() + lasts);
        Ok(AuthenticatedClient { connection, digest, auth_headers, until, clock: self.clock })
    }

    /// How long the credentials may be used; `None`: without limit.
    fn lasts(&self, auth_headers: &AuthHeaders) -> Option<Duration> {
        let end = auth_headers.signer.as_ref().and_then(|signer| signer.keys.until);
        let left = end.map(|end| end.as_second() - self.clock.now().as_second() - MARGIN_SECONDS);
        let left = left.map(|left| Duration::from_secs(u64::try_from(left).unwrap_or(0)));
        let kept = (self.credentials.needs_secrets() || self.route.has_files()).then_some(SECRETS_KEPT);
        kept.map(|kept| left.map_or(kept, |left| left.min(kept)))
    }

    /// Adds the secrets to the redactor.
    fn hide(&self, auth_headers: &AuthHeaders, parts: &RouteParts) {
        let mut redactor = self.redactor.lock().unwrap_or_else(PoisonError::into_inner);
        *redactor = Arc::new(parts.add_secrets_to(Redactor::clone(&redactor).and(&auth_headers.redactor)));
    }

    /// Reads the current credentials and connection settings; on another thread if files or programs are involved.
    async fn read(&self) -> Result<(AuthHeaders, RouteParts), ErrorKind> {
        let (credentials, route) = (self.credentials.clone(), self.route.clone());
        let read = move || Ok((credentials.read()?, route.read()?));
        if self.credentials.needs_secrets() || self.route.has_files() {
            run_blocking(read).await
        } else {
            read()
        }
    }

    /// Opens a connection to `to` with these settings.
    fn connect(&self, route: &Route, to: &Url, parts: &RouteParts) -> Result<Connection, ErrorKind> {
        self.transport.open(|| {
            let builder = client_builder(&self.limits).redirect(redirect::Policy::custom(follow_slash));
            let client = route.configure_client(builder, to, parts)?.build();
            client.map_err(|error| failure::of(&error, &self.limits))
        })
    }
}

/// Runs blocking work on another thread, because a file on an unreachable mount or a slow program must not delay other
/// questions.
async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ErrorKind> + Send + 'static,
) -> Result<T, ErrorKind> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(ErrorKind::Internal { reason: error.to_string() }))
}

impl AuthenticatedClient {
    async fn send(&self, mut outgoing: OutgoingRequest<'_>) -> Result<Response, Unsent> {
        self.auth_headers.add_to_request(&mut outgoing.request, self.clock.now()).map_err(Unsent::Before)?;
        self.connection.send(outgoing).await
    }
}

#[cfg(test)]
mod tests;
