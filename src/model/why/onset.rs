//! When a signal changed: a series is divided into segments of constant level, and the last shift to a worse level is found.
//!
//! Method: optimal partitioning with a penalty for each segment (Jackson et al. 2005, "An algorithm for optimal partitioning of
//! data on an interval"): the division with the least `cost of all segments + penalty x number of segments`.
//!
//! - Of a level, the cost is the sum of squared deviations, and the penalty `PENALTY x noise² x ln(points)`; the noise is the
//!   median absolute difference of points that share no data, so that neither a step nor a slow wave counts as noise.
//! - Of a ratio of counts, the cost is the binomial deviance `-2 (F ln(F / N) + (N - F) ln(1 - F / N))` of F of N requests, and
//!   the penalty `COUNTS_PENALTY x dispersion x ln(points)`: where hardly anything fails, a few failures are much, and where
//!   many do, their number is as uncertain as counts are. The dispersion is how many times larger the variance of points that
//!   share no data is than that of counts (quasi-likelihood: Wedderburn 1974), at least 1.

use std::ops::Range;

/// Factor of the penalty for each segment. 2 would be the Schwarz criterion for independent points; rates over overlapping windows
/// are not independent.
const PENALTY: f64 = 8.0;
/// The same for counts, whose points are as good as independent in sum: each request is counted once.
const COUNTS_PENALTY: f64 = 4.0;
/// A level belongs to the bad time if it is at least this part of the way from the lowest earlier level to the present one.
const ALONG: f64 = 0.4;
/// The fewest points of a segment, so that a single outlier is no level.
const FEWEST: usize = 2;
/// The fewest points of an earlier segment that counts as a usual level.
const USUAL: usize = 3;
/// With this many points the last time at the usual level is long enough to be compared with.
const ENOUGH: usize = 24;

/// A part of a series with one level.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Indexes of the series; the end is exclusive.
    pub points: Range<usize>,
    pub mean: f64,
}

/// A lasting shift of a series to a higher level, up to its last point.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelShift {
    /// The first point of the present level.
    pub start: usize,
    /// The last point with data, exclusive.
    pub end: usize,
    /// The points to compare with: the last time at the usual level, or the longest one if the last is short.
    pub good: Range<usize>,
    /// All points of the usual level before.
    pub usual: Vec<usize>,
    /// The mean of the usual level.
    pub before: f64,
    /// The mean of the present level.
    pub after: f64,
    /// The points of the present level, exclusive of rises before it.
    pub present: Range<usize>,
    /// The standard deviation of a point around the usual level.
    pub noise: f64,
    /// Whether most of the shift happened at its start, and not slowly.
    pub is_step: bool,
}

/// The points with data, each with its index.
fn known(values: &[f64]) -> Vec<(usize, f64)> {
    values.iter().copied().enumerate().filter(|(_, value)| value.is_finite()).collect()
}

/// The median of these values; 0 without values.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// The standard deviation of the noise of a point: from the differences of points that are `lag` apart, by their median, which few
/// steps do not change.
fn noise(points: &[(usize, f64)], lag: usize) -> f64 {
    let later = points.iter().skip(lag.max(1));
    let differences = points.iter().zip(later).map(|((_, a), (_, b))| (b - a).abs()).collect();
    // the median of |a - b| of two normal variables is 0.954 standard deviations
    median(differences) / 0.954
}

/// The sums of the first values, from none to all.
fn sums(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sums = vec![0.0];
    sums.extend(values.scan(0.0, |sum, value| {
        *sum += value;
        Some(*sum)
    }));
    sums
}

/// The sum of the values from one index to another one, from the sums of the first values.
fn between(sums: &[f64], from: usize, to: usize) -> f64 {
    let at = |index: usize| sums.get(index).copied().unwrap_or(0.0);
    at(to) - at(from)
}

/// Divides a series into segments of constant level; points without data (NaN) belong to none. Points that are less than `lag`
/// apart share data.
pub fn segments(values: &[f64], lag: usize) -> Vec<Segment> {
    let points = known(values);
    // around a middle value, so that a small change of a large value is not lost to rounding
    let middle = median(points.iter().map(|(_, value)| *value).collect());
    let deviations = || points.iter().map(|(_, value)| value - middle);
    let (plain, squares) = (sums(deviations()), sums(deviations().map(|value| value * value)));
    let spread = deviations().map(f64::abs).fold(0.0, f64::max);
    let noise = noise(&points, lag).max(spread * 1e-3);
    let cost = |from: usize, to: usize| {
        let sum = between(&plain, from, to);
        between(&squares, from, to) - sum * sum / (to - from).max(1) as f64
    };
    let mean = |from: usize, to: usize| middle + between(&plain, from, to) / (to - from).max(1) as f64;
    let indexes: Vec<usize> = points.iter().map(|(index, _)| *index).collect();
    divide(&indexes, PENALTY * noise * noise, cost, mean)
}

/// Divides a ratio of counts, `failed` of `all` at each point, into segments of constant level; points without requests (NaN or
/// 0) belong to none. Points that are less than `lag` apart share data, but the counts of all points count each request once.
pub fn ratio_segments(all: &[f64], failed: &[f64], lag: usize) -> Vec<Segment> {
    let mut points = Vec::new();
    for (at, all) in all.iter().copied().enumerate().filter(|(_, all)| *all > 0.0 && all.is_finite()) {
        let failed = failed.get(at).copied().filter(|value| value.is_finite()).unwrap_or(0.0);
        points.push((at, all, failed.clamp(0.0, all)));
    }
    let (of_all, of_failed) =
        (sums(points.iter().map(|(_, all, _)| *all)), sums(points.iter().map(|(_, _, failed)| *failed)));
    let part = |count: f64, all: f64| if count > 0.0 { count * (count / all).ln() } else { 0.0 };
    let cost = |from: usize, to: usize| {
        let (all, failed) = (between(&of_all, from, to), between(&of_failed, from, to));
        -2.0 * (part(failed, all) + part(all - failed, all))
    };
    let mean = |from: usize, to: usize| {
        let all = between(&of_all, from, to);
        if all > 0.0 { (between(&of_failed, from, to) / all).clamp(0.0, 1.0) } else { 0.0 }
    };
    let indexes: Vec<usize> = points.iter().map(|(index, ..)| *index).collect();
    divide(&indexes, COUNTS_PENALTY * dispersion(&points, lag), cost, mean)
}

/// How many times larger the variance of the ratio is than that of counts, at least 1. Points are index, all and failed.
fn dispersion(points: &[(usize, f64, f64)], lag: usize) -> f64 {
    let window = lag.max(1) as f64;
    let later = points.iter().skip(lag.max(1));
    let relative =
        |((_, all, failed), (_, later_all, later_failed)): (&(usize, f64, f64), &(usize, f64, f64))| {
            let pooled = (failed + later_failed) / (all + later_all);
            let expected = pooled * (1.0 - pooled) * (1.0 / all + 1.0 / later_all) / window;
            let difference = failed / all - later_failed / later_all;
            if expected > 0.0 { difference * difference / expected } else { 0.0 }
        };
    // the median of the square of a standard normal variable is 0.455
    (median(points.iter().zip(later).map(relative).collect()) / 0.455).max(1.0)
}

/// The division of points, which have these indexes in their series, into segments with the least sum of the cost of each segment
/// and of `penalty x ln(points)` for each. `cost` and `mean` get the first point of a segment and its end, exclusive.
fn divide(
    indexes: &[usize],
    penalty: f64,
    cost: impl Fn(usize, usize) -> f64,
    mean: impl Fn(usize, usize) -> f64,
) -> Vec<Segment> {
    let count = indexes.len();
    if count == 0 {
        return Vec::new();
    }
    let penalty = (penalty * (count.max(2) as f64).ln()).max(f64::MIN_POSITIVE);
    // the least cost of the first points, and where the last segment of that division starts
    let mut best = vec![(0.0, 0_usize)];
    for to in 1..=count {
        let open = (0..to).filter(|from| to - from >= FEWEST.min(count) && (*from == 0 || *from >= FEWEST));
        let total =
            |from: usize| best.get(from).map_or(f64::INFINITY, |(cost, _)| *cost) + cost(from, to) + penalty;
        let least = open.map(|from| (total(from), from)).min_by(|a, b| a.0.total_cmp(&b.0));
        best.push(least.unwrap_or((f64::INFINITY, 0)));
    }
    let mut segments = Vec::new();
    let mut to = count;
    while to > 0 {
        let from = best.get(to).map_or(0, |(_, from)| *from).min(to - 1);
        let first = indexes.get(from).copied().unwrap_or_default();
        let end = indexes.get(to - 1).map_or(0, |index| index + 1);
        segments.push(Segment { points: first..end, mean: mean(from, to) });
        to = from;
    }
    segments.reverse();
    segments
}

fn mean_of(points: &[(usize, f64)]) -> Option<f64> {
    (!points.is_empty()).then(|| points.iter().map(|(_, value)| value).sum::<f64>() / points.len() as f64)
}

/// The last shift of a series to a higher level that lasts until its end; `None` if the present level is not above an earlier one.
/// Whether the difference means anything is for the caller to judge by `noise` and the counts behind the values.
pub fn last_shift(values: &[f64], lag: usize) -> Option<LevelShift> {
    shift_of(&segments(values, lag), values, lag)
}

/// The last shift of a series that is divided into these segments, as [`last_shift`].
pub fn shift_of(segments: &[Segment], values: &[f64], lag: usize) -> Option<LevelShift> {
    let (present, earlier) = segments.split_last()?;
    let usual = earlier.iter().filter(|segment| segment.points.len() >= USUAL).map(|segment| segment.mean);
    let lowest = usual.min_by(f64::total_cmp)?;
    let limit = lowest + ALONG * (present.mean - lowest);
    if present.mean <= lowest {
        return None;
    }
    let is_bad = |segment: &Segment| segment.mean >= limit;
    let bad = segments.iter().rev().take_while(|segment| is_bad(segment)).count();
    let (before_it, bad_segments) = segments.split_at(segments.len() - bad);
    let start = bad_segments.first()?.points.start;
    let runs = usual_runs(before_it, is_bad, lag);
    // a short time between two incidents is compared with less certainty than a longer one before
    let good = match runs.last()? {
        last if last.len() >= ENOUGH => last.clone(),
        _ => runs.iter().max_by_key(|run| run.len())?.clone(),
    };
    let all = known(values);
    let within = |range: &Range<usize>| -> Vec<(usize, f64)> {
        all.iter().copied().filter(|(index, _)| range.contains(index)).collect()
    };
    let usual: Vec<(usize, f64)> = runs.iter().flat_map(within).collect();
    let before = mean_of(&usual)?;
    let now = within(&present.points);
    let after = mean_of(&now)?;
    let variance = usual.iter().map(|(_, value)| (value - before) * (value - before)).sum::<f64>();
    let own = (variance / usual.len() as f64).sqrt();
    let noise = own.max(noise(&usual, lag));
    // within one window after the start, the values have left the usual level
    let soon = within(&(start..start + 2 * lag + 2));
    let highest = soon.iter().map(|(_, value)| *value).fold(f64::NEG_INFINITY, f64::max);
    let is_step = highest - before >= 0.6 * (after - before);
    let usual = usual.into_iter().map(|(index, _)| index).collect();
    let (end, present) = (present.points.end, present.points.clone());
    Some(LevelShift { start, end, good, usual, before, after, present, noise, is_step })
}

/// The end, exclusive, of the last time above the usual level that lasted beyond the point `since` of a series with these segments;
/// `None` if it lasts until the end of the series, or if there was none.
pub fn recovered(segments: &[Segment], since: usize) -> Option<usize> {
    let usual = segments.iter().filter(|segment| segment.points.len() >= USUAL).map(|segment| segment.mean);
    let lowest = usual.min_by(f64::total_cmp)?;
    let later = || segments.iter().filter(|segment| segment.points.end > since);
    let worst = later().map(|segment| segment.mean).max_by(f64::total_cmp)?;
    let limit = lowest + ALONG * (worst - lowest);
    let last = later().rfind(|segment| segment.mean >= limit)?;
    (segments.last()? != last).then_some(last.points.end)
}

/// The runs of segments at the usual level, without the points that may contain a part of another level.
fn usual_runs(segments: &[Segment], is_bad: impl Fn(&Segment) -> bool, lag: usize) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut was_bad = false;
    let first = segments.first().map_or(0, |segment| segment.points.start);
    for segment in segments {
        let bad = is_bad(segment);
        match runs.last_mut() {
            Some(run) if !bad && !was_bad => run.end = segment.points.end,
            _ if !bad => runs.push(segment.points.clone()),
            _ => {}
        }
        was_bad = bad;
    }
    let trimmed = runs.iter().map(|run| {
        let start = if run.start == first { run.start } else { run.start + lag };
        start..run.end.saturating_sub(lag.min(2))
    });
    let long: Vec<Range<usize>> = trimmed.filter(|run| run.len() >= USUAL).collect();
    if long.is_empty() { runs } else { long }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A series with small alternating noise.
    fn levels(parts: &[(f64, usize)], noise: f64) -> Vec<f64> {
        let flat = parts.iter().flat_map(|(level, count)| std::iter::repeat_n(*level, *count));
        flat.enumerate().map(|(at, level)| level + noise * [0.0, 1.0, -1.0, 0.5, -0.5][at % 5]).collect()
    }

    #[test]
    fn a_series_is_divided_where_its_level_changes() {
        let values = levels(&[(0.01, 40), (0.30, 20), (0.02, 30)], 0.002);
        let found: Vec<_> = segments(&values, 3).into_iter().map(|segment| segment.points).collect();
        assert_eq!(found, [0..40, 40..60, 60..90]);
        assert_eq!(segments(&levels(&[(5.0, 50)], 0.3), 3).len(), 1);
        assert_eq!(segments(&[], 3), []);
        assert_eq!(segments(&[f64::NAN; 4], 3), []);
    }

    #[test]
    fn few_failures_of_what_never_failed_are_a_level_and_chance_is_none() {
        // 25 requests a second at points 5 s apart; 12 failures within 40 s, as they came
        let mut failed = vec![0.0; 88];
        failed.extend([0.25, 0.38, 0.4, 1.17, 1.56, 0.68, 0.0, 0.3].map(|rate| 5.0 * rate));
        let all = vec![125.0; failed.len()];
        let found = ratio_segments(&all, &failed, 3);
        assert_eq!(found.iter().map(|segment| segment.points.clone()).collect::<Vec<_>>(), [0..88, 88..96]);
        // one in 500 fails, now and then
        let failed: Vec<f64> = (0..96).map(|at| [0.0, 0.6, 0.2, 0.0, 0.0, 0.4, 0.7, 0.1][at % 8]).collect();
        assert_eq!(ratio_segments(&all, &failed, 3).len(), 1);
        // what varies more than counts do, such as a tenth of millions of requests, is not divided at each wave
        let all = vec![1e6; 96];
        let failed: Vec<f64> = (0..96).map(|at| 1e5 + 4e3 * [0.0, 1.0, -1.0, 0.5, -0.5][at % 5]).collect();
        assert_eq!(ratio_segments(&all, &failed, 3).len(), 1);
        assert_eq!(ratio_segments(&[], &[], 3), []);
        assert_eq!(ratio_segments(&[0.0, f64::NAN], &[0.0, 1.0], 3), []);
    }

    #[test]
    fn the_last_shift_lasts_until_the_end_and_its_good_time_is_right_before_it() {
        let values = levels(&[(0.3, 20), (0.01, 40), (0.30, 6)], 0.002);
        let shift = last_shift(&values, 3).unwrap();
        assert_eq!((shift.start, shift.end), (60, 66));
        // an earlier incident is no usual level, and the points beside a shift are left out
        assert_eq!(shift.good, 23..58);
        assert_eq!(shift.usual.len(), 35);
        assert!((shift.before - 0.01).abs() < 0.001 && (shift.after - 0.3).abs() < 0.005, "{shift:?}");
        assert!(shift.is_step && shift.noise < 0.003, "{shift:?}");
    }

    #[test]
    fn what_is_over_or_never_changed_is_no_shift() {
        let over = levels(&[(0.01, 40), (0.30, 20), (0.01, 30)], 0.002);
        assert!(last_shift(&over, 3).is_none_or(|shift| shift.after - shift.before < 0.002));
        assert_eq!(last_shift(&levels(&[(0.3, 40)], 0.0), 3), None);
        assert_eq!(last_shift(&[1.0], 3), None);
        assert_eq!(last_shift(&[], 3), None);
    }

    #[test]
    fn a_short_time_between_two_incidents_is_not_compared_with_if_there_is_a_longer_one() {
        let values = levels(&[(0.01, 50), (0.3, 10), (0.01, 8), (0.30, 6)], 0.002);
        let shift = last_shift(&values, 3).unwrap();
        assert_eq!((shift.start, shift.good), (68, 0..48));
    }

    #[test]
    fn after_an_incident_the_present_level_counts_and_not_the_mean_since_it_began() {
        let values = levels(&[(0.010, 40), (0.30, 10), (0.012, 30)], 0.0005);
        let shift = last_shift(&values, 3).unwrap();
        assert!(shift.after < 0.02, "{shift:?}");
    }

    #[test]
    fn what_is_over_ended_at_the_end_of_its_last_bad_level() {
        let over = levels(&[(0.01, 40), (0.30, 10), (0.20, 10), (0.01, 30)], 0.002);
        assert_eq!(recovered(&segments(&over, 3), 45), Some(60));
        // what ended before that moment is another incident
        assert_eq!(recovered(&segments(&over, 3), 61), None);
        let lasts = levels(&[(0.01, 40), (0.30, 10)], 0.002);
        assert_eq!(recovered(&segments(&lasts, 3), 45), None);
        assert_eq!(recovered(&segments(&levels(&[(0.3, 40)], 0.0), 3), 10), None);
        assert_eq!(recovered(&[], 0), None);
        let shift = last_shift(&over[..60], 3).unwrap();
        assert_eq!((shift.start, shift.end), (40, 60));
    }

    #[test]
    fn points_without_data_are_skipped_and_data_may_end_early() {
        let mut values = levels(&[(0.01, 40), (0.30, 10)], 0.002);
        values[10] = f64::NAN;
        values[42] = f64::NAN;
        values.extend([f64::NAN; 5]);
        let shift = last_shift(&values, 3).unwrap();
        assert_eq!((shift.start, shift.end), (40, 50));
    }

    #[test]
    fn a_slow_rise_is_no_step() {
        let rise: Vec<f64> = (0..120).map(|at| 100.0 + f64::from(at)).collect();
        assert!(last_shift(&rise, 3).is_none_or(|shift| !shift.is_step));
    }

    proptest! {
        #[test]
        fn segments_cover_all_points_in_order(values in proptest::collection::vec(-1e6..1e6_f64, 0..60), lag in 1..5_usize) {
            let found = segments(&values, lag);
            let covered: Vec<usize> = found.iter().flat_map(|segment| segment.points.clone()).collect();
            prop_assert_eq!(covered, (0..values.len()).collect::<Vec<_>>());
        }

        #[test]
        fn segments_of_counts_cover_all_points_and_their_levels_are_ratios(
            counts in proptest::collection::vec((0.1..1e6_f64, 0.0..1.0_f64), 0..60), lag in 1..5_usize,
        ) {
            let (all, failed): (Vec<f64>, Vec<f64>) =
                counts.into_iter().map(|(all, ratio)| (all, all * ratio)).unzip();
            let found = ratio_segments(&all, &failed, lag);
            let covered: Vec<usize> = found.iter().flat_map(|segment| segment.points.clone()).collect();
            prop_assert_eq!(covered, (0..all.len()).collect::<Vec<_>>());
            prop_assert!(found.iter().all(|segment| (0.0..=1.0).contains(&segment.mean)));
        }

        #[test]
        fn a_shift_does_not_depend_on_unit_and_zero(
            low in 0.0..10.0_f64, rise in 1.0..10.0_f64, unit in 0.001..1000.0_f64, count in 4..30_usize,
        ) {
            let values = levels(&[(low, 40), (low + rise, count)], 0.01);
            let scaled: Vec<f64> = values.iter().map(|value| unit * value).collect();
            let (one, other) = (last_shift(&values, 3).unwrap(), last_shift(&scaled, 3).unwrap());
            prop_assert_eq!(one.start, 40);
            prop_assert_eq!((one.start, one.end, &one.good), (other.start, other.end, &other.good));
            prop_assert!((one.after * unit - other.after).abs() < 1e-6 * unit * (low + rise));
        }
    }
}
