//! The time range of the charts, and the moment on screen.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::ask::{Moment, QueryRange};
use crate::model::duration;
use crate::model::remote::age;
use crate::model::series::TimeGrid;

/// The lengths that can be chosen, the shortest first.
pub fn lengths() -> [Duration; 10] {
    [15, 30, 60, 180, 360, 720, 1440, 2880, 10_080, 43_200].map(|minutes| Duration::from_secs(60 * minutes))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    pub length: Duration,
    /// The end of the range; `None`: the present, which moves on.
    pub end: Option<Timestamp>,
}

impl Default for Range {
    fn default() -> Self {
        Self { length: Duration::from_secs(3600), end: None }
    }
}

impl Range {
    pub fn moment(&self) -> Moment {
        self.end.into()
    }

    /// Moves the range back by half its length.
    pub fn earlier(&mut self, now: Timestamp) {
        let end = self.end.unwrap_or(now);
        self.end = Some(end.checked_sub(self.length / 2).unwrap_or(end));
    }

    /// Moves the range forward by half its length; live again when it reaches the present.
    pub fn later(&mut self, now: Timestamp) {
        self.end = self.end.and_then(|end| end.checked_add(self.length / 2).ok()).filter(|end| *end < now);
    }

    /// The time grid of a chart with at most this many points, and steps of at least this length.
    pub fn span(&self, now: Timestamp, points: u16, at_least: Duration) -> TimeGrid {
        TimeGrid::ending(self.end.unwrap_or(now), self.length, points, at_least)
    }

    /// The range as text: `last 1h`, or `1h until 30m ago`.
    pub fn words(&self, now: Timestamp) -> String {
        let length = duration::short(self.length);
        match self.end {
            None => format!("last {length}"),
            Some(end) => format!("{length} until {} ago", duration::short(age(end, now))),
        }
    }
}

/// The range to query so that `window` is filled, given the grid that is cached.
///
/// The last two cached points are queried again, because they may have been computed before all samples were stored.
pub fn time_range(window: TimeGrid, known: Option<TimeGrid>) -> QueryRange {
    let tail = match known {
        Some(known)
            if known.step() == window.step()
                && known.start() <= window.start()
                && known.end() > window.start() =>
        {
            window.tail_from(known.end().checked_sub(2 * known.step()).unwrap_or(window.start()))
        }
        _ => window,
    };
    QueryRange { window, tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn going_back_and_forth_ends_live() {
        let mut range = Range::default();
        range.earlier(at(100_000));
        assert_eq!(range.end, Some(at(98_200)));
        assert_eq!(range.words(at(100_000)), "1h until 30m ago");
        range.later(at(100_000));
        assert_eq!(range, Range::default());
    }

    #[test]
    fn only_the_tail_is_asked_for_what_is_known() {
        let range = Range::default();
        let least = Duration::from_secs(5);
        let known = range.span(at(99_960), 60, least);
        let window = range.span(at(100_080), 60, least);
        assert_eq!(time_range(window, Some(known)).tail.count(), 5);
        assert_eq!(time_range(window, None).tail, window);
        let wider = Range { length: Duration::from_secs(7200), end: None }.span(at(100_080), 60, least);
        assert_eq!(time_range(wider, Some(known)).tail, wider);
    }
}
