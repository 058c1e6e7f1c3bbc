//! Values that are read from the server once in a while and cached for a limited time.

use std::time::Duration;

use tokio::time::Instant;

use super::call::QuestionRequests;
use super::metric_discovery::MetricDiscovery;
use crate::model::source::ErrorKind;
use crate::model::warning::Warning;

/// The longest interval between two metric discoveries.
pub(super) const DISCOVERY_INTERVAL_MAX: Duration = Duration::from_secs(600);
/// The first interval, because a server that has just started does not have all metrics yet; then the interval doubles.
pub(super) const DISCOVERY_INTERVAL_FIRST: Duration = Duration::from_secs(60);
/// The interval while no signal was found.
pub(super) const DISCOVERY_INTERVAL_NO_SIGNAL: Duration = Duration::from_secs(30);
/// The longest interval after a service has disappeared, because its label may have been renamed.
pub(super) const DISCOVERY_INTERVAL_AFTER_LOSS: Duration = Duration::from_secs(15);
/// The first retry after a failed or incomplete discovery; then the wait grows by half, so that a server that is well again is
/// noticed soon.
pub(super) const DISCOVERY_RETRY_FIRST: Duration = Duration::from_secs(5);
/// How long the list of failing recording rules is cached.
pub(super) const RECORDINGS_INTERVAL: Duration = Duration::from_secs(60);

/// A cached value.
#[derive(Clone)]
pub(super) struct Cached<T> {
    pub(super) value: T,
    since: Instant,
    /// How long it is valid.
    pub(super) lasts: Duration,
    /// The warnings of its answer, which are repeated while it is used.
    warnings: Vec<Warning>,
}

impl<T: Clone> Cached<T> {
    pub(super) fn new(value: T, lasts: Duration, warnings: Vec<Warning>) -> Self {
        Self { value, since: Instant::now(), lasts, warnings }
    }

    /// The cached value if it is still valid; its warnings are added to the answer again.
    pub(super) fn known(slot: Option<&Self>, call: &QuestionRequests<'_>) -> Option<T> {
        let kept = slot.filter(|kept| kept.since.elapsed() < kept.lasts)?;
        call.note(kept.warnings.clone());
        Some(kept.value.clone())
    }

    /// Caches the value, and adds its warnings to the answer.
    pub(super) fn put(self, slot: &mut Option<Self>, call: &QuestionRequests<'_>) -> T {
        call.note(self.warnings.clone());
        slot.insert(self).value.clone()
    }
}

/// How long a discovery is valid, after one that was valid for `before`.
pub(super) fn validity_of(discovery: &MetricDiscovery, is_whole: bool, before: Option<Duration>) -> Duration {
    match before {
        // the scrape interval is known only from the second sample on
        _ if !is_whole || discovery.lacks_interval() => next_attempt_after(before),
        // a server without any metrics may have just been started
        _ if discovery.is_empty() && !discovery.has_signals() => next_attempt_after(before),
        _ if !discovery.has_signals() => DISCOVERY_INTERVAL_NO_SIGNAL,
        None => DISCOVERY_INTERVAL_FIRST,
        Some(before) => before.saturating_mul(2).clamp(DISCOVERY_INTERVAL_FIRST, DISCOVERY_INTERVAL_MAX),
    }
}

/// The wait before an incomplete discovery is repeated, after one that was valid for `before`.
pub(super) fn next_attempt_after(before: Option<Duration>) -> Duration {
    before.map_or(DISCOVERY_RETRY_FIRST, |before| {
        if before < DISCOVERY_INTERVAL_FIRST {
            (before + before / 2).clamp(DISCOVERY_RETRY_FIRST, DISCOVERY_INTERVAL_FIRST)
        } else {
            DISCOVERY_RETRY_FIRST
        }
    })
}

/// Whether the last result stays in use although discovery failed: the server answers some requests.
pub(super) fn is_partly_available(failure: &ErrorKind) -> bool {
    !failure.is_source_wide() || matches!(failure, ErrorKind::TimedOut { .. } | ErrorKind::RateLimited { .. })
}
