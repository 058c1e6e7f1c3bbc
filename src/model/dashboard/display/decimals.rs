//! Numbers with the decimals that Grafana gives them, and as JavaScript writes them.

use std::borrow::Cow;

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
}

/// `1.5e+3`, as JavaScript writes it.
pub(super) fn exponential(value: f64, decimals: Option<u8>) -> String {
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
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of the type"
)]
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
