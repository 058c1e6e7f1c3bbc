//! The circuit breaker of one source: decides from its failures whether a question may be sent. Pure: it neither waits nor
//! reads a clock.
//!
//! An error of the whole source opens the circuit: then only one question at a time may try, until one is answered. Other
//! errors hold back only the question that failed.

use std::collections::BTreeMap;

use tokio::time::{Duration, Instant};

use crate::model::ask::{Ask, Moment, Topic};
use crate::model::source::{ErrorKind, SourceError};

use super::backoff::next_try;

/// A question that comes this much too early is allowed: otherwise it would wait for a whole tick.
const CLOCK_TOLERANCE: Duration = Duration::from_millis(50);
/// The most failing questions that are remembered.
const MAX_FAILING: usize = 64;

/// Identifies a question for the circuit breaker: its topic and its moment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CircuitKey {
    topic: Topic,
    at: Moment,
}

impl CircuitKey {
    fn is_probe(&self) -> bool {
        self.topic == Topic::Probe
    }
}

impl From<&Ask> for CircuitKey {
    fn from(ask: &Ask) -> Self {
        Self { topic: ask.topic(), at: ask.at }
    }
}

/// A failure without a success since. No attempt is made before `until`.
#[derive(Debug, Clone)]
struct Failing {
    error: SourceError,
    until: Instant,
    failure_count: u32,
}

/// Permission to send a question. It must be returned by `settle` or `release`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CircuitPermit {
    episode: u64,
    probes: bool,
    since: Instant,
}

/// Whether a question may be sent now.
#[derive(Debug)]
pub(super) enum Admission {
    /// Yes, with this permit.
    Go(CircuitPermit),
    /// Another question is testing whether the source has recovered: wait for its result.
    Wait,
    /// Not before this moment, because of this error.
    Refused(SourceError, Instant),
}

/// The state of the circuit breaker.
#[derive(Debug, Default)]
pub(super) struct Circuit {
    /// The error of the whole source while the circuit is open; None: closed.
    open: Option<Failing>,
    /// Whether a question is testing the source while the circuit is open.
    probing: bool,
    /// Counts how often the circuit opened: answers to questions sent before an opening do not close the circuit.
    episode: u64,
    failing: BTreeMap<CircuitKey, Failing>,
    /// When the source last answered.
    answered: Option<Instant>,
}

impl Circuit {
    /// The error that holds this question back, and until when; None if it may be sent.
    pub(super) fn refusal(&self, subject: &CircuitKey, now: Instant) -> Option<(SourceError, Instant)> {
        let own = self.failing.get(subject).into_iter();
        let holding = own.chain(&self.open).filter(|failing| now + CLOCK_TOLERANCE < failing.until);
        let longest = holding.max_by_key(|failing| failing.until)?;
        Some((longest.error.clone(), longest.until))
    }

    /// Decides whether a question may be sent now. While the circuit is open, only one question and probes may.
    pub(super) fn admit(&mut self, subject: &CircuitKey, now: Instant) -> Admission {
        if let Some((error, until)) = self.refusal(subject, now) {
            return Admission::Refused(error, until);
        }
        let mut probes = self.open.is_some();
        if probes && self.probing {
            if !subject.is_probe() {
                return Admission::Wait;
            }
            // a probe is cheap and does not wait for another question
            probes = false;
        }
        self.probing |= probes;
        Admission::Go(CircuitPermit { episode: self.episode, probes, since: now })
    }

    /// Returns a permit without a result, because the question was cancelled.
    pub(super) fn release(&mut self, ticket: CircuitPermit) {
        if ticket.probes && ticket.episode == self.episode {
            self.probing = false;
        }
    }

    /// Returns a permit with the result of the question. After a failure: when to try again.
    pub(super) fn settle(
        &mut self,
        ticket: CircuitPermit,
        subject: CircuitKey,
        outcome: Result<(), &SourceError>,
        now: Instant,
        random: f64,
    ) -> Option<Instant> {
        self.release(ticket);
        let is_current = ticket.episode == self.episode;
        let is_probe = subject.is_probe();
        let Err(error) = outcome else {
            self.answered = Some(now);
            let was_failing = self.failing.remove(&subject).is_some() || self.open.is_some();
            if is_current {
                self.open = None;
                if is_probe && was_failing {
                    // the source has recovered: all questions that failed may be sent again
                    self.failing.clear();
                }
            }
            return None;
        };
        let is_wide = error.kind.is_source_wide();
        // a single time-out does not open the circuit if another question was answered meanwhile
        let is_answering = self.answered.is_some_and(|at| at >= ticket.since);
        let is_slow = matches!(error.kind, ErrorKind::TimedOut { .. }) && !is_probe && is_answering;
        let opens = is_wide && is_current && !is_slow;
        let count = |failing: Option<&Failing>| failing.map_or(0, |failing| failing.failure_count);
        let own = count(self.failing.get(&subject)).saturating_add(1);
        let all = count(self.open.as_ref()).saturating_add(1);
        let failures = if opens { own.max(all) } else { own };
        let until = next_try((ticket.since, now), failures, error.retry_after, random);
        if opens {
            self.open = Some(Failing { error: error.clone(), until, failure_count: all });
            self.episode += 1;
            self.probing = false;
        } else if is_current && !is_wide && !matches!(error.kind, ErrorKind::Internal { .. }) {
            // the source refused this question, but it works
            self.open = None;
        }
        if self.failing.len() >= MAX_FAILING && !self.failing.contains_key(&subject) {
            self.failing.retain(|_, failing| now < failing.until);
            if self.failing.len() >= MAX_FAILING {
                self.failing.pop_first();
            }
        }
        self.failing.insert(subject, Failing { error: error.clone(), until, failure_count: own });
        let broken_until = self.open.as_ref().map(|open| open.until);
        Some(broken_until.map_or(until, |other| until.max(other)))
    }
}

#[cfg(test)]
mod tests;
