//! How a service is, above what a signal counts as bad, and how signals are written.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration::ConfigDuration;
use super::words::words;

words! {
    /// How a service is. Ordered: the worst is the smallest.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
    pub enum Health: word {
        /// No target answers.
        Down = "down",
        /// Users are being failed fast: someone should look now.
        Critical = "critical",
        /// Something is wrong that can wait a little.
        Degraded = "degraded",
        #[default]
        Unknown = "unknown",
        Healthy = "healthy",
    }
}

/// The limits above which a signal counts as bad.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "HealthSettings")]
pub struct Thresholds {
    /// Failed / all requests from which a service is degraded, 0 to 1.
    pub error_ratio_degraded: f64,
    /// Failed / all requests from which a service is critical, 0 to 1.
    pub error_ratio_critical: f64,
    /// Number of failed requests within the lookback below which the error ratio is ignored.
    pub few_errors: f64,
    /// 95th percentile of latency from which a service is degraded.
    pub p95_degraded: ConfigDuration,
    /// Usage of the most used resource from which a service is degraded, 0 to 1.
    pub saturation_degraded: f64,
    /// A service is degraded if one of its resources is expected to be full within this time.
    pub full_within: ConfigDuration,
    /// A service is degraded if one of its certificates or other deadlines ends within this time.
    pub expires_within: ConfigDuration,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            error_ratio_degraded: 0.01,
            error_ratio_critical: 0.05,
            few_errors: 3.0,
            p95_degraded: ConfigDuration(Duration::from_secs(1)),
            saturation_degraded: 0.9,
            full_within: ConfigDuration(Duration::from_secs(4 * 86_400)),
            expires_within: ConfigDuration(Duration::from_secs(14 * 86_400)),
        }
    }
}

/// A ratio in percent with three significant digits: `12.3%`, `0.04%`.
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

/// A latency in seconds as text: `640µs`, `12ms`, `1.24s`; very long and very short times have other units.
pub fn latency(seconds: f64) -> String {
    match seconds {
        s if !s.is_finite() => "-".into(),
        s if s < 0.0 => format!("-{}", latency(-s)),
        s if s > 0.0 && s < 0.5e-9 => "<1ns".into(),
        s if s > 0.0 && s < 0.999_5e-6 => format!("{:.0}ns", s * 1e9),
        s if s < 0.000_999_5 => format!("{:.0}µs", s * 1e6),
        s if s < 0.009_995 => format!("{:.1}ms", s * 1e3),
        s if s < 0.999_5 => format!("{:.0}ms", s * 1e3),
        s if s < 9.995 => format!("{s:.2}s"),
        s if s < 120.0 => format!("{s:.1}s"),
        s if s < 7200.0 => format!("{:.0}m", s / 60.0),
        s if s < 172_800.0 => format!("{:.1}h", s / 3600.0),
        s => format!("{:.0}d", s / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
