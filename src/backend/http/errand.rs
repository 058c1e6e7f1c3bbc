//! One GET of a page that somebody else named: of bounded size, to no private address unless that is allowed, and with
//! nobody's credentials but the host's own.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::Client;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION,
};
use reqwest::redirect;
use url::{Host, Url};

use super::body::{Inflow, Stopped};
use super::credentials::secret_value;
use super::mask::Mask;
use super::route::hide_variables;
use super::{ERROR_BODY, install_provider, is_loopback, trouble};
use crate::config::secret::Secret;
use crate::config::settings::LimitSettings;
use crate::model::source::Trouble;

/// Redirects that are followed.
const REDIRECTS: usize = 3;

/// What may be reached.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reach {
    /// Hosts that may be anywhere.
    pub(crate) hosts: Vec<String>,
    /// Whether any host may be in a private network. What hands out a machine's credentials (link-local addresses) stays
    /// out of reach even so.
    pub(crate) private: bool,
}

/// What a page brought.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) bytes: Vec<u8>,
    pub(crate) wire_bytes: u64,
    /// As its headers say.
    pub(crate) is_html: bool,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The host is where nobody else may send us.
    #[error("{host} is in a private network; name it in `hosts` of [runbooks] if it may be asked")]
    Private { host: String },
    /// It is in trouble.
    #[error("{0}")]
    Trouble(Trouble),
}

/// Gets a page of at most `limit` bytes. `token` is given to the host of `url` alone, and only where nobody can listen.
///
/// # Errors
/// [`Failure`] whatever keeps the whole page from coming with a 2xx status.
pub(crate) async fn get(
    url: &Url,
    token: Option<&Secret>,
    reach: &Reach,
    limits: &LimitSettings,
    limit: u64,
) -> Result<Page, Failure> {
    let mut url = url.clone();
    let mask = hide_variables(token.map_or_else(Mask::default, |token| Mask::default().with(token)));
    for _ in 0..=REDIRECTS {
        let client = client(&url, reach, limits)?;
        let mut request = client.get(url.clone());
        if let Some(token) = token
            && (url.scheme() == "https" || is_loopback(&url))
        {
            let value = secret_value("Authorization", &["Bearer ", token.expose()]);
            request = request.header(AUTHORIZATION, value.map_err(Failure::Trouble)?);
        }
        let failed = |error: &reqwest::Error| {
            if is_blocked(error) {
                Failure::Private { host: url.host_str().unwrap_or_default().to_owned() }
            } else {
                Failure::Trouble(trouble::of(error, limits.connect_timeout.0, limits.timeout.0))
            }
        };
        let mut response = request.send().await.map_err(|error| failed(&error))?;
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
        let too_large = || Failure::Trouble(Trouble::TooLarge { limit });
        if success && response.content_length().is_some_and(|length| length > most) {
            return Err(too_large());
        }
        let is_gzip = response.headers().get(CONTENT_ENCODING).is_some_and(|value| value == "gzip");
        let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_html = kind.is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
        let mut inflow = Inflow::new(is_gzip, most);
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
            if inflow.take(&chunk).is_err() {
                break;
            }
        }
        if !success {
            let bytes = mask.refusal(inflow.so_far().0);
            let (trouble, _) = trouble::of_status(response.status(), response.headers(), &url, &bytes);
            return Err(Failure::Trouble(trouble));
        }
        let (bytes, wire_bytes) = inflow.finish().map_err(|stopped| match stopped {
            Stopped::TooLarge => too_large(),
            Stopped::Broken => {
                Failure::Trouble(Trouble::Garbled { reason: "its compression is broken or cut off".into() })
            }
        })?;
        return Ok(Page { bytes: mask.data(bytes), wire_bytes, is_html });
    }
    let to = mask.words(&format!("{}{}", url.host_str().unwrap_or_default(), url.path()));
    Err(Failure::Trouble(Trouble::Redirected { to }))
}

/// Only on the same host, and never from a line that nobody can listen to onto another.
fn may_follow(from: &Url, to: &Url) -> bool {
    let is_upgrade = from.scheme() == "http" && to.scheme() == "https";
    let is_same = from.scheme() == to.scheme() && from.port_or_known_default() == to.port_or_known_default();
    from.host() == to.host() && (is_upgrade || is_same) && to.username().is_empty() && to.password().is_none()
}

fn client(url: &Url, reach: &Reach, limits: &LimitSettings) -> Result<Client, Failure> {
    install_provider();
    let name = url.host_str().unwrap_or_default().to_owned();
    let named = reach.hosts.iter().any(|host| host.eq_ignore_ascii_case(&name));
    let limit = Limit { name, named, private: reach.private };
    let literal = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Domain(_)) | None => None,
    };
    if literal.is_some_and(|address| !limit.allows(address)) {
        return Err(Failure::Private { host: limit.name });
    }
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("text/markdown, text/plain;q=0.9, */*;q=0.1"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    let mut builder = Client::builder()
        .user_agent(concat!("burnwatch/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .connect_timeout(limits.connect_timeout.0)
        .timeout(limits.timeout.0)
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_gzip()
        .dns_resolver(Arc::new(limit));
    if is_loopback(url) {
        builder = builder.no_proxy();
    }
    let failed = |error| Failure::Trouble(trouble::of(&error, limits.connect_timeout.0, limits.timeout.0));
    builder.build().map_err(failed)
}

/// Looks names up, and hands out no address that may not be reached: so a name that leads to a private network is no way
/// around. Names other than the page's host are proxies, which the person chose.
struct Limit {
    name: String,
    named: bool,
    private: bool,
}

impl Limit {
    fn allows(&self, address: IpAddr) -> bool {
        self.named || is_public(address) || self.private && !is_link_local(address)
    }
}

/// Marks a refusal on its way through the HTTP library.
#[derive(Debug, thiserror::Error)]
#[error("in a private network")]
struct Blocked;

fn is_blocked(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        let wrapped = inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if inner.is::<Blocked>() || matches!(wrapped, Some(inner) if inner.is::<Blocked>()) {
            return true;
        }
        cause = inner.source();
    }
    false
}

impl Resolve for Limit {
    fn resolve(&self, name: Name) -> Resolving {
        let limit = Self { name: self.name.clone(), ..*self };
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let is_ours = name.as_str().eq_ignore_ascii_case(&limit.name);
            let allowed: Vec<SocketAddr> =
                found.into_iter().filter(|address| !is_ours || limit.allows(address.ip())).collect();
            if allowed.is_empty() {
                return Err(Blocked.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => inner_v4(address).map_or_else(
            || {
                let first = address.segments().first().copied().unwrap_or_default();
                // global unicast is 2000::/3; documentation is not
                first & 0xe000 == 0x2000 && !(first == 0x2001 && address.segments().get(1) == Some(&0xdb8))
            },
            is_public_v4,
        ),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || a == 100 && (64..128).contains(&b)
        || a == 192 && b == 0 && c == 0
        || a == 198 && (b == 18 || b == 19))
}

/// The IPv4 address that an IPv6 address stands for: mapped, translated (`64:ff9b::/96`) or tunnelled (`2002::/16`).
fn inner_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => Some(of(high, low)),
        _ => address.to_ipv4_mapped(),
    }
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => {
            let own = address.segments().first().is_some_and(|first| first & 0xffc0 == 0xfe80);
            // where a cloud keeps its metadata for IPv6
            let metadata = address == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
            own || metadata || inner_v4(address).is_some_and(|inner| inner.is_link_local())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_known_in_every_disguise() {
        for address in [
            "10.1.2.3",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["1.1.1.1", "2606:4700::1111", "172.32.0.1"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "fd00:ec2::254"] {
            assert!(is_link_local(address.parse().unwrap()), "{address}");
        }
    }

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
