//! Forecast of the remaining error budget at a constant burn rate.

use std::time::Duration;

use super::exhaustion::CurrentPeriod;
use super::spending::BudgetSpending;

/// The forecast budget from now on.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// Time from now, ascending from zero, and the share of the budget that is left then; below 0 when overspent.
    pub points: Vec<(Duration, f64)>,
}

impl Forecast {
    /// For a rolling window: slot by slot for one window, with past errors leaving it. At its end `1 - burn` is left.
    ///
    /// `None` if the burn rate is not finite or there are no slots.
    pub fn rolling(spending: &BudgetSpending, burn: f64) -> Option<Self> {
        if !burn.is_finite() || spending.shares.is_empty() {
            return None;
        }
        let coming = (1..).map(|slots| spending.slot.saturating_mul(slots));
        let points = coming.zip(spending.future_spending(burn)).map(|(after, spent)| (after, 1.0 - spent));
        Some(Self {
            points: std::iter::once((Duration::ZERO, 1.0 - spending.spent())).chain(points).collect(),
        })
    }

    /// For a rolling window, if no past errors leave it: a straight line to `R - b`, as in [`Exhaustion::earliest`].
    ///
    /// `None` if one of the numbers is not finite.
    ///
    /// [`Exhaustion::earliest`]: super::Exhaustion::earliest
    pub fn earliest(left: f64, burn: f64, window: Duration) -> Option<Self> {
        let points = vec![(Duration::ZERO, left), (window, left - burn)];
        (left.is_finite() && burn.is_finite()).then_some(Self { points })
    }

    /// For a calendar period: a straight line to the reset, at constant traffic. `None` if the burn rate is not finite.
    pub fn calendar(under_way: CurrentPeriod, burn: f64) -> Option<Self> {
        let points =
            vec![(Duration::ZERO, under_way.left()), (under_way.reset(), under_way.left_at_reset(burn))];
        burn.is_finite().then_some(Self { points })
    }

    /// The share of the budget that is left at the end of the window, or at the reset; `None` without points.
    pub fn at_end(&self) -> Option<f64> {
        self.points.last().map(|(_, left)| *left)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::super::objective::Objective;
    use super::super::window::TimeRange;
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn spending(ratios: Vec<f64>) -> BudgetSpending {
        let ratios: Vec<_> = ratios.into_iter().map(Some).collect();
        BudgetSpending::by_time(HOUR, &ratios, Objective::percent("99.9").unwrap())
    }

    /// SLO.md §5: base burn 0.5 and a 20-minute total outage 29.5 days ago, at b = 2.
    #[test]
    fn an_old_outage_gives_its_budget_back_when_it_leaves() {
        let mut ratios = vec![0.0005; 720];
        ratios[12] += 20.0 / 60.0;
        let forecast = Forecast::rolling(&spending(ratios), 2.0).unwrap();
        let left = |hours: usize| forecast.points[hours].1;
        assert_eq!(forecast.points[240].0, HOUR * 240);
        assert!((left(0) - 0.037).abs() < 1e-4 && left(12) > 0.0 && left(13) > 0.47);
        assert!(left(240).abs() < 1e-9 && left(241) < 0.0);
    }

    #[test]
    fn a_calendar_period_goes_straight_to_its_reset() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let under_way = CurrentPeriod::new(0.5, TimeRange { start: at(0), end: at(1000) }, at(400)).unwrap();
        let forecast = Forecast::calendar(under_way, 2.0).unwrap();
        assert_eq!(forecast.points.len(), 2);
        assert!((forecast.points[0].1 - 0.8).abs() < 1e-12);
        assert_eq!(forecast.points[1].0, Duration::from_secs(600));
        assert!((forecast.at_end().unwrap() + 0.4).abs() < 1e-12);
        assert_eq!(Forecast::calendar(under_way, f64::NAN), None);
        assert_eq!(Forecast::rolling(&spending(vec![]), 1.0), None);
    }

    proptest! {
        #[test]
        fn after_a_whole_window_only_the_burn_counts(
            ratios in prop::collection::vec(0.0..=1.0_f64, 1..800), burn in 0.0..1000.0_f64, more in 0.0..10.0_f64,
        ) {
            let spending = spending(ratios);
            let forecast = Forecast::rolling(&spending, burn).unwrap();
            prop_assert!((forecast.at_end().unwrap() - (1.0 - burn)).abs() < 1e-6);
            let worse = Forecast::rolling(&spending, burn + more).unwrap();
            prop_assert!(forecast.points.iter().zip(&worse.points).all(|(a, b)| b.1 <= a.1 + 1e-6));
            prop_assert!(forecast.points.iter().all(|(_, left)| left.is_finite()));
        }
    }
}
