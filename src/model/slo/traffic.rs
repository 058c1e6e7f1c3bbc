//! Low traffic: from how few events on a burn rate says little, and the guards that imported rules have against it.

use std::time::Duration;

use super::objective::Objective;

/// The fewest events in a lookback of which a single failure cannot exceed the factor: `1 / (f * B)`, rounded up.
///
/// `None` for a factor that is not above zero. Source: SRE Workbook, "Low-Traffic Services and Error Budget Alerting".
pub fn fewest_events(objective: Objective, factor: f64) -> Option<f64> {
    let events = objective.most_burn() / factor;
    // 100.00000000000001 is 100
    (events.is_finite() && events > 0.0).then(|| (events * (1.0 - 1e-12)).ceil())
}

/// Whether a burn over so many events is to be drawn as "few events", with the counts beside it: one failure alone would exceed
/// the factor. Unknown counts are not few.
pub fn are_few(events: f64, objective: Objective, factor: f64) -> bool {
    fewest_events(objective, factor).is_some_and(|fewest| events < fewest)
}

/// Conditions besides the burn that an imported rule has, so that a few events do not alert.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Guard {
    /// Events per second over the long lookback, at least (GitLab: `ops:rate_1h >= 1`).
    pub least_rate: Option<f64>,
    /// Events in the long lookback, at least.
    pub least_events: Option<f64>,
    /// Failures in the long lookback, at least (Grafana: `min_failures`).
    pub least_failures: Option<f64>,
}

impl Guard {
    /// Whether so many events in the long lookback are enough to alert.
    pub fn admits(&self, bad: f64, total: f64, long: Duration) -> bool {
        let reaches = |count: f64, least: Option<f64>| least.is_none_or(|least| count >= least);
        reaches(total / long.as_secs_f64(), self.least_rate)
            && reaches(total, self.least_events)
            && reaches(bad, self.least_failures)
    }

    /// The least rate, in events per second, below which nothing is admitted; 0 without such a condition.
    pub fn rate(&self, long: Duration) -> f64 {
        let by_events = self.least_events.map_or(0.0, |events| events / long.as_secs_f64());
        self.least_rate.unwrap_or(0.0).max(by_events)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::budget::ErrorBudget;
    use super::*;

    /// SLO.md §7, the first point.
    #[test]
    fn so_many_events_are_needed() {
        for (percent, expected) in [
            ("99", [7.0, 17.0, 34.0, 100.0]),
            ("99.9", [70.0, 167.0, 334.0, 1000.0]),
            ("99.99", [695.0, 1667.0, 3334.0, 10_000.0]),
        ] {
            let objective = Objective::percent(percent).unwrap();
            let got = [14.4, 6.0, 3.0, 1.0].map(|factor| fewest_events(objective, factor).unwrap());
            assert!(
                got.iter().zip(expected).all(|(a, b): (&f64, f64)| (a - b).abs() < 0.5),
                "{percent} {got:?}"
            );
        }
        let objective = Objective::percent("99.9").unwrap();
        assert!(are_few(69.0, objective, 14.4) && !are_few(70.0, objective, 14.4));
        assert!(!are_few(f64::NAN, objective, 14.4));
        assert_eq!([0.0, -1.0, f64::NAN].map(|factor| fewest_events(objective, factor)), [None; 3]);
    }

    /// SLO.md §7: 1200 samples in 6h = 0.0556/s.
    #[test]
    fn a_guard_keeps_few_events_from_alerting() {
        let long = Duration::from_secs(6 * 3600);
        let samples = Guard { least_events: Some(1200.0), ..Guard::default() };
        assert!((samples.rate(long) - 0.0556).abs() < 1e-4);
        assert!(samples.admits(0.0, 1200.0, long) && !samples.admits(1199.0, 1199.0, long));
        let gitlab = Guard { least_rate: Some(1.0), ..Guard::default() };
        assert!(gitlab.admits(0.0, 3600.0, long / 6) && !gitlab.admits(0.0, 3599.0, long / 6));
        let grafana = Guard { least_failures: Some(3.0), ..samples };
        assert!(grafana.admits(3.0, 1200.0, long) && !grafana.admits(2.0, 1200.0, long));
        assert!(Guard::default().admits(0.0, 0.0, long) && !samples.admits(f64::NAN, f64::NAN, long));
    }

    proptest! {
        #[test]
        fn one_failure_among_enough_events_does_not_exceed_the_factor(
            parts in 1..1_000_000_000_u32, factor in 0.1..100.0_f64,
        ) {
            let objective = Objective::from_ratio(f64::from(parts) / 1e9).unwrap();
            let fewest = fewest_events(objective, factor).unwrap();
            let burn = |events: f64| ErrorBudget::of_counts(1.0, events, objective).unwrap().spent_share();
            prop_assert!(fewest >= 1.0 && burn(fewest) <= factor * (1.0 + 1e-9));
            prop_assert!(fewest < 2.0 || burn(fewest - 1.0) > factor * (1.0 - 1e-9));
        }
    }
}
