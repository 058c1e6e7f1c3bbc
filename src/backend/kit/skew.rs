//! How far a server's clock and ours differ, by the `Date` of its answers.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// Seconds of difference from which on "2 minutes ago" is a lie.
const LARGE: i64 = 30;
/// Seconds of difference, or of change of it, that mean nothing: servers tell whole seconds, and answers take a while.
const IGNORED_OFFSET: i64 = 2;
/// The server has not told its time.
const UNKNOWN: i64 = i64::MIN;

/// Seconds that the server's clock is ahead of ours (negative: behind), if it said what time it has.
pub(crate) fn seconds_ahead(date: Option<Timestamp>, now: Timestamp) -> Option<i64> {
    date.map(|date| date.as_second() - now.as_second())
}

/// Whether such a difference has to be allowed for and told.
pub(crate) fn is_large(ahead: i64) -> bool {
    ahead.abs() > LARGE
}

/// The difference that is allowed for with one server, shared by its questions.
pub(crate) struct Skew(AtomicI64);

impl Default for Skew {
    fn default() -> Self {
        Self(AtomicI64::new(UNKNOWN))
    }
}

impl Skew {
    /// From now on this many seconds; `None`: none.
    pub(crate) fn set(&self, ahead: Option<i64>) {
        self.0.store(ahead.unwrap_or(UNKNOWN), Ordering::Relaxed);
    }

    /// Takes note of an answer's date. A change of up to two seconds is not followed, nor an answer without a date.
    pub(crate) fn follow(&self, date: Option<Timestamp>, now: Timestamp) {
        let known = self.0.load(Ordering::Relaxed);
        let is_other =
            |ahead: &i64| known == UNKNOWN || ahead.abs_diff(known) > IGNORED_OFFSET.unsigned_abs();
        if let Some(ahead) = seconds_ahead(date, now).filter(is_other) {
            self.set(Some(ahead));
        }
    }

    /// By how much the server's moments are later than ours; zero where the difference means nothing.
    pub(crate) fn ahead(&self) -> SignedDuration {
        let known = self.0.load(Ordering::Relaxed);
        let counts = known != UNKNOWN && known.unsigned_abs() > IGNORED_OFFSET.unsigned_abs();
        SignedDuration::from_secs(if counts { known } else { 0 })
    }

    /// A moment of ours by the server's clock.
    pub(crate) fn there(&self, here: Timestamp) -> Timestamp {
        here.checked_add(self.ahead()).unwrap_or(here)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn a_difference_of_two_seconds_means_nothing_and_one_that_stays_is_not_followed() {
        let skew = Skew::default();
        let mut told = Vec::new();
        for date in [None, Some(2), Some(40), Some(42), None, Some(43), Some(-1), Some(-9)] {
            skew.follow(date.map(at), at(0));
            told.push(skew.ahead().as_secs());
        }
        assert_eq!(told, [0, 0, 40, 40, 40, 43, 0, -9]);
        assert_eq!(skew.there(at(10)), at(1));
        skew.set(None);
        assert_eq!(skew.there(at(10)), at(10));
    }
}
