//! Whether a signal changed for the worse, and between which times it is compared.

use std::ops::Range;

use super::onset::{LevelShift, Segment, last_shift, median, ratio_segments, recovered, shift_of};

/// How many standard deviations a change must be, both of the counts and of the usual level.
const SIGMAS: f64 = 5.0;
/// The smallest rises of the ratio of failed or slow requests, each with the fewest requests of the rise and how many times the
/// usual ratio it must be: what fails in a small part of the requests is a small rise of all, but a large one of what was
/// hardly ever seen.
const RATIO_RISES: [(f64, f64, f64); 2] = [(0.002, 5.0, 1.5), (0.0003, 12.0, 5.0)];
/// A bound is nearly as good as the best with this part of its rise.
const NEARLY: f64 = 0.9;
/// Without data from before, this ratio of failed requests is bad.
const RATIO_ALONE: f64 = 0.02;
/// The smallest relative change of the request rate, and of free space.
const TRAFFIC_CHANGE: f64 = 0.15;
const FREE_CHANGE: f64 = 0.25;
/// The smallest relative rise of a level.
const LEVEL_CHANGE: f64 = 0.5;
/// The smallest change of a level that is a ratio.
const UTILISATION_CHANGE: f64 = 0.1;
/// More or fewer requests are less bad than those that fail: three times the traffic is as bad as 1.3 % failed requests.
const TRAFFIC_SEVERITY: f64 = 0.02;
/// A utilisation below this is no trouble, however it changed.
const UTILISATION_LEAST: f64 = 0.7;
/// A level alone is less bad than requests that fail.
const LEVEL_SEVERITY: f64 = 0.4;

/// The requests of a signal over time, NaN where there are no data.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CountedSeries {
    /// Requests per second.
    pub all: Vec<f64>,
    /// Failed or slow requests per second.
    pub failed: Vec<f64>,
}

impl CountedSeries {
    /// failed / all at each point; NaN without requests. No failures are zero failures where there are requests.
    pub fn ratios(&self) -> Vec<f64> {
        let failed =
            |at: usize| self.failed.get(at).copied().filter(|value| value.is_finite()).unwrap_or(0.0);
        let ratio = |(at, all): (usize, &f64)| {
            if *all > 0.0 { (failed(at) / all).clamp(0.0, 1.0) } else { f64::NAN }
        };
        self.all.iter().enumerate().map(ratio).collect()
    }

    /// The ratio divided into segments of constant level. `lag` is the number of points that share data, `step` the seconds between
    /// two.
    fn segments(&self, lag: usize, step: f64) -> Vec<Segment> {
        let count = |values: &[f64]| values.iter().map(|value| step * value).collect::<Vec<f64>>();
        ratio_segments(&count(&self.all), &count(&self.failed), lag)
    }

    /// The end, exclusive, of the last time with a higher ratio than usual that lasted beyond the point `since`; `None` if it lasts
    /// until the end of the series, or if there was none.
    pub fn recovered(&self, lag: usize, step: f64, since: usize) -> Option<usize> {
        recovered(&self.segments(lag, step), since)
    }

    /// All and failed requests at these points, which are `step` seconds apart.
    fn counts(&self, points: impl IntoIterator<Item = usize>, step: f64) -> (f64, f64) {
        let at = |values: &[f64], point: usize| {
            values.get(point).copied().filter(|value| value.is_finite()).unwrap_or(0.0)
        };
        points.into_iter().fold((0.0, 0.0), |(all, failed), point| {
            (all + step * at(&self.all, point), failed + step * at(&self.failed, point))
        })
    }
}

/// A significant change of a signal.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalShift {
    /// The first point of the bad time, and the end of its data, exclusive.
    pub bad: Range<usize>,
    /// The points of the good time; `None` if there are no data from before.
    pub good: Option<Range<usize>>,
    pub before: Option<f64>,
    pub after: f64,
    /// How bad it is, 0 to 1.
    pub severity: f64,
}

impl SignalShift {
    fn of(shift: &LevelShift, severity: f64) -> Self {
        Self {
            bad: shift.start..shift.end,
            good: Some(shift.good.clone()),
            before: Some(shift.before),
            after: shift.after,
            severity: severity.clamp(0.0, 1.0),
        }
    }
}

/// Whether the ratio of failed requests rose. `lag` is the number of points that share data, `step` the seconds between two.
pub fn ratio_shift(series: &CountedSeries, lag: usize, step: f64) -> Option<SignalShift> {
    let ratios = series.ratios();
    if let Some(shift) = shift_of(&series.segments(lag, step), &ratios, lag) {
        return is_ratio_rise(series, &shift, step)
            .then(|| SignalShift::of(&shift, shift.after - shift.before));
    }
    // the same level since the data began: nothing to compare with, but failures are failures
    let known: Vec<usize> =
        ratios.iter().enumerate().filter(|(_, value)| value.is_finite()).map(|(at, _)| at).collect();
    let (first, last) = (*known.first()?, *known.last()?);
    let is_young = first > ratios.len() / 4;
    let (all, failed) = series.counts(first..=last, step);
    let after = if all > 0.0 { failed / all } else { return None };
    let is_bad = is_young && after >= RATIO_ALONE && failed >= SIGMAS * SIGMAS;
    is_bad.then_some(SignalShift { bad: first..last + 1, good: None, before: None, after, severity: after })
}

fn is_ratio_rise(series: &CountedSeries, shift: &LevelShift, step: f64) -> bool {
    let rise = shift.after - shift.before;
    let (good, good_failed) = series.counts(shift.usual.iter().copied(), step);
    let (bad, bad_failed) = series.counts(shift.present.clone(), step);
    if good <= 0.0 || bad <= 0.0 {
        return false;
    }
    let pooled = ((good_failed + bad_failed + 0.5) / (good + bad + 1.0)).clamp(0.0, 1.0);
    let deviation = (pooled * (1.0 - pooled) * (1.0 / good + 1.0 / bad)).sqrt();
    // one or two failures are chance, however rare they usually are
    let excess = bad_failed - bad * shift.before;
    let is_large = |(least, fewest, factor): (f64, f64, f64)| {
        rise >= least && excess >= fewest && shift.after >= factor * shift.before
    };
    RATIO_RISES.into_iter().any(is_large) && rise >= SIGMAS * deviation && rise >= SIGMAS * shift.noise
}

/// The bucket bound that separates the latencies of bad and good time best: of the cumulative counts per second of each bound, sorted
/// by bound and the last one being all requests, the one with the largest rise of slower requests (the distance of Kolmogorov and
/// Smirnov). Returns the index of the bound.
pub fn bound_shift(cumulative: &[Vec<f64>], lag: usize, step: f64) -> Option<(usize, SignalShift)> {
    let (all, bounds) = cumulative.split_last()?;
    let shifts = bounds.iter().enumerate().filter_map(|(at, below)| {
        let shift = ratio_shift(&slower(all, below), lag, step)?;
        // without data from before no bound can be chosen
        shift.good.is_some().then_some((at, shift))
    });
    let shifts: Vec<(usize, SignalShift)> = shifts.collect();
    let largest = shifts.iter().map(|(_, shift)| shift.severity).fold(0.0, f64::max);
    // of bounds that are nearly as good, the one with the fewest slow requests before
    let before = |shift: &SignalShift| shift.before.unwrap_or(1.0);
    let good = shifts.into_iter().filter(|(_, shift)| shift.severity >= NEARLY * largest);
    good.min_by(|(_, a), (_, b)| before(a).total_cmp(&before(b)))
}

/// The requests that are slower than a bound. Counters that are rounded or read apart differ by a few requests to and fro: a point
/// with fewer than no slow requests is made up for by the next points, so that only a lasting difference counts.
pub fn slower(all: &[f64], below: &[f64]) -> CountedSeries {
    let mut owed = 0.0;
    let slow = all.iter().zip(below).map(|(all, below)| {
        let difference = all - below;
        let slow = owed + if difference.is_finite() { difference } else { 0.0 };
        owed = slow.min(0.0);
        slow.max(0.0)
    });
    CountedSeries { all: all.to_vec(), failed: slow.collect() }
}

/// Whether the request rate rose or fell at once.
pub fn traffic_shift(rates: &[f64], lag: usize) -> Option<SignalShift> {
    let negative: Vec<f64> = rates.iter().map(|rate| -rate).collect();
    let is_step = |shift: &LevelShift, rates: &[f64]| {
        // a rate that comes back to what it was for most of the time has not changed
        let earlier = rates.iter().take(shift.start).copied().filter(|rate| rate.is_finite()).collect();
        let usual = median(earlier);
        let is_new = (shift.after - usual).abs() >= TRAFFIC_CHANGE * usual.abs();
        shift.is_step && is_new && is_change(shift, TRAFFIC_CHANGE)
    };
    let risen = last_shift(rates, lag).filter(|shift| is_step(shift, rates));
    let fallen = last_shift(&negative, lag).filter(|shift| is_step(shift, &negative));
    let severity = |shift: &LevelShift| {
        let (low, high) =
            (shift.before.abs().min(shift.after.abs()), shift.before.abs().max(shift.after.abs()));
        if high > 0.0 { TRAFFIC_SEVERITY * (1.0 - low / high) } else { 0.0 }
    };
    let risen = risen.map(|shift| SignalShift::of(&shift, severity(&shift)));
    let fallen = fallen.map(|shift| positive(SignalShift::of(&shift, severity(&shift))));
    risen.into_iter().chain(fallen).max_by(|a, b| a.severity.total_cmp(&b.severity))
}

/// The shift of a series from that of its negative.
fn positive(shift: SignalShift) -> SignalShift {
    SignalShift { before: shift.before.map(|before| -before), after: -shift.after, ..shift }
}

fn is_change(shift: &LevelShift, least: f64) -> bool {
    let change = shift.after - shift.before;
    change >= SIGMAS * shift.noise && change >= least * shift.before.abs()
}

/// Which change of a level is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LevelKind {
    /// A utilisation from 0 to 1: bad when it rises.
    Ratio,
    /// A queue: bad when it rises.
    Rising,
    /// Free space: bad when it falls.
    Falling,
}

/// Whether a level changed for the worse.
pub fn level_shift(values: &[f64], lag: usize, kind: LevelKind) -> Option<SignalShift> {
    let change = |shift: &LevelShift| (shift.after - shift.before).abs();
    match kind {
        LevelKind::Ratio => {
            let shift = last_shift(values, lag)?;
            let is_large = change(&shift) >= UTILISATION_CHANGE
                && shift.after >= UTILISATION_LEAST
                && is_change(&shift, 0.0);
            is_large.then(|| SignalShift::of(&shift, LEVEL_SEVERITY * change(&shift)))
        }
        LevelKind::Rising => {
            let shift = last_shift(values, lag).filter(|shift| is_change(shift, LEVEL_CHANGE))?;
            let part = change(&shift) / shift.after.abs().max(f64::MIN_POSITIVE);
            Some(SignalShift::of(&shift, LEVEL_SEVERITY * part))
        }
        LevelKind::Falling => {
            let negative: Vec<f64> = values.iter().map(|value| -value).collect();
            let shift = last_shift(&negative, lag).filter(|shift| is_change(shift, FREE_CHANGE))?;
            let part = change(&shift) / shift.before.abs().max(f64::MIN_POSITIVE);
            Some(positive(SignalShift::of(&shift, LEVEL_SEVERITY * part)))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn steady(level: f64, count: usize) -> Vec<f64> {
        (0..count).map(|at| level * (1.0 + 0.02 * [0.0, 1.0, -1.0, 0.5, -0.5][at % 5])).collect()
    }

    fn counted(parts: &[(f64, usize)], rate: f64) -> CountedSeries {
        let failed = parts.iter().flat_map(|(ratio, count)| steady(ratio * rate, *count)).collect::<Vec<_>>();
        CountedSeries { all: steady(rate, failed.len()), failed }
    }

    #[test]
    fn failures_that_begin_are_found_with_their_levels() {
        let shift = ratio_shift(&counted(&[(0.001, 80), (0.04, 8)], 50.0), 3, 5.0).unwrap();
        assert_eq!(shift.bad, 80..88);
        assert!(
            (shift.before.unwrap() - 0.001).abs() < 1e-4 && (shift.after - 0.04).abs() < 0.002,
            "{shift:?}"
        );
    }

    #[test]
    fn what_fails_in_a_small_part_of_many_requests_stands_out_if_it_hardly_ever_failed() {
        // 0.1 % of 180 requests a second, and never before
        let shift = ratio_shift(&counted(&[(0.0, 80), (0.001, 14)], 180.0), 3, 5.0).unwrap();
        assert_eq!(shift.bad, 80..94);
        // the same rise of what usually fails
        assert_eq!(ratio_shift(&counted(&[(0.002, 80), (0.003, 14)], 180.0), 3, 5.0), None);
        // of few requests
        assert_eq!(ratio_shift(&counted(&[(0.0, 80), (0.001, 14)], 10.0), 3, 5.0), None);
    }

    #[test]
    fn a_dozen_failures_that_are_over_have_an_end() {
        let series = counted(&[(0.0, 60), (0.004, 10), (0.0, 30)], 50.0);
        assert_eq!(series.recovered(3, 5.0, 55), Some(70));
        assert_eq!(series.recovered(3, 5.0, 75), None);
        // one that goes on has none
        assert_eq!(counted(&[(0.0, 60), (0.004, 20)], 50.0).recovered(3, 5.0, 55), None);
    }

    #[test]
    fn few_requests_and_small_changes_prove_nothing() {
        // 0.02 requests a second: one or two failed ones
        assert_eq!(ratio_shift(&counted(&[(0.001, 80), (0.04, 8)], 0.02), 3, 5.0), None);
        assert_eq!(ratio_shift(&counted(&[(0.010, 80), (0.011, 8)], 500.0), 3, 5.0), None);
        assert_eq!(ratio_shift(&counted(&[(0.001, 88)], 50.0), 3, 5.0), None);
        assert_eq!(ratio_shift(&CountedSeries::default(), 3, 5.0), None);
    }

    #[test]
    fn a_service_that_did_not_exist_before_has_no_good_time() {
        let none = vec![f64::NAN; 60];
        let series = CountedSeries {
            all: [none.clone(), steady(50.0, 20)].concat(),
            failed: [none, steady(20.0, 20)].concat(),
        };
        let shift = ratio_shift(&series, 3, 5.0).unwrap();
        assert_eq!((shift.bad, shift.good, shift.before), (60..80, None, None));
        // one that always failed has nothing to explain
        assert_eq!(ratio_shift(&counted(&[(0.4, 80)], 50.0), 3, 5.0), None);
    }

    #[test]
    fn counters_that_are_rounded_apart_make_no_slow_requests() {
        // after a minute of slow requests the counters of all and of fast requests differ by one to and fro
        let all = vec![240.0; 120];
        let wobble = [0.2, -0.2, 0.4, 0.0, -0.4, -0.2, 0.2, 0.0];
        let below = |slow: f64| -> Vec<f64> {
            let at = |point: usize| match point {
                ..40 => 0.0,
                40..52 => slow,
                _ => wobble[point % wobble.len()],
            };
            (0..120).map(|point| 240.0 - at(point)).collect()
        };
        assert_eq!(ratio_shift(&slower(&all, &below(3.0)), 3, 5.0), None);
        assert!(ratio_shift(&slower(&all[..50], &below(3.0)[..50]), 3, 5.0).is_some());
        // what is lost at one point is not gained at the next, and the sum stays that of the counters
        for slow in [slower(&all, &below(0.0)), slower(&all, &below(3.0))] {
            assert!(slow.failed.iter().all(|value| *value >= 0.0));
            assert!(slow.failed[52..].iter().sum::<f64>() < 1.0, "{slow:?}");
        }
        assert_eq!(slower(&[5.0, f64::NAN, 5.0], &[4.0, 4.0, f64::NAN]).failed, [1.0, 0.0, 0.0]);
    }

    #[test]
    fn the_bound_with_the_largest_rise_of_slower_requests_is_chosen() {
        // bounds 0.1, 0.5, 1, infinity; 20 % of the requests become slower by about 0.6 s
        let line = |good: f64, bad: f64| [steady(good, 80), steady(bad, 10)].concat();
        let cumulative = [line(60.0, 48.0), line(98.0, 79.0), line(99.9, 95.0), line(100.0, 100.0)];
        let (at, shift) = bound_shift(&cumulative, 3, 5.0).unwrap();
        assert_eq!((at, shift.bad), (1, 80..90));
        assert_eq!(bound_shift(&[steady(5.0, 90)], 3, 5.0), None);
        assert_eq!(bound_shift(&[], 3, 5.0), None);
    }

    #[test]
    fn a_step_of_the_traffic_is_told_and_the_hours_of_the_day_are_not() {
        let risen = traffic_shift(&[steady(100.0, 80), steady(300.0, 10)].concat(), 3).unwrap();
        assert!((risen.after - 300.0).abs() < 5.0, "{risen:?}");
        let fallen = traffic_shift(&[steady(100.0, 80), steady(20.0, 10)].concat(), 3).unwrap();
        assert!((fallen.after - 20.0).abs() < 2.0 && fallen.before.unwrap() > 90.0, "{fallen:?}");
        // the end of a fall is no rise
        let back = [steady(100.0, 60), steady(20.0, 12), steady(100.0, 10)].concat();
        assert_eq!(traffic_shift(&back, 3), None);
        let day: Vec<f64> = (0..240).map(|at| 100.0 + 40.0 * (f64::from(at) / 120.0).sin()).collect();
        assert_eq!(traffic_shift(&day, 3), None);
    }

    #[test]
    fn a_utilisation_that_rises_and_free_space_that_falls_are_told() {
        assert!(level_shift(&[steady(0.4, 80), steady(0.98, 8)].concat(), 1, LevelKind::Ratio).is_some());
        // half full is no trouble
        assert_eq!(level_shift(&[steady(0.4, 80), steady(0.6, 8)].concat(), 1, LevelKind::Ratio), None);
        assert_eq!(level_shift(&[steady(0.9, 80), steady(0.3, 8)].concat(), 1, LevelKind::Ratio), None);
        let falls = [steady(5e11, 80), steady(1e11, 8)].concat();
        assert!(level_shift(&falls, 1, LevelKind::Falling).is_some_and(|shift| shift.before.unwrap() > 4e11));
        assert_eq!(level_shift(&falls, 1, LevelKind::Rising), None);
        assert!(level_shift(&[steady(20.0, 80), steady(2500.0, 8)].concat(), 1, LevelKind::Rising).is_some());
    }

    proptest! {
        #[test]
        fn a_steady_signal_never_stands_out(rate in 0.1..1e5_f64, ratio in 0.0..1.0_f64, count in 3..200_usize) {
            let series = counted(&[(ratio, count)], rate);
            prop_assert_eq!(ratio_shift(&series, 3, 5.0), None);
            prop_assert_eq!(traffic_shift(&series.all, 3), None);
            for kind in [LevelKind::Ratio, LevelKind::Rising, LevelKind::Falling] {
                prop_assert_eq!(level_shift(&series.failed, 3, kind), None);
            }
        }
    }
}
