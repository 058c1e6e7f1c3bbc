//! Times as Grafana writes them: scaled (`2.5 min`), in words (`2 hours, 5 minutes`), as a clock (`02h:05m`) and as `02:05:00`.

use super::decimals::{UnitText, fixed};

/// The unit in which a time is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeScale {
    Nanoseconds,
    Microseconds,
    Milliseconds,
    Seconds,
    /// Hundredths of a second (SNMP).
    Ticks,
    Minutes,
    Hours,
    Days,
}

/// A step: values below the limit are divided by the divisor and have the suffix.
type ScaleStep = (f64, f64, &'static str);

const NANOSECONDS: &[ScaleStep] = &[
    (1e3, 1.0, " ns"),
    (1e6, 1e3, " µs"),
    (1e9, 1e6, " ms"),
    (6e10, 1e9, " s"),
    (3.6e12, 6e10, " min"),
    (8.64e13, 3.6e12, " hour"),
    (f64::INFINITY, 8.64e13, " day"),
];
const MICROSECONDS: &[ScaleStep] = &[(1e3, 1.0, " µs"), (1e6, 1e3, " ms"), (f64::INFINITY, 1e6, " s")];
const MILLISECONDS: &[ScaleStep] = &[
    (1e3, 1.0, " ms"),
    (6e4, 1e3, " s"),
    (3.6e6, 6e4, " min"),
    (8.64e7, 3.6e6, " hour"),
    (3.1536e10, 8.64e7, " day"),
    (f64::INFINITY, 3.1536e10, " year"),
];
const SECONDS: &[ScaleStep] = &[
    (1e-6, 1e-9, " ns"),
    (1e-3, 1e-6, " µs"),
    (1.0, 1e-3, " ms"),
    (60.0, 1.0, " s"),
    (3600.0, 60.0, " min"),
    (86400.0, 3600.0, " hour"),
    (604_800.0, 86400.0, " day"),
    (31_536_000.0, 604_800.0, " week"),
    (f64::INFINITY, 3.15569e7, " year"),
];
const MINUTES: &[ScaleStep] = &[
    (60.0, 1.0, " min"),
    (1440.0, 60.0, " hour"),
    (10080.0, 1440.0, " day"),
    (604_800.0, 10080.0, " week"),
    (f64::INFINITY, 525_948.0, " year"),
];
const HOURS: &[ScaleStep] = &[
    (24.0, 1.0, " hour"),
    (168.0, 24.0, " day"),
    (8760.0, 168.0, " week"),
    (f64::INFINITY, 8760.0, " year"),
];
const DAYS: &[ScaleStep] = &[(7.0, 1.0, " day"), (365.0, 7.0, " week"), (f64::INFINITY, 365.0, " year")];

/// A time in the unit that suits its size.
pub(super) fn scaled_time(value: f64, scale: TimeScale, decimals: Option<u8>) -> UnitText {
    let (value, steps) = match scale {
        TimeScale::Nanoseconds => (value, NANOSECONDS),
        TimeScale::Microseconds => (value, MICROSECONDS),
        TimeScale::Milliseconds => (value, MILLISECONDS),
        TimeScale::Seconds => (value, SECONDS),
        TimeScale::Ticks => (value / 100.0, SECONDS),
        TimeScale::Minutes => (value, MINUTES),
        TimeScale::Hours => (value, HOURS),
        TimeScale::Days => (value, DAYS),
    };
    if value == 0.0 && std::ptr::eq(steps, SECONDS) {
        return UnitText::of("0", " s");
    }
    let last = steps.last();
    let step = steps.iter().find(|(limit, _, _)| value.abs() < *limit).or(last);
    step.map_or_else(UnitText::default, |(_, divisor, suffix)| {
        // a multiplication keeps 0.1 s at 100 ms
        let scaled = if *divisor < 1.0 { value * (1.0 / divisor).round() } else { value / divisor };
        UnitText::of(fixed(scaled, decimals), *suffix)
    })
}

/// Names and lengths in milliseconds.
const PARTS: [(&str, f64); 8] = [
    ("year", 31_536_000_000.0),
    ("month", 2_592_000_000.0),
    ("week", 604_800_000.0),
    ("day", 86_400_000.0),
    ("hour", 3_600_000.0),
    ("minute", 60_000.0),
    ("second", 1000.0),
    ("millisecond", 1.0),
];

/// `2 hours, 5 minutes`: the largest part and as many smaller ones as there are decimals.
#[expect(clippy::float_cmp, reason = "a whole number")]
pub(super) fn words(value: f64, scale: TimeScale, decimals: Option<u8>) -> UnitText {
    let (name, factor) = match scale {
        TimeScale::Milliseconds => ("milliseconds", 1.0),
        TimeScale::Nanoseconds
        | TimeScale::Microseconds
        | TimeScale::Seconds
        | TimeScale::Ticks
        | TimeScale::Minutes
        | TimeScale::Hours
        | TimeScale::Days => ("seconds", 1000.0),
    };
    if value == 0.0 || !value.is_finite() {
        return UnitText::of(fixed(value, None), format!(" {name}"));
    }
    let mut rest = value.abs() * factor;
    let mut left = i32::from(decimals.unwrap_or(0));
    let mut parts: Vec<String> = Vec::new();
    for (name, length) in PARTS {
        if left < 0 {
            break;
        }
        let count = rest / length;
        if count >= 1.0 || !parts.is_empty() {
            let count = count.floor();
            let plural = if count == 1.0 { "" } else { "s" };
            parts.push(format!("{count} {name}{plural}"));
            rest %= length;
            left -= 1;
        }
    }
    if parts.is_empty() {
        parts.push("0 milliseconds".to_owned());
    }
    UnitText::of(parts.join(", "), if value < 0.0 { " ago" } else { "" })
}

/// `02h:05m:00s:000ms` of milliseconds; with decimals only so many parts after the first.
pub(super) fn clock(ms: f64, decimals: Option<u8>) -> String {
    if !ms.is_finite() {
        return fixed(ms, None);
    }
    let whole = ms.abs().floor();
    let (hours, minutes) = ((ms / 3_600_000.0).floor(), (whole / 60_000.0) % 60.0);
    let (seconds, rest) = ((whole / 1000.0) % 60.0, whole % 1000.0);
    let minutes = format!("{:02}m", minutes.floor());
    let seconds = format!("{:02}s", seconds.floor());
    let millis = format!("{rest:03}ms");
    let parts = if ms < 1000.0 {
        return millis;
    } else if ms < 60_000.0 {
        vec![seconds, millis]
    } else if ms < 3_600_000.0 {
        vec![minutes, seconds, millis]
    } else {
        vec![format!("{hours}h"), minutes, seconds, millis]
    };
    let shown = decimals.map_or(parts.len(), |decimals| usize::from(decimals) + 1);
    parts.into_iter().take(shown).collect::<Vec<_>>().join(":")
}

/// `02:05:00` of seconds, or `1 d 02:05:00`.
pub(super) fn hours_minutes(seconds: f64, has_days: bool) -> UnitText {
    if !seconds.is_finite() {
        return UnitText::of(fixed(seconds, None), "");
    }
    let size = seconds.abs();
    let days = if has_days { (size / 86_400.0).floor() } else { 0.0 };
    let rest = size - days * 86_400.0;
    let (hours, minutes) = ((rest / 3600.0).floor(), ((rest % 3600.0) / 60.0).floor());
    let shown_days = if days > 0.0 { format!("{days} d ") } else { String::new() };
    let text = format!("{shown_days}{hours:02}:{minutes:02}:{:02}", (rest % 60.0).floor());
    UnitText::of(text, if seconds < 0.0 { " ago" } else { "" })
}
