//! What a server says of how often it may still be asked.

use std::time::Duration;

use reqwest::header::HeaderMap;

/// How many more requests a server will take before it refuses them, as `ratelimit-*` headers tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// In all, within its stretch of time.
    pub(crate) limit: u64,
    /// Still left.
    pub(crate) left: u64,
    /// Until it begins anew.
    pub(crate) reset: Duration,
}

/// What these headers say, if they say all of it.
pub(super) fn of(headers: &HeaderMap) -> Option<Allowance> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse().ok();
    let (limit, left) = (number("ratelimit-limit")?, number("ratelimit-remaining")?);
    Some(Allowance { limit, left, reset: reset(headers)? })
}

/// In how long it begins anew.
pub(super) fn reset(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get("ratelimit-reset")?.to_str().ok()?.trim();
    value.parse().ok().map(Duration::from_secs)
}
