//! What a source's failures mean for the next question: a value, without waiting, without a clock.
//!
//! Trouble with the source as a whole opens the circuit: then one question at a time may try, until one is answered.
//! Other trouble keeps only the same question back.

use std::collections::BTreeMap;

use tokio::time::{Duration, Instant};

use crate::model::ask::{Ask, Moment, Topic};
use crate::model::source::{ErrorKind, SourceError};

use super::backoff::next_try;

/// Clocks that are not quite of one mind must not cost a whole tick.
const CLOCK_TOLERANCE: Duration = Duration::from_millis(50);
/// How many failing subjects are remembered.
const MAX_FAILING: usize = 64;

/// What a question is about and of which moment: what failed is recognised by this.
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

/// A failure that has not been followed by a success.
#[derive(Debug, Clone)]
struct Failing {
    error: SourceError,
    until: Instant,
    failures: u32,
}

/// Leave to ask. It has to be given back: settled or released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CircuitPermit {
    episode: u64,
    probes: bool,
    since: Instant,
}

/// Whether a question may be put now.
#[derive(Debug)]
pub(super) enum Admission {
    /// Yes.
    Go(CircuitPermit),
    /// Another question is trying whether the source is well again.
    Wait,
    /// Not before this moment, because of this.
    Refused(SourceError, Instant),
}

#[derive(Debug, Default)]
pub(super) struct Circuit {
    open: Option<Failing>,
    probing: bool,
    /// Counts the openings: what was asked before one says nothing about the time after it.
    episode: u64,
    failing: BTreeMap<CircuitKey, Failing>,
    /// When it answered last.
    answered: Option<Instant>,
}

impl Circuit {
    /// The failure that keeps this subject back, if one does.
    pub(super) fn refusal(&self, subject: &CircuitKey, now: Instant) -> Option<(SourceError, Instant)> {
        let own = self.failing.get(subject).into_iter();
        let holding = own.chain(&self.open).filter(|failing| now + CLOCK_TOLERANCE < failing.until);
        let longest = holding.max_by_key(|failing| failing.until)?;
        Some((longest.error.clone(), longest.until))
    }

    pub(super) fn admit(&mut self, subject: &CircuitKey, now: Instant) -> Admission {
        if let Some((error, until)) = self.refusal(subject, now) {
            return Admission::Refused(error, until);
        }
        let mut probes = self.open.is_some();
        if probes && self.probing {
            if !subject.is_probe() {
                return Admission::Wait;
            }
            // the cheap one does not wait for a heavy one that tries
            probes = false;
        }
        self.probing |= probes;
        Admission::Go(CircuitPermit { episode: self.episode, probes, since: now })
    }

    /// Gives a ticket back without an outcome: nobody wanted the answer any more.
    pub(super) fn release(&mut self, ticket: CircuitPermit) {
        if ticket.probes && ticket.episode == self.episode {
            self.probing = false;
        }
    }

    /// Gives a ticket back; after a failure, the moment of the next try.
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
                    // it is back: whatever failed with it may be asked again
                    self.failing.clear();
                }
            }
            return None;
        };
        let is_wide = error.trouble.is_source_wide();
        // one question that takes too long says nothing about the others, if one of them was answered meanwhile
        let is_answering = self.answered.is_some_and(|at| at >= ticket.since);
        let is_slow = matches!(error.trouble, ErrorKind::TimedOut { .. }) && !is_probe && is_answering;
        let opens = is_wide && is_current && !is_slow;
        let count = |failing: Option<&Failing>| failing.map_or(0, |failing| failing.failures);
        let own = count(self.failing.get(&subject)).saturating_add(1);
        let all = count(self.open.as_ref()).saturating_add(1);
        let failures = if opens { own.max(all) } else { own };
        let until = next_try((ticket.since, now), failures, error.retry_after, random);
        if opens {
            self.open = Some(Failing { error: error.clone(), until, failures: all });
            self.episode += 1;
            self.probing = false;
        } else if is_current && !is_wide && !matches!(error.trouble, ErrorKind::Internal { .. }) {
            // it refused this question, but it is there
            self.open = None;
        }
        if self.failing.len() >= MAX_FAILING && !self.failing.contains_key(&subject) {
            self.failing.retain(|_, failing| now < failing.until);
            if self.failing.len() >= MAX_FAILING {
                self.failing.pop_first();
            }
        }
        self.failing.insert(subject, Failing { error: error.clone(), until, failures: own });
        let broken_until = self.open.as_ref().map(|open| open.until);
        Some(broken_until.map_or(until, |other| until.max(other)))
    }
}

#[cfg(test)]
mod tests;
