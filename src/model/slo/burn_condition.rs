//! Pairs of lookbacks that alert on a burn rate: a long one for significance, a short one so that it ends soon after the trouble.

use std::time::Duration;

use super::objective::Objective;
use crate::model::words::words;

words! {
    /// How urgent a pair is. Ordered: the worst is the smallest.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Severity: word {
        /// Someone is woken.
        Page = "page",
        /// Someone looks within days.
        Ticket = "ticket",
    }
}

/// One multiwindow burn-rate condition: it holds while the burn rates of both lookbacks are above the factor.
///
/// Source: "Multiwindow, Multi-Burn-Rate Alerts" in the SRE Workbook's "Alerting on SLOs".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BurnCondition {
    pub severity: Severity,
    pub long: Duration,
    pub short: Duration,
    /// The burn rate above which it holds, a multiple of 1.
    pub factor: f64,
    /// How long it must hold before the alert fires: the rule's `for`.
    pub hold: Duration,
    /// Whether the factor itself is enough (`>=`), as at Datadog; else it must be exceeded (`>`).
    pub at_least: bool,
}

impl BurnCondition {
    /// A pair that holds when, at this speed, `share` of the window's budget goes within the long lookback: `f = p * W / w`.
    ///
    /// `share` is 0 to 1. Strict, without a hold.
    pub fn by_share(
        severity: Severity,
        share: f64,
        long: Duration,
        short: Duration,
        window: Duration,
    ) -> Self {
        let factor = share * window.as_secs_f64() / long.as_secs_f64();
        Self { severity, long, short, factor, hold: Duration::ZERO, at_least: false }
    }

    /// Whether one burn rate is above the factor. NaN, which is no traffic, is not.
    pub fn is_exceeded_by(&self, burn: f64) -> bool {
        if self.at_least { burn >= self.factor } else { burn > self.factor }
    }

    /// Whether the condition holds: both lookbacks burn above the factor.
    pub fn holds(&self, long_burn: f64, short_burn: f64) -> bool {
        self.is_exceeded_by(long_burn) && self.is_exceeded_by(short_burn)
    }

    /// Whether even a total outage would not be enough, since no burn rate is above [`Objective::max_burn_rate`]: 14.4 at 90 %.
    pub fn can_never_fire(&self, objective: Objective) -> bool {
        !self.is_exceeded_by(objective.max_burn_rate())
    }

    /// How long a full budget lasts at the factor, `W / f`; Pyrra's `exhaustion`. `None` for a factor that is not above zero.
    pub fn exhaustion(&self, window: Duration) -> Option<Duration> {
        Duration::try_from_secs_f64(window.as_secs_f64() / self.factor).ok()
    }

    /// How long after a clean past a constant error ratio fires this: `f * B / e * long`, and the hold.
    ///
    /// `None` if that error ratio never does.
    pub fn time_to_detection(&self, objective: Objective, error_ratio: f64) -> Option<Duration> {
        let needed = self.needed_share(objective, error_ratio)?;
        Some(scaled(self.long, needed)?.saturating_add(self.hold))
    }

    /// The share of a lookback that must have this error ratio, the rest being clean; `None` if all of it is not enough.
    fn needed_share(&self, objective: Objective, error_ratio: f64) -> Option<f64> {
        let burn = error_ratio / objective.budget();
        self.is_exceeded_by(burn).then(|| (self.factor / burn).clamp(0.0, 1.0))
    }
}

/// A part of a duration. `Duration::mul_f64` would panic on NaN.
fn scaled(duration: Duration, by: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(duration.as_secs_f64() * by).ok()
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// The lookbacks of the SRE Workbook, long and short.
const LOOKBACKS: [(Severity, Duration, Duration); 4] = [
    (Severity::Page, HOUR, Duration::from_secs(300)),
    (Severity::Page, Duration::from_secs(6 * 3600), Duration::from_secs(1800)),
    (Severity::Ticket, DAY, Duration::from_secs(2 * 3600)),
    (Severity::Ticket, Duration::from_secs(3 * 86_400), Duration::from_secs(6 * 3600)),
];

fn by_shares(shares: [f64; 4], window: Duration) -> [BurnCondition; 4] {
    let mut shares = shares.into_iter();
    LOOKBACKS.map(|(severity, long, short)| {
        BurnCondition::by_share(severity, shares.next().unwrap_or(f64::NAN), long, short, window)
    })
}

/// The usual shares of the budget.
const SHARES: [f64; 4] = [0.02, 0.05, 0.1, 0.1];
/// For this window the workbook's pairs are made, with the factors 14.4, 6, 3 and 1.
const MONTH: Duration = Duration::from_secs(30 * 86_400);
/// In windows from here on the workbook's lookbacks stay: 0.93 for 3 days of 28 is the least factor.
const FOUR_WEEKS: Duration = Duration::from_secs(28 * 86_400);

/// From this window on no lookback is shorter than an hour: less is noise in so long a time.
const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// Lookbacks that are taken in short windows, long and short: those that Sloth and Grafana record, and one that is shorter.
const SHORT_WINDOW_LOOKBACKS: [(Duration, Duration); 7] = [
    (Duration::from_secs(600), Duration::from_secs(300)),
    (Duration::from_secs(1800), Duration::from_secs(300)),
    (HOUR, Duration::from_secs(300)),
    (Duration::from_secs(2 * 3600), Duration::from_secs(1800)),
    (Duration::from_secs(6 * 3600), Duration::from_secs(1800)),
    (DAY, Duration::from_secs(2 * 3600)),
    (Duration::from_secs(3 * 86_400), Duration::from_secs(6 * 3600)),
];

/// The four pairs of the SRE Workbook: 2 % of the budget in 1h, 5 % in 6h, 10 % in 1d, 10 % in 3d. 14.4, 6, 3 and 1 at 30 days.
///
/// In windows shorter than 28 days the factors of 30 days stay and the lookbacks shrink with the window, each to the next longer
/// one of a fixed ladder: a share of the budget in a fixed time would make factors below 1, alerts at a pace that leaves budget over.
/// From a week on none is shorter than an hour, and never is one longer than the window. Where two of a severity come to the same lookbacks, the smaller factor stays.
pub fn standard(window: Duration) -> Vec<BurnCondition> {
    standard_of(window, |_| true)
}

/// The same of lookbacks that can be had; where there are none of them, of all.
pub fn standard_of(window: Duration, is_available: impl Fn(Duration) -> bool) -> Vec<BurnCondition> {
    let usual = by_shares(SHARES, window.max(FOUR_WEEKS));
    if window >= FOUR_WEEKS {
        return usual.to_vec();
    }
    let is_usable = |&&(long, short): &&(Duration, Duration)| is_available(long) && is_available(short);
    let candidates: Vec<_> = SHORT_WINDOW_LOOKBACKS.iter().filter(is_usable).collect();
    let candidates = if candidates.is_empty() { SHORT_WINDOW_LOOKBACKS.iter().collect() } else { candidates };
    let mut pairs: Vec<BurnCondition> = Vec::new();
    // the slowest of a severity first, whose factor is the smallest
    for pair in by_shares(SHARES, MONTH).into_iter().rev() {
        let wanted = pair.long.as_secs_f64() * window.as_secs_f64() / MONTH.as_secs_f64();
        let wanted = if window >= WEEK { wanted.max(HOUR.as_secs_f64()) } else { wanted };
        let chosen = candidates.iter().find(|(long, _)| long.as_secs_f64() >= wanted).or(candidates.last());
        let (long, short) = chosen.map_or((pair.long, pair.short), |(long, short)| (*long, *short));
        let pair = BurnCondition { long: long.min(window), short: short.min(window), ..pair };
        let is_same = |other: &BurnCondition| {
            (other.severity, other.long, other.short) == (pair.severity, pair.long, pair.short)
        };
        if !pairs.iter().any(is_same) {
            pairs.push(pair);
        }
    }
    pairs.reverse();
    pairs
}

/// The pairs that Sloth brings for a period: the standard ones for 30 and 28 days, its own for 7. `None` for any other period:
/// Sloth then wants its `AlertWindows`.
pub fn sloth(period: Duration) -> Option<[BurnCondition; 4]> {
    match period.as_secs() / DAY.as_secs() {
        _ if !period.as_secs().is_multiple_of(DAY.as_secs()) => None,
        28 | 30 => Some(by_shares(SHARES, period)),
        7 => Some(by_shares([0.08, 0.125, 0.2, 0.42], period)),
        _ => None,
    }
}

/// The pairs that Pyrra makes for a window: always the factors 14, 7, 2 and 1, with lookbacks and holds that grow with the window
/// from those for 28 days, rounded to minutes.
///
/// A window of a few hours gives lookbacks of zero, in Pyrra too.
pub fn pyrra(window: Duration) -> [BurnCondition; 4] {
    // severity, factor, and what the window is divided by for the long and the short lookback and the hold
    [
        (Severity::Page, 14.0, 28 * 24, 28 * 24 * 12, 28 * 24 * 30),
        (Severity::Page, 7.0, 28 * 4, 28 * 24 * 2, 28 * 24 * 4),
        (Severity::Ticket, 2.0, 28, 28 * 12, 28 * 24),
        (Severity::Ticket, 1.0, 7, 28 * 4, 28 * 8),
    ]
    .map(|(severity, factor, long, short, hold)| BurnCondition {
        severity,
        long: to_minutes(window / long),
        short: to_minutes(window / short),
        factor,
        hold: to_minutes(window / hold),
        at_least: false,
    })
}

/// Rounds to whole minutes, halves up, as Go's `Duration.Round` does.
fn to_minutes(duration: Duration) -> Duration {
    let minutes = duration.saturating_add(MINUTE / 2).as_secs() / MINUTE.as_secs();
    Duration::from_secs(minutes * MINUTE.as_secs())
}

#[cfg(test)]
mod tests;
