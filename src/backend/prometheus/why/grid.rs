//! The points over which an analysis reads its series, and the times between which it compares.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::neighbours::begins;
use crate::model::series::TimeGrid;
use crate::model::slo::TimeRange;
use crate::model::why::{SignalShift, WhyQuery};

/// How far back the change is looked for, in points and at least in time.
const POINTS: u16 = 360;
const LOOKED_BACK: Duration = Duration::from_secs(30 * 60);
/// The fewest points, where a service has very many series.
const FEWEST_POINTS: f64 = 12.0;
/// About this many values are computed for one series of points.
const COMPUTED: f64 = 3e6;
/// The longest parts of the good and the bad time that are compared.
const LONGEST_COMPARED: SignedDuration = SignedDuration::from_mins(60);

/// Over which points the signals are read.
#[derive(Clone, Copy)]
pub(super) struct WhyGrid {
    pub(super) span: TimeGrid,
    pub(super) lookback: Duration,
    /// The number of points whose windows overlap.
    pub(super) lag: usize,
}

impl WhyGrid {
    pub(super) fn step(self) -> f64 {
        self.span.step().as_secs_f64()
    }

    /// A grid for metrics with this many series.
    pub(super) fn new(query: &WhyQuery, end: Timestamp, interval: Duration, series: f64) -> Self {
        let since = query.since.map(|since| end.duration_since(since).max(SignedDuration::ZERO));
        let known = since.and_then(|since| Duration::try_from(since).ok()).unwrap_or_default();
        let range = LOOKED_BACK.max(known.saturating_mul(2)).max(interval.saturating_mul(60));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
        let points = (COMPUTED / series.max(1.0)).clamp(FEWEST_POINTS, f64::from(POINTS)) as u16;
        let span = TimeGrid::ending(end, range, points, interval);
        // three scrapes, so that one that is late or lost leaves a rate
        let lookback = Duration::from_secs(interval.saturating_mul(3).max(span.step()).as_secs().max(1));
        let lag = usize::try_from(lookback.as_secs().div_ceil(span.step().as_secs().max(1))).unwrap_or(1);
        Self { span, lookback, lag }
    }

    /// The times to compare for a shift.
    pub(super) fn times(
        self,
        shift: &SignalShift,
        end: Timestamp,
    ) -> (Timestamp, TimeRange, Option<TimeRange>) {
        let onset = begins(self.span, shift.bad.start, self.lookback);
        let last = self.span.at(shift.bad.end.saturating_sub(1));
        // up to the moment of the question, unless the data end earlier
        let until = if last < self.span.at(self.span.count().saturating_sub(2)) { last } else { end };
        let start = onset.max(until.checked_sub(LONGEST_COMPARED).unwrap_or(onset)).min(until);
        let good = shift.good.as_ref().map(|points| {
            let end = self.span.at(points.end.saturating_sub(1));
            let start = self.span.at(points.start).max(end.checked_sub(LONGEST_COMPARED).unwrap_or(end));
            TimeRange { start, end }
        });
        (onset, TimeRange { start, end: until }, good)
    }
}
