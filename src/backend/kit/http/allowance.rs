//! The rate limit that a server reports in its `ratelimit-*` headers.

use std::time::Duration;

use reqwest::header::HeaderMap;

/// A server's rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// The number of requests per period.
    pub(crate) limit: u64,
    /// The number of requests left in this period.
    pub(crate) left: u64,
    /// The time until the period ends.
    pub(crate) reset: Duration,
}

/// The rate limit in these headers; `None` unless all three headers are there.
pub(super) fn of(headers: &HeaderMap) -> Option<Allowance> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse().ok();
    let (limit, left) = (number("ratelimit-limit")?, number("ratelimit-remaining")?);
    Some(Allowance { limit, left, reset: reset(headers)? })
}

/// The time until the rate limit is reset (`ratelimit-reset`, in seconds).
pub(super) fn reset(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get("ratelimit-reset")?.to_str().ok()?.trim();
    value.parse().ok().map(Duration::from_secs)
}
