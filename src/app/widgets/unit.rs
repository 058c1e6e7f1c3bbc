//! Formats numbers in charts and tables: short, with their unit, three significant digits.

use crate::app::display_settings::Charset;
use crate::model::health::{latency, percent};
use crate::model::slo::show::burn;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueUnit {
    /// A ratio, 0 to 1, shown in per cent.
    Ratio,
    PerSecond,
    Seconds,
    /// A multiple, shown as `2x`.
    Times,
    /// Bytes, in steps of 1024.
    Bytes,
    Plain,
}

impl ValueUnit {
    /// The formatted value: `1.23%`, `1.2k/s`, `640ms`; `-` if it is not a number.
    pub fn text(self, value: f64, charset: Charset) -> String {
        if value.is_infinite() {
            return if value > 0.0 { "+Inf" } else { "-Inf" }.into();
        }
        match self {
            Self::Ratio => percent(value),
            Self::PerSecond => rate(value),
            Self::Seconds if charset == Charset::Ascii => latency(value).replace('µ', "u"),
            Self::Seconds => latency(value),
            Self::Times => burn(value),
            Self::Bytes => match binary(value.abs()) {
                Some(measure) => measure.text(&digits(value * measure.by)),
                None => number(value),
            },
            Self::Plain => number(value),
        }
    }

    /// As [`ValueUnit::text`], without trailing zeros: `2.5s`, `5%`; for configured thresholds and bucket bounds.
    pub fn short(self, value: f64, charset: Charset) -> String {
        match self.measure(value.abs(), charset).filter(|_| value.is_finite()) {
            Some(measure) => measure.text(&digits(value * measure.by)),
            None => self.text(value, charset),
        }
    }

    /// Whether values of this unit can be added: rates and counts, but not shares and times of different requests.
    pub fn adds_up(self) -> bool {
        match self {
            Self::PerSecond | Self::Plain | Self::Bytes => true,
            Self::Ratio | Self::Seconds | Self::Times => false,
        }
    }

    /// The display unit of an axis whose largest absolute value is `highest`.
    ///
    /// `None`: too large or too small for every prefix; such values are written with an exponent.
    pub(super) fn measure(self, highest: f64, charset: Charset) -> Option<DisplayUnit> {
        let plain = |by, unit| Some(DisplayUnit { by, prefix: "", unit });
        let micro = charset.pick("µ", "u");
        match (self, highest) {
            (Self::Seconds, 0.0) => plain(1.0, "s"),
            (Self::Ratio, v) if v == 0.0 || (1e-5..1e4).contains(&v) => plain(100.0, "%"),
            (Self::Ratio, v) if (1e-8..1e-5).contains(&v) => plain(1e6, "ppm"),
            (Self::Ratio, v) if (1e-11..1e-8).contains(&v) => plain(1e9, "ppb"),
            (Self::Ratio, v) if v < 1e-11 => None,
            (Self::Ratio, v) => {
                prefixed(v * 100.0, "%", micro).map(|m| DisplayUnit { by: m.by * 100.0, ..m })
            }
            (Self::Seconds, v) if (1e-3..1.0).contains(&v) => plain(1e3, "ms"),
            (Self::Seconds, v) if (1.0..120.0).contains(&v) => plain(1.0, "s"),
            (Self::Seconds, v) if (120.0..7200.0).contains(&v) => plain(1.0 / 60.0, "m"),
            (Self::Seconds, v) if (7200.0..172_800.0).contains(&v) => plain(1.0 / 3600.0, "h"),
            (Self::Seconds, v) if (172_800.0..8.64e9).contains(&v) => plain(1.0 / 86_400.0, "d"),
            (Self::Seconds, v) => prefixed(v, "s", micro),
            (Self::Times, v) if v == 0.0 || (1e-3..1e4).contains(&v) => plain(1.0, "x"),
            (Self::Times, v) => prefixed(v, "x", micro),
            (Self::Bytes, v) => binary(v),
            (Self::PerSecond, v) => prefixed(v, "/s", micro),
            (Self::Plain, v) => prefixed(v, "", micro),
        }
    }
}

/// The unit in which values are displayed, such as milliseconds or thousands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct DisplayUnit {
    /// The factor from the value to the displayed number.
    pub(super) by: f64,
    prefix: &'static str,
    unit: &'static str,
}

impl DisplayUnit {
    /// The displayed number with prefix and unit.
    pub(super) fn text(self, digits: &str) -> String {
        format!("{digits}{}{}", self.prefix, self.unit)
    }
}

/// The binary prefix for a number of bytes; None beyond all prefixes.
fn binary(highest: f64) -> Option<DisplayUnit> {
    const PREFIXES: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    let mut by = 1.0;
    for prefix in PREFIXES {
        if highest * by < 1024.0 {
            return Some(DisplayUnit { by, prefix, unit: "B" });
        }
        by /= 1024.0;
    }
    None
}

/// The SI prefix for a value; None beyond all prefixes.
fn prefixed(highest: f64, unit: &'static str, micro: &'static str) -> Option<DisplayUnit> {
    let (by, prefix) = match highest {
        v if v >= 1e-3 || v == 0.0 => prefix(v)?,
        v if v >= 1e-6 => (1e-6, micro),
        v if v >= 1e-9 => (1e-9, "n"),
        v if v >= 1e-12 => (1e-12, "p"),
        _ => return None,
    };
    Some(DisplayUnit { by: 1.0 / by, prefix, unit })
}

/// The divisor and the SI prefix for a value of at least 0.001.
fn prefix(highest: f64) -> Option<(f64, &'static str)> {
    match highest {
        v if v < 1e-3 && v != 0.0 => None,
        v if v < 1e3 => Some((1.0, "")),
        v if v < 1e6 => Some((1e3, "k")),
        v if v < 1e9 => Some((1e6, "M")),
        v if v < 1e12 => Some((1e9, "G")),
        v if v < 1e15 => Some((1e12, "T")),
        v if v < 1e18 => Some((1e15, "P")),
        v if v < 1e21 => Some((1e18, "E")),
        _ => None,
    }
}

/// Events per second: `1.2k/s`, `640/s`, `0.25/s`; `-` if it is not a number.
pub fn rate(per_second: f64) -> String {
    match per_second {
        v if !v.is_finite() => "-".into(),
        v if v > 0.0 && v < 0.01 => "<0.01/s".into(),
        v => format!("{}/s", number(v)),
    }
}

/// A number with three significant digits: `0.012`, `3`, `12.3k`, `1.5e21`; `-` if it is not a number.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "-".into();
    }
    let rounded = rounded(value);
    match prefix(rounded.abs()) {
        Some((by, suffix)) => format!("{}{suffix}", digits(rounded / by)),
        None => format!("{value:.1e}"),
    }
}

/// Rounded to three significant digits: 999.96 becomes 1000, shown as 1k.
fn rounded(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

/// Three significant digits, without trailing zeros.
pub(super) fn digits(value: f64) -> String {
    let value = rounded(value);
    let decimals = match value.abs() {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        v if v >= 0.1 => 3,
        v if v >= 0.01 => 4,
        _ => 5,
    };
    let digits = format!("{value:.decimals$}");
    let short =
        if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { &digits };
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_a_prefix() {
        for (value, shown) in [
            (0.0, "0"),
            (-0.0, "0"),
            (3.0, "3"),
            (0.012_34, "0.0123"),
            (12.34, "12.3"),
            (640.4, "640"),
            (999.96, "1k"),
            (1234.0, "1.23k"),
            (-1500.0, "-1.5k"),
            (8.5e9, "8.5G"),
            (1.5e16, "15P"),
            (1.5e20, "150E"),
            (1.5e21, "1.5e21"),
            (1e308, "1.0e308"),
            (0.000_01, "1.0e-5"),
            (f64::NAN, "-"),
        ] {
            assert_eq!(number(value), shown);
        }
    }

    #[test]
    fn every_unit_says_what_it_counts() {
        for (unit, value, shown) in [
            (ValueUnit::Ratio, 0.0123, "1.23%"),
            (ValueUnit::PerSecond, 1234.0, "1.23k/s"),
            (ValueUnit::PerSecond, 0.001, "<0.01/s"),
            (ValueUnit::PerSecond, 0.0, "0/s"),
            (ValueUnit::Seconds, 0.000_4, "400us"),
            (ValueUnit::Times, 14.4, "14x"),
            (ValueUnit::Bytes, 1536.0, "1.5KiB"),
            (ValueUnit::Bytes, 8_589_934_592.0, "8GiB"),
            (ValueUnit::Plain, 17.0, "17"),
            (ValueUnit::Plain, f64::INFINITY, "+Inf"),
            (ValueUnit::Seconds, f64::NAN, "-"),
        ] {
            assert_eq!(unit.text(value, Charset::Ascii), shown);
        }
        assert_eq!(ValueUnit::Seconds.short(2.5, Charset::Unicode), "2.5s");
        assert_eq!(ValueUnit::Ratio.short(0.05, Charset::Unicode), "5%");
        assert_eq!(ValueUnit::Seconds.short(f64::INFINITY, Charset::Unicode), "+Inf");
        assert_eq!(ValueUnit::Seconds.text(0.000_4, Charset::Unicode), "400µs");
    }
}
