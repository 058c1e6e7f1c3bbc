//! Numbers as Grafana writes them: decimals, scales with prefixes, times and durations, hexadecimal
//! (`valueFormats` of `grafana-data`).

use std::borrow::Cow;
use std::fmt::Write;

use super::units::{self, Unit};

/// A number with its unit as text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnitText {
    pub prefix: String,
    pub text: String,
    pub suffix: String,
}

impl UnitText {
    pub(super) fn of(text: impl Into<String>, suffix: impl Into<String>) -> Self {
        Self { prefix: String::new(), text: text.into(), suffix: suffix.into() }
    }

    /// Prefix, number and suffix.
    pub fn whole(&self) -> String {
        format!("{}{}{}", self.prefix, self.text, self.suffix)
    }
}

/// A number in a unit (see [`super::super::field::FieldOptions::unit`]); without `decimals` as many as Grafana takes for its size.
pub fn format_number(value: f64, unit: Option<&str>, decimals: Option<u8>) -> UnitText {
    let unit = unit.unwrap_or("");
    match units::find(unit) {
        Some(unit) => with_unit(value, &unit, decimals),
        None if unit.is_empty() => UnitText::of(fixed(value, decimals), ""),
        None => UnitText::of(fixed(value, decimals), format!(" {unit}")),
    }
}

fn with_unit(value: f64, unit: &Unit<'_>, decimals: Option<u8>) -> UnitText {
    match unit {
        Unit::Plain => UnitText::of(fixed(value, decimals), ""),
        Unit::String => UnitText::of(js_number(value), ""),
        Unit::Suffix(suffix) => UnitText::of(fixed(value, decimals), format!(" {suffix}")),
        Unit::Prefix(prefix) => {
            UnitText { prefix: (*prefix).to_owned(), ..UnitText::of(fixed(value, decimals), "") }
        }
        Unit::Percent => UnitText::of(fixed(value, decimals), "%"),
        Unit::Share => UnitText::of(fixed(100.0 * value, decimals), "%"),
        Unit::Short => scaled(value, 1000.0, &SHORT, 0, decimals, ""),
        Unit::Si(symbol, offset) => scaled(value, 1000.0, &SI, offset + SI_BASE, decimals, symbol),
        Unit::Binary(symbol, offset) => scaled(value, 1024.0, &BINARY, *offset, decimals, symbol),
        Unit::Psi => scaled(value, 1000.0, &["psi", "ksi", "Mpsi"], 0, decimals, ""),
        Unit::Count(symbol) => {
            let mut out = scaled(value, 1000.0, &COUNT, 0, decimals, "");
            let _infallible = write!(out.suffix, " {symbol}");
            out
        }
        Unit::Currency { symbol, is_suffix } => currency(value, symbol, *is_suffix, decimals),
        Unit::Hex { has_prefix } => hexadecimal(value, *has_prefix, decimals),
        Unit::Scientific => UnitText::of(exponential(value, decimals), ""),
        Unit::Locale => UnitText::of(grouped(value, decimals), ""),
        Unit::Bool(yes, no) => UnitText::of(if value == 0.0 || value.is_nan() { *no } else { *yes }, ""),
        Unit::Time(scale) => super::duration::scaled_time(value, *scale, decimals),
        Unit::Duration(scale) => super::duration::words(value, *scale, decimals),
        Unit::Clock { milliseconds } => {
            UnitText::of(super::duration::clock(value * milliseconds, decimals), "")
        }
        Unit::HoursMinutes { has_days } => super::duration::hours_minutes(value, *has_days),
        // moments are written by the caller, who knows the zone and the time
        Unit::Moment(_) => UnitText::of(js_number(value), ""),
    }
}

const SHORT: [&str; 9] = ["", " K", " Mil", " Bil", " Tri", " Quadr", " Quint", " Sext", " Sept"];
const COUNT: [&str; 5] = ["", "K", "M", "B", "T"];
const SI: [&str; 14] = [" f", " p", " n", " µ", " m", " ", " k", " M", " G", " T", " P", " E", " Z", " Y"];
/// The place of the unit without prefix in [`SI`].
const SI_BASE: i32 = 5;
const BINARY: [&str; 9] = [" ", " Ki", " Mi", " Gi", " Ti", " Pi", " Ei", " Zi", " Yi"];

/// A number divided by as many powers of `factor` as fit, and the prefix for them; `offset` is the prefix of the number itself.
fn scaled(
    value: f64,
    factor: f64,
    prefixes: &[&str],
    offset: i32,
    decimals: Option<u8>,
    symbol: &str,
) -> UnitText {
    if !value.is_finite() {
        return UnitText::of(fixed(value, decimals), "");
    }
    let last = i32::try_from(prefixes.len()).unwrap_or(1) - 1;
    let power = if value == 0.0 { 0 } else { (value.abs().log10() / factor.log10()).floor() as i32 };
    let power = power.clamp(-offset, (last - offset).max(-offset));
    let prefix = prefixes.get(usize::try_from(offset + power).unwrap_or(0)).copied().unwrap_or("");
    UnitText::of(fixed(value / factor.powi(power), decimals), format!("{prefix}{symbol}"))
}

fn currency(value: f64, symbol: &str, is_suffix: bool, decimals: Option<u8>) -> UnitText {
    let mut out = scaled(value.abs(), 1000.0, &COUNT, 0, decimals, "");
    if is_suffix {
        out.suffix.push_str(symbol);
    } else {
        symbol.clone_into(&mut out.prefix);
    }
    if value < 0.0 {
        out.prefix.insert(0, '-');
    }
    out
}

fn hexadecimal(value: f64, has_prefix: bool, decimals: Option<u8>) -> UnitText {
    if !value.is_finite() {
        return UnitText::of(js_number(value), "");
    }
    let value: f64 = fixed(value, decimals).parse().unwrap_or(value);
    let (sign, prefix) = (if value < 0.0 { "-" } else { "" }, if has_prefix { "0x" } else { "" });
    let whole = value.abs().trunc();
    let mut digits = if whole < 1e18 { format!("{:X}", whole as u64) } else { js_number(whole) };
    let mut rest = value.abs().fract();
    if rest > 0.0 {
        digits.push('.');
    }
    for _ in 0..12 {
        if rest <= 0.0 {
            break;
        }
        let digit = (rest * 16.0).trunc();
        let _infallible = write!(digits, "{:X}", digit as u8);
        rest = rest * 16.0 - digit;
    }
    UnitText::of(format!("{sign}{prefix}{digits}"), "")
}

/// `1.5e+3`, as JavaScript writes it.
fn exponential(value: f64, decimals: Option<u8>) -> String {
    if !value.is_finite() {
        return js_number(value);
    }
    let text = decimals.map_or_else(|| format!("{value:e}"), |n| format!("{value:.*e}", usize::from(n)));
    match text.split_once('e') {
        Some((digits, power)) if power.starts_with('-') => format!("{digits}e{power}"),
        Some((digits, power)) => format!("{digits}e+{power}"),
        None => text,
    }
}

/// With commas between thousands; up to three decimals.
fn grouped(value: f64, decimals: Option<u8>) -> String {
    if !value.is_finite() {
        return fixed(value, decimals);
    }
    let rounded = format!("{:.*}", usize::from(decimals.unwrap_or(3)), value.abs());
    let (whole, part) = rounded.split_once('.').unwrap_or((&rounded, ""));
    let mut out = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    let part = part.trim_end_matches('0');
    let sign = if value < 0.0 && (out.as_str(), part) != ("0", "") { "-" } else { "" };
    if part.is_empty() { format!("{sign}{out}") } else { format!("{sign}{out}.{part}") }
}

/// A number with these decimals, zeros at the end included. Without, enough for its size: 0.0123, 1.23, 12.3, 123.
pub fn fixed(value: f64, decimals: Option<u8>) -> String {
    if !value.is_finite() {
        return match (value.is_nan(), value > 0.0) {
            (true, _) => "NaN".to_owned(),
            (false, true) => "∞".to_owned(),
            (false, false) => "-∞".to_owned(),
        };
    }
    let wanted = decimals.map_or_else(|| decimals_for(value), u32::from).min(100);
    if value == 0.0 {
        return format!("{:.*}", wanted as usize, 0.0);
    }
    let factor = 10_f64.powi(i32::try_from(wanted).unwrap_or(0));
    // JavaScript rounds halves up, towards positive
    let scaled = (value * factor + 0.5).floor() / factor;
    let formatted = js_number(if scaled.is_finite() { scaled } else { value });
    if formatted.contains('e') {
        return formatted;
    }
    let precision = formatted.split_once('.').map_or(0, |(_, part)| part.len());
    let missing = (wanted as usize).saturating_sub(precision);
    if missing == 0 {
        return formatted;
    }
    let point = if precision == 0 { "." } else { "" };
    format!("{formatted}{point}{}", "0".repeat(missing))
}

/// How many decimals Grafana gives a number of this size: about two digits that count.
fn decimals_for(value: f64) -> u32 {
    if value.fract() == 0.0 {
        return 0;
    }
    let mut decimals = -(value.abs().ln() / std::f64::consts::LN_10).floor() + 1.0;
    if value / 10_f64.powf(-decimals) > 2.25 {
        decimals += 1.0;
    }
    if decimals > 0.0 { decimals.min(100.0) as u32 } else { 0 }
}

/// A number as JavaScript writes it: with an exponent from 1e21 on and below 1e-6.
pub fn js_number(value: f64) -> String {
    let size = value.abs();
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() }
    } else if size == 0.0 {
        "0".to_owned()
    } else if (1e-6..1e21).contains(&size) {
        value.to_string()
    } else {
        exponential(value, None)
    }
}

/// The number's text without zeros at its end: `60.00` is `60`.
pub(super) fn trimmed(text: &str) -> Cow<'_, str> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Cow::Owned(js_number(number)),
        Ok(_) | Err(_) => Cow::Borrowed(text),
    }
}
