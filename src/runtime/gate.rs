//! The gate of one source: limits concurrent questions, sets time-outs, and holds questions back after errors (circuit breaker).

mod backoff;
mod circuit;

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use crate::app::event::Arrival;
use crate::backend::{Clock, Source};
use crate::config::settings::LimitSettings;
use crate::model::action::{Action, ActionError, ActionResult, RequestPreview, Verification};
use crate::model::ask::{Answered, AskKind, Question};
use crate::model::source::{ErrorKind, SourceError, SourceId};
use crate::model::text::clean;
use crate::model::warning::Warning;

use circuit::{Admission, Circuit, CircuitKey, CircuitPermit};

use super::failpoint;

/// While a probe has no answer, another one is sent after each of these intervals.
const PROBE_RESEND_INTERVAL: Duration = Duration::from_secs(4);

/// The gates of the sources of a context.
pub(super) type Gates = BTreeMap<SourceId, Arc<SourceGate>>;

/// One source with its limits and its circuit breaker.
pub(super) struct SourceGate {
    source: Arc<dyn Source>,
    clock: Clock,
    whole: Duration,
    in_flight: Semaphore,
    circuit: Mutex<Circuit>,
    settled: Notify,
    /// Until when actions wait, because the source asked for it (rate limit).
    rests_until: Mutex<Option<Instant>>,
}

impl SourceGate {
    pub(super) fn new(source: Arc<dyn Source>, limits: &LimitSettings, clock: Clock) -> Self {
        Self {
            source,
            clock,
            // the time-out of a question, which may be several requests: 15 s by default
            whole: limits.timeout.0.saturating_mul(3) / 2,
            in_flight: Semaphore::new(limits.in_flight.clamp(1, Semaphore::MAX_PERMITS)),
            circuit: Mutex::default(),
            settled: Notify::new(),
            rests_until: Mutex::default(),
        }
    }

    /// Sends the question when fewer than the maximum are in flight. While the circuit breaker holds the question back, it is
    /// answered with the last error at once. The future may be dropped at any time.
    pub(super) async fn ask(&self, question: Question) -> Arrival {
        let subject = CircuitKey::from(&question.ask);
        let refusal = self.circuit().refusal(&subject, Instant::now());
        if let Some((error, until)) = refusal {
            return self.refused(question, error, until);
        }
        // a probe does not wait for a free slot, because all slots may be taken by questions that hang
        let _room = match question.ask.kind() {
            AskKind::Probe => None,
            _ => self.in_flight.acquire().await.ok(),
        };
        let pass = loop {
            let settled = self.settled.notified();
            tokio::pin!(settled);
            // registers for the notification before the circuit is read, so that none is missed
            settled.as_mut().enable();
            let admission = self.circuit().admit(&subject, Instant::now());
            match admission {
                Admission::Go(ticket) => break InFlightPermit { gate: self, ticket: Some(ticket) },
                Admission::Refused(error, until) => return self.refused(question, error, until),
                Admission::Wait => settled.await,
            }
        };
        let start = Instant::now();
        let mut answered = self.send(&question).await;
        if let (AskKind::Probe, Ok(reply), Some(load)) =
            (question.ask.kind(), &mut answered, self.source.load())
        {
            reply.warnings.push(Warning::notice(load));
        }
        let took = start.elapsed();
        let next = pass.settle(subject, &answered);
        let answered = answered.map_err(|error| self.with_next_try(error, next));
        Arrival { question, answered, took }
    }

    /// Sends the question to the source, with a time-out. A probe is sent again every few seconds while it has no answer: a
    /// request sent while the network was down may never be answered.
    async fn send(&self, question: &Question) -> Answered {
        let answer = || {
            // inside the future, because the call itself may panic
            let answer = async {
                failpoint::at("question");
                self.source.answer(&question.ask, question.known).await
            };
            AssertUnwindSafe(answer).catch_unwind()
        };
        let is_probe = question.ask.kind() == AskKind::Probe;
        let mut tries = FuturesUnordered::new();
        tries.push(answer());
        let first = async {
            loop {
                tokio::select! {
                    Some(answered) = tries.next() => return answered,
                    () = sleep(PROBE_RESEND_INTERVAL), if is_probe => tries.push(answer()),
                }
            }
        };
        tokio::pin!(first);
        let mut patience = self.whole;
        let mut whole = timeout(patience, first.as_mut()).await;
        if whole.is_err() && self.source.load().is_some() {
            // requests to this server are limited, so most of the time was spent waiting: do not lose the answers so far
            patience = 2 * self.whole;
            whole = timeout(self.whole, first).await;
        }
        match whole {
            Ok(answered) => answered.unwrap_or_else(|payload| Err(self.internal(payload.as_ref()))),
            Err(_) => Err(self.failure(ErrorKind::TimedOut { after: patience })),
        }
    }

    /// The requests that an action would make.
    pub(super) fn requests(&self, action: &Action) -> Vec<RequestPreview> {
        self.source.requests(action)
    }

    /// Sends an action once. It neither waits for questions nor is held back by their errors. After a time-out or a panic the
    /// result is unclear: the action may have been done.
    pub(super) async fn execute(&self, action: &Action) -> Result<ActionResult, ActionError> {
        let acting = async { self.source.execute(action).await };
        let unclear = |error| Err(ActionError { error, is_unclear: true });
        self.run_within_time(acting).await.unwrap_or_else(unclear)
    }

    /// Reads back whether an action that was sent at `sent_at` or later was done.
    pub(super) async fn verify(
        &self,
        action: &Action,
        sent_at: Timestamp,
    ) -> Result<Verification, SourceError> {
        self.run_within_time(async { self.source.verify(action, sent_at).await }).await.unwrap_or_else(Err)
    }

    /// Runs a request; a time-out and a panic become errors.
    async fn run_within_time<T>(&self, request: impl Future<Output = T>) -> Result<T, SourceError> {
        match timeout(self.whole, AssertUnwindSafe(request).catch_unwind()).await {
            Ok(done) => done.map_err(|payload| self.internal(payload.as_ref())),
            Err(_) => Err(self.failure(ErrorKind::TimedOut { after: self.whole })),
        }
    }

    /// Until when actions have to wait; None if they need not.
    pub(super) fn resting(&self) -> Option<Instant> {
        let until = *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.filter(|until| *until > Instant::now())
    }

    /// Makes the next actions wait this long, because the source asked for it.
    pub(super) fn rest(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut rests = self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        *rests = (*rests).max(Some(until));
    }

    fn refused(&self, question: Question, error: SourceError, until: Instant) -> Arrival {
        let answered = Err(self.with_next_try(error, Some(until)));
        Arrival { question, answered, took: Duration::ZERO }
    }

    fn with_next_try(&self, mut error: SourceError, next: Option<Instant>) -> SourceError {
        if let Some(next) = next {
            let wait = next.saturating_duration_since(Instant::now());
            let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::ZERO);
            error.next_try = self.clock.now().checked_add(wait).ok();
        }
        error
    }

    fn failure(&self, failure: ErrorKind) -> SourceError {
        SourceError::new(self.source.info().id.clone(), failure)
    }

    fn internal(&self, payload: &(dyn Any + Send)) -> SourceError {
        self.failure(ErrorKind::Internal { reason: panic_text(payload) })
    }

    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A permit of the circuit breaker that is released even if the question is dropped before its answer.
struct InFlightPermit<'a> {
    gate: &'a SourceGate,
    ticket: Option<CircuitPermit>,
}

impl InFlightPermit<'_> {
    /// Returns the permit with the result of the question. After any failure: when to try again.
    fn settle(mut self, subject: CircuitKey, answered: &Answered) -> Option<Instant> {
        let ticket = self.ticket.take()?;
        let outcome = answered.as_ref().map(|_| ());
        let next = self.gate.circuit().settle(ticket, subject, outcome, Instant::now(), fastrand::f64());
        self.gate.settled.notify_waiters();
        next
    }
}

impl Drop for InFlightPermit<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.gate.circuit().release(ticket);
            self.gate.settled.notify_waiters();
        }
    }
}

/// The message of a panic.
pub(super) fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    // the message may contain text from a server
    clean(text.unwrap_or("a panic")).into_owned()
}

#[cfg(test)]
mod tests;
