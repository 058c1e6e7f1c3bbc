//! Alerts and incidents that are over although their paging system or their rule does not say so yet: when their bad time ended.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};

use super::{Buckets, ReadSignals, WhyGrid};
use crate::model::why::{CountedSeries, bound_shift, ratio_shift, slower, traffic_shift};

/// A bad time that ended at most this long before the alert or the incident began may be its own: alerts wait before they fire.
const LATE: SignedDuration = SignedDuration::from_mins(10);

/// The end of the bad time that lasted beyond `since`; `None` if a signal is still bad, or if none was.
pub(super) fn end(signals: &ReadSignals, since: Timestamp) -> Option<Timestamp> {
    let since = since.checked_sub(LATE).unwrap_or(since);
    if is_bad(signals) {
        return None;
    }
    let ends = signals.ends(since);
    let found = ends.into_iter().map(|end| (end, severity(&signals.until(end))));
    let worst = found.filter(|(_, severity)| *severity > 0.0).max_by(|a, b| a.1.total_cmp(&b.1));
    worst.map(|(end, _)| end)
}

fn is_bad(signals: &ReadSignals) -> bool {
    let traffic = signals.requests.as_ref().and_then(|(grid, series)| traffic_shift(&series.all, grid.lag));
    severity(signals) > 0.0 || traffic.is_some()
}

/// How bad the failed and slow requests are at the end of the signals; 0 if they are as usual.
fn severity(signals: &ReadSignals) -> f64 {
    let failed = signals
        .requests
        .as_ref()
        .and_then(|(grid, series)| ratio_shift(series, grid.lag, grid.step()))
        .map_or(0.0, |shift| shift.severity);
    let slow = signals
        .buckets
        .as_ref()
        .and_then(|(grid, buckets)| bound_shift(&buckets.cumulative, grid.lag, grid.step()))
        .map_or(0.0, |(_, shift)| super::SLOW * shift.severity);
    // where both are bad, their bad times end one after the other: at the end of the first, both can be explained
    failed + slow
}

impl ReadSignals {
    /// When the ratios of failed requests, and of those slower than each bound, came back to their usual levels.
    fn ends(&self, since: Timestamp) -> Vec<Timestamp> {
        let of = |grid: &WhyGrid, series: &CountedSeries| {
            let from = grid.span.index(since.as_second() as f64).unwrap_or(0);
            let end = series.recovered(grid.lag, grid.step(), from)?;
            Some(grid.span.at(end.saturating_sub(1)))
        };
        let failed = self.requests.as_ref().and_then(|(grid, series)| of(grid, series));
        let slow = self.buckets.as_ref().and_then(|(grid, Buckets { cumulative, .. })| {
            let (all, bounds) = cumulative.split_last()?;
            Some(bounds.iter().filter_map(|below| of(grid, &slower(all, below))).collect::<Vec<_>>())
        });
        let mut ends: Vec<Timestamp> = failed.into_iter().chain(slow.into_iter().flatten()).collect();
        ends.sort_unstable();
        ends.dedup();
        ends
    }

    /// The points up to a moment.
    pub(super) fn until(&self, end: Timestamp) -> Self {
        let cut = |grid: WhyGrid| {
            let (span, points) = grid.span.part(grid.span.start(), end);
            (WhyGrid { span, ..grid }, points)
        };
        let part = |values: &[f64], points: &Range<usize>| values.get(points.clone()).unwrap_or(&[]).to_vec();
        let requests = self.requests.as_ref().map(|(grid, series)| {
            let (grid, points) = cut(*grid);
            let series =
                CountedSeries { all: part(&series.all, &points), failed: part(&series.failed, &points) };
            (grid, series)
        });
        let buckets = self.buckets.as_ref().map(|(grid, Buckets { bounds, cumulative })| {
            let (grid, points) = cut(*grid);
            let cumulative = cumulative.iter().map(|values| part(values, &points)).collect();
            (grid, Buckets { bounds: bounds.clone(), cumulative })
        });
        Self { requests, buckets }
    }
}
