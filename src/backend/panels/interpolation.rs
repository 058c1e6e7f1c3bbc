//! The variables that depend on the time range of a dashboard: `$__interval`, `$__rate_interval`, `$__range`, `$__from` and their
//! kin. All other variables are replaced before a source is asked.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::model::duration;

/// The values of the variables of a time range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RangeVariables {
    /// The time between two points.
    pub(crate) interval: Duration,
    /// An interval over which `rate()` has enough samples.
    pub(crate) rate_interval: Duration,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

impl RangeVariables {
    /// The text with all variables of the time range replaced, in each of Grafana's forms: `$name`, `${name}`, `${name:format}`
    /// and `[[name]]`. Everything else stays as it is.
    pub(crate) fn replace(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("__") {
            let (before, tail) = rest.split_at(at);
            let (opening, closing) = if before.ends_with("${") {
                ("${", "}")
            } else if before.ends_with("[[") {
                ("[[", "]]")
            } else if before.ends_with('$') {
                ("$", "")
            } else {
                ("", "")
            };
            let length = tail.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(tail.len());
            let (name, after) = tail.split_at(length);
            let (format, after) = match after.strip_prefix(':').filter(|_| opening == "${") {
                Some(more) => more.find('}').map_or((None, after), |end| {
                    let (format, after) = more.split_at(end);
                    (Some(format), after)
                }),
                None => (None, after),
            };
            let after = after.strip_prefix(closing).filter(|_| !opening.is_empty());
            if let Some((after, value)) = after.zip(self.value(name, format)) {
                out.push_str(before.strip_suffix(opening).unwrap_or(before));
                out.push_str(&value);
                rest = after;
            } else {
                out.push_str(before);
                out.push_str(name);
                rest = tail.get(length..).unwrap_or_default();
            }
        }
        out.push_str(rest);
        out
    }

    /// The same in all texts of a JSON value.
    pub(crate) fn replace_all(&self, value: &mut Value) {
        match value {
            Value::String(text) if text.contains("__") => *text = self.replace(text),
            Value::Array(all) => all.iter_mut().for_each(|one| self.replace_all(one)),
            Value::Object(all) => all.values_mut().for_each(|one| self.replace_all(one)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn value(&self, name: &str, format: Option<&str>) -> Option<String> {
        let range = self.to.as_millisecond().saturating_sub(self.from.as_millisecond()).max(0);
        let seconds = range.saturating_add(500) / 1000;
        Some(match name {
            "__interval" | "__auto" => interval_text(self.interval),
            "__interval_ms" => self.interval.as_millis().to_string(),
            "__rate_interval" => duration::text(self.rate_interval),
            "__rate_interval_ms" => self.rate_interval.as_millis().to_string(),
            "__range" => format!("{seconds}s"),
            "__range_s" => seconds.to_string(),
            "__range_ms" => range.to_string(),
            "__from" => moment_text(self.from, format)?,
            "__to" => moment_text(self.to, format)?,
            _ => return None,
        })
    }
}

/// The interval in its largest unit, rounded down.
///
/// Source: `FormatInterval` in `gtime` of Grafana's SDK.
fn interval_text(interval: Duration) -> String {
    const UNITS: [(&str, u128); 5] =
        [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
    let millis = interval.as_millis().max(1);
    let unit = UNITS.into_iter().find(|(_, length)| millis >= *length);
    unit.map_or_else(|| "1ms".to_owned(), |(unit, length)| format!("{}{unit}", millis / length))
}

/// A moment: milliseconds, or as the format says; `None` for formats of `moment.js` that are not known here.
fn moment_text(at: Timestamp, format: Option<&str>) -> Option<String> {
    Some(match format {
        None | Some("raw" | "text") => at.as_millisecond().to_string(),
        Some("date" | "date:iso") => format!("{at:.3}"),
        Some("date:seconds") => at.as_second().to_string(),
        Some("date:YYYY-MM-DD") => at.strftime("%Y-%m-%d").to_string(),
        Some("date:YYYY-MM") => at.strftime("%Y-%m").to_string(),
        Some("date:YYYY-MM-DD HH:mm:ss") => at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Some(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> RangeVariables {
        RangeVariables {
            interval: Duration::from_secs(90),
            rate_interval: Duration::from_secs(105),
            from: "2026-03-01T11:00:00Z".parse().unwrap(),
            to: "2026-03-01T12:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn variables_of_the_range_are_replaced_in_every_form_and_nothing_else_is() {
        for (text, replaced) in [
            ("rate(x[$__rate_interval])", "rate(x[1m45s])"),
            ("x[$__interval] $__interval_ms ${__interval} ${__interval_ms}", "x[1m] 90000 1m 90000"),
            ("[[__interval]]", "1m"),
            ("x[$__range] $__range_s/$__range_ms", "x[3600s] 3600/3600000"),
            ("$__from-$__to", "1772362800000-1772366400000"),
            (
                "${__from:date:seconds} ${__from:date} ${__to:date:YYYY-MM-DD}",
                "1772362800 2026-03-01T11:00:00.000Z 2026-03-01",
            ),
            ("${__from:date:dddd}", "${__from:date:dddd}"),
            ("{__name__=~\"a__b\"} $__other ${__interval", "{__name__=~\"a__b\"} $__other ${__interval"),
            ("__interval é$__interval__x", "__interval é$__interval__x"),
            ("$", "$"),
        ] {
            assert_eq!(variables().replace(text), replaced, "{text}");
        }
    }

    #[test]
    fn texts_deep_in_an_object_are_replaced_too() {
        let mut value = serde_json::json!({"a": ["$__range", 1, null], "b": {"$__from": "x $__interval"}});
        variables().replace_all(&mut value);
        assert_eq!(value, serde_json::json!({"a": ["3600s", 1, null], "b": {"$__from": "x 1m"}}));
    }
}
