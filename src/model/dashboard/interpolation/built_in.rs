//! Grafana's built-in variables: the time range, intervals, the dashboard.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::VariableState;
use super::format::{VariableFormat, formatted};
use crate::model::dashboard::display::moment::{format_moment, timestamp};
use crate::model::labels::Text;

/// What built-in variables stand for.
#[derive(Debug, Clone, PartialEq)]
pub struct BuiltIns {
    pub dashboard_title: Text,
    pub dashboard_uid: Text,
    pub zone: TimeZone,
    /// The range and intervals; `None`: they are replaced later.
    pub time: Option<BuiltInTime>,
}

/// The time range and the intervals of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltInTime {
    pub from: Timestamp,
    pub to: Timestamp,
    /// Between two points.
    pub step: Duration,
    /// How often the targets are scraped; Grafana assumes 15 s.
    pub scrape_interval: Duration,
}

impl BuiltIns {
    #[must_use]
    pub(super) fn without_time(self) -> Self {
        Self { time: None, ..self }
    }

    /// The value of a built-in variable; `None` if there is none of this name.
    pub(super) fn value(
        &self,
        name: &str,
        path: Option<&str>,
        format: Option<(VariableFormat, &str)>,
        states: &[VariableState],
    ) -> Option<String> {
        match (name, path) {
            ("__dashboard", None | Some("name" | "title")) => return Some(self.dashboard_title.to_string()),
            ("__dashboard", Some("uid")) | ("__dashboard_uid", _) => {
                return Some(self.dashboard_uid.to_string());
            }
            ("__timezone", _) => return self.zone.iana_name().map(str::to_owned),
            ("__all_variables", _) => {
                let each = states.iter().map(|state| formatted(state, VariableFormat::QueryParam, ""));
                return Some(each.collect::<Vec<_>>().join("&"));
            }
            _ => {}
        }
        let time = self.time.as_ref()?;
        if let ("__from" | "__to", Some((VariableFormat::Date, pattern))) = (name, format) {
            let ms = (if name == "__from" { time.from } else { time.to }).as_millisecond();
            return Some(date_in(&ms.to_string(), pattern, &self.zone));
        }
        time.value(name)
    }
}

impl BuiltInTime {
    /// The interval for `rate`: at least four scrapes, and one more than the step (Grafana's `$__rate_interval`).
    pub fn rate_interval(&self) -> Duration {
        let four = self.scrape_interval.saturating_mul(4);
        four.max(self.step.saturating_add(self.scrape_interval))
    }

    /// The value of a variable of time; `None` if there is none of this name.
    pub fn value(&self, name: &str) -> Option<String> {
        let (from, to) = (self.from.as_millisecond(), self.to.as_millisecond());
        let range = to.saturating_sub(from).max(0);
        Some(match name {
            "__from" => from.to_string(),
            "__to" => to.to_string(),
            "__interval" | "__auto" => promql_duration(self.step),
            "__interval_ms" => self.step.as_millis().to_string(),
            "__rate_interval" => promql_duration(self.rate_interval()),
            "__rate_interval_ms" => self.rate_interval().as_millis().to_string(),
            "__range" => format!("{}s", (range + 500) / 1000),
            "__range_s" => ((range + 500) / 1000).to_string(),
            "__range_ms" => range.to_string(),
            "__url_time_range" => format!("from={from}&to={to}"),
            "timeFilter" | "__timeFilter" => format!("time >= {from}ms and time <= {to}ms"),
            _ => return None,
        })
    }
}

/// A duration that Prometheus and Loki read: `90s`, `500ms`, `2m`, `1h`, one unit as Grafana writes it.
pub fn promql_duration(duration: Duration) -> String {
    let ms = duration.as_millis().max(1);
    for (unit, length) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)] {
        if ms.is_multiple_of(length) {
            return format!("{}{unit}", ms / length);
        }
    }
    format!("{ms}ms")
}

/// Milliseconds since 1970 as a date in UTC: `iso` (the default), `seconds`, `ms`, or a pattern of moment.js.
pub(super) fn date(value: &str, pattern: &str) -> String {
    date_in(value, pattern, &TimeZone::UTC)
}

fn date_in(value: &str, pattern: &str, zone: &TimeZone) -> String {
    let Some((ms, at)) = value.trim().parse::<f64>().ok().and_then(|ms| Some((ms, timestamp(ms)?))) else {
        return value.to_owned();
    };
    match pattern {
        "ms" => value.to_owned(),
        "seconds" => format!("{}", (ms / 1000.0).round()),
        "" | "iso" => format!("{:.3}", at),
        pattern => format_moment(&at.to_zoned(zone.clone()), pattern),
    }
}

/// The steps to which Grafana rounds intervals, in milliseconds: below the first it takes the second.
const ROUNDED: [(u64, u64); 30] = [
    (10, 1),
    (15, 10),
    (35, 20),
    (75, 50),
    (150, 100),
    (350, 200),
    (750, 500),
    (1500, 1000),
    (3500, 2000),
    (7500, 5000),
    (12_500, 10_000),
    (17_500, 15_000),
    (25_000, 20_000),
    (45_000, 30_000),
    (90_000, 60_000),
    (210_000, 120_000),
    (450_000, 300_000),
    (750_000, 600_000),
    (1_050_000, 900_000),
    (1_500_000, 1_200_000),
    (2_700_000, 1_800_000),
    (5_400_000, 3_600_000),
    (9_000_000, 7_200_000),
    (16_200_000, 10_800_000),
    (32_400_000, 21_600_000),
    (86_400_000, 43_200_000),
    (604_800_000, 86_400_000),
    (1_814_400_000, 604_800_000),
    (3_628_800_000, 2_592_000_000),
    (u64::MAX, 31_536_000_000),
];

/// An interval of Grafana: the range divided by the number of points, rounded, and not below `least`. Interval variables with
/// `auto` have it as their value.
pub fn rounded_interval(range: Duration, points: u32, least: Duration) -> Duration {
    let exact = range.as_millis() / u128::from(points.max(1));
    let exact = u64::try_from(exact).unwrap_or(u64::MAX);
    let rounded = ROUNDED.iter().find(|(below, _)| exact < *below).map_or(31_536_000_000, |(_, to)| *to);
    Duration::from_millis(rounded).max(least)
}
