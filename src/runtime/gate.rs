//! Between the loop and one source: how many questions at once, how long each, how soon again.

mod backoff;
mod circuit;

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
use crate::model::source::{ErrorKind, SourceError};
use crate::model::text::clean;
use crate::model::warning::Warning;

use circuit::{Admission, Circuit, CircuitKey, CircuitPermit};

use super::failpoint;

/// A source is asked anew whether it is well when it has not answered for so long.
const PROBE_RESEND_INTERVAL: Duration = Duration::from_secs(4);

/// The way to one source.
pub(super) struct SourceGate {
    source: Arc<dyn Source>,
    clock: Clock,
    whole: Duration,
    in_flight: Semaphore,
    circuit: Mutex<Circuit>,
    settled: Notify,
    /// Actions wait until then, as the source asked.
    rests_until: Mutex<Option<Instant>>,
}

impl SourceGate {
    pub(super) fn new(source: Arc<dyn Source>, limits: &LimitSettings, clock: Clock) -> Self {
        Self {
            source,
            clock,
            // a question may be several requests, and still has to be known as hanging soon: 15 s by default
            whole: limits.timeout.0.saturating_mul(3) / 2,
            in_flight: Semaphore::new(limits.in_flight.clamp(1, Semaphore::MAX_PERMITS)),
            circuit: Mutex::default(),
            settled: Notify::new(),
            rests_until: Mutex::default(),
        }
    }

    /// Puts the question when there is room. A question that comes before its time is answered with the last error.
    /// Safe to drop half-way.
    pub(super) async fn ask(&self, question: Question) -> Arrival {
        let subject = CircuitKey::from(&question.ask);
        let refusal = self.circuit().refusal(&subject, Instant::now());
        if let Some((error, until)) = refusal {
            return self.refused(question, error, until);
        }
        // whether it is well is found out beside whatever hangs
        let _room = match question.ask.kind() {
            AskKind::Probe => None,
            _ => self.in_flight.acquire().await.ok(),
        };
        let pass = loop {
            let settled = self.settled.notified();
            tokio::pin!(settled);
            // from here on no word is missed, though the circuit is looked at before it is waited for
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

    /// The cheap question whether a source is well is put anew while it waits: what was sent while the way was broken may never
    /// be answered, and says nothing about the way since.
    async fn send(&self, question: &Question) -> Answered {
        let answer = || {
            // the call itself may panic too, so it happens inside
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
            // most of the time it waited for room, and what has come so far is not to be asked for again
            patience = 2 * self.whole;
            whole = timeout(self.whole, first).await;
        }
        match whole {
            Ok(Ok(answered)) => answered,
            Ok(Err(payload)) => Err(self.internal(&panic_text(payload.as_ref()))),
            Err(_) => Err(self.trouble(ErrorKind::TimedOut { after: patience })),
        }
    }

    /// The requests that an action would make.
    pub(super) fn requests(&self, action: &Action) -> Vec<RequestPreview> {
        self.source.requests(action)
    }

    /// Does an action, once. What a person has decided does not queue behind questions, and trouble with those does not keep
    /// it back. What was given up half-way may have been done.
    pub(super) async fn execute(&self, action: &Action) -> Result<ActionResult, ActionError> {
        let acting = async { self.source.execute(action).await };
        let unclear = |error| Err(ActionError { error, is_unclear: true });
        match timeout(self.whole, AssertUnwindSafe(acting).catch_unwind()).await {
            Ok(Ok(acted)) => acted,
            Ok(Err(payload)) => unclear(self.internal(&panic_text(payload.as_ref()))),
            Err(_) => unclear(self.trouble(ErrorKind::TimedOut { after: self.whole })),
        }
    }

    /// Looks whether an action that went out at `sent_at` or later was done.
    pub(super) async fn verify(
        &self,
        action: &Action,
        sent_at: Timestamp,
    ) -> Result<Verification, SourceError> {
        let looking = async { self.source.verify(action, sent_at).await };
        match timeout(self.whole, AssertUnwindSafe(looking).catch_unwind()).await {
            Ok(Ok(found)) => found,
            Ok(Err(payload)) => Err(self.internal(&panic_text(payload.as_ref()))),
            Err(_) => Err(self.trouble(ErrorKind::TimedOut { after: self.whole })),
        }
    }

    /// Until when the source asks actions to wait, if it does.
    pub(super) fn resting(&self) -> Option<Instant> {
        let until = *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.filter(|until| *until > Instant::now())
    }

    /// The source asks actions to wait so long.
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

    fn trouble(&self, trouble: ErrorKind) -> SourceError {
        SourceError::new(self.source.info().id.clone(), trouble)
    }

    fn internal(&self, reason: &str) -> SourceError {
        self.trouble(ErrorKind::Internal { reason: reason.to_owned() })
    }

    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A ticket that finds its way back even when the question is dropped half-way.
struct InFlightPermit<'a> {
    gate: &'a SourceGate,
    ticket: Option<CircuitPermit>,
}

impl InFlightPermit<'_> {
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

/// What a panic said.
pub(super) fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    // it may quote what came from outside
    clean(text.unwrap_or("a panic")).into_owned()
}

#[cfg(test)]
mod tests;
