//! The format `date` of variables.

use jiff::tz::TimeZone;

use crate::model::dashboard::display::moment::{format_moment, timestamp};

/// Milliseconds since 1970 as a date in UTC: `iso` (the default), `seconds`, `ms`, or a pattern of moment.js.
pub(super) fn date(value: &str, pattern: &str) -> String {
    date_in(value, pattern, &TimeZone::UTC)
}

/// As [`date`], in a zone.
pub(super) fn date_in(value: &str, pattern: &str, zone: &TimeZone) -> String {
    let Some((ms, at)) = value.trim().parse::<f64>().ok().and_then(|ms| Some((ms, timestamp(ms)?))) else {
        return value.to_owned();
    };
    match pattern {
        "ms" => value.to_owned(),
        "seconds" => format!("{}", (ms / 1000.0).round()),
        "" | "iso" => format!("{at:.3}"),
        pattern => format_moment(&at.to_zoned(zone.clone()), pattern),
    }
}
