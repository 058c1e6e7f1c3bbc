//! When the error budget will be exhausted at the current burn rate, and since when it is exhausted.

use std::time::Duration;

use jiff::Timestamp;

use super::spending::BudgetSpending;
use super::window::TimeRange;

/// When a budget is exhausted, if the burn rate stays constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exhaustion {
    Exhausted,
    /// After this time from now.
    In(Duration),
    /// Not within one whole window from now: the errors that leave the window make up for the new ones.
    NotWithinWindow(Duration),
    /// Not before the calendar period resets, after this time from now.
    NotBeforeReset(Duration),
    /// The burn rate is zero.
    Never,
}

impl Exhaustion {
    /// The earliest possible exhaustion, if no past errors leave the window: `R * W / b`. Show it as "at the earliest".
    ///
    /// `left` is `R`, `burn` is `b`, a multiple of 1. `None` if one of them is NaN.
    pub fn earliest(left: f64, burn: f64, window: Duration) -> Option<Self> {
        if left.is_nan() || burn.is_nan() {
            None
        } else if left <= 0.0 {
            Some(Self::Exhausted)
        } else if burn <= 0.0 {
            Some(Self::Never)
        } else {
            // a time that is too long for `Duration` counts as never
            let after = Duration::try_from_secs_f64(left * window.as_secs_f64() / burn);
            Some(after.map_or(Self::Never, Self::In))
        }
    }

    /// The exhaustion in a rolling window, with past errors leaving it: computed slot by slot for one window, linear within a
    /// slot.
    ///
    /// `None` if the burn rate is not finite or there are no slots.
    pub fn rolling(spending: &BudgetSpending, burn: f64) -> Option<Self> {
        if !burn.is_finite() || spending.shares.is_empty() {
            return None;
        }
        let mut before = spending.spent();
        if before >= 1.0 {
            return Some(Self::Exhausted);
        }
        let slot = spending.slot.as_secs_f64();
        for (passed, after) in spending.future_spending(burn).enumerate() {
            if after >= 1.0 {
                let slots = passed as f64 + (1.0 - before) / (after - before);
                return Duration::try_from_secs_f64(slots * slot).ok().map(Self::In);
            }
            before = after;
        }
        Some(if burn <= 0.0 { Self::Never } else { Self::NotWithinWindow(spending.length()) })
    }
}

/// The current calendar period, assuming constant traffic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurrentPeriod {
    average_burn: f64,
    elapsed: Duration,
    left: Duration,
}

impl CurrentPeriod {
    /// `average_burn` is `e(start..now) / B`. `None` if it is negative or not finite, or if no time of the period has elapsed.
    pub fn new(average_burn: f64, period: TimeRange, now: Timestamp) -> Option<Self> {
        let (elapsed, left) = (period.elapsed(now), period.left(now));
        (average_burn.is_finite() && average_burn >= 0.0 && !elapsed.is_zero()).then_some(Self {
            average_burn,
            elapsed,
            left,
        })
    }

    /// The average burn rate so far; also the share of the budget that the whole period spends if that rate continues.
    pub fn pace(self) -> f64 {
        self.average_burn
    }

    /// The share of the period that has elapsed, above 0, at most 1.
    pub fn elapsed_share(self) -> f64 {
        self.elapsed.as_secs_f64() / (self.elapsed + self.left).as_secs_f64()
    }

    /// What is left of the budget in proportion to the elapsed time, `1 - e(start..now) / B`.
    pub fn left_to_date(self) -> f64 {
        1.0 - self.average_burn
    }

    /// The share of the whole period's budget that is spent.
    pub fn spent(self) -> f64 {
        self.average_burn * self.elapsed_share()
    }

    /// The share of the whole period's budget that is left; below 0 if overspent.
    pub fn left(self) -> f64 {
        1.0 - self.spent()
    }

    /// How long until the period resets.
    pub fn reset(self) -> Duration {
        self.left
    }

    /// The burn rate that exactly uses up the budget by the end of the period, 0 if it is exhausted; `None` when the period is
    /// over.
    pub fn sustainable_burn(self) -> Option<f64> {
        (!self.left.is_zero()).then(|| (self.left() / (1.0 - self.elapsed_share())).max(0.0))
    }

    /// The share of the budget that is left at the reset, if the rest of the period has the burn rate `burn`.
    pub fn left_at_reset(self, burn: f64) -> f64 {
        self.left() - burn * (1.0 - self.elapsed_share())
    }

    /// When the budget is exhausted at `burn`: `(1 - spent) * W / b`, or not before the reset. `None` if the burn rate is NaN.
    pub fn exhaustion(self, burn: f64) -> Option<Exhaustion> {
        let earliest = Exhaustion::earliest(self.left(), burn, self.elapsed + self.left)?;
        let is_later = match earliest {
            Exhaustion::In(after) => after > self.left,
            Exhaustion::Never => burn > 0.0,
            Exhaustion::Exhausted | Exhaustion::NotBeforeReset(_) | Exhaustion::NotWithinWindow(_) => false,
        };
        Some(if is_later { Exhaustion::NotBeforeReset(self.left) } else { earliest })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExhaustedSince {
    /// The first known moment without budget.
    pub at: Timestamp,
    /// Whether the budget may have been exhausted earlier: there are no data before `at`.
    pub is_upper_bound: bool,
}

/// Since when no budget is left. `left` has moments, ascending, each with the share that was left; NaN where it is unknown.
/// `None` if some budget is left now, or if the current value is unknown.
pub fn exhausted_since(left: &[(Timestamp, f64)]) -> Option<ExhaustedSince> {
    let last = left.iter().rposition(|(_, left)| *left > 0.0 || left.is_nan());
    let (at, _) = left.get(last.map_or(0, |last| last + 1))?;
    let is_upper_bound = last.and_then(|last| left.get(last)).is_none_or(|(_, left)| left.is_nan());
    Some(ExhaustedSince { at: *at, is_upper_bound })
}

#[cfg(test)]
mod tests;
