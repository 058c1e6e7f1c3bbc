//! What lives elsewhere: the last good value outlives every failure, and readers must ask how far to believe it.

use std::time::Duration;

use jiff::Timestamp;

use super::source::SourceError;
use super::warning::Warning;

/// How far a [`Remote`] value can be believed now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    NotAsked,
    /// Asked for the first time, no answer yet.
    Loading,
    Fresh,
    /// There is a value, but it is this old and newer ones did not come.
    Stale(Duration),
    /// There is no value and the last try failed.
    Failed,
}

impl Freshness {
    /// Whether the value is known to be behind the truth, or not to be had.
    pub fn is_doubtful(self) -> bool {
        matches!(self, Self::Stale(_) | Self::Failed)
    }
}

/// How an answer stands, whatever it says: how old, whether it is whole, and what is wrong.
#[derive(Debug, Clone, Copy)]
pub struct AnswerState<'a> {
    pub at: Option<Timestamp>,
    pub digest: Option<u64>,
    /// The comment: why the last try failed, if it did.
    pub trouble: Option<&'a SourceError>,
    /// What was said beside the last good one.
    pub warnings: &'a [Warning],
    pub was_asked: bool,
}

impl<'a> AnswerState<'a> {
    /// Whether there was an answer, good or bad.
    pub fn is_settled(&self) -> bool {
        self.at.is_some() || self.trouble.is_some()
    }

    pub fn missing(&self) -> impl Iterator<Item = &'a Warning> + use<'a> {
        self.warnings.iter().filter(|warning| warning.is_missing_data())
    }

    /// How far to believe it at `now`, if it ought to be no older than `limit`.
    pub fn freshness(&self, now: Timestamp, limit: Duration) -> Freshness {
        let Some(at) = self.at else {
            return match (self.trouble, self.was_asked) {
                (Some(_), _) => Freshness::Failed,
                (None, true) => Freshness::Loading,
                (None, false) => Freshness::NotAsked,
            };
        };
        let age = age(at, now);
        if self.trouble.is_some() || age > limit { Freshness::Stale(age) } else { Freshness::Fresh }
    }
}

/// The last good value of something that a source keeps, with its age and the present trouble.
#[derive(Debug, Clone)]
pub struct Remote<T> {
    good: Option<(T, Timestamp)>,
    digest: Option<u64>,
    warnings: Vec<Warning>,
    trouble: Option<SourceError>,
    was_asked: bool,
    is_waiting: bool,
}

impl<T> Default for Remote<T> {
    fn default() -> Self {
        Self::NOT_ASKED
    }
}

impl<T> Remote<T> {
    pub const NOT_ASKED: Self = Self {
        good: None,
        digest: None,
        warnings: Vec::new(),
        trouble: None,
        was_asked: false,
        is_waiting: false,
    };

    pub fn asked(&mut self) {
        (self.was_asked, self.is_waiting) = (true, true);
    }

    /// Takes a good answer; `digest` recognises the same answer when it comes again.
    pub fn arrived(&mut self, value: T, digest: Option<u64>, now: Timestamp) {
        self.good = Some((value, now));
        self.digest = digest;
        self.confirmed(now);
    }

    /// Notes that the source still says what it said before.
    pub fn confirmed(&mut self, now: Timestamp) {
        if let Some((_, at)) = &mut self.good {
            *at = now;
        }
        self.trouble = None;
        self.is_waiting = false;
    }

    /// Takes what was said beside the last good answer.
    pub fn warned(&mut self, warnings: Vec<Warning>) {
        self.warnings = warnings;
    }

    /// Notes that no answer came; the last good value stays.
    pub fn failed(&mut self, trouble: SourceError) {
        self.trouble = Some(trouble);
        self.is_waiting = false;
    }

    /// The last good value, however old.
    pub fn value(&self) -> Option<&T> {
        self.good.as_ref().map(|(value, _)| value)
    }

    /// The last good value, if nothing was missing in it: what lacks something is to be asked for again in whole.
    pub fn whole(&self) -> Option<&T> {
        self.value().filter(|_| self.state().missing().next().is_none())
    }

    /// The last good value, to be changed in place (a tail appended).
    pub fn value_mut(&mut self) -> Option<&mut T> {
        self.good.as_mut().map(|(value, _)| value)
    }

    pub fn at(&self) -> Option<Timestamp> {
        self.good.as_ref().map(|(_, at)| *at)
    }

    pub fn digest(&self) -> Option<u64> {
        self.digest
    }

    /// What was said beside the last good answer.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The comment: why the last try failed, if it did.
    pub fn trouble(&self) -> Option<&SourceError> {
        self.trouble.as_ref()
    }

    /// Whether a question is out that has not been answered.
    pub fn is_waiting(&self) -> bool {
        self.is_waiting
    }

    pub fn state(&self) -> AnswerState<'_> {
        AnswerState {
            at: self.at(),
            digest: self.digest,
            trouble: self.trouble(),
            warnings: &self.warnings,
            was_asked: self.was_asked,
        }
    }
}

/// How long ago `then` was; zero if the clock was set back since.
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

    fn trouble() -> SourceError {
        SourceError::new(SourceId::new("prom"), ErrorKind::Unreachable { reason: "refused".into() })
    }

    const LIMIT: Duration = Duration::from_secs(10);

    #[test]
    fn the_five_states_are_told_apart() {
        let mut remote = Remote::default();
        assert_eq!(remote.state().freshness(at(0), LIMIT), Freshness::NotAsked);
        remote.asked();
        assert_eq!(remote.state().freshness(at(1), LIMIT), Freshness::Loading);
        remote.failed(trouble());
        assert_eq!(remote.state().freshness(at(2), LIMIT), Freshness::Failed);
        remote.arrived(7, None, at(3));
        assert_eq!(remote.state().freshness(at(4), LIMIT), Freshness::Fresh);
        assert_eq!(remote.state().freshness(at(14), LIMIT), Freshness::Stale(Duration::from_secs(11)));
    }

    #[test]
    fn a_failure_keeps_the_last_good_value_and_shows_it_stale() {
        let mut remote = Remote::default();
        remote.arrived("good", Some(1), at(0));
        remote.failed(trouble());
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
            |remote| remote.failed(trouble()),
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
