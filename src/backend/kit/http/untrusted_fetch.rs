//! Fetches a page whose address comes from an untrusted text: limited in size, not from private addresses unless allowed, and
//! with no credentials but the host's own token.

use std::error::Error as StdError;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::redirect;
use reqwest::{Client, Method, Request};
use tokio::time::timeout;
use url::Url;

use super::address_policy::{AddressPolicy, is_metadata_name, literal};
use super::body::{self, BodyReader, Stopped};
use super::failure::Unsent;
use super::header::secret_value;
use super::redactor::Redactor;
use super::route::with_proxy_secrets;
use super::transport::Transport;
use super::{ERROR_BODY, client_builder, failure};
use crate::config::is_this_machine;
use crate::config::secret::Secret;
use crate::config::settings::LimitSettings;
use crate::model::source::ErrorKind;

const REDIRECTS: usize = 3;

#[derive(Debug)]
pub(crate) struct FetchedPage {
    pub(crate) bytes: Vec<u8>,
    /// Whether `Content-Type` is HTML.
    pub(crate) is_html: bool,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// The address policy blocks the host.
    #[error(
        "{host} is in a private network or on this machine; add it to `hosts` of [runbooks] to allow requests to it"
    )]
    Private { host: String },
    #[error(transparent)]
    Trouble(#[from] ErrorKind),
}

/// Fetches a page of at most `limit` bytes. `token` is only sent to the host of `url`, and only by HTTPS or to this machine.
///
/// # Errors
/// [`FetchError`] for any failure before a complete response with a 2xx status.
pub(crate) async fn get(
    transport: &Transport,
    url: &Url,
    token: Option<&Secret>,
    policy: &AddressPolicy,
    limits: &LimitSettings,
    limit: u64,
) -> Result<FetchedPage, FetchError> {
    let mut url = url.clone();
    let redactor =
        with_proxy_secrets(token.map_or_else(Redactor::default, |token| Redactor::default().with(token)));
    // redirects stay on this host
    let limited = CheckedResolver::of(&url, policy, limits).await?;
    let connection = transport.open(|| client(&url, limited, limits))?;
    for _ in 0..=REDIRECTS {
        let mut request = Request::new(Method::GET, url.clone());
        if let Some(token) = token
            && (url.scheme() == "https" || is_this_machine(&url))
        {
            let value = secret_value("Authorization", &["Bearer ", token.expose()])?;
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let failed = |error: &(dyn StdError + 'static)| {
            if is_blocked(error) {
                FetchError::Private { host: url.host_str().unwrap_or_default().to_owned() }
            } else {
                failure::of(error, limits).into()
            }
        };
        let mut response = connection.send(request.into()).await.map_err(|unsent| match unsent {
            Unsent::Before(failure) => failure.into(),
            Unsent::InTransit(error) => failed(&*error),
        })?;
        if response.status().is_redirection() {
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            if let Some(next) =
                location.and_then(|to| url.join(to).ok()).filter(|next| may_follow(&url, next))
            {
                url = next;
                continue;
            }
        }
        let success = response.status().is_success();
        let most = if success { limit } else { ERROR_BODY };
        let too_large = ErrorKind::TooLarge { limit };
        if success && response.content_length().is_some_and(|length| length > most) {
            return Err(too_large.into());
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_html = kind.is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
        let mut body_reader = BodyReader::new(most);
        let read = body_reader.take_all(&mut response).await;
        if let Err(Stopped::Lost(error)) = &read {
            return Err(failed(error));
        }
        if !success {
            let bytes = redactor.refusal(body_reader.bytes);
            let (failure, _) = failure::of_status(response.status(), response.headers(), &url, &bytes);
            return Err(failure.into());
        }
        return match read {
            Ok(()) => Ok(FetchedPage { bytes: redactor.data(body_reader.bytes), is_html }),
            Err(Stopped::Broken) => Err(body::broken().into()),
            Err(Stopped::TooLarge | Stopped::Lost(_)) => Err(too_large.into()),
        };
    }
    let to = redactor.words(&format!("{}{}", url.host_str().unwrap_or_default(), url.path()));
    Err(ErrorKind::Redirected { to }.into())
}

/// Whether to follow a redirect: only to the same host, and never from HTTPS to HTTP.
fn may_follow(from: &Url, to: &Url) -> bool {
    let is_upgrade = from.scheme() == "http" && to.scheme() == "https";
    let is_same = from.scheme() == to.scheme() && from.port_or_known_default() == to.port_or_known_default();
    from.host() == to.host() && (is_upgrade || is_same) && to.username().is_empty() && to.password().is_none()
}

fn client(url: &Url, limit: CheckedResolver, limits: &LimitSettings) -> Result<Client, FetchError> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("text/markdown, text/plain;q=0.9, */*;q=0.1"));
    let mut builder = client_builder(limits)
        .default_headers(headers)
        .redirect(redirect::Policy::none())
        .dns_resolver(Arc::new(limit));
    if is_this_machine(url) {
        builder = builder.no_proxy();
    }
    Ok(builder.build().map_err(|error| failure::of(&error, limits))?)
}

/// A DNS resolver that drops addresses which the policy does not allow. Because it runs for each connection, a name cannot be
/// redirected to a private address after the first check. Other names than the page's host are proxies, which the user
/// configured.
#[derive(Clone)]
struct CheckedResolver {
    host: String,
    named: bool,
    policy: AddressPolicy,
}

impl CheckedResolver {
    /// The resolver for the host of `url`, if the host is allowed.
    ///
    /// # Errors
    /// [`FetchError::Private`] if the host is not allowed; also if a proxy would resolve the name, by the addresses that are
    /// found on this machine.
    async fn of(url: &Url, policy: &AddressPolicy, limits: &LimitSettings) -> Result<Self, FetchError> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let limit = Self { named: policy.names(&host), policy: policy.clone(), host };
        let allowed = limit.named
            || match literal(url) {
                Some(address) => policy.allows(address),
                None => !is_metadata_name(&limit.host) && limit.has_allowed_address(limits).await,
            };
        if allowed { Ok(limit) } else { Err(FetchError::Private { host: limit.host }) }
    }

    /// Whether one of the host's addresses is allowed; true if the name cannot be resolved here, because then the connection
    /// fails or a proxy resolves it.
    async fn has_allowed_address(&self, limits: &LimitSettings) -> bool {
        let looking = tokio::net::lookup_host((self.host.as_str(), 0));
        match timeout(limits.connect_timeout.0, looking).await {
            Ok(Ok(mut found)) => found.any(|address| self.allows(address.ip())),
            Ok(Err(_)) | Err(_) => true,
        }
    }

    fn allows(&self, address: IpAddr) -> bool {
        self.named || self.policy.allows(address)
    }
}

/// Marks a blocked address in the errors of the HTTP library.
#[derive(Debug, thiserror::Error)]
#[error("in a private network")]
struct BlockedAddress;

fn is_blocked(error: &(dyn StdError + 'static)) -> bool {
    failure::causes(error).any(|cause| {
        let wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause.is::<BlockedAddress>()
            || wrapped.is_some_and(<dyn StdError + Send + Sync>::is::<BlockedAddress>)
    })
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let limit = self.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let is_page = name.as_str().eq_ignore_ascii_case(&limit.host);
            let allowed: Vec<SocketAddr> =
                found.into_iter().filter(|address| !is_page || limit.allows(address.ip())).collect();
            if allowed.is_empty() {
                return Err(BlockedAddress.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_stay_on_the_host_and_never_lose_their_lock() {
        let follow = |from: &str, to: &str| may_follow(&from.parse().unwrap(), &to.parse().unwrap());
        assert!(follow("http://a.example/x", "https://a.example/y"));
        assert!(follow("https://a.example/x", "https://a.example/y"));
        assert!(!follow("https://a.example/x", "http://a.example/x"));
        assert!(!follow("https://a.example/x", "https://login.example/x"));
        assert!(!follow("http://a.example/x", "http://a.example:8080/x"));
        assert!(!follow("https://a.example/x", "https://me:secret@a.example/x"));
    }
}
