//! How much of the error budget each time slot (such as an hour) spent.

use std::time::Duration;

use super::objective::Objective;

/// The budget that each of the equal time slots of a window spent, the oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetSpending {
    /// The length of one slot.
    pub slot: Duration,
    /// The share of the budget that each slot spent, the oldest first; `None` where it is unknown.
    pub shares: Vec<Option<f64>>,
}

impl BudgetSpending {
    /// From the bad events and all events of each slot: `bad / (all of the window * B)`. The slots together make up the window.
    ///
    /// A slot is unknown if it is `None` or has an invalid count. An unknown slot counts as nothing spent, but stays marked as
    /// unknown.
    pub fn by_events(slot: Duration, events: &[Option<(f64, f64)>], objective: Objective) -> Self {
        let known =
            |(bad, total): &(f64, f64)| bad.is_finite() && total.is_finite() && *bad >= 0.0 && *total >= 0.0;
        let events: Vec<_> = events.iter().map(|events| events.filter(known)).collect();
        let allowed = events.iter().flatten().map(|(_, total)| total).sum::<f64>() * objective.budget();
        let share = |(bad, _)| if allowed > 0.0 { bad / allowed } else { 0.0 };
        Self { slot, shares: events.into_iter().map(|events| events.map(share)).collect() }
    }

    /// From the error ratio of each slot, all slots weighted equally: `e / (known slots * B)`.
    ///
    /// A slot is unknown if it is `None` (no data or no traffic) or not a ratio from 0 to 1.
    pub fn by_time(slot: Duration, error_ratios: &[Option<f64>], objective: Objective) -> Self {
        let known = |ratio: &Option<f64>| ratio.filter(|ratio| (0.0..=1.0).contains(ratio));
        let ratios: Vec<_> = error_ratios.iter().map(known).collect();
        let allowed = ratios.iter().flatten().count() as f64 * objective.budget();
        Self { slot, shares: ratios.into_iter().map(|ratio| ratio.map(|ratio| ratio / allowed)).collect() }
    }

    /// The same slots as shares of a larger budget. For a calendar window `by` is the elapsed share of the window: it turns
    /// shares of the budget to date into shares of the whole window's budget, at constant traffic.
    #[must_use]
    pub fn scaled(mut self, by: f64) -> Self {
        for share in self.shares.iter_mut().flatten() {
            *share *= by;
        }
        self
    }

    /// The length of all slots together.
    pub fn length(&self) -> Duration {
        self.slot.saturating_mul(u32::try_from(self.shares.len()).unwrap_or(u32::MAX))
    }

    /// The number of unknown slots.
    pub fn unknown(&self) -> usize {
        self.shares.iter().filter(|share| share.is_none()).count()
    }

    /// The spent share of the budget, `c`.
    pub fn spent(&self) -> f64 {
        // `sum` of no values would be -0
        self.shares.iter().flatten().fold(0.0, |sum, share| sum + share)
    }

    /// The share of the budget that was left after each slot, starting from a full budget: a burn-down.
    pub fn burn_down(&self) -> Vec<f64> {
        let left = self.shares.iter().scan(1.0, |left, share| {
            *left -= share.unwrap_or(0.0);
            Some(*left)
        });
        left.collect()
    }

    /// The at most `most` slots that spent most of the budget, with their indexes, the greatest share first; slots that spent
    /// nothing are left out.
    pub fn worst(&self, most: usize) -> Vec<(usize, f64)> {
        let spent = self.shares.iter().enumerate();
        let mut spent: Vec<_> = spent
            .filter_map(|(at, share)| share.filter(|share| *share > 0.0).map(|share| (at, share)))
            .collect();
        // of equal shares the newest first
        spent.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0)));
        spent.truncate(most);
        spent
    }

    /// The spent share after each future slot, for one window, at the burn rate `burn`: each new slot adds its part and the
    /// oldest slot leaves the window.
    ///
    /// At constant traffic: `c(t+1h) = c(t) + b/W[h] - spend of the hour that leaving`.
    pub(super) fn future_spending(&self, burn: f64) -> impl Iterator<Item = f64> {
        let added = burn / self.shares.len() as f64;
        self.shares.iter().scan(self.spent(), move |spent, leaving| {
            *spent += added - leaving.unwrap_or(0.0);
            Some(*spent)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn objective() -> Objective {
        Objective::percent("99.9").unwrap()
    }

    #[test]
    fn the_worst_slots_come_first_and_clean_ones_not_at_all() {
        let events = [Some((1.0, 100.0)), None, Some((5.0, 100.0)), Some((0.0, 300.0)), Some((5.0, 500.0))];
        let spending = BudgetSpending::by_events(HOUR, &events, objective());
        assert_eq!((spending.unknown(), spending.length()), (1, HOUR * 5));
        let worst = spending.worst(9);
        assert_eq!(worst.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [4, 2, 0]);
        assert!((worst[0].1 - 5.0).abs() < 1e-9 && (worst[2].1 - 1.0).abs() < 1e-9);
        assert_eq!(spending.worst(1).len(), 1);
        let down: Vec<_> = spending.burn_down().iter().map(|left| left.round()).collect();
        assert!(
            down.iter().zip([0.0, 0.0, -5.0, -5.0, -10.0]).all(|(a, b): (&f64, f64)| (a - b).abs() < 1e-9)
        );
    }

    #[test]
    fn what_is_no_count_is_unknown() {
        let events = [Some((f64::NAN, 1.0)), Some((-1.0, 1.0)), Some((0.0, f64::INFINITY)), None];
        assert_eq!(BudgetSpending::by_events(HOUR, &events, objective()).unknown(), 4);
        let spending =
            BudgetSpending::by_time(HOUR, &[Some(f64::NAN), Some(2.0), Some(-1.0), None], objective());
        assert_eq!((spending.unknown(), spending.spent().to_bits()), (4, 0.0_f64.to_bits()));
        assert!(BudgetSpending::by_events(HOUR, &[Some((0.0, 0.0))], objective()).spent().abs() < 1e-12);
        assert!(BudgetSpending::by_time(HOUR, &[], objective()).burn_down().is_empty());
    }

    /// SLO.md §4: a day at 1000/s with 0.01 % errors and a night at 10/s with 2 %.
    #[test]
    fn slots_weigh_by_their_events_or_by_their_time() {
        let events = [Some((1000.0 * 0.0001, 1000.0)), Some((10.0 * 0.02, 10.0))];
        let spent = BudgetSpending::by_events(HOUR * 12, &events, objective()).spent();
        assert!((spent - 0.297).abs() < 1e-3);
        let spent = BudgetSpending::by_time(HOUR * 12, &[Some(0.0001), Some(0.02)], objective()).spent();
        assert!((spent - 10.05).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn slots_add_up_to_the_budget_of_the_window(
            events in prop::collection::vec((0.0..1e6_f64, 0.0..1e9_f64), 1..200),
        ) {
            let (bad, total) = events.iter().fold((0.0, 0.0), |(bad, total), event| (bad + event.0, total + event.1));
            let slots: Vec<_> = events.into_iter().map(Some).collect();
            let spending = BudgetSpending::by_events(HOUR, &slots, objective());
            if total > 0.0 {
                let spent = bad / total / objective().budget();
                prop_assert!((spending.spent() - spent).abs() <= 1e-9 * spent.max(1.0));
            }
            let down = spending.burn_down();
            prop_assert!(down.windows(2).all(|pair| pair[1] <= pair[0]));
            prop_assert!((down[down.len() - 1] - (1.0 - spending.spent())).abs() <= 1e-9 * spending.spent().max(1.0));
            let half = spending.clone().scaled(0.5).spent();
            prop_assert!((half * 2.0 - spending.spent()).abs() <= 1e-9 * spending.spent().max(1.0));
        }
    }
}
