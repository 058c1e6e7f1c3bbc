//! Who may send requests to a source: its client, with the credentials of today. Fetched by one and used by all; fetched
//! anew in time, and once when they are refused.

use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;

use reqwest::{Client, Response, StatusCode, redirect};
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::credentials::{Credentials, Proof};
use super::mask::Mask;
use super::promql::Outgoing;
use super::route::{Parts, Route, hide_variables};
use super::transport::{Connection, Transport};
use super::trouble::Unsent;
use super::{follow_slash, install_provider, oauth, trouble};
use crate::backend::{Clock, Means};
use crate::config::settings::SourceSettings;
use crate::model::source::Trouble;

/// After this long secrets are read again, so that a rotated token works without a restart.
const SECRETS_KEPT: Duration = Duration::from_secs(300);
/// So long before their end keys are read again.
const MARGIN_SECONDS: i64 = 60;

/// Hands out passes for one source.
pub(super) struct Passes {
    base: Url,
    credentials: Credentials,
    route: Route,
    connect_timeout: Duration,
    timeout: Duration,
    clock: Clock,
    transport: Transport,
    held: Mutex<Held>,
    /// All that was ever read for it.
    mask: Lock<Arc<Mask>>,
}

#[derive(Default)]
struct Held {
    pass: Option<Arc<Pass>>,
    /// The last failure, for those who waited for it.
    failed: Option<(Instant, Trouble)>,
}

/// A connection, and what its requests carry.
pub(super) struct Pass {
    connection: Connection,
    /// Of the way there.
    digest: Vec<u8>,
    proof: Proof,
    /// `None`: for ever.
    until: Option<Instant>,
    clock: Clock,
}

impl Passes {
    /// Nothing is read yet.
    pub(super) fn new(
        source: &SourceSettings,
        base: &Url,
        (connect_timeout, timeout): (Duration, Duration),
        means: Means<'_>,
    ) -> Self {
        Self {
            base: base.clone(),
            credentials: Credentials::new(source, base),
            route: Route::new(source),
            connect_timeout,
            timeout,
            clock: means.clock,
            transport: means.transport.clone(),
            held: Mutex::default(),
            mask: Lock::new(Arc::new(hide_variables(Mask::default()))),
        }
    }

    /// What must not be shown, as far as it is known.
    pub(super) fn mask(&self) -> Arc<Mask> {
        Arc::clone(&self.mask.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// An address without what is added to say who asks.
    pub(super) fn bare(&self, url: &Url) -> Url {
        self.credentials.bare(url)
    }

    /// The proxy that was named for this source.
    pub(super) fn proxy(&self) -> Option<&str> {
        self.route.through()
    }

    /// Sends a request; where its credentials are refused and there are newer ones, once more with those.
    pub(super) async fn send(&self, outgoing: Outgoing<'_>) -> Result<Response, Unsent> {
        let again = outgoing.try_clone();
        let (pass, is_new) = self.pass(None).await.map_err(Unsent::Before)?;
        let response = pass.send(outgoing).await?;
        if !self.are_refused(response.status()) {
            return Ok(response);
        }
        if is_new {
            // whoever asks next looks whether they have become better
            self.give_back(&pass).await;
            return Ok(response);
        }
        let (newer, _) = self.pass(Some(&pass)).await.map_err(Unsent::Before)?;
        match again {
            Some(again) if !newer.proof.is_same(&pass.proof) => newer.send(again).await,
            _ => Ok(response),
        }
    }

    fn are_refused(&self, status: StatusCode) -> bool {
        status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN && self.credentials.are_signed()
    }

    async fn give_back(&self, pass: &Arc<Pass>) {
        let mut held = self.held.lock().await;
        if held.pass.as_ref().is_some_and(|known| Arc::ptr_eq(known, pass)) {
            held.pass = None;
        }
    }

    /// The pass of today, and whether it was made just now; another than the `refused` one.
    async fn pass(&self, refused: Option<&Arc<Pass>>) -> Result<(Arc<Pass>, bool), Trouble> {
        let asked_at = Instant::now();
        let mut held = self.held.lock().await;
        if let Some(pass) = held.pass.as_ref().filter(|pass| pass.is_good())
            && !refused.is_some_and(|refused| Arc::ptr_eq(refused, pass))
        {
            return Ok((Arc::clone(pass), false));
        }
        if let Some((_, trouble)) = held.failed.as_ref().filter(|(at, _)| *at >= asked_at) {
            return Err(trouble.clone());
        }
        match self.fetch(held.pass.as_deref()).await {
            Ok(pass) => {
                let pass = Arc::new(pass);
                *held = Held { pass: Some(Arc::clone(&pass)), failed: None };
                Ok((pass, true))
            }
            Err(trouble) => {
                *held = Held { pass: None, failed: Some((Instant::now(), trouble.clone())) };
                Err(trouble)
            }
        }
    }

    async fn fetch(&self, before: Option<&Pass>) -> Result<Pass, Trouble> {
        let (mut proof, parts) = self.read().await?;
        self.hide(&proof, &parts);
        let digest = parts.digest();
        let connection = match before {
            Some(before) if before.digest == digest => before.connection.clone(),
            _ => self.connect(&self.route, &self.base, &parts)?,
        };
        let mut lasts = self.lasts(&proof);
        if let (Some(oauth), Some(secret)) = (self.credentials.oauth2(), proof.client_secret.take()) {
            let (route, to) = (self.route.with_ca(oauth.ca_file.as_ref()), Url::parse(&oauth.token_url));
            let to = to.map_err(|error| Trouble::NoSecret { reason: format!("token_url: {error}") })?;
            let parts = off_the_loop(move || Ok((route.read()?, route))).await?;
            let connection = self.connect(&parts.1, &to, &parts.0)?;
            let limits = (self.connect_timeout, self.timeout);
            let token = oauth::fetch(&connection, oauth, &secret, &self.mask(), limits).await?;
            proof.bear(&token.value)?;
            self.hide(&proof, &parts.0);
            lasts = Some(token.lasts);
        }
        let until = lasts.map(|lasts| Instant::now() + lasts);
        Ok(Pass { connection, digest, proof, until, clock: self.clock })
    }

    /// How long what was read is used.
    fn lasts(&self, proof: &Proof) -> Option<Duration> {
        let end = proof.signer.as_ref().and_then(|signer| signer.keys.until);
        let left = end.map(|end| end.as_second() - self.clock.now().as_second() - MARGIN_SECONDS);
        let left = left.map(|left| Duration::from_secs(u64::try_from(left).unwrap_or(0)));
        let kept = (self.credentials.are_secret() || self.route.has_files()).then_some(SECRETS_KEPT);
        kept.map(|kept| left.map_or(kept, |left| left.min(kept)))
    }

    fn hide(&self, proof: &Proof, parts: &Parts) {
        let mut mask = self.mask.lock().unwrap_or_else(PoisonError::into_inner);
        *mask = Arc::new(parts.hidden_by(Mask::clone(&mask).and(&proof.mask)));
    }

    async fn read(&self) -> Result<(Proof, Parts), Trouble> {
        let (credentials, route) = (self.credentials.clone(), self.route.clone());
        let read = move || Ok((credentials.read()?, route.read()?));
        if self.credentials.are_secret() || self.route.has_files() {
            off_the_loop(read).await
        } else {
            read()
        }
    }

    fn connect(&self, route: &Route, to: &Url, parts: &Parts) -> Result<Connection, Trouble> {
        self.transport.open(|| self.client(route, to, parts))
    }

    fn client(&self, route: &Route, to: &Url, parts: &Parts) -> Result<Client, Trouble> {
        install_provider();
        let builder = Client::builder()
            .user_agent(concat!("burnwatch/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.connect_timeout)
            .timeout(self.timeout)
            .redirect(redirect::Policy::custom(follow_slash))
            .referer(false);
        let builder = route.lay(builder, to, parts)?;
        builder.build().map_err(|error| trouble::of(&error, self.connect_timeout, self.timeout))
    }
}

/// A file on a dead mount or a slow program must not hold up other questions.
async fn off_the_loop<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Trouble> + Send + 'static,
) -> Result<T, Trouble> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Trouble::Internal { reason: error.to_string() }))
}

impl Pass {
    fn is_good(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() < until)
    }

    async fn send(&self, mut outgoing: Outgoing<'_>) -> Result<Response, Unsent> {
        self.proof.prove(&mut outgoing.request, self.clock.now()).map_err(Unsent::Before)?;
        self.connection.send(outgoing).await
    }
}

#[cfg(test)]
mod tests;
