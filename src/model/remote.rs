//! Remote data: the last good value stays available after a failure, together with its age and the error.

use std::time::Duration;

use jiff::Timestamp;

use super::source::SourceError;
use super::warning::Warning;

/// How current a [`Remote`] value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Not asked yet.
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
#[derive(Debug, Clone, Copy)]
pub struct AnswerState<'a> {
    /// When the last good answer was received.
    pub at: Option<Timestamp>,
    /// The digest of the last good answer.
    pub digest: Option<u64>,
    /// Why the last request failed; `None` if it did not.
    pub failure: Option<&'a SourceError>,
    /// The warnings of the last good answer.
    pub warnings: &'a [Warning],
    /// Whether it was ever asked.
    pub was_asked: bool,
}

impl<'a> AnswerState<'a> {
    /// Whether there was an answer or a failure.
    pub fn is_settled(&self) -> bool {
        self.at.is_some() || self.failure.is_some()
    }

    /// The warnings about missing data.
    pub fn missing(&self) -> impl Iterator<Item = &'a Warning> + use<'a> {
        self.warnings.iter().filter(|warning| warning.is_missing_data())
    }

    /// How current it is at `now`, if answers older than `limit` count as stale.
    pub fn freshness(&self, now: Timestamp, limit: Duration) -> Freshness {
        let Some(at) = self.at else {
            return match (self.failure, self.was_asked) {
                (Some(_), _) => Freshness::Failed,
                (None, true) => Freshness::Loading,
                (None, false) => Freshness::NotAsked,
            };
        };
        let age = age(at, now);
        if self.failure.is_some() || age > limit { Freshness::Stale(age) } else { Freshness::Fresh }
    }
}

/// The last good value of an answer, with its age and the current error.
#[derive(Debug, Clone)]
pub struct Remote<T> {
    good: Option<(T, Timestamp)>,
    digest: Option<u64>,
    warnings: Vec<Warning>,
    failure: Option<SourceError>,
    was_asked: bool,
    is_waiting: bool,
}

impl<T> Default for Remote<T> {
    fn default() -> Self {
        Self::NOT_ASKED
    }
}

impl<T> Remote<T> {
    /// The state before the first request.
    pub const NOT_ASKED: Self = Self {
        good: None,
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

    /// Stores a good answer; `digest` recognises the same answer later.
    pub fn arrived(&mut self, value: T, digest: Option<u64>, now: Timestamp) {
        self.good = Some((value, now));
        self.digest = digest;
        self.confirmed(now);
    }

    /// Records that the answer is unchanged.
    pub fn confirmed(&mut self, now: Timestamp) {
        if let Some((_, at)) = &mut self.good {
            *at = now;
        }
        self.failure = None;
        self.is_waiting = false;
    }

    /// Stores the warnings of the last good answer.
    pub fn warned(&mut self, warnings: Vec<Warning>) {
        self.warnings = warnings;
    }

    /// Records a failure; the last good value stays.
    pub fn failed(&mut self, failure: SourceError) {
        self.failure = Some(failure);
        self.is_waiting = false;
    }

    /// The last good value, however old.
    pub fn value(&self) -> Option<&T> {
        self.good.as_ref().map(|(value, _)| value)
    }

    /// The last good value, unless parts of it are missing: an incomplete answer must be fetched again as a whole.
    pub fn whole(&self) -> Option<&T> {
        self.value().filter(|_| self.state().missing().next().is_none())
    }

    /// The last good value for changes in place, such as appending newer points.
    pub fn value_mut(&mut self) -> Option<&mut T> {
        self.good.as_mut().map(|(value, _)| value)
    }

    /// When the last good answer was received.
    pub fn at(&self) -> Option<Timestamp> {
        self.good.as_ref().map(|(_, at)| *at)
    }

    /// The digest of the last good answer.
    pub fn digest(&self) -> Option<u64> {
        self.digest
    }

    /// The warnings of the last good answer.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Why the last request failed; `None` if it did not.
    pub fn failure(&self) -> Option<&SourceError> {
        self.failure.as_ref()
    }

    /// Whether a question was sent and not answered yet.
    pub fn is_waiting(&self) -> bool {
        self.is_waiting
    }

    /// The state without the value.
    pub fn state(&self) -> AnswerState<'_> {
        AnswerState {
            at: self.at(),
            digest: self.digest,
            failure: self.failure(),
            warnings: &self.warnings,
            was_asked: self.was_asked,
        }
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
        assert_eq!(remote.state().freshness(at(0), LIMIT), Freshness::NotAsked);
        remote.asked();
        assert_eq!(remote.state().freshness(at(1), LIMIT), Freshness::Loading);
        remote.failed(failure());
        assert_eq!(remote.state().freshness(at(2), LIMIT), Freshness::Failed);
        remote.arrived(7, None, at(3));
        assert_eq!(remote.state().freshness(at(4), LIMIT), Freshness::Fresh);
        assert_eq!(remote.state().freshness(at(14), LIMIT), Freshness::Stale(Duration::from_secs(11)));
    }

    #[test]
    fn a_failure_keeps_the_last_good_value_and_shows_it_stale() {
        let mut remote = Remote::default();
        remote.arrived("good", Some(1), at(0));
        remote.failed(failure());
        assert_eq!(remote.value(), Some(&"good"));
        assert_eq!(remote.state().freshness(at(6), LIMIT), Freshness::Stale(Duration::from_secs(6)));
        remote.confirmed(at(7));
        assert_eq!(remote.state().freshness(at(8), LIMIT), Freshness::Fresh);
    }

    #[test]
    fn what_is_asked_in_the_moment_of_the_last_answer_is_waited_for() {
        let mut remote = Remote::default();
        assert!(!remote.is_waiting());
        let answers: [fn(&mut Remote<i32>); 3] = [
            |remote| remote.arrived(7, None, at(1)),
            |remote| remote.confirmed(at(1)),
            |remote| remote.failed(failure()),
        ];
        for answer in answers {
            remote.asked();
            assert!(remote.is_waiting());
            answer(&mut remote);
            assert!(!remote.is_waiting());
        }
    }

    #[test]
    fn a_clock_set_back_makes_nothing_older_than_new() {
        assert_eq!(age(at(10), at(5)), Duration::ZERO);
    }
}
