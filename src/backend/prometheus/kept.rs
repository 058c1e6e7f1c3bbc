//! What is found out once in a while and holds until it is found out again.

use std::time::Duration;

use tokio::time::Instant;

use super::call::QuestionRequests;
use super::metric_discovery::MetricDiscovery;
use crate::model::warning::Warning;

/// At the latest after this long the server is surveyed again, in case new metrics came.
pub(super) const DISCOVERY_INTERVAL_MAX: Duration = Duration::from_secs(600);
/// At first sooner, for a server that has just started does not have everything yet; then each time twice as long.
pub(super) const DISCOVERY_INTERVAL_FIRST: Duration = Duration::from_secs(60);
/// As long as there is no signal, or a part of the answer was missing, more often.
pub(super) const DISCOVERY_INTERVAL_NO_SIGNAL: Duration = Duration::from_secs(30);
/// A service that is gone may be called otherwise now: then a survey holds no longer than this.
pub(super) const DISCOVERY_INTERVAL_AFTER_LOSS: Duration = Duration::from_secs(15);
/// What was refused is looked for again after this long, then each time after twice as long.
pub(super) const DISCOVERY_RETRY_FIRST: Duration = Duration::from_secs(5);

/// Something that was found out a while ago.
#[derive(Clone)]
pub(super) struct Kept<T> {
    pub(super) value: T,
    since: Instant,
    /// How long it holds.
    pub(super) lasts: Duration,
    /// What was said when it was found out; it holds as long.
    warnings: Vec<Warning>,
}

impl<T: Clone> Kept<T> {
    pub(super) fn new(value: T, lasts: Duration, warnings: Vec<Warning>) -> Self {
        Self { value, since: Instant::now(), lasts, warnings }
    }

    /// What is known and still holds; it is said again what was said of it.
    pub(super) fn known(slot: Option<&Self>, call: &QuestionRequests<'_>) -> Option<T> {
        let kept = slot.filter(|kept| kept.since.elapsed() < kept.lasts)?;
        call.note(kept.warnings.clone());
        Some(kept.value.clone())
    }

    /// Keeps it, and says what was said of it.
    pub(super) fn put(self, slot: &mut Option<Self>, call: &QuestionRequests<'_>) -> T {
        call.note(self.warnings.clone());
        slot.insert(self).value.clone()
    }
}

/// How long a survey holds, after one that held for `before`.
pub(super) fn validity_of(discovery: &MetricDiscovery, is_whole: bool, before: Option<Duration>) -> Duration {
    match before {
        // how often samples come shows with the second one
        _ if !is_whole || discovery.lacks_interval() => next_attempt_after(before),
        // a server that has nothing may have just been started
        _ if discovery.is_empty() && !discovery.has_signals() => next_attempt_after(before),
        _ if !discovery.has_signals() => DISCOVERY_INTERVAL_NO_SIGNAL,
        None => DISCOVERY_INTERVAL_FIRST,
        Some(before) => before.saturating_mul(2).clamp(DISCOVERY_INTERVAL_FIRST, DISCOVERY_INTERVAL_MAX),
    }
}

/// When a survey that is not whole is made again, after one that held for `before`.
pub(super) fn next_attempt_after(before: Option<Duration>) -> Duration {
    before.map_or(DISCOVERY_RETRY_FIRST, |before| {
        if before < DISCOVERY_INTERVAL_FIRST {
            before.saturating_mul(2).clamp(DISCOVERY_RETRY_FIRST, DISCOVERY_INTERVAL_FIRST)
        } else {
            DISCOVERY_RETRY_FIRST
        }
    })
}
