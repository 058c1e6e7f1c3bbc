//! The error budget: how much may go wrong, how much did, how much is left.

use std::time::Duration;

use super::objective::Objective;

/// What is lost to floating-point arithmetic when a slice's ratio is exactly its target.
const TOLERANCE: f64 = 1e-12;

/// An error budget. Its unit is what was counted: events, slices of time, or (from a ratio alone) parts of one.
///
/// Source: SRE Workbook, "Implementing SLOs"; `OpenSLO`'s budgeting methods for what is counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ErrorBudget {
    allowed: f64,
    spent: f64,
}

impl ErrorBudget {
    /// From counts over the whole window: `allowed = total * B`, `spent = bad`. Events for *Occurrences*, slices for *Timeslices*.
    ///
    /// `None` if there was nothing to count, or if the counts are no counts (negative, NaN).
    pub fn of_counts(bad: f64, total: f64, objective: Objective) -> Option<Self> {
        let is_count = |count: f64| count.is_finite() && count >= 0.0;
        (is_count(bad) && is_count(total) && total > 0.0)
            .then(|| Self { allowed: total * objective.budget(), spent: bad })
    }

    /// From an error ratio over the whole window, where counts are not known: `allowed = B`, `spent = e`. *`RatioTimeslices`* and
    /// recorded ratios.
    ///
    /// `None` for what is no ratio.
    pub fn of_ratio(error_ratio: f64, objective: Objective) -> Option<Self> {
        (0.0..=1.0).contains(&error_ratio).then(|| Self { allowed: objective.budget(), spent: error_ratio })
    }

    /// What may be bad in all.
    pub fn allowed(self) -> f64 {
        self.allowed
    }

    /// What was bad.
    pub fn spent(self) -> f64 {
        self.spent
    }

    /// What may still be bad; below zero if overspent.
    pub fn left(self) -> f64 {
        self.allowed - self.spent
    }

    /// The spent share `c` of the budget; above 1 if overspent. Over the whole window this is also the burn rate.
    pub fn spent_share(self) -> f64 {
        self.spent / self.allowed
    }

    /// The share `R = 1 - c` of the budget that is left, at most 1; below 0 if overspent.
    pub fn left_share(self) -> f64 {
        1.0 - self.spent_share()
    }
}

/// Slices of time, judged one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Slices {
    /// Those that reached their target.
    pub good: u64,
    /// Those that did not.
    pub bad: u64,
    /// Those without data or traffic; they count as good and are shown apart.
    pub empty: u64,
}

impl Slices {
    /// Counts judged slices; `None` is one without data or traffic.
    pub fn of(judged: impl IntoIterator<Item = Option<bool>>) -> Self {
        judged.into_iter().fold(Self::default(), |mut slices, judged| {
            *match judged {
                Some(true) => &mut slices.good,
                Some(false) => &mut slices.bad,
                None => &mut slices.empty,
            } += 1;
            slices
        })
    }

    /// Counts slices by their ratio of good events: a slice is good from its target (0 to 1) on.
    pub fn by_ratio(good_ratios: impl IntoIterator<Item = Option<f64>>, target: f64) -> Self {
        let known = good_ratios.into_iter().map(|ratio| ratio.filter(|ratio| ratio.is_finite()));
        Self::of(known.map(|ratio| ratio.map(|ratio| ratio >= target - TOLERANCE)))
    }

    /// How many there are.
    pub const fn all(self) -> u64 {
        self.good + self.bad + self.empty
    }

    /// The share of slices that are not bad, 0 to 1; `None` without slices.
    pub fn sli(self) -> Option<f64> {
        (self.all() > 0).then(|| 1.0 - self.bad as f64 / self.all() as f64)
    }

    /// Their budget if they make up the whole window. Source: `OpenSLO`'s *Timeslices*.
    pub fn budget(self, objective: Objective) -> Option<ErrorBudget> {
        ErrorBudget::of_counts(self.bad as f64, self.all() as f64, objective)
    }
}

/// The mean of the slices' ratios, those without traffic left out: the SLI of `OpenSLO`'s *`RatioTimeslices`*, 0 to 1.
///
/// `None` if no slice has a ratio.
pub fn mean_ratio(good_ratios: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
    let known = good_ratios.into_iter().flatten().filter(|ratio| ratio.is_finite());
    let (sum, count) = known.fold((0.0, 0_u64), |(sum, count), ratio| (sum + ratio, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// The budget as time, `B * W`: 43.2 minutes for 99.9 % over 30 days.
///
/// Only for SLOs of time, or as "time of total outage at average traffic": say so beside it.
pub fn budget_time(objective: Objective, window: Duration) -> Duration {
    let budget = u128::from(1_000_000_000 - objective.parts_per_billion());
    // whole nanoseconds; a quotient below the greatest duration is one
    let nanos = window.as_nanos() * budget / 1_000_000_000;
    let seconds = u64::try_from(nanos / 1_000_000_000).unwrap_or(u64::MAX);
    Duration::from_secs(seconds) + Duration::from_nanos(u64::try_from(nanos % 1_000_000_000).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::window::{Bounds, Window};
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
    }

    fn objective(percent: &str) -> Objective {
        Objective::percent(percent).unwrap()
    }

    fn rounded(value: f64, decimals: i32) -> f64 {
        (value * 10_f64.powi(decimals)).round() / 10_f64.powi(decimals)
    }

    /// SLO.md §4, Occurrences.
    #[test]
    fn events_leave_so_much_of_the_budget() {
        let budget = ErrorBudget::of_counts(31_415.0, 41_230_118.0, objective("99.9")).unwrap();
        assert!(near(rounded(budget.spent_share() * 100.0, 3), 76.194));
        assert!(near(rounded(budget.left_share() * 100.0, 3), 23.806));
        assert!(near(budget.left().floor(), 9815.0));
        // R = (SLI - T)/(1 - T)
        let sli = 1.0 - 31_415.0 / 41_230_118.0;
        assert!(near(rounded(sli * 100.0, 5), 99.92381));
        assert!((budget.left_share() - (sli - 0.999) / 0.001).abs() < 1e-9);
    }

    /// SLO.md §4, Timeslices.
    #[test]
    fn slices_leave_so_much_of_the_budget() {
        let slices = Slices { good: 43_000, bad: 130, empty: 70 };
        let budget = slices.budget(objective("99")).unwrap();
        assert!(near(budget.allowed(), 432.0) && near(rounded(budget.left_share() * 100.0, 3), 69.907));
        assert!(near(slices.sli().unwrap(), 1.0 - 130.0 / 43_200.0));
        assert_eq!(Slices::default().budget(objective("99")), None);
    }

    /// SLO.md §4: one data set, three answers.
    #[test]
    fn one_data_set_has_three_answers() {
        let good = [2.0, 10.0, 12.0, 13.0, 13.0, 12.0, 13.0, 13.0, 12.0, 11.0];
        let total = [4.0, 10.0, 12.0, 13.0, 14.0, 15.0, 14.0, 13.0, 12.0, 11.0];
        let target = objective("95");
        let percent = |share: f64| rounded(share * 100.0, 4);

        let (good_events, events) = (good.iter().sum::<f64>(), total.iter().sum::<f64>());
        assert!(near(good_events, 111.0) && near(events, 118.0));
        assert!(near(percent(good_events / events), 94.0678));
        let occurrences = ErrorBudget::of_counts(events - good_events, events, target).unwrap();
        assert!(near(rounded(occurrences.spent_share() * 100.0, 2), 118.64));

        let ratios: Vec<Option<f64>> =
            good.iter().zip(total).map(|(good, total)| Some(good / total)).collect();
        let slices = Slices::by_ratio(ratios.clone(), target.as_ratio());
        assert_eq!(slices, Slices { good: 6, bad: 4, empty: 0 });
        assert!(near(slices.sli().unwrap(), 0.6));
        assert!(near(slices.budget(target).unwrap().spent_share(), 8.0));

        let mean = mean_ratio(ratios).unwrap();
        assert!(near(percent(mean), 91.5714));
        let by_mean = ErrorBudget::of_ratio(1.0 - mean, target).unwrap();
        assert!(near(rounded(by_mean.spent_share() * 100.0, 2), 168.57));
    }

    /// SLO.md §4: the recorded 30d value weighs a quiet night as much as a busy day.
    #[test]
    fn a_mean_over_time_is_not_the_ratio_of_events() {
        let (day, night) = (1000.0 * 43_200.0, 10.0 * 43_200.0);
        let by_events =
            ErrorBudget::of_counts(day * 0.0001 + night * 0.02, day + night, objective("99.9")).unwrap();
        assert!(near(rounded(by_events.spent_share() * 0.1, 4), 0.0297));
        assert!(near(rounded(by_events.left_share() * 100.0, 1), 70.3));
        let mean = mean_ratio([Some(0.0001), Some(0.02), None]).unwrap();
        assert!(near(mean, 0.01005));
        let by_time = ErrorBudget::of_ratio(mean, objective("99.9")).unwrap();
        assert!(near(rounded(by_time.left_share() * 100.0, 0), -905.0));
    }

    /// SLO.md §4: budget in minutes.
    #[test]
    fn a_budget_is_so_many_minutes() {
        for (percent, days, seconds) in [
            ("99", 30, 25_920.0),
            ("99.5", 30, 12_960.0),
            ("99.9", 30, 2592.0),
            ("99.9", 28, 2419.2),
            ("99.9", 31, 2678.4),
            ("99.9", 7, 604.8),
            ("99.9", 90, 7776.0),
            ("99.95", 30, 1296.0),
            ("99.95", 28, 1209.6),
            ("99.99", 30, 259.2),
        ] {
            let window = Duration::from_secs(days * 86_400);
            assert!(near(budget_time(objective(percent), window).as_secs_f64(), seconds), "{percent} {days}");
        }
        assert!(budget_time(objective("0.0000001"), Duration::MAX) < Duration::MAX);
    }

    /// SLO.md §7: ten requests an hour at 99.9 %, one failure.
    #[test]
    fn one_failure_of_few_events_is_much_of_the_budget() {
        let month = ErrorBudget::of_counts(1.0, 7200.0, objective("99.9")).unwrap();
        assert!(near(month.allowed(), 7.2) && near(rounded(month.spent_share() * 100.0, 1), 13.9));
        let hour = ErrorBudget::of_counts(1.0, 10.0, objective("99.9")).unwrap();
        assert!(near(hour.spent_share(), 100.0));
    }

    #[test]
    fn what_is_no_count_has_no_budget() {
        for (bad, total) in [(0.0, 0.0), (f64::NAN, 1.0), (1.0, f64::NAN), (-1.0, 5.0), (1.0, f64::INFINITY)]
        {
            assert_eq!(ErrorBudget::of_counts(bad, total, objective("99")), None, "{bad} {total}");
        }
        for ratio in [f64::NAN, -0.1, 1.1] {
            assert_eq!(ErrorBudget::of_ratio(ratio, objective("99")), None, "{ratio}");
        }
        assert_eq!(mean_ratio([None, Some(f64::NAN)]), None);
        assert_eq!(Slices::by_ratio([Some(f64::NAN), None], 0.9).empty, 2);
    }

    proptest! {
        #[test]
        fn a_budget_agrees_with_the_burn_and_never_grows_with_errors(
            parts in 1..1_000_000_000_u32, total in 1.0..1e12_f64, a in 0.0..=1.0_f64, b in 0.0..=1.0_f64,
        ) {
            let objective = Objective::from_ratio(f64::from(parts) / 1e9).unwrap();
            let of = |share: f64| ErrorBudget::of_counts(total * share, total, objective).unwrap();
            let (less, more) = (of(a.min(b)), of(a.max(b)));
            prop_assert!(more.left_share() <= less.left_share() && less.left_share() <= 1.0);
            prop_assert!(more.left() <= less.left() && less.left() <= less.allowed());
            prop_assert!(more.spent_share() <= objective.most_burn() * (1.0 + 1e-9));
            // c over the window is b over the window
            let burn = ErrorBudget::of_ratio(a, objective).unwrap().spent_share();
            prop_assert!((of(a).spent_share() - burn).abs() <= 1e-9 * burn.max(1e-300));
            // spending at a burn of 1 spends exactly all of it
            prop_assert!(of(objective.budget()).left_share().abs() < 1e-9);
        }

        #[test]
        fn slices_are_never_lost(judged: Vec<Option<bool>>) {
            let slices = Slices::of(judged.iter().copied());
            prop_assert_eq!(slices.all(), judged.len() as u64);
            prop_assert!(slices.sli().is_none_or(|sli| (0.0..=1.0).contains(&sli)));
        }

        #[test]
        fn budget_time_is_a_part_of_the_window(parts in 1..1_000_000_000_u32, seconds: u64) {
            let objective = Objective::from_ratio(f64::from(parts) / 1e9).unwrap();
            let window = Window::Rolling(Duration::from_secs(seconds));
            let Bounds { start, end } = window.bounds(jiff::Timestamp::UNIX_EPOCH);
            let window = Bounds { start, end }.length();
            let time = budget_time(objective, window);
            prop_assert!(time <= window);
            prop_assert!((time.as_secs_f64() - window.as_secs_f64() * objective.budget()).abs() <= 1e-6 * (1.0 + time.as_secs_f64()));
        }
    }
}
