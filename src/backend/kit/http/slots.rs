//! Limits concurrent requests to one server. There is no limit until the server refuses a request because of overload; each
//! such refusal halves the number of concurrent requests, down to one. Without refusals the limit grows again. Waiting
//! requests are sent by priority.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::model::ask::Weight;
use crate::model::source::{ErrorKind, SourceError};

/// After this time without a refusal, the limit grows by one.
const GROWS_AFTER: Duration = Duration::from_secs(10);
/// From this limit on, requests are no longer limited.
const UNLIMITED_FROM: usize = 8;
/// After this many refusals in a row of a request that was sent alone, the refusals count as a fault, not as overload.
const MAX_SINGLE_REFUSALS: u32 = 6;
/// The pause between requests after the first refusal of a request that was sent alone, and the longest pause.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// A shorter pause is omitted.
const MIN_PAUSE: Duration = Duration::from_millis(10);
/// A longer `Retry-After` is not waited for here; the retries of the runtime respect it.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3);
/// A request that was refused for this long is given up.
const MAX_RETRY_TIME: Duration = Duration::from_secs(8);
/// Words in the message of a 503 response that mean overload.
const BUSY: [&str; 8] =
    ["too many", "concurren", "queue", "busy", "overload", "rate limit", "throttl", "in flight"];

#[derive(Debug, Default)]
pub(super) struct ServerSlots {
    limiter: Mutex<LimiterState>,
    changed: Notify,
}

type SlotKey = (Weight, u64);

#[derive(Debug, Default)]
struct LimiterState {
    /// The maximum number of concurrent requests; `None`: no limit.
    limit: Option<usize>,
    in_flight: usize,
    waiting: BTreeSet<SlotKey>,
    /// The number of requests so far: the order of arrival within a priority.
    arrivals: u64,
    /// The minimum time between two requests, if the server refuses even single requests.
    pause: Duration,
    /// No request is sent before this time.
    not_before: Option<Instant>,
    /// The time of the last refusal, or of the last growth of the limit.
    since: Option<Instant>,
    /// Refusals in a row of requests that were sent alone.
    single_refusals: u32,
    /// The server's last message about overload.
    words: String,
}

impl LimiterState {
    /// Takes a slot. `Err`: no slot now; with a time, not before that time unless the state changes.
    fn take(&mut self, key: &SlotKey, now: Instant) -> Result<(), Option<Instant>> {
        self.grow(now);
        if self.waiting.first() != Some(key) || self.limit.is_some_and(|limit| self.in_flight >= limit) {
            return Err(None);
        }
        if let Some(until) = self.not_before.filter(|until| now < *until) {
            return Err(Some(until));
        }
        self.waiting.remove(key);
        self.in_flight += 1;
        self.not_before = (self.pause > MIN_PAUSE).then(|| now + self.pause);
        Ok(())
    }

    /// Raises the limit by one if there was no refusal for [`GROWS_AFTER`].
    fn grow(&mut self, now: Instant) {
        let Some(limit) = self.limit else { return };
        if self.since.is_some_and(|since| now.duration_since(since) >= GROWS_AFTER) {
            self.limit = Some(limit + 1).filter(|limit| *limit < UNLIMITED_FROM);
            self.since = Some(now);
        }
    }

    /// Records that the server refused one of the requests in flight because of overload. Returns whether to repeat the
    /// request here. `random` (0 to 1) is the jitter of the pause.
    fn refused(&mut self, wait: Option<Duration>, words: &str, now: Instant, random: f64) -> bool {
        if !words.is_empty() || self.words.is_empty() {
            words.clone_into(&mut self.words);
        }
        // a long `Retry-After` is up to the runtime's retries; other requests are not delayed for it
        if wait.is_some_and(|wait| wait > MAX_RETRY_AFTER) {
            return false;
        }
        let at_a_time = self.in_flight.max(1);
        self.limit = Some((self.limit.unwrap_or(at_a_time).min(at_a_time) / 2).max(1));
        self.since = Some(now);
        if at_a_time == 1 {
            self.single_refusals += 1;
            self.pause = (self.pause * 2).clamp(PAUSES.0, PAUSES.1);
        }
        if self.single_refusals >= MAX_SINGLE_REFUSALS {
            // the server refuses every request: after its recovery, requests must not be delayed by the longest pause
            self.pause = self.pause.min(PAUSES.0);
            return false;
        }
        // jitter, because other clients may retry at the same time
        let jitter = self.pause.max(PAUSES.0).mul_f64(random.clamp(0.0, 1.0));
        let until = now + wait.unwrap_or(self.pause) + jitter;
        if wait.is_some() || at_a_time == 1 {
            self.not_before = self.not_before.max(Some(until));
        }
        true
    }

    /// Records a success: shortens the pause, and removes the limit after a fault.
    fn succeeded(&mut self) {
        if self.single_refusals >= MAX_SINGLE_REFUSALS {
            self.limit = None;
        }
        self.single_refusals = 0;
        self.pause -= self.pause / 3;
        if self.pause <= MIN_PAUSE {
            self.pause = Duration::ZERO;
        }
    }
}

/// A slot that is taken; dropping it frees the slot.
#[derive(Debug)]
pub(super) struct TakenSlot<'a> {
    slots: &'a ServerSlots,
}

impl Drop for TakenSlot<'_> {
    fn drop(&mut self) {
        let mut limiter = self.slots.limiter();
        limiter.in_flight = limiter.in_flight.saturating_sub(1);
        drop(limiter);
        self.slots.changed.notify_waiters();
    }
}

/// A place in the queue; dropping it leaves the queue.
struct QueueEntry<'a> {
    slots: &'a ServerSlots,
    key: SlotKey,
}

impl Drop for QueueEntry<'_> {
    fn drop(&mut self) {
        self.slots.limiter().waiting.remove(&self.key);
        self.slots.changed.notify_waiters();
    }
}

/// A request that needs a slot, also for its repetitions.
pub(super) struct SlotRequest {
    key: SlotKey,
    since: Instant,
}

impl ServerSlots {
    fn limiter(&self) -> MutexGuard<'_, LimiterState> {
        self.limiter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A queue entry for a request, ordered by priority and then by arrival.
    pub(super) fn slot_request(&self, weight: Weight) -> SlotRequest {
        let mut limiter = self.limiter();
        limiter.arrivals += 1;
        SlotRequest { key: (weight, limiter.arrivals), since: Instant::now() }
    }

    /// Waits for a slot. The future can be dropped at any time.
    pub(super) async fn take(&self, slot_request: &SlotRequest) -> TakenSlot<'_> {
        self.limiter().waiting.insert(slot_request.key);
        let waiting = QueueEntry { slots: self, key: slot_request.key };
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // register for changes before looking at the state, so that no change is missed
            changed.as_mut().enable();
            let taken = self.limiter().take(&slot_request.key, Instant::now());
            match taken {
                Ok(()) => {
                    drop(waiting);
                    return TakenSlot { slots: self };
                }
                Err(None) => changed.await,
                Err(Some(until)) => tokio::select! {
                    () = changed => {}
                    () = sleep_until(until) => {}
                },
            }
        }
    }

    /// Records that the server answered.
    pub(super) fn succeeded(&self) {
        self.limiter().succeeded();
    }

    /// Records that the server refused a request that holds a slot. Returns whether to repeat the request here.
    pub(super) fn refused(&self, slot_request: &SlotRequest, error: &SourceError, words: &str) -> bool {
        let now = Instant::now();
        let may_try = self.limiter().refused(error.retry_after, words, now, fastrand::f64());
        may_try && now.duration_since(slot_request.since) < MAX_RETRY_TIME
    }

    /// A message with the current limit and the server's reason; `None` if requests are not limited.
    pub(super) fn busy_message(&self) -> Option<String> {
        let mut limiter = self.limiter();
        limiter.grow(Instant::now());
        let limit = limiter.limit?;
        let noun = if limit == 1 { "request" } else { "requests" };
        let words = if limiter.words.is_empty() { "asked too often" } else { &limiter.words };
        Some(format!("the server is busy: {limit} {noun} at a time; its message: {words:?}"))
    }
}

/// Whether a server refused a request because of overload, so that the same request can succeed later.
pub(super) fn is_overload(error: &SourceError) -> bool {
    let is_busy = |message: &str| {
        let message = message.to_lowercase();
        error.retry_after.is_some() || BUSY.iter().any(|word| message.contains(word))
    };
    matches!(error.kind, ErrorKind::RateLimited { .. }) || error.kind.refused(503).is_some_and(is_busy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::source::SourceId;

    const TICK: Duration = Duration::from_millis(1);

    #[test]
    fn the_limit_is_halved_at_each_refusal_and_grows_again_later() {
        let now = Instant::now();
        let mut limiter = LimiterState { in_flight: 8, ..LimiterState::default() };
        let mut limits = Vec::new();
        for _ in 0..4 {
            assert!(limiter.refused(None, "too many", now, 0.5));
            limits.push(limiter.limit.unwrap());
            limiter.in_flight -= 1;
        }
        assert_eq!(limits, [4, 2, 1, 1]);
        for (after, limit) in [(9, Some(1)), (10, Some(2)), (11, Some(2)), (20, Some(3))] {
            limiter.grow(now + Duration::from_secs(after));
            assert_eq!(limiter.limit, limit, "after {after} s");
        }
        for step in 3..20 {
            limiter.grow(now + GROWS_AFTER * step);
        }
        assert_eq!(limiter.limit, None, "and is none in the end");
    }

    #[test]
    fn a_server_that_refuses_one_at_a_time_is_paused_for_and_then_it_is_a_fault() {
        let now = Instant::now();
        let mut limiter = LimiterState { in_flight: 1, ..LimiterState::default() };
        let tries: Vec<bool> = (0..7).map(|_| limiter.refused(None, "", now, 0.0)).collect();
        assert_eq!(tries, [true, true, true, true, true, false, false]);
        assert_eq!(limiter.pause, PAUSES.0, "whoever asks after a fault is not held up");
        limiter.succeeded();
        assert!(limiter.refused(None, "", now, 0.0), "after a success it is tried again");
        let before = limiter.not_before;
        for wait in [60, 86_400, u64::MAX] {
            assert!(
                !limiter.refused(Some(Duration::from_secs(wait)), "", now, 0.0),
                "nobody waits {wait} s here"
            );
        }
        assert_eq!(limiter.not_before, before, "nor is anybody else held up for so long");
    }

    #[tokio::test(start_paused = true)]
    async fn what_matters_most_goes_first_and_never_two_at_a_time() {
        let slots = ServerSlots::default();
        slots.limiter().limit = Some(1);
        let order = Mutex::new(Vec::new());
        let ask = async |weight: Weight| {
            let slot_request = slots.slot_request(weight);
            let _slot = slots.take(&slot_request).await;
            assert_eq!(slots.limiter().in_flight, 1);
            order.lock().unwrap().push(weight);
            tokio::time::sleep(TICK).await;
        };
        let weights = [Weight::Chart, Weight::Services, Weight::Chart, Weight::Vital, Weight::Slos];
        futures_util::future::join_all(weights.map(ask)).await;
        let mut sorted = weights.to_vec();
        // the first request found no other one in flight
        sorted[1..].sort_unstable();
        assert_eq!(*order.lock().unwrap(), sorted);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_leaves_the_line() {
        let slots = ServerSlots::default();
        slots.limiter().limit = Some(1);
        let (first, second, third) = (
            slots.slot_request(Weight::Vital),
            slots.slot_request(Weight::Vital),
            slots.slot_request(Weight::Vital),
        );
        let held = slots.take(&first).await;
        assert!(tokio::time::timeout(TICK, slots.take(&second)).await.is_err());
        drop(held);
        tokio::time::timeout(TICK, slots.take(&third)).await.unwrap();
    }

    #[test]
    fn a_refusal_for_lack_of_room_is_told_from_other_troubles() {
        let error = |failure| SourceError::new(SourceId::new("prom"), failure);
        let refused = |message: &str| error(ErrorKind::Refused { status: 503, message: message.into() });
        assert!(is_overload(&error(ErrorKind::RateLimited { message: String::new() })));
        for message in
            ["too many outstanding requests", "couldn't start: 16 concurrent requests are executed"]
        {
            assert!(is_overload(&refused(message)), "{message}");
        }
        assert!(!is_overload(&refused("no upstream")));
        let soon = SourceError { retry_after: Some(Duration::from_secs(1)), ..refused("no upstream") };
        assert!(is_overload(&soon));
        assert!(!is_overload(&error(ErrorKind::Forbidden { message: String::new() })));
    }
}
