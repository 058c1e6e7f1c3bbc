//! Multiwindow burn-rate conditions: the long lookback makes the alert significant, the short one lets it end soon after the
//! errors end.

use std::collections::BTreeSet;
use std::time::Duration;

use super::objective::Objective;
use crate::model::words::words;

words! {
    /// How urgent a burn-rate condition is. Ordered: `Page`, the more urgent one, is the smaller.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum BurnSeverity: word {
        /// Someone is paged.
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
    pub severity: BurnSeverity,
    pub long: Duration,
    pub short: Duration,
    /// The burn rate above which the condition holds, a multiple of 1.
    pub factor: f64,
    /// How long the condition must hold before the alert fires: the rule's `for`.
    pub hold: Duration,
    /// Whether a burn rate equal to the factor is enough (`>=`, as at Datadog); otherwise it must be greater (`>`).
    pub at_least: bool,
}

impl BurnCondition {
    /// The condition that holds when the long lookback alone would spend `share` of the window's budget: `f = p * W / w`.
    ///
    /// `share` is 0 to 1. The result compares with `>` and has no hold.
    pub fn by_share(
        severity: BurnSeverity,
        share: f64,
        long: Duration,
        short: Duration,
        window: Duration,
    ) -> Self {
        let factor = share * window.as_secs_f64() / long.as_secs_f64();
        Self { severity, long, short, factor, hold: Duration::ZERO, at_least: false }
    }

    /// Whether one burn rate is above the factor. False for NaN, which means no traffic.
    pub fn is_exceeded_by(&self, burn: f64) -> bool {
        if self.at_least { burn >= self.factor } else { burn > self.factor }
    }

    /// Whether the condition holds: the burn rates over both lookbacks are above the factor.
    pub fn holds(&self, long_burn: f64, short_burn: f64) -> bool {
        self.is_exceeded_by(long_burn) && self.is_exceeded_by(short_burn)
    }

    /// Whether even a total outage cannot fulfil the condition: [`Objective::max_burn_rate`] is not above the factor, such as
    /// 14.4 at 90 %.
    pub fn can_never_fire(&self, objective: Objective) -> bool {
        !self.is_exceeded_by(objective.max_burn_rate())
    }

    /// How long a full budget lasts at a burn rate equal to the factor, `W / f`; Pyrra's `exhaustion`. `None` if the factor is
    /// zero or less.
    pub fn exhaustion(&self, window: Duration) -> Option<Duration> {
        Duration::try_from_secs_f64(window.as_secs_f64() / self.factor).ok()
    }

    /// How long a constant error ratio, starting after a time without errors, takes to fire the alert: `f * B / e * long` plus
    /// the hold.
    ///
    /// `None` if that error ratio never fires the alert.
    pub fn time_to_detection(&self, objective: Objective, error_ratio: f64) -> Option<Duration> {
        let needed = self.needed_share(objective, error_ratio)?;
        Some(scaled(self.long, needed)?.saturating_add(self.hold))
    }

    /// The share of the long lookback that must have this error ratio while the rest has no errors, 0 to 1; `None` if even the
    /// whole lookback is not enough.
    fn needed_share(&self, objective: Objective, error_ratio: f64) -> Option<f64> {
        let burn = error_ratio / objective.budget();
        self.is_exceeded_by(burn).then(|| (self.factor / burn).clamp(0.0, 1.0))
    }
}

/// All lookbacks of burn-rate conditions, ascending, each once.
pub fn lookbacks(pairs: &[BurnCondition]) -> Vec<Duration> {
    let all: BTreeSet<Duration> = pairs.iter().flat_map(|pair| [pair.short, pair.long]).collect();
    all.into_iter().collect()
}

/// A duration multiplied by a factor; `None` for NaN and negative factors, where `Duration::mul_f64` would panic.
fn scaled(duration: Duration, by: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(duration.as_secs_f64() * by).ok()
}

/// The fewest events in a lookback for which a single failure cannot exceed the factor: `1 / (f * B)`, rounded up.
///
/// `None` for a factor of zero or less. Source: SRE Workbook, "Low-Traffic Services and Error Budget Alerting".
pub fn fewest_events(objective: Objective, factor: f64) -> Option<f64> {
    let events = objective.max_burn_rate() / factor;
    // a computed 100.00000000000001 means 100
    (events.is_finite() && events > 0.0).then(|| (events * (1.0 - 1e-12)).ceil())
}

/// Whether a burn rate over this many events is shown as "few events", with the counts beside it: one failure alone would exceed
/// the factor. Pass known counts only.
pub fn are_few(events: f64, objective: Objective, factor: f64) -> bool {
    fewest_events(objective, factor).is_some_and(|fewest| events < fewest)
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// The lookbacks of the SRE Workbook, long and short.
const LOOKBACKS: [(BurnSeverity, Duration, Duration); 4] = [
    (BurnSeverity::Page, HOUR, Duration::from_secs(300)),
    (BurnSeverity::Page, Duration::from_secs(6 * 3600), Duration::from_secs(1800)),
    (BurnSeverity::Ticket, DAY, Duration::from_secs(2 * 3600)),
    (BurnSeverity::Ticket, Duration::from_secs(3 * 86_400), Duration::from_secs(6 * 3600)),
];

fn by_shares(shares: [f64; 4], window: Duration) -> [BurnCondition; 4] {
    let mut shares = shares.into_iter();
    LOOKBACKS.map(|(severity, long, short)| {
        BurnCondition::by_share(severity, shares.next().unwrap_or(f64::NAN), long, short, window)
    })
}

/// Shares of the error budget, one for each of [`LOOKBACKS`], from the SRE Workbook.
const SHARES: [f64; 4] = [0.02, 0.05, 0.1, 0.1];
/// The SLO window of the workbook's examples, which have the factors 14.4, 6, 3 and 1.
const MONTH: Duration = Duration::from_secs(30 * 86_400);
/// SLO windows of at least this length use the workbook's lookbacks: at 28 days the smallest factor is 0.93, for the 3-day
/// lookback.
const FOUR_WEEKS: Duration = Duration::from_secs(28 * 86_400);

/// For SLO windows of at least this length no long lookback is shorter than an hour: shorter ones are noise at that scale.
const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// Lookbacks for SLO windows below 28 days, long and short: those that Sloth and Grafana record, and one shorter pair.
const SHORT_WINDOW_LOOKBACKS: [(Duration, Duration); 7] = [
    (Duration::from_secs(600), Duration::from_secs(300)),
    (Duration::from_secs(1800), Duration::from_secs(300)),
    (HOUR, Duration::from_secs(300)),
    (Duration::from_secs(2 * 3600), Duration::from_secs(1800)),
    (Duration::from_secs(6 * 3600), Duration::from_secs(1800)),
    (DAY, Duration::from_secs(2 * 3600)),
    (Duration::from_secs(3 * 86_400), Duration::from_secs(6 * 3600)),
];

/// The four burn-rate conditions of the SRE Workbook: 2 % of the budget in 1h, 5 % in 6h, 10 % in 1d, 10 % in 3d. Their factors
/// at 30 days are 14.4, 6, 3 and 1.
///
/// Windows shorter than 28 days keep the factors of 30 days. Their lookbacks shrink in proportion to the window and are rounded
/// up to the next entry of `SHORT_WINDOW_LOOKBACKS`; fixed lookbacks would give factors below 1, which alert on a burn that does
/// not exhaust the budget. From a week on no long lookback is shorter than an hour, and none exceeds the window. Where two
/// conditions of a severity get the same lookbacks, the one with the smaller factor stays.
pub fn standard(window: Duration) -> Vec<BurnCondition> {
    standard_of(window, |_| true)
}

/// The same as [`standard`], from those lookbacks for which `is_available` returns true; if no entry qualifies, from all entries.
pub fn standard_of(window: Duration, is_available: impl Fn(Duration) -> bool) -> Vec<BurnCondition> {
    let usual = by_shares(SHARES, window.max(FOUR_WEEKS));
    if window >= FOUR_WEEKS {
        return usual.to_vec();
    }
    let is_usable = |&&(long, short): &&(Duration, Duration)| is_available(long) && is_available(short);
    let candidates: Vec<_> = SHORT_WINDOW_LOOKBACKS.iter().filter(is_usable).collect();
    let candidates = if candidates.is_empty() { SHORT_WINDOW_LOOKBACKS.iter().collect() } else { candidates };
    let mut pairs: Vec<BurnCondition> = Vec::new();
    // of each severity the longest lookbacks first: their factor is the smallest, so that one stays
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

/// The conditions that Sloth uses for a period: the standard ones for 30 and 28 days, its own for 7 days. `None` for any other
/// period, where Sloth requires its `AlertWindows`.
pub fn sloth(period: Duration) -> Option<[BurnCondition; 4]> {
    match period.as_secs() / DAY.as_secs() {
        _ if !period.as_secs().is_multiple_of(DAY.as_secs()) => None,
        28 | 30 => Some(by_shares(SHARES, period)),
        7 => Some(by_shares([0.08, 0.125, 0.2, 0.42], period)),
        _ => None,
    }
}

/// The conditions that Pyrra uses for a window: the factors 14, 7, 2 and 1, with lookbacks and holds in proportion to the window,
/// based on the values for 28 days and rounded to minutes.
///
/// A window of a few hours gives lookbacks of zero; Pyrra does the same.
pub fn pyrra(window: Duration) -> [BurnCondition; 4] {
    // severity, factor, and the divisors of the window for the long lookback, the short lookback and the hold
    [
        (BurnSeverity::Page, 14.0, 28 * 24, 28 * 24 * 12, 28 * 24 * 30),
        (BurnSeverity::Page, 7.0, 28 * 4, 28 * 24 * 2, 28 * 24 * 4),
        (BurnSeverity::Ticket, 2.0, 28, 28 * 12, 28 * 24),
        (BurnSeverity::Ticket, 1.0, 7, 28 * 4, 28 * 8),
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
