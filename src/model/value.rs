//! A value of a table, with its type, so that it can be written as text and as JSON.

use std::time::Duration;

use jiff::Timestamp;

use super::health::{latency, percent};
use super::labels::Labels;
use super::remote::age;
use super::text::clean;

/// One value of an item, for tables and JSON.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Unknown; not zero.
    Nothing,
    Text(String),
    /// A word in tables, true or false in JSON.
    Switch(bool),
    Count(u64),
    /// Signed whole seconds.
    Offset(i64),
    /// A ratio, 0 to 1.
    Ratio(f64),
    Number(f64),
    /// A number with its text for tables.
    Formatted(f64, String),
    /// A latency in seconds.
    Seconds(f64),
    /// A rate per second.
    Rate(f64),
    /// A past time; tables show its age.
    Since(Timestamp),
    /// A future or recent time; tables show how far away it is.
    Moment(Timestamp),
    Texts(Vec<String>),
    Labels(Labels),
    LabelSets(Vec<Labels>),
    /// One object; in JSON only.
    Object(Vec<(&'static str, Value)>),
    /// Objects; in JSON only.
    Objects(Vec<Vec<(&'static str, Value)>>),
}

impl Value {
    /// The text; `Nothing` if it is empty.
    pub fn words(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Nothing } else { Self::Text(text) }
    }

    /// An optional text; `Nothing` if it is missing or empty.
    pub fn optional(text: Option<impl ToString>) -> Self {
        text.map_or(Self::Nothing, |text| Self::words(text.to_string()))
    }

    /// A list of texts.
    pub fn texts(all: impl IntoIterator<Item = impl ToString>) -> Self {
        Self::Texts(all.into_iter().map(|text| text.to_string()).collect())
    }

    /// A count.
    pub fn count(number: usize) -> Self {
        Self::Count(u64::try_from(number).unwrap_or(u64::MAX))
    }

    /// An optional number, with a constructor for its kind.
    pub fn maybe(value: Option<f64>, kind: fn(f64) -> Self) -> Self {
        value.filter(|value| value.is_finite()).map_or(Self::Nothing, kind)
    }

    /// The text on several lines, for tables; `None` if the value is unknown.
    pub fn lines(&self, now: Timestamp) -> Vec<String> {
        if let Self::Texts(texts) = self {
            return texts.clone();
        }
        if *self == Self::Nothing { Vec::new() } else { vec![self.shown(now)] }
    }

    /// The text on one line, for tables.
    pub fn shown(&self, now: Timestamp) -> String {
        match self {
            Self::Nothing => "-".to_owned(),
            // line breaks of a description become spaces, and control characters are removed
            Self::Text(text) | Self::Formatted(_, text) => clean(text).trim().to_owned(),
            Self::Switch(on) => if *on { "yes" } else { "no" }.to_owned(),
            Self::Count(count) => count.to_string(),
            Self::Offset(seconds) => format!("{seconds:+}s"),
            Self::Ratio(ratio) => percent(*ratio),
            Self::Number(number) => significant(*number),
            Self::Seconds(seconds) => latency(*seconds),
            Self::Rate(rate) => format!("{}/s", significant(*rate)),
            Self::Since(then) => elapsed(age(*then, now)),
            Self::Moment(at) if *at < now => format!("{} ago", elapsed(age(*at, now))),
            Self::Moment(at) => format!("in {}", elapsed(age(now, *at))),
            Self::Texts(texts) if texts.is_empty() => "-".to_owned(),
            Self::Texts(texts) => clean(&texts.join(", ")).into_owned(),
            Self::Labels(labels) => clean(&labels.to_string()).into_owned(),
            Self::LabelSets(sets) if sets.is_empty() => "-".to_owned(),
            Self::LabelSets(sets) => {
                clean(&sets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")).into_owned()
            }
            Self::Object(_) => "1".to_owned(),
            Self::Objects(objects) => objects.len().to_string(),
        }
    }
}

/// At least three significant digits: `0.012`, `1.23`, `45.6`, `789`, `12345`.
fn significant(number: f64) -> String {
    match number.abs() {
        0.0 => "0".to_owned(),
        n if !n.is_finite() => "-".to_owned(),
        n if n < 0.0005 => format!("{number:.1e}"),
        n if n < 0.995 => format!("{number:.3}"),
        n if n < 9.995 => format!("{number:.2}"),
        n if n < 99.95 => format!("{number:.1}"),
        n if n < 1e15 => format!("{number:.0}"),
        _ => format!("{number:.2e}"),
    }
}

/// A duration in its two largest units: `45s`, `3m`, `2h05m`, `3d4h`.
pub fn elapsed(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..600 => format!("{minutes}m{:02}s", seconds % 60),
        600..3600 => format!("{minutes}m"),
        3600..86_400 => format!("{hours}h{:02}m", minutes % 60),
        86_400..864_000 => format!("{days}d{}h", hours % 24),
        _ => format!("{days}d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_its_two_largest_units() {
        let cases = [
            (0, "0s"),
            (59, "59s"),
            (65, "1m05s"),
            (1800, "30m"),
            (7500, "2h05m"),
            (180_000, "2d2h"),
            (9_000_000, "104d"),
        ];
        for (seconds, text) in cases {
            assert_eq!(elapsed(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn numbers_keep_three_digits_and_no_number_is_a_dash() {
        let cases = [
            (0.0, "0"),
            (0.00012, "1.2e-4"),
            (0.5, "0.500"),
            (1.234, "1.23"),
            (45.67, "45.7"),
            (12345.6, "12346"),
        ];
        for (number, text) in cases {
            assert_eq!(significant(number), text);
        }
        assert_eq!(Value::maybe(Some(f64::NAN), Value::Rate), Value::Nothing);
        assert_eq!(Value::Nothing.shown(Timestamp::UNIX_EPOCH), "-");
    }
}
