//! OpenSLO durations (`30d`, `1M` for a month) and windows, rolling or aligned to a calendar in a time zone.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{DateTime, date};
use jiff::tz::TimeZone;

use crate::model::slo::{Calendar, CalendarUnit, Window};

use super::super::table::{DocumentTable, TableValue};
use super::OpenSloVersion;

pub(super) const MINUTE: Duration = Duration::from_secs(60);

/// A number with a unit: s, m, h, d, w, and M months, Q quarters, Y years.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shorthand {
    count: u32,
    unit: char,
}

impl Shorthand {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let unit = text.chars().last().filter(|unit| "smhdwMQY".contains(*unit))?;
        let count = text.strip_suffix(unit)?.parse().ok().filter(|count| *count > 0)?;
        Some(Self { count, unit })
    }

    /// The length with fixed months and years (30 and 365 days); `None` for a thousand years and more.
    fn length(self) -> Option<Duration> {
        let seconds = match self.unit {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 7 * 86_400,
            'M' => 30 * 86_400,
            'Q' => 90 * 86_400,
            _ => 365 * 86_400,
        };
        let all = u64::from(self.count).checked_mul(seconds)?;
        (all < 1000 * 365 * 86_400).then(|| Duration::from_secs(all))
    }

    fn calendar(self) -> Option<CalendarUnit> {
        match self.unit {
            'd' => Some(CalendarUnit::Day),
            'w' => Some(CalendarUnit::Week),
            'M' => Some(CalendarUnit::Month),
            'Q' => Some(CalendarUnit::Quarter),
            'Y' => Some(CalendarUnit::Year),
            _ => None,
        }
    }
}

fn shorthand(value: &TableValue<'_>) -> Option<Shorthand> {
    let text = value.text()?;
    let read = Shorthand::parse(text).filter(|read| read.length().is_some());
    if read.is_none() {
        value.error(&format!(
            "{text:?} is not a duration of OpenSLO; write it like 5m, 1h, 30d, 4w, 1M (month), 1Q or 1Y"
        ));
    }
    read
}

pub(super) fn slice(value: &TableValue<'_>) -> Option<Duration> {
    shorthand(value)?.length()
}

/// A lookback or a delay of an alert; may be zero.
pub(super) fn lookback(value: &TableValue<'_>) -> Option<Duration> {
    if value.node().text().is_some_and(|text| matches!(text.trim(), "0" | "0s" | "0m")) {
        return Some(Duration::ZERO);
    }
    shorthand(value)?.length()
}

/// The only entry of a list that must have exactly one.
fn single<'l>(value: &TableValue<'l>) -> Option<DocumentTable<'l>> {
    let list = value.list();
    let [one] = list.as_slice() else {
        if value.node().text().is_none() {
            value.error(&format!("needs exactly one entry, not {}", list.len()));
        }
        return None;
    };
    one.table()
}

/// The window of an SLO; 30 days if none is given.
pub(super) fn of(spec: &DocumentTable<'_>, version: OpenSloVersion) -> Option<Window> {
    let key = match version {
        OpenSloVersion::One => "timeWindow",
        OpenSloVersion::Alpha => "timeWindows",
    };
    let Some(value) = spec.get(key) else {
        spec.value().warn(&format!("has no `{key}`; the last 30 days are used"));
        return Some(Window::Rolling(Duration::from_secs(30 * 86_400)));
    };
    let table = single(&value)?;
    // some files of the older version use the newer key
    let window = if version == OpenSloVersion::One || table.value().node().field("duration").is_some() {
        read(&table)
    } else {
        alpha(&table)
    };
    table.finish();
    window
}

/// Reads a window of `openslo/v1`.
fn read(table: &DocumentTable<'_>) -> Option<Window> {
    let duration = table.need("duration");
    let calendar = table.get("calendar");
    // without `isRolling`, a window with a calendar is not rolling
    let rolling = table.get("isRolling").map_or(Some(calendar.is_none()), |value| value.is_true());
    match duration {
        Some(duration) if rolling? => {
            let read = shorthand(&duration)?;
            if "MQY".contains(read.unit) {
                duration.warn(
                    "a rolling window has a fixed length: a month counts as 30 days, a quarter as 90, a year as 365",
                );
            }
            read.length().map(Window::Rolling)
        }
        Some(duration) => {
            let mut read = shorthand(&duration)?;
            if read.unit == 'm' {
                duration.warn("`m` means minutes, which a calendar window cannot have; it is read as months, written `M`");
                read.unit = 'M';
            }
            let unit = read.calendar();
            if unit.is_none() {
                duration
                    .error("a calendar window must be in days, weeks, months (M), quarters (Q) or years (Y)");
            }
            unit.and_then(|unit| calendar_window(table, calendar.as_ref(), read.count, unit))
        }
        None => None,
    }
}

/// Reads a window of `openslo/v1alpha`.
fn alpha(table: &DocumentTable<'_>) -> Option<Window> {
    let calendar = table.get("calendar");
    let rolling = table.get("isRolling").map_or(Some(calendar.is_none()), |value| value.is_true());
    let unit = table.need("unit").and_then(|value| {
        let text = value.text()?;
        let letter = match text.trim() {
            "Second" => 's',
            "Minute" => 'm',
            "Hour" => 'h',
            "Day" => 'd',
            "Week" => 'w',
            "Month" => 'M',
            "Quarter" => 'Q',
            "Year" => 'Y',
            _ => {
                value.error(&format!("cannot be `{text}`; use Day, Week, Month, Quarter or Year"));
                return None;
            }
        };
        Some(letter)
    });
    let count = table.need("count").and_then(|value| {
        let count = value.number()?.parse().ok().filter(|count| (1..=10_000).contains(count));
        if count.is_none() {
            value.error("must be a whole number above 0");
        }
        count
    });
    let (unit, count, rolling) = (unit?, count?, rolling?);
    let read = Shorthand { count, unit };
    match read.calendar() {
        _ if rolling => read.length().map(Window::Rolling),
        Some(unit) => calendar_window(table, calendar.as_ref(), count, unit),
        None => {
            table.value().error("a calendar window must be in days, weeks, months, quarters or years");
            None
        }
    }
}

fn calendar_window(
    table: &DocumentTable<'_>,
    calendar: Option<&TableValue<'_>>,
    count: u32,
    unit: CalendarUnit,
) -> Option<Window> {
    let Some(calendar) = calendar else {
        table.need("calendar");
        return None;
    };
    let table = calendar.table()?;
    let (named, begun) = (table.get("timeZone"), table.get("startTime"));
    if named.is_none() {
        calendar.warn("has no `timeZone`; UTC is used");
    }
    if begun.is_none() {
        calendar.warn("has no `startTime`; periods are counted from Monday, 1 January 2024");
    }
    let zone = named.map_or(Some(TimeZone::UTC), |value| zone(&value));
    let start =
        begun.map_or(Some(date(2024, 1, 1).at(0, 0, 0, 0)), |value| self::start(&value, zone.as_ref()));
    table.finish();
    Some(Window::Calendar(Calendar { count, unit, start: start?, zone: zone? }))
}

/// Reads an IANA time zone name.
pub(in super::super) fn zone(value: &TableValue<'_>) -> Option<TimeZone> {
    let name = value.text()?.trim();
    let zone = TimeZone::get(name).ok();
    if zone.is_none() {
        value.error(&format!("there is no time zone `{name}`; write it like Europe/Berlin"));
    }
    zone
}

/// Reads a date, with or without a time of day. A time with an offset is converted to the zone.
pub(in super::super) fn start(value: &TableValue<'_>, zone: Option<&TimeZone>) -> Option<DateTime> {
    let text = value.text()?.trim();
    if let (Ok(moment), Some(zone)) = (text.parse::<Timestamp>(), zone) {
        return Some(moment.to_zoned(zone.clone()).datetime());
    }
    let start = text.parse().ok();
    if start.is_none() {
        value.error(&format!("{text:?} is not a date; write it like 2026-01-01 00:00:00"));
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_months_quarters_and_years() {
        let days = |days: u64| Some(Duration::from_secs(days * 86_400));
        for (text, length) in [
            ("5m", Some(Duration::from_secs(300))),
            ("28d", days(28)),
            ("4w", days(28)),
            ("1M", days(30)),
            ("1Q", days(90)),
            ("1Y", days(365)),
            ("0d", None),
            ("d", None),
            ("1.5h", None),
            ("-1d", None),
            ("4000000000Y", None),
            ("1x", None),
            ("1d12h", None),
            ("", None),
        ] {
            assert_eq!(Shorthand::parse(text).and_then(Shorthand::length), length, "{text}");
        }
    }
}
