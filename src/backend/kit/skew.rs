//! The offset between a server's clock and the local clock, from the `Date` header of its answers.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// From this offset on, in seconds, ages on the screen ("2 minutes ago") would be misleading.
const LARGE: i64 = 30;
/// An offset of up to this many seconds, or a change of the offset by that much, is ignored: `Date` has whole seconds, and
/// answers take time.
const IGNORED_OFFSET: i64 = 2;
/// The value while no answer had a `Date` header.
const UNKNOWN: i64 = i64::MIN;

/// Seconds by which the server's clock is ahead (negative: behind); `None` without a `Date`.
pub(crate) fn seconds_ahead(date: Option<Timestamp>, now: Timestamp) -> Option<i64> {
    date.map(|date| date.as_second() - now.as_second())
}

/// Whether an offset is so large that it must be compensated and reported.
pub(crate) fn is_large(ahead: i64) -> bool {
    ahead.abs() > LARGE
}

/// The offset of one server's clock, shared by all questions to that server.
pub(crate) struct Skew(AtomicI64);

impl Default for Skew {
    fn default() -> Self {
        Self(AtomicI64::new(UNKNOWN))
    }
}

impl Skew {
    /// Sets the offset in seconds; `None`: not known.
    pub(crate) fn set(&self, ahead: Option<i64>) {
        self.0.store(ahead.unwrap_or(UNKNOWN), Ordering::Relaxed);
    }

    /// Updates the offset from an answer's `Date`. Ignores an answer without a date, and a change of up to two seconds.
    pub(crate) fn follow(&self, date: Option<Timestamp>, now: Timestamp) {
        let known = self.0.load(Ordering::Relaxed);
        let is_other =
            |ahead: &i64| known == UNKNOWN || ahead.abs_diff(known) > IGNORED_OFFSET.unsigned_abs();
        if let Some(ahead) = seconds_ahead(date, now).filter(is_other) {
            self.set(Some(ahead));
        }
    }

    /// The offset of the server's clock; zero if it is not known or at most two seconds.
    pub(crate) fn ahead(&self) -> SignedDuration {
        let known = self.0.load(Ordering::Relaxed);
        let counts = known != UNKNOWN && known.unsigned_abs() > IGNORED_OFFSET.unsigned_abs();
        SignedDuration::from_secs(if counts { known } else { 0 })
    }

    /// Converts a local time to the server's clock.
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
        let mut reported = Vec::new();
        for date in [None, Some(2), Some(40), Some(42), None, Some(43), Some(-1), Some(-9)] {
            skew.follow(date.map(at), at(0));
            reported.push(skew.ahead().as_secs());
        }
        assert_eq!(reported, [0, 0, 40, 40, 40, 43, 0, -9]);
        assert_eq!(skew.there(at(10)), at(1));
        skew.set(None);
        assert_eq!(skew.there(at(10)), at(10));
    }
}
