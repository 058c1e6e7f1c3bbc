//! The verdict on a service, with the reason for it in words.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use super::alert::{Alert, Severity};
use super::labels::Text;
use super::service::Reading;

/// How a service is. Ordered: the worst is the smallest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Health {
    /// No target answers.
    Down,
    /// Users are being failed fast: someone should look now.
    Burning,
    /// Something is wrong that can wait a little.
    Degraded,
    /// There are no data to judge by.
    Unknown,
    /// All that is known is well.
    Healthy,
}

impl Health {
    /// From the worst to the best.
    pub const ALL: [Self; 5] = [Self::Down, Self::Burning, Self::Degraded, Self::Unknown, Self::Healthy];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Burning => "burning",
            Self::Degraded => "degraded",
            Self::Unknown => "unknown",
            Self::Healthy => "healthy",
        }
    }
}

/// Above what a signal counts as bad.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Error ratio from which a service is degraded.
    pub error_ratio_degraded: f64,
    /// Error ratio from which a service is burning.
    pub error_ratio_burning: f64,
    /// Failed requests within the lookback below which an error ratio says nothing.
    pub few_errors: f64,
    /// 95th percentile of latency, in seconds, from which a service is degraded.
    pub p95_degraded: f64,
    /// Saturation, 0 to 1, from which a service is degraded.
    pub saturation_degraded: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            error_ratio_degraded: 0.01,
            error_ratio_burning: 0.05,
            few_errors: 3.0,
            p95_degraded: 1.0,
            saturation_degraded: 0.9,
        }
    }
}

/// One thing that is wrong with a service.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// This many of its targets do not answer.
    TargetsDown {
        /// Those that do not answer.
        down: u32,
        /// All of them.
        total: u32,
    },
    /// The share of failed requests, 0 to 1.
    Errors(f64),
    /// An alert is firing.
    Firing {
        /// The alert's name.
        name: Text,
        /// How loud it is.
        severity: Severity,
        /// How many more of the same severity are firing.
        more: usize,
    },
    /// The 95th percentile of latency, in seconds.
    Slow(f64),
    /// Use of the fullest resource, 0 to 1.
    Saturated(f64),
    /// It was known, but no source has data of it any more.
    NoData {
        /// When it was last seen.
        since: Timestamp,
    },
    /// It is known by name, but has none of the signals.
    NeverHadData,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TargetsDown { down, total } if down == total => {
                write!(
                    f,
                    "{} down",
                    if *total == 1 { "its target is".into() } else { format!("all {total} targets are") }
                )
            }
            Self::TargetsDown { down, total } => write!(f, "{down} of {total} targets down"),
            Self::Errors(ratio) => write!(f, "{} of requests fail", percent(*ratio)),
            Self::Firing { name, more: 0, .. } => write!(f, "{name} firing"),
            Self::Firing { name, more, .. } => write!(f, "{name} firing and {more} more"),
            Self::Slow(seconds) => write!(f, "slow: p95 {}", latency(*seconds)),
            Self::Saturated(ratio) => write!(f, "saturated: {}", percent(*ratio)),
            Self::NoData { .. } => f.write_str("no data any more"),
            Self::NeverHadData => f.write_str("no signals"),
        }
    }
}

/// A ratio as per cent with three significant digits: `12.3%`, `0.04%`.
pub fn percent(ratio: f64) -> String {
    let value = ratio * 100.0;
    match value.abs() {
        v if !v.is_finite() => "-".into(),
        v if v >= 99.95 || v == 0.0 => format!("{value:.0}%"),
        v if v >= 9.995 => format!("{value:.1}%"),
        v if v >= 0.0095 => format!("{value:.2}%"),
        _ => "<0.01%".into(),
    }
}

/// Seconds as a latency: `640µs`, `12ms`, `1.24s`.
pub fn latency(seconds: f64) -> String {
    match seconds {
        s if !s.is_finite() => "-".into(),
        s if s < 0.000_999_5 => format!("{:.0}µs", s * 1e6),
        s if s < 0.009_995 => format!("{:.1}ms", s * 1e3),
        s if s < 0.999_5 => format!("{:.0}ms", s * 1e3),
        s if s < 9.995 => format!("{s:.2}s"),
        s if s < 120.0 => format!("{s:.1}s"),
        s => format!("{:.0}m", s / 60.0),
    }
}

/// The verdict on one service out of its signals, targets and loud alerts; the gravest reason first.
///
/// Alerts that are silenced, inhibited or pending do not count: somebody knows, or nobody was told yet.
pub fn assess(
    reading: &Reading,
    lookback: Duration,
    alerts: &[&Alert],
    thresholds: &Thresholds,
) -> (Health, Vec<Reason>) {
    let signals = &reading.signals;
    let mut found: Vec<(Health, Reason)> = Vec::new();
    let down = reading.targets.total.saturating_sub(reading.targets.up);
    if down > 0 {
        let health = if reading.targets.up == 0 { Health::Down } else { Health::Degraded };
        found.push((health, Reason::TargetsDown { down, total: reading.targets.total }));
    }
    if let Some(ratio) = signals.error_ratio {
        let failed = signals.request_rate.map_or(f64::INFINITY, |rate| rate * ratio * lookback.as_secs_f64());
        if ratio >= thresholds.error_ratio_degraded && failed >= thresholds.few_errors {
            let burning = ratio >= thresholds.error_ratio_burning;
            found.push((if burning { Health::Burning } else { Health::Degraded }, Reason::Errors(ratio)));
        }
    }
    for (severity, health) in [(Severity::Critical, Health::Burning), (Severity::Warning, Health::Degraded)] {
        let mut firing = alerts.iter().filter(|a| a.is_firing() && a.severity == severity);
        if let Some(newest) = firing.clone().max_by_key(|a| a.starts_at) {
            let more = firing.by_ref().count() - 1;
            found.push((health, Reason::Firing { name: newest.name().into(), severity, more }));
        }
    }
    if let Some(seconds) = signals.p95.filter(|p95| *p95 >= thresholds.p95_degraded) {
        found.push((Health::Degraded, Reason::Slow(seconds)));
    }
    if let Some(ratio) = signals.saturation.filter(|ratio| *ratio >= thresholds.saturation_degraded) {
        found.push((Health::Degraded, Reason::Saturated(ratio)));
    }
    if found.is_empty() && reading.targets.total == 0 && *signals == super::service::Signals::default() {
        found.push((Health::Unknown, Reason::NeverHadData));
    }
    found.sort_by_key(|(health, _)| *health);
    let health = found.first().map_or(Health::Healthy, |(health, _)| *health);
    (health, found.into_iter().map(|(_, reason)| reason).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::service::{Signals, Targets};

    const MINUTE: Duration = Duration::from_secs(60);

    fn reading(rate: f64, errors: f64) -> Reading {
        Reading {
            name: "cart".into(),
            signals: Signals {
                request_rate: Some(rate),
                error_ratio: Some(errors),
                p95: Some(0.1),
                ..Signals::default()
            },
            targets: Targets { up: 3, total: 3, down: vec![] },
            ..Reading::default()
        }
    }

    fn verdict(reading: &Reading) -> (Health, String) {
        let (health, reasons) = assess(reading, MINUTE, &[], &Thresholds::default());
        (health, reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }

    #[test]
    fn errors_latency_saturation_and_targets_each_give_their_reason() {
        assert_eq!(verdict(&reading(100.0, 0.0)), (Health::Healthy, String::new()));
        assert_eq!(verdict(&reading(100.0, 0.02)), (Health::Degraded, "2.00% of requests fail".into()));
        assert_eq!(verdict(&reading(100.0, 0.213)), (Health::Burning, "21.3% of requests fail".into()));
        let mut slow = reading(100.0, 0.0);
        slow.signals.p95 = Some(1.5);
        slow.signals.saturation = Some(0.95);
        assert_eq!(verdict(&slow), (Health::Degraded, "slow: p95 1.50s; saturated: 95.0%".into()));
        let mut down = reading(100.0, 0.3);
        down.targets.up = 0;
        assert_eq!(verdict(&down), (Health::Down, "all 3 targets are down; 30.0% of requests fail".into()));
    }

    #[test]
    fn one_failure_in_a_quiet_minute_is_not_a_fire() {
        assert_eq!(verdict(&reading(0.03, 0.5)).0, Health::Healthy);
    }

    #[test]
    fn absence_is_not_health() {
        let nothing = Reading { name: "ghost".into(), ..Reading::default() };
        assert_eq!(verdict(&nothing), (Health::Unknown, "no signals".into()));
    }

    #[test]
    fn numbers_are_short_and_never_nan() {
        for (ratio, text) in [
            (0.0, "0%"),
            (0.000_004, "<0.01%"),
            (0.0123, "1.23%"),
            (0.5, "50.0%"),
            (1.0, "100%"),
            (f64::NAN, "-"),
        ] {
            assert_eq!(percent(ratio), text);
        }
        for (seconds, text) in
            [(0.0004, "400µs"), (0.0042, "4.2ms"), (0.123, "123ms"), (1.239, "1.24s"), (240.0, "4m")]
        {
            assert_eq!(latency(seconds), text);
        }
    }
}
