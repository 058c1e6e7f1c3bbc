//! When a resource will be full: a straight line through its past, with a band, and refusals where the past is too short.

use std::time::Duration;

use jiff::Timestamp;

/// Fewer points than this say nothing.
pub const LEAST_POINTS: usize = 14;

/// Below this much history, hourly points are to be used instead of daily ones.
pub const HOURLY_BELOW: Duration = Duration::from_secs(14 * 86_400);

/// How many residual deviations to either side hold 80 % of what is to be expected.
const BAND: f64 = 1.28;

/// So many times the history can be looked ahead.
const FARTHEST: f64 = 2.0;

const DAY: f64 = 86_400.0;

/// Why there is no forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Too few points.
    #[error("{0} points are too few for a forecast; it takes {LEAST_POINTS}")]
    TooFewPoints(usize),
    /// All points are of the same moment.
    #[error("all points are of one moment; a forecast takes some history")]
    NoHistory,
}

/// The course of a resource's use, 0 to 1, by least squares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// The fitted use now, a ratio.
    now: f64,
    /// How much it rises, a ratio a day.
    slope: f64,
    /// The standard deviation of the residuals, a ratio.
    deviation: f64,
    /// From the first point to the last, in days.
    history: f64,
}

/// When a resource will reach a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reach {
    /// It has already.
    Already,
    /// So long from now, with 80 % between the two others.
    In {
        /// By the fitted line.
        after: Duration,
        /// By the upper edge of the band; zero if it is there already.
        earliest: Duration,
        /// By the lower edge of the band.
        latest: Duration,
    },
    /// So long from now, which is beyond twice the history: not to be printed as a date.
    TooFar(Duration),
    /// Not at all: it does not rise.
    Never,
}

impl Trend {
    /// Fits daily 95th percentiles, or hourly ones below [`HOURLY_BELOW`]; what is no number is left out.
    ///
    /// # Errors
    /// [`Refusal`] if the past says too little.
    pub fn fit(points: &[(Timestamp, f64)], now: Timestamp) -> Result<Self, Refusal> {
        // days from now, so that the line's value now is its constant
        let known = points.iter().filter(|(_, use_ratio)| use_ratio.is_finite());
        let known: Vec<(f64, f64)> =
            known.map(|(at, use_ratio)| (at.duration_since(now).as_secs_f64() / DAY, *use_ratio)).collect();
        if known.len() < LEAST_POINTS {
            return Err(Refusal::TooFewPoints(known.len()));
        }
        let count = known.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| known.iter().map(of).sum::<f64>() / count;
        let (middle, level) = (mean(|point| point.0), mean(|point| point.1));
        let spread: f64 = known.iter().map(|(x, _)| (x - middle).powi(2)).sum();
        let slope = known.iter().map(|(x, y)| (x - middle) * (y - level)).sum::<f64>() / spread;
        if !slope.is_finite() {
            return Err(Refusal::NoHistory);
        }
        let residuals: f64 = known.iter().map(|(x, y)| (y - level - slope * (x - middle)).powi(2)).sum();
        let first = known.iter().map(|point| point.0).fold(f64::INFINITY, f64::min);
        let last = known.iter().map(|point| point.0).fold(f64::NEG_INFINITY, f64::max);
        Ok(Self {
            now: level - slope * middle,
            slope,
            // two degrees of freedom went into the line
            deviation: (residuals / (count - 2.0)).sqrt(),
            history: last - first,
        })
    }

    /// The fitted use now, a ratio.
    pub fn now(self) -> f64 {
        self.now
    }

    /// How much it rises in a day, a ratio.
    pub fn slope(self) -> f64 {
        self.slope
    }

    /// The use after some time, by the fitted line: what `predict_linear` says.
    pub fn at(self, after: Duration) -> f64 {
        self.now + self.slope * after.as_secs_f64() / DAY
    }

    /// Between which two ratios the use will be after some time with 80 % probability: 1.28 residual deviations to either side.
    pub fn band(self, after: Duration) -> (f64, f64) {
        let (middle, width) = (self.at(after), BAND * self.deviation);
        (middle - width, middle + width)
    }

    /// When it will reach a limit: `(limit - fitted now) / slope`. A limit that is no number is never reached.
    pub fn reach(self, limit: f64) -> Reach {
        if self.now >= limit {
            return Reach::Already;
        }
        let days = |limit: f64| (limit - self.now) / self.slope;
        let time = |days: f64| Duration::try_from_secs_f64(days.max(0.0) * DAY);
        let width = BAND * self.deviation;
        match (time(days(limit)), time(days(limit - width)), time(days(limit + width))) {
            _ if self.slope <= 0.0 || limit.is_nan() => Reach::Never,
            (Ok(after), ..) if days(limit) > FARTHEST * self.history => Reach::TooFar(after),
            (Ok(after), Ok(earliest), Ok(latest)) => Reach::In { after, earliest, latest },
            // in more years than a duration holds
            _ => Reach::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(day: i64) -> Timestamp {
        Timestamp::from_second(1_780_000_000 + day * 86_400).unwrap()
    }

    fn days(after: Duration) -> f64 {
        after.as_secs_f64() / DAY
    }

    fn line(days: i64, noise: impl Fn(i64) -> f64) -> Vec<(Timestamp, f64)> {
        (0..=days).map(|at| (day(at), 0.420 + 0.0065 * at as f64 + noise(at))).collect()
    }

    /// SLO.md §9: 28 days, 0.420 rising 0.0065 a day.
    #[test]
    fn a_steady_rise_reaches_its_limits() {
        let trend = Trend::fit(&line(28, |_| 0.0), day(28)).unwrap();
        assert!((trend.now() - 0.602).abs() < 1e-9 && (trend.slope() - 0.0065).abs() < 1e-9);
        assert!((trend.at(Duration::from_secs(30 * 86_400)) - 0.797).abs() < 1e-9);
        assert!(matches!(trend.reach(0.8), Reach::In { after, .. } if (days(after) - 30.46).abs() < 5e-3));
        // beyond twice the history: known, but not to be printed as a date
        assert!(matches!(trend.reach(1.0), Reach::TooFar(after) if (days(after) - 61.23).abs() < 5e-3));
        assert_eq!(trend.reach(0.6), Reach::Already);
        assert_eq!(trend.reach(f64::NAN), Reach::Never);
    }

    #[test]
    fn noise_makes_a_band() {
        let trend = Trend::fit(&line(28, |at| if at % 2 == 0 { 0.01 } else { -0.01 }), day(28)).unwrap();
        let (lower, upper) = trend.band(Duration::ZERO);
        assert!((upper - lower - 2.0 * 1.28 * 0.01).abs() < 2e-3);
        match trend.reach(0.8) {
            Reach::In { after, earliest, latest } => assert!(earliest < after && after < latest),
            other => panic!("{other:?}"),
        }
        // the upper edge is there already
        assert!(matches!(trend.reach(trend.now() + 0.001), Reach::In { earliest: Duration::ZERO, .. }));
    }

    #[test]
    fn what_says_too_little_is_refused() {
        assert_eq!(Trend::fit(&line(12, |_| 0.0), day(12)), Err(Refusal::TooFewPoints(13)));
        let mut gaps = line(20, |_| 0.0);
        gaps.iter_mut().take(10).for_each(|point| point.1 = f64::NAN);
        assert_eq!(Trend::fit(&gaps, day(20)), Err(Refusal::TooFewPoints(11)));
        assert_eq!(Trend::fit(&[(day(0), 0.5); 20], day(0)), Err(Refusal::NoHistory));
        assert_eq!(Refusal::TooFewPoints(3).to_string(), "3 points are too few for a forecast; it takes 14");
    }

    #[test]
    fn what_does_not_rise_never_reaches_a_limit() {
        for slope in [0.0, -0.01] {
            let points: Vec<_> =
                (0..20_i32).map(|at| (day(at.into()), 0.5 + slope * f64::from(at))).collect();
            assert_eq!(Trend::fit(&points, day(19)).unwrap().reach(0.9), Reach::Never);
        }
    }

    proptest! {
        #[test]
        fn no_points_break_it(
            points in prop::collection::vec((-1_000_000_000..3_000_000_000_i64, prop::num::f64::ANY), 0..40), limit in prop::num::f64::ANY,
        ) {
            let points: Vec<_> =
                points.into_iter().map(|(at, value)| (Timestamp::from_second(at).unwrap(), value)).collect();
            if let Ok(trend) = Trend::fit(&points, day(0)) {
                let _ = (trend.reach(limit), trend.band(Duration::MAX));
            }
        }

        #[test]
        fn a_higher_limit_is_reached_later(
            noise in prop::collection::vec(-0.05..0.05_f64, 29), a in 0.0..2.0_f64, b in 0.0..2.0_f64,
        ) {
            let trend = Trend::fit(&line(28, |at| noise[usize::try_from(at).unwrap()]), day(28)).unwrap();
            let time = |limit| match trend.reach(limit) {
                Reach::Already => Duration::ZERO,
                Reach::In { after, earliest, latest } => {
                    assert!(earliest <= after && after <= latest);
                    after
                }
                Reach::TooFar(after) => after,
                Reach::Never => Duration::MAX,
            };
            prop_assert!(time(a.min(b)) <= time(a.max(b)));
        }
    }
}
