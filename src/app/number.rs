//! Formats numbers for display: short, with their unit; a dash for unknown values.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use super::widgets::unit::{number as plain, rate};
use crate::model::duration;
pub use crate::model::health::{latency, percent};
use crate::model::remote::age;

/// Shown for unknown values; never for zero.
pub const UNKNOWN: &str = "-";

/// The formatted value, or a dash if it is missing or not finite.
pub fn or_dash(value: Option<f64>, words: impl Fn(f64) -> String) -> String {
    value.filter(|value| value.is_finite()).map_or_else(|| UNKNOWN.to_owned(), words)
}

/// As [`or_dash`], but with a question mark for a signal that could not be measured; after the value if it was measured in part.
pub fn or_unknown(value: Option<f64>, is_unknown: bool, words: impl Fn(f64) -> String) -> String {
    match value.filter(|value| value.is_finite()) {
        None if is_unknown => "?".to_owned(),
        Some(value) if is_unknown => format!("{}?", words(value)),
        value => or_dash(value, words),
    }
}

/// Ages below one minute change in these steps: numbers that change every second are hard to read and need bandwidth.
const STEP: Duration = Duration::from_secs(5);

/// An age: below one minute in steps, below one hour in minutes, else in at most two units.
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    match age(then, now) {
        age if age < STEP => format!("<{}", duration::short(STEP)),
        age if age < Duration::from_secs(60) => {
            duration::short(Duration::from_secs(age.as_secs() / STEP.as_secs() * STEP.as_secs()))
        }
        age if age < Duration::from_secs(3600) => format!("{}m", age.as_secs() / 60),
        age => duration::short(age),
    }
}

/// A time in a time zone, with the date if it is not today.
pub fn moment(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (here, today) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let same_day = here.date() == today.date();
    here.strftime(if same_day { "%H:%M:%S" } else { "%Y-%m-%d %H:%M" }).to_string()
}

/// A number of bytes: `512 B`, `1.23 MB`.
pub fn bytes(count: f64) -> String {
    let text = plain(count);
    match text.strip_suffix(['k', 'M', 'G']) {
        Some(number) => format!("{number} {}B", text.chars().next_back().unwrap_or_default()),
        None => format!("{text} B"),
    }
}

pub fn per_minute(total: u64, over: Duration) -> f64 {
    total as f64 / over.as_secs_f64().max(1.0) * 60.0
}

/// `1 alert`, `2 alerts`.
pub fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// `12/340`, or one number if all are shown.
pub fn count(shown: usize, all: usize) -> String {
    if shown == all { all.to_string() } else { format!("{shown}/{all}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_do_not_tick_every_second() {
        let at = |second| Timestamp::from_second(second).unwrap();
        for (seconds, text) in
            [(0, "<5s"), (4, "<5s"), (14, "10s"), (59, "55s"), (200, "3m"), (7500, "2h05m")]
        {
            assert_eq!(ago(at(0), at(seconds)), text);
        }
    }

    #[test]
    fn what_is_not_known_is_a_dash_and_bytes_have_a_prefix() {
        assert_eq!((bytes(512.0), bytes(1_234_000.0)), ("512 B".into(), "1.23 MB".into()));
        assert_eq!(or_dash(None, rate), "-");
    }
}
