//! Remote data: the last good value stays available after a failure, together with its age and the error.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use jiff::Timestamp;

use super::source::SourceError;
use super::warning::Warning;

/// How current a [`Remote`] value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    NotAsked,
    /// Asked for the first time, without an answer yet.
    Loading,
    /// Answered recently.
    Fresh,
    /// There is a value of this age, and newer answers are missing.
    Stale(Duration),
    /// There is no value, and the last request failed.
    Failed,
}

impl Freshness {
    /// Whether the value is out of date or missing because of a failure.
    pub fn is_doubtful(self) -> bool {
        matches!(self, Self::Stale(_) | Self::Failed)
    }
}

/// The state of an answer without its value: age, warnings and error.
#[derive(Debug, Clone, Default)]
pub struct AnswerState {
    /// When the last good answer was received.
    pub at: Option<Timestamp>,
    /// The digest of the last good answer, if the source supports that.
    pub digest: Option<u64>,
    /// The warnings of the last good answer.
    pub warnings: Vec<Warning>,
    failure: Option<SourceError>,
    /// Whether it was ever asked.
    pub was_asked: bool,
    /// Whether a question was sent and not answered yet.
    pub is_waiting: bool,
}

impl AnswerState {
    const NOT_ASKED: Self = Self {
        at: None,
        digest: None,
        warnings: Vec::new(),
        failure: None,
        was_asked: false,
        is_waiting: false,
    };

    /// Records that the question was sent.
    pub fn asked(&mut self) {
        (self.was_asked, self.is_waiting) = (true, true);
    }

    /// Records that the stored answer is still current.
    pub fn confirmed(&mut self, now: Timestamp) {
        self.at = self.at.map(|_| now);
        self.failure = None;
        self.is_waiting = false;
    }

    /// Records a failure; the last good value stays.
    pub fn failed(&mut self, failure: SourceError) {
        self.failure = Some(failure);
        self.is_waiting = false;
    }

    /// Why the last request failed; `None` if it did not.
    pub fn failure(&self) -> Option<&SourceError> {
        self.failure.as_ref()
    }

    /// Whether there was an answer or a failure.
    pub fn is_settled(&self) -> bool {
        self.at.is_some() || self.failure.is_some()
    }

    /// The warnings about missing data.
    pub fn missing(&self) -> impl Iterator<Item = &Warning> {
        self.warnings.iter().filter(|warning| warning.is_missing_data())
    }

    /// How current it is at `now`, if answers older than `limit` count as stale.
    pub fn freshness(&self, now: Timestamp, limit: Duration) -> Freshness {
        let Some(at) = self.at else {
            return match (&self.failure, self.was_asked) {
                (Some(_), _) => Freshness::Failed,
                (None, true) => Freshness::Loading,
                (None, false) => Freshness::NotAsked,
            };
        };
        let age = age(at, now);
        if self.failure.is_some() || age > limit { Freshness::Stale(age) } else { Freshness::Fresh }
    }
}

/// The last good value of an answer, with the state of the answer.
#[derive(Debug, Clone)]
pub struct Remote<T> {
    value: Option<T>,
    state: AnswerState,
}

impl<T> Default for Remote<T> {
    fn default() -> Self {
        Self::NOT_ASKED
    }
}

impl<T> Deref for Remote<T> {
    type Target = AnswerState;

    fn deref(&self) -> &AnswerState {
        &self.state
    }
}

impl<T> DerefMut for Remote<T> {
    fn deref_mut(&mut self) -> &mut AnswerState {
        &mut self.state
    }
}

impl<T> Remote<T> {
    /// The state before the first request.
    pub const NOT_ASKED: Self = Self { value: None, state: AnswerState::NOT_ASKED };

    /// Stores a good answer; `digest` recognises the same answer later.
    pub fn arrived(&mut self, value: T, digest: Option<u64>, now: Timestamp) {
        self.value = Some(value);
        (self.at, self.digest) = (Some(now), digest);
        self.confirmed(now);
    }

    /// The last good value, however old.
    pub fn value(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// The last good value, unless parts of it are missing: an incomplete answer must be fetched again as a whole.
    pub fn whole(&self) -> Option<&T> {
        self.value().filter(|_| self.missing().next().is_none())
    }

    /// The last good value for changes in place, such as appending newer points.
    pub fn value_mut(&mut self) -> Option<&mut T> {
        self.value.as_mut()
    }
}

/// How long ago `then` was; zero if it is in the future because the clock was set back.
pub fn age(then: Timestamp, now: Timestamp) -> Duration {
    now.duration_since(then).try_into().unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::source::{ErrorKind, SourceId};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn failure() -> SourceError {
        SourceError::new(SourceId::new("prom"), ErrorKind::Unreachable { reason: "refused".into() })
    }

    const LIMIT: Duration = Duration::from_secs(10);

    #[test]
    fn the_five_states_are_told_apart() {
        let mut remote = Remote::default();
        assert_eq!(remote.freshness(at(0), LIMIT), Freshness::NotAsked);
        remote.asked();
        assert_eq!(remote.freshness(at(1), LIMIT), Freshness::Loading);
        remote.failed(failure());
        assert_eq!(remote.freshness(at(2), LIMIT), Freshness::Failed);
        remote.arrived(7, None, at(3));
        assert_eq!(remote.freshness(at(4), LIMIT), Freshness::Fresh);
        assert_eq!(remote.freshness(at(14), LIMIT), Freshness::Stale(Duration::from_secs(11)));
    }

    #[test]
    fn a_failure_keeps_the_last_good_value_and_shows_it_stale() {
        let mut remote = Remote::default();
        remote.arrived("good", Some(1), at(0));
        remote.failed(failure());
        assert_eq!(remote.value(), Some(&"good"));
        assert_eq!(remote.freshness(at(6), LIMIT), Freshness::Stale(Duration::from_secs(6)));
        remote.confirmed(at(7));
        assert_eq!(remote.freshness(at(8), LIMIT), Freshness::Fresh);
    }

    #[test]
    fn what_is_asked_in_the_moment_of_the_last_answer_is_waited_for() {
        let mut remote = Remote::default();
        assert!(!remote.is_waiting);
        let answers: [fn(&mut Remote<i32>); 3] = [
            |remote| remote.arrived(7, None, at(1)),
            |remote| remote.confirmed(at(1)),
            |remote| remote.failed(failure()),
        ];
        for answer in answers {
            remote.asked();
            assert!(remote.is_waiting);
            answer(&mut remote);
            assert!(!remote.is_waiting);
        }
    }

    #[test]
    fn a_clock_set_back_makes_nothing_older_than_new() {
        assert_eq!(age(at(10), at(5)), Duration::ZERO);
    }
}
