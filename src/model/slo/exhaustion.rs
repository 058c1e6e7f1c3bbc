//! When the error budget will be gone at the present burn, and since when it is.

use std::time::Duration;

use jiff::Timestamp;

use super::spending::BudgetSpending;
use super::window::TimeRange;

/// When a budget is spent, if the burn stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exhaustion {
    Exhausted,
    /// So long from now.
    In(Duration),
    /// Not within a whole window from now: what leaves makes up for what comes.
    NotWithinWindow(Duration),
    /// Not before the calendar period begins anew, so long from now.
    NotBeforeReset(Duration),
    /// Nothing is burning.
    Never,
}

impl Exhaustion {
    /// The earliest that can be, if nothing of the past leaves the window: `R * W / b`. To be labelled "at the earliest".
    ///
    /// `left` is `R`, `burn` a multiple of 1. `None` if one of them is no number.
    pub fn earliest(left: f64, burn: f64, window: Duration) -> Option<Self> {
        if left.is_nan() || burn.is_nan() {
            None
        } else if left <= 0.0 {
            Some(Self::Exhausted)
        } else if burn <= 0.0 {
            Some(Self::Never)
        } else {
            // too long for a duration is as good as never
            let after = Duration::try_from_secs_f64(left * window.as_secs_f64() / burn);
            Some(after.map_or(Self::Never, Self::In))
        }
    }

    /// When it will be in a rolling window, with what leaves it: stepped slot by slot, straight within a slot, for one window.
    ///
    /// `None` if the burn is no number or there are no slots.
    pub fn rolling(spending: &BudgetSpending, burn: f64) -> Option<Self> {
        if !burn.is_finite() || spending.shares().is_empty() {
            return None;
        }
        let mut before = spending.spent();
        if before >= 1.0 {
            return Some(Self::Exhausted);
        }
        let slot = spending.slot().as_secs_f64();
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

/// A calendar period that is under way, at constant traffic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurrentPeriod {
    average_burn: f64,
    elapsed: Duration,
    left: Duration,
}

impl CurrentPeriod {
    /// `average_burn` is `e(start..now) / B`. `None` if it is no number, or if nothing of the period has passed.
    pub fn new(average_burn: f64, period: TimeRange, now: Timestamp) -> Option<Self> {
        let (elapsed, left) = (period.elapsed(now), period.left(now));
        (average_burn.is_finite() && average_burn >= 0.0 && !elapsed.is_zero()).then_some(Self {
            average_burn,
            elapsed,
            left,
        })
    }

    /// The average burn so far, which is also the pace: the share of the budget that the whole period spends if it goes on so.
    pub fn pace(self) -> f64 {
        self.average_burn
    }

    /// The share of the period that has passed, above 0, at most 1.
    pub fn elapsed_share(self) -> f64 {
        self.elapsed.as_secs_f64() / (self.elapsed + self.left).as_secs_f64()
    }

    /// What is left of the budget that the time to date allows, `1 - e(start..now) / B`.
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

    pub fn reset(self) -> Duration {
        self.left
    }

    /// The burn that the rest of the period can bear, 0 if the budget is gone; `None` when the period is over.
    pub fn sustainable_burn(self) -> Option<f64> {
        (!self.left.is_zero()).then(|| (self.left() / (1.0 - self.elapsed_share())).max(0.0))
    }

    /// What will be left of the budget at the reset, if the rest of the period burns at `burn`.
    pub fn left_at_reset(self, burn: f64) -> f64 {
        self.left() - burn * (1.0 - self.elapsed_share())
    }

    /// When the budget is gone at `burn`: `(1 - spent) * W / b`, or not before the reset. `None` if the burn is no number.
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
    /// The first moment at which it was known to be.
    pub at: Timestamp,
    /// Whether it may have been before: nothing is known of the time before.
    pub is_upper_bound: bool,
}

/// Since when no budget is left, from its course: moments, ascending, with the share that was left. `None` if some is left now,
/// or if nothing is known of now.
pub fn exhausted_since(left: &[(Timestamp, f64)]) -> Option<ExhaustedSince> {
    let last = left.iter().rposition(|(_, left)| *left > 0.0 || left.is_nan());
    let (at, _) = left.get(last.map_or(0, |last| last + 1))?;
    let is_upper_bound = last.and_then(|last| left.get(last)).is_none_or(|(_, left)| left.is_nan());
    Some(ExhaustedSince { at: *at, is_upper_bound })
}

#[cfg(test)]
mod tests;
