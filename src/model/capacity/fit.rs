//! The trend of a usage over one lookback: outliers and resets are recognised, and the slope has an interval.

use super::points::{UsagePoint, median};
use super::season::Season;

/// A trend needs at least this many points.
pub(super) const LEAST_POINTS: usize = 8;
/// A trend needs points that cover at least this many days: ten minutes.
pub(super) const LEAST_DAYS: f64 = 10.0 / 1440.0;
/// More points are thinned to this many before slopes are computed, because the number of pairs grows with its square.
const MOST_POINTS: usize = 64;
/// The quantile of the normal distribution for a two-sided interval of 90 %.
const NINETY: f64 = 1.645;
/// The factor from the median absolute deviation to the standard deviation of a normal distribution.
const MAD: f64 = 1.4826;
/// The factor from the mean absolute deviation to the standard deviation of a normal distribution.
const MEAN_DEVIATION: f64 = 1.2533;
/// A step is a reset if it is larger than this many standard deviations of the other steps ...
const STEP_DEVIATIONS: f64 = 8.0;
/// ... and than this share of the highest usage.
const STEP_SHARE: f64 = 0.03;
/// So many resets within one lookback are a pattern, which is expected to go on.
const REGULAR_RESETS: usize = 3;
/// A regular reset is expected at the latest after this many of the usual intervals.
const LATE_RESET: f64 = 1.5;

/// The trend over one lookback. Times are in days, values in the unit of the usage.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct TrendFit {
    /// The growth per day: the median of the slopes between all pairs of points.
    pub(super) slope: f64,
    /// Half of the 90 % interval of the slope.
    pub(super) half: f64,
    /// The usage now according to the trend, without the season.
    pub(super) level: f64,
    /// Nine of ten measurements are within this distance of the trend.
    pub(super) noise: f64,
    /// How fast the usage strays from the trend: the variance per day of its changes over an eighth of the time. 0 for a usage that
    /// always returns to the trend.
    pub(super) straying: f64,
    /// How much time the points cover.
    pub(super) days: f64,
    pub(super) season: Option<Season>,
    /// How many resets there were in the lookback.
    pub(super) resets: usize,
    /// When the next regular reset is expected at the latest, in days from now.
    pub(super) next_reset: Option<f64>,
}

impl TrendFit {
    /// When the trend with this slope reaches `limit`, in days from now; `None`: never. `now` is the evaluation in days of Unix time.
    pub(super) fn reaches(&self, limit: f64, slope: f64, now: f64) -> Option<f64> {
        let gap = limit - self.level;
        match &self.season {
            None if gap <= 0.0 => Some(0.0),
            None => (slope > 0.0).then(|| gap / slope),
            Some(season) => season.reaches(gap, slope, now),
        }
    }

    /// Nine of ten measurements are within this distance of the trend after so many days.
    pub(super) fn noise_after(&self, days: f64) -> f64 {
        self.noise.hypot(NINETY * (self.straying * days.max(0.0)).sqrt())
    }

    /// Whether the usage certainly grows: the whole interval of the slope is above zero.
    pub(super) fn certainly_grows(&self) -> bool {
        self.slope - self.half > 0.0
    }
}

/// Fits the trend to points in ascending order of time. `season` is a season that a longer lookback has; it is used where these
/// points are too few to have their own. `now` is the evaluation in days of Unix time.
///
/// # Errors
/// How much time is covered since the last reset, in days, if that is too little for a trend.
pub(super) fn fit(
    points: &[UsagePoint],
    limit: Option<f64>,
    season: Option<&Season>,
    now: f64,
) -> Result<TrendFit, f64> {
    let steps = Steps::of(points);
    if steps.drops.len() >= REGULAR_RESETS && steps.are_resets() {
        if let Some(found) = sawtooth(points, &steps, limit, now) {
            return Ok(found);
        }
    } else if steps.drops.len() >= REGULAR_RESETS {
        // up and down again and again: a season, or no pattern
        return segment(points, season, now);
    }
    let current = points.get(steps.last_shift()..).unwrap_or_default();
    let found = segment(current, season, now)?;
    Ok(TrendFit { resets: steps.drops.len(), ..found })
}

/// The large steps between neighbouring points: the index of the point after each.
struct Steps {
    drops: Vec<usize>,
    rises: Vec<usize>,
}

impl Steps {
    /// A single outlier is no step: each value is first replaced by the median of itself and its neighbours.
    fn of(points: &[UsagePoint]) -> Self {
        let values: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
        let highest = values.iter().map(|value| value.abs()).fold(0.0, f64::max);
        let mut smooth = values.clone();
        for (cell, three) in smooth.iter_mut().skip(1).zip(values.windows(3)) {
            *cell = median(three.to_vec());
        }
        let steps = || smooth.windows(2).map(|pair| if let [a, b] = pair { b - a } else { 0.0 });
        let usual = median(steps().collect());
        let deviation = MAD * median(steps().map(|step| (step - usual).abs()).collect());
        let large = (STEP_DEVIATIONS * deviation).max(STEP_SHARE * highest);
        let (mut drops, mut rises) = (Vec::new(), Vec::new());
        for (at, step) in steps().enumerate() {
            if step - usual < -large {
                drops.push(at + 1);
            } else if step - usual > large {
                rises.push(at + 1);
            }
        }
        Self { drops, rises }
    }

    /// Whether the usage grows between the drops little by little, and not in steps as large as the drops.
    fn are_resets(&self) -> bool {
        2 * self.rises.len() < self.drops.len()
    }

    /// The index where the last segment begins. One single rise begins a segment, too; several are the way in which the usage grows.
    fn last_shift(&self) -> usize {
        let rise = self.rises.last().filter(|_| self.rises.len() == 1);
        self.drops.last().max(rise).copied().unwrap_or(0)
    }
}

/// The trend of one segment.
fn segment(points: &[UsagePoint], season: Option<&Season>, now: f64) -> Result<TrendFit, f64> {
    let days = covered(points);
    if points.len() < LEAST_POINTS || days < LEAST_DAYS {
        return Err(days);
    }
    let without = |season: &Season| -> Vec<UsagePoint> {
        points.iter().map(|(x, y)| (*x, y - season.at(now + x))).collect()
    };
    // the trend is known better without the season, and the season without the trend
    let is_flat = points.windows(2).all(|pair| matches!(pair, [a, b] if a.1.to_bits() == b.1.to_bits()));
    let own = (!is_flat).then(|| Season::find(points, days, None, now)).flatten();
    let own = own.and_then(|rough| Season::find(points, days, Some(line(&without(&rough)).slope), now));
    let season = own.or_else(|| season.filter(|season| !season.is_covered(days)).cloned());
    let plain = season.as_ref().map_or_else(|| points.to_vec(), without);
    Ok(TrendFit { season, ..line(&plain) })
}

/// The trend of a usage that grows and is reset regularly: that of the peaks before the resets; or the present growth, if that
/// reaches the limit before the next reset is due.
fn sawtooth(points: &[UsagePoint], steps: &Steps, limit: Option<f64>, now: f64) -> Option<TrendFit> {
    let peaks: Vec<UsagePoint> =
        steps.drops.iter().filter_map(|at| points.get(at.checked_sub(1)?)).copied().collect();
    let resets: Vec<f64> = steps.drops.iter().filter_map(|at| Some(points.get(*at)?.0)).collect();
    let gaps = resets.windows(2).filter_map(|pair| if let [a, b] = pair { Some(b - a) } else { None });
    let next_reset = resets.last()? + LATE_RESET * median(gaps.collect());
    // an overdue reset is none that is expected
    let next_reset = Some(next_reset).filter(|next| *next >= 0.0);
    let present = points.get(*steps.drops.last()?..).and_then(|ramp| segment(ramp, None, now).ok());
    let is_first = |ramp: &TrendFit| {
        let full = limit.and_then(|limit| ramp.reaches(limit, ramp.slope, now));
        ramp.certainly_grows() && full.is_some_and(|full| next_reset.is_none_or(|reset| full <= reset))
    };
    let chosen =
        present.filter(is_first).unwrap_or_else(|| TrendFit { days: covered(points), ..line(&peaks) });
    Some(TrendFit { resets: steps.drops.len(), next_reset, ..chosen })
}

/// How much time the points cover until now, in days.
fn covered(points: &[UsagePoint]) -> f64 {
    points.first().map_or(0.0, |(x, _)| -x)
}

/// The Theil-Sen line through at least two points: the median of all slopes, and of all intercepts.
///
/// Source: P. K. Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau", 1968. The interval is that of least squares
/// with a robust estimate of the residuals' deviation, widened by their autocorrelation, as neighbours in time are alike.
fn line(points: &[UsagePoint]) -> TrendFit {
    let flat = points.first().filter(|(_, first)| points.iter().all(|(_, y)| y.to_bits() == first.to_bits()));
    if let Some((_, level)) = flat {
        return TrendFit { level: *level, days: covered(points), ..TrendFit::default() };
    }
    let thin = thinned(points);
    let pairs = thin.iter().enumerate().flat_map(|(at, (x, y))| {
        thin.iter()
            .skip(at + 1)
            .filter(move |(later, _)| later > x)
            .map(move |(later, z)| (z - y) / (later - x))
    });
    let slope = median(pairs.collect());
    let intercept = median(thin.iter().map(|(x, y)| y - slope * x).collect());
    let residuals = |points: &[UsagePoint]| -> Vec<f64> {
        points.iter().map(|(x, y)| y - intercept - slope * x).collect()
    };
    let (own, all) = (residuals(&thin), residuals(points));
    let count = thin.len() as f64;
    let mean = thin.iter().map(|(x, _)| x).sum::<f64>() / count;
    let spread = thin.iter().map(|(x, _)| (x - mean).powi(2)).sum::<f64>();
    let alike = autocorrelation(&own);
    let error = if spread > 0.0 { deviation(&own) / spread.sqrt() } else { 0.0 };
    let error = error * ((1.0 + alike) / (1.0 - alike)).sqrt();
    let (straying, days) = (straying(&thin, slope), covered(points));
    // where the growth has lately changed a little, the last residuals are more true than the line
    let recent = own.get(own.len() - (own.len() / 8).clamp(1, 8).min(own.len())..).unwrap_or_default();
    TrendFit {
        slope,
        half: NINETY * error.max((straying / days.max(LEAST_DAYS)).sqrt()),
        level: intercept + median(recent.to_vec()),
        noise: NINETY * deviation(&all),
        straying,
        days,
        season: None,
        resets: 0,
        next_reset: None,
    }
}

/// At most [`MOST_POINTS`] points: the medians of groups of neighbours.
fn thinned(points: &[UsagePoint]) -> Vec<UsagePoint> {
    if points.len() <= MOST_POINTS {
        return points.to_vec();
    }
    let group = |group: &[UsagePoint]| {
        (median(group.iter().map(|(x, _)| *x).collect()), median(group.iter().map(|(_, y)| *y).collect()))
    };
    points.chunks(points.len().div_ceil(MOST_POINTS)).map(group).collect()
}

/// The standard deviation of residuals, from their median absolute deviation; from their mean if most of them are zero.
fn deviation(residuals: &[f64]) -> f64 {
    let robust = MAD * median(residuals.iter().map(|value| value.abs()).collect());
    if robust > 0.0 {
        return robust;
    }
    let sum = residuals.iter().map(|value| value.abs()).sum::<f64>();
    MEAN_DEVIATION * sum / residuals.len().max(1) as f64
}

/// The variance per day of the changes over an eighth of the time, less what ups and downs around the trend explain: those are as
/// large over a short time.
fn straying(points: &[UsagePoint], slope: f64) -> f64 {
    let changes = |lag: usize| -> (f64, f64) {
        let pairs = points.iter().zip(points.iter().skip(lag));
        let (times, changes): (Vec<f64>, Vec<f64>) =
            pairs.map(|((x, y), (later, z))| (later - x, z - y - slope * (later - x))).unzip();
        (median(times), deviation(&changes).powi(2))
    };
    let lag = (points.len() / 8).max(2);
    let ((short, little), (long, much)) = (changes(1), changes(lag));
    if long > short { ((much - little) / (long - short)).max(0.0) } else { 0.0 }
}

/// The correlation of each residual with the next one, 0 to 0.95.
fn autocorrelation(residuals: &[f64]) -> f64 {
    let all = residuals.iter().map(|value| value * value).sum::<f64>();
    let next = residuals.windows(2).map(|pair| if let [a, b] = pair { a * b } else { 0.0 }).sum::<f64>();
    if all > 0.0 { (next / all).clamp(0.0, 0.95) } else { 0.0 }
}
