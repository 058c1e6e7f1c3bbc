//! OpenSLO durations (`30d`, `1M` for a month) and windows, rolling or aligned to a calendar in a time zone.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{DateTime, date};
use jiff::tz::TimeZone;

use crate::model::slo::{Calendar, CalendarUnit, Window};

use super::super::table::{DocumentTable, TableValue};
use super::OpenSloVersion;

pub(super) const MINUTE: Duration = Duration::from_secs(60);

/// The default start of a calendar window: a Monday and the first day of a month, a quarter and a year.
pub(in super::super) const DEFAULT_START: DateTime = date(2024, 1, 1).at(0, 0, 0, 0);

/// A unit of durations.
pub(in super::super) struct OpenSloUnit {
    pub(in super::super) letter: char,
    /// The name in `openslo/v1alpha`.
    name: &'static str,
    /// The length; months, quarters and years are fixed to 30, 90 and 365 days.
    pub(in super::super) seconds: u64,
    /// The unit of calendar windows, if they can have it.
    pub(in super::super) calendar: Option<CalendarUnit>,
}

const fn unit(letter: char, name: &'static str, seconds: u64, calendar: Option<CalendarUnit>) -> OpenSloUnit {
    OpenSloUnit { letter, name, seconds, calendar }
}

/// All units, the shortest first.
pub(in super::super) static UNITS: [OpenSloUnit; 8] = [
    unit('s', "Second", 1, None),
    unit('m', "Minute", 60, None),
    unit('h', "Hour", 3600, None),
    unit('d', "Day", 86_400, Some(CalendarUnit::Day)),
    unit('w', "Week", 7 * 86_400, Some(CalendarUnit::Week)),
    unit('M', "Month", 30 * 86_400, Some(CalendarUnit::Month)),
    unit('Q', "Quarter", 90 * 86_400, Some(CalendarUnit::Quarter)),
    unit('Y', "Year", 365 * 86_400, Some(CalendarUnit::Year)),
];

impl OpenSloUnit {
    fn of(letter: char) -> Option<&'static Self> {
        UNITS.iter().find(|unit| unit.letter == letter)
    }
}

/// A number with a unit: `5m`, `1M`.
#[derive(Clone, Copy)]
struct Shorthand {
    count: u32,
    unit: &'static OpenSloUnit,
}

impl Shorthand {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let unit = OpenSloUnit::of(text.chars().last()?)?;
        let count = text.strip_suffix(unit.letter)?.parse().ok().filter(|count| *count > 0)?;
        Some(Self { count, unit })
    }

    /// The length; `None` for a thousand years and more.
    fn length(self) -> Option<Duration> {
        let all = u64::from(self.count).checked_mul(self.unit.seconds)?;
        (all < 1000 * 365 * 86_400).then(|| Duration::from_secs(all))
    }
}

fn shorthand(value: &TableValue<'_>) -> Option<Shorthand> {
    let text = value.text()?;
    Shorthand::parse(text).filter(|read| read.length().is_some()).or_else(|| {
        value.reject(&format!(
            "{text:?} is not a duration of OpenSLO; write it like 5m, 1h, 30d, 4w, 1M (month), 1Q or 1Y"
        ))
    })
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
    let (duration, rolling) = (duration?, rolling?);
    let Shorthand { count, mut unit } = shorthand(&duration)?;
    if rolling {
        if "MQY".contains(unit.letter) {
            duration.warn(
                "a rolling window has a fixed length: a month counts as 30 days, a quarter as 90, a year as 365",
            );
        }
        return Shorthand { count, unit }.length().map(Window::Rolling);
    }
    if unit.letter == 'm' {
        duration.warn(
            "`m` means minutes, which a calendar window cannot have; it is read as months, written `M`",
        );
        unit = OpenSloUnit::of('M')?;
    }
    let Some(unit) = unit.calendar else {
        return duration
            .reject("a calendar window must be in days, weeks, months (M), quarters (Q) or years (Y)");
    };
    calendar_window(table, calendar.as_ref(), count, unit)
}

/// Reads a window of `openslo/v1alpha`.
fn alpha(table: &DocumentTable<'_>) -> Option<Window> {
    let calendar = table.get("calendar");
    let rolling = table.get("isRolling").map_or(Some(calendar.is_none()), |value| value.is_true());
    let unit = table.need("unit").and_then(|value| {
        let text = value.text()?;
        UNITS
            .iter()
            .find(|unit| unit.name == text.trim())
            .or_else(|| value.reject(&format!("cannot be `{text}`; use Day, Week, Month, Quarter or Year")))
    });
    let count = table.need("count").and_then(|value| {
        let count = value.number()?.parse().ok().filter(|count| (1..=10_000).contains(count));
        count.or_else(|| value.reject("must be a whole number above 0"))
    });
    let (unit, count, rolling) = (unit?, count?, rolling?);
    match unit.calendar {
        _ if rolling => Shorthand { count, unit }.length().map(Window::Rolling),
        Some(unit) => calendar_window(table, calendar.as_ref(), count, unit),
        None => table.value().reject("a calendar window must be in days, weeks, months, quarters or years"),
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
    let start = begun.map_or(Some(DEFAULT_START), |value| self::start(&value, zone.as_ref()));
    table.finish();
    Some(Window::Calendar(Calendar { count, unit, start: start?, zone: zone? }))
}

/// Reads an IANA time zone name.
pub(in super::super) fn zone(value: &TableValue<'_>) -> Option<TimeZone> {
    let name = value.text()?.trim();
    let rejected = || value.reject(&format!("there is no time zone `{name}`; write it like Europe/Berlin"));
    TimeZone::get(name).ok().or_else(rejected)
}

/// Reads a date, with or without a time of day. A time with an offset is converted to the zone.
pub(in super::super) fn start(value: &TableValue<'_>, zone: Option<&TimeZone>) -> Option<DateTime> {
    let text = value.text()?.trim();
    if let (Ok(moment), Some(zone)) = (text.parse::<Timestamp>(), zone) {
        return Some(moment.to_zoned(zone.clone()).datetime());
    }
    let rejected = || value.reject(&format!("{text:?} is not a date; write it like 2026-01-01 00:00:00"));
    text.parse().ok().or_else(rejected)
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
