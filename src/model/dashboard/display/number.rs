//! Numbers as Grafana writes them: decimals, scales with prefixes, times and durations, hexadecimal
//! (`valueFormats` of `grafana-data`).

use std::fmt::Write;

use super::decimals::{UnitText, exponential, fixed, js_number};
use super::units::{self, Unit};

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
        // moments are written by the caller, who knows the zone and the time
        Unit::String | Unit::Moment(_) => UnitText::of(js_number(value), ""),
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
    }
}

const SHORT: [&str; 9] = ["", " K", " Mil", " Bil", " Tri", " Quadr", " Quint", " Sext", " Sept"];
const COUNT: [&str; 5] = ["", "K", "M", "B", "T"];
const SI: [&str; 14] = [" f", " p", " n", " µ", " m", " ", " k", " M", " G", " T", " P", " E", " Z", " Y"];
/// The place of the unit without prefix in [`SI`].
const SI_BASE: i32 = 5;
const BINARY: [&str; 9] = [" ", " Ki", " Mi", " Gi", " Ti", " Pi", " Ei", " Zi", " Yi"];

/// A number divided by as many powers of `factor` as fit, and the prefix for them; `offset` is the prefix of the number itself.
#[expect(clippy::cast_possible_truncation, reason = "at most some hundred powers")]
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

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "less than 1e18, and a digit")]
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
