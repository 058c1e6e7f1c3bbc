//! Durations in Prometheus' format: `1d12h`, `30s`, `250ms`.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a duration; write it like 250ms, 30s, 1m30s, 6h, 30d or 4w")]
pub struct DurationError(String);

/// The largest unit first; a week has 7 days and a year 365, as in Prometheus.
const UNITS: [(&str, u64); 7] = [
    ("y", 31_536_000_000),
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Parses a duration: whole numbers with units, the largest unit first, each at most once.
///
/// # Errors
/// [`DurationError`] for anything else, including an empty text and durations that are too long.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let wrong = || DurationError(text.to_owned());
    let mut millis: u64 = 0;
    let mut rest = text;
    let mut largest_left = 0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, tail) = rest.split_at_checked(digits).ok_or_else(wrong)?;
        let letters = tail.len() - tail.trim_start_matches(|c: char| c.is_ascii_lowercase()).len();
        let (unit, tail) = tail.split_at_checked(letters).ok_or_else(wrong)?;
        let at = UNITS
            .iter()
            .position(|(name, _)| *name == unit)
            .filter(|at| *at >= largest_left)
            .ok_or_else(wrong)?;
        let factor = UNITS.get(at).map_or(0, |(_, factor)| *factor);
        let part = number.parse::<u64>().ok().and_then(|n| n.checked_mul(factor)).ok_or_else(wrong)?;
        millis = millis.checked_add(part).ok_or_else(wrong)?;
        (rest, largest_left) = (tail, at + 1);
    }
    if text.is_empty() { Err(wrong()) } else { Ok(Duration::from_millis(millis)) }
}

/// Formats a duration so that [`parse`] reads it back; weeks and years become days. Less than a millisecond gives `0s`.
pub fn text(duration: Duration) -> String {
    let mut millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut out = String::new();
    for (unit, factor) in UNITS.into_iter().skip(2) {
        let count = millis / factor;
        millis %= factor;
        if count > 0 {
            write!(out, "{count}{unit}").expect("writing to a String cannot fail");
        }
    }
    if out.is_empty() { "0s".into() } else { out }
}

/// Formats a duration for users, with at most two units: `0s`, `45s`, `3m20s`, `2h05m`, `3d4h`.
pub fn short(duration: Duration) -> String {
    let s = duration.as_secs();
    match s {
        0..60 => format!("{s}s"),
        60..600 if !s.is_multiple_of(60) => format!("{}m{:02}s", s / 60, s % 60),
        60..3600 => format!("{}m", s / 60),
        3600..86_400 if s % 3600 >= 60 => format!("{}h{:02}m", s / 3600, s % 3600 / 60),
        3600..86_400 => format!("{}h", s / 3600),
        86_400..864_000 if s % 86_400 >= 3600 => format!("{}d{}h", s / 86_400, s % 86_400 / 3600),
        _ => format!("{}d", s / 86_400),
    }
}

/// A duration in Prometheus' format: `250ms`, `10s`, `1m30s`, `6h`, `30d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigDuration(pub Duration);

impl ConfigDuration {
    /// The schema's pattern for durations, by which `config` recognises them.
    pub const PATTERN: &'static str =
        "^([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$";
}

impl JsonSchema for ConfigDuration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A duration in Prometheus' format: 250ms, 10s, 1m30s, 6h, 30d.",
            "type": "string",
            "minLength": 2,
            "pattern": Self::PATTERN,
        })
    }
}

impl Serialize for ConfigDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&text(self.0))
    }
}

impl<'de> Deserialize<'de> for ConfigDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn prometheus_durations_are_read_and_others_refused() {
        for (text, seconds) in
            [("1d12h", 129_600), ("4w", 2_419_200), ("90s", 90), ("1m30s", 90), ("1y", 31_536_000)]
        {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
        for wrong in ["", "5", "m", "5x", "1s1m", "1m1m", "-5s", "1.5h", "99999999999999999999y", " 5s"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_person_reads_two_units_at_most() {
        for (seconds, expected) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (200, "3m20s"),
            (3599, "59m"),
            (7500, "2h05m"),
            (7200, "2h"),
            (273_600, "3d4h"),
        ] {
            assert_eq!(short(Duration::from_secs(seconds)), expected);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(millis in 0..10_000_000_000_000_u64) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse(&text(duration)), Ok(duration));
        }
    }
}
