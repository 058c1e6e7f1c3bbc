//! Lenient access to JSON: what is missing or has another type is absent.

use serde_json::Value;

use crate::model::labels::Text;

static NULL: Value = Value::Null;

/// The value of a key; null if there is none.
pub(super) fn at<'a>(value: &'a Value, key: &str) -> &'a Value {
    value.get(key).unwrap_or(&NULL)
}

/// The value at keys below each other.
pub(super) fn below<'a>(value: &'a Value, keys: &[&str]) -> &'a Value {
    keys.iter().fold(value, |value, key| at(value, key))
}

/// The items of a list; none if it is no list.
pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A text that is not empty; numbers and truth values as text.
pub(super) fn text(value: &Value) -> Option<Text> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.as_str().into()),
        Value::Number(number) => Some(number.to_string().into()),
        Value::Bool(is) => Some(is.to_string().into()),
        Value::String(_) | Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A finite number, also as text.
pub(super) fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    number.filter(|number: &f64| number.is_finite())
}

/// A whole number that fits; a fraction is cut.
#[expect(clippy::cast_possible_truncation, reason = "checked to be in the range of the type")]
pub(super) fn whole<T: TryFrom<i64>>(value: &Value) -> Option<T> {
    let number = number(value)?;
    (number.abs() < 9e15).then(|| T::try_from(number as i64).ok()).flatten()
}

/// A truth value, also as text or number.
pub(super) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(is) => Some(*is),
        Value::String(text) => match text.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        },
        Value::Number(number) => number.as_f64().map(|number| number != 0.0),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A text as it is, empty if there is none.
pub(super) fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

/// A regular expression without the `/` around it; one with flags stays as it is.
pub(super) fn without_slashes(pattern: &str) -> Text {
    let inside = pattern.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    inside.unwrap_or(pattern).into()
}
